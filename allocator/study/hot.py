"""A program kept in the solver while the budget moves, and what each budget's prices say about all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from allocator.plan.certify import curve_error
from allocator.plan.prices import with_budget
from allocator.plan.problem import Problem, Quantities, brought_at
from allocator.plan.program import compile_problem
from allocator.plan.solution import Status
from allocator.plan.solver import HotModel, RawSolution
from allocator.response.curve import FloatArray

if TYPE_CHECKING:
    from allocator.plan.compiled import Compiled

STEP = 1e-5  # of the budget: how far it is moved to price the next unit, but never more than one unit
SMALLEST = 1e-6  # the least such move, in units of the program
BINDS = 1e-7  # of a row's scale: slack up to this is none
WRONG = 1e-6  # of the objective, or of a row's scale: a program that misses by more misleads


class Tangent(NamedTuple):
    """No plan at any budget is worth more than ``value + slope * (its budget - budget)``."""

    budget: float
    value: float
    slope: float

    def at(self, budget: float) -> float:
        """Give the bound at a budget."""
        return self.value + self.slope * (budget - self.budget)


@dataclass(frozen=True, eq=False)
class Point:
    """The best plan at one budget; money, the value in the objective's unit."""

    budget: float
    spend: FloatArray
    margin: float
    value: float
    marginal: float
    binding: NDArray[np.bool_]
    tangents: tuple[Tangent, ...]


@dataclass(frozen=True, eq=False)
class Traced:
    """A compiled problem of which only the budget, and limits that are shares of it, move.

    Parameters
    ----------
    compiled : Compiled
    model : HotModel
    """

    compiled: Compiled
    model: HotModel

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Compile a problem on the breakpoints of its curves."""
        compiled = compile_problem(problem)
        return cls(compiled, HotModel(compiled.lp))

    @property
    def n_pieces(self) -> int:
        """Columns of the program."""
        return self.compiled.lp.n_cols

    @cached_property
    def _per_budget(self) -> FloatArray:
        """How much every row's right-hand side moves with a unit of budget, in the row's own unit."""
        return with_budget(self.compiled.problem)

    def spends(self, budgets: FloatArray) -> list[FloatArray]:
        """Give what curves are read at in the best plans of all budgets that allow one."""
        answers = (self._solve(budget) for budget in budgets.tolist())
        solved = (self.compiled.spend(one.x) for one in answers if one.status is Status.OPTIMAL)
        return [self.compiled.problem.effective(spend) for spend in solved]

    def points(self, budgets: FloatArray) -> list[Point | None] | None:
        """Solve every budget; None for one without a plan, and for all where the program misleads."""
        if self.compiled.lp.integer.any():
            return None
        solved = [self._solved(budget) for budget in budgets.tolist()]
        if any(one.answer.status not in (Status.OPTIMAL, Status.INFEASIBLE) for one in solved):
            return None
        optimal = [one for one in solved if one.answer.status is Status.OPTIMAL]
        brought = iter(
            brought_by(self.compiled.problem, [self.compiled.spend(one.answer.x) for one in optimal])
        )
        points = [self._point(one, next(brought)) if one in optimal else None for one in solved]
        misled = sum(point is None for point in points) > len(solved) - len(optimal)
        return None if misled else points

    def _solved(self, budget: float) -> _Solved:
        answer = self._solve(budget)
        if answer.status is not Status.OPTIMAL:
            return _Solved(budget, answer)
        step = max(min(1.0, STEP * budget), SMALLEST * self.compiled.money)
        ahead = self._solve(budget + step)
        return _Solved(
            budget, answer, _Solved(budget + step, ahead) if ahead.status is Status.OPTIMAL else None
        )

    def _solve(self, budget: float) -> RawSolution:
        lp, compiled = self.compiled.lp, self.compiled
        by = np.zeros(lp.n_rows)
        moved = self._per_budget * (budget - compiled.problem.budget) / compiled.row_unit
        by[: len(moved)] = moved
        self.model.bound_rows(lp.row_lower + by, lp.row_upper + by)
        return self.model.run()

    def _point(self, solved: _Solved, got: Quantities) -> Point | None:
        """Take a plan recomputed by the curves; None where these do not give what the program claims."""
        compiled, at = self.compiled, replace(self.compiled.problem, budget=solved.budget)
        # the rows' coefficients do not depend on the budget
        at.__dict__["incidence"] = compiled.problem.incidence
        scales = np.maximum(at.scales(got), 1.0)
        value, size = at.value(got), max(at.size(got), compiled.money * SMALLEST)
        claimed = -solved.answer.objective * compiled.objective_unit
        if claimed - value > WRONG * size or (at.room(got) < -WRONG * scales).any():
            return None
        return Point(
            solved.budget,
            got.spend,
            float(got.margin.sum()),
            value,
            np.nan if solved.ahead is None else self._price(solved.ahead.answer),
            np.asarray(at.slacks(got) <= BINDS * scales),
            tuple(self._tangent(one) for one in (solved, solved.ahead) if one is not None),
        )

    def _price(self, answer: RawSolution) -> float:
        return float(self._per_budget @ self.compiled.prices(answer.row_dual)) + 0.0

    def _tangent(self, solved: _Solved) -> Tangent:
        """Take the prices at one budget as a bound everywhere; smooth curves rise above their chords."""
        compiled, answer = self.compiled, solved.answer
        effective = compiled.problem.effective(compiled.spend(answer.x))
        above = curve_error(compiled, answer.row_dual, effective)
        claimed = -answer.objective * compiled.objective_unit
        return Tangent(solved.budget, claimed + above, self._price(answer))


def certain(problem: Problem) -> Problem:
    """Give a problem without the draws of its curves, where only what is expected counts.

    Its best plan is the same and found several times faster; it does not tell how sure that plan is.
    """
    if problem.risk.method != "expected":
        return problem
    decisions = (
        d if d.curve.draws is None else replace(d, curve=replace(d.curve, draws=None))
        for d in problem.decisions
    )
    return replace(problem, decisions=tuple(decisions))


@dataclass(frozen=True, eq=False)
class _Solved:
    """A budget, what the solver says, and what it says with a little more where that allows a plan."""

    budget: float
    answer: RawSolution
    ahead: _Solved | None = None


def brought_by(problem: Problem, spends: Sequence[FloatArray]) -> list[Quantities]:
    """Recompute what several plans bring by the curves, all plans of a decision at once."""
    effective = np.array([problem.effective(spend) for spend in spends]).reshape(-1, len(problem.decisions))
    table = np.array([brought_at(d.curve, at) for d, at in zip(problem.decisions, effective.T, strict=True)])
    return [Quantities(spend, *table[:, :, i].T) for i, spend in enumerate(spends)]
