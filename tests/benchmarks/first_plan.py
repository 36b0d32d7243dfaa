"""What a first plan costs: ``python tests/benchmarks/first_plan.py [--json]``.

Figures are medians: CPU time of `solve` (children included; three tiers by five channels of smooth
curves, without reading and fitting), and wall time of fresh processes for `--help`, `check` and `run` on
the shipped sample.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import allocator as al

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = "scenarios/q1_base.yaml"
FIFTEEN_CELLS = ROOT / "tests" / "scenarios" / "fifteen_cells.yaml"
BARS = {"solve_cpu_ms": 150.0, "check_s": 0.8, "run_s": 8.0, "help_s": 0.3}


def cpu_seconds() -> float:
    """User and system time of this process and the ones it waited for."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def median_of(measure: Callable[[], float], times: int) -> float:
    measure()
    return statistics.median(measure() for _ in range(times))


def solve_cpu_ms() -> float:
    scenario = al.load_scenario(FIFTEEN_CELLS)
    forecast = al.fit(scenario)

    def once() -> float:
        start = cpu_seconds()
        plan = al.solve(scenario, forecast)
        spent = cpu_seconds() - start
        if plan.status.value != "optimal":
            raise RuntimeError(f"the benchmark scenario has no optimal plan: {plan.status}")
        return 1000 * spent

    return median_of(once, 9)


def wall_seconds(*arguments: str) -> float:
    # an installed package has its bytecode; a first call of `median_of` writes it for a checkout
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    # what an earlier run kept would spare this one the fit
    environment["ALLOCATOR_CACHE"] = "off"

    def once() -> float:
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "allocator", *arguments],
            cwd=ROOT,
            env=environment,
            check=True,
            capture_output=True,
        )
        return time.perf_counter() - start

    return median_of(once, 5)


def figures() -> dict[str, dict[str, object]]:
    """One entry a figure, in the shape every benchmark of this project prints."""
    values = {
        "solve_cpu_ms": solve_cpu_ms(),
        "check_s": wall_seconds("check", SAMPLE),
        "run_s": wall_seconds("run", SAMPLE),
        "help_s": wall_seconds("--help"),
    }
    return {
        name: {
            "value": round(value, 4),
            "peer": None,
            "ratio": None,
            "bar": BARS[name],
            "holds": value <= BARS[name],
        }
        for name, value in values.items()
    }


def main() -> None:
    found = figures()
    if "--json" in sys.argv[1:]:
        print(json.dumps(found))
        return
    for name, figure in found.items():
        verdict = "holds" if figure["holds"] else "MISSED"
        print(f"{name:14} {figure['value']:>9}   bar {figure['bar']}   {verdict}")


if __name__ == "__main__":
    main()
