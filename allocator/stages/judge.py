"""Judging the models: fitted to the orders until a past day, compared with what customers then bought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from allocator.customers.summary import CustomerSummary, holdout
from allocator.errors import DataError
from allocator.models import scoring
from allocator.models.clv import ClvForecast, fit_clv
from allocator.scenario.schema import Scenario
from allocator.stages.predictions import DAYS_PER_WEEK, expected_purchases, looked_up, summary_of
from allocator.stages.reading import Tables

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]

SHARE = 0.25  # of the time observed, where the scenario does not say how much is held out
LONGEST_WEEKS = 26


@dataclass(frozen=True)
class Judged:
    """How a forecast made in the past compares with what followed.

    Parameters
    ----------
    start, end : date
        The models saw orders until `start`; the days after it until `end` judge them.
    customers : int
        With an order until `start`.
    purchases, purchases_forecast : float
        Purchase days of all of them.
    revenue, revenue_forecast : float
        In money.
    mae, rmse : float
        Of a customer's revenue, in money.
    spearman, normalised_gini : float
        Of the order of customers by revenue; 1 is perfect, 0 is chance.
    auc : float
        Of the probability to buy at all.
    top_tenth : float
        Share of the revenue with the tenth of the customers forecast highest.
    """

    start: date
    end: date
    customers: int
    purchases: float
    purchases_forecast: float
    revenue: float
    revenue_forecast: float
    mae: float
    rmse: float
    spearman: float
    normalised_gini: float
    auc: float
    top_tenth: float


def judge_models(scenario: Scenario, tables: Tables) -> Judged | None:
    """Hold the end of the orders out, forecast it, and compare.

    The part held out is ``models.holdout``, else a quarter of the time observed, at most 26 weeks.

    Returns
    -------
    Judged or None
        None without orders, or where too few of them came early enough.
    """
    if tables.transactions is None:
        return None
    orders = tables.transactions.data
    start, end = _split(scenario, orders)
    try:
        past = summary_of(scenario, tables)(as_of=start)
        model = fit_clv(scenario.models.clv, past)
    except DataError:
        return None
    options = scenario.data.transactions
    bought = holdout(
        orders,
        start=start,
        end=end,
        customers=past.customer_id,
        returns=(options.returns if options else None) or "match",
    )
    weeks = (end - start).days / DAYS_PER_WEEK
    active = scenario.models.retention.score(model.purchases, past, weeks=weeks)
    return _compared(past, model, bought, active, (start, end))


def _split(scenario: Scenario, orders: pd.DataFrame) -> tuple[date, date]:
    """Give the last day the models see and the last day there is."""
    days = orders["ordered_on"].to_numpy(dtype="datetime64[D]")
    end: date = scenario.models.as_of or days.max().astype(object)
    first: date = days.min().astype(object)
    stated = scenario.models.holdout
    held = stated.days if stated else min(SHARE * (end - first).days, LONGEST_WEEKS * DAYS_PER_WEEK)
    return end - timedelta(days=round(held)), end


def _compared(
    past: CustomerSummary,
    model: ClvForecast,
    bought: pd.DataFrame,
    active: FloatArray,
    days: tuple[date, date],
) -> Judged:
    weeks = (days[1] - days[0]).days / DAYS_PER_WEEK
    ids = bought["customer_id"].to_numpy(dtype=object)
    revenue = looked_up(past.customer_id, ids, bought["value"].to_numpy(dtype=np.float64))
    purchases = looked_up(past.customer_id, ids, bought["purchase_days"].to_numpy(dtype=np.float64))
    forecast = model.clv(past, horizon_weeks=weeks)
    return Judged(
        start=days[0],
        end=days[1],
        customers=len(past),
        purchases=float(purchases.sum()),
        purchases_forecast=float(expected_purchases(model, past, weeks).sum()),
        revenue=float(revenue.sum()),
        revenue_forecast=float(forecast.sum()),
        mae=scoring.mae(revenue, forecast),
        rmse=scoring.rmse(revenue, forecast),
        spearman=scoring.spearman(revenue, forecast),
        normalised_gini=scoring.normalised_gini(revenue, forecast),
        auc=scoring.auc(purchases, active),
        top_tenth=scoring.top_capture(revenue, forecast),
    )
