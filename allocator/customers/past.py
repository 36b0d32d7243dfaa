"""Orders as they were known on a day of the past: what is learned from them cannot have seen later ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from allocator.customers.features import features_of
from allocator.customers.purchase_days import PurchaseDays, days_of
from allocator.customers.purchases import Prepared, Window, prepare
from allocator.customers.returns import ReturnsRule
from allocator.customers.summary import (
    DAYS_PER_WEEK,
    CustomerSummary,
    IdArray,
    IntArray,
    population_ids,
    summary_of,
)

if TYPE_CHECKING:
    import pandas as pd

    from allocator.customers.engines import Transactions

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

DAYS_KEPT = 24  # all that one choice among models looks at, while a log of contacts has hundreds


@dataclass(frozen=True, eq=False)
class OrderLog:
    """Orders with what is known of the customers who made them.

    Parameters
    ----------
    transactions : DataFrame or Ibis table
        As in :func:`allocator.customers.summary.summarise`.
    returns : {"match", "net", "drop"}
        What becomes of negative amounts.
    population : DataFrame with ``customer_id``, or iterable of ids, optional
        Customers who count; those of `transactions` where absent.
    attributes : DataFrame, optional
        ``customer_id`` (each once) and columns that do not change over time.
    """

    transactions: Transactions
    returns: ReturnsRule = "match"
    population: pd.DataFrame | Iterable[str] | None = None
    attributes: pd.DataFrame | None = None

    def until(self, as_of: date | None = None) -> Past:
        """Give what was known at the end of a day; the last order's day where absent."""
        day = as_of or self._prepared.last_on
        found = self._seen.pop(day, None) or Past(self, day)
        self._seen[day] = found
        if len(self._seen) > DAYS_KEPT:
            del self._seen[next(iter(self._seen))]
        return found

    @property
    def first_on(self) -> date:
        """Day of the first order."""
        return self._prepared.first_on

    @cached_property
    def ids(self) -> IdArray | None:
        """Customers who count, ascending; None where all do."""
        return population_ids(self.population)

    def summary(self, as_of: date) -> CustomerSummary:
        """Summarise all customers on a day, with the fate of every order."""
        return summary_of(self._prepared.purchases(Window(as_of), self.returns), self.ids)

    def days_until(self, last: date) -> PurchaseDays:
        """Give the purchase days until a day, of the customers who count, after the returns until then."""
        ready = self._prepared
        if not ready.has_returns:
            return self._all_days.until(last)
        return days_of(ready.until(last, self.returns), last, has_returns=True)

    @cached_property
    def _prepared(self) -> Prepared:
        return prepare(self.transactions, self.ids)

    @cached_property
    def _all_days(self) -> PurchaseDays:
        return days_of(self._prepared.orders, self._prepared.last_on, has_returns=False)

    @cached_property
    def _seen(self) -> dict[date, Past]:
        return {}


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Customers as they were known on a day; all arrays are aligned with `customer_id`.

    Parameters
    ----------
    summary : CustomerSummary
        Frequency, recency, age and value.
    past : Past
        What the features are made of.
    """

    summary: CustomerSummary
    past: Past

    def __len__(self) -> int:
        return len(self.summary)

    @property
    def customer_id(self) -> IdArray:
        """Customers with a purchase, ascending."""
        return self.summary.customer_id

    @cached_property
    def features(self) -> pd.DataFrame:
        """What models may learn from: :func:`allocator.customers.features.features`."""
        return features_of(self.days, self.past.log.transactions, attributes=self.past.log.attributes)

    @cached_property
    def days(self) -> PurchaseDays:
        """The days on which they bought."""
        return self.past.days.of_customers(self.customer_id)

    def part(self, where: slice) -> Self:
        """Give the snapshot of the customers at some positions."""
        return type(self)(self.summary.part(where), self.past)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What the customers of a snapshot then bought, aligned with its `customer_id`.

    Parameters
    ----------
    purchase_days : array of float, shape (customers,)
    revenue : array of float, shape (customers,)
        In money.
    weeks : float
        Length of the time that was watched.
    """

    purchase_days: FloatArray
    revenue: FloatArray
    weeks: float


@dataclass(frozen=True, eq=False)
class Past:
    """What was known at the end of a day.

    Parameters
    ----------
    log : OrderLog
    as_of : date

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame({"customer_id": ["a", "b", "a"], "amount": [20.0, 5.0, 30.0],
    ...                        "ordered_on": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-16"])})
    >>> today = OrderLog(orders).until()
    >>> before = today.earlier(weeks=2)
    >>> before.as_of.isoformat(), before.customers.customer_id.tolist()
    ('2026-01-02', ['a', 'b'])
    >>> today.outcome_of(before.customers).revenue.tolist()
    [30.0, 0.0]
    """

    log: OrderLog
    as_of: date

    @cached_property
    def customers(self) -> Snapshot:
        """The customers who had bought by then.

        Raises
        ------
        DataError
            E305 where none had.
        """
        return Snapshot(self.days.summary(self.log.ids), self)

    @cached_property
    def days(self) -> PurchaseDays:
        """Their purchase days until then."""
        return self.log.days_until(self.as_of)

    def of(self, customers: IdArray) -> Snapshot:
        """Give the snapshot of some customers.

        Raises
        ------
        DataError
            E305 where none of them had ordered.
        """
        return Snapshot(self.days.of_customers(customers).summary(customers), self)

    def sample(self, most: int, seed: int = 0) -> Past:
        """Give the past of at most as many customers, drawn by lot from those who had bought by then."""
        ids = self.days.customer_id
        if len(ids) <= most:
            return self
        drawn = np.sort(np.random.default_rng(seed).choice(len(ids), most, replace=False))
        return replace(self.log, population=ids[drawn].tolist()).until(self.as_of)

    @property
    def weeks(self) -> float:
        """Weeks since the first order."""
        return (self.as_of - self.log.first_on).days / DAYS_PER_WEEK

    def earlier(self, weeks: float) -> Past:
        """Give what was known some weeks before, to the day."""
        return self.later(-weeks)

    def later(self, weeks: float) -> Past:
        """Give what will be known some weeks later, to the day."""
        return self.log.until(self.as_of + timedelta(days=round(weeks * DAYS_PER_WEEK)))

    def outcome_of(self, customers: Snapshot) -> Outcome:
        """Give what customers bought since the day of a snapshot, until today.

        Returns of purchases that were made before lower nothing here.
        """
        start = customers.summary.as_of
        came = self.days.after(start)
        place, known = _places(came.customer_id, customers.customer_id)
        bought, revenue = np.zeros(len(customers)), np.zeros(len(customers))
        bought[place[known]] = came.count[known]
        revenue[place[known]] = came.total(came.value)[known]
        return Outcome(bought, revenue, (self.as_of - start).days / DAYS_PER_WEEK)


def _places(wanted: IdArray, known: IdArray) -> tuple[IntArray, BoolArray]:
    """Give the place of every wanted id among the known ones, which ascend, and whether it is there."""
    place = np.minimum(np.searchsorted(known.astype(str), wanted.astype(str)), len(known) - 1)
    return place.astype(np.int64), np.asarray(known[place] == wanted)
