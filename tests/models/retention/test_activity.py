"""The retention score: bounds, order, and worth on real data."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.customers.past import OrderLog, Snapshot
from allocator.models.clv.bg_nbd import BgNbd, FittedBgNbd
from allocator.models.clv.forecast import TimingForecast
from allocator.models.clv.gamma_gamma import FittedGammaGamma
from allocator.models.retention import MODELS, Activity
from allocator.models.scoring import auc

TIMING = FittedBgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426, log_likelihood=0.0, n_customers=3)
SPEND = FittedGammaGamma(p=6.25, q=3.74, gamma=15.44)
FORECAST = TimingForecast(TIMING, SPEND)


@pytest.fixture
def three_customers() -> Snapshot:
    """Regular, gone and new ones; ids out of the order of their patterns."""
    days = {"regular": range(0, 180, 20), "gone": range(0, 60, 15), "new": [175]}
    rows = [(name, day) for name, bought in days.items() for day in bought]
    orders = pd.DataFrame(rows, columns=["customer_id", "day"])
    orders["ordered_on"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(orders.pop("day"), unit="D")
    return OrderLog(orders.assign(amount=10.0)).until(date(2026, 6, 30)).customers


def test_scores_are_aligned_with_customers(three_customers: Snapshot) -> None:
    scores = Activity().score(FORECAST, three_customers, weeks=13).chance
    assert three_customers.customer_id.tolist() == ["gone", "new", "regular"]
    one_by_one = [
        float(TIMING.p_any_purchase(13, x, t, age))
        for x, t, age in zip(
            three_customers.summary.frequency,
            three_customers.summary.recency_weeks,
            three_customers.summary.age_weeks,
            strict=True,
        )
    ]
    np.testing.assert_allclose(scores, one_by_one, rtol=1e-12)
    assert scores[2] > scores[0]


def test_a_longer_horizon_never_lowers_the_score(three_customers: Snapshot) -> None:
    scores = [
        Activity().score(FORECAST, three_customers, weeks=weeks).chance for weeks in (1, 4, 13, 52, 520)
    ]
    assert (np.diff(scores, axis=0) > 0).all()
    assert np.min(scores) > 0
    assert np.max(scores) < 1


def test_the_score_ranks_later_buyers_where_being_alive_does_not(shared_data: Path) -> None:
    table = pd.read_csv(shared_data / "cdnow_sample.csv.gz", dtype={"customer_id": str})
    orders = table.assign(ordered_on=pd.to_datetime(table["date"]), amount=table["amount_usd"])
    log = OrderLog(orders)
    customers = log.until(date(1997, 9, 30)).customers
    bought = log.until(date(1998, 6, 30)).outcome_of(customers).purchase_days > 0
    summary = customers.summary
    timing = BgNbd().fit(summary.patterns())
    alive = timing.p_alive(summary.frequency, summary.recency_weeks, summary.age_weeks)
    assert auc(bought, alive) < 0.35
    assert auc(bought, Activity().score(TimingForecast(timing, SPEND), customers, weeks=39).chance) > 0.75


def test_every_model_has_its_own_name() -> None:
    names = [model().name for model in MODELS]
    assert len(set(names)) == len(names) == 8
