"""What models learn from, of every customer, as it was known on a day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from allocator.customers.engines import KEY, Orders
from allocator.customers.purchase_days import MONEY_DIGITS, PurchaseDays, days_of, places
from allocator.customers.purchases import as_text, checked, prepare
from allocator.customers.returns import ReturnsRule
from allocator.customers.summary import DAYS_PER_WEEK, CustomerSummary, IdArray

if TYPE_CHECKING:
    import pandas as pd

    from allocator.customers.engines import Transactions

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Columns = dict[str, Any]

WINDOWS_WEEKS = (4, 13, 26, 52)
SEASONS = ("winter", "spring", "summer", "autumn")


def features(
    summary: CustomerSummary,
    transactions: Transactions,
    *,
    returns: ReturnsRule = "match",
    attributes: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Give one row a customer of a summary, from orders until its as-of day alone.

    What cannot be known of a customer (the gap of one who bought once) is missing. Money is after returns.

    * how often, how long: ``frequency``, ``recency_weeks`` (first to last purchase), ``age_weeks``,
      ``since_last_weeks``, ``mean_gap_weeks``, ``gap_spread_weeks`` (standard deviation, of two or more),
      ``since_last_gaps`` (in mean gaps);
    * money: ``mean_value``, ``total_value``, ``last_value``, ``largest_value``, ``value_spread``;
    * lately: ``purchases_last_4_weeks``, ``value_last_4_weeks``, and of 13, 26 and 52 weeks;
      ``purchases_trend`` and ``value_trend``: of the later half of the customer's life less of the earlier
      one, over both;
    * free of the length of the history, so that what was learned at an earlier day holds today:
      ``repeats_per_week``, ``value_per_week``, ``recency_share`` and ``since_last_share`` of age, and
      ``log_..._value``, logs of 1 + money;
    * when: ``first_month`` ("01" to "12"), ``first_season`` (winter from December), both texts;
    * variety, where orders have them: ``n_categories``, ``main_category_share``, ``main_channel`` and its
      ``main_channel_share``, of rows of purchases before returns;
    * returns: ``n_returns``, ``returned_share`` of the money of purchases before returns;
    * attributes by id, days as weeks until the as-of day; one named as a column above ends in ``_attribute``.

    Parameters
    ----------
    summary : CustomerSummary
        Of the same transactions and rule for returns, without a `start`.
    transactions : DataFrame or Ibis table
        ``customer_id``, ``ordered_on``, ``amount``, and perhaps ``category`` and ``channel``.
    returns : {"match", "net", "drop"}
    attributes : DataFrame, optional
        ``customer_id``, each once, and any columns.

    Returns
    -------
    DataFrame
        Index ``customer_id``, that of the summary. Time is in weeks of exact days / 7.

    Examples
    --------
    >>> import pandas as pd
    >>> from datetime import date
    >>> from allocator.customers.summary import summarise
    >>> orders = pd.DataFrame({"customer_id": ["a", "b", "a"], "amount": [20.0, 5.0, 30.0],
    ...                        "ordered_on": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-15"])})
    >>> table = features(summarise(orders, as_of=date(2026, 1, 29)), orders)
    >>> table[["frequency", "since_last_weeks", "repeats_per_week", "last_value"]].loc["a"].tolist()
    [1.0, 2.0, 0.25, 30.0]
    """
    ready = prepare(transactions, summary.customer_id)
    orders = ready.until(summary.as_of, returns)
    days = days_of(orders, summary.as_of, has_returns=ready.has_returns)
    return features_of(days, transactions, attributes=attributes)


