"""Proof by arithmetic: an answer is judged by numpy from the numbers themselves, never by a solver's word."""

from __future__ import annotations

import numpy as np

from allocator.plan.compiled import Compiled
from allocator.plan.linear import LinearProgram
from allocator.plan.problem import Quantities, brought_at
from allocator.plan.solution import Optimality
from allocator.plan.uncertainty import worth
from allocator.response.curve import FloatArray, ResponseCurve, Shape

FEASIBLE = 1e-6  # of a row's or column's scale
PROVEN = 1e-6  # of the objective: largest gap between a plan and the bound its duals give
SMALL = 1e-6  # of the money moved: an objective below this is measured against it
ROUNDING = 1e-6  # prices this small are rounding where the bound they point at is infinite


def violation(lp: LinearProgram, x: FloatArray) -> float:
    """Give the largest relative violation of any bound, row or integrality at `x`.

    Examples
    --------
    >>> from allocator.plan.linear import Entries, Interval
    >>> lp = LinearProgram.build([1.0], Interval([0], [9]), Entries([0], [0], [1.0]), Interval([4], [np.inf]))
    >>> violation(lp, np.array([3.0]))
    0.25
    """
    size = np.maximum(1.0, np.bincount(lp.entry_rows, np.abs(lp.coef * x[lp.index]), minlength=lp.n_rows))
    size = np.maximum(size, _finite_size(lp.row_lower, lp.row_upper))
    rows = _outside(lp.activity(x), lp.row_lower, lp.row_upper) / size
    columns = _outside(x, lp.col_lower, lp.col_upper) / np.maximum(1.0, np.abs(x))
    broken = np.abs(x - np.round(x))[lp.integer]
    return float(max(rows.max(initial=0.0), columns.max(initial=0.0), broken.max(initial=0.0)))


def dual_bound(lp: LinearProgram, row_dual: FloatArray) -> float:
    """Give the lower bound on the minimum that `row_dual` proves (weak duality); -inf when it proves nothing.

    For any duals y: ``min cost @ x >= sum(y_i * its row's bound) + sum(r_j * its column's bound)`` with
    reduced costs r; the bound is the lower one for a positive price, the upper one for a negative price.
    """
    dual = _without_rounding(row_dual, lp.row_lower, lp.row_upper)
    reduced = _without_rounding(lp.reduced_cost(dual), lp.col_lower, lp.col_upper)
    worth = _worth(dual, lp.row_lower, lp.row_upper), _worth(reduced, lp.col_lower, lp.col_upper)
    return float(sum(part.sum() for part in worth))


def is_proven(lp: LinearProgram, x: FloatArray, row_dual: FloatArray) -> bool:
    """Say whether `x` is feasible and, without integer columns, whether `row_dual` proves it optimal."""
    if not (np.isfinite(x).all() and violation(lp, x) <= FEASIBLE):
        return False
    if lp.integer.any():
        return True
    objective = float(lp.cost @ x)
    scale = max(1.0, float(np.abs(lp.cost * x).sum()))
    return bool(np.isfinite(row_dual).all() and objective - dual_bound(lp, row_dual) <= PROVEN * scale)


