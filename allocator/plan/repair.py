"""Moves of written limits that give a contradictory problem a plan: the smallest ones, in words, verified."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from allocator.plan.elastic import KEPT, Elastic, Solve, has_plan, least_extra
from allocator.plan.families import GIVEN
from allocator.plan.linear import Entries, Interval, LinearProgram
from allocator.plan.problem import Problem
from allocator.plan.results import amounts
from allocator.plan.rows import Amounts, Row, Unit
from allocator.plan.solution import Repair
from allocator.plan.solver import HotModel, RawSolution

STEPS: Mapping[Unit, float] = {
    Unit.MONEY: 0.01,
    Unit.SHARE: 1e-4,
    Unit.RATIO: 0.01,
    Unit.CONTACTS: 1.0,
    Unit.CONTACTS_PER_CUSTOMER: 0.01,
    Unit.COUNT: 1.0,
    Unit.MONTHS: 0.1,
}
"""New limits are stated in these steps."""
LARGE_MONEY = 1000.0
"""From here on money is stated in whole units."""
SAME = 1e-5
"""Of a step: a limit this close to one is on it."""
ATTEMPTS = 3
FAR = 2**40
"""Steps after which a limit that is still too tight is given up."""


@dataclass(frozen=True)
class Lever:
    """One written limit and one way to loosen it; `rows` are all it states (``each`` gives several)."""

    rows: tuple[Row, ...]
    direction: int

    @property
    def is_budget(self) -> bool:
        """Whether it is ``budget.total``, with which shares of the budget move."""
        return self.rows[0].kind == "budget"

    @property
    def is_ratio(self) -> bool:
        """Whether the limit is in the row's coefficients, or in its right-hand side in a way of its own."""
        return self.rows[0].ratio_limit is not None


@dataclass(frozen=True)
class Move:
    """A lever and the new limit, in its writer's unit; `money` is the size of the move."""

    lever: Lever
    written: float
    money: float


def levers(problem: Problem, rows: Sequence[Row]) -> tuple[Lever, ...]:
    """Give every way to loosen one of the written limits behind `rows`; the budget can go up or down."""
    found: list[Lever] = []
    written = [row for row in rows if row.kind not in GIVEN and row.penalty is None]
    for path in dict.fromkeys(row.path or row.name for row in written):
        family = tuple(row for row in problem.rows if (row.path or row.name) == path)
        if family[0].kind == "budget":
            found += [Lever(family, 1), Lever(family, -1)]
        else:
            found.append(Lever(family, -family[0].bound.sign))
    return tuple(found)


def single_repairs(problem: Problem, elastic: Elastic, rows: Sequence[Row], solve: Solve) -> Iterator[Repair]:
    """Give the smallest move of each written limit behind `rows` that alone cures the problem, if any."""
    for lever in levers(problem, rows):
        moves = least_moves(problem, elastic, [lever])
        if moves and lever.is_ratio:
            found = _ratio_by_bisection(problem, lever, moves[0].written)
            moves = [] if found is None else [replace(moves[0], written=found)]
        repair = _settled(problem, moves, solve)
        if repair:
            yield repair


def cheapest_sets(problem: Problem, elastic: Elastic, solve: Solve) -> Iterator[Repair]:
    """Give the cheapest moves of several written limits that together cure the problem, then alternatives.

    An alternative does without one of the moves of the first.
    """
    every = levers(problem, problem.rows)
    first = least_moves(problem, elastic, every)
    choices = [every, *(tuple(other for other in every if other is not move.lever) for move in first)]
    texts: set[str] = set()
    for choice in choices:
        repair = _settled(problem, least_moves(problem, elastic, choice), solve)
        if repair and repair.text not in texts:
            texts.add(repair.text)
            yield repair


def least_moves(problem: Problem, elastic: Elastic, choice: Sequence[Lever]) -> list[Move]:
    """Give the moves of `choice` with the least money by which every row is kept; empty if none suffice.

    A move of a ratio is measured by the slack it opens in its rows; its new limit is the ratio at the
    repaired plan.
    """
    money = elastic.compiled.money
    prices = [_money_per_unit(problem, lever) for lever in choice]
    upper = [
        problem.budget / money if lever.is_budget and lever.direction < 0 else np.inf for lever in choice
    ]
    x = least_extra(
        elastic, _loosened(problem, elastic, choice, prices), Interval(np.zeros(len(choice)), upper)
    )
    if x is None:
        return []
    reached = amounts(problem, problem.quantities(elastic.compiled.spend(x)))
    sizes = x[elastic.lp.n_cols :].tolist()
    return [
        Move(lever, _new_limit(problem, lever, money * size / price, reached), money * size)
        for lever, price, size in zip(choice, prices, sizes, strict=True)
        if size > KEPT
    ]


def _loosened(
    problem: Problem, elastic: Elastic, choice: Sequence[Lever], prices: Sequence[float]
) -> Entries:
    """Give the columns by which one unit of the program's money, spent on a lever, loosens its rows."""
    row, col, coef = [], [], []
    for k, (lever, price) in enumerate(zip(choice, prices, strict=True)):
        for i, touched in enumerate(problem.rows):
            per_unit = _rhs_per_unit(lever, touched)
            if per_unit:
                row.append(i)
                col.append(k)
                coef.append(-per_unit * elastic.compiled.money / (price * elastic.compiled.row_unit[i]))
    return Entries(np.array(row, dtype=np.intp), np.array(col, dtype=np.intp), np.array(coef))


def _rhs_per_unit(lever: Lever, row: Row) -> float:
    """Change of a row's right-hand side per unit by which the lever moves its written limit."""
    if lever.is_budget:
        return lever.direction * row.rhs_per_budget
    if not any(row is own for own in lever.rows):
        return 0.0
    return lever.direction * (1.0 if lever.is_ratio else row.scale)


