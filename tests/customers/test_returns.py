"""Returns: which purchases they take back, and that no money of them is lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.customers.returns import ReturnsRule, Settled, settle
from tests.customers.oracle import settled_by_hand

Row = tuple[str, int, float]
RULES: tuple[ReturnsRule, ...] = ("match", "net", "drop")

orders = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.integers(-3, 3).map(lambda tens: 10.0 * tens)),
    max_size=25,
    unique_by=lambda row: row[:2],
)


def settle_rows(rows: list[Row], rule: ReturnsRule = "match") -> Settled:
    customer = np.array([ord(row[0]) for row in rows], dtype=np.int64)
    day = np.array([row[1] for row in rows], dtype=np.int64)
    return settle(customer, day, np.array([row[2] for row in rows], dtype=np.float64), rule)


def what_is_left(settled: Settled) -> list[float | None]:
    return [
        amount if purchase else None
        for amount, purchase in zip(settled.amount.tolist(), settled.purchase.tolist(), strict=True)
    ]


@pytest.mark.parametrize(
    ("rows", "left"),
    [
        # the latest of two equal purchases goes, whatever lies between
        ([("a", 1, 20.0), ("a", 2, 20.0), ("a", 3, 50.0), ("a", 4, -20.0)], [20.0, None, 50.0, None]),
        # one return cancels one purchase
        ([("a", 1, 20.0), ("a", 2, 20.0), ("a", 3, -20.0), ("a", 4, -20.0)], [None, None, None, None]),
        # not the purchase of somebody else, and not a later one: it lowers what was bought before
        ([("b", 1, 20.0), ("a", 1, 30.0), ("a", 3, -20.0), ("a", 4, 20.0)], [20.0, 10.0, None, 20.0]),
        # a purchase of the same day may be returned on it
        ([("a", 3, -20.0), ("a", 3, 20.0)], [None, None]),
        # nothing of the same amount: the latest purchase first, then the one before
        ([("a", 1, 30.0), ("a", 2, 10.0), ("a", 3, -25.0)], [15.0, None, None]),
        # equal amounts are paired before anything is netted
        ([("a", 1, 20.0), ("a", 2, -15.0), ("a", 3, -20.0)], [None, None, None]),
        # sums of cents that differ in their last bit are one amount
        ([("a", 1, 0.1 + 0.2), ("a", 2, 5.0), ("a", 3, -0.3)], [None, 5.0, None]),
    ],
)
def test_a_return_is_matched_then_netted(rows: list[Row], left: list[float | None]) -> None:
    assert what_is_left(settle_rows(rows)) == left


def test_net_does_not_look_for_the_same_amount() -> None:
    rows = [("a", 1, 20.0), ("a", 2, 50.0), ("a", 3, -20.0)]
    assert what_is_left(settle_rows(rows, "net")) == [20.0, 30.0, None]
    assert settle_rows(rows, "net").netted == 1


def test_dropped_returns_change_no_purchase() -> None:
    settled = settle_rows([("a", 1, 20.0), ("a", 3, -20.0)], "drop")
    assert what_is_left(settled) == [20.0, None]
    assert (settled.dropped, settled.unmatched_amount) == (1, 20.0)


def test_a_return_of_more_than_was_bought_is_counted_with_its_rest() -> None:
    settled = settle_rows([("a", 1, 30.0), ("a", 2, -45.0), ("a", 3, 70.0)])
    assert what_is_left(settled) == [None, None, 70.0]
    assert (settled.unmatched, settled.unmatched_amount) == (1, 15.0)


def test_a_purchase_of_amount_0_is_never_taken_back() -> None:
    assert what_is_left(settle_rows([("a", 1, 10.0), ("a", 2, 0.0), ("a", 3, -10.0)])) == [None, 0.0, None]


@given(rows=orders, rule=st.sampled_from(RULES))
def test_the_slow_way_leaves_the_same(rows: list[Row], rule: ReturnsRule) -> None:
    assert what_is_left(settle_rows(rows, rule)) == settled_by_hand(rows, rule)


@given(rows=orders, rule=st.sampled_from(RULES))
def test_every_return_has_one_fate_and_no_money_is_lost(rows: list[Row], rule: ReturnsRule) -> None:
    settled = settle_rows(rows, rule)
    fates = settled.matched + settled.netted + settled.unmatched + settled.dropped
    assert fates == sum(amount < 0 for *_, amount in rows)
    assert settled.amount.sum() - settled.unmatched_amount == sum(amount for *_, amount in rows)
    assert (settled.amount >= 0).all()


@given(rows=orders, rule=st.sampled_from(RULES))
def test_the_order_of_rows_does_not_matter(rows: list[Row], rule: ReturnsRule) -> None:
    shuffled = sorted(rows, key=lambda row: (row[0] == "a", -row[1]))
    straight = dict(zip(rows, what_is_left(settle_rows(rows, rule)), strict=True))
    assert dict(zip(shuffled, what_is_left(settle_rows(shuffled, rule)), strict=True)) == straight


def test_many_returns_of_one_customer_stay_fast() -> None:
    n = 50_000
    amount = np.concatenate([np.arange(1.0, n + 1), np.full(n, -7.5)])
    settled = settle(np.zeros(2 * n, dtype=np.int64), np.arange(2 * n), amount)
    assert settled.netted == n
    assert settled.amount.sum() == pytest.approx(n * (n + 1) / 2 - 7.5 * n)
