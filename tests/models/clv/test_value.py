"""Customer lifetime value: margin, real time and discounting; fitted to customers and applied to others."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from allocator.customers.summary import CustomerSummary
from allocator.errors import DataError
from allocator.models import scoring
from allocator.models.clv import ClvForecast, ClvOptions, fit_clv
from allocator.models.clv.bg_nbd import FittedBgNbd
from allocator.models.clv.gamma_gamma import FittedGammaGamma
from allocator.models.clv.value import WEEKS_PER_YEAR, clv, residual_value_if_active
from tests.models.clv.made_up_customers import CALIBRATION_END, cdnow_days, summary_of

PURCHASES = FittedBgNbd(r=0.2426, alpha=4.4136, a=0.7929, b=2.4259)
SPEND = FittedGammaGamma(p=6.25, q=3.74, gamma=15.44)
CUSTOMERS = summary_of(
    [0, 2, 2, 26, 0], [0, 213, 213, 260, 0], [272, 272, 272, 270, 0], [30, 60, 20, 45, 80.0]
)


def test_without_interest_it_is_margin_times_value_times_purchases() -> None:
    found = clv(PURCHASES, SPEND, CUSTOMERS, horizon_weeks=52, margin=0.35)
    bought = PURCHASES.expected_purchases(
        52, CUSTOMERS.frequency, CUSTOMERS.recency_weeks, CUSTOMERS.age_weeks
    )
    value = SPEND.expected_value(CUSTOMERS.n_days, CUSTOMERS.mean_value)
    assert found.tolist() == pytest.approx((0.35 * value * bought).tolist(), rel=1e-12)


@pytest.mark.parametrize(("years", "rate", "start"), [(1, 0.1, 0.0), (3, 0.25, 13.0), (10, 0.08, 52.0)])
def test_interest_is_that_of_ever_shorter_periods(years: float, rate: float, start: float) -> None:
    horizon = years * WEEKS_PER_YEAR
    found = clv(PURCHASES, SPEND, CUSTOMERS, horizon_weeks=horizon, discount_rate=rate, start_weeks=start)
    edges = np.linspace(0, horizon, 2_001)
    bought = PURCHASES.expected_purchases(
        edges[:, None], CUSTOMERS.frequency, CUSTOMERS.recency_weeks, CUSTOMERS.age_weeks, start
    )
    middle = (edges[1:] + edges[:-1]) / 2 / WEEKS_PER_YEAR
    expected = (1 + rate) ** -middle @ np.diff(bought, axis=0)
    value = SPEND.expected_value(CUSTOMERS.n_days, CUSTOMERS.mean_value)
    assert found.tolist() == pytest.approx((value * expected).tolist(), rel=2e-6)


def test_a_residual_value_is_what_is_left_of_the_whole() -> None:
    whole, first, rest = (
        clv(PURCHASES, SPEND, CUSTOMERS, horizon_weeks=weeks, start_weeks=start)
        for weeks, start in ((52, 0), (13, 0), (39, 13))
    )
    assert (first + rest).tolist() == pytest.approx(whole.tolist(), rel=1e-9)


def test_keeping_a_customer_is_worth_what_an_active_one_buys() -> None:
    whole = clv(PURCHASES, SPEND, CUSTOMERS, horizon_weeks=39)
    active = residual_value_if_active(PURCHASES, SPEND, CUSTOMERS, horizon_weeks=39)
    alive = PURCHASES.p_alive(CUSTOMERS.frequency, CUSTOMERS.recency_weeks, CUSTOMERS.age_weeks)
    assert (alive * active).tolist() == pytest.approx(whole.tolist(), rel=1e-9)
    later = residual_value_if_active(PURCHASES, SPEND, CUSTOMERS, horizon_weeks=39, start_weeks=26)
    assert np.all(later > clv(PURCHASES, SPEND, CUSTOMERS, horizon_weeks=39, start_weeks=26))


@pytest.mark.parametrize("options", [{"horizon_weeks": -1}, {"horizon_weeks": 9, "discount_rate": -1.0}])
def test_a_horizon_or_rate_that_cannot_be_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(DataError, match="E315"):
        clv(PURCHASES, SPEND, CUSTOMERS, **options)


def test_fitted_models_apply_to_other_customers() -> None:
    fitted = fit_clv(ClvOptions(penalty=0.1), CUSTOMERS)
    others = summary_of([1, 0], [20, 0], [100, 30], [55.0, 10.0])
    assert isinstance(fitted, ClvForecast)
    found = fitted.clv(others, horizon_weeks=52, margin=0.3, discount_rate=0.1)
    direct = clv(fitted.purchases, fitted.spend, others, horizon_weeks=52, margin=0.3, discount_rate=0.1)
    assert found.tolist() == direct.tolist()
    kept = fitted.residual_value_if_active(others, horizon_weeks=52, margin=0.3, discount_rate=0.1)
    assert np.all(kept >= found * (1 - 1e-12))
    buying = fitted.p_any_purchase(others, 52)
    assert np.all((buying > 0) & (buying < 1))


def test_the_warnings_of_both_fits_are_told() -> None:
    lonely = summary_of([0, 0], [0, 0], [50, 60], [10.0, 10.0])
    fitted = fit_clv(ClvOptions(), lonely)
    assert [finding.what.split(":")[0] for finding in fitted.warnings] == ["bg_nbd", "gamma_gamma"]


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(ValidationError, match="bg_nbd"):
        ClvOptions(name="crystal_ball")


def test_cdnow_customers_are_ranked_by_what_they_will_spend(shared_data: Path) -> None:
    days = cdnow_days(shared_data)
    early = days[days["date"] <= CALIBRATION_END].groupby("customer_id")
    as_of = CALIBRATION_END.date()
    first, last = early["date"].min(), early["date"].max()
    summary = CustomerSummary(
        customer_id=first.index.astype(str).to_numpy(dtype=object),
        n_days=early.size().to_numpy(),
        first_on=first.to_numpy("datetime64[D]"),
        last_on=last.to_numpy("datetime64[D]"),
        total_value=early["amount_usd"].sum().to_numpy(),
        first_value=early["amount_usd"].first().to_numpy(),
        as_of=date(as_of.year, as_of.month, as_of.day),
    )
    spent = days[days["date"] > CALIBRATION_END].groupby("customer_id")["amount_usd"].sum()
    actual = spent.reindex(first.index, fill_value=0.0)
    forecast = fit_clv(ClvOptions(), summary).clv(summary, horizon_weeks=39)
    assert scoring.normalised_gini(actual, forecast) > 0.66
    assert scoring.spearman(actual, forecast) > 0.4
    assert -0.2 < scoring.total_error(actual, forecast) < 0  # these customers bought more than before
