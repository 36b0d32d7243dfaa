"""Naive forecasts, by hand on three customers."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from allocator.customers.past import OrderLog
from allocator.errors import DataError
from allocator.models.clv.baselines import HistoricMean, LastPeriod, RepeatRate

MONTH = 365.25 / 12 / 7
ORDERS = pd.DataFrame(
    [
        ("ann", "2026-01-01", 10.0),
        ("ann", "2026-02-26", 20.0),
        ("ann", "2026-03-05", 30.0),
        ("bob", "2026-01-15", 40.0),
        ("cid", "2026-03-10", 20.0),
    ],
    columns=["customer_id", "ordered_on", "amount"],
).assign(ordered_on=lambda table: pd.to_datetime(table["ordered_on"]))
PAST = OrderLog(ORDERS).until(date(2026, 3, 12))  # 10 weeks, 8 weeks, 2 days after first purchases
CUSTOMERS = PAST.customers


def test_the_historic_mean_goes_on() -> None:
    forecast = HistoricMean().learn(PAST, horizon_weeks=20)
    assert forecast.expected_revenue(CUSTOMERS, 20) == pytest.approx([120, 100, 20 / MONTH * 20])
    assert forecast.expected_purchases(CUSTOMERS, 20) == pytest.approx([6, 20 / 8, 20 / MONTH])


def test_repeats_go_on_at_the_mean_value_of_all() -> None:
    forecast = RepeatRate().learn(PAST, horizon_weeks=20)
    assert forecast.expected_purchases(CUSTOMERS, 20) == pytest.approx([4, 0, 0])
    assert forecast.expected_revenue(CUSTOMERS, 20) == pytest.approx([4 * 120 / 5, 0, 0])


def test_the_last_period_comes_again() -> None:
    forecast = LastPeriod().learn(PAST, horizon_weeks=2)
    assert forecast.expected_revenue(CUSTOMERS, 2) == pytest.approx([30, 0, 20])
    assert forecast.expected_revenue(CUSTOMERS, 6) == pytest.approx([90, 0, 60])
    assert forecast.expected_purchases(CUSTOMERS, 2) == pytest.approx([1, 0, 1])


def test_a_period_longer_than_the_log_is_all_of_it() -> None:
    forecast = LastPeriod().learn(PAST, horizon_weeks=520)
    assert forecast.expected_revenue(CUSTOMERS, 10) == pytest.approx([50, 40, 20])


def test_no_period_is_refused() -> None:
    with pytest.raises(DataError, match="last period"):
        LastPeriod().learn(PAST, horizon_weeks=0)


@pytest.mark.parametrize("model", [HistoricMean(), RepeatRate(), LastPeriod()], ids=lambda model: model.name)
def test_rates_are_steady_and_chances_poisson(model: HistoricMean | RepeatRate | LastPeriod) -> None:
    forecast = model.learn(PAST, horizon_weeks=8)
    later = forecast.expected_revenue(CUSTOMERS, 5, start_weeks=50)
    assert later.tolist() == forecast.expected_revenue(CUSTOMERS, 5).tolist()
    assert later.tolist() == forecast.revenue_if_active(CUSTOMERS, 5).tolist()
    expected = 1 - np.exp(-forecast.expected_purchases(CUSTOMERS, 5))
    assert forecast.p_any_purchase(CUSTOMERS, 5) == pytest.approx(expected)


def test_they_apply_to_some_customers() -> None:
    some = PAST.of(np.array(["bob", "cid"], dtype=object))
    for model in (HistoricMean(), RepeatRate(), LastPeriod()):
        forecast = model.learn(PAST, horizon_weeks=8)
        assert (
            forecast.expected_revenue(some, 8).tolist()
            == forecast.expected_revenue(CUSTOMERS, 8)[1:].tolist()
        )
