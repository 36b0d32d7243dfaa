from __future__ import annotations

import numpy as np
import pytest

from allocator.models.uplift.policy import contact_best, policy_difference, policy_value


def scores(seed: int, n: int = 500) -> np.ndarray:
    return np.random.default_rng(seed).normal([1.0, 1.5, 2.0], 1.0, (n, 3))


def test_a_value_is_the_mean_of_the_scores_of_what_is_done() -> None:
    given = scores(1)
    arm = np.random.default_rng(2).integers(0, 3, 500)
    got = given[np.arange(500), arm]
    found = policy_value(given, np.eye(3)[arm])
    assert found.value == pytest.approx(got.mean())
    assert found.standard_error == pytest.approx(got.std(ddof=1) / np.sqrt(500))


def test_a_lot_is_worth_the_mean_of_what_it_draws() -> None:
    given = np.array([[1.0, 3.0], [0.0, 8.0]])
    assert policy_value(given, np.array([[0.25, 0.75], [0.5, 0.5]])).value == pytest.approx((2.5 + 4.0) / 2)


def test_a_paired_difference_is_surer_than_its_parts() -> None:
    rng = np.random.default_rng(3)
    given = scores(4) + 10 * rng.normal(size=(500, 1))
    everybody, nobody = np.tile([0.0, 0.0, 1.0], (500, 1)), np.tile([1.0, 0.0, 0.0], (500, 1))
    found = policy_difference(given, everybody, nobody)
    assert found.value == pytest.approx((given[:, 2] - given[:, 0]).mean())
    assert found.standard_error < 0.2 * policy_value(given, everybody).standard_error


def test_customers_together_count_once() -> None:
    given = scores(5)
    twice, chance = np.tile(given, (2, 1)), np.tile([0.0, 1.0, 0.0], (1000, 1))
    together = policy_value(twice, chance, np.tile(np.arange(500), 2))
    assert together.standard_error == pytest.approx(policy_value(given, chance[:500]).standard_error)


def test_the_best_are_contacted_by_their_best_channel() -> None:
    effects = np.array([[3.0, 1.0], [0.5, 2.0], [1.0, 0.0], [0.2, 0.1]])
    assert contact_best(effects, 0.5).tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0], [1, 0, 0]]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.37, 1.0])
def test_the_share_is_kept_also_among_equals(share: float) -> None:
    effects = np.random.default_rng(6).integers(0, 3, (200, 2)).astype(float)
    chance = contact_best(effects, share)
    np.testing.assert_allclose(chance.sum(axis=1), 1.0)
    assert chance[:, 1:].sum() == pytest.approx(200 * share)
    assert chance.min() >= 0
