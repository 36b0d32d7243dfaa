from __future__ import annotations

import numpy as np
import pytest

from allocator.errors import DataError
from allocator.models.uplift.propensity import LEAST, estimated_propensity, from_assigned, shares_propensity


def drawn(chance: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (rng.random((len(chance), 1)) > chance.cumsum(axis=1)).sum(axis=1)


def chosen_by_age(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    log = np.column_stack([np.zeros(n), 0.8 * x[:, 0], -0.5 - 0.6 * x[:, 0] + 0.3 * x[:, 1]])
    chance = np.exp(log) / np.exp(log).sum(axis=1, keepdims=True)
    return x, chance, drawn(chance, rng)


def test_a_known_choice_is_found_again() -> None:
    x, chance, arm = chosen_by_age(6000, 1)
    found = estimated_propensity(arm, x, 3, np.arange(6000) % 5)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert np.abs(found - chance).mean() < 0.015
    assert np.abs(found - chance).max() < 0.1


def test_a_customer_does_not_judge_itself() -> None:
    x, _, arm = chosen_by_age(400, 2)
    folds = np.arange(400) % 4
    before = estimated_propensity(arm, x, 3, folds)
    own = folds == 0
    changed = np.where(own, (arm + 1) % 3, arm)
    np.testing.assert_array_equal(estimated_propensity(changed, x, 3, folds)[own], before[own])


def test_small_ones_are_kept_above_the_least() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(2000, 1)) * 5
    arm = (x[:, 0] + 0.3 * rng.normal(size=2000) > 0).astype(int)
    found = estimated_propensity(arm, x, 2, np.arange(2000) % 2)
    assert found.min() == pytest.approx(LEAST)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


def test_without_covariates_it_is_the_share_among_the_others() -> None:
    arm = np.array([0, 0, 1, 1, 0, 1, 1, 1])
    found = estimated_propensity(arm, np.empty((8, 0)), 2, np.repeat([0, 1], 4))
    assert found[0].tolist() == [0.25, 0.75]
    assert found[7].tolist() == [0.5, 0.5]


def test_an_arm_that_is_in_one_fold_only_is_refused() -> None:
    with pytest.raises(DataError, match="E307"):
        estimated_propensity(np.array([0, 1, 0, 0]), np.ones((4, 1)), 2, np.array([0, 0, 1, 1]))


def test_shares_are_those_of_the_stratum() -> None:
    arm, stratum = np.array([0, 1, 2, 2, 0, 1]), np.array([0, 0, 0, 0, 1, 1])
    found = shares_propensity(arm, stratum, 3)
    assert found[0].tolist() == [0.25, 0.25, 0.5]
    assert found[5].tolist() == [0.5, 0.5, 0.0]


def test_of_two_arms_the_other_gets_the_rest() -> None:
    found = from_assigned(np.array([0.2, 0.3]), np.array([0, 1]), 2)
    np.testing.assert_allclose(found, [[0.2, 0.8], [0.7, 0.3]])


def test_of_several_arms_the_others_share_the_rest_by_their_sizes() -> None:
    arm = np.repeat([0, 1, 2], [50, 30, 20])
    found = from_assigned(np.full(100, 0.4), arm, 3)
    np.testing.assert_allclose(found[0], [0.4, 0.6 * 0.6, 0.6 * 0.4])
    np.testing.assert_allclose(found[99], [0.6 * 5 / 8, 0.6 * 3 / 8, 0.4])
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
