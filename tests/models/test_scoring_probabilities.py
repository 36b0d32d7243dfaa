"""Scores of probabilities and of survival, each against another way to compute it."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss, r2_score

from allocator.errors import DataError
from allocator.models import scoring

RNG = np.random.default_rng(11)
CHANCE = RNG.beta(2, 3, 400)
HAPPENED = (RNG.random(400) < CHANCE).astype(float)


def test_scores_are_those_of_the_library() -> None:
    assert scoring.log_loss(HAPPENED, CHANCE) == pytest.approx(log_loss(HAPPENED, CHANCE))
    assert scoring.brier(HAPPENED, CHANCE) == pytest.approx(brier_score_loss(HAPPENED, CHANCE))
    forecast = 3 * CHANCE + RNG.normal(size=400)
    assert scoring.r2(CHANCE, forecast) == pytest.approx(r2_score(CHANCE, forecast))


@pytest.mark.parametrize("power", [0.3, 1.0, 4.0])
def test_recalibration_is_a_logistic_regression_on_the_logit(power) -> None:
    said = CHANCE**power / (CHANCE**power + (1 - CHANCE) ** power)
    other = sm.Logit(HAPPENED, sm.add_constant(np.log(said / (1 - said)))).fit(disp=0)
    found = scoring.recalibration(HAPPENED, said)
    assert found == pytest.approx(tuple(other.params), abs=1e-6)
    assert (scoring.calibration_intercept(HAPPENED, said), scoring.calibration_slope(HAPPENED, said)) == found


def test_probabilities_that_are_too_far_apart_have_a_slope_below_1() -> None:
    once = scoring.calibration_slope(HAPPENED, CHANCE)
    squared = CHANCE**2 / (CHANCE**2 + (1 - CHANCE) ** 2)
    assert scoring.calibration_slope(HAPPENED, squared) == pytest.approx(once / 2)


def test_certainty_that_was_wrong_costs_much_and_not_everything() -> None:
    assert scoring.log_loss([1, 0], [0.0, 0.0]) == pytest.approx(-np.log(1e-15) / 2)
    assert np.isfinite(scoring.calibration_slope([1, 0, 1, 0], [0.0, 0.0, 1.0, 1.0]))


@given(
    rows=st.lists(
        st.tuples(st.booleans(), st.sampled_from([0, 1e-300, 0.1, 0.5, 0.5001, 1 - 1e-16, 1])), min_size=1
    )
)
def test_a_slope_is_a_number_or_has_no_meaning(rows) -> None:
    did, p = (np.array(part, dtype=float) for part in zip(*rows, strict=True))
    intercept, slope = scoring.recalibration(did, p)
    p = np.clip(p, 1e-15, 1 - 1e-15)
    high, low = p[did == 1], p[did == 0]
    told_apart = not (len(high) and len(low)) or high.min() >= low.max() or high.max() <= low.min()
    assert np.isnan(slope) == np.isnan(intercept) == told_apart
    assert np.isfinite(scoring.log_loss(did, p))


def test_no_score_hangs_on_the_order_of_customers() -> None:
    order = np.random.default_rng(0).permutation(400)
    for score in (scoring.log_loss, scoring.brier, scoring.calibration_slope, scoring.r2):
        assert score(HAPPENED[order], CHANCE[order]) == pytest.approx(score(HAPPENED, CHANCE), rel=1e-9)


@pytest.mark.parametrize(
    ("actual", "chance"),
    [([0, 1], [0.5, 1.1]), ([0, 1], [-0.1, 1]), ([0, 2], [0.5, 0.5]), ([], []), ([1], [np.nan])],
)
@pytest.mark.parametrize(
    "score", [scoring.log_loss, scoring.calibration_slope, scoring.calibration_intercept]
)
def test_what_is_no_probability_is_refused(score, actual, chance) -> None:
    with pytest.raises(DataError, match="E315"):
        score(actual, chance)


def test_survival_is_compared_from_period_1_on_while_somebody_is_left() -> None:
    assert scoring.survival_mape([1.0, 0.5, 0.4], [1.0, 0.6, 0.3]) == pytest.approx((0.2 + 0.25) / 2)
    assert scoring.survival_mape([1.0, 0.5, 0.0], [1.0, 0.6, 0.3]) == pytest.approx(0.2)
    assert scoring.survival_mape([0.7, 0.5], [0.1, 0.5]) == 0
    assert np.isnan(scoring.survival_mape([1.0], [1.0]))
    for actual, forecast in (([1.0, -0.1], [1.0, 0.2]), ([1.0, 0.4], [1.0])):
        with pytest.raises(DataError, match="E315"):
            scoring.survival_mape(actual, forecast)
