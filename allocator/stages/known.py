"""What is known of customers that an effect may depend on: before their test, and today."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from allocator.errors import DataError, Finding
from allocator.models.uplift.covariates import Design, design
from allocator.response.curves import ALL
from allocator.scenario.schema import Scenario
from allocator.stages.customers import Customers, each_once, ids_of
from allocator.stages.history import History
from allocator.stages.predictions import order_log
from allocator.stages.reading import Tables

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
IdArray = NDArray[np.object_]
Codes = NDArray[np.intp]

FROM_ORDERS = (
    "frequency", "age_weeks", "since_last_weeks", "since_last_gaps", "repeats_per_week", "mean_value",
    "last_value", "purchases_last_13_weeks", "purchases_last_52_weeks", "value_last_52_weeks",
)  # fmt: skip
"""Of what orders tell, what a response may hang on: rhythm, recency, money."""


@dataclass(frozen=True, eq=False)
class Known:
    """Customers of the test as they were before it, customers of the plan as they are, in the same columns.

    Parameters
    ----------
    names : tuple of str
        What an effect may depend on: known of both.
    tested : array, shape (rows of the log, p)
    planned : array, shape (customers of the plan, p)
    adjusters : array, shape (rows of the log, q)
        Covariates of the test that nobody knows of the customers of the plan.
    customer_id : array of str, shape (customers of the plan,)
    tier : int array, shape (customers of the plan,)
        By its place among the scenario's.
    row : int array, shape (customers of the plan,)
        The row of the log each stood in, -1 for those who were in no test.
    share_in_tables : float
        Customers in the tables per customer of the plan.
    findings : tuple of Finding
    """

    names: tuple[str, ...]
    tested: FloatArray
    planned: FloatArray
    adjusters: FloatArray
    customer_id: IdArray
    tier: Codes
    row: Codes
    share_in_tables: float = 1.0
    findings: tuple[Finding, ...] = ()

    def pick(self, rows: Codes) -> Known:
        """Keep some rows of the log; customers of the plan who stood in another become strangers."""
        place = np.full(len(self.tested) + 1, -1)  # the last one is for strangers
        place[rows] = np.arange(len(rows))
        return replace(
            self, tested=self.tested[rows], adjusters=self.adjusters[rows], row=place[self.row], findings=()
        )


def what_is_known(
    scenario: Scenario, tables: Tables, customers: Customers, log: pd.DataFrame, before: History
) -> Known:
    """Gather what tells customers apart, of the log's customers and of the plan's.

    From orders until the day before the contact, and until the as-of day; attributes of `data.customers`;
    covariates of the test that `data.customers` has as well, or all of them where the plan is for the
    customers of the test.

    Parameters
    ----------
    scenario : Scenario
    tables : Tables
    customers : Customers
    log : DataFrame
        Rows of the experiment, with their ids in ``customer``.
    before : History
        Of the log's customers.
    """
    import pandas as pd

    ids = customers.customer_id
    parts = [
        _from_orders(scenario, tables, log, ids),
        _predicted(customers, before),
        _attributes(scenario, tables, log, ids),
        _covariates(scenario, tables, log, ids),
    ]
    tested = pd.concat([one for one, _ in parts], axis=1)
    planned = pd.concat([other for _, other in parts], axis=1)
    joined = _in_columns(tested, planned)
    told = np.ptp(joined.columns[: len(log)], axis=0) > 0 if len(joined.names) else np.zeros(0, dtype=bool)
    names = tuple(name for name, tells in zip(joined.names, told, strict=True) if tells)
    rest = [name for name in _stated(scenario) if name not in planned]
    return Known(
        names=names,
        tested=joined.columns[: len(log), told],
        planned=joined.columns[len(log) :, told],
        adjusters=design(log[rest] if rest else None, len(log)).columns,
        customer_id=ids,
        tier=_tier_codes(scenario, customers),
        row=_rows(log, ids),
        share_in_tables=len(ids) / customers.population if customers.population else 1.0,
        findings=() if tables.transactions is not None else tuple(_unknown_today(scenario, rest)),
    )


def _in_columns(tested: pd.DataFrame, planned: pd.DataFrame) -> Design:
    """Give both tables as numbers in the same columns; a missing number is the mean of the test alone."""
    import pandas as pd

    table = pd.concat([tested, planned], ignore_index=True)
    made = design(table, len(table))
    columns = made.columns.copy()
    for place, name in enumerate(made.names):
        if name not in table or table[name].dtype.kind not in "iuf":
            continue
        values = table[name].to_numpy(dtype=np.float64, na_value=np.nan)
        known = np.isfinite(values)
        if known[: len(tested)].any():
            columns[~known, place] = values[: len(tested)][known[: len(tested)]].mean()
    return replace(made, columns=columns)


def _stated(scenario: Scenario) -> tuple[str, ...]:
    experiments = scenario.data.experiments
    return experiments.covariates if experiments else ()


def _tier_codes(scenario: Scenario, customers: Customers) -> Codes:
    if customers.assignment is None:
        return np.zeros(len(customers.customer_id), dtype=np.intp)
    return codes_of(customers.assignment.tier, scenario.tier_names)


def codes_of(tier: IdArray, names: tuple[str, ...]) -> Codes:
    """Give tiers by their place among `names`."""
    place = {name: code for code, name in enumerate(names or (ALL,))}
    return np.array([place[str(name)] for name in tier], dtype=np.intp)


def _rows(log: pd.DataFrame, ids: IdArray) -> Codes:
    """Give the first row of the log of every customer, -1 where there is none."""
    import pandas as pd

    first = log["customer"].drop_duplicates()
    places = pd.Series(first.index, index=first.to_numpy())
    return np.asarray(places.reindex(ids).fillna(-1).to_numpy(dtype=np.intp))


Pair = tuple["pd.DataFrame", "pd.DataFrame"]


def _nothing(log: pd.DataFrame, ids: IdArray) -> Pair:
    import pandas as pd

    return pd.DataFrame(index=range(len(log))), pd.DataFrame(index=range(len(ids)))


def _from_orders(scenario: Scenario, tables: Tables, log: pd.DataFrame, ids: IdArray) -> Pair:
    """Give what orders tell of customers before their contact and today, on a log scale."""
    if tables.transactions is None or not {"customer_id", "contacted_on"} <= set(log.columns):
        return _nothing(log, ids)
    orders = replace(order_log(scenario, tables), population=None, attributes=None)
    days = log["contacted_on"].to_numpy(dtype="datetime64[D]")
    tested = _nothing(log, ids)[0].reindex(columns=list(FROM_ORDERS)).astype(np.float64)
    for day in np.unique(days):
        at = np.flatnonzero(days == day)
        found = _features(orders, _day_before(day), log["customer"].to_numpy(dtype=object)[at])
        if found is not None:
            tested.iloc[at] = found.to_numpy()
    today = _features(orders, scenario.models.as_of, ids)
    planned = _nothing(log, ids)[1].reindex(columns=list(FROM_ORDERS)) if today is None else today
    return _log_scale(tested), _log_scale(planned.reset_index(drop=True))


def _features(orders: object, day: date | None, ids: IdArray) -> pd.DataFrame | None:
    """Give the features of some customers on a day, missing for those without an order by then."""
    try:
        past = orders.until(day).of(ids)  # type: ignore[attr-defined]
    except DataError as error:
        if any(finding.code != "E305" for finding in error.findings):
            raise
        return None
    table: pd.DataFrame = past.features[list(FROM_ORDERS)]
    return table.reindex(ids)


def _log_scale(table: pd.DataFrame) -> pd.DataFrame:
    """Bring a few very large customers nearer; nothing here is negative but sums after returns."""
    values = table.to_numpy(dtype=np.float64)
    return type(table)(np.log1p(np.maximum(values, 0.0)), columns=table.columns)


def _predicted(customers: Customers, before: History) -> Pair:
    """Give the predicted value, where tiers are cut by it."""
    import pandas as pd

    if customers.predictions is None or not np.any(before.value):
        return pd.DataFrame(index=range(len(before.value))), pd.DataFrame(
            index=range(len(customers.customer_id))
        )
    now = customers.predictions.value_of(customers.customer_id)
    columns = [np.log1p(np.maximum(values, 0.0)) for values in (before.value, now)]
    return pd.DataFrame({"predicted_clv": columns[0]}), pd.DataFrame({"predicted_clv": columns[1]})


def _attributes(scenario: Scenario, tables: Tables, log: pd.DataFrame, ids: IdArray) -> Pair:
    """Give what never changes of a customer, by id."""
    options, table = scenario.data.customers, tables.customers
    if table is None or options is None or not options.attributes or "customer_id" not in log:
        return _nothing(log, ids)
    known = table.data.set_index("customer_id")[list(options.attributes)]
    return tuple(  # type: ignore[return-value]
        known.reindex(who).reset_index(drop=True) for who in (log["customer"].to_numpy(dtype=object), ids)
    )


def _covariates(scenario: Scenario, tables: Tables, log: pd.DataFrame, ids: IdArray) -> Pair:
    """Give the covariates of the test that are known of the plan's customers as well."""
    stated = list(_stated(scenario))
    if tables.customers is not None:
        options = scenario.data.customers
        taken = set(options.attributes) if options else set()
        shared = [name for name in stated if name in tables.customers.data.columns and name not in taken]
        today = tables.customers.data.set_index("customer_id")[shared].reindex(ids)
        return log[shared], today.reset_index(drop=True)
    if tables.transactions is not None or not stated:
        return _nothing(log, ids)
    whole = tables.experiments.data if tables.experiments else log
    once = each_once(whole)
    planned = once[stated].set_index(ids_of(once)).reindex(ids)
    return log[stated], planned.reset_index(drop=True)


def _unknown_today(scenario: Scenario, rest: list[str]) -> Iterator[Finding]:
    if rest:
        what = f"{', '.join(rest)} of the test are not known of the customers of the plan"
        fix = "they narrow the errors; to choose customers by them, add the columns to data.customers"
        yield Finding("W429", scenario.origin_of("data.experiments.covariates"), what, fix)


def _day_before(day: np.datetime64) -> date:
    found: date = day.astype("datetime64[D]").astype(object)
    return found - timedelta(days=1)
