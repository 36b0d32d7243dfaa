"""Predictions of what customers buy: from orders to a value of every customer, at any day of the past."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from allocator.customers.past import OrderLog, Snapshot
from allocator.customers.summary import CustomerSummary
from allocator.errors import DataError, Finding, Origin, raise_findings
from allocator.models.clv.auto import Auto, Blend, as_chosen
from allocator.models.clv.forecast import CustomerForecast, ValueTerms, clv, clv_if_active
from allocator.models.clv.origins import Tell, quiet
from allocator.models.clv.record import ForecastRecord
from allocator.quantities import Duration, count
from allocator.scenario.schema import Scenario
from allocator.stages.kept import RetentionRecord, Store, Valued, key_of
from allocator.stages.reading import Tables

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
IdArray = NDArray[np.object_]

DAYS_PER_WEEK = 7.0
A_YEAR = Duration(12, "months")
LATE, TOO_LATE = 7, 60
"""Days without any order before the as-of day: from where it is said, and from where it is refused."""


@dataclass(frozen=True, eq=False)
class Learned:
    """A forecast with the customers it was learned from.

    Parameters
    ----------
    customers : Snapshot
        As they were known on the as-of day.
    forecast : CustomerForecast
    terms : ValueTerms
    """

    customers: Snapshot
    forecast: CustomerForecast
    terms: ValueTerms


@dataclass(frozen=True, eq=False)
class Predictions:
    """What customers with orders are expected to buy; arrays are aligned with `customer_id`.

    Parameters
    ----------
    valued : Valued
    findings : tuple of Finding
    learned : Learned or None
        None where the forecast was kept from an earlier run.
    """

    valued: Valued
    findings: tuple[Finding, ...] = ()
    learned: Learned | None = None

    @property
    def summary(self) -> CustomerSummary:
        """What they bought until the as-of day."""
        return self.valued.summary

    @property
    def customer_id(self) -> IdArray:
        """Those with orders, ascending."""
        return self.summary.customer_id

    @property
    def clv(self) -> FloatArray:
        """Expected value over the horizon, in money."""
        return np.asarray(self.valued.columns["clv"])

    @property
    def clv_if_active(self) -> FloatArray:
        """Give the same of customers known to be active: what keeping one is worth, as one lost brings 0."""
        return np.asarray(self.valued.columns["clv_if_active"])

    @property
    def p_any_purchase(self) -> FloatArray:
        """Probability of at least one purchase within the horizon."""
        return np.asarray(self.valued.columns["p_any_purchase"])

    def value_of(self, customer_id: IdArray) -> FloatArray:
        """Give the expected value of any customers; 0 for those without an order."""
        return looked_up(customer_id, self.customer_id, self.clv)


@dataclass(frozen=True, eq=False)
class Before:
    """What customers of a test were worth before it, aligned with the rows of its log."""

    value: FloatArray
    residual: FloatArray
    findings: tuple[Finding, ...] = field(default=())


def value_terms(scenario: Scenario) -> ValueTerms:
    """Give how far ahead value counts, with which margin, discounted how; without a margin it is revenue."""
    goal = scenario.objective
    window = goal.value_window or A_YEAR
    margin = 1.0 if goal.margin is None else goal.margin
    return ValueTerms(window.days / DAYS_PER_WEEK, margin, goal.discount_rate or 0.0)


def order_log(scenario: Scenario, tables: Tables) -> OrderLog:
    """Give the scenario's orders, of its population, with what is known of it."""
    if tables.transactions is None:
        raise DataError(Finding("E209", scenario.origin_of("data"), "no orders are given"))
    options, listed = scenario.data.transactions, tables.customers
    names = scenario.data.customers.attributes if scenario.data.customers else ()
    return OrderLog(
        tables.transactions.data,
        (options.returns if options else None) or "match",
        population=listed.data if listed else None,
        attributes=listed.data[["customer_id", *names]] if listed and names else None,
    )


def learn(scenario: Scenario, tables: Tables, tell: Tell = quiet) -> Learned:
    """Let the models of customer value learn from the orders until the as-of day.

    Parameters
    ----------
    scenario : Scenario
    tables : Tables
    tell : callable
        Is told what is being tried.

    Raises
    ------
    DataError
        When no order is left, or no model can learn from them.
    """
    terms = value_terms(scenario)
    log = order_log(scenario, tables)
    past = log.until(scenario.models.as_of)
    customers = Snapshot(log.summary(past.as_of), past)
    model = scenario.models.clv
    if isinstance(model, Auto | Blend):
        return Learned(customers, model.learn(past, horizon_weeks=terms.horizon_weeks, tell=tell), terms)
    return Learned(customers, model.learn(past, horizon_weeks=terms.horizon_weeks), terms)


def predict(
    scenario: Scenario, tables: Tables, store: Store | None = None, tell: Tell = quiet
) -> Predictions:
    """Value every customer with orders.

    Parameters
    ----------
    scenario : Scenario
    tables : Tables
    store : Store, optional
        Where a forecast made before from the same data and options is looked up, else kept.
    tell : callable
        Is told what is being tried.

    Raises
    ------
    DataError
        As :func:`learn`, and when the as-of day is long after the last order.
    """
    late = list(_silence(scenario, tables))
    raise_findings(late, DataError)
    valued, learned = _from(store, scenario, tables, tell)
    where = scenario.origin_of("data.transactions")
    rows = valued.summary.rows.findings(where)
    return Predictions(valued, (*late, *rows, *_unused(tables, where), *valued.warnings), learned)


