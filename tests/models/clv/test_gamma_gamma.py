"""Gamma-Gamma: the published fit, recovery of a known truth, and values no model fits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import gammaln
from scipy.stats import gamma as gamma_distribution

from allocator.errors import DataError
from allocator.models.clv.gamma_gamma import FittedGammaGamma, GammaGamma
from tests.models.clv.made_up_customers import CALIBRATION_END, cdnow_days, gamma_gamma_values


def log_likelihood(fitted: FittedGammaGamma, n: np.ndarray, mean: np.ndarray) -> float:
    """Equation 1a of Fader & Hardie (2013) as printed."""
    p, q, v = fitted.p, fitted.q, fitted.gamma
    gammas = gammaln(p * n + q) - gammaln(p * n) - gammaln(q)
    powers = q * np.log(v) + (p * n - 1) * np.log(mean) + p * n * np.log(n)
    return float((gammas + powers - (p * n + q) * np.log(v + n * mean)).sum())


def test_the_published_fit_of_cdnow(shared_data: Path) -> None:
    days = cdnow_days(shared_data)
    days = days[days["date"] <= CALIBRATION_END]
    repeats = days[days.groupby("customer_id").cumcount() > 0]
    means = repeats.groupby("customer_id")["amount_usd"].agg(["size", "mean"])
    means = means[means["mean"] > 0]
    fitted = GammaGamma().fit(means["size"], means["mean"])
    assert fitted.n_customers == 946
    assert fitted.p == pytest.approx(6.25, abs=5e-3)
    assert fitted.q == pytest.approx(3.74, abs=5e-3)
    assert fitted.gamma == pytest.approx(15.44, abs=1e-2)
    assert fitted.warnings == ()


def test_a_known_truth_is_recovered_within_its_errors() -> None:
    truth = np.array([6.0, 4.0, 15.0])
    fitted = GammaGamma().fit(*gamma_gamma_values(20_000, *truth))
    found = np.array([fitted.p, fitted.q, fitted.gamma])
    errors = np.sqrt(np.diag(fitted.covariance))
    assert np.all(np.abs(found - truth) < 4 * errors)
    assert np.all(errors < 0.2 * truth)
    assert fitted.population_mean == pytest.approx(30, rel=0.02)


def test_the_log_likelihood_is_that_of_the_paper() -> None:
    n, mean = gamma_gamma_values(300, 6.0, 4.0, 15.0)
    fitted = GammaGamma().fit(n, mean)
    assert fitted.log_likelihood == pytest.approx(log_likelihood(fitted, n, mean), rel=1e-12)


@pytest.mark.parametrize("step", [(1.02, 1, 1), (1, 1.02, 1), (1, 1, 1.02)])
def test_no_other_parameters_are_likelier(step: tuple[float, ...]) -> None:
    n, mean = gamma_gamma_values(2_000, 6.0, 4.0, 15.0)
    fitted = GammaGamma().fit(n, mean)
    for factor in (np.array(step), 1 / np.array(step)):
        other = FittedGammaGamma(*(np.array([fitted.p, fitted.q, fitted.gamma]) * factor))
        assert log_likelihood(other, n, mean) < fitted.log_likelihood


def test_the_expected_value_is_the_mean_of_the_posterior() -> None:
    fitted, n, mean = FittedGammaGamma(p=6.25, q=3.74, gamma=15.44), 3, 80.0
    posterior = gamma_distribution(fitted.p * n + fitted.q, scale=1 / (fitted.gamma + n * mean))
    expected, _ = quad(lambda rate: posterior.pdf(rate) * fitted.p / rate, 0, np.inf)
    assert float(fitted.expected_value(n, mean)) == pytest.approx(expected, rel=1e-6)


def test_the_unit_of_money_only_scales_the_values() -> None:
    n, mean = gamma_gamma_values(500, 6.0, 4.0, 15.0)
    for penalty in (0.0, 2.0):
        euro, cent = (GammaGamma(penalty=penalty).fit(n, unit * mean) for unit in (1, 100))
        assert (cent.p, cent.q, cent.gamma / 100) == pytest.approx((euro.p, euro.q, euro.gamma), rel=1e-6)


@pytest.mark.parametrize(
    "mean",
    [
        [50.0] * 40,  # no difference between customers
        list(np.exp(np.linspace(-12, 12, 40))),  # differences without a finite mean
        [1e-9, 1e9],
        [30.0],
    ],
)
def test_values_no_model_fits_give_an_estimate_with_a_warning(mean: list[float]) -> None:
    fitted = GammaGamma().fit(np.full(len(mean), 2), mean)
    assert [finding.code for finding in fitted.warnings] == ["W404"]
    assert fitted.q > 1
    assert 0 < fitted.population_mean < np.inf


def test_equal_values_are_forecast_to_stay() -> None:
    fitted = GammaGamma().fit([2] * 40, [50.0] * 40)
    assert float(fitted.expected_value(2, 50.0)) == pytest.approx(50, rel=0.05)


values = st.lists(st.tuples(st.integers(1, 3_000), st.floats(1e-6, 1e9)), min_size=1, max_size=40)


@given(rows=values)
@settings(max_examples=150)
def test_any_values_have_a_fit(rows: list[tuple[int, float]]) -> None:
    n, mean = map(np.array, zip(*rows, strict=True))
    fitted = GammaGamma().fit(n, mean)
    assert np.isfinite([fitted.p, fitted.q, fitted.gamma, fitted.log_likelihood]).all()
    expected = fitted.expected_value(n, mean)
    low = np.minimum(mean, fitted.population_mean)
    high = np.maximum(mean, fitted.population_mean)
    assert np.all((low * (1 - 1e-9) <= expected) & (expected <= high * (1 + 1e-9)))


def test_free_orders_are_left_out_and_counted() -> None:
    n, mean = gamma_gamma_values(500, 6.0, 4.0, 15.0)
    clean = GammaGamma().fit(n, mean)
    mixed = GammaGamma().fit(np.append(n, [1, 2, 0]), np.append(mean, [0.0, -5.0, np.nan]))
    assert (mixed.p, mixed.q, mixed.n_customers) == (clean.p, clean.q, 500)
    (finding,) = mixed.warnings
    assert "2 customers without a positive value" in finding.what
    assert 0 < mixed.expected_value(2, -5.0) < mixed.population_mean


def test_nothing_known_gives_the_population_mean() -> None:
    fitted = FittedGammaGamma(p=6.0, q=4.0, gamma=15.0)
    assert fitted.expected_value([0, 0], [np.nan, 99.0]).tolist() == [30.0, 30.0]


@pytest.mark.parametrize(("n", "mean"), [([], []), ([0], [5.0]), ([2, 3], [0.0, -1.0])])
def test_nobody_with_a_value_is_an_error(n: list[int], mean: list[float]) -> None:
    with pytest.raises(DataError, match="E315"):
        GammaGamma().fit(n, mean)


@pytest.mark.parametrize(("n", "mean"), [(-1, 5.0), (np.inf, 5.0), (2, np.nan)])
def test_a_value_that_cannot_be_is_refused(n: float, mean: float) -> None:
    with pytest.raises(DataError, match="E315"):
        FittedGammaGamma(p=6.0, q=4.0, gamma=15.0).expected_value(n, mean)
