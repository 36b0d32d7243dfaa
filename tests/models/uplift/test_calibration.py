from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from allocator.models.uplift.calibration import calibrate, calibration_table, honest_slope


def example(seed: int, n: int = 1500, slope: float = 0.6) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    stratum, cluster = rng.integers(0, 3, n), rng.integers(0, n // 5, n)
    effect = rng.normal(size=n) + stratum + rng.normal(size=n // 5)[cluster]
    gain = slope * effect + 5 * stratum + rng.normal(size=n // 5)[cluster] + rng.normal(size=n)
    return effect, gain, stratum, cluster


@pytest.mark.parametrize("clustered", [False, True])
def test_slope_and_error_are_those_of_a_regression_with_a_level_for_each_stratum(clustered: bool) -> None:
    effect, gain, stratum, cluster = example(1)
    frame = pd.DataFrame({"gain": gain, "effect": effect, "stratum": stratum})
    model = smf.ols("gain ~ effect + C(stratum)", frame)
    kind = {"cov_type": "cluster", "cov_kwds": {"groups": cluster}} if clustered else {"cov_type": "HC1"}
    oracle = model.fit(**kind)
    found = calibrate(effect[:, None], gain[:, None], stratum, cluster if clustered else None)
    assert found.slope[0] == pytest.approx(oracle.params["effect"], rel=1e-10)
    assert found.slope_error[0] == pytest.approx(oracle.bse["effect"], rel=1e-10)


def test_effects_that_do_not_vary_within_a_stratum_keep_nothing() -> None:
    _, gain, stratum, _ = example(2)
    found = calibrate(stratum[:, None] * 2.0, gain[:, None], stratum)
    assert (found.slope[0], found.kept[0], found.kept_error[0]) == (0.0, 0.0, 0.0)
    assert found.slope_error[0] == np.inf
    assert not found.shrunk(stratum[:, None] * 2.0, stratum).any()


@pytest.mark.parametrize(("slope", "kept"), [(0.5, 0.5), (1.3, 1.3), (1.9, 1.5), (-0.8, 0.0)])
def test_what_is_kept_is_the_slope_between_none_and_half_more_than_all(slope: float, kept: float) -> None:
    effect, gain, stratum, _ = example(3, slope=slope)
    found = calibrate(effect[:, None], gain[:, None], stratum)
    known, error = found.slope[0], found.slope_error[0]
    share = max(0.0, 1 - (error / known) ** 2)
    beyond = max(known - 1, 0.0)
    expected = min(known, 1.0) * share + (beyond * (1 - (error / beyond) ** 2) if beyond > error else 0.0)
    assert found.kept[0] == pytest.approx(min(expected, 1.5) if kept else 0.0)
    assert found.kept[0] == pytest.approx(kept, abs=0.1)
    assert 0 <= found.kept_error[0] <= 0.5


def test_a_slope_within_its_error_keeps_nothing_but_stays_open() -> None:
    rng = np.random.default_rng(4)
    effect, gain = rng.normal(size=(400, 1)) * 0.1, rng.normal(size=(400, 1))
    found = calibrate(effect, gain - effect * (effect * gain).mean() / (effect**2).mean(), np.zeros(400, int))
    assert found.kept[0] == 0.0
    assert found.kept_error[0] > 0.2


def test_the_share_that_is_kept_is_as_unsure_as_a_clear_slope_and_a_quarter_of_it() -> None:
    effect, gain, stratum, _ = example(5, n=8000, slope=0.5)
    found = calibrate(effect[:, None], gain[:, None], stratum)
    expected = np.hypot(found.slope_error[0], 0.25 * found.kept[0])
    assert found.kept_error[0] == pytest.approx(expected, rel=0.01)


def test_strangers_are_centred_at_the_customers_of_the_test() -> None:
    effect, gain, stratum, _ = example(6)
    found = calibrate(effect[:, None], gain[:, None], stratum)
    mean = effect[stratum == 2].mean()
    assert found.shrunk(np.array([[mean + 1.0]]), np.array([2]))[0, 0] == pytest.approx(found.kept[0])


def test_channels_are_calibrated_apart() -> None:
    effect, gain, stratum, cluster = example(7)
    noise = np.random.default_rng(0).normal(size=len(effect))
    both = calibrate(np.column_stack([effect, noise]), np.column_stack([gain, gain]), stratum, cluster)
    alone = calibrate(noise[:, None], gain[:, None], stratum, cluster)
    assert both.slope[1] == pytest.approx(alone.slope[0])
    assert both.kept[0] > 0.4 > 0.2 > both.kept[1]


def test_the_slope_of_shrunk_effects_is_one_where_shrinking_is_right() -> None:
    slopes = []
    for seed in range(20):
        effect, gain, stratum, cluster = example(seed, slope=0.4)
        folds = cluster[None] % 5
        (found,) = honest_slope(effect[:, None], gain[:, None], stratum, folds, cluster)
        slopes.append(found.value)
    assert np.mean(slopes) == pytest.approx(1.0, abs=0.05)


def test_where_nothing_is_kept_there_is_no_slope() -> None:
    effect, gain, stratum, cluster = example(8, slope=-0.5)
    (found,) = honest_slope(effect[:, None], (gain - 2 * effect)[:, None], stratum, cluster[None] % 5)
    assert (found.value, found.standard_error) == (0.0, np.inf)


def test_the_table_groups_customers_by_their_expected_effect() -> None:
    effect, gain, _, cluster = example(9)
    table = calibration_table(effect, gain, 10, cluster)
    by_hand = pd.Series(gain).groupby(pd.qcut(effect, 10, labels=False))
    assert table.n.tolist() == by_hand.size().tolist() == [150] * 10
    np.testing.assert_allclose(table.observed, by_hand.mean())
    assert np.all(np.diff(table.predicted) > 0)
    plain = calibration_table(effect, gain, 10)
    np.testing.assert_allclose(plain.standard_error, by_hand.sem())


def test_customers_of_equal_effect_stay_together() -> None:
    effect = np.repeat([0.0, 1.0], [70, 30])
    table = calibration_table(effect, effect * 2, 10)
    assert (table.n.tolist(), table.observed.tolist()) == ([70, 30], [0.0, 2.0])
    assert calibration_table(np.zeros(9), np.arange(9.0)).n.tolist() == [9]


def cross_fitted_means(gain: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """What the other folds' mean is, for everybody: no difference between customers."""
    others = [[gain[fold != code].mean() for code in range(fold.max() + 1)] for fold in folds]
    return np.mean([np.array(mean)[fold] for mean, fold in zip(others, folds, strict=True)], axis=0)


@pytest.mark.parametrize("repeats", [1, 3])
def test_levels_of_folds_are_no_differences_between_customers(repeats: int) -> None:
    rng = np.random.default_rng(1)
    gain, nobody = rng.normal(size=900), np.zeros(900, dtype=int)
    folds = np.array([rng.permutation(900) % 5 for _ in range(repeats)])
    effects = cross_fitted_means(gain, folds)[:, None]
    assert calibrate(effects, gain[:, None], nobody).slope[0] < -0.5
    found = calibrate(effects, gain[:, None], nobody, folds=folds)
    assert (found.kept[0], found.kept_error[0]) == (0.0, 0.0) or repeats > 1


def test_a_slope_of_effects_that_are_mostly_noise_is_as_unsure_as_it_varies() -> None:
    """Effects learned on four fifths of a test where nobody differs: each pair of folds meets twice."""
    rng = np.random.default_rng(2)
    z = []
    for _ in range(150):
        x, gain = rng.normal(size=(500, 8)), rng.normal(size=500)
        fold = rng.permutation(500) % 5
        effect = np.zeros(500)
        for code in range(5):
            rest = fold != code
            effect[~rest] = x[~rest] @ np.linalg.lstsq(x[rest], gain[rest], rcond=None)[0]
        found = calibrate(effect[:, None], gain[:, None], np.zeros(500, dtype=int), folds=fold[None])
        z.append(found.slope[0] / found.slope_error[0])
    assert 0.75 < np.std(z) < 1.25
