"""What plans of several sizes cost: ``python tests/benchmarks/lp_size.py [--json] [--only NAME]``.

CPU time of `optimise`, from the problem to the plan with its certificate and prices, children included,
least of a few runs.

- ``cells_45_ms``: 3 tiers x 5 channels x 3 periods, floors and caps per channel, a share, an ROI floor.
- ``cells_2400_s``: 10 tiers x 20 channels x 12 periods of ten pieces each, budget, caps per channel, shares
  per tier, budgets by period.
- ``binaries_300_s``: the same size, 300 cells with a curve that bends upwards once; to a gap of 1e-4.
- ``cvar_500_s``: 240 cells, the mean of the worst tenth of 500 draws.

A figure that this version cannot make is skipped, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

from lp_cases import Found, cells_45, cells_2400, drawn_240, figure, least_cpu, run, s_cells_300, skipped

from allocator.plan.optimise import optimise
from allocator.plan.problem import Problem
from allocator.plan.solution import Solution, Status
from allocator.response.curve import CurveError

GAP = 1e-4


def measured(problem: Problem, times: int, unit: float, bar: float) -> Found:
    """Time the whole of `optimise`, and refuse to time what is no proven plan."""
    kept: list[Solution] = []

    def once() -> None:
        # what a problem keeps of an earlier solve would make the next one cheaper
        kept.append(optimise(replace(problem)))

    seconds = least_cpu(once, times)
    plan = kept[-1]
    if plan.status not in (Status.OPTIMAL, Status.FEASIBLE_GAP) or plan.optimality is None:
        return skipped(f"no plan: {plan.status} {'; '.join(w.what for w in plan.warnings)}")
    if plan.optimality.gap > GAP:
        return skipped(f"the gap is {plan.optimality.gap:.1e}, above {GAP:.0e}")
    return figure(unit * seconds, bar, gap=float(f"{plan.optimality.gap:.2g}"), solver=plan.solver)


def binaries() -> Found:
    try:
        problem = s_cells_300()
    except CurveError as error:
        return skipped(f"curves that bend upwards are refused: {str(error).splitlines()[0]}")
    return measured(problem, 2, 1.0, 5.0)


def cvar() -> Found:
    if "risk" not in {field.name for field in fields(Problem)}:
        return skipped("a problem has no risk yet")
    from allocator.plan.risk import Risk

    return measured(replace(drawn_240(), risk=Risk("cvar", level=0.1)), 3, 1.0, 1.5)


FIGURES: dict[str, Callable[[], Found]] = {
    "cells_45_ms": lambda: measured(cells_45(), 9, 1000.0, 100.0),
    "cells_2400_s": lambda: measured(cells_2400(), 3, 1.0, 5.0),
    "binaries_300_s": binaries,
    "cvar_500_s": cvar,
}

if __name__ == "__main__":
    run(FIGURES, "What plans of several sizes cost.")
