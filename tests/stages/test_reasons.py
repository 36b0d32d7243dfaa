"""What a forecast rests on: the feature that made the outcome, in money that adds up."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from allocator.customers.past import OrderLog
from allocator.errors import DataError
from allocator.models.clv.boosting import Boosting
from allocator.models.clv.carried import CarriedForecast
from allocator.models.clv.forecast import ValueTerms
from allocator.models.clv.pareto_nbd import ParetoNbd
from allocator.stages.judge import Held
from allocator.stages.predictions import Learned
from allocator.stages.reasons import importance, reasons

START, SPLIT = date(2026, 1, 1), date(2026, 9, 30)


def rich_and_poor(n: int = 300) -> OrderLog:
    """Customers who buy at the same rhythm, half of them for ten times the money."""
    rng = np.random.default_rng(3)
    customer = np.repeat(np.arange(n), 20)
    day = rng.integers(0, 365, len(customer))
    amount = np.where(customer % 2 == 0, 10.0, 100.0) * rng.uniform(0.8, 1.2, len(customer))
    return OrderLog(
        pd.DataFrame(
            {
                "customer_id": [f"c{number:03}" for number in customer],
                "ordered_on": pd.to_datetime("2026-01-01") + pd.to_timedelta(day, unit="D"),
                "amount": amount,
            }
        )
    )


@pytest.fixture(scope="module")
def log() -> OrderLog:
    return rich_and_poor()


@pytest.fixture(scope="module")
def forecast(log: OrderLog) -> CarriedForecast:
    return Boosting().learn(log.until(SPLIT), horizon_weeks=12)


def test_money_matters_where_customers_differ_in_money_alone(
    log: OrderLog, forecast: CarriedForecast
) -> None:
    past, now = log.until(SPLIT), log.until()
    found = importance(Held(past.customers, forecast, now.outcome_of(past.customers)), seed=0)
    assert "value" in str(found.index[0])
    assert found["loss"].is_monotonic_decreasing


def test_parts_add_to_what_is_forecast(log: OrderLog, forecast: CarriedForecast) -> None:
    past = log.until(SPLIT)
    found = reasons(Learned(past.customers, forecast, ValueTerms(12.0)), ["c000", "c001"], seed=0)
    whole = forecast.fitted.predict(past.customers.features.loc[["c000", "c001"]])
    assert found.base + found.parts.sum(axis=1).to_numpy() == pytest.approx(whole)
    assert whole[1] > 5 * whole[0]


def test_a_forecast_without_features_is_explained_by_trees_of_the_same_day(log: OrderLog) -> None:
    past = log.until(SPLIT)
    learned = Learned(past.customers, ParetoNbd().learn(past, horizon_weeks=12), ValueTerms(12.0))
    poor, rich = reasons(learned, ["c000", "c001"], seed=0).parts.sum(axis=1)
    assert rich > poor + 100


def test_a_stranger_is_named(log: OrderLog, forecast: CarriedForecast) -> None:
    learned = Learned(log.until(SPLIT).customers, forecast, ValueTerms(12.0))
    with pytest.raises(DataError, match="nobody"):
        reasons(learned, ["nobody"], seed=0)


def test_reasons_are_of_somebody(log: OrderLog, forecast: CarriedForecast) -> None:
    learned = Learned(log.until(SPLIT).customers, forecast, ValueTerms(12.0))
    with pytest.raises(DataError, match="no customer is named"):
        reasons(learned, [], seed=0)
