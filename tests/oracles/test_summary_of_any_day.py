"""What a past gives for a day equals the summary and the holdout computed from the rows anew."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.customers.past import OrderLog
from allocator.customers.returns import ReturnsRule
from allocator.customers.summary import CustomerSummary, holdout, summarise
from allocator.errors import DataError
from tests.customers.oracle import frame_of, made_up_orders

RULES: tuple[ReturnsRule, ...] = ("match", "net", "drop")
FIRST = date(2026, 1, 1)

row = st.tuples(
    st.sampled_from(["a", "b", "c", "", None]),
    st.integers(0, 12),
    st.sampled_from([0.0, 5.0, 10.0, 0.1, 0.2, -5.0, -10.0, -0.1, -3.0, 15.0]),
)


def log_of(rows: Iterable[tuple[str | None, int, float]]) -> pd.DataFrame:
    ids, days, amounts = zip(*rows, strict=True)
    when = pd.Timestamp(FIRST) + pd.to_timedelta(np.array(days), unit="D")
    return pd.DataFrame({"customer_id": ids, "ordered_on": when, "amount": amounts})


def summary_or_none(make) -> CustomerSummary | None:
    """The summary, or None where no order is left."""
    try:
        return make()
    except DataError as error:
        if [finding.code for finding in error.findings] == ["E305"]:
            return None
        raise


def same(left: CustomerSummary | None, right: CustomerSummary | None) -> None:
    assert (left is None) == (right is None)
    if left is None or right is None:
        return
    assert left.as_of == right.as_of
    assert left.without_orders.tolist() == right.without_orders.tolist()
    pd.testing.assert_frame_equal(frame_of(left), frame_of(right), rtol=1e-12, atol=2e-6)


def hold(log: OrderLog, orders: pd.DataFrame, start: date, end: date) -> None:
    """A past's summary and outcome against the rows read anew."""
    options = {"customers": log.population, "returns": log.returns}
    past = log.until(start)
    expected = summary_or_none(lambda: summarise(orders, as_of=start, **options))
    same(summary_or_none(lambda: past.customers.summary), expected)
    if expected is None:
        return
    came = log.until(end).outcome_of(past.customers)
    later = holdout(orders, start=start, end=end, **options).set_index("customer_id")
    later = later.reindex(expected.customer_id, fill_value=0)
    assert came.purchase_days.tolist() == later["purchase_days"].tolist()
    np.testing.assert_allclose(came.revenue, later["value"].to_numpy(dtype=float), atol=2e-6)
    assert came.weeks == (end - start).days / 7


@settings(max_examples=9)
@given(
    rows=st.lists(row, min_size=1, max_size=14),
    rule=st.sampled_from(RULES),
    day=st.integers(0, 13),
    wait=st.integers(0, 8),
    population=st.none() | st.lists(st.sampled_from(["a", "b", "z"]), min_size=1, max_size=3),
)
def test_small_logs(
    rows: list[tuple[str | None, int, float]],
    rule: ReturnsRule,
    day: int,
    wait: int,
    population: list[str] | None,
) -> None:
    orders = log_of(rows)
    start = FIRST + timedelta(days=day)
    hold(OrderLog(orders, rule, population), orders, start, start + timedelta(days=wait))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("returns", [0.0, 0.2])
def test_a_log_of_many_days(rule: ReturnsRule, returns: float) -> None:
    orders = made_up_orders(4, rows=1500, customers=90, returns=returns)
    population = pd.DataFrame({"customer_id": [f"{number:03d}" for number in range(0, 120, 2)]})
    for known, days in ((None, 110), (population, 40)):
        start = FIRST + timedelta(days=days)
        hold(OrderLog(orders, rule, known), orders, start, start + timedelta(days=45))


@settings(max_examples=7)
@given(
    rows=st.lists(row, min_size=2, max_size=14),
    rule=st.sampled_from(RULES),
    day=st.integers(0, 11),
)
def test_nothing_after_a_day_changes_what_was_known_on_it(
    rows: list[tuple[str | None, int, float]], rule: ReturnsRule, day: int
) -> None:
    known = [one for one in rows if one[1] <= day]
    if not known:
        return
    as_of = FIRST + timedelta(days=day)
    whole, cut = OrderLog(log_of(rows), rule).until(as_of), OrderLog(log_of(known), rule).until(as_of)
    same(summary_or_none(lambda: whole.customers.summary), summary_or_none(lambda: cut.customers.summary))
    if len(cut.days.customer_id):
        pd.testing.assert_frame_equal(whole.customers.features, cut.customers.features)
