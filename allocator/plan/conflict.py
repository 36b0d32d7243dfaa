"""Why there is no plan: a minimal set of contradicting limits, and the smallest changes that cure it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from allocator.plan.arithmetic import arithmetic_conflict
from allocator.plan.elastic import KEPT, Elastic, Mask, Solve
from allocator.plan.families import told
from allocator.plan.problem import Problem
from allocator.plan.repair import cheapest_sets, single_repairs
from allocator.plan.rows import Row
from allocator.plan.solution import Conflict

ALTERNATIVES = 3
"""Repairs that are stated at most."""
MOST_FURTHER = 10
"""Contradictions among other limits that are told at most."""


def explain_conflict(problem: Problem, solve: Solve) -> Conflict:
    """Say which limits contradict each other, and the smallest changes that would each give a plan.

    Parameters
    ----------
    problem : Problem
    solve : callable
        Takes a linear program, gives a raw solution; every repair is verified by it.

    Returns
    -------
    Conflict
        ``rows``: a minimal set, without any one of which the others could be kept; empty when the problem
        has a plan after all. ``repairs``: up to three, the cheapest first; where no single change is enough,
        the cheapest sets of changes. ``further``: contradictions among the limits that are none of ``rows``.

    Notes
    -----
    Contradictions that arithmetic sees are named as such. Otherwise: the rows with a price in the elastic
    program (Farkas), thinned by a deletion filter [1]_, the rows declared last tried first.

    .. [1] J. W. Chinneck, E. W. Dravnieks, "Locating minimal infeasible constraint sets in linear programs",
       ORSA Journal on Computing 3 (1991).

    Examples
    --------
    >>> from allocator.plan.rows import Bound, Weights
    >>> from allocator.plan.solver import solve_program
    >>> explain_conflict(Problem((), (), Weights(), 100.0, "up_to", "EUR"), solve_program)
    Conflict(rows=(), repairs=(), further=())
    """
    elastic = Elastic.of(problem)
    everything = np.ones(len(problem.rows), dtype=bool)
    if elastic.shortfall(everything) <= KEPT:
        return Conflict((), ())
    rows = arithmetic_conflict(problem) or minimal_conflict(problem, elastic)
    repairs = sorted(single_repairs(problem, elastic, rows, solve), key=lambda repair: repair.money)
    if not repairs:
        repairs = sorted(cheapest_sets(problem, elastic, solve), key=lambda repair: repair.money)
    return Conflict(told(rows), tuple(repairs[:ALTERNATIVES]), _further(problem, rows))


def _further(problem: Problem, first: Sequence[Row]) -> tuple[tuple[Row, ...], ...]:
    """Give contradictions among the limits outside the first one: report one, leave it out, look again."""
    found: list[tuple[Row, ...]] = []
    rows = tuple(first)
    while len(found) < MOST_FURTHER:
        left_out = {id(row) for row in rows}
        problem = replace(problem, rows=tuple(row for row in problem.rows if id(row) not in left_out))
        elastic = Elastic.of(problem)
        if elastic.shortfall(np.ones(len(problem.rows), dtype=bool)) <= KEPT:
            break
        rows = arithmetic_conflict(problem) or minimal_conflict(problem, elastic)
        found.append(told(rows))
    return tuple(found)


def minimal_conflict(problem: Problem, elastic: Elastic) -> tuple[Row, ...]:
    """Give rows that cannot be kept together although all but any one of them can."""
    kept = _mask(elastic.opposed(), len(problem.rows))
    if elastic.shortfall(kept) <= KEPT:
        kept = np.ones(len(problem.rows), dtype=bool)
    for i in reversed(np.flatnonzero(kept)):
        kept[i] = False
        if elastic.shortfall(kept) <= KEPT:
            kept[i] = True
    return tuple(row for row, is_in in zip(problem.rows, kept, strict=True) if is_in)


def _mask(places: Iterable[int], size: int) -> Mask:
    mask = np.zeros(size, dtype=bool)
    mask[list(places)] = True
    return mask
