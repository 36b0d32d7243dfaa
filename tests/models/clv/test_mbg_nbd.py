"""MBG/NBD: the published fit, and independent mathematics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import roots_genlaguerre, roots_jacobi

from allocator.models.clv.bg_nbd import FittedBgNbd
from allocator.models.clv.mbg_nbd import FittedMbgNbd, MbgNbd
from tests.models.clv.made_up_customers import cdnow_days, cdnow_patterns, mbg_nbd_patterns

CDNOW = FittedMbgNbd(r=0.5248, alpha=6.183, a=0.8914, b=1.614)


class Lives:
    """Means over many rates and dropout probabilities, each weighted by how well it explains a history."""

    def __init__(self, fitted: FittedMbgNbd, x: int, t: float, age: float) -> None:
        rates, rate_weights = roots_genlaguerre(80, fitted.r + x - 1)
        places, weights = roots_jacobi(120, fitted.b - 1, fitted.a - 1)
        self.p = (1 + places[None, :]) / 2
        # the weight exp(-rate * (alpha + t)) is that of the nodes
        self.rate = rates[:, None] / (fitted.alpha + t)
        scale = (fitted.alpha / (fitted.alpha + t)) ** fitted.r * (fitted.alpha + t) ** -x
        prior = rate_weights[:, None] * weights[None, :] / weights.sum() * scale * (1 - self.p) ** x
        self.left = prior * self.p
        self.stayed = prior * (1 - self.p) * np.exp(-self.rate * (age - t))

    @property
    def alive(self) -> float:
        return float(self.stayed.sum() / (self.stayed.sum() + self.left.sum()))

    def mean(self, of_an_active: np.ndarray) -> float:
        return float((self.stayed * of_an_active).sum() / (self.stayed.sum() + self.left.sum()))


def test_the_published_fit_of_cdnow(shared_data: Path) -> None:
    fitted = MbgNbd().fit(cdnow_patterns(cdnow_days(shared_data)))
    assert fitted.warnings == ()
    found = (fitted.r, fitted.alpha, fitted.a, fitted.b)
    assert found == pytest.approx((0.5248, 6.183, 0.8914, 1.6140), abs=5e-4)


@pytest.mark.parametrize(
    ("x", "t", "age"), [(0, 0.0, 39.0), (1, 5.0, 30.0), (3, 28.0, 30.0), (9, 10.0, 39.0)]
)
@pytest.mark.parametrize("weeks", [4.0, 52.0])
def test_forecasts_are_means_over_many_lives(x: int, t: float, age: float, weeks: float) -> None:
    lives = Lives(CDNOW, x, t, age)
    loss = lives.rate * lives.p
    assert CDNOW.p_alive(x, t, age) == pytest.approx(lives.alive, rel=1e-6)
    assert CDNOW.p_active(weeks, x, t, age) == pytest.approx(lives.mean(np.exp(-loss * weeks)), rel=1e-6)
    bought = -np.expm1(-loss * weeks) / lives.p
    assert CDNOW.expected_purchases(weeks, x, t, age) == pytest.approx(lives.mean(bought), rel=1e-6)
    some = -np.expm1(-lives.rate * weeks)
    assert CDNOW.p_any_purchase(weeks, x, t, age) == pytest.approx(lives.mean(some), rel=1e-6)


def test_the_log_likelihood_is_the_chance_of_the_histories() -> None:
    patterns = mbg_nbd_patterns(60, 0.5, 6.0, 0.9, 1.6)
    fitted = MbgNbd(penalty=1.0).fit(patterns)
    everything = roots_genlaguerre(80, fitted.r - 1)[1].sum()
    rows = zip(patterns.frequency, patterns.recency_weeks, patterns.age_weeks, strict=True)
    chances = [(lives.left + lives.stayed).sum() for lives in (Lives(fitted, *row) for row in rows)]
    logs = np.log(np.array(chances) / everything)
    assert fitted.log_likelihood == pytest.approx(float(patterns.counts @ logs), rel=1e-5)


def test_customers_may_leave_at_once() -> None:
    assert CDNOW.p_alive(0, 0.0, 0.0) == pytest.approx(1.614 / (1.614 + 0.8914))
    assert CDNOW.p_alive(0, 0.0, 200.0) < CDNOW.p_alive(0, 0.0, 20.0) < 0.6


def test_an_active_customer_is_one_of_bg_nbd_with_a_purchase_survived_more() -> None:
    other = FittedBgNbd(CDNOW.r, CDNOW.alpha, CDNOW.a, CDNOW.b + 1)
    one = CDNOW.expected_if_active(30.0, [0, 4], [0.0, 8.0], [20.0, 20.0], 10.0)
    assert one == pytest.approx(other.expected_if_active(30.0, [0, 4], [0.0, 8.0], [20.0, 20.0], 10.0))


def test_a_maximum_is_found_that_a_first_search_runs_past() -> None:
    truth = (0.62911587, 31.23930068, 2.15294804, 1.58327021)
    patterns = mbg_nbd_patterns(879, *truth, seed=39)
    fitted = MbgNbd().fit(patterns)
    assert fitted.warnings == ()
    assert fitted.log_likelihood == pytest.approx(-2018.178753, abs=1e-3)
