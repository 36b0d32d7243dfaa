"""Judging the models: they learn from the orders until a past day, and what customers then bought judges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from allocator.customers.past import Outcome, Past, Snapshot
from allocator.errors import DataError
from allocator.models.clv.auto import ChosenForecast
from allocator.models.clv.forecast import CustomerForecast
from allocator.models.clv.judgement import Prediction, Scores, score
from allocator.models.scoring import DecileTable, deciles
from allocator.scenario.schema import Scenario
from allocator.stages.predictions import DAYS_PER_WEEK, order_log
from allocator.stages.reading import Tables

DayArray = NDArray[np.datetime64]
FloatArray = NDArray[np.float64]

SHARE = 0.25  # of the time observed, where the scenario does not say how much is held out
LONGEST_WEEKS = 26
TOO_LITTLE = ("E305", "E315")  # no order by then, or none that a model can learn from


@dataclass(frozen=True)
class Judged:
    """How a forecast made in the past compares with what followed.

    Parameters
    ----------
    start, end : date
        The models saw orders until `start`; the days after it until `end` judge them.
    customers : int
        With an order until `start`.
    model : str
        The one that made the forecast.
    purchases, purchases_forecast : float
        Purchase days of all of them.
    revenue, revenue_forecast : float
        In money.
    scores : Scores
    deciles : tuple of (forecast, actual)
        Mean revenue of ten groups by forecast, the highest first, in money.
    """

    start: date
    end: date
    customers: int
    model: str
    purchases: float
    purchases_forecast: float
    revenue: float
    revenue_forecast: float
    scores: Scores
    deciles: tuple[tuple[float, float], ...]


@dataclass(frozen=True, eq=False)
class Held:
    """A forecast made in the past, with the customers and what they then bought.

    Parameters
    ----------
    customers : Snapshot
    forecast : CustomerForecast
    came : Outcome
    """

    customers: Snapshot
    forecast: CustomerForecast
    came: Outcome

    def purchases_by_week(self) -> tuple[DayArray, FloatArray, FloatArray]:
        """Give the last day of every full week since, its purchase days that came, and those expected."""
        start, weeks = self.customers.summary.as_of, int(self.came.weeks)
        since = self.customers.past.later(self.came.weeks).days.after(start)
        own = since.of_customers(self.customers.customer_id)
        week = (own.day - self.customers.past.days.today - 1) // int(DAYS_PER_WEEK)
        came = np.bincount(week[week < weeks], minlength=weeks).astype(np.float64)
        until = range(weeks + 1)
        total = [self.forecast.expected_purchases(self.customers, float(week)).sum() for week in until]
        ends = np.datetime64(start, "D") + 7 * np.arange(1, weeks + 1)
        return ends, came, np.diff(total)


def hold_out(scenario: Scenario, tables: Tables) -> Held | None:
    """Forecast the end of the orders from what was known before it.

    The part held out is ``models.holdout``, else a quarter of the time observed, at most 26 weeks. Whatever
    chooses between models has seen nothing of it.

    Returns
    -------
    Held or None
        None without orders, or where too few of them came early enough.
    """
    if tables.transactions is None:
        return None
    now = order_log(scenario, tables).until(scenario.models.as_of)
    weeks = held_weeks(scenario, now)
    if not weeks:
        return None
    try:
        start = now.earlier(weeks)
        customers = start.customers
        learned = scenario.models.clv.learn(start, horizon_weeks=weeks)
        return Held(customers, learned, now.outcome_of(customers))
    except DataError as error:
        if any(finding.code not in TOO_LITTLE for finding in error.findings):
            raise
        return None


def held_weeks(scenario: Scenario, now: Past) -> float:
    """Give how much of the end is held out, in whole days."""
    stated = scenario.models.holdout
    weeks = stated.days / DAYS_PER_WEEK if stated else min(SHARE * now.weeks, LONGEST_WEEKS)
    return round(weeks * DAYS_PER_WEEK) / DAYS_PER_WEEK


def compared(held: Held, name: str) -> Judged:
    """Give the figures of a forecast that was held against what came.

    Parameters
    ----------
    held : Held
    name : str
        Of the model, where it was named.
    """
    customers, came = held.customers, held.came
    predicted = Prediction.of(held.forecast, customers, came.weeks)
    chosen = held.forecast.leaderboard.chosen if isinstance(held.forecast, ChosenForecast) else name
    start = customers.summary.as_of
    return Judged(
        start=start,
        end=start + np.timedelta64(round(came.weeks * DAYS_PER_WEEK), "D").astype(object),
        customers=len(customers),
        model=chosen,
        purchases=float(came.purchase_days.sum()),
        purchases_forecast=float(held.forecast.expected_purchases(customers, came.weeks).sum()),
        revenue=float(came.revenue.sum()),
        revenue_forecast=float(predicted.revenue.sum()),
        scores=score(predicted, came),
        deciles=_pairs(deciles(came.revenue, predicted.revenue)),
    )


def _pairs(table: DecileTable) -> tuple[tuple[float, float], ...]:
    return tuple(zip(table.forecast.tolist(), table.actual.tolist(), strict=True))
