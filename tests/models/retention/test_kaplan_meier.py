"""Kaplan-Meier by hand, and its limits."""

from __future__ import annotations

import numpy as np
import pytest

from allocator.errors import DataError
from allocator.models.retention import KaplanMeier

# seven customers: at risk 7, 6, 4, 2, 1 in periods 1 to 5; one leaves in 1, one in 2, two in 3, one in 5
PERIODS = [1, 2, 2, 3, 3, 4, 5]
ENDED = [1, 1, 0, 1, 1, 0, 1]


def test_a_small_table_by_hand() -> None:
    fitted = KaplanMeier().fit(PERIODS, ENDED)
    s = np.cumprod([1, 6 / 7, 5 / 6, 2 / 4, 1, 0])
    np.testing.assert_allclose(fitted.survival(range(6)), s, atol=1e-12)
    np.testing.assert_allclose(fitted.retention_rate(range(6)), [1, 6 / 7, 5 / 6, 1 / 2, 1, 0], atol=1e-12)
    greenwood = np.cumsum([0, 1 / (7 * 6), 1 / (6 * 5), 2 / (4 * 2), 0])
    np.testing.assert_allclose(fitted.standard_errors, [*(s[:5] * np.sqrt(greenwood)), 0.0], atol=1e-12)
    log = np.log
    by_hand = log(1 / 7) + 6 * log(6 / 7) + log(1 / 6) + 5 * log(5 / 6) + 4 * log(1 / 2)
    assert fitted.log_likelihood == pytest.approx(by_hand)


def test_staying_on_is_told_from_the_tenure() -> None:
    fitted = KaplanMeier().fit(PERIODS, ENDED)
    found = fitted.chance_to_stay([0, 2], [0, 1])
    np.testing.assert_allclose(found, [[1, 6 / 7], [1, 1 / 2]], atol=1e-12)


def test_a_customer_of_no_period_tells_nothing() -> None:
    one, other = KaplanMeier().fit(PERIODS, ENDED), KaplanMeier().fit([*PERIODS, 0], [*ENDED, 0])
    assert one.known.tolist() == other.known.tolist()


def test_the_curve_ends_where_nothing_was_seen() -> None:
    fitted = KaplanMeier().fit([3, 2], [0, 1])
    assert fitted.last == 3
    with pytest.raises(DataError, match="period 4 is asked for, but the last known is 3"):
        fitted.survival([1, 4])
    with pytest.raises(DataError, match="E315"):
        fitted.chance_to_stay([1, 2], 2)


@pytest.mark.parametrize(
    ("periods", "ended", "last"),
    [([4, 4], [0, 0], 1.0), ([1, 1], [1, 1], 0.0), ([3], [1], 0.0), ([3], [0], 1.0)],
)
def test_limits_are_numbers(periods, ended, last) -> None:
    fitted = KaplanMeier().fit(periods, ended)
    assert fitted.known[-1] == last
    assert np.isfinite([*fitted.known, *fitted.standard_errors, fitted.log_likelihood]).all()


@pytest.mark.parametrize(
    ("periods", "ended"),
    [
        ([], []),
        ([1, 2], [1]),
        ([1.5], [1]),
        ([-1], [0]),
        ([2], [2]),
        ([2], [np.nan]),
        ([0], [0]),
        ([0, 3], [1, 0]),
    ],
)
def test_what_is_no_stay_is_refused(periods, ended) -> None:
    with pytest.raises(DataError, match="E315"):
        KaplanMeier().fit(periods, ended)
