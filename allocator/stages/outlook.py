"""What a forecast says beyond one number a customer: how sure it is, who stays, when value comes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from allocator.customers.past import Snapshot
from allocator.errors import DataError, Finding
from allocator.models.base import IntArray
from allocator.models.clv.auto import ChosenForecast
from allocator.models.clv.forecast import TimingForecast
from allocator.models.clv.intervals import Expected, Intervals, Range, intervals
from allocator.models.clv.pareto_nbd import ParetoNbd
from allocator.models.clv.record import UNLEARNED, timing_of
from allocator.models.season import FittedSeason, Seasonality, calendar_edges, spread
from allocator.response.curves import ALL
from allocator.scenario.schema import Scenario
from allocator.stages.customers import Customers
from allocator.stages.predictions import DAYS_PER_WEEK, Learned, Predictions, looked_up

FloatArray = NDArray[np.float64]

MONTHS = 12
TRACKED_WEEKS = (1, 2, 4, 8, 13, 26, 39, 52)
WEEKS_PER_MONTH = 365.25 / 12 / 7


@dataclass(frozen=True)
class TierOutlook:
    """What is expected of a tier's customers with orders; money a head.

    Parameters
    ----------
    tier : str
    customers : int
        With orders, in the tables.
    clv, low, high : float
        Mean value over the horizon; 8 in 10 for what is not known of the model.
    outcome_low, outcome_high : float
        8 in 10 for what will come: model and chance.
    kept : float
        What a customer known to be active is worth: ``E[CLV | active] - E[CLV | lost]``.
    p_any_purchase : float
        Share expected to buy within the horizon.
    survival : tuple of float
        Share expected to be active now and after 1 to 12 months.
    """

    tier: str
    customers: int
    clv: float
    low: float
    high: float
    outcome_low: float
    outcome_high: float
    kept: float
    p_any_purchase: float
    survival: tuple[float, ...]


@dataclass(frozen=True)
class TierSeason:
    """When a tier's value comes.

    Parameters
    ----------
    tier : str
    index : tuple of float
        What a day of January to December is worth, over that of a mean month; all 1 where it is chance.
    starts : tuple of date
        First days of the calendar months of the horizon.
    values : tuple of float
        Margin expected in each, in money, not discounted.
    """

    tier: str
    index: tuple[float, ...]
    starts: tuple[date, ...] = ()
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class Trend:
    """Growth of repeat purchases a year, as a fraction, and its standard error."""

    per_year: float
    error: float


@dataclass(frozen=True, eq=False)
class Outlook:
    """How sure a forecast is, and when its value comes.

    Parameters
    ----------
    tiers : tuple of TierOutlook
    seasons : tuple of TierSeason
    mean, outcome : Range, shape (customers with orders,)
        Of every customer's value, as in :class:`TierOutlook`.
    expected : mapping of int to array, shape (customers with orders,)
        Revenue expected within so many weeks, to compare with what comes.
    trend : Trend or None
        Of all customers together.
    findings : tuple of Finding
    """

    tiers: tuple[TierOutlook, ...]
    seasons: tuple[TierSeason, ...]
    mean: Range
    outcome: Range
    expected: Mapping[int, FloatArray]
    trend: Trend | None = None
    findings: tuple[Finding, ...] = field(default=())


@dataclass(frozen=True, eq=False)
class _Grouped:
    """Customers with orders, and the place of each one's tier among the names."""

    names: tuple[str, ...]
    group: IntArray

    def __iter__(self) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        for number, name in enumerate(self.names):
            yield name, self.group == number


def look_ahead(scenario: Scenario, customers: Customers, learned: Learned) -> Outlook | None:
    """Draw what customers may bring, and follow each tier over time.

    Parameters
    ----------
    scenario : Scenario
    customers : Customers
    learned : Learned
        The forecast the customers were valued by.

    Returns
    -------
    Outlook or None
        None without orders.
    """
    made = customers.predictions
    if made is None:
        return None
    grouped = _grouped(scenario, customers, made)
    past = learned.customers.past
    try:
        weeks = learned.terms.horizon_weeks
        timing = timing_of(learned.forecast) or ParetoNbd().learn(past, horizon_weeks=weeks)
    except DataError:
        return None  # nothing was ever paid, so that there is no value to be unsure of
    drawn = _drawn(scenario, made, learned, timing, grouped)
    seasons = _seasons(scenario, learned, grouped)
    tiers = tuple(_tier_outlooks(made, grouped, drawn, _survival(timing, learned.customers)))
    expected = {
        weeks: learned.forecast.expected_revenue(learned.customers, float(weeks)) for weeks in TRACKED_WEEKS
    }
    trend, findings = _trend(learned.customers)
    return Outlook(tiers, seasons, drawn.mean, drawn.outcome, expected, trend, findings)


def _grouped(scenario: Scenario, customers: Customers, made: Predictions) -> _Grouped:
    ids, assignment = made.customer_id, customers.assignment
    if assignment is None:
        return _Grouped((ALL,), np.zeros(len(ids), dtype=np.int64))
    order = np.argsort(customers.customer_id.astype(str), kind="stable")
    places = assignment.position[order].astype(np.float64)
    found = looked_up(ids, customers.customer_id[order], places)
    return _Grouped(scenario.tier_names, found.astype(np.int64))


