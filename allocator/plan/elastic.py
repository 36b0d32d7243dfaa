"""A problem whose limits may be missed at a cost: it always has a plan, no answer rests on "infeasible"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from allocator.plan.compiled import Compiled
from allocator.plan.linear import Entries, Interval, LinearProgram
from allocator.plan.problem import IntArray, Problem
from allocator.plan.program import compile_problem
from allocator.plan.solution import Status
from allocator.plan.solver import HotModel, RawSolution
from allocator.response.curve import FloatArray

Solve = Callable[[LinearProgram], RawSolution]
Mask = NDArray[np.bool_]

KEPT = 1e-6
"""Least total slack, in the program's units (the budget is 512 to 1024), up to which limits count as kept."""


@dataclass(frozen=True, eq=False)
class Elastic:
    """A problem's program with one slack column per row, after the pieces of the curves.

    Examples
    --------
    An empty problem keeps its limits:

    >>> from allocator.plan.rows import Weights
    >>> Elastic.of(Problem((), (), Weights(), 100.0, "up_to", "EUR")).shortfall(np.zeros(0, dtype=bool))
    0.0
    """

    compiled: Compiled
    lp: LinearProgram

    @classmethod
    def of(cls, problem: Problem) -> Elastic:
        """Compile a problem, with every row missed at a cost of 1 per unit in the program."""
        compiled = compile_problem(problem)
        rows = np.arange(len(problem.rows))
        signs = np.array([row.bound.sign for row in problem.rows], dtype=float)
        free = replace(compiled.lp, cost=np.zeros(compiled.lp.n_cols))
        slacks = Interval(np.zeros(len(rows)), np.full(len(rows), np.inf))
        return cls(compiled, free.with_columns(np.ones(len(rows)), slacks, Entries(rows, rows, signs)))

    def shortfall(self, kept: Mask) -> float:
        """Give the least total slack of the `kept` rows; the others do not matter."""
        self._hot.charge(np.concatenate([np.zeros(self.compiled.lp.n_cols), kept.astype(float)]))
        answer = self._hot.run()
        carries = answer.status in (Status.OPTIMAL, Status.FEASIBLE_GAP)
        return max(0.0, answer.objective) if carries else float("inf")

    def opposed(self) -> IntArray:
        """Give the rows whose prices prove that not all rows can be kept (a Farkas certificate)."""
        self.shortfall(np.ones(len(self.compiled.problem.rows), dtype=bool))
        relaxed = HotModel(replace(self._hot.lp, integer=np.zeros(self.lp.n_cols, dtype=bool))).run()
        if relaxed.objective <= KEPT:  # only whole numbers make a contradiction of it
            return np.arange(len(self.compiled.problem.rows))
        return np.flatnonzero(np.abs(relaxed.row_dual[: len(self.compiled.problem.rows)]) > KEPT)

    @cached_property
    def _hot(self) -> HotModel:
        return HotModel(self.lp)


def has_plan(problem: Problem, solve: Solve) -> bool:
    """Say whether some plan keeps every row.

    Parameters
    ----------
    problem : Problem
    solve : callable
        Takes a linear program, gives a raw solution.
    """
    answer = solve(Elastic.of(problem).lp)
    return answer.status is Status.OPTIMAL and answer.objective <= KEPT


def least_extra(elastic: Elastic, entries: Entries, columns: Interval) -> FloatArray | None:
    """Give the plan that keeps every row with the least of some extra columns, at a cost of 1 each.

    Parameters
    ----------
    elastic : Elastic
    entries : Entries
        Of the extra columns, counted from 0.
    columns : Interval
        Their bounds.

    Returns
    -------
    array or None
        All columns: pieces, slacks, the extra ones; None where no amount of these keeps every row.
    """
    first_extra = elastic.lp.n_cols
    lp = elastic.lp.with_columns(np.zeros(len(np.asarray(columns.lower))), columns, entries)
    hot = HotModel(lp)
    reached = hot.run()
    if reached.status is not Status.OPTIMAL or reached.objective > KEPT:
        return None
    slacks = slice(elastic.compiled.lp.n_cols, first_extra)
    upper = lp.col_upper.copy()
    upper[slacks] = reached.x[slacks]
    hot.bound_columns(lp.col_lower, upper)
    hot.charge(np.concatenate([np.zeros(first_extra), np.ones(lp.n_cols - first_extra)]))
    answer = hot.run()
    return answer.x if answer.status is Status.OPTIMAL else None
