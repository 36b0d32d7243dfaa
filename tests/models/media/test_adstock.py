from __future__ import annotations

import numpy as np
import pytest

from allocator.models.media.adstock import adstock, adstock_and_slope


@pytest.mark.parametrize("decay", [0.0, 0.3, 0.9])
def test_pressure_is_the_direct_sum_of_what_is_left(decay: float) -> None:
    spend = np.random.default_rng(1).gamma(2, 3, 40)
    before = np.full(400, spend[:8].mean())
    every = np.concatenate([before, spend])
    direct = [
        (1 - decay) * sum(decay**lag * every[at - lag] for lag in range(at + 1)) for at in range(400, 440)
    ]
    np.testing.assert_allclose(adstock(spend, decay), direct, rtol=1e-10)


def test_slope_is_the_difference_quotient() -> None:
    spend = np.random.default_rng(2).gamma(2, 3, (2, 30))
    _, slope = adstock_and_slope(spend, 0.4)
    quotient = (adstock(spend, 0.4 + 1e-6) - adstock(spend, 0.4 - 1e-6)) / 2e-6
    np.testing.assert_allclose(slope, quotient, atol=1e-6)