def _from(
    store: Store | None, scenario: Scenario, tables: Tables, tell: Tell
) -> tuple[Valued, Learned | None]:
    """Give what customers are worth, from the store where it is kept there."""
    key = key_of(*_ingredients(scenario, tables)) if store else ""
    found = store.get(key) if store else None
    if found is not None:
        return found, None
    learned = learn(scenario, tables, tell)
    valued = _valued(scenario, learned)
    if store is not None:
        store.put(key, valued)
    return valued, learned


def _valued(scenario: Scenario, learned: Learned) -> Valued:
    customers, forecast, terms = learned.customers, learned.forecast, learned.terms
    retained = scenario.models.retention.score(forecast, customers, weeks=terms.horizon_weeks)
    columns = {
        "clv": clv(forecast, customers, terms),
        "clv_if_active": clv_if_active(forecast, customers, terms),
        "p_any_purchase": retained.chance,
    }
    record = ForecastRecord.of(forecast, scenario.models.clv.name)
    retention = RetentionRecord(retained.model, retained.scores, retained.spreads)
    warnings = tuple(dict.fromkeys((*forecast.warnings, *retained.warnings)))
    return Valued(customers.summary, columns, terms, record, retention, warnings)


def _ingredients(scenario: Scenario, tables: Tables) -> Iterator[object]:
    """Give everything a forecast of customers is made from."""
    for name in ("transactions", "customers"):
        table, options = getattr(tables, name), getattr(scenario.data, name)
        if table is not None:
            yield name, table.sha256, options.model_dump(mode="json", exclude={"path"})
    models = scenario.models
    yield models.as_of, models.clv.model_dump(mode="json"), models.retention.model_dump(mode="json")
    yield astuple(value_terms(scenario))


def predict_before(scenario: Scenario, tables: Tables, log: pd.DataFrame, chosen: str) -> Before:
    """Predict every row of a contact log from orders before its contact alone.

    The model learns once, from the orders before the earliest contact; customers are seen as on the day
    before their own. A customer without an earlier order is worth 0.

    Parameters
    ----------
    scenario : Scenario
    tables : Tables
        With orders.
    log : DataFrame
        ``customer_id`` and ``contacted_on`` of every row.
    chosen : str
        The model that predicted the population, where the scenario leaves the choice open: values are cut by
        its thresholds, so they have to be of its kind.
    """
    # what attributes are today may hold what came of the contact
    orders = replace(order_log(scenario, tables), population=None, attributes=None)
    days = log["contacted_on"].to_numpy(dtype="datetime64[D]")
    terms = value_terms(scenario)
    first = orders.until(_day_before(days.min()))
    learned = as_chosen(scenario.models.clv, chosen).learn(first, horizon_weeks=terms.horizon_weeks)
    ids = log["customer_id"].to_numpy(dtype=object)
    value, residual = np.zeros(len(log)), np.zeros(len(log))
    window = scenario.data.experiments.window if scenario.data.experiments else None
    wait = window.days / DAYS_PER_WEEK if window else 0.0
    known = 0
    for day in np.unique(days):
        at = np.flatnonzero(days == day)
        try:
            past = orders.until(_day_before(day)).of(ids[at])
        except DataError as error:
            if any(finding.code != "E305" for finding in error.findings):
                raise
            continue  # nobody contacted on this day had ordered before
        value[at] = looked_up(ids[at], past.customer_id, clv(learned, past, terms))
        residual[at] = looked_up(ids[at], past.customer_id, _kept(learned, past, terms, wait))
        known += int(looked_up(ids[at], past.customer_id, np.ones(len(past))).sum())
    return Before(value, residual, tuple(_strangers(len(log) - known, len(log))))


def _kept(learned: CustomerForecast, customers: Snapshot, terms: ValueTerms, wait_weeks: float) -> FloatArray:
    """Give what every customer is worth who is active after a wait, until the end of the horizon."""
    left = max(terms.horizon_weeks - wait_weeks, 0.0)
    later = clv_if_active(learned, customers, replace(terms, horizon_weeks=left, start_weeks=wait_weeks))
    waited = (1 + terms.discount_rate) ** (-wait_weeks * DAYS_PER_WEEK / 365.25)
    return np.asarray(later * waited)


def _silence(scenario: Scenario, tables: Tables) -> Iterator[Finding]:
    """Find an as-of day so far after the last order that every customer looks as if gone."""
    as_of = scenario.models.as_of
    if as_of is None or tables.transactions is None:
        return
    last: date = tables.transactions.data["ordered_on"].max().date()
    days = (as_of - last).days
    if days > LATE:
        what = f"as_of lies {count(days)} days after the last order ({last}): customers look silent"
        fix = f"write as_of: {last}, or give the orders up to {as_of}"
        yield Finding("E106" if days > TOO_LATE else "W412", scenario.origin_of("models.as_of"), what, fix)


def _unused(tables: Tables, where: Origin | None) -> list[Finding]:
    """Say that orders state a margin of their own that value is not yet made of."""
    if tables.transactions is None or "margin" not in tables.transactions.data:
        return []
    what = "the margin of single orders is not used yet"
    return [Finding("W407", where, what, "value is revenue times objective.margin")]


def _strangers(unknown: int, rows: int) -> list[Finding]:
    if not unknown:
        return []
    what = f"{count(unknown)} of {count(rows)} customers of the test had no order before their contact"
    return [Finding("W407", None, what, "they count as customers of the lowest value")]


def looked_up(wanted: IdArray, known: IdArray, values: FloatArray) -> FloatArray:
    """Give the value of every `wanted` id, 0 where it is not known; `known` is ascending."""
    if not len(known):
        return np.zeros(len(wanted))
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[place] == wanted, values[place], 0.0)


def _day_before(day: np.datetime64) -> date:
    found: date = day.astype("datetime64[D]").astype(object)
    return found - timedelta(days=1)
