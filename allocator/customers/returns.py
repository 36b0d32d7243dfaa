"""What becomes of negative amounts: each return takes back earlier purchases of its customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

ReturnsRule = Literal["match", "net", "drop"]

_SAME_MONEY = 1e-4
"""Amounts closer than this are one amount: sums of cents differ in their last bits."""


@dataclass(frozen=True, eq=False)
class Settled:
    """Orders after returns.

    Parameters
    ----------
    amount : array of float, shape (rows,)
        What is left of every purchase.
    purchase : array of bool, shape (rows,)
        Rows that still are purchases: neither a return nor taken back entirely.
    matched, netted, unmatched, dropped : int
        Returns that cancelled a purchase of the same amount; that lowered others; that found none for all
        they took back; that were left out by rule.
    unmatched_amount : float
        Money of returns that lowered nothing, 0 or more.
    """

    amount: FloatArray
    purchase: BoolArray
    matched: int = 0
    netted: int = 0
    unmatched: int = 0
    dropped: int = 0
    unmatched_amount: float = 0.0


def settle(customer: IntArray, day: IntArray, amount: FloatArray, rule: ReturnsRule = "match") -> Settled:
    """Take returns off the purchases they belong to.

    ``match``: a negative amount cancels the same customer's latest purchase of the same amount, made on the
    same day or before and not cancelled yet; one without such a purchase is netted. ``net``: it lowers the
    customer's latest purchases, made on the same day or before, one after the other. ``drop``: it is left
    out. Purchases taken back entirely are purchases no more.

    Parameters
    ----------
    customer, day : array of int, shape (rows,)
    amount : array of float, shape (rows,)
        In any order of rows; the outcome does not depend on it.
    rule : {"match", "net", "drop"}

    Examples
    --------
    >>> settled = settle(np.array([7, 7, 7]), np.array([1, 5, 9]), np.array([20.0, 30.0, -20.0]))
    >>> settled.amount.tolist(), settled.matched
    ([0.0, 30.0, 0.0], 1)
    >>> settle(np.array([7, 7, 7]), np.array([1, 5, 9]), np.array([20.0, 30.0, -20.0]), "net").amount.tolist()
    [20.0, 10.0, 0.0]
    """
    left = np.where(amount < 0, 0.0, amount)
    owed = np.where(amount < 0, -amount, 0.0)
    purchase = amount >= 0
    returned = np.flatnonzero(amount < 0)
    if rule == "drop":
        return Settled(left, purchase, dropped=len(returned), unmatched_amount=float(owed.sum()))
    matched = _match(customer, day, amount) if rule == "match" else np.empty((0, 2), dtype=np.int64)
    owed[matched[:, 0]] = left[matched[:, 1]] = 0.0
    purchase[matched[:, 1]] = False
    lowered = _net(customer, day, left, owed)
    purchase[lowered[left[lowered] == 0]] = False
    unmatched = int((owed[returned] > 0).sum())
    return Settled(
        left,
        purchase,
        matched=len(matched),
        netted=len(returned) - len(matched) - unmatched,
        unmatched=unmatched,
        unmatched_amount=float(owed.sum()),
    )


def _match(customer: IntArray, day: IntArray, amount: FloatArray) -> IntArray:
    """Give pairs (return, the purchase of the same amount it cancels)."""
    money = np.round(np.abs(amount) / _SAME_MONEY)
    rows = np.lexsort((amount < 0, day, money, customer))
    rows = rows[amount[rows] != 0]
    same = np.zeros(len(rows), dtype=np.int64)
    differs = (np.diff(customer[rows]) != 0) | (np.diff(money[rows]) != 0)
    same[1:] = np.cumsum(differs)
    groups, purchases = same.tolist(), _Latest((amount[rows] > 0).tolist())
    pairs = []
    for place in np.flatnonzero(amount[rows] < 0).tolist():
        latest = purchases.before(place)
        if latest >= 0 and groups[latest] == groups[place]:
            purchases.close(latest)
            pairs.append((place, latest))
    found: IntArray = rows[np.array(pairs, dtype=np.int64).reshape(-1, 2)]
    return found


def _net(customer: IntArray, day: IntArray, left: FloatArray, owed: FloatArray) -> IntArray:
    """Let every return lower the latest purchases before it, in `left` and `owed`; give those lowered.

    On one day large purchases come last, so that the order of rows does not matter.
    """
    rows = np.lexsort((left, owed > 0, day, customer))
    rows = rows[(left[rows] > 0) | (owed[rows] > 0)]
    owner, open_ = customer[rows].tolist(), left[rows].tolist()
    purchases = _Latest((left[rows] > 0).tolist())
    lowered: list[int] = []
    for place in np.flatnonzero(owed[rows] > 0).tolist():
        debt = float(owed[rows[place]])
        while debt > 0 and (latest := purchases.before(place)) >= 0 and owner[latest] == owner[place]:
            paid = min(open_[latest], debt)
            open_[latest], debt = _without_dust(open_[latest] - paid), _without_dust(debt - paid)
            lowered.append(latest)
            if open_[latest] == 0:
                purchases.close(latest)
        owed[rows[place]] = debt
    left[rows] = open_
    return np.unique(rows[np.array(lowered, dtype=np.int64)])


class _Latest:
    """The latest open place before another; closing is cheap, looking up nearly so (paths are halved)."""

    def __init__(self, is_open: Sequence[bool]) -> None:
        self._link = [place if still else place - 1 for place, still in enumerate(is_open)]

    def before(self, place: int) -> int:
        """Give the latest open place before one; -1 without any."""
        link = self._link
        place -= 1
        while place >= 0 and link[place] != place:
            nearer = link[place]
            link[place] = link[nearer] if nearer >= 0 else nearer
            place = link[place]
        return place

    def close(self, place: int) -> None:
        self._link[place] = place - 1


def _without_dust(money: float) -> float:
    return money if money >= _SAME_MONEY / 2 else 0.0
