"""What the next and the last unit of every limit are worth, found by moving the limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from allocator.plan.compiled import Compiled
from allocator.plan.families import families
from allocator.plan.problem import Problem
from allocator.plan.rows import Bound, Row
from allocator.plan.solution import Status
from allocator.plan.solver import HotModel, RawSolution
from allocator.response.curve import FloatArray

STEP = 1e-5  # of a limit: how far it is moved, but never more than one unit
SMALLEST = 1e-6  # the least move, in units of the program
BINDS = 1e-7  # of a row's scale: slack up to this is none
NO_KINK = 5e-5  # of a price: smooth curves in pieces cause differences up to this
CENT = 0.01
STILL = 1e-11  # of a unit a unit of limit: what moves less does not
NOTHING = 1e-9  # prices up to this are none


@dataclass(frozen=True)
class Price:
    """Gain from the next unit of a limit, loss from giving up the last one, and where both hold.

    ``last_unit`` is None where the limit cannot be tightened at all. ``range`` is None where the price
    changes all the time, as it does along smooth curves.
    """

    next_unit: float | None
    last_unit: float | None
    range: tuple[float | None, float | None] | None = None


class Reach(NamedTuple):
    """How far limits can move up a direction, and down it, in its units, with one basis."""

    up: float
    down: float


class Pricing:
    """A solved program from which limits are moved, each time from the same basis."""

    def __init__(self, compiled: Compiled, model: HotModel, best: RawSolution) -> None:
        self.compiled, self.model, self.best = compiled, model, best
        self._lp, self._basis = compiled.lp, model.basis()
        self._smooth = any(not d.curve.bounded for d in compiled.problem.decisions)

    def prices(self, binding: NDArray[np.bool_]) -> list[Price | None]:
        """Price every binding row, in order; of a budget to be spent exactly, the side that costs.

        At a kink the next and the last unit differ. Prices are duals of the moved program: exact one-sided
        derivatives, also where the duals at the plan itself are not unique.
        """
        rows = self.compiled.problem.rows
        found: list[Price | None] = [None] * len(rows)
        held = [[i for i in family if binding[i]] for family in families(rows)]
        held = [family for family in held if family]
        reaches = [self._reach(self._loosening(family), self.best) for family in held]  # before any move
        for family, reach in zip(held, reaches, strict=True):
            price = self._price(family, reach)
            for i in family:  # the limits of a family move together, so they have one price
                found[i] = price
        for i, known in enumerate(found):
            if known is not None and rows[i].kind == "budget" and self._is_exact:
                found[i] = _one_side(known, rows[i].bound)
        return found

    @property
    def _is_exact(self) -> bool:
        return self.compiled.problem.spend_rule == "exactly"

    def _price(self, family: Sequence[int], reach: Reach) -> Price:
        """Move the limit of one row both ways; ``budget.total`` takes limits that are shares of it along.

        Of a family of rows each takes its share of the unit, by its own limit. Where the basis holds on both
        sides of the limit its duals are the price; else the limit is moved a little and solved again.
        """
        row, direction = family[0], self._loosening(family)
        step = self._step(row)
        next_unit, further = self._side(direction, step, reach.up)
        last_unit, back = self._side(direction, -step, reach.down)
        if self._smooth:
            return self._without_steps(Price(next_unit, last_unit))
        if np.count_nonzero(direction) > 1:
            return Price(next_unit, last_unit)
        limit, sign = float(self.compiled.problem.limits[row]), direction[row]
        ends = sorted((limit + sign * further, limit - sign * back))
        low, high = (end if np.isfinite(end) else None for end in ends)
        return Price(next_unit, last_unit, (low, high))

    def _side(self, direction: FloatArray, step: float, reach: float) -> tuple[float | None, float]:
        """Give the price on one side of a limit, and how far it can go on before the price changes."""
        if reach >= abs(step):
            return _small(float(direction @ self.compiled.prices(self.best.row_dual))), reach
        price, after = self._moved(direction, step)
        if price is None:
            return None, 0.0
        if self._smooth:
            return price, abs(step)
        return price, abs(step) + (after.up if step > 0 else after.down)

    def _reach(self, direction: FloatArray, at: RawSolution) -> Reach:
        """Give how far limits can move along `direction`, and against it, with the model's basis."""
        lp, by = self.model.lp, self.compiled.shift(direction)
        move = self.model.follow(by)
        activity = lp.activity(at.x)
        rows = lp.activity(move) - by
        up, down = np.inf, np.inf
        for value, change, lower, upper in (
            (at.x, move, lp.col_lower, lp.col_upper),
            (activity, rows, lp.row_lower, lp.row_upper),
        ):
            up = min(up, _room(value, change, lower, upper))
            down = min(down, _room(value, -change, lower, upper))
        return Reach(up, down)

    def _without_steps(self, price: Price) -> Price:
        """Take a difference no larger than the breakpoints of smooth curves cause as none."""
        if price.next_unit is None or price.last_unit is None:
            return price
        level = max(self.compiled.objective_unit / self.compiled.money, abs(price.last_unit))
        middle = (price.next_unit + price.last_unit) / 2
        same = abs(price.next_unit - price.last_unit) <= NO_KINK * level
        return Price(middle, middle) if same else price

    def _loosening(self, family: Sequence[int]) -> FloatArray:
        """Give the move of all right-hand sides, in their own units, per unit of one limit loosened."""
        problem, rows = self.compiled.problem, list(family)
        if problem.rows[rows[0]].kind == "budget":
            return with_budget(problem)
        direction = np.zeros(len(problem.rows))
        share = np.ones(1) if len(rows) == 1 else problem.limits[rows] / problem.limits[rows].sum()
        direction[rows] = -problem.rows[rows[0]].bound.sign * share
        return direction

    def _step(self, row: int) -> float:
        unit = float(self.compiled.row_unit[row])
        limit = abs(float(self.compiled.problem.limits[row]))
        return max(min(1.0, STEP * max(limit, unit)), SMALLEST * unit)

    def _moved(self, direction: FloatArray, step: float) -> tuple[float | None, Reach]:
        """Give the price after a move, and how far it can go on from there."""
        by = step * self.compiled.shift(direction)
        self.model.bound_rows(self._lp.row_lower + by, self._lp.row_upper + by)
        self.model.restore(self._basis)
        answer = self.model.run()
        found = answer.status is Status.OPTIMAL
        reach = self._reach(direction, answer) if found and not self._smooth else Reach(0.0, 0.0)
        self.model.bound_rows(self._lp.row_lower, self._lp.row_upper)
        if not found:
            return None, reach
        return _small(float(direction @ self.compiled.prices(answer.row_dual))), reach