def _money_per_unit(problem: Problem, lever: Lever) -> float:
    """Money that one unit of the written limit stands for: contacts cost money, shares are of something."""
    if lever.is_budget or lever.is_ratio:
        return 1.0
    return sum(_money_of_row(problem, row) for row in lever.rows) or 1.0


def _money_of_row(problem: Problem, row: Row) -> float:
    spend = max((abs(weights.spend) for weights in row.terms.values()), default=0.0)
    if spend:
        return row.scale / spend
    limit = abs(row.written(problem.budget))
    return 1.0 if row.unit is Unit.MONEY or not limit else problem.budget / limit


def _new_limit(problem: Problem, lever: Lever, units: float, reached: Amounts) -> float:
    """Give the written limit after a move of so many units; of a ratio, the one the plan reaches."""
    written = lever.rows[0].written(problem.budget)
    if not lever.is_ratio:
        return written + lever.direction * units
    ratios = [row.measured(reached, problem.budget) for row in lever.rows]
    worst = [ratio for ratio in ratios if ratio is not None and lever.direction * (ratio - written) > 0]
    return lever.direction * max(
        (lever.direction * ratio for ratio in worst), default=lever.direction * written
    )


def _ratio_by_bisection(problem: Problem, lever: Lever, guess: float) -> float | None:
    """Give the tightest ratio, in steps, with which there is a plan; None where none is loose enough.

    The search begins around `guess`, the ratio of some plan that keeps all other limits, in ever wider steps.
    """
    row, step = lever.rows[0], _step(lever, 0.0)

    def is_enough(steps: int) -> bool:
        return has_plan(moved(problem, [Move(lever, lever.direction * steps * step, 0.0)]), _at_once)

    without = math.ceil(lever.direction * row.written(problem.budget) / step) - 1
    loosest = _loosest(row, lever.direction, step, problem.budget)
    enough = min(max(math.ceil(lever.direction * guess / step), without + 1), loosest)
    reach = 1
    while not is_enough(enough):
        if enough >= loosest:
            return None
        without, enough, reach = enough, min(enough + reach, loosest), 4 * reach
    reach = 1
    while enough - without > 1:
        middle = max(enough - reach, (enough + without) // 2)
        reach = 4 * reach
        if is_enough(middle):
            enough = middle
        else:
            without, reach = middle, FAR
    return lever.direction * enough * step


def _loosest(row: Row, direction: int, step: float, budget: float) -> int:
    """Give the loosest ratio that means anything, in steps."""
    offset = row.quotient.offset if row.quotient else 0.0
    if direction < 0:
        return math.ceil(direction * offset / step)
    if row.unit is Unit.SHARE:
        return math.ceil((offset + 1.0) / step)
    return math.ceil(budget / step) if row.quotient and row.quotient.switches else FAR


def _at_once(lp: LinearProgram) -> RawSolution:
    return HotModel(lp).run()


def moved(problem: Problem, moves: Sequence[Move]) -> Problem:
    """Give the problem with new limits; rows that are shares of the budget follow a new budget.

    Examples
    --------
    >>> from allocator.plan.rows import Bound, Weights
    >>> total = Row("budget.total", "budget", Bound.MAX, {}, 0.0, rhs_per_budget=1.0, path="budget.total")
    >>> problem = Problem((), (total,), Weights(), 100.0, "up_to", "EUR")
    >>> moved(problem, [Move(Lever((total,), 1), 120.0, 20.0)]).limits
    array([120.])
    """
    for move in moves:
        if move.lever.is_budget:
            problem = replace(problem, budget=move.written)
            continue
        own = {(row.name, row.bound) for row in move.lever.rows}
        rows = tuple(
            row.with_limit(move.written, problem.budget) if (row.name, row.bound) in own else row
            for row in problem.rows
        )
        problem = replace(problem, rows=rows)
    return problem


def _settled(problem: Problem, moves: Sequence[Move], solve: Solve) -> Repair | None:
    """State moves in round steps, outward, as few as a solve confirms; None where it confirms none.

    A plan that spends nothing because there is no budget is not offered.
    """
    for extra in range(ATTEMPTS if moves else 0):
        stated = [replace(move, written=_outward(move, extra)) for move in moves]
        if any(move.lever.is_budget and move.written <= 0 for move in stated):
            return None
        if has_plan(moved(problem, stated), solve):
            return Repair(
                rows=tuple(row for move in stated for row in move.lever.rows),
                limits=tuple(move.written for move in stated for _ in move.lever.rows),
                money=sum(move.money for move in stated),
                text=" and ".join(_words(problem, move) for move in stated),
            )
    return None


def _outward(move: Move, extra: int) -> float:
    """Round a new limit to the next step in the direction of the move, and `extra` steps on."""
    step, direction = _step(move.lever, move.written), move.lever.direction
    steps = math.ceil(direction * move.written / step - SAME) + extra
    return round(direction * steps * step, 6) + 0.0


def _step(lever: Lever, written: float) -> float:
    row = lever.rows[0]
    if row.unit is Unit.MONEY and abs(written) >= LARGE_MONEY:
        return 1.0
    return STEPS[Unit.SHARE if row.kind == "roi" else row.unit]


def _words(problem: Problem, move: Move) -> str:
    row = move.lever.rows[0]
    verb = "raise" if move.lever.direction > 0 else "lower"
    path = row.path or row.name
    if move.lever.is_budget:
        return f"{verb} {path} by {row.spell(abs(move.written - problem.budget))}"
    return f"{verb} {path} to {row.spell(move.written)}"
