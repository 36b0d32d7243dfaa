"""Proof by arithmetic: an answer is judged by numpy from the numbers themselves, never by a solver's word."""

from __future__ import annotations

import numpy as np

from allocator.plan.program import LinearProgram
from allocator.response.curve import FloatArray

FEASIBLE = 1e-6  # of a row's or column's scale
PROVEN = 1e-6  # of the objective: largest gap between a plan and the bound its duals give
ROUNDING = 1e-6  # prices this small are rounding where the bound they point at is infinite


def violation(lp: LinearProgram, x: FloatArray) -> float:
    """Give the largest relative violation of any bound, row or integrality at `x`.

    Examples
    --------
    >>> from allocator.plan.program import Entries, Interval
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
    reduced costs r; the bound is the lower one where the sign is positive, the upper one where it is negative.
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
