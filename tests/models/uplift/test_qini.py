from __future__ import annotations

import numpy as np
import pytest

from allocator.models.uplift.qini import qini_area, qini_curve, uplift_at


def brute_force(gain: np.ndarray, ranking: np.ndarray) -> float:
    """Mean over pairs: a gain counts for half, minus one where somebody else ranks better."""
    n = len(gain)
    better = np.array([[(b > a) + 0.5 * (b == a) for b in ranking] for a in ranking])
    return float(np.mean(gain * (0.5 - better.sum(axis=1) / n)))


@pytest.mark.parametrize("seed", range(5))
def test_the_area_is_that_of_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gain, ranking = rng.normal(size=23), rng.integers(0, 6, 23).astype(float)
    assert qini_area(gain, ranking).value == pytest.approx(brute_force(gain, ranking), abs=1e-12)


def test_the_area_is_that_between_the_curve_and_the_line_of_lots() -> None:
    rng = np.random.default_rng(3)
    ranking = rng.normal(size=400)
    gain = ranking + rng.normal(size=400)
    curve = qini_curve(gain, ranking, np.linspace(0, 1, 401))
    between = np.trapezoid(curve.gain - curve.at_random, curve.share)
    assert qini_area(gain, ranking).value == pytest.approx(between, abs=1e-12)


def test_adding_to_every_gain_changes_neither_the_area_nor_its_error() -> None:
    rng = np.random.default_rng(4)
    gain, ranking = rng.normal(size=200), rng.normal(size=200)
    first, second = qini_area(gain, ranking), qini_area(gain + 100, ranking)
    assert second.value == pytest.approx(first.value, abs=1e-10)
    assert second.standard_error == pytest.approx(first.standard_error, abs=1e-10)


def test_a_ranking_that_tells_nobody_apart_has_no_area_and_no_error() -> None:
    area = qini_area(np.array([1.0, 5.0, 2.0]), np.zeros(3))
    assert (area.value, area.standard_error) == (0.0, 0.0)


@pytest.mark.parametrize("clustered", [False, True])
def test_the_error_is_the_spread_over_repeated_tests(clustered: bool) -> None:
    rng = np.random.default_rng(5)
    cluster = np.arange(600) // 4 if clustered else None
    areas, errors = [], []
    for _ in range(400):
        shared = np.repeat(rng.normal(size=150), 4) if clustered else np.zeros(600)
        ranking = rng.normal(size=600) + shared
        gain = 2 + ranking + shared + rng.normal(size=600)
        found = qini_area(gain, ranking, cluster)
        areas.append(found.value)
        errors.append(found.standard_error)
    assert np.mean(errors) == pytest.approx(np.std(areas), rel=0.1)


def test_households_make_the_error_larger() -> None:
    rng = np.random.default_rng(6)
    half = rng.normal(size=(2, 500))
    ranking, gain = np.tile(half[0], 2), np.tile(half[1], 2)
    alone = qini_area(gain, ranking).standard_error
    together = qini_area(gain, ranking, np.tile(np.arange(500), 2)).standard_error
    assert together == pytest.approx(alone * np.sqrt(2), rel=0.01)


def test_uplift_at_the_top_is_the_mean_of_the_best() -> None:
    gain, ranking = np.array([4.0, 1.0, 3.0, 0.0]), np.array([0.9, 0.2, 0.8, 0.1])
    assert uplift_at(gain, ranking, 0.5).value == 3.5
    assert uplift_at(gain, ranking, 1.0).value == 2.0
    top = uplift_at(gain, ranking, 0.5)
    assert top.standard_error == pytest.approx(np.std([4.0, 3.0]) / np.sqrt(2) * np.sqrt(4 / 3))


def test_equal_customers_at_the_edge_count_in_part() -> None:
    assert uplift_at(np.array([4.0, 1.0, 3.0]), np.array([1.0, 0.0, 0.0]), 2 / 3).value == pytest.approx(3.0)


def test_the_curve_starts_at_nothing_and_ends_at_the_mean() -> None:
    rng = np.random.default_rng(7)
    gain = rng.normal(1, 1, 300)
    curve = qini_curve(gain, rng.normal(size=300))
    assert (len(curve.share), curve.gain[0], curve.standard_error[0]) == (101, 0.0, 0.0)
    assert curve.gain[-1] == pytest.approx(gain.mean())
    assert curve.standard_error[-1] == pytest.approx(gain.std(ddof=1) / np.sqrt(300))
