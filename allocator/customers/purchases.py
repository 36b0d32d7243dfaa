"""From rows of orders to purchases: checked, in time, of the population, after returns; every row counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from allocator.customers.engines import COLUMNS, KEY, Orders
from allocator.customers.returns import ReturnsRule, Settled, settle
from allocator.customers.rows import RowCounts
from allocator.errors import DataError, Finding, closest, raise_findings
from allocator.quantities import count, quoted

if TYPE_CHECKING:
    import pandas as pd

    from allocator.customers.engines import Transactions

IdArray = NDArray[np.object_]
DayArray = NDArray[np.datetime64]


class Window(NamedTuple):
    """The days that count.

    Parameters
    ----------
    as_of : date or None
        The last one; the last order's day where None.
    start : date or None
        The first one.
    """

    as_of: date | None = None
    start: date | None = None


@dataclass(frozen=True, eq=False)
class Purchases:
    """The purchases of a window.

    Parameters
    ----------
    orders : Orders
        Including those before the start.
    as_of, start : date
        Last and first day that counts.
    rows : RowCounts
    """

    orders: Orders
    as_of: date
    start: date | None
    rows: RowCounts

    def by_customer(self) -> pd.DataFrame:
        """Give one row a customer; see :meth:`allocator.customers.engines.Orders.by_customer`."""
        return self.orders.by_customer(self.start)


def purchases(
    transactions: Transactions,
    window: Window,
    *,
    population: IdArray | None = None,
    returns: ReturnsRule = "match",
) -> Purchases:
    """Give the purchases of a window.

    Parameters
    ----------
    transactions : DataFrame or Ibis table
        ``customer_id``, ``ordered_on``, ``amount``; nothing is written into it.
    window : Window
    population : array of str, optional
        Customers whose orders count.
    returns : {"match", "net", "drop"}

    Raises
    ------
    DataError
        E303 for a missing column, E304 for rows without a day or a finite amount, E305 without any row, E103
        for an unknown rule.
    """
    _check_rule(returns)
    return prepare(transactions, population).purchases(window, returns)


def _check_rule(returns: str) -> None:
    if returns not in get_args(ReturnsRule):
        rules = ", ".join(get_args(ReturnsRule))
        raise DataError(
            Finding("E103", None, f"{quoted(returns)} is no rule for returns", f"write one of {rules}")
        )


@dataclass(frozen=True, eq=False)
class Prepared:
    """Orders that were looked at once, to be cut off at any day.

    Parameters
    ----------
    orders : Orders
        Of the population.
    first_on, last_on : date
        Days of the first and the last order of all.
    total : mapping of str to int
        Rows: read, with a customer, of the population, and with a negative amount.
    """

    orders: Orders
    first_on: date
    last_on: date
    total: Mapping[str, int]

    @property
    def has_returns(self) -> bool:
        """Whether any amount is negative."""
        return self.total["negative"] > 0

    def until(self, last: date, returns: ReturnsRule) -> Orders:
        """Give the purchases until a day, after the returns until then; rows are not counted."""
        if self.has_returns:
            return self.purchases(Window(last), returns).orders
        return self.orders.until(last)

    def purchases(self, window: Window, returns: ReturnsRule) -> Purchases:
        """Give the purchases of a window, every row counted.

        Raises
        ------
        DataError
            E103 for an unknown rule.
        """
        _check_rule(returns)
        as_of, start = _day(window.as_of or self.last_on), window.start and _day(window.start)
        orders = self.orders.until(as_of)
        facts = {name: int(number) for name, number in orders.counts_in_time(start).items()}
        read, named, known = (self.total[name] for name in ("read", "named", "known"))
        rows = RowCounts(
            read=read,
            without_customer=read - named,
            outside=named - known,
            after=known - facts["rows"],
            before=facts["before"],
            negative=facts["negative"],
            zero=facts["zero"],
            used=facts["rows"] - facts["before"] - facts["negative"],
        )
        return _after_returns(Purchases(orders, as_of, start, rows), returns)


def prepare(transactions: Transactions, population: IdArray | None = None) -> Prepared:
    """Check orders and count them.

    Raises
    ------
    DataError
        E303 for a missing column, E304 for rows without a day or a finite amount, E305 without any row.
    """
    everything = Orders.of(checked(transactions))
    total = everything.counts()
    if total["unusable"]:
        what = f"{count(total['unusable'])} of {count(total['read'])} orders have no day or no finite amount"
        raise DataError(
            Finding("E304", None, what, "remove them, or read the file, which counts them as rejects")
        )
    if not total["read"]:
        raise DataError(Finding("E305", None, "there are no orders"))
    known = everything.known(population)
    of_population = int(total["named"]) if population is None else known.size()
    rows = {name: int(total[name]) for name in ("read", "named", "negative")} | {"known": of_population}
    return Prepared(known, _day(total["first_on"]), _day(total["last_on"]), rows)


def _after_returns(bought: Purchases, rule: ReturnsRule) -> Purchases:
    """Take returns off the purchases of the customers who made them."""
    import pandas as pd

    if not bought.rows.negative:
        return bought
    frame = bought.orders.with_returns()
    days = frame["day"].to_numpy(dtype="datetime64[D]")
    customer, _ = pd.factorize(frame[KEY])
    amount = frame["amount"].to_numpy(dtype=np.float64)
    settled = settle(customer.astype(np.int64), days.astype(np.int64), amount, rule)
    kept = frame.assign(amount=settled.amount)[settled.purchase]
    cancelled = (amount >= 0) & ~settled.purchase
    since = int((cancelled & _since(days, bought.start)).sum())
    rows = _counted(
        bought.rows, settled, cancelled_since=since, cancelled_before=int(cancelled.sum()) - since
    )
    return replace(bought, orders=bought.orders.replaced(kept), rows=rows)


def _since(days: DayArray, start: date | None) -> NDArray[np.bool_]:
    included: NDArray[np.bool_] = days >= np.datetime64(start or date.min, "D")
    return included


def _counted(rows: RowCounts, settled: Settled, *, cancelled_since: int, cancelled_before: int) -> RowCounts:
    return replace(
        rows,
        matched=settled.matched,
        netted=settled.netted,
        unmatched=settled.unmatched,
        dropped=settled.dropped,
        unmatched_amount=settled.unmatched_amount,
        cancelled=cancelled_since + cancelled_before,
        used=rows.used - cancelled_since,
        before=rows.before - cancelled_before,
    )


def checked(transactions: Transactions) -> Transactions:
    """Give the columns that count, with ids and days as such.

    Raises
    ------
    DataError
        E303 for every missing column, E304 where ids, days or amounts are of another kind.
    """
    import pandas as pd

    columns = list(transactions.columns)
    absent = [name for name in COLUMNS if name not in columns]
    raise_findings([missing_column(name, columns, "orders") for name in absent], DataError)
    if not isinstance(transactions, pd.DataFrame):
        return transactions
    ids, days, amounts = (transactions[name] for name in COLUMNS)
    if pd.api.types.is_bool_dtype(amounts) or not pd.api.types.is_numeric_dtype(amounts):
        raise DataError(_other_kind("amount", amounts.dtype, "numbers"))
    found = (as_text(ids), _as_days(days), amounts)
    # without a copy: a long log would be in memory twice
    return pd.DataFrame(dict(zip(COLUMNS, found, strict=True)), index=transactions.index, copy=False)


def missing_column(name: str, columns: Iterable[object], table: str) -> Finding:
    """Give the fault of a table without a column it needs."""
    names = [str(column) for column in columns]
    near = closest(name, names)
    fix = f"did you mean {quoted(near)}?" if near else f"columns: {', '.join(names)}"
    return Finding("E303", None, f"the {table} have no column {quoted(name)}", fix)


def _other_kind(name: str, dtype: object, expected: str) -> Finding:
    return Finding("E304", None, f"{quoted(name)} is of type {dtype}", f"{expected} are expected")


def as_text(ids: pd.Series[Any]) -> pd.Series[Any]:
    """Give ids as text; whole numbers without a decimal point, missing ones stay missing.

    Raises
    ------
    DataError
        E304 for numbers that are not whole.
    """
    import pandas as pd

    if pd.api.types.is_float_dtype(ids.dtype):
        try:
            ids = ids.astype("Int64")
        except (TypeError, ValueError):
            raise DataError(_other_kind(KEY, ids.dtype, "texts or whole numbers")) from None
    if str(ids.dtype) in {"str", "string"}:
        return ids
    text = _arrow_text(ids) if ids.dtype == object else None
    return ids.astype("string") if text is None else text


def _arrow_text(ids: pd.Series[Any]) -> pd.Series[Any] | None:
    """Give texts among objects as Arrow's, in one pass through them; None where others are among them."""
    import pandas as pd
    import pyarrow as pa

    try:
        text = pa.array(ids.to_numpy(), pa.large_string(), from_pandas=True)
    except (pa.ArrowException, ValueError):
        return None
    return pd.Series(pd.arrays.ArrowStringArray(text), index=ids.index, name=ids.name)


def _as_days(days: pd.Series[Any]) -> pd.Series[Any]:
    """Give local days without a time zone."""
    import pandas as pd

    if isinstance(days.dtype, pd.DatetimeTZDtype):
        local: pd.Series[Any] = days.dt.tz_localize(None)
        return local
    if pd.api.types.is_datetime64_dtype(days.dtype):
        return days
    if pd.api.types.infer_dtype(days, skipna=True) in {"date", "datetime"}:
        return pd.to_datetime(days)
    raise DataError(_other_kind("ordered_on", days.dtype, "days, as pandas.to_datetime gives them,"))


def _day(value: Any) -> date:  # noqa: ANN401 - a day as an engine gives it
    # a datetime is a date to Python, but compares with days as a time
    return value.date() if isinstance(value, datetime) else date.fromisoformat(str(value)[:10])
