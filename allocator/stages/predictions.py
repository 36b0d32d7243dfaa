"""Predictions of what customers buy: from orders to a value of every customer, at any day of the past."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from allocator.customers.summary import CustomerSummary, summarise
from allocator.errors import DataError, Finding, Origin, raise_findings
from allocator.models.clv import ClvForecast, fit_clv
from allocator.models.retention.activity import Activity
from allocator.quantities import Duration, count
from allocator.scenario.schema import Scenario
from allocator.stages.reading import Tables

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
IdArray = NDArray[np.object_]

DAYS_PER_WEEK = 7.0
A_YEAR = Duration(12, "months")
LATE, TOO_LATE = 7, 60
"""Days without any order before the as-of day: from where it is said, and from where it is refused."""


@dataclass(frozen=True)
class Terms:
    """What turns purchases into value: how far ahead, with which margin, discounted how (per year)."""

    horizon_weeks: float
    margin: float
    discount_rate: float

    @classmethod
    def of(cls, scenario: Scenario) -> Terms:
        """Give those of a scenario; without a margin value is revenue."""
        goal = scenario.objective
        window = goal.value_window or A_YEAR
        margin = 1.0 if goal.margin is None else goal.margin
        return cls(window.days / DAYS_PER_WEEK, margin, goal.discount_rate or 0.0)

    def value(self, model: ClvForecast, summary: CustomerSummary) -> FloatArray:
        """Give every customer's expected value over the horizon, in money."""
        return model.clv(
            summary,
            horizon_weeks=self.horizon_weeks,
            margin=self.margin,
            discount_rate=self.discount_rate,
        )

    def residual(self, model: ClvForecast, summary: CustomerSummary, wait_weeks: float) -> FloatArray:
        """Give what every customer is worth who is active after a wait, until the end of the horizon."""
        later = model.residual_value_if_active(
            summary,
            horizon_weeks=max(self.horizon_weeks - wait_weeks, 0.0),
            margin=self.margin,
            discount_rate=self.discount_rate,
            start_weeks=wait_weeks,
        )
        waited = (1 + self.discount_rate) ** (-wait_weeks * DAYS_PER_WEEK / 365.25)
        return np.asarray(later * waited)


@dataclass(frozen=True, eq=False)
class Predictions:
    """What customers with orders are expected to buy.

    Parameters
    ----------
    summary : CustomerSummary
        What they bought until the as-of day.
    model : ClvForecast
        Fitted to it.
    terms : Terms
    retention : Activity
        How the probability to buy again is told.
    findings : tuple of Finding
    """

    summary: CustomerSummary
    model: ClvForecast
    terms: Terms
    retention: Activity
    findings: tuple[Finding, ...] = ()

    @property
    def customer_id(self) -> IdArray:
        """Those with orders, ascending."""
        return self.summary.customer_id

    @cached_property
    def clv(self) -> FloatArray:
        """Expected value over the horizon, in money, aligned with `customer_id`."""
        return self.terms.value(self.model, self.summary)

    @property
    def p_any_purchase(self) -> FloatArray:
        """Probability of at least one purchase within the horizon."""
        return self.retention.score(self.model.purchases, self.summary, weeks=self.terms.horizon_weeks)

    def value_of(self, customer_id: IdArray) -> FloatArray:
        """Give the expected value of any customers; 0 for those without an order."""
        return looked_up(customer_id, self.customer_id, self.clv)


@dataclass(frozen=True, eq=False)
class Before:
    """What customers of a test were worth before it, aligned with the rows of its log."""

    value: FloatArray
    residual: FloatArray
    findings: tuple[Finding, ...] = field(default=())


def predict(scenario: Scenario, tables: Tables) -> Predictions:
    """Fit the models of customer value to the orders until the as-of day.

    Raises
    ------
    DataError
        When no order is left, the as-of day is long after the last one, or the models cannot be fitted.
    """
    late = list(_silence(scenario, tables))
    raise_findings(late, DataError)
    population = tables.customers.data if tables.customers else None
    summary = summary_of(scenario, tables)(as_of=scenario.models.as_of, customers=population)
    model = fit_clv(scenario.models.clv, summary)
    where = scenario.origin_of("data.transactions")
    findings = (*late, *summary.rows.findings(where), *_unused(tables, where), *model.warnings)
    return Predictions(summary, model, Terms.of(scenario), scenario.models.retention, findings)


def predict_before(scenario: Scenario, tables: Tables, log: pd.DataFrame) -> Before:
    """Predict every row of a contact log from orders before its contact alone.

    The models are fitted once, to the orders before the earliest contact; customers are summarised on the
    day before their own. A customer without an earlier order is worth 0.

    Parameters
    ----------
    scenario : Scenario
    tables : Tables
        With orders.
    log : DataFrame
        ``customer_id`` and ``contacted_on`` of every row.
    """
    summarised = summary_of(scenario, tables)
    days = log["contacted_on"].to_numpy(dtype="datetime64[D]")
    first = _day_before(days.min())
    model = fit_clv(scenario.models.clv, summarised(as_of=first))
    terms = Terms.of(scenario)
    ids = log["customer_id"].to_numpy(dtype=object)
    value, residual = np.zeros(len(log)), np.zeros(len(log))
    window = scenario.data.experiments.window if scenario.data.experiments else None
    wait = window.days / DAYS_PER_WEEK if window else 0.0
    known = 0
    for day in np.unique(days):
        at = np.flatnonzero(days == day)
        try:
            past = summarised(as_of=_day_before(day), customers=ids[at])
        except DataError as error:
            if any(finding.code != "E305" for finding in error.findings):
                raise
            continue  # nobody contacted on this day had ordered before
        value[at] = looked_up(ids[at], past.customer_id, terms.value(model, past))
        residual[at] = looked_up(ids[at], past.customer_id, terms.residual(model, past, wait))
        known += int(looked_up(ids[at], past.customer_id, np.ones(len(past))).sum())
    return Before(value, residual, tuple(_strangers(len(log) - known, len(log))))


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


def summary_of(scenario: Scenario, tables: Tables) -> partial[CustomerSummary]:
    """Give the function that summarises the scenario's orders."""
    if tables.transactions is None:
        raise DataError(Finding("E209", scenario.origin_of("data"), "no orders are given"))
    options = scenario.data.transactions
    returns = (options.returns if options else None) or "match"
    return partial(summarise, tables.transactions.data, returns=returns)


def expected_purchases(model: ClvForecast, summary: CustomerSummary, weeks: float) -> FloatArray:
    """Give the purchase days expected of every customer in the next `weeks`."""
    patterns = summary.patterns()
    each = model.purchases.expected_purchases(
        weeks, patterns.frequency, patterns.recency_weeks, patterns.age_weeks
    )
    return np.asarray(each[patterns.inverse])


def looked_up(wanted: IdArray, known: IdArray, values: FloatArray) -> FloatArray:
    """Give the value of every `wanted` id, 0 where it is not known; `known` is ascending."""
    if not len(known):
        return np.zeros(len(wanted))
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[place] == wanted, values[place], 0.0)


def _day_before(day: np.datetime64) -> date:
    found: date = day.astype("datetime64[D]").astype(object)
    return found - timedelta(days=1)
