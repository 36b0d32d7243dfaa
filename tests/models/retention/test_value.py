"""The value of a kept customer, by hand and by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from allocator.errors import DataError
from allocator.models.clv.formula import retention_weighted
from allocator.models.retention.base import KnownSurvival
from allocator.models.retention.shifted_beta_geometric import FittedShiftedBetaGeometric
from allocator.models.retention.value import value_of_keeping

HALVES = KnownSurvival(np.array([1.0, 0.5, 0.25, 0.2, 0.0]))


def test_a_short_curve_by_hand() -> None:
    found = value_of_keeping(HALVES, [10.0, 20.0], tenure=[0, 1, 2], discount_rate=0.25)
    assert found.tolist() == pytest.approx([10 + 16 * 0.5, 10 + 16 * 0.5, 10 + 16 * 0.8])
    lost = value_of_keeping(HALVES, [10.0, 20.0], tenure=2, discount_rate=0.25, value_if_lost=5.0)
    assert float(lost) == pytest.approx(17.8)


def test_at_a_constant_rate_it_is_the_textbook_value_at_any_tenure() -> None:
    curve = KnownSurvival(0.8 ** np.arange(40))
    expected = float(retention_weighted(np.full(24, 30.0), 0.8, 0.01))
    assert value_of_keeping(curve, np.full(24, 30.0), tenure=[0, 3, 15], discount_rate=0.01) == pytest.approx(
        expected
    )


def test_customers_who_differ_are_worth_what_a_simulation_of_them_earns() -> None:
    rng = np.random.default_rng(8)
    leaves = rng.geometric(rng.beta(0.7, 1.2, 400_000))
    curve = FittedShiftedBetaGeometric(alpha=0.7, beta=1.2)
    for tenure in (0, 4):
        there = leaves[leaves > tenure]
        # who leaves at the end of period L was there for L - tenure of the coming periods
        earned = 10.0 * np.minimum(there - tenure, 6).mean()
        assert float(value_of_keeping(curve, np.full(6, 10.0), tenure=tenure)) == pytest.approx(
            earned, rel=0.01
        )


def test_each_customer_has_a_curve_of_their_own() -> None:
    curves = KnownSurvival(np.array([[1.0, 0.5, 0.5], [1.0, 0.9, 0.0]]))
    assert value_of_keeping(curves, [1.0, 1.0], tenure=[1, 1]).tolist() == [2.0, 1.0]


@pytest.mark.parametrize(
    ("margins", "tenure"), [([1.0], 4), ([1.0, 1.0], 4), ([], 0), ([np.nan], 0), ([1.0], -1)]
)
def test_what_cannot_be_is_refused(margins, tenure) -> None:
    with pytest.raises(DataError, match="E315"):
        value_of_keeping(HALVES, margins, tenure=tenure)
