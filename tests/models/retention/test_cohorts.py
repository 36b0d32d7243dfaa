"""Shifted beta-geometric and beta-discrete-Weibull: published fits, other mathematics, known truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import beta as beta_function

from allocator.errors import DataError
from allocator.models.retention import BetaDiscreteWeibull, ShiftedBetaGeometric
from allocator.models.scoring import survival_mape
from tests.models.retention.made_up_contracts import HIGH_END, REGULAR, cohort, seen

MODELS = (ShiftedBetaGeometric(), BetaDiscreteWeibull())
both = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
cohorts = pytest.mark.parametrize("survival", [HIGH_END, REGULAR], ids=["high end", "regular"])


def recursive_log_likelihood(active: np.ndarray, alpha: float, beta: float) -> float:
    """Fader & Hardie (2007), equations 7 and 8: P(T = t) from P(T = t - 1), without a beta function."""
    value, chance, survivors = 0.0, alpha / (alpha + beta), 1.0
    for t, lost in enumerate(-np.diff(active), start=1):
        if t > 1:
            chance *= (beta + t - 2) / (alpha + beta + t - 1)
        survivors -= chance
        value += lost * np.log(chance)
    return value + active[-1] * np.log(survivors)


@pytest.mark.parametrize(
    ("survival", "alpha", "beta", "log_likelihood"),
    [(HIGH_END, 0.668, 3.806, -1611.16), (REGULAR, 0.704, 1.182, -1680.27)],
)
def test_the_published_fit(survival, alpha, beta, log_likelihood) -> None:
    fitted = ShiftedBetaGeometric().fit(seen(survival))
    assert (fitted.alpha, fitted.beta) == pytest.approx((alpha, beta), abs=1e-3)
    assert fitted.log_likelihood == pytest.approx(log_likelihood, abs=0.01)
    assert fitted.warnings == ()


@cohorts
def test_the_likelihood_is_that_of_the_recursive_definition(survival) -> None:
    active = seen(survival)
    fitted = ShiftedBetaGeometric().fit(active)
    expected = recursive_log_likelihood(active, fitted.alpha, fitted.beta)
    assert fitted.log_likelihood == pytest.approx(expected, abs=1e-8)
    for step in (0.99, 1.01):
        assert recursive_log_likelihood(active, fitted.alpha * step, fitted.beta) < expected
        assert recursive_log_likelihood(active, fitted.alpha, fitted.beta * step) < expected


@cohorts
def test_another_search_finds_no_better_weibull(survival) -> None:
    active = seen(survival)

    def loss(theta: np.ndarray) -> float:
        a, b, c = np.exp(theta)
        s = beta_function(a, b + np.arange(len(active)) ** c) / beta_function(a, b)
        return float(np.diff(active) @ np.log(-np.diff(s)) - active[-1] * np.log(s[-1]))

    other = minimize(
        loss, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-9, "maxiter": 4000}
    )
    fitted = BetaDiscreteWeibull().fit(active)
    assert fitted.log_likelihood == pytest.approx(-other.fun, abs=1e-6)
    assert (fitted.alpha, fitted.beta, fitted.c) == pytest.approx(np.exp(other.x), rel=1e-3)


@cohorts
def test_standard_errors_are_those_of_numerical_curvature(survival) -> None:
    active = seen(survival)
    fitted = ShiftedBetaGeometric().fit(active)
    at, step = np.array([fitted.alpha, fitted.beta]), 1e-3
    moves = step * np.eye(2)

    def value(x: np.ndarray) -> float:
        return recursive_log_likelihood(active, *x)

    bend = [
        [
            (value(at + a + b) - value(at + a - b) - value(at - a + b) + value(at - a - b)) / (4 * step**2)
            for a in moves
        ]
        for b in moves
    ]
    expected = np.sqrt(np.diag(np.linalg.inv(-np.array(bend))))
    assert list(fitted.standard_errors.values()) == pytest.approx(expected, rel=1e-3)


def test_five_years_ahead_are_forecast_within_one_and_a_half_percent() -> None:
    errors = {
        model.name: [
            survival_mape(
                *(
                    np.r_[1.0, curve[8:]]
                    for curve in (survival, model.fit(seen(survival)).survival(range(13)))
                )
            )
            for survival in (HIGH_END, REGULAR)
        ]
        for model in MODELS
    }
    assert np.mean(errors["beta_discrete_weibull"]) < 0.015
    assert np.mean(errors["beta_discrete_weibull"]) < np.mean(errors["shifted_beta_geometric"])


def test_the_weibull_of_c_1_is_the_shifted_beta_geometric() -> None:
    pulled = BetaDiscreteWeibull(penalty=1e-6).fit([1000, 600])
    assert pulled.c == pytest.approx(1, abs=1e-6)
    plain = ShiftedBetaGeometric().fit(seen(REGULAR))
    free = BetaDiscreteWeibull().fit(seen(REGULAR))
    assert free.log_likelihood > plain.log_likelihood


def test_the_shifted_beta_geometric_is_recovered() -> None:
    active = cohort(200_000, 10, np.random.default_rng(3), alpha=1.4, beta=4.0, c=1.0)
    fitted = ShiftedBetaGeometric().fit(active)
    for name, truth in (("alpha", 1.4), ("beta", 4.0)):
        assert abs(getattr(fitted, name) - truth) < 3 * fitted.standard_errors[name]
        assert fitted.standard_errors[name] < 0.05 * truth


def test_the_weibull_is_recovered() -> None:
    active = cohort(200_000, 12, np.random.default_rng(5), alpha=0.8, beta=2.0, c=1.5)
    fitted = BetaDiscreteWeibull().fit(active)
    for name, truth in (("alpha", 0.8), ("beta", 2.0), ("c", 1.5)):
        assert abs(getattr(fitted, name) - truth) < 3 * fitted.standard_errors[name]
        assert fitted.standard_errors[name] < 0.1 * truth


def test_draws_spread_as_the_standard_errors_say() -> None:
    fitted = ShiftedBetaGeometric().fit(seen(HIGH_END))
    alphas = [one.alpha for one in fitted.parameter_draws(2000, np.random.default_rng(0))]
    assert np.std(alphas) == pytest.approx(fitted.standard_errors["alpha"], rel=0.15)


LIMITS = {
    "everybody stays": [1000, 1000, 1000],
    "everybody leaves at once": [50, 0],
    "everybody leaves at once, long ago": [50, 0, 0, 0],
    "everybody leaves later": [100, 100, 0],
    "one who stays": [1, 1],
    "one who leaves": [1, 0],
    "one period": [100, 90],
    "all alike": [1000, 500, 250, 125],
}


@both
@pytest.mark.parametrize("active", LIMITS.values(), ids=LIMITS)
def test_a_limit_is_regularised_and_says_so(model, active) -> None:
    fitted = model.fit(active)
    assert np.isfinite(fitted.survival(range(100))).all()
    assert np.isfinite(fitted.log_likelihood)
    if active != LIMITS["all alike"]:
        assert [warning.code for warning in fitted.warnings] == ["W404"]


@settings(max_examples=30)
@given(
    size=st.integers(1, 10**6),
    shares=st.lists(
        st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, 0.999999])), min_size=1, max_size=12
    ),
)
@both
def test_no_cohort_ends_in_a_nan(model, size: int, shares: list[float]) -> None:
    active = np.floor(size * np.cumprod([1.0, *shares]))
    fitted = model.fit(active)
    survival = fitted.survival(range(60))
    assert survival[0] == 1
    assert np.isfinite(survival).all()
    assert (np.diff(survival) <= 1e-12).all()
    assert np.isfinite(fitted.log_likelihood)


@both
@pytest.mark.parametrize(
    "active", [[], [100], [0, 0], [100, -1], [100, 110], [100, np.nan], [[100, 90], [80, 70]]], ids=repr
)
def test_what_cannot_be_a_cohort_is_refused(model, active) -> None:
    with pytest.raises(DataError, match="E315"):
        model.fit(active)


@both
@pytest.mark.parametrize("periods", [-1, 0.5, np.nan])
def test_only_whole_periods_have_a_survival(model, periods) -> None:
    with pytest.raises(DataError, match="E315"):
        model.fit(seen(REGULAR)).survival(periods)
