"""Who gets which channel under one budget: exact, from the concave hull of each customer's channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from allocator.models.base import impossible
from allocator.response.curve import FloatArray, ResponseCurve

IntArray = NDArray[np.int64]
NOBODY = -1  # in place of a channel: no contact


@dataclass(frozen=True, eq=False)
class Steps:
    """Every step up a customer's hull, the best return first; a customer's own steps stay in order.

    Parameters
    ----------
    customer : array of int, shape (n_steps,)
        Row of `gain`.
    before, after : array of int, shape (n_steps,)
        Channel (column of `gain`) the customer leaves and gets; -1 for no contact.
    cost, gain : array, shape (n_steps,)
        What the step adds, in money; the cost is above 0.
    ratio : array, shape (n_steps,)
        ``gain / cost``, falling.
    n_customers : int
    """

    customer: IntArray
    before: IntArray
    after: IntArray
    cost: FloatArray
    gain: FloatArray
    ratio: FloatArray
    n_customers: int

    def __len__(self) -> int:
        return len(self.customer)


@dataclass(frozen=True)
class PartStep:
    """The step the budget ends in: the `share` of a customer that moves from `before` to `after`."""

    customer: int
    before: int
    after: int
    share: float


@dataclass(frozen=True, eq=False)
class Allocation:
    """The best plan of at most one contact per customer within a budget.

    Parameters
    ----------
    channel : array of int, shape (n_customers,)
        Channel (column of `gain`) of each customer, -1 for none.
    last : PartStep or None
        What the rest of the budget would buy of one more step; None where nothing is left to buy or spend.
    spend, gain : float
        Money, `last` included.
    price : float
        What the next unit of money would earn; 0 where no step is left.
    """

    channel: IntArray
    last: PartStep | None
    spend: float
    gain: float
    price: float


def customer_steps(gain: FloatArray, cost: FloatArray) -> Steps:
    """Give the steps up the upper concave hull of every customer's (0, 0) and (cost, gain) by channel.

    Channels below the hull are never worth their money: a mix of the ones around them earns more. Taken in
    order of their ratio, steps are the exact optimum of the linear program for every budget at once (Sinha,
    Zoltners, "The Multiple-Choice Knapsack Problem", Operations Research 27, 1979).

    Parameters
    ----------
    gain : array, shape (n_customers, n_channels)
        Incremental margin of one contact, money; may be negative.
    cost : array, shape (n_channels,)
        Money per contact, above 0.

    Returns
    -------
    Steps
        With those that lose money: up to each customer's dearest channel.

    Raises
    ------
    DataError
        For numbers that are not finite, shapes that do not fit or a cost not above 0 (E315).

    Examples
    --------
    >>> steps = customer_steps(np.array([[3.0, 4.0], [0.2, 2.5]]), np.array([1.0, 2.0]))
    >>> steps.customer.tolist(), steps.before.tolist(), steps.after.tolist(), steps.ratio.tolist()
    ([0, 1, 0], [-1, -1, 0], [0, 1, 1], [3.0, 1.25, 1.0])
    """
    gain, cost = np.asarray(gain, dtype=np.float64), np.asarray(cost, dtype=np.float64)
    _check(gain, cost)
    n = len(gain)
    here = _Standing(
        np.arange(n), np.full(n, NOBODY, dtype=np.int64), np.zeros(n), np.zeros(n), np.full(n, np.inf)
    )
    rounds: list[Steps] = []
    for _ in range(len(cost)):
        taken, here = _climb(here, gain, cost)
        rounds.append(taken)
    return _sorted(rounds, n)


def tier_curve(
    gain: FloatArray, cost: FloatArray, weight: FloatArray | float = 1.0, *, falling: bool = True
) -> ResponseCurve:
    """Give the best incremental margin of a group of customers at every spend, one contact each at most.

    Every breakpoint of every hull is kept (steps of equal return are one piece), so the curve is exact.

    Parameters
    ----------
    gain, cost
        As of :func:`customer_steps`.
    weight : float or array, shape (n_customers,)
        People each row stands for, above 0.
    falling : bool
        Whether the curve goes on past its peak, to where everybody gets the dearest channel.

    Raises
    ------
    DataError
        As of :func:`customer_steps`, and where nobody gains and the curve may not fall (E315).

    Examples
    --------
    >>> curve = tier_curve(np.array([[3.0, 4.0], [0.2, 2.5]]), np.array([1.0, 2.0]))
    >>> curve.spend.tolist(), curve.value.tolist()
    ([0.0, 1.0, 3.0, 4.0], [0.0, 3.0, 5.5, 6.5])
    """
    steps = customer_steps(gain, cost)
    people = np.broadcast_to(np.asarray(weight, dtype=np.float64), (steps.n_customers,))
    if not (np.isfinite(people).all() and (people > 0).all()):
        raise impossible("the people a customer stands for are not above 0")
    kept = np.ones(len(steps), dtype=bool) if falling else steps.ratio > 0
    if not kept.any():
        raise impossible("nobody gains by any channel")
    each, ratio = people[steps.customer[kept]], steps.ratio[kept]
    ends = np.append(np.flatnonzero(np.diff(ratio) < 0), len(ratio) - 1)
    spend, value = np.cumsum(each * steps.cost[kept])[ends], np.cumsum(each * steps.gain[kept])[ends]
    return ResponseCurve(np.append(0.0, spend), np.append(0.0, value))


def allocate(gain: FloatArray, cost: FloatArray, budget: float, *, least_return: float = 1.0) -> Allocation:
    """Give each customer the channel that earns most in total within a budget.

    Parameters
    ----------
    gain, cost
        As of :func:`customer_steps`.
    budget : float
        Money that may be spent.
    least_return : float
        Money is left over where a unit earns no more than this: 1 maximises profit, 0 margin.

    Examples
    --------
    >>> plan = allocate(np.array([[3.0, 4.5], [0.2, 2.5]]), np.array([1.0, 2.0]), 3.0)
    >>> plan.channel.tolist(), plan.last, plan.spend, plan.gain
    ([1, -1], PartStep(customer=1, before=-1, after=1, share=0.5), 3.0, 5.75)
    """
    steps = customer_steps(gain, cost)
    paying = int(np.searchsorted(-steps.ratio, -least_return, side="left"))
    spent = np.append(0.0, np.cumsum(steps.cost[:paying]))
    earned = np.append(0.0, np.cumsum(steps.gain[:paying]))
    whole = int(np.searchsorted(spent, max(budget, 0.0), side="right")) - 1
    channel = np.full(steps.n_customers, NOBODY, dtype=np.int64)
    channel[steps.customer[:whole]] = steps.after[:whole]  # of a customer's steps the last one stays
    price = float(steps.ratio[whole]) if whole < len(steps) else 0.0
    share = (budget - spent[whole]) / steps.cost[whole] if whole < paying else 0.0
    if share <= 0:
        return Allocation(channel, None, float(spent[whole]), float(earned[whole]), price)
    customer, before, after = (int(part[whole]) for part in (steps.customer, steps.before, steps.after))
    return Allocation(
        channel,
        PartStep(customer, before, after, float(share)),
        spend=float(budget),
        gain=float(earned[whole] + share * steps.gain[whole]),
        price=price,
    )


def _check(gain: FloatArray, cost: FloatArray) -> None:
    if gain.ndim != 2 or cost.shape != gain.shape[1:] or 0 in gain.shape:
        raise impossible("gains need one row a customer and one column a channel, costs one number a channel")
    if not (np.isfinite(gain).all() and np.isfinite(cost).all()):
        raise impossible("gains and costs have to be finite numbers")
    if not (cost > 0).all():
        raise impossible("what a contact costs is not above 0")


class _Standing(NamedTuple):
    """Where customers stand on their hulls: row, channel, cost and gain so far, ratio of the step before."""

    row: IntArray
    at: IntArray
    cost: FloatArray
    gain: FloatArray
    ratio: FloatArray


def _climb(here: _Standing, gain: FloatArray, cost: FloatArray) -> tuple[Steps, _Standing]:
    """Take everybody's next step; who has the dearest channel stays behind."""
    going = here.cost < cost.max()
    row, at, spent, earned, past = (np.asarray(part)[going] for part in here)
    more = cost - spent[:, None]
    rise = gain[row] - earned[:, None]
    slope = np.divide(rise, more, out=np.full(more.shape, -np.inf), where=more > 0)
    best = _steepest(slope, cost)
    ratio = np.minimum(
        past, slope[np.arange(len(row)), best]
    )  # rounding must not let a step overtake another
    top = _Standing(row, best, cost[best], gain[row, best], ratio)
    return Steps(row, at, best, top.cost - spent, top.gain - earned, ratio, len(gain)), top


def _steepest(slope: FloatArray, cost: FloatArray) -> IntArray:
    """Column of the largest slope; of equal ones the dearest, so that no step lies within another."""
    order = np.argsort(-cost, kind="stable")
    return np.asarray(order[slope[:, order].argmax(axis=1)], dtype=np.int64)


def _sorted(rounds: list[Steps], n_customers: int) -> Steps:
    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(one, name) for one in rounds])

    # rounds are in order, so a customer's steps of equal ratio stay in order
    order = np.argsort(-joined("ratio"), kind="stable")
    names = ("customer", "before", "after", "cost", "gain", "ratio")
    return Steps(**{name: joined(name)[order] for name in names}, n_customers=n_customers)
