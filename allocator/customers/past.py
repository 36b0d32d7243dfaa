"""Orders as they were known on a day of the past: what is learned from them cannot have seen later ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from allocator.customers.engines import KEY
from allocator.customers.features import features
from allocator.customers.returns import ReturnsRule
from allocator.customers.summary import DAYS_PER_WEEK, CustomerSummary, IdArray, holdout, summarise

if TYPE_CHECKING:
    import pandas as pd

    from allocator.customers.engines import Transactions

FloatArray = NDArray[np.float64]


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
        return Past(self, as_of or self.last_on)

    @cached_property
    def last_on(self) -> date:
        """Day of the last order."""
        return self._extreme("max")

    @cached_property
    def first_on(self) -> date:
        """Day of the first order."""
        return self._extreme("min")

    def _extreme(self, which: str) -> date:
        days = self.transactions["ordered_on"]
        found = getattr(days, which)()
        value = found.to_pyarrow().as_py() if hasattr(found, "to_pyarrow") else found
        return np.datetime64(value, "D").astype(object)  # type: ignore[no-any-return]


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
        log = self.past.log
        return features(self.summary, log.transactions, returns=log.returns, attributes=log.attributes)

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
        """The customers who had bought by then."""
        return self.of(self.log.population)

    def of(self, customers: pd.DataFrame | Iterable[str] | None) -> Snapshot:
        """Give the snapshot of some customers.

        Raises
        ------
        DataError
            E305 where none of them had ordered.
        """
        summary = summarise(
            self.log.transactions, as_of=self.as_of, customers=customers, returns=self.log.returns
        )
        return Snapshot(summary, self)

    @property
    def weeks(self) -> float:
        """Weeks since the first order."""
        return (self.as_of - self.log.first_on).days / DAYS_PER_WEEK

    def earlier(self, weeks: float) -> Self:
        """Give what was known some weeks before, to the day."""
        return self.later(-weeks)

    def later(self, weeks: float) -> Self:
        """Give what will be known some weeks later, to the day."""
        return type(self)(self.log, self.as_of + timedelta(days=round(weeks * DAYS_PER_WEEK)))

    def outcome_of(self, customers: Snapshot) -> Outcome:
        """Give what customers bought since the day of a snapshot, until today.

        Returns of purchases that were made before lower nothing here.
        """
        start = customers.summary.as_of
        bought = holdout(
            self.log.transactions,
            start=start,
            end=self.as_of,
            customers=customers.customer_id,
            returns=self.log.returns,
        )
        ids = bought[KEY].to_numpy(dtype=object)
        place = np.searchsorted(customers.customer_id.astype(str), ids.astype(str))
        days, revenue = np.zeros(len(customers)), np.zeros(len(customers))
        days[place] = bought["purchase_days"].to_numpy(dtype=np.float64)
        revenue[place] = bought["value"].to_numpy(dtype=np.float64)
        return Outcome(days, revenue, (self.as_of - start).days / DAYS_PER_WEEK)