def features_of(
    days: PurchaseDays, transactions: Transactions, *, attributes: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Give the same of customers whose purchase days are known."""
    import pandas as pd

    columns = {**_rhythm(days), **_money(days), **_lately(days), **_when(days)}
    columns |= _scale_free(columns)
    columns |= _from_rows(days, transactions)
    table = pd.DataFrame(columns, index=pd.Index(days.customer_id, name=KEY))
    return table if attributes is None else _with_attributes(table, attributes, days.today)


def _rhythm(days: PurchaseDays) -> Columns:
    frequency = (days.count - 1).astype(np.float64)
    recency = (days.day[days.last] - days.day[days.first]) / DAYS_PER_WEEK
    since = (days.today - days.day[days.last]) / DAYS_PER_WEEK
    mean_gap = _ratio(recency, frequency)
    gaps = np.diff(days.day, prepend=0) / DAYS_PER_WEEK
    gaps[days.first] = 0.0
    squares = _ratio(days.total(gaps**2), frequency) - mean_gap**2
    spread = np.where(frequency >= 2, np.sqrt(np.maximum(squares, 0.0)), np.nan)
    return {
        "frequency": frequency,
        "recency_weeks": recency,
        "age_weeks": days.age_weeks,
        "since_last_weeks": since,
        "mean_gap_weeks": mean_gap,
        "gap_spread_weeks": spread.round(MONEY_DIGITS),
        "since_last_gaps": _ratio(since, mean_gap),
    }


def _money(days: PurchaseDays) -> Columns:
    total = days.total(days.value)
    mean = total / days.count
    variance = days.total((days.value - mean[days.customer]) ** 2) / days.count
    return {
        "mean_value": mean,
        "total_value": total,
        "last_value": days.value[days.last],
        "largest_value": np.maximum.reduceat(days.value, days.first),
        "value_spread": np.sqrt(variance).round(MONEY_DIGITS),
    }


def _lately(days: PurchaseDays) -> Columns:
    columns: Columns = {}
    for weeks in WINDOWS_WEEKS:
        recent = days.day > days.today - weeks * DAYS_PER_WEEK
        columns[f"purchases_last_{weeks}_weeks"] = days.total(recent)
        columns[f"value_last_{weeks}_weeks"] = days.total(recent * days.value)
    middle = (days.day[days.first] + days.today) / 2
    side = np.where(days.day > middle[days.customer], 1.0, -1.0)
    columns["purchases_trend"] = days.total(side) / days.count
    columns["value_trend"] = _ratio(days.total(side * days.value), days.total(days.value))
    return columns


def _when(days: PurchaseDays) -> Columns:
    months = days.day[days.first].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
    names = np.array([f"{month + 1:02d}" for month in range(12)], dtype=object)
    seasons = np.array([SEASONS[(month + 1) % 12 // 3] for month in range(12)], dtype=object)
    return {"first_month": names[months], "first_season": seasons[months]}


def _scale_free(columns: Columns) -> Columns:
    age = columns["age_weeks"]
    money = ("mean", "total", "last", "largest")
    return {
        "repeats_per_week": _ratio(columns["frequency"], age),
        "value_per_week": _ratio(columns["total_value"], age),
        "recency_share": _ratio(columns["recency_weeks"], age),
        "since_last_share": _ratio(columns["since_last_weeks"], age),
        **{f"log_{name}_value": np.log1p(columns[f"{name}_value"]) for name in money},
    }


def _from_rows(days: PurchaseDays, transactions: Transactions) -> Columns:
    """Give what the purchases after returns do not tell."""
    texts = [name for name in ("category", "channel") if name in transactions.columns]
    none = np.zeros(len(days.customer_id))
    columns = {"n_returns": none, "returned_share": none}
    if not (texts or days.has_returns):
        return columns
    orders = Orders.of(_with_texts(transactions, texts), texts)
    orders = orders.known(days.customer_id).until(days.as_of)
    if days.has_returns:
        columns = _returned(orders, days.customer_id)
    for name in texts:
        columns |= dict(_variety(orders.by_text(name), days.customer_id, name))
    return columns


def _with_texts(transactions: Transactions, texts: list[str]) -> Transactions:
    import pandas as pd

    if not isinstance(transactions, pd.DataFrame):
        return transactions
    columns = {name: transactions[name].astype("string") for name in texts}
    return checked(transactions).assign(**columns)


def _returned(orders: Orders, ids: IdArray) -> Columns:
    table = orders.returned()
    place = places(table, ids)
    number, share = np.zeros((2, len(ids)))
    number[place] = table["n_returns"].to_numpy(dtype=np.float64)
    bought = table["bought"].to_numpy(dtype=np.float64)
    share[place] = _ratio(table["returned"].to_numpy(dtype=np.float64), bought).round(MONEY_DIGITS)
    return {"n_returns": number, "returned_share": share}


def _variety(table: pd.DataFrame, ids: IdArray, name: str) -> Iterator[tuple[str, Any]]:
    """Give columns from one row a customer and text, the main one first."""
    place = places(table, ids)
    n_rows = table["n_rows"].to_numpy(dtype=np.float64)
    first = np.flatnonzero(np.diff(place, prepend=-1))
    share = np.full(len(ids), np.nan)
    share[place[first]] = (n_rows / np.bincount(place, weights=n_rows, minlength=len(ids))[place])[first]
    main = np.full(len(ids), None, dtype=object)
    main[place[first]] = table["text"].to_numpy(dtype=object)[first]
    if name == "category":
        yield "n_categories", np.bincount(place, minlength=len(ids)).astype(np.float64)
    else:
        yield f"main_{name}", main
    yield f"main_{name}_share", share


def _with_attributes(table: pd.DataFrame, attributes: pd.DataFrame, as_of: int) -> pd.DataFrame:
    import pandas as pd

    columns = (
        attributes.drop(columns=KEY)
        .set_axis(as_text(attributes[KEY]).astype(str))
        .reindex(table.index.astype(str))
    )
    for name in columns:
        if pd.api.types.is_datetime64_any_dtype(columns[name]):
            day = columns[name].to_numpy(dtype="datetime64[D]")
            weeks = (as_of - day.astype(np.int64)) / DAYS_PER_WEEK
            columns[name] = np.where(np.isnat(day), np.nan, weeks)
    names = {name: f"{name}_attribute" if str(name) in table else str(name) for name in columns}
    return table.join(columns.rename(columns=names).set_axis(table.index))


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Give NaN where the whole is 0."""
    ratio: FloatArray = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return ratio
