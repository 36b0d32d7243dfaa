"""Pareto/NBD: published fits and forecasts, independent mathematics, and extreme customers."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import gammaln, hyp2f1

from allocator.models.clv.pareto_nbd import FittedParetoNbd, ParetoNbd
from tests.models.clv.made_up_customers import cdnow_days, cdnow_patterns, pareto_nbd_patterns

CDNOW = FittedParetoNbd(r=0.5534, alpha=10.578, s=0.6061, beta=11.669)


def left_and_stayed(fitted: FittedParetoNbd, x: int, t: float, age: float) -> tuple[float, float]:
    """Chances of a history and of having left, or not: Fader & Hardie (2005), A.1, as printed."""
    r, alpha, s, beta = fitted.r, fitted.alpha, fitted.s, fitted.beta
    both, low, high = r + s + x, min(alpha, beta), max(alpha, beta)
    shape = s + 1 if alpha >= beta else r + x

    def part(time: float) -> float:
        argument = (high - low) / (high + time)
        return float(hyp2f1(both, shape, both + 1, argument) / (high + time) ** both)

    factor = np.exp(gammaln(r + x) - gammaln(r)) * alpha**r * beta**s
    stayed = (alpha + age) ** -(r + x) * (beta + age) ** -s
    return factor * s / both * (part(t) - part(age)), factor * stayed


def over_deaths(fitted: FittedParetoNbd, age: float, of: object, ends: float) -> float:
    """The mean of a function of how long an active customer stays, which is Lomax; constant after `ends`."""
    scale = fitted.beta + age
    edges = np.concatenate([[0.0], np.geomspace(1e-6, max(ends, 2e-6), 30)])
    density = [
        quad(lambda y: fitted.s / scale * (1 + y / scale) ** -(fitted.s + 1) * of(y), *edge, epsabs=0)[0]
        for edge in pairwise(edges)
    ]
    return sum(density) + (1 + ends / scale) ** -fitted.s * of(ends)


def test_the_published_fit_of_cdnow(shared_data: Path) -> None:
    fitted = ParetoNbd().fit(cdnow_patterns(cdnow_days(shared_data)))
    assert fitted.warnings == ()
    found = (fitted.r, fitted.alpha, fitted.s)
    assert found == pytest.approx((0.5533, 10.5775, 0.6062), abs=5e-4)
    assert fitted.beta == pytest.approx(11.67, abs=5e-3)
    assert fitted.log_likelihood == pytest.approx(-9594.976, abs=1e-3)


def test_published_forecasts_of_cdnow() -> None:
    # the walkthrough of the R package BTYD
    assert CDNOW.expected_purchases(52, 26, 30.86, 31) == pytest.approx(25.456, abs=0.01)
    assert CDNOW.p_alive(26, 30.86, 31) == pytest.approx(0.9979, abs=1e-4)
    assert CDNOW.expected_purchases(52, 0, 0.0, 0.0) == pytest.approx(1.4734, abs=1e-3)


@pytest.mark.parametrize(
    "fitted",
    [CDNOW, FittedParetoNbd(2.0, 30.0, 1.0, 8.0), FittedParetoNbd(0.2, 3.0, 0.9, 60.0)],
    ids=["cdnow", "s is 1", "late"],
)
@pytest.mark.parametrize(
    ("x", "t", "age"), [(0, 0.0, 39.0), (1, 5.0, 30.0), (3, 28.0, 30.0), (9, 10.0, 39.0)]
)
def test_being_alive_is_that_of_the_paper(fitted: FittedParetoNbd, x: int, t: float, age: float) -> None:
    left, stayed = left_and_stayed(fitted, x, t, age)
    assert fitted.p_alive(x, t, age) == pytest.approx(stayed / (left + stayed), rel=1e-7)


def test_the_log_likelihood_is_that_of_the_paper() -> None:
    patterns = pareto_nbd_patterns(200, 0.6, 8.0, 0.8, 30.0)
    fitted = ParetoNbd().fit(patterns)
    rows = zip(patterns.frequency, patterns.recency_weeks, patterns.age_weeks, strict=True)
    logs = np.log([sum(left_and_stayed(fitted, *row)) for row in rows])
    assert fitted.log_likelihood == pytest.approx(float(patterns.counts @ logs), rel=1e-9)
    for step in np.exp(0.03 * np.vstack([np.eye(4), -np.eye(4)])):
        other = FittedParetoNbd(*(np.array([fitted.r, fitted.alpha, fitted.s, fitted.beta]) * step))
        rows = zip(patterns.frequency, patterns.recency_weeks, patterns.age_weeks, strict=True)
        logs = np.log([sum(left_and_stayed(other, *row)) for row in rows])
        assert fitted.log_likelihood > float(patterns.counts @ logs)


def test_four_times_the_customers_halve_the_errors() -> None:
    one, four = (
        ParetoNbd().fit(pareto_nbd_patterns(n, 0.6, 8.0, 0.8, 30.0, seed=4)) for n in (3_000, 12_000)
    )
    for name, error in one.standard_errors.items():
        relative = [error / getattr(one, name), four.standard_errors[name] / getattr(four, name)]
        assert relative[0] / relative[1] == pytest.approx(2, rel=0.35)


def test_errors_are_those_of_the_customers_scores() -> None:
    """The outer product of gradients, customer by customer, estimates the same information."""
    patterns = pareto_nbd_patterns(4_000, 0.6, 8.0, 0.8, 30.0)
    fitted = ParetoNbd().fit(patterns)
    best = np.array([fitted.r, fitted.alpha, fitted.s, fitted.beta])
    rows = list(zip(patterns.frequency, patterns.recency_weeks, patterns.age_weeks, strict=True))

    def logs(values: np.ndarray) -> np.ndarray:
        return np.log([sum(left_and_stayed(FittedParetoNbd(*values), *row)) for row in rows])

    steps = 1e-4 * np.diag(best)
    scores = np.array([(logs(best + step) - logs(best - step)) / (2 * step.sum()) for step in steps])
    information = scores * patterns.counts @ scores.T
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    assert list(fitted.standard_errors.values()) == pytest.approx(errors, rel=0.15)


@pytest.mark.parametrize(
    ("fitted", "weeks", "x", "age"),
    [
        (CDNOW, 52.0, 3, 39.0),
        (CDNOW, 0.01, 0, 39.0),
        (FittedParetoNbd(0.5, 10.0, 1.0, 12.0), 52.0, 0, 39.0),
        (FittedParetoNbd(0.5, 10.0, 1 + 1e-9, 12.0), 52.0, 0, 39.0),
        (FittedParetoNbd(0.5, 10.0, 0.01, 0.001), 2_000.0, 1, 0.2),
        (FittedParetoNbd(0.5, 0.01, 3.0, 500.0), 100.0, 10_000, 10.0),
        (FittedParetoNbd(3.0, 50.0, 200.0, 4_000.0), 52.0, 10_000, 2_000.0),
    ],
)
def test_forecasts_are_means_over_the_time_of_leaving(
    fitted: FittedParetoNbd, weeks: float, x: int, age: float
) -> None:
    t = 0.0 if x == 0 else age
    alive = float(fitted.p_alive(x, t, age))
    shape, scale = fitted.r + x, fitted.alpha + age
    bought = over_deaths(fitted, age, lambda y: shape / scale * y, weeks)
    assert fitted.expected_if_active(weeks, x, t, age) == pytest.approx(bought, rel=1e-8)
    assert fitted.expected_purchases(weeks, x, t, age) == pytest.approx(alive * bought, rel=1e-8)
    some = over_deaths(fitted, age, lambda y: -np.expm1(-shape * np.log1p(y / scale)), weeks)
    assert fitted.p_any_purchase(weeks, x, t, age) == pytest.approx(alive * some, rel=1e-8)
    stays = over_deaths(fitted, age, lambda y: float(y >= weeks), weeks)
    assert fitted.p_active(weeks, x, t, age) == pytest.approx(alive * stays, rel=1e-8)


@pytest.mark.parametrize(
    ("fitted", "x", "t", "age"),
    [
        (FittedParetoNbd(0.5, 10.0, 0.6, 12.0), 10_000, 300.0, 320.0),
        (FittedParetoNbd(0.5, 10.0, 0.6, 12.0), 10_000, 300.0, 300.1),
        (FittedParetoNbd(0.5, 10.0, 0.6, 0.001), 0, 0.0, 2_000.0),
        (FittedParetoNbd(0.01, 0.001, 5.0, 100.0), 0, 0.0, 2_000.0),
        (FittedParetoNbd(5.0, 2_000.0, 300.0, 0.5), 400, 1.0, 2.0),
        (FittedParetoNbd(0.5, 10.0, 0.001, 0.001), 0, 0.0, 0.01),
    ],
)
def test_being_alive_holds_where_the_closed_form_fails(
    fitted: FittedParetoNbd, x: int, t: float, age: float
) -> None:
    power, s, alpha, beta = fitted.r + x, fitted.s, fitted.alpha, fitted.beta
    log_stays = -power * np.log((alpha + age) / (alpha + t)) - s * np.log((beta + age) / (beta + t))

    def odds(gap: float) -> float:
        logs = power * np.log1p(gap / (alpha + t)) + (s + 1) * np.log1p(gap / (beta + t))
        return s / (beta + t) * np.exp(-logs - log_stays)

    edges = np.concatenate([[0.0], np.geomspace(1e-9, age - t, 80)])
    left = sum(quad(odds, *edge, epsabs=0, epsrel=1e-11)[0] for edge in pairwise(edges))
    assert fitted.p_alive(x, t, age) == pytest.approx(1 / (1 + left), rel=1e-8)


parameters = st.builds(
    FittedParetoNbd, st.floats(1e-4, 1e4), st.floats(1e-4, 1e6), st.floats(1e-9, 1e4), st.floats(1e-4, 1e6)
)
histories = st.tuples(
    st.one_of(st.integers(0, 3), st.integers(0, 100_000)), st.floats(0, 1), st.floats(0, 1e5)
).map(lambda h: (h[0], h[1] * h[2] if h[0] else 0.0, h[2]))
spans = st.floats(0, 1e5)


@given(fitted=parameters, history=histories, weeks=spans, start=spans)
@settings(max_examples=300)
def test_any_customer_has_a_forecast(
    fitted: FittedParetoNbd, history: tuple[int, float, float], weeks: float, start: float
) -> None:
    x, _, age = history
    most = (fitted.r + x) * weeks / (fitted.alpha + age)
    alive = fitted.p_alive(*history)
    some = fitted.p_any_purchase(weeks, *history)
    bought = fitted.expected_purchases(weeks, *history)
    later = fitted.expected_purchases(weeks, *history, start)
    assert 0 <= alive <= 1
    assert 0 <= some <= alive
    assert some * (1 - 1e-9) <= bought + 1e-300
    assert 0 <= bought <= alive * most * (1 + 1e-9) + 1e-300
    assert 0 <= later <= bought * (1 + 1e-9) + 1e-300
    assert fitted.p_active(start, *history) <= alive


def test_forecasts_take_the_shape_of_their_arguments() -> None:
    x, t, age = np.array([0, 2, 2]), np.array([0.0, 30.0, 30.0]), np.array([38.0, 38.0, 38.0])
    for ask in (CDNOW.expected_purchases, CDNOW.p_any_purchase, CDNOW.p_active):
        many = ask(39, x, t, age)
        one_by_one = [float(ask(39, *row)) for row in zip(x, t, age, strict=True)]
        assert many.tolist() == pytest.approx(one_by_one, rel=1e-12)
        assert ask(np.array([[13.0], [39.0]]), x, t, age).shape == (2, 3)
        assert ask(39, [], [], []).shape == (0,)
