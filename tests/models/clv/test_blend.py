"""The weighted mean of forecasts."""

from __future__ import annotations

import numpy as np

from allocator.models.base import fit_warning
from allocator.models.clv.blend import BlendedForecast, blended
from allocator.models.clv.judgement import Prediction
from tests.models.clv.made_up_forecasts import Constant, snapshot_of


def test_every_figure_is_the_mean_of_those_of_its_parts() -> None:
    customers = snapshot_of(2)
    parts = Constant(np.array([1.0, 4.0])), Constant(np.array([3.0, 0.0]))
    blend = BlendedForecast(parts, (0.25, 0.75))
    assert blend.expected_revenue(customers, 2.0).tolist() == [5.0, 2.0]
    assert blend.expected_purchases(customers, 2.0, start_weeks=1.0).tolist() == [5.0, 2.0]
    assert blend.revenue_if_active(customers, 2.0).tolist() == [10.0, 4.0]
    chances = [part.p_any_purchase(customers, 2.0) for part in parts]
    mean = 0.25 * chances[0] + 0.75 * chances[1]
    assert np.allclose(blend.p_any_purchase(customers, 2.0), mean, rtol=1e-12)


def test_a_warning_of_both_parts_is_told_once() -> None:
    rate = np.array([1.0])
    both, one = fit_warning("both"), fit_warning("one")
    blend = BlendedForecast((Constant(rate, (both,)), Constant(rate, (both, one))), (0.5, 0.5))
    assert blend.warnings == (both, one)


def test_predictions_are_blended_as_forecasts_are() -> None:
    made = [Prediction(np.array([2.0, 8.0]), np.array([0.2, 0.6])), Prediction(np.zeros(2), np.ones(2))]
    found = blended(made, (0.75, 0.25))
    assert found.revenue.tolist() == [1.5, 6.0]
    assert np.allclose(found.p_any_purchase, [0.4, 0.7])
