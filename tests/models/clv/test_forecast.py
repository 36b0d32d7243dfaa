"""Customer lifetime value: margin, real time, discounting; learned from customers and applied to others."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.customers.past import OrderLog, Snapshot
from allocator.errors import DataError
from allocator.models import scoring
from allocator.models.clv.bg_nbd import BgNbd, FittedBgNbd
from allocator.models.clv.forecast import (
    WEEKS_PER_YEAR,
    TimingForecast,
    ValueTerms,
    clv,
    clv_if_active,
    discounted_total,
)
from allocator.models.clv.gamma_gamma import FittedGammaGamma
from tests.models.clv.made_up_customers import summary_of
from tests.models.clv.made_up_forecasts import past_of, shop

PURCHASES = FittedBgNbd(r=0.2426, alpha=4.4136, a=0.7929, b=2.4259)
SPEND = FittedGammaGamma(p=6.25, q=3.74, gamma=15.44)
MADE = TimingForecast(PURCHASES, SPEND)


@pytest.fixture(scope="module")
def customers() -> Snapshot:
    summary = summary_of(
        [0, 2, 2, 26, 0], [0, 213, 213, 260, 0], [272, 272, 272, 270, 0], [30, 60, 20, 45, 80.0]
    )
    return Snapshot(summary, past_of(1))


def test_without_interest_it_is_margin_times_value_times_purchases(customers: Snapshot) -> None:
    found = clv(MADE, customers, ValueTerms(52, margin=0.35))
    summary = customers.summary
    bought = PURCHASES.expected_purchases(52, summary.frequency, summary.recency_weeks, summary.age_weeks)
    value = SPEND.expected_value(summary.n_days, summary.mean_value)
    assert found.tolist() == pytest.approx((0.35 * value * bought).tolist(), rel=1e-12)


@pytest.mark.parametrize(("years", "rate", "start"), [(1, 0.1, 0.0), (3, 0.25, 13.0), (10, 0.08, 52.0)])
@pytest.mark.parametrize("active", [False, True])
def test_interest_is_that_of_ever_shorter_periods(
    customers: Snapshot, years: float, rate: float, start: float, active: bool
) -> None:
    horizon = years * WEEKS_PER_YEAR
    terms = ValueTerms(horizon, 1.0, rate, start)
    found = (clv_if_active if active else clv)(MADE, customers, terms)
    summary = customers.summary
    edges = np.linspace(0, horizon, 2_001)
    bought = (PURCHASES.expected_if_active if active else PURCHASES.expected_purchases)(
        edges[:, None], summary.frequency, summary.recency_weeks, summary.age_weeks, start
    )
    middle = (edges[1:] + edges[:-1]) / 2 / WEEKS_PER_YEAR
    expected = (1 + rate) ** -middle @ np.diff(bought, axis=0)
    value = SPEND.expected_value(summary.n_days, summary.mean_value)
    assert found.tolist() == pytest.approx((value * expected).tolist(), rel=2e-6)


def test_a_residual_value_is_what_is_left_of_the_whole(customers: Snapshot) -> None:
    whole, first, rest = (
        clv(MADE, customers, ValueTerms(weeks, start_weeks=start))
        for weeks, start in ((52, 0), (13, 0), (39, 13))
    )
    assert (first + rest).tolist() == pytest.approx(whole.tolist(), rel=1e-9)


def test_keeping_a_customer_is_worth_what_an_active_one_buys(customers: Snapshot) -> None:
    summary = customers.summary
    whole, active = (value(MADE, customers, ValueTerms(39)) for value in (clv, clv_if_active))
    alive = PURCHASES.p_alive(summary.frequency, summary.recency_weeks, summary.age_weeks)
    assert (alive * active).tolist() == pytest.approx(whole.tolist(), rel=1e-9)
    later = ValueTerms(39, 0.4, 0.1, start_weeks=26)
    assert np.all(clv_if_active(MADE, customers, later) > clv(MADE, customers, later))


def test_no_time_is_worth_nothing(customers: Snapshot) -> None:
    assert clv(MADE, customers, ValueTerms(0.0, discount_rate=0.1)).tolist() == [0.0] * 5


def test_a_negative_rate_makes_later_money_worth_more() -> None:
    def steady(weeks: float) -> np.ndarray:
        return np.array([weeks])

    found = discounted_total(steady, WEEKS_PER_YEAR, -0.2)
    assert found[0] == pytest.approx(WEEKS_PER_YEAR * (1 / 0.8 - 1) / -np.log(0.8), rel=1e-9)


@pytest.mark.parametrize("terms", [ValueTerms(-1), ValueTerms(9, discount_rate=-1.0), ValueTerms(np.nan)])
def test_a_horizon_or_rate_that_cannot_be_is_refused(customers: Snapshot, terms: ValueTerms) -> None:
    with pytest.raises(DataError, match="E315"):
        clv(MADE, customers, terms)


def test_what_was_learned_applies_to_other_customers() -> None:
    past = OrderLog(shop()).until()
    learned = BgNbd().learn(past.sample(150), horizon_weeks=52)
    found = clv(learned, past.customers, ValueTerms(52, 0.3, 0.1))
    assert len(found) == len(past.customers) > 150
    part = past.customers.part(slice(10, 90))
    assert clv(learned, part, ValueTerms(52, 0.3, 0.1)).tolist() == found[10:90].tolist()
    kept = clv_if_active(learned, past.customers, ValueTerms(52, 0.3, 0.1))
    assert np.all(kept >= found * (1 - 1e-12))
    buying = learned.p_any_purchase(past.customers, 52)
    assert np.all((buying > 0) & (buying < 1))


def test_the_warnings_of_both_fits_are_told() -> None:
    learned = BgNbd().learn(past_of(2), horizon_weeks=52)
    assert [finding.what.split(":")[0] for finding in learned.warnings] == ["bg_nbd", "gamma_gamma"]


def test_a_log_without_money_cannot_be_valued() -> None:
    free = pd.DataFrame({"customer_id": ["a", "b"], "ordered_on": pd.Timestamp("2026-01-01"), "amount": 0.0})
    with pytest.raises(DataError, match="E315"):
        BgNbd().learn(OrderLog(free).until(), horizon_weeks=52)


def test_cdnow_customers_are_ranked_by_what_they_will_spend(shared_data: Path) -> None:
    table = pd.read_csv(shared_data / "cdnow_sample.csv.gz", dtype={"customer_id": str}, parse_dates=["date"])
    log = OrderLog(table.rename(columns={"date": "ordered_on", "amount_usd": "amount"}))
    past = log.until(date(1997, 9, 30))
    came = log.until(date(1998, 6, 30)).outcome_of(past.customers)
    forecast = clv(BgNbd().learn(past, horizon_weeks=39), past.customers, ValueTerms(39))
    assert scoring.normalised_gini(came.revenue, forecast) > 0.66
    assert scoring.spearman(came.revenue, forecast) > 0.4
    assert -0.2 < scoring.total_error(came.revenue, forecast) < 0  # these customers bought more than before
