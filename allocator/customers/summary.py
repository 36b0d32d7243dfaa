"""What every customer bought until a day: frequency, recency, age and value."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
IdArray = NDArray[np.object_]
DayArray = NDArray[np.datetime64]

DAYS_PER_WEEK = 7.0


@dataclass(frozen=True, eq=False)
class Patterns:
    """The distinct (frequency, recency, age) of customers, and how many share each.

    Parameters
    ----------
    frequency, recency_days, age_days : array of int, shape (patterns,)
        In ascending order of all three.
    counts : array of int, shape (patterns,)
        Customers with the pattern.
    inverse : array of int, shape (customers,)
        Position of every customer's pattern: ``values[patterns.inverse]`` is one value a customer.
    """

    frequency: IntArray
    recency_days: IntArray
    age_days: IntArray
    counts: IntArray
    inverse: IntArray

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def recency_weeks(self) -> FloatArray:
        """Weeks from the first to the last purchase day, exact days / 7."""
        return self.recency_days / DAYS_PER_WEEK

    @property
    def age_weeks(self) -> FloatArray:
        """Weeks from the first purchase day to the as-of day, exact days / 7."""
        return self.age_days / DAYS_PER_WEEK

    @property
    def n_customers(self) -> int:
        """Customers of all patterns."""
        return int(self.counts.sum())

    @classmethod
    def of(cls, frequency: IntArray, recency_days: IntArray, age_days: IntArray) -> Self:
        """Give the patterns of customers.

        Parameters
        ----------
        frequency, recency_days, age_days : array of int, shape (customers,)

        Examples
        --------
        >>> patterns = Patterns.of(np.array([0, 2, 0]), np.array([0, 30, 0]), np.array([90, 90, 90]))
        >>> patterns.frequency.tolist(), patterns.counts.tolist(), patterns.inverse.tolist()
        ([0, 2], [2, 1], [0, 1, 0])
        """
        order = np.lexsort((age_days, recency_days, frequency))
        rows = np.stack([frequency, recency_days, age_days])[:, order].astype(np.int64)
        new = np.ones(len(order), dtype=bool)
        new[1:] = (rows[:, 1:] != rows[:, :-1]).any(axis=0)
        inverse = np.empty(len(order), dtype=np.int64)
        inverse[order] = np.cumsum(new) - 1
        counts = np.bincount(inverse).astype(np.int64)
        x, recency, age = rows[:, new]
        return cls(x, recency, age, counts, inverse)


@dataclass(frozen=True)
class RowCounts:
    """What became of the rows a summary was made from; every row is counted once or more, none is lost.

    Parameters
    ----------
    read : int
        Rows given.
    used : int
        Rows that are purchases of the summary.
    without_customer, outside, before, after : int
        Rows not used: no customer id, customers outside the population, before `start`, after `as_of`.
    zero : int
        Purchases of amount 0 among the used: a free order is an order.
    negative : int
        Rows with a negative amount in the time of the summary.
    matched, netted, unmatched : int
        What became of these: cancelled an earlier purchase of the same amount; lowered earlier purchases;
        found none to lower, in part or whole (all of them where returns are dropped).
    cancelled : int
        Purchases that a return took back entirely: no purchases any more.
    unmatched_amount : float
        Money of returns that lowered nothing, 0 or more.
    """

    read: int = 0
    used: int = 0
    without_customer: int = 0
    outside: int = 0
    before: int = 0
    after: int = 0
    zero: int = 0
    negative: int = 0
    matched: int = 0
    netted: int = 0
    unmatched: int = 0
    cancelled: int = 0
    unmatched_amount: float = 0.0


@dataclass(frozen=True, eq=False)
class CustomerSummary:
    """What every customer bought until a day; arrays aligned with `customer_id`.

    Purchases of one day are one. The unit of time is the week: exact days / 7.

    Parameters
    ----------
    customer_id : array of str, shape (customers,)
        Ascending; customers with at least one purchase.
    n_days : array of int
        Days with a purchase, 1 or more.
    first_on, last_on : array of datetime64[D]
        First and last of them.
    total_value, first_value : array of float
        Money of all of them, and of the first.
    as_of : date
        Last day of orders that were used.
    rows : RowCounts
        What became of the rows.
    without_orders : array of str
        Customers of the population without a purchase, ascending.
    """

    customer_id: IdArray
    n_days: IntArray
    first_on: DayArray
    last_on: DayArray
    total_value: FloatArray
    first_value: FloatArray
    as_of: date
    rows: RowCounts = RowCounts()
    without_orders: IdArray = field(default_factory=lambda: np.array([], dtype=object))

    def __len__(self) -> int:
        return len(self.customer_id)

    @cached_property
    def frequency(self) -> IntArray:
        """Repeat purchase days: all but the first."""
        return self.n_days - 1

    @cached_property
    def recency_days(self) -> IntArray:
        """Days from the first to the last purchase."""
        return (self.last_on - self.first_on).astype(np.int64)

    @cached_property
    def age_days(self) -> IntArray:
        """Days from the first purchase to the as-of day."""
        return (np.datetime64(self.as_of, "D") - self.first_on).astype(np.int64)

    @property
    def recency_weeks(self) -> FloatArray:
        """Weeks from the first to the last purchase; 0 for a customer with one."""
        return self.recency_days / DAYS_PER_WEEK

    @property
    def age_weeks(self) -> FloatArray:
        """Weeks from the first purchase to the as-of day."""
        return self.age_days / DAYS_PER_WEEK

    @property
    def mean_value(self) -> FloatArray:
        """Money per purchase day, the first included."""
        return self.total_value / self.n_days

    @property
    def repeat_mean_value(self) -> FloatArray:
        """Money per repeat purchase day; NaN for a customer without one."""
        mean = np.full(len(self), np.nan)
        repeats = self.frequency > 0
        mean[repeats] = (self.total_value - self.first_value)[repeats] / self.frequency[repeats]
        return mean

    @cached_property
    def _patterns(self) -> Patterns:
        return Patterns.of(self.frequency, self.recency_days, self.age_days)

    def patterns(self) -> Patterns:
        """Give the distinct (frequency, recency, age) with their counts."""
        return self._patterns