def _small(price: float) -> float:
    return 0.0 if abs(price) <= NOTHING else price


def _room(value: FloatArray, change: FloatArray, lower: FloatArray, upper: FloatArray) -> float:
    """Give how many times `change` fits between `value` and the bounds."""
    rising, falling = change > STILL, change < -STILL
    room = np.concatenate(
        ((upper - value)[rising] / change[rising], (lower - value)[falling] / change[falling])
    )
    return max(0.0, float(room.min(initial=np.inf)))


def _one_side(price: Price, bound: Bound) -> Price | None:
    """Give the price to the upper side of an exact budget where more of it gains, else to the lower."""
    gains = (price.next_unit or 0.0) + (price.last_unit or 0.0) >= 0
    if bound is Bound.MAX:
        return price if gains else None
    return None if gains else Price(_negative(price.last_unit), _negative(price.next_unit))


def _negative(price: float | None) -> float | None:
    return None if price is None else -price


def with_budget(problem: Problem) -> FloatArray:
    """Give how much every right-hand side moves with one unit of budget, shape (n_rows,)."""
    return np.array([_per_budget(row) for row in problem.rows], dtype=float)


def _per_budget(row: Row) -> float:
    return 1.0 if row.kind == "budget" and not row.rhs_per_budget else row.rhs_per_budget


def binding_rows(problem: Problem, spend: FloatArray) -> NDArray[np.bool_]:
    """Say which rows are at their limit at `spend`, shape (n_rows,); spend as solved, not yet rounded."""
    got = problem.quantities(spend)
    return np.asarray(problem.slacks(got) <= BINDS * np.maximum(problem.scales(got), 1.0))


def marginal_return(compiled: Compiled, model: HotModel, spend: FloatArray) -> float | None:
    """Incremental margin from forcing one more unit of money out; None when nothing can take it.

    The budget, and limits that are shares of it, are raised only as far as the unit needs it.

    Parameters
    ----------
    compiled : Compiled
    model : HotModel
        Of its program, solved.
    spend : array, shape (n_decisions,)
        Of the plan, in money.
    """
    problem, lp = compiled.problem, compiled.lp
    total, step = float(spend.sum()), max(min(1.0, STEP * problem.budget), SMALLEST * compiled.money)
    held_back = min((row.rhs for row in problem.rows if row.kind == "reserve"), default=0.0)
    most = problem.budget + held_back
    if 0.0 < most - total < CENT * (1 + len(spend)):
        total = most  # rounding to cents leaves nothing that could be spent
    short = np.clip((total + step - most) / step, 0.0, 1.0)
    direction = with_budget(problem) * short
    by = step * compiled.shift(direction)
    paid = np.zeros(lp.n_cols)
    paid[: len(compiled.owner)] = compiled.rate[0]
    answer = model.above(paid, (total + step) / compiled.money, by)
    if answer.status is not Status.OPTIMAL:
        return None
    if not _counts_margin_alone(problem):
        after = problem.quantities(compiled.spend(answer.x)).margin.sum()
        return float(after - problem.quantities(spend).margin.sum()) / step
    gain = float(direction @ compiled.prices(answer.row_dual[:-1]))
    gain -= float(answer.row_dual[-1]) * compiled.objective_unit / compiled.money
    return (gain - problem.objective.spend) / problem.objective.margin


def _counts_margin_alone(problem: Problem) -> bool:
    """Say whether a price can be turned into margin: the objective is margin and spend, certain and whole."""
    plain = problem.risk.method == "expected" and not any(problem.discounted) and not problem.soft.any()
    return plain and bool(problem.objective.margin) and not any(problem.objective[2:])
