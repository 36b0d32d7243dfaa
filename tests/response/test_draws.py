from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.response.draws import strata, three_point_mean

LOW, LIKELY, HIGH = np.array([320.0, 500.0]), np.array([480.0, 760.0]), np.array([600.0, 990.0])


@given(n=st.integers(1, 60), seed=st.integers(0, 1000))
def test_the_mean_hangs_on_neither_seed_nor_number(n: int, seed: int) -> None:
    drawn = strata(n, np.random.default_rng(seed)).three_point(LOW, LIKELY, HIGH)
    assert drawn.shape == (n, 2)
    assert drawn.mean(axis=0).tolist() == pytest.approx(
        three_point_mean(LOW, LIKELY, HIGH).tolist(), rel=1e-12
    )


def test_one_in_ten_lies_below_low_and_one_in_ten_above_high() -> None:
    drawn = strata(1000, np.random.default_rng(5)).three_point(LOW, LIKELY, HIGH)
    assert (drawn < LOW).mean(axis=0).tolist() == [0.1, 0.1]
    assert (drawn > HIGH).mean(axis=0).tolist() == [0.1, 0.1]
    assert (drawn < LIKELY).mean(axis=0).tolist() == [0.5, 0.5]


def test_alike_estimates_give_a_normal() -> None:
    one = np.array([10.0])
    drawn = strata(4000, np.random.default_rng(5)).three_point(one - 2, one, one + 2)
    assert drawn.mean() == pytest.approx(10.0)
    assert drawn.std() == pytest.approx(2 / NormalDist().inv_cdf(0.9), rel=2e-3)


def test_the_mean_of_a_lopsided_estimate_is_the_two_piece_normals() -> None:
    up = 7 / NormalDist().inv_cdf(0.9)
    z = np.linspace(0, 12, 200_001)
    integral = np.sum(up * z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)) * (z[1] - z[0])
    assert three_point_mean(np.array([0.0]), np.array([0.0]), np.array([7.0]))[0] == pytest.approx(
        integral, rel=1e-6
    )


def test_every_estimate_of_a_draw_shares_its_rank() -> None:
    drawn = strata(50, np.random.default_rng(5)).three_point(LOW, LIKELY, HIGH)
    assert np.argsort(drawn[:, 0]).tolist() == np.argsort(drawn[:, 1]).tolist()


def test_the_seed_decides_only_the_pairing() -> None:
    a, b = (strata(50, np.random.default_rng(seed)).three_point(LOW, LIKELY, HIGH)[:, 0] for seed in (1, 2))
    assert a.tolist() != b.tolist()
    assert np.sort(a).tolist() == np.sort(b).tolist()
    again = strata(50, np.random.default_rng(1)).three_point(LOW, LIKELY, HIGH)[:, 0]
    assert a.tolist() == again.tolist()


def test_channels_drawn_one_after_the_other_are_not_in_step() -> None:
    rng = np.random.default_rng(1)
    a, b = (strata(500, rng).three_point(LOW, LIKELY, HIGH)[:, 0] for _ in range(2))
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.15
