"""What becomes of negative amounts: each return takes back earlier purchases of its customer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
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
    matched, netted, unmatched : int
        Returns that cancelled a purchase of the same amount; that lowered others; that found none for all
        they took back.
    unmatched_amount : float
        Money of returns that lowered nothing, 0 or more.
    """

    amount: FloatArray
    purchase: BoolArray
    matched: int
    netted: int
    unmatched: int
    unmatched_amount: float


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
    purchase = amount >= 0
    open_returns = np.flatnonzero(amount < 0)
    if rule == "drop":
        owed = -amount[open_returns]
        return Settled(left, purchase, 0, 0, len(owed), float(owed.sum()))
    matched = np.empty(0, dtype=np.int64)
    if rule == "match":
        matched, cancelled = _pairs(customer, day, amount)
        left[cancelled], purchase[cancelled] = 0.0, False
        open_returns = np.setdiff1d(open_returns, matched)
    owed = np.zeros(len(amount))
    owed[open_returns] = -amount[open_returns]
    affected = purchase & (left > 0) & np.isin(customer, customer[open_returns])
    _net(np.flatnonzero(affected | (owed > 0)), _Books(customer, day, left, owed, purchase))
    unpaid = owed[open_returns] > 0
    counts = (len(matched), int((~unpaid).sum()), int(unpaid.sum()))
    return Settled(left, purchase, *counts, float(owed.sum()))


def _pairs(customer: IntArray, day: IntArray, amount: FloatArray) -> tuple[IntArray, IntArray]:
    """Give the returns that cancel a purchase of the same amount, and these purchases."""
    money = np.round(np.abs(amount) / _SAME_MONEY).astype(np.int64)
    groups, group = np.unique(np.stack([customer, money]), axis=1, return_inverse=True)
    returned = np.zeros(groups.shape[1], dtype=bool)
    returned[group[amount < 0]] = True
    rows = np.flatnonzero(returned[group] & (amount != 0))
    live: dict[int, list[int]] = defaultdict(list)
    pairs: list[tuple[int, int]] = []
    for row in _in_time(rows, day, amount):
        purchases = live[int(group[row])]
        if amount[row] > 0:
            purchases.append(row)
        elif purchases:
            pairs.append((row, purchases.pop()))
    found = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


@dataclass(frozen=True, eq=False)
class _Books:
    """Columns of the orders; `left`, `owed` and `purchase` are written to."""

    customer: IntArray
    day: IntArray
    left: FloatArray
    owed: FloatArray
    purchase: BoolArray


def _net(rows: IntArray, books: _Books) -> None:
    """Let every open return lower the latest purchases before it."""
    live: dict[int, list[int]] = defaultdict(list)
    for row in _in_time(rows, books.day, books.left - books.owed):
        purchases = live[int(books.customer[row])]
        if not books.owed[row]:
            purchases.append(row)
            continue
        while books.owed[row] > 0 and purchases:
            latest = purchases[-1]
            paid = min(books.left[latest], books.owed[row])
            books.left[latest] = _without_dust(books.left[latest] - paid)
            books.owed[row] = _without_dust(books.owed[row] - paid)
            if books.left[latest] == 0:
                books.purchase[purchases.pop()] = False


def _without_dust(money: float) -> float:
    return money if money >= _SAME_MONEY / 2 else 0.0


def _in_time(rows: IntArray, day: IntArray, amount: FloatArray) -> Iterator[int]:
    """Give rows by day; on one day purchases before returns, large amounts first, for one order of all."""
    return iter(rows[np.lexsort((-amount[rows], day[rows]))].tolist())
