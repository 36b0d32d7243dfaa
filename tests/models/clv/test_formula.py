"""The textbook formulas of customer lifetime value."""

from __future__ import annotations

import numpy as np
import pytest

from allocator.errors import DataError
from allocator.models.clv.formula import discounted, retention_weighted, simple


def test_revenue_times_lifetime() -> None:
    assert simple([100.0, 50.0], 4.0, 0.3).tolist() == pytest.approx([120.0, 60.0])


def test_a_constant_retention_rate_meets_its_geometric_sum() -> None:
    r, d, periods = 0.8, 0.1, 400
    found = retention_weighted(np.full(periods, 25.0), r, d)
    assert float(found) == pytest.approx(25 * (1 + d) / (1 + d - r), rel=1e-12)


def test_without_discount_retention_gives_the_average_lifetime() -> None:
    r = 0.75
    assert float(retention_weighted(np.full(400, 10.0), r)) == pytest.approx(float(simple(10.0, 1 / (1 - r))))


def test_retention_rates_of_every_period_multiply() -> None:
    assert float(retention_weighted([1.0, 1.0, 1.0], [0.9, 0.5, 0.2])) == pytest.approx(0.9 + 0.45 + 0.09)


def test_many_customers_are_rows() -> None:
    table = np.array([[100.0, 100.0], [10.0, 20.0]])
    assert retention_weighted(table, 0.5).tolist() == pytest.approx([150.0, 20.0])
    assert discounted(table, [50.0, 10.0], 0.25).tolist() == pytest.approx([50 + 72, -40 + 8])


def test_discounting_is_by_compound_interest() -> None:
    assert float(discounted([0.0, 0.0, 121.0], discount_rate=0.1)) == pytest.approx(100.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: simple(np.nan, 4.0),
        lambda: simple(100.0, -1.0),
        lambda: retention_weighted([1.0, 1.0], 1.2),
        lambda: retention_weighted([1.0, 1.0], [1.0, -0.1]),
        lambda: discounted([np.inf]),
        lambda: discounted([1.0], discount_rate=-1.0),
        lambda: discounted([1.0], discount_rate=np.nan),
    ],
)
def test_what_cannot_be_is_refused(call) -> None:
    with pytest.raises(DataError, match="E315"):
        call()
