from __future__ import annotations

import numpy as np
import pytest

from allocator.models.uplift.overlap import check_overlap, effective_size


def two_arms(chance: np.ndarray) -> np.ndarray:
    return np.column_stack([1 - chance, chance])


def test_a_lottery_overlaps() -> None:
    arm = np.arange(1000) % 2
    assert check_overlap(two_arms(np.full(1000, 0.5)), arm, ["email"]) == ()


def test_an_arm_small_by_design_is_no_lack_of_overlap() -> None:
    arm = (np.arange(1000) % 100 == 0).astype(int)
    assert check_overlap(two_arms(np.full(1000, 0.01)), arm, ["email"]) == ()


def test_customers_who_were_never_contacted_are_told() -> None:
    chance = np.repeat([0.001, 0.5], [300, 700])
    (told,) = check_overlap(two_arms(chance), np.arange(1000) % 2 * (chance > 0.1), ["email"])
    assert (told.code, told.severity) == ("W419", "warning")
    assert told.what.startswith("30% of the customers had next to no chance (under 2%) to get email")


def test_customers_who_were_always_contacted_lack_a_control() -> None:
    chance = np.repeat([0.999, 0.5], [300, 700])
    (told,) = check_overlap(two_arms(chance), np.arange(1000) % 2, ["email"], control="nobody")
    assert told.what.endswith("to get nobody")


def test_weights_that_differ_too_much_leave_few_customers() -> None:
    chance = np.repeat([0.021, 0.9], [20, 980])
    arm = np.ones(1000, dtype=int)
    arm[::2] = 0
    (told,) = check_overlap(two_arms(chance), arm, ["email"])
    weight = 1 / chance[arm == 1]
    assert f"the 500 customers of email tell no more than {effective_size(weight):.0f} would" in told.what


def test_effective_size_by_hand() -> None:
    assert effective_size(np.array([1.0, 1.0, 2.0])) == pytest.approx(16 / 6)
    assert effective_size(np.full(7, 3.0)) == pytest.approx(7.0)