def _drawn(
    scenario: Scenario, made: Predictions, learned: Learned, timing: TimingForecast, grouped: _Grouped
) -> Intervals:
    weeks = learned.terms.horizon_weeks
    chosen = learned.forecast
    level = (chosen.level if isinstance(chosen, ChosenForecast) else UNLEARNED).error_over(weeks)
    expected = Expected(made.clv, weeks, level)
    rng = np.random.default_rng([scenario.risk.seed, zlib.crc32(b"customers")])
    return intervals(timing, learned.customers, expected, group=grouped.group, rng=rng)


def _tier_outlooks(
    made: Predictions, grouped: _Grouped, drawn: Intervals, survival: FloatArray
) -> Iterator[TierOutlook]:
    for number, (name, own) in enumerate(grouped):
        if own.any():
            yield TierOutlook(
                tier=name,
                customers=int(own.sum()),
                clv=float(made.clv[own].mean()),
                low=float(drawn.group_mean.low[number]),
                high=float(drawn.group_mean.high[number]),
                outcome_low=float(drawn.group_outcome.low[number]),
                outcome_high=float(drawn.group_outcome.high[number]),
                kept=float(made.clv_if_active[own].mean()),
                p_any_purchase=float(made.p_any_purchase[own].mean()),
                survival=tuple(survival[:, own].mean(axis=1).tolist()),
            )


def _survival(timing: TimingForecast, customers: Snapshot) -> FloatArray:
    """Give the chance of every customer to be active now and after each month, shape (13, customers)."""
    patterns = customers.summary.patterns()
    history = patterns.frequency, patterns.recency_weeks, patterns.age_weeks
    months = np.arange(MONTHS + 1) * WEEKS_PER_MONTH
    return np.stack([timing.purchases.p_active(weeks, *history)[patterns.inverse] for weeks in months])


def _seasons(scenario: Scenario, learned: Learned, grouped: _Grouped) -> tuple[TierSeason, ...]:
    """Give every tier's season, learned from its repeat purchases, and its value spread over the horizon."""
    start, end = _horizon(scenario, learned)
    expected = _expected_by_month(learned, start, end)
    rows: list[TierSeason] = []
    months = tuple(calendar_edges(start, end)[:-1].astype("datetime64[D]").astype(object).tolist())
    for name, own in grouped:
        if not own.any():
            continue
        season = _season_or_none(learned.customers, own)
        told = season if season and not season.is_noise else None
        values = expected[:, own].sum(axis=1)
        if values.sum() > 0:
            values = spread(float(values.sum()), start, end, shares=values, season=told).parts
        index = tuple(told.index.tolist()) if told else (1.0,) * MONTHS
        rows.append(TierSeason(name, index, months, tuple(values.tolist())))
    return tuple(rows)


def _trend(customers: Snapshot) -> tuple[Trend | None, tuple[Finding, ...]]:
    """Give how repeat purchases of all customers grow, None where the data cannot tell; and what to know.

    Not of a tier: who is in it today was sorted by late purchases, which would look like growth.
    """
    season = _season_or_none(customers, np.ones(len(customers), dtype=bool))
    if season is None or not np.isfinite(season.trend_error):
        return None, season.warnings if season else ()
    return Trend(season.trend_per_year, season.trend_error), season.warnings


def _season_or_none(customers: Snapshot, own: NDArray[np.bool_]) -> FittedSeason | None:
    try:
        return _season(customers, own)
    except DataError:
        return None  # nobody bought twice


def _season(customers: Snapshot, own: NDArray[np.bool_]) -> FittedSeason:
    days = customers.days
    repeat = own[days.customer]
    repeat[days.first] = False
    when = days.day[repeat].astype("datetime64[D]").astype("datetime64[M]")
    months, place = np.unique(when, return_inverse=True)
    bought = np.bincount(place, weights=days.value[repeat], minlength=len(months))
    first = days.day.min().astype("datetime64[D]").astype(object)
    return Seasonality().fit(months, bought, first_day=first, last_day=days.as_of)


def _horizon(scenario: Scenario, learned: Learned) -> tuple[date, date]:
    """Give the first day of the plan's horizon, or of the value window, and the day after its last."""
    after = learned.customers.summary.as_of + timedelta(days=1)
    if scenario.horizon is not None and scenario.horizon.start >= after:
        return scenario.horizon.start, scenario.horizon.end + timedelta(days=1)
    return after, after + timedelta(days=round(learned.terms.horizon_weeks * DAYS_PER_WEEK))


def _expected_by_month(learned: Learned, start: date, end: date) -> FloatArray:
    """Give the margin expected of every customer in each calendar month, shape (months, customers)."""
    customers = learned.customers
    edges = calendar_edges(start, end)
    tomorrow = np.datetime64(customers.summary.as_of, "D") + 1
    weeks = (edges - tomorrow).astype(np.float64) / DAYS_PER_WEEK
    total = np.stack(
        [
            learned.forecast.expected_revenue(customers, span - weeks[0], start_weeks=weeks[0])
            for span in weeks.tolist()
        ]
    )
    return np.asarray(learned.terms.margin * np.diff(total, axis=0))
