"""What it costs to say why there is no plan: ``python tests/benchmarks/lp_conflict.py [--json]``.

``limits_600_s``: CPU time of `optimise` on 300 cells of ten pieces with 600 limits, three of which contradict
each other, up to the named conflict with its verified repairs. `rows` are the limits named; the figure fails
when they are not the three planted ones, or when no repair is stated.
"""

from __future__ import annotations

from dataclasses import replace

from lp_cases import PLANTED, Found, figure, least_cpu, limits_600, run, skipped

from allocator.plan.optimise import optimise
from allocator.plan.solution import Solution

BAR = 2.0


def limits() -> Found:
    problem, kept = limits_600(), list[Solution]()
    seconds = least_cpu(lambda: kept.append(optimise(replace(problem))), 3)
    conflict = kept[-1].conflict
    if conflict is None:
        return skipped(f"no conflict is named: {kept[-1].status}", BAR)
    named = [row.name for row in conflict.rows]
    found = figure(seconds, BAR, rows=named, repairs=[repair.text for repair in conflict.repairs])
    right = set(named) == set(PLANTED) and bool(conflict.repairs)
    return found | {"holds": found["holds"] and right, "exact": right}


if __name__ == "__main__":
    run({"limits_600_s": limits}, "What it costs to say why there is no plan.")