def _without_rounding(price: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Set prices to 0 that point at an infinite bound only by rounding."""
    bound = np.where(price > 0, lower, upper)
    return np.where(np.isinf(bound) & (np.abs(price) < ROUNDING), 0.0, price)


def _worth(price: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    bound = np.where(price > 0, lower, upper)
    return price * np.where(price == 0, 0.0, bound)


def _outside(value: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    return np.maximum(0.0, np.maximum(lower - value, value - upper))


def _finite_size(lower: FloatArray, upper: FloatArray) -> FloatArray:
    low, high = (np.where(np.isfinite(side), np.abs(side), 0.0) for side in (lower, upper))
    return np.maximum(low, high)


def certificate(
    compiled: Compiled,
    row_dual: FloatArray,
    got: Quantities,
    bound: float = np.inf,
    best: FloatArray | None = None,
) -> Optimality:
    """Judge a plan by what its spend brings: gap to the proven bound, curve error, largest violation.

    The bound is that of the program on its breakpoints; the curves themselves can lie above it by at most
    `curve_error`, in the unit of the objective.

    Parameters
    ----------
    compiled : Compiled
    row_dual : array, shape (n_rows,)
    got : Quantities
    bound : float
        The bound on the objective; of a program with whole numbers held, that of the choice among them.
        By default what the duals prove.
    best : array, shape (n_draws,), optional
        The best objective of each draw, for regret.
    """
    problem = compiled.problem
    if np.isinf(bound):
        bound = -dual_bound(compiled.lp, row_dual) * compiled.objective_unit
    value = worth(problem, got, best)
    missed = -problem.room(got) / np.maximum(problem.scales(got), 1.0)
    return Optimality(
        gap=max(0.0, bound - value) / max(abs(value), SMALL * problem.size(got), compiled.money * SMALL),
        curve_error=curve_error(compiled, row_dual, problem.effective(got.spend)),
        max_violation=max(0.0, float(missed.max(initial=0.0))),
    )


def curve_error(compiled: Compiled, row_dual: FloatArray, spend: FloatArray) -> float:
    """Give the most by which any plan on the smooth curves can beat the best one on their breakpoints.

    At the duals' prices each decision is a concave function of its own effective spend, with its largest
    breakpoint next to the optimum; tangents bound how far the curve rises above it on the two pieces beside
    it. Where a curve bends upwards, its chords lie above it instead: they claim too much by as much.

    Parameters
    ----------
    compiled : Compiled
    row_dual : array, shape (n_rows,)
    spend : array, shape (n_decisions,)
        Effective spend in money.
    """
    problem = compiled.problem
    if all(decision.curve.shape is None for decision in problem.decisions):
        return 0.0
    worth_of_margin, charge = _priced(compiled, row_dual)
    error = 0.0
    for j, (decision, grid) in enumerate(zip(problem.decisions, compiled.grids, strict=True)):
        shape, weights = decision.curve.shape, (float(worth_of_margin[j]), float(charge[j]))
        if shape is None or weights[0] <= 0:
            continue
        if decision.curve.concave:
            error += _rise(shape, grid.spend, float(spend[j]), weights)
        else:
            within = max(problem.budget, float(spend[j]))  # no plan gets further
            reached = int(np.searchsorted(grid.spend, within, side="left")) + 1
            error += weights[0] * _most_off(shape, grid.spend[:reached])
    return error


def _priced(compiled: Compiled, row_dual: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give what a unit of margin, and of effective spend, counts for in each decision at given duals."""
    problem, touch = compiled.problem, compiled.problem.incidence
    n = len(problem.decisions)
    prices = compiled.prices(row_dual)[touch.row]
    counts = problem.goal.copy()
    for place, weights in enumerate(touch.weights):
        if weights.any():
            counts[place] -= np.bincount(touch.decision, prices * weights, minlength=n)
    per_margin = np.array([_per_margin(decision.curve) for decision in problem.decisions]).reshape(n, -1).T
    charge = np.where(problem.carried, 0.0, counts[0])
    link = row_dual[len(problem.rows) : len(problem.rows) + int(problem.carried.sum())]
    charge[problem.carried] = link * compiled.objective_unit / compiled.money
    return (counts[1:] * per_margin).sum(axis=0), charge


def _per_margin(curve: ResponseCurve) -> FloatArray:
    """Give what comes with a unit of margin at the end of a curve, shape (n_measures - 1,)."""
    brought = brought_at(curve, np.array([curve.end]))[:, 0]
    return brought / brought[0] if brought[0] else np.zeros(len(brought))


def _most_off(shape: Shape, places: FloatArray) -> float:
    """Give the most by which the chords between places miss a smooth curve."""
    middle = (places[1:] + places[:-1]) / 2
    chord = (shape.value(places[1:]) + shape.value(places[:-1])) / 2
    return float(np.abs(shape.value(middle) - chord).max(initial=0.0))


def _rise(shape: Shape, places: FloatArray, spend: float, weights: tuple[float, float]) -> float:
    """Give how far ``margin weight * V(s) + spend weight * s`` can rise above its best breakpoint."""
    nearest = int(np.argmin(np.abs(places - spend)))
    near = places[max(nearest - 2, 0) : nearest + 3]
    gain = weights[0] * shape.value(near) + weights[1] * near
    slope = weights[0] * shape.marginal(near) + weights[1]
    best = int(np.argmax(gain))
    rises = [0.0]
    for a in {max(best - 1, 0), min(best, len(near) - 2)}:
        width, left, right = near[a + 1] - near[a], slope[a], slope[a + 1]
        if left > 0 > right:
            chord = (gain[a + 1] - gain[a]) / width
            share = 0.0 if np.isinf(left) else (chord - right) / (left - right)
            top = gain[a + 1] - right * (1 - share) * width
            rises.append(float(top - gain[best]))
    return max(rises)
