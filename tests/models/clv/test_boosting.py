"""Two-stage boosting against forecasts anybody could make, and against the textbooks' log."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.customers.past import OrderLog
from allocator.models.clv.baselines import HistoricMean, LastPeriod, RepeatRate
from allocator.models.clv.boosting import Boosting
from allocator.models.clv.regression import judged
from tests.models.clv.simulated_orders import START, simulated_orders


@pytest.mark.parametrize(
    "baseline", [HistoricMean(), RepeatRate(), LastPeriod()], ids=lambda model: model.name
)
def test_it_beats_what_anybody_could_say(baseline: HistoricMean | RepeatRate | LastPeriod) -> None:
    """On customers whose channel tells what their few purchases do not."""
    log = OrderLog(simulated_orders(1_200, weeks=80, seed=5))
    past, later = (
        log.until((START + pd.Timedelta(weeks=50)).date()),
        log.until((START + pd.Timedelta(weeks=80)).date()),
    )
    outcome = later.outcome_of(past.customers)
    found = {}
    for model in (Boosting(), baseline):
        forecast = model.learn(past, horizon_weeks=30)
        found[model.name] = judged(
            outcome,
            forecast.expected_revenue(past.customers, 30),
            forecast.p_any_purchase(past.customers, 30),
        )
    boosted, naive = found["boosting"], found[baseline.name]
    assert boosted["normalised_gini"] > naive["normalised_gini"] + 0.02
    assert abs(boosted["total_error"]) < abs(naive["total_error"])
    assert boosted["auc"] > naive["auc"]
    assert boosted["brier"] < naive["brier"]


def test_the_textbooks_log(shared_data: Path) -> None:
    table = pd.read_csv(shared_data / "cdnow_sample.csv.gz", parse_dates=["date"])
    log = OrderLog(table.rename(columns={"date": "ordered_on", "amount_usd": "amount"}))
    past, later = log.until(date(1997, 9, 30)), log.until(date(1998, 6, 30))
    forecast = Boosting().learn(past, horizon_weeks=39)
    customers = past.customers
    found = judged(
        later.outcome_of(customers),
        forecast.expected_revenue(customers, 39),
        forecast.p_any_purchase(customers, 39),
    )
    assert found["normalised_gini"] > 0.69
    assert found["auc"] > 0.76
    assert abs(found["total_error"]) < 0.1
    assert found["spearman"] > 0.43


def test_the_random_state_does_not_matter() -> None:
    """Nothing is drawn: neither rows nor columns, and no part is held out to stop early."""
    past = OrderLog(simulated_orders(200)).until()
    one, other = (
        Boosting(seed=seed).learn(past, horizon_weeks=20).expected_revenue(past.customers, 20)
        for seed in (0, 1)
    )
    assert np.array_equal(one, other)
