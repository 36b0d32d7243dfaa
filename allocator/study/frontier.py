"""The best value at every budget: one hot program of which only the budget moves, and how far it can err."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from allocator.errors import ArgumentError, Finding
from allocator.plan.families import families, told
from allocator.plan.optimise import optimise
from allocator.plan.problem import Decision, Problem
from allocator.plan.rows import Bound
from allocator.plan.solution import Solution
from allocator.quantities import money
from allocator.response.curve import FloatArray
from allocator.study.hot import Point, Traced, certain

JUMP = 1e-4  # of the marginal: a limit that changes it by less makes no kink
PARTS = 8  # a piece of a smooth curve that some budget's plan lies on is cut into
ROUNDS = 2
MOST_PIECES = 20_000  # of the whole program; smooth curves are not cut any finer


class Kink(NamedTuple):
    """A budget at which limits start or stop binding, and what the next unit is worth on either side.

    ``budget`` is where the tangents of the two neighbouring points cross, in money.
    """

    budget: float
    marginal_below: float
    marginal_above: float
    starts: tuple[str, ...]
    stops: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Frontier:
    """The best a budget can do, at some budgets and in between.

    Parameters
    ----------
    budgets : array, shape (n_points,)
        In money, increasing.
    values : array, shape (n_points,)
        The objective, recomputed by the curves from the spend; nan where no plan exists.
    spend : array, shape (n_points, n_decisions)
        In money.
    margin : array, shape (n_points,)
        Incremental margin, gross of spend.
    marginal : array, shape (n_points,)
        Objective gained by the next unit of budget; nan where it cannot be raised.
    chord_errors : array, shape (n_points - 1,), or None
        How far the true frontier can lie above the chord between neighbouring points, in the objective's
        unit; nan beside a budget without a plan. None where no bound holds between points: with whole
        numbers, and where something else than the expected objective counts.
    kinks : tuple of Kink
    """

    budgets: FloatArray
    values: FloatArray
    spend: FloatArray
    margin: FloatArray
    marginal: FloatArray
    chord_errors: FloatArray | None
    kinks: tuple[Kink, ...]

    @property
    def error_bound(self) -> float | None:
        """The largest of the chord errors; None where no bound holds between points."""
        if self.chord_errors is None:
            return None
        known = self.chord_errors[np.isfinite(self.chord_errors)]
        return float(known.max(initial=0.0))

    @property
    def infeasible(self) -> NDArray[np.bool_]:
        """Which budgets allow no plan within the limits, shape (n_points,)."""
        return np.isnan(self.values)

    @property
    def total_spend(self) -> FloatArray:
        """What the best plan spends at each budget, shape (n_points,)."""
        return np.asarray(self.spend.sum(axis=1))


def frontier(problem: Problem, budgets: Sequence[float] | FloatArray) -> Frontier:
    """Give the best value at each budget.

    The frontier of a program whose right-hand sides move with the budget is concave: a plan's prices at one
    budget bound the value at every other one from above.

    Parameters
    ----------
    problem : Problem
        Its own budget does not matter.
    budgets : sequence of float
        In money, in any order.

    Raises
    ------
    ArgumentError
        For no budgets, or one that is negative or not a number.

    Examples
    --------
    >>> from allocator.plan.rows import Row, Weights
    >>> from allocator.response.curve import ResponseCurve
    >>> from allocator.response.curves import Cell
    >>> cell = Cell("all", "email")
    >>> curve = ResponseCurve(np.array([0.0, 100.0, 300.0]), np.array([0.0, 300.0, 500.0]))
    >>> email = Decision("email", (cell,), np.ones(1), np.ones(1), curve)
    >>> limit = Row("budget.total", "budget", Bound.MAX, {cell: Weights(spend=1)}, 0.0, rhs_per_budget=1.0)
    >>> found = frontier(Problem((email,), (limit,), Weights(margin=1), 50.0, "up_to", "EUR"), [50, 150, 250])
    >>> found.values.tolist(), found.marginal.tolist(), round(found.error_bound, 6)
    ([150.0, 350.0, 450.0], [3.0, 1.0, 1.0], 50.0)
    """
    amounts, problem = checked_budgets(budgets), certain(problem)
    points = None if _has_own_solves(problem) else _points(problem, amounts)
    if points is None:
        return _one_by_one(problem, amounts)
    names = _names(problem)
    binding = [None if point is None else _told(names, point.binding) for point in points]
    empty = np.full(len(problem.decisions), np.nan)
    return Frontier(
        amounts,
        np.array([np.nan if point is None else point.value for point in points]),
        np.array([empty if point is None else point.spend for point in points]),
        np.array([np.nan if point is None else point.margin for point in points]),
        marginal := np.array([np.nan if point is None else point.marginal for point in points]),
        np.array([_chord_error(*pair) for pair in pairwise(points)]),
        tuple(_kinks(amounts, marginal, binding, points)),
    )


def checked_budgets(budgets: Sequence[float] | FloatArray) -> FloatArray:
    """Give budgets in increasing order, each once."""
    amounts = np.unique(np.asarray(budgets, dtype=float))
    if not len(amounts):
        raise ArgumentError(Finding("E103", None, "a frontier needs at least one budget"))
    wrong = amounts[~(np.isfinite(amounts) & (amounts >= 0))]
    if len(wrong):
        what = f"a budget has to be an amount of money, 0 or more, not {wrong[0]:g}"
        raise ArgumentError(Finding("E106", None, what))
    return amounts


def _has_own_solves(problem: Problem) -> bool:
    """Whether every budget needs a solve of its own: nothing is known of what lies between two."""
    return problem.has_integers or bool(problem.then) or problem.risk.method != "expected"


def _points(problem: Problem, budgets: FloatArray) -> list[Point | None] | None:
    """Solve all budgets hot; where curves are smooth again, cut finer. None where the program misleads."""
    widest = replace(problem, budget=float(budgets[-1]))
    traced = Traced.of(widest)
    for _ in range(ROUNDS if any(decision.curve.shape for decision in problem.decisions) else 0):
        if traced.n_pieces > MOST_PIECES / PARTS:
            break
        widest = _finer(widest, traced.spends(budgets))
        traced = Traced.of(widest)
    return traced.points(budgets)


def _finer(problem: Problem, spends: Sequence[FloatArray]) -> Problem:
    """Cut the pieces of smooth curves that some plan's spend lies on."""
    at = np.array(spends).reshape(-1, len(problem.decisions)).T
    cut = (_cut(decision, mine) for decision, mine in zip(problem.decisions, at, strict=True))
    return replace(problem, decisions=tuple(cut))


