"""What was known of the customers of a test before it touched them; nothing later may sort them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from allocator.errors import DataError, Finding, raise_findings
from allocator.quantities import count, quoted
from allocator.response.curves import ALL
from allocator.scenario.references import PREDICTED
from allocator.scenario.schema import Scenario
from allocator.stages.customers import Customers, ids_of, numbers
from allocator.stages.predictions import Before, predict_before
from allocator.stages.reading import Tables

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
IdArray = NDArray[np.object_]

UNKNOWN_SHARE = 0.2  # of the experiment's customers that no table may list, before the ids must be wrong


@dataclass(frozen=True, eq=False)
class History:
    """What was known of the customers of a test before their contact, aligned with the rows of its log.

    Parameters
    ----------
    tier : array of str, shape (rows,)
        By the cut-offs of the plan's population.
    residual : array of float, shape (rows,)
        What a customer who is active at the end of the test's window is worth from then on, more than one
        who is lost, in money; 0 without orders.
    value : array of float, shape (rows,)
        What the customer was expected to bring, in money; 0 where nothing asks for it.
    findings : tuple of Finding
    """

    tier: IdArray
    residual: FloatArray
    value: FloatArray
    findings: tuple[Finding, ...] = ()


def history(scenario: Scenario, tables: Tables, customers: Customers, log: pd.DataFrame) -> History:
    """Give the tier that every customer of a contact log belonged to before the contact.

    Parameters
    ----------
    scenario : Scenario
    tables : Tables
    customers : Customers
        The plan's population, whose cut-offs are used.
    log : DataFrame
        Rows of the experiment.

    Raises
    ------
    DataError
        E312 when predictions need to know when customers were contacted, E303 when they need to know who.
    """
    by = scenario.tiers.by if scenario.tiers else None
    strangers = list(_strangers(scenario, tables, log))
    raise_findings(strangers, DataError)
    before = Before(np.zeros(len(log)), np.zeros(len(log)))
    if by == PREDICTED or "retained" in log:
        raise_findings(list(need_contacts(scenario, log.columns)), DataError)
        _need_days(log)
        chosen = customers.predictions.valued.forecast.model if customers.predictions else ""
        before = predict_before(scenario, tables, log, chosen)
    if customers.assignment is None or by is None:
        return History(np.full(len(log), ALL, dtype=object), before.residual, before.value, tuple(strangers))
    raise_findings(list(need_sorting(scenario, log.columns)), DataError)
    values = before.value if by == PREDICTED else numbers(log, by)
    tier = customers.assignment.place(values, ids_of(log).tolist())
    return History(tier, before.residual, before.value, (*strangers, *before.findings))


def _strangers(scenario: Scenario, tables: Tables, log: pd.DataFrame) -> Iterator[Finding]:
    """Find customers of the experiment that `data.customers` does not list.

    A table that stands for more customers than it has rows leaves the others to the orders.
    """
    if tables.customers is None or "customer_id" not in log:
        return
    listed, orders = tables.customers.data, tables.transactions
    ids = log["customer_id"].drop_duplicates()
    absent = ~ids.isin(listed["customer_id"])
    stated = scenario.data.customers.population if scenario.data.customers else None
    places = "data.customers"
    if stated is not None and stated > len(listed):
        if orders is None:
            return
        absent &= ~ids.isin(orders.data["customer_id"])
        places = "data.customers or data.transactions"
    missing = int(absent.sum())
    if missing:
        what = f"{count(missing)} of {count(len(ids))} customers of the experiment are not in {places}"
        fix = f"such as {quoted(str(ids[absent].iloc[0]))}; are ids written alike in all tables?"
        code = "E304" if missing > UNKNOWN_SHARE * len(ids) else "W415"
        yield Finding(code, scenario.origin_of("data.experiments.path"), what, fix)


def need_contacts(scenario: Scenario, columns: Collection[str]) -> Iterator[Finding]:
    """Find a log that does not tell who was contacted when, which predictions before the contact need.

    Parameters
    ----------
    scenario : Scenario
    columns : collection of str
        Our names of the columns the log has.
    """
    where = scenario.origin_of("data.experiments.path")
    if "customer_id" not in columns:
        what = "the experiment does not say who its customers are, so their orders are not known"
        fix = "write columns: {customer_id: the file's name}, or sort tiers by a column of the experiment"
        yield Finding("E303", where, what, fix)
    if "contacted_on" not in columns:
        what = "the days of the contacts are not known, so no order can be told to be earlier"
        fix = "write columns: {contacted_on: the file's name}; control rows need the day as well"
        yield Finding("E312", where, what, fix)


def need_sorting(scenario: Scenario, columns: Collection[str]) -> Iterator[Finding]:
    """Find a log without the column that tiers are sorted by, as it was before the contact.

    Looked up in `data.customers`, the column might hold what came after the contact, and its outcome with it.

    Parameters
    ----------
    scenario : Scenario
    columns : collection of str
        Our names of the columns the log has.
    """
    by = scenario.tiers.by if scenario.tiers else PREDICTED
    if by != PREDICTED and by not in columns:
        what = f"the experiment lacks the column {quoted(by)} that tiers are sorted by"
        fix = "add it as it was before the contact; what is known today may hold the outcome of the test"
        yield Finding("E312", scenario.origin_of("tiers.by"), what, fix)


def _need_days(log: pd.DataFrame) -> None:
    """Refuse rows without the day of their contact."""
    missing = int(log["contacted_on"].isna().sum())
    if missing:
        what = f"the day of the contact is missing for {count(missing)} of {count(len(log))} customers"
        fix = "control rows need it as well: the day on which the others were contacted"
        raise DataError(Finding("E312", None, what, fix))
