"""What the path of plans over budgets costs: ``python tests/benchmarks/lp_frontier.py [--json]``.

300 cells of ten pieces with the usual limits, 50 budgets from half of today's to one and a half of it.

- ``points_50_s``: CPU time of the path beyond what the same call takes for one budget. `off` is by how much,
  of its value, a plan solved on its own differs at most from the path's, at every eighth point; no more than
  1e-6 for the figure to hold.
- ``error_bound``: by how much of its largest value the path between two points can miss the best plan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from lp_cases import Found, figure, frontier_of_plans, least_cpu, run, segments_3k, skipped

from allocator.plan.optimise import optimise

BAR = 0.5
POINTS = 50
SAME = 1e-6


@dataclass(frozen=True)
class Path:
    """What the path is, what it took beyond one budget's in CPU seconds, and how far it is off."""

    found: Any
    seconds: float
    off: float


@cache
def path() -> Path | None:
    """Give the path; None where there is none."""
    frontier = frontier_of_plans()
    if frontier is None:
        return None
    problem = segments_3k()
    budgets = np.round(problem.budget * np.linspace(0.5, 1.5, POINTS), 2)
    whole = least_cpu(lambda: frontier(problem, budgets), 3)
    first = least_cpu(lambda: frontier(problem, budgets[:1]), 3)
    found = frontier(problem, budgets)
    off = 0.0
    for budget, value in list(zip(budgets, found.values, strict=True))[::8]:
        alone = optimise(replace(problem, budget=float(budget))).objective
        if alone is None:
            raise RuntimeError("a benchmark has no plan")
        off = max(off, abs(float(value) - alone) / abs(alone))
    return Path(found, whole - first, off)


def points() -> Found:
    path_found = path()
    if path_found is None:
        return skipped("there is no allocator.study.frontier yet", BAR)
    found = figure(path_found.seconds, BAR, off=float(f"{path_found.off:.2g}"))
    return found | {"holds": bool(found["holds"] and path_found.off <= SAME)}


def error_bound() -> Found:
    path_found = path()
    if path_found is None:
        return skipped("there is no allocator.study.frontier yet")
    found = path_found.found
    if found.error_bound is None:
        return skipped("no bound holds between points")
    return figure(float(found.error_bound) / float(np.nanmax(np.abs(found.values))))


if __name__ == "__main__":
    about = "What the path of plans over budgets costs."
    run({"points_50_s": points, "error_bound": error_bound}, about)