def _cut(decision: Decision, spends: FloatArray) -> Decision:
    curve = decision.curve
    if curve.shape is None:
        return decision
    places = curve.spend
    last = len(places) - 2
    # a spend at a breakpoint lies on the pieces on both sides
    sides = np.searchsorted(places, spends * (1 + np.array([[-1e-9], [1e-9]])), side="right") - 1
    for piece in np.unique(np.clip(sides, 0, last)):
        low, high = places[piece : piece + 2]
        curve = curve.refined(float(low + high) / 2, float(high - low) / 2, PARTS + 1)
    return replace(decision, curve=curve)


def _chord_error(left: Point | None, right: Point | None) -> float:
    """Give how far the lower one of two tangents rises above the chord between two points."""
    if left is None or right is None:
        return np.nan
    width = right.budget - left.budget
    lifts = [
        (line.at(left.budget) - left.value, line.at(right.budget) - right.value)
        for line in (*left.tangents, *right.tangents)
    ]
    # each tangent's height above the chord is linear between its two ends: look at the ends and all crossings
    places = [0.0, 1.0]
    for (a, b), (c, d) in ((one, other) for one in lifts for other in lifts):
        bend = (b - a) - (d - c)
        if abs(bend) > 1e-15 * (abs(a) + abs(b) + abs(c) + abs(d)) and 0 < (c - a) / bend < 1:
            places.append((c - a) / bend)
    lowest = [min(a + (b - a) * share for a, b in lifts) for share in places]
    return max(0.0, *lowest) if width > 0 else 0.0


def _names(problem: Problem) -> list[tuple[tuple[int, ...], str]]:
    rows = problem.rows
    return [(family, told([rows[i] for i in family])[0].name) for family in families(rows)]


def _told(names: Sequence[tuple[tuple[int, ...], str]], binding: NDArray[np.bool_]) -> frozenset[str]:
    return frozenset(name for family, name in names if binding[list(family)].any())


def _kinks(
    budgets: FloatArray,
    marginal: FloatArray,
    binding: Sequence[frozenset[str] | None],
    points: Sequence[Point | None],
) -> Iterator[Kink]:
    """Find neighbouring points with different marginals between which limits start or stop binding."""
    for i, (before, after) in enumerate(pairwise(binding)):
        if before is None or after is None or before == after:
            continue
        below, above = float(marginal[i]), float(marginal[i + 1])
        if not abs(below - above) > JUMP * max(abs(below), abs(above)):
            continue
        left, right = points[i], points[i + 1]
        place = np.nan
        if left is not None and right is not None:
            rise = right.value - left.value - above * (budgets[i + 1] - budgets[i])
            place = float(np.clip(budgets[i] + rise / (below - above), budgets[i], budgets[i + 1]))
        yield Kink(place, below, above, tuple(sorted(after - before)), tuple(sorted(before - after)))


def _one_by_one(problem: Problem, budgets: FloatArray) -> Frontier:
    """Solve every budget on its own; nothing is known of what lies between."""
    solved = [optimise(replace(problem, budget=float(budget)), "highs") for budget in budgets]
    empty = np.full(len(problem.decisions), np.nan)
    return Frontier(
        budgets,
        np.array([np.nan if plan.objective is None else plan.objective for plan in solved]),
        np.array([np.array(plan.decision_spend) if plan.cells else empty for plan in solved]),
        np.array([sum(cell.margin for cell in plan.cells) if plan.cells else np.nan for plan in solved]),
        np.array([price_of_budget(plan) if plan.cells else np.nan for plan in solved]),
        None,
        (),
    )


def price_of_budget(solution: Solution) -> float:
    """Give what the next unit of budget adds to the objective of a plan; nan where it cannot be raised."""
    for result in solution.rows:
        if result.row.kind == "budget" and result.binding:
            price = result.next_unit if result.row.bound is Bound.MAX else result.last_unit
            sign = 1.0 if result.row.bound is Bound.MAX else -1.0
            return np.nan if price is None else sign * price
    return 0.0


def described(found: Frontier) -> str:
    """Say in a sentence how far the frontier can be trusted between its points."""
    if found.error_bound is None:
        return "every point is a solve of its own; nothing is known of what lies between them"
    return f"between its points the frontier lies at most {money(found.error_bound)} above the line"
