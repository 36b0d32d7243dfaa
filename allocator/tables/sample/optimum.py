"""The best that knowing every customer's effect could earn, found by the price of money alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from allocator.tables.sample.chance import FloatArray, IntArray

HALVINGS = 200


class Optimum(NamedTuple):
    """A plan of at most one contact per customer, the last one in part.

    Parameters
    ----------
    spend, margin : float
        Money.
    share : array, shape (n_customers, n_channels)
        Part of a contact each customer gets by each channel; rows add up to at most 1.
    """

    spend: float
    margin: float
    share: FloatArray

    @property
    def profit(self) -> float:
        """Margin minus spend, in money."""
        return self.margin - self.spend


def best_margin(effects: FloatArray, costs: FloatArray, budget: float) -> tuple[float, float]:
    """Give spend and margin of the most profitable plan within a budget.

    Parameters
    ----------
    effects : array, shape (n_customers, n_channels)
        Incremental margin of one contact, money.
    costs : array, shape (n_channels,)
        Money per contact, above 0.
    budget : float
        Money that may be spent; what does not pay is left over.

    Examples
    --------
    >>> best_margin(np.array([[3.0, 4.0], [2.0, 2.5]]), np.array([1.0, 1.5]), 2.25)
    (2.25, 5.5)
    """
    plan = best_plan(effects, costs, budget)
    return plan.spend, plan.margin


def best_plan(effects: FloatArray, costs: FloatArray, budget: float) -> Optimum:
    """Give the plan that maximises margin minus spend with spend up to the budget.

    At a price λ of money every customer takes the channel of the largest ``effect - λ cost`` above 0 (or
    nothing). Spend falls with λ: it is halved in upon until the budget is met, not below λ = 1, where money
    no longer pays. What is left of the budget goes to the customers who are indifferent at that price, all in
    the same proportion: a Lagrangian of the linear program, and exact for it.

    Parameters
    ----------
    effects, costs, budget
        As of :func:`best_margin`.

    Examples
    --------
    >>> best_plan(np.array([[3.0], [0.5]]), np.array([1.0]), 10.0).profit
    2.0
    """
    least = _choice(effects, costs, 1.0)
    if _spend(least, costs) <= budget:
        return _plan(_shares(least, len(costs)), effects, costs)
    low, high = 1.0, 1.0 + float(np.max(effects / costs))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if _spend(_choice(effects, costs, middle), costs) > budget:
            low = middle
        else:
            high = middle
    above, below = (_choice(effects, costs, price) for price in (low, high))
    most, least_spend = _spend(above, costs), _spend(below, costs)
    part = (budget - least_spend) / (most - least_spend)
    share = part * _shares(above, len(costs)) + (1 - part) * _shares(below, len(costs))
    return _plan(share, effects, costs)


def _choice(effects: FloatArray, costs: FloatArray, price: float) -> IntArray:
    """Channel of the largest worth at this price of money; -1 where none has any."""
    worth = effects - price * costs
    best = worth.argmax(axis=1)
    return np.where(worth.max(axis=1) > 0, best, -1).astype(np.int64)


def _spend(choice: IntArray, costs: FloatArray) -> float:
    return float(costs[choice[choice >= 0]].sum())


def _shares(choice: IntArray, n_channels: int) -> FloatArray:
    return np.asarray(choice[:, None] == np.arange(n_channels), dtype=np.float64)


def _plan(share: FloatArray, effects: FloatArray, costs: FloatArray) -> Optimum:
    return Optimum(float((share @ costs).sum()), float((share * effects).sum()), share)
