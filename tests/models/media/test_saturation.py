from __future__ import annotations

import numpy as np
import pytest

from allocator.models.media.saturation import (
    Family,
    by_bend,
    by_log_exponent,
    log_elasticity,
    relative,
    slope,
)

X = np.array([0.05, 0.5, 1.0, 2.0, 7.0])
STEP = 1e-6


@pytest.mark.parametrize(
    ("family", "bend", "exponent"),
    [("hill", -0.4, 1.0), ("hill", 0.6, 2.5), ("log", 0.3, 1.0), ("power", -0.7, 1.0)],
)
def test_derivatives_are_difference_quotients(family: Family, bend: float, exponent: float) -> None:
    def at(x: np.ndarray, b: float, n: float) -> np.ndarray:
        return relative(family, x, np.array(b), np.array(n))

    def elasticity(b: float, n: float) -> float:
        return float(log_elasticity(family, np.array(b), np.array(n))[0])

    quotient = (at(X + STEP, bend, exponent) - at(X - STEP, bend, exponent)) / (2 * STEP)
    np.testing.assert_allclose(slope(family, X, np.array(bend), np.array(exponent)), quotient, rtol=1e-6)
    quotient = (at(X, bend + STEP, exponent) - at(X, bend - STEP, exponent)) / (2 * STEP)
    np.testing.assert_allclose(by_bend(family, X, bend, exponent), quotient, atol=1e-7)
    value, by_b, by_n = log_elasticity(family, np.array(bend), np.array(exponent))
    assert np.exp(value) == pytest.approx(
        float(slope(family, np.array(1.0), np.array(bend), np.array(exponent)))
    )
    quotient_b = (elasticity(bend + STEP, exponent) - elasticity(bend - STEP, exponent)) / (2 * STEP)
    assert float(by_b) == pytest.approx(quotient_b, abs=1e-7)
    if family == "hill":
        up, down = exponent * np.exp(STEP), exponent * np.exp(-STEP)
        quotient = (at(X, bend, up) - at(X, bend, down)) / (2 * STEP)
        np.testing.assert_allclose(by_log_exponent(X, bend, exponent), quotient, atol=1e-7)
        quotient_n = (elasticity(bend, up) - elasticity(bend, down)) / (2 * STEP)
        assert float(by_n) == pytest.approx(quotient_n, abs=1e-7)
