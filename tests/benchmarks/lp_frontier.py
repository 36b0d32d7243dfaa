"""What the path of plans over budgets costs: ``python tests/benchmarks/lp_frontier.py [--json]``.

300 cells of ten pieces with the usual limits, 50 budgets from half of today's to one and a half of it.

- ``points_50_s``: CPU time of the path beyond what the same call takes for one budget.
- ``error_bound``: by how much of its value the path between two points can miss the best plan, as stated.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from lp_cases import Found, figure, frontier_of_plans, least_cpu, run, segments_3k, skipped

BAR = 0.2  # 4 ms a point
POINTS = 50


def path() -> tuple[Any, float] | None:
    """Give the path, and the CPU seconds it took beyond one budget's; None where there is no path."""
    frontier = frontier_of_plans()
    if frontier is None:
        return None
    problem, kept = segments_3k(), []
    budgets = problem.budget * np.linspace(0.5, 1.5, POINTS)
    whole = least_cpu(lambda: kept.append(frontier(problem, budgets)), 3)
    first = least_cpu(lambda: frontier(problem, budgets[:1]), 3)
    return kept[-1], whole - first


def points() -> Found:
    found = path()
    return (
        skipped("there is no allocator.study.frontier yet", BAR) if found is None else figure(found[1], BAR)
    )


def error_bound() -> Found:
    found = path()
    if found is None:
        return skipped("there is no allocator.study.frontier yet")
    largest = float(np.max(np.abs(np.asarray(found[0].value, dtype=float))))
    return figure(float(np.max(found[0].error_bound)) / largest)


if __name__ == "__main__":
    about = "What the path of plans over budgets costs."
    run({"points_50_s": points, "error_bound": error_bound}, about)
