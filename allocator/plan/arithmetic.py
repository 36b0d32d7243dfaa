"""Contradictions that need no solver: a minimum above a maximum, minimums that add up to too much."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from allocator.plan.problem import Problem
from allocator.plan.rows import Bound, Row
from allocator.response.curves import Cell

ROUNDING = 1e-8
"""Of the larger limit: how far two limits may contradict each other and still be the same number."""


class Reach(NamedTuple):
    """A row on spend alone, and the money its cells have at least (or at most) together."""

    row: Row
    money: float


def arithmetic_conflict(problem: Problem) -> tuple[Row, ...]:
    """Give a minimal set of rows that plainly contradict each other; empty where none is seen.

    Looks at rows on spend alone: lower limits of separate cells that together exceed one upper limit, and
    upper limits that together do not let one lower limit be reached. One against one is the case of a
    minimum above a maximum. That nothing is seen does not mean that there is a plan.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    tuple of Row
        In the problem's order.
    """
    lower, upper = _reaches(problem, Bound.MIN), _reaches(problem, Bound.MAX)
    for found in (*_minimums_above(upper, lower), *_maximums_below(lower, upper)):
        names = {id(reach.row) for reach in found}
        return tuple(row for row in problem.rows if id(row) in names)
    return ()


def _reaches(problem: Problem, bound: Bound) -> list[Reach]:
    """Turn rows on spend alone into bounds on money: coefficients up to c say ``sum x >= limit / c``."""
    reaches = []
    for row in problem.rows:
        spend = [weights.spend for weights in row.terms.values()]
        on_spend_alone = not row.wholes and not any(any(weights[1:]) for weights in row.terms.values())
        steepest = max(spend, default=0.0) if bound is Bound.MIN else min(spend, default=0.0)
        if row.bound is bound and on_spend_alone and steepest > 0 and row.penalty is None:
            reaches.append(Reach(row, row.limit(problem.budget) / steepest))
    return reaches


def _minimums_above(upper: Sequence[Reach], lower: Sequence[Reach]) -> Iterator[list[Reach]]:
    """Add up, within each upper limit, the largest lower limits of separate cells until they exceed it."""
    falling = sorted(lower, key=lambda reach: -reach.money)
    for top in upper:
        chosen: list[Reach] = []
        taken: set[Cell] = set()
        for reach in falling:
            if reach.row.terms.keys() <= top.row.terms.keys() and taken.isdisjoint(reach.row.terms):
                chosen.append(reach)
                taken.update(reach.row.terms)
                if _exceeds(_sum(chosen), top.money):
                    yield [top, *chosen]
                    break


def _maximums_below(lower: Sequence[Reach], upper: Sequence[Reach]) -> Iterator[list[Reach]]:
    """Cover the cells of each lower limit by the smallest upper limits; less than it contradicts."""
    rising = sorted(upper, key=lambda reach: reach.money)
    touching: dict[Cell, list[int]] = {}
    for place, reach in enumerate(rising):
        for cell in reach.row.terms:
            touching.setdefault(cell, []).append(place)
    for bottom in lower:
        chosen: list[Reach] = []
        taken: set[Cell] = set()
        open_cells: set[Cell] = set(bottom.row.terms)
        for place in sorted({place for cell in open_cells for place in touching.get(cell, ())}):
            cells = rising[place].row.terms.keys()
            if open_cells & cells and taken.isdisjoint(cells):
                chosen.append(rising[place])
                taken.update(cells)
                open_cells -= cells
        if not open_cells and _exceeds(bottom.money, _sum(chosen)):
            yield [bottom, *chosen]


def _sum(reaches: Sequence[Reach]) -> float:
    return sum(reach.money for reach in reaches)


def _exceeds(more: float, less: float) -> bool:
    return more - less > ROUNDING * max(abs(more), abs(less), 1.0)
