"""Drift where it is and where it is not: shares counted by hand, alarms counted over many simulated pasts."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.errors import DataError
from allocator.models.drift import (
    Calibration,
    DriftReport,
    Verdict,
    calibration_drift,
    population_stability,
    stabilities,
)

SEEDS = range(200)


def made_up(seed: int, customers: int, drift: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Purchases expected of customers, and made by them where the rates changed by a factor."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(0.5, 2, customers)
    return rate, rng.poisson(rate * drift)


def alarms(customers: int, drift: float = 1.0) -> float:
    found = [calibration_drift(*made_up(seed, customers, drift)).verdict for seed in SEEDS]
    return float(np.mean([verdict is Verdict.MOVED for verdict in found]))


def test_psi_of_texts_by_hand() -> None:
    found = population_stability(["a"] * 500 + ["b"] * 500, ["a"] * 200 + ["b"] * 800)
    assert found.bins == ("a", "b")
    assert found.current.tolist() == [0.2, 0.8]
    assert found.psi == pytest.approx(0.3 * math.log(0.5 / 0.2) + 0.3 * math.log(0.8 / 0.5), rel=0.01)
    assert found.verdict is Verdict.MOVED


def test_numbers_fall_between_the_quantiles_of_then() -> None:
    found = population_stability(np.arange(1, 101), np.arange(1, 51), bins=4)
    assert found.reference.tolist() == pytest.approx([0.25] * 4, abs=0.011)
    assert found.current.tolist() == pytest.approx([0.5, 0.5, 0, 0], abs=0.021)
    assert len(found.bins) == 4


def test_missing_ones_are_a_bin() -> None:
    then = np.random.default_rng(1).normal(size=2000)
    now = then.copy()
    now[::2] = np.nan
    found = population_stability(then, now)
    assert found.bins[-1] == "missing"
    assert found.current[-1] == 0.5
    assert found.verdict is Verdict.MOVED
    assert population_stability(now, now).verdict is Verdict.STEADY


def test_new_and_rare_values_are_one_bin() -> None:
    then = ["web"] * 990 + ["fax"] * 5 + [None] * 5
    found = population_stability(then, ["web"] * 600 + ["app"] * 400)
    assert found.bins == ("web", "other", "missing")
    assert found.current.tolist() == [0.6, 0.4, 0]
    assert found.verdict is Verdict.MOVED


def test_many_equal_numbers_are_no_trouble() -> None:
    found = population_stability([0] * 900 + [1] * 60 + [7] * 40, [0] * 890 + [1] * 70 + [7] * 40)
    assert found.verdict is Verdict.STEADY
    assert population_stability([0.0] * 500, [0.0] * 500).psi == 0
    assert population_stability([0.0] * 500, [5.0] * 500).verdict is Verdict.MOVED


@pytest.mark.parametrize("customers", [20, 100, 1000])
def test_a_population_that_has_not_moved_raises_no_alarm(customers: int) -> None:
    rng = np.random.default_rng(customers)
    found = [population_stability(*rng.exponential(size=(2, customers)), feature=str(seed)) for seed in SEEDS]
    assert np.mean([one.verdict is Verdict.MOVED for one in found]) <= 0.01
    assert np.mean([one.psi > one.noise for one in found]) <= 0.02
    assert (found[0].verdict is Verdict.UNKNOWN) == (customers <= 100)


def test_a_population_that_moved_a_little_is_moving() -> None:
    rng = np.random.default_rng(1)
    assert population_stability(rng.normal(size=5000), rng.normal(0.4, 1, 5000)).verdict is Verdict.MOVING


@given(
    then=st.lists(st.one_of(st.none(), st.floats()), min_size=1, max_size=30),
    now=st.lists(st.one_of(st.none(), st.floats()), min_size=1, max_size=30),
)
def test_any_numbers_have_a_stability(then: list[float | None], now: list[float | None]) -> None:
    found = population_stability(then, now)
    assert found.psi >= 0
    assert found.reference.sum() == pytest.approx(1)
    assert found.current.sum() == pytest.approx(1)
    assert len(found.bins) == len(found.reference) == len(found.current)


@pytest.mark.parametrize(("then", "now"), [([], [1.0]), ([1.0], []), ([1.0, 2.0], ["a", "b"])])
def test_populations_that_cannot_be_compared_are_refused(then: list[object], now: list[object]) -> None:
    with pytest.raises(DataError, match="E315"):
        population_stability(then, now)


def test_tables_are_compared_by_the_names_of_columns() -> None:
    rng = np.random.default_rng(1)
    then = pd.DataFrame({"value": rng.gamma(2, 10, 1000), "region": rng.choice(["n", "s"], 1000)})
    now = pd.DataFrame({"region": then["region"], "new": 1.0, "value": then["value"] * 3})
    value, region = stabilities(then, now)
    assert (value.feature, value.verdict) == ("value", Verdict.MOVED)
    assert (region.feature, region.verdict) == ("region", Verdict.STEADY)
    with pytest.raises(DataError, match="region"):
        stabilities(then, now.drop(columns="region"))


def test_a_forecast_that_is_right_raises_no_alarm() -> None:
    assert alarms(2000) <= 0.01
    assert alarms(200) <= 0.02


def test_money_of_few_heavy_buyers_raises_no_alarm() -> None:
    found = []
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        rate = rng.gamma(0.3, 1, 500)
        money = [rng.lognormal(3, 1, n).sum() for n in rng.poisson(rate)]
        expected = rate * np.exp(3.5)
        found.append(calibration_drift(expected, money, purchase_value=33).verdict is Verdict.MOVED)
    assert np.mean(found) <= 0.03


@pytest.mark.parametrize("drift", [0.7, 1.3])
def test_a_drift_is_found(drift: float) -> None:
    assert alarms(2000, drift) > 0.99


def test_a_drift_of_less_than_a_tenth_is_no_alarm() -> None:
    expected, actual = made_up(1, 200_000, 1.06)
    found = calibration_drift(expected, actual)
    assert (found.ratio - 1) / found.noise > 4
    assert found.verdict is Verdict.STEADY


def test_the_noise_is_what_the_ratio_varies_by() -> None:
    found = [calibration_drift(*made_up(seed, 1000)) for seed in SEEDS]
    spread = np.std([one.ratio for one in found])
    assert np.mean([one.noise for one in found]) == pytest.approx(spread, rel=0.15)


def test_few_customers_or_purchases_are_too_little_to_tell() -> None:
    assert calibration_drift([2.0] * 20, [5.0] * 20).verdict is Verdict.UNKNOWN
    assert calibration_drift([0.01] * 500, [0.0] * 500).verdict is Verdict.UNKNOWN
    assert calibration_drift(*made_up(1, 60)).verdict is Verdict.UNKNOWN


def test_nothing_where_much_was_expected_is_an_alarm() -> None:
    assert calibration_drift([0.5] * 500, [0.0] * 500).verdict is Verdict.MOVED


def test_an_unsure_forecast_is_less_of_an_alarm() -> None:
    expected, actual = made_up(1, 2000, 1.2)
    assert calibration_drift(expected, actual).verdict is Verdict.MOVED
    assert calibration_drift(expected, actual, forecast_error=0.09).verdict is not Verdict.MOVED


def test_the_slope_shows_a_forecast_that_exaggerates() -> None:
    rng = np.random.default_rng(1)
    rate = rng.gamma(2, 1, 5000)
    right = calibration_drift(rate, rng.poisson(rate))
    assert abs(right.slope - 1) < 3 * right.slope_error
    assert right.slope_error < 0.1
    exaggerated = np.maximum(2 + 2 * (rate - 2), 0.0)
    assert calibration_drift(exaggerated, rng.poisson(rate)).slope < 0.7
    assert math.isnan(calibration_drift([1.0] * 50, rng.poisson(1, 50)).slope)


@pytest.mark.parametrize(
    ("expected", "actual"), [([], []), ([0, 0], [1, 2]), ([1, -2], [1, 2]), ([1, 2], [1]), ([1], [np.nan])]
)
def test_what_cannot_be_compared_is_refused(expected: list[float], actual: list[float]) -> None:
    with pytest.raises(DataError, match="E315"):
        calibration_drift(expected, actual)


def calibrated(drift: float, customers: int = 2000) -> Calibration:
    return calibration_drift(*made_up(3, customers, drift))


def test_a_report_warns_of_what_moved() -> None:
    rng = np.random.default_rng(1)
    then = pd.DataFrame({"value": rng.gamma(2, 10, 1000), "frequency": rng.poisson(1, 1000)})
    features = stabilities(then, then * [4, 1])
    report = DriftReport(features, calibrated(0.6))
    assert report.has_aged
    moved, off = (str(finding) for finding in report.findings)
    assert "value (PSI" in moved
    assert "frequency" not in moved
    assert "less came" in off
    assert "2,000 customers" in off
    assert "more came" in str(DriftReport((), calibrated(1.5)).findings[0])


def test_a_report_of_a_young_model_is_silent() -> None:
    rng = np.random.default_rng(1)
    then = pd.DataFrame({"value": rng.gamma(2, 10, 3000)})
    report = DriftReport(stabilities(then, then.sample(2000, random_state=1)), calibrated(1.0))
    assert (report.has_aged, report.too_little_to_tell, report.findings) == (False, False, ())


def test_too_little_to_tell_is_said_and_is_no_alarm() -> None:
    report = DriftReport((), calibrated(1.6, customers=25))
    assert report.too_little_to_tell
    assert report.findings == ()
