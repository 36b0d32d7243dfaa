"""The days on which customers bought: all that summaries, features and outcomes are made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from allocator.customers.engines import KEY, Orders
from allocator.customers.summary import DAYS_PER_WEEK, CustomerSummary, IdArray
from allocator.errors import DataError, Finding

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

MONEY_DIGITS = 6


@dataclass(frozen=True, eq=False)
class PurchaseDays:
    """Purchase days after returns, by customer and day; those of one day are one.

    Parameters
    ----------
    customer_id : array of str, shape (customers,)
        Ascending; each with a purchase.
    customer : array of int, shape (days,)
        Place of the customer of every purchase day.
    day : array of int, shape (days,)
        Days since 1970-01-01.
    value : array of float, shape (days,)
        Money.
    as_of : date
    has_returns : bool
        Whether any order until then was a return.
    """

    customer_id: IdArray
    customer: IntArray
    day: IntArray
    value: FloatArray
    as_of: date
    has_returns: bool

    @property
    def today(self) -> int:
        """The as-of day, in days since 1970-01-01."""
        return number_of(self.as_of)

    @property
    def first(self) -> IntArray:
        """Place of every customer's first purchase day."""
        return np.flatnonzero(np.diff(self.customer, prepend=-1)).astype(np.int64)

    @property
    def last(self) -> IntArray:
        """Place of every customer's last purchase day."""
        return np.flatnonzero(np.diff(self.customer, append=len(self.customer_id))).astype(np.int64)

    @property
    def count(self) -> IntArray:
        """Purchase days of every customer."""
        return self.last - self.first + 1

    @property
    def age_weeks(self) -> FloatArray:
        """Weeks since every customer's first purchase."""
        return np.asarray((self.today - self.day[self.first]) / DAYS_PER_WEEK, dtype=np.float64)

    def total(self, weights: FloatArray | BoolArray) -> FloatArray:
        """Add up what belongs to purchase days, by customer."""
        sums = np.bincount(self.customer, weights=weights, minlength=len(self.customer_id))
        return np.asarray(sums, dtype=np.float64)

    def until(self, as_of: date) -> Self:
        """Give those up to an earlier day; as known then only where there are no returns."""
        return replace(self._where(self.day <= number_of(as_of)), as_of=as_of)

    def after(self, day: date) -> Self:
        """Give those after a day."""
        return self._where(self.day > number_of(day))

    def of_customers(self, ids: IdArray) -> Self:
        """Give those of some customers."""
        wanted = np.isin(self.customer_id.astype(str), ids.astype(str))
        return self._where(wanted[self.customer])

    def _where(self, kept: BoolArray) -> Self:
        if kept.all():
            return self
        customers, customer = np.unique(self.customer[kept], return_inverse=True)
        ids = self.customer_id[customers]
        return replace(self, customer_id=ids, customer=customer, day=self.day[kept], value=self.value[kept])

    def summary(self, population: IdArray | None = None) -> CustomerSummary:
        """Give what every customer bought, as :func:`allocator.customers.summary.summarise` does.

        Parameters
        ----------
        population : array of str, optional
            Of whom those without a purchase are named.

        Raises
        ------
        DataError
            E305 without a purchase.
        """
        if not len(self.day):
            raise DataError(Finding("E305", None, f"no order is left up to {self.as_of}"))
        ids, day = self.customer_id, self.day.astype("datetime64[D]")
        absent = set() if population is None else set(population.tolist()).difference(ids.tolist())
        return CustomerSummary(
            customer_id=ids,
            n_days=self.count,
            first_on=day[self.first],
            last_on=day[self.last],
            total_value=self.total(self.value),
            first_value=self.value[self.first],
            as_of=self.as_of,
            without_orders=np.array(sorted(absent), dtype=object),
        )


def days_of(orders: Orders, as_of: date, *, has_returns: bool) -> PurchaseDays:
    """Give the purchase days of orders after returns, none later than a day."""
    table = orders.by_day()
    ids = table[KEY].to_numpy(dtype=object)
    new = np.append(True, ids[1:] != ids[:-1])[: len(ids)]
    # sums in another order of rows differ in their last bits
    value = table["value"].to_numpy(dtype=np.float64).round(MONEY_DIGITS)
    day = table["day"].to_numpy(dtype="datetime64[D]").astype(np.int64)
    return PurchaseDays(ids[new], np.cumsum(new) - 1, day, value, as_of, has_returns)


def places(table: pd.DataFrame, ids: IdArray) -> IntArray:
    """Give the place among ascending ids of every row's."""
    import pandas as pd

    found = pd.Index(ids.astype(str)).get_indexer(pd.Index(table[KEY].astype(str)))
    return np.asarray(found, dtype=np.int64)


def number_of(day: date) -> int:
    """Give the days from 1970-01-01 to a day."""
    return day.toordinal() - date(1970, 1, 1).toordinal()
