"""What every customer bought until a day: frequency, recency, age and value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from allocator.customers.engines import KEY
from allocator.customers.grouping import Groups
from allocator.customers.purchases import Purchases, Window, as_text, missing_column, purchases
from allocator.customers.returns import ReturnsRule
from allocator.customers.rows import RowCounts
from allocator.errors import DataError, Finding

if TYPE_CHECKING:
    import pandas as pd

    from allocator.customers.engines import Transactions

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

    def every(self, step: int) -> Self:
        """Give one pattern of every `step`, as if their customers were all; `inverse` is empty."""
        kept = slice(None, None, step)
        none = np.array([], dtype=np.int64)
        return type(self)(
            self.frequency[kept], self.recency_days[kept], self.age_days[kept], self.counts[kept], none
        )

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
        columns = tuple(np.asarray(column, np.int64) for column in (frequency, recency_days, age_days))
        groups = Groups.of(*columns)
        x, recency, age = (column[groups.first] for column in columns)
        return cls(x, recency, age, groups.sizes, groups.of_rows())


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
    rows: RowCounts = field(default_factory=RowCounts)
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

    def part(self, where: slice) -> Self:
        """Give the summary of the customers at some positions."""
        return replace(self, **{name: getattr(self, name)[where] for name in _COLUMNS})

    def select(self, customer_id: Sequence[str]) -> Self:
        """Give the summary of some customers.

        Parameters
        ----------
        customer_id : sequence of str
            In any order; those without a purchase go to `without_orders`.
        """
        wanted = np.unique(np.asarray(customer_id, dtype=object))
        keep = np.isin(self.customer_id, wanted)
        columns = {name: getattr(self, name)[keep] for name in _COLUMNS}
        without = np.setdiff1d(wanted, self.customer_id)
        return replace(self, **columns, without_orders=without)


_COLUMNS = ("customer_id", "n_days", "first_on", "last_on", "total_value", "first_value")


def summarise(
    transactions: Transactions,
    *,
    as_of: date | None = None,
    start: date | None = None,
    customers: pd.DataFrame | Iterable[str] | None = None,
    returns: ReturnsRule = "match",
) -> CustomerSummary:
    """Summarise what every customer bought until a day.

    Purchases of one customer on one day are one. A row of amount 0 is a purchase; negative amounts are
    returns, see :func:`allocator.customers.returns.settle`. Rows without a customer, outside the time or the
    population are left out; all of it is counted in `rows`.

    Parameters
    ----------
    transactions : DataFrame or Ibis table
        ``customer_id``, ``ordered_on`` (day or time), ``amount`` in money; further columns are ignored.
    as_of : date, optional
        Last day that counts; the last order's day where absent. Later rows tell nothing, not even returns.
    start : date, optional
        First day that counts. Earlier purchases only serve to match returns.
    customers : DataFrame with ``customer_id``, or iterable of ids, optional
        The population; the customers of `transactions` where absent.
    returns : {"match", "net", "drop"}
        What becomes of negative amounts.

    Raises
    ------
    DataError
        E303 for a missing column, E304 for rows without a day or a finite amount, E305 when no order is left.

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["007", "007", "007", "12"], "amount": [20.0, 5.0, 30.0, 8.0],
    ...     "ordered_on": pd.to_datetime(["2026-01-01", "2026-01-01", "2026-01-15", "2026-01-29"]),
    ... })
    >>> summary = summarise(orders, as_of=date(2026, 1, 29))
    >>> summary.customer_id.tolist(), summary.frequency.tolist(), summary.mean_value.tolist()
    (['007', '12'], [1, 0], [27.5, 8.0])
    >>> summary.recency_weeks.tolist(), summary.age_weeks.tolist()
    ([2.0, 0.0], [4.0, 0.0])
    """
    population = population_ids(customers)
    bought = purchases(transactions, Window(as_of, start), population=population, returns=returns)
    return summary_of(bought, population)


def summary_of(bought: Purchases, population: IdArray | None = None) -> CustomerSummary:
    """Summarise purchases; those of an ascending population without any are named.

    Raises
    ------
    DataError
        E305 when no order is left.
    """
    table = bought.by_customer()
    if table.empty:
        what = f"no order is left up to {bought.as_of}"
        raise DataError(Finding("E305", None, what, str(bought.rows)))
    ids = table[KEY].to_numpy(dtype=object)
    return CustomerSummary(
        ids,
        table["n_days"].to_numpy(dtype=np.int64),
        table["first_on"].to_numpy(dtype="datetime64[D]"),
        table["last_on"].to_numpy(dtype="datetime64[D]"),
        table["total_value"].to_numpy(dtype=np.float64),
        table["first_value"].to_numpy(dtype=np.float64),
        bought.as_of,
        bought.rows,
        np.array([], dtype=object) if population is None else _without(population, ids),
    )


def holdout(
    transactions: Transactions,
    *,
    start: date,
    end: date,
    customers: pd.DataFrame | Iterable[str] | None = None,
    returns: ReturnsRule = "match",
) -> pd.DataFrame:
    """Give what every customer bought after a summary was made, to judge forecasts by.

    Parameters
    ----------
    transactions : DataFrame or Ibis table
        As in :func:`summarise`.
    start : date
        As-of day of the summary: the first day that counts is the next.
    end : date
        Last day that counts.
    customers, returns
        As in :func:`summarise`. Returns of purchases made until `start` lower nothing here.

    Returns
    -------
    DataFrame
        ``customer_id`` (ascending), ``purchase_days``, ``value`` in money; only customers who bought.

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame({"customer_id": ["a", "b", "a"], "amount": [20.0, 5.0, 30.0],
    ...                        "ordered_on": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-15"])})
    >>> holdout(orders, start=date(2026, 1, 2), end=date(2026, 1, 31)).to_dict("records")
    [{'customer_id': 'a', 'purchase_days': 1, 'value': 30.0}]
    """
    window = Window(end, start + timedelta(days=1))
    table = purchases(
        transactions, window, population=population_ids(customers), returns=returns
    ).by_customer()
    names = {"n_days": "purchase_days", "total_value": "value"}
    return table[[KEY, *names]].rename(columns=names)


def _without(population: IdArray, ids: IdArray) -> IdArray:
    """Give what of an ascending population is not among ids; numpy's own is quadratic for texts."""
    return np.array(sorted(set(population.tolist()).difference(ids.tolist())), dtype=object)


def population_ids(customers: pd.DataFrame | Iterable[str] | None) -> IdArray | None:
    """Give the distinct ids of a population, ascending."""
    import pandas as pd

    if customers is None:
        return None
    if isinstance(customers, pd.DataFrame) and KEY not in customers:
        raise DataError(missing_column(KEY, customers.columns, "customers"))
    ids = customers[KEY] if isinstance(customers, pd.DataFrame) else pd.Series(list(customers))
    return np.unique(as_text(ids).dropna().to_numpy(dtype=object))
