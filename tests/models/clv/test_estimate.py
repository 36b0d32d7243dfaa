"""Uncertain parameters: what is drawn from an estimate, and where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from allocator.models.clv.bg_nbd import FittedBgNbd
from allocator.models.clv.estimate import normal_draws
from allocator.models.clv.gamma_gamma import FittedGammaGamma

COVARIANCE = np.array([[0.04, 0.018], [0.018, 0.09]])


def test_draws_vary_together_as_the_estimates_do() -> None:
    draws = normal_draws(COVARIANCE, 50_000, np.random.default_rng(0))
    assert np.cov(draws.T) == pytest.approx(COVARIANCE, rel=0.05)
    assert draws.mean(axis=0) == pytest.approx([0, 0], abs=0.01)


def test_the_same_generator_gives_the_same_draws() -> None:
    one, other = (normal_draws(COVARIANCE, 3, np.random.default_rng(5)) for _ in range(2))
    assert one.tolist() == other.tolist()


def test_an_estimate_that_is_hardly_one_still_gives_numbers() -> None:
    fitted = FittedBgNbd(0.5, 6.0, 2.0, 9.0, covariance=np.diag([1e-3, 0.1, 1e9, 1e9]))
    for draw in fitted.parameter_draws(200, np.random.default_rng(0)):
        assert np.isfinite(draw.expected_purchases(26, [0, 3, 900], [0.0, 8.0, 9.0], [9.0, 9.0, 9.0])).all()


def test_an_open_estimate_is_given_as_it_is() -> None:
    fitted = FittedBgNbd(0.5, 6.0, 2.0, 9.0)
    assert fitted.parameter_draws(3, np.random.default_rng(0)) == (fitted,) * 3
    assert fitted.standard_errors == {"r": None, "alpha": None, "a": None, "b": None}


def test_a_draw_keeps_to_the_bounds_of_its_parameter() -> None:
    fitted = FittedGammaGamma(6.0, 1.2, 15.0, covariance=np.diag([0.1, 0.04, 1.0]))
    draws = fitted.parameter_draws(500, np.random.default_rng(0))
    assert min(draw.q for draw in draws) > 1
    assert np.std(np.log([draw.q - 1 for draw in draws])) == pytest.approx(1, rel=0.15)
    assert fitted.standard_errors["q"] == pytest.approx(0.2)
