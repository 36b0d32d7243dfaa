"""Purchase days: those of one customer and day are one, and each customer's lie side by side."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from allocator.customers.past import OrderLog
from allocator.customers.purchase_days import PurchaseDays, number_of
from allocator.errors import DataError

ORDERS = pd.DataFrame(
    {
        "customer_id": ["b", "a", "b", "b", "c", "a"],
        "ordered_on": pd.to_datetime(
            ["2026-01-05", "2026-01-01", "2026-01-05T18:00", "2026-02-01", "2026-03-01", "2026-02-10"],
            format="ISO8601",
        ),
        "amount": [10.0, 7.0, 2.5, 4.0, 9.0, 1.0],
    }
)


@pytest.fixture
def days() -> PurchaseDays:
    return OrderLog(ORDERS).until(date(2026, 3, 8)).days


def test_orders_of_a_day_are_one(days: PurchaseDays) -> None:
    assert days.customer_id.tolist() == ["a", "b", "c"]
    assert days.count.tolist() == [2, 2, 1]
    assert days.value[days.first].tolist() == [7.0, 12.5, 9.0]
    assert days.value[days.last].tolist() == [1.0, 4.0, 9.0]
    assert days.total(days.value).tolist() == [8.0, 16.5, 9.0]
    assert days.age_weeks[2] == 1.0


def test_they_are_cut_at_a_day_from_either_side(days: PurchaseDays) -> None:
    early, late = days.until(date(2026, 2, 1)), days.after(date(2026, 2, 1))
    assert early.customer_id.tolist() == ["a", "b"]
    assert early.as_of == date(2026, 2, 1)
    assert (early.count.tolist(), late.count.tolist()) == ([1, 2], [1, 1])
    assert late.customer_id.tolist() == ["a", "c"]
    assert late.total(late.value).tolist() == [1.0, 9.0]


def test_those_of_some_customers(days: PurchaseDays) -> None:
    some = days.of_customers(np.array(["c", "a", "x"], dtype=object))
    assert some.customer_id.tolist() == ["a", "c"]
    assert some.count.tolist() == [2, 1]
    assert some.total(some.value).tolist() == [8.0, 9.0]


def test_none_are_none(days: PurchaseDays) -> None:
    none = days.after(date(2026, 3, 1))
    assert none.count.tolist() == none.first.tolist() == none.last.tolist() == []
    assert none.total(none.value).tolist() == []
    with pytest.raises(DataError, match="E305"):
        none.summary()


def test_a_summary_names_who_is_missing(days: PurchaseDays) -> None:
    summary = days.summary(np.array(["a", "z", "y"], dtype=object))
    assert summary.without_orders.tolist() == ["y", "z"]
    assert summary.frequency.tolist() == [1, 1, 0]


def test_days_are_counted_from_1970() -> None:
    assert number_of(date(1970, 1, 1)) == 0
    assert number_of(date(2026, 3, 8)) == np.datetime64("2026-03-08", "D").astype(int)
