"""BG/NBD: published fits, recovery of a known truth, independent mathematics, and odd customers."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import betaln, expit, gammaln, hyp2f1
from scipy.stats import spearmanr

from allocator.customers.summary import Patterns
from allocator.errors import DataError
from allocator.models.clv.bg_nbd import BgNbd, FittedBgNbd
from tests.models.clv.made_up_customers import bg_nbd_patterns, cdnow_days, cdnow_patterns

CDNOW = FittedBgNbd(r=0.2426, alpha=4.4136, a=0.7929, b=2.4259)


def closed_form(fitted: FittedBgNbd, weeks: float, x: float, t: float, age: float) -> float:
    """Equation 10 of Fader, Hardie & Lee (2005) as printed."""
    r, alpha, a, b = fitted.r, fitted.alpha, fitted.a, fitted.b
    ratio = (alpha + age) / (alpha + age + weeks)
    shape = hyp2f1(r + x, b + x, a + b + x - 1, weeks / (alpha + age + weeks))
    numerator = (a + b + x - 1) / (a - 1) * (1 - ratio ** (r + x) * shape)
    gone = a / (b + x - 1) * ((alpha + age) / (alpha + t)) ** (r + x) if x > 0 else 0
    return float(numerator / (1 + gone))


def by_quadrature(fitted: FittedBgNbd, weeks: float, x: float, age: float, start: float = 0.0) -> float:
    """Purchases of an active customer, by adaptive quadrature over the dropout probability."""
    shape, scale, beta = fitted.r + x, fitted.alpha + age, fitted.b + x
    a = fitted.a

    def density(logit: float) -> tuple[float, float]:
        p = expit(logit)
        log_density = a * logit - (a + beta) * np.logaddexp(0, logit) - betaln(a, beta)
        return p, np.exp(log_density - shape * np.log1p(p * start / scale))

    def bought(logit: float) -> float:
        p, weight = density(logit)
        if p < 1e-15:
            return weight * shape * weeks / scale
        return weight * -np.expm1(-shape * np.log1p(p * weeks / (scale + p * start))) / p

    edges = np.linspace(-45 / min(a, 1) - 5, 45 / min(beta, 1) + 5, 60)
    parts = [
        [quad(part, lo, hi, epsabs=0, epsrel=1e-9, limit=200)[0] for lo, hi in pairwise(edges)]
        for part in (bought, lambda logit: density(logit)[1])
    ]
    return float(sum(parts[0]) / sum(parts[1]))


def test_the_published_fit_of_cdnow(shared_data: Path) -> None:
    patterns = cdnow_patterns(cdnow_days(shared_data))
    fitted = BgNbd().fit(patterns)
    assert fitted.warnings == ()
    assert fitted.n_customers == 2357
    found = (fitted.r, fitted.alpha, fitted.a, fitted.b)
    assert found == pytest.approx((0.2426, 4.4136, 0.7929, 2.4259), abs=5e-4)
    assert fitted.log_likelihood == pytest.approx(-9582.429, abs=1e-3)
    x, t, age = patterns.frequency, patterns.recency_weeks, patterns.age_weeks
    total = fitted.expected_purchases(39, x, t, age) @ patterns.counts
    assert total == pytest.approx(1653.409, abs=5e-3)  # as other implementations sum it


def test_buying_again_ranks_customers_where_being_alive_does_not(shared_data: Path) -> None:
    days = cdnow_days(shared_data)
    patterns = cdnow_patterns(days)
    fitted = BgNbd().fit(patterns)
    history = (patterns.frequency, patterns.recency_weeks, patterns.age_weeks)
    later = days[days["date"] > "1997-09-30"].groupby("customer_id").size()
    actual = later.reindex(np.unique(days["customer_id"]), fill_value=0).to_numpy()
    any_purchase = fitted.p_any_purchase(39, *history)[patterns.inverse]
    alive = fitted.p_alive(*history)[patterns.inverse]
    assert spearmanr(any_purchase, actual).statistic > 0.4
    assert spearmanr(alive, actual).statistic < 0
    assert any_purchase.sum() == pytest.approx((actual > 0).sum(), rel=0.1)


def test_the_log_likelihood_is_that_of_the_paper() -> None:
    patterns = bg_nbd_patterns(300, 0.6, 8.0, 0.8, 3.0)
    fitted = BgNbd().fit(patterns)
    r, alpha, a, b = fitted.r, fitted.alpha, fitted.a, fitted.b
    x, t, age = patterns.frequency, patterns.recency_weeks, patterns.age_weeks
    outer = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
    inner = (alpha + age) ** -(r + x)
    again = x > 0
    inner[again] += (a / (b + x - 1) * (alpha + t) ** -(r + x))[again]
    expected = patterns.counts @ (outer + np.log(inner))
    assert fitted.log_likelihood == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("step", [(1.02, 1, 1, 1), (1, 1.02, 1, 1), (1, 1, 1.02, 1), (1, 1, 1, 1.02)])
def test_no_other_parameters_are_likelier(step: tuple[float, ...]) -> None:
    patterns = bg_nbd_patterns(2_000, 0.6, 8.0, 0.8, 3.0)
    fitted = BgNbd().fit(patterns)

    def likelihood(r: float, alpha: float, a: float, b: float) -> float:
        x, t, age = patterns.frequency, patterns.recency_weeks, patterns.age_weeks
        outer = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
        last = np.where(x > 0, np.log(a / (b + np.maximum(x, 1) - 1)) - (r + x) * np.log(alpha + t), -np.inf)
        return float(patterns.counts @ (outer + np.logaddexp(-(r + x) * np.log(alpha + age), last)))

    best = np.array([fitted.r, fitted.alpha, fitted.a, fitted.b])
    assert likelihood(*best) > likelihood(*(best * step))
    assert likelihood(*best) > likelihood(*(best / step))


@pytest.mark.parametrize("x", [0, 1, 2, 7, 29])
@pytest.mark.parametrize("weeks", [0.5, 13.0, 52.0, 200.0])
def test_expected_purchases_are_those_of_the_paper(x: int, weeks: float) -> None:
    t = 0.0 if x == 0 else 20.0
    found = CDNOW.expected_purchases(weeks, x, t, 38.0)
    assert found == pytest.approx(closed_form(CDNOW, weeks, x, t, 38.0), rel=1e-9)


@pytest.mark.parametrize(
    ("fitted", "weeks", "x", "age", "start"),
    [
        (FittedBgNbd(0.24, 4.4, 1.0, 0.3), 52.0, 3, 39.0, 0.0),  # a = 1: a pole of the closed form
        (FittedBgNbd(0.24, 4.4, 0.5, 0.5), 52.0, 0, 39.0, 0.0),  # a + b = 1 and no repeat: another
        (FittedBgNbd(0.24, 4.4, 0.3, 0.2), 52.0, 0, 39.0, 0.0),
        (FittedBgNbd(0.24, 4.4, 0.05, 0.3), 1e4, 0, 39.0, 0.0),
        (FittedBgNbd(0.24, 4.4, 0.8, 2.4), 100.0, 10_000, 10.0, 50.0),
        (FittedBgNbd(50.0, 400.0, 30.0, 400.0), 52.0, 4, 20.0, 26.0),
        (FittedBgNbd(2.0, 30.0, 8.0, 0.01), 100.0, 0, 30.0, 20.0),
        (FittedBgNbd(5.0, 0.5, 0.7, 0.5), 1e4, 0, 1.0, 0.0),
    ],
)
def test_expected_purchases_hold_where_the_closed_form_fails(
    fitted: FittedBgNbd, weeks: float, x: int, age: float, start: float
) -> None:
    found = fitted.expected_if_active(weeks, x, 0.0 if x == 0 else age, age, start)
    assert found == pytest.approx(by_quadrature(fitted, weeks, x, age, start), rel=1e-7)


def test_expected_purchases_are_the_mean_of_many_lives() -> None:
    rng = np.random.default_rng(5)
    n, weeks, start, x, age = 200_000, 30.0, 10.0, 3, 38.0
    rate = rng.gamma(CDNOW.r + x, 1 / (CDNOW.alpha + age), n)
    leaves = rng.beta(CDNOW.a, CDNOW.b + x, n)
    clock, bought, early = np.zeros(n), np.zeros(n), np.zeros(n)
    active, active_later = np.ones(n, dtype=bool), np.ones(n, dtype=bool)
    while active.any():
        clock += rng.exponential(1, n) / rate
        active &= clock < start + weeks
        early += active & (clock < start)
        bought += active & (clock >= start)
        stays = rng.random(n) >= leaves
        active_later &= stays | ~active | (clock >= start)
        active &= stays
    error = 4 * bought.std() / np.sqrt(n)
    alive = float(CDNOW.p_alive(x, age, age))
    expected = float(CDNOW.expected_purchases(weeks, x, age, age, start)) / alive
    assert bought.mean() == pytest.approx(expected, abs=error)
    if_active = float(CDNOW.expected_if_active(weeks, x, age, age, start))
    assert bought[active_later].mean() == pytest.approx(if_active, abs=2 * error)
    some = float(CDNOW.p_any_purchase(start + weeks, x, age, age)) / alive
    assert ((bought + early) > 0).mean() == pytest.approx(some, abs=4 / np.sqrt(n))


parameters = st.builds(
    FittedBgNbd,
    st.floats(1e-4, 1e4),
    st.floats(1e-4, 1e6),
    st.floats(1e-9, 1e4),
    st.floats(1e-4, 1e4),
)
histories = st.tuples(
    st.one_of(st.integers(0, 3), st.integers(0, 100_000)), st.floats(0, 1), st.floats(0, 1e5)
).map(lambda h: (h[0], h[1] * h[2] if h[0] else 0.0, h[2]))
spans = st.floats(0, 1e5)


@given(fitted=parameters, history=histories, weeks=spans, start=spans)
@settings(max_examples=300)
def test_any_customer_has_a_forecast(
    fitted: FittedBgNbd, history: tuple[int, float, float], weeks: float, start: float
) -> None:
    x, _, age = history
    most = (fitted.r + x) * weeks / (fitted.alpha + age)
    alive = fitted.p_alive(*history)
    some = fitted.p_any_purchase(weeks, *history)
    bought = fitted.expected_purchases(weeks, *history)
    later = fitted.expected_purchases(weeks, *history, start)
    if_active = fitted.expected_if_active(weeks, *history, start)
    assert 0 <= alive <= 1
    assert 0 <= some <= alive
    assert some * (1 - 1e-9) <= bought + 1e-300
    assert 0 <= bought <= alive * most * (1 + 1e-9) + 1e-300
    assert 0 <= later <= bought * (1 + 1e-7) + 1e-300
    assert 0 <= if_active <= most * (1 + 1e-7) + 1e-300
    assert later <= if_active * (1 + 1e-9)


@given(fitted=parameters, history=histories, weeks=spans, more=spans)
def test_time_adds_up(
    fitted: FittedBgNbd, history: tuple[int, float, float], weeks: float, more: float
) -> None:
    first = fitted.expected_purchases(weeks, *history)
    second = fitted.expected_purchases(more, *history, weeks)
    assert first + second == pytest.approx(fitted.expected_purchases(weeks + more, *history), rel=1e-5)


def test_a_customer_with_one_purchase_is_alive_but_may_never_return() -> None:
    assert CDNOW.p_alive(0, 0.0, 38.0) == 1
    assert CDNOW.p_any_purchase(39, 0, 0.0, 38.0) < 0.2


def test_forecasts_take_the_shape_of_their_arguments() -> None:
    x, t, age = np.array([0, 2, 2]), np.array([0.0, 30.0, 30.0]), np.array([38.0, 38.0, 38.0])
    many = CDNOW.expected_purchases(39, x, t, age)
    one_by_one = [float(CDNOW.expected_purchases(39, *row)) for row in zip(x, t, age, strict=True)]
    assert many.tolist() == pytest.approx(one_by_one, rel=1e-14)
    table = CDNOW.expected_purchases(np.array([[13.0], [39.0]]), x, t, age)
    assert table.shape == (2, 3)
    assert table[1].tolist() == pytest.approx(one_by_one, rel=1e-14)
    assert CDNOW.expected_purchases(39, [], [], []).shape == (0,)


@pytest.mark.parametrize("weeks", [-1.0, np.nan, np.inf])
def test_weeks_that_cannot_be_are_refused(weeks: float) -> None:
    with pytest.raises(DataError, match="E315"):
        CDNOW.expected_purchases(weeks, 0, 0.0, 3.0)


@pytest.mark.parametrize("dropout", [(1e-9, 1.0), (0.01, 5.0), (300.0, 2_700.0)])
def test_weak_or_uniform_dropout_gives_an_estimate_that_forecasts(dropout: tuple[float, float]) -> None:
    patterns = bg_nbd_patterns(800, 1.5, 10.0, *dropout, seed=3)
    fitted = BgNbd().fit(patterns)
    truth = FittedBgNbd(1.5, 10.0, *dropout)
    history = (patterns.frequency, patterns.recency_weeks, patterns.age_weeks)
    found, expected = (
        float(model.expected_purchases(26, *history) @ patterns.counts) for model in (fitted, truth)
    )
    assert found == pytest.approx(expected, rel=0.1)


def test_a_penalty_draws_the_shapes_towards_one() -> None:
    patterns = bg_nbd_patterns(400, 0.6, 8.0, 0.8, 3.0)
    free, drawn = (BgNbd(penalty=penalty).fit(patterns) for penalty in (0.0, 100.0))
    assert abs(np.log(drawn.b)) < abs(np.log(free.b))
    assert drawn.log_likelihood < free.log_likelihood


def test_the_order_of_customers_does_not_matter_and_counts_are_customers() -> None:
    patterns = bg_nbd_patterns(500, 0.6, 8.0, 0.8, 3.0)
    twice = Patterns(
        patterns.frequency,
        patterns.recency_days,
        patterns.age_days,
        2 * patterns.counts,
        np.tile(patterns.inverse, 2),
    )
    once, both = BgNbd().fit(patterns), BgNbd().fit(twice)
    assert (both.r, both.b) == pytest.approx((once.r, once.b), rel=1e-4)
    assert both.log_likelihood == pytest.approx(2 * once.log_likelihood, rel=1e-9)
