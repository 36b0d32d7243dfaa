"""Orders as they were known on a day of the past."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from allocator.customers.past import OrderLog
from allocator.errors import DataError
from tests.customers.oracle import made_up_orders

AS_OF = date(2026, 4, 30)


@pytest.fixture(scope="module")
def orders() -> pd.DataFrame:
    return made_up_orders(7, rows=600, customers=50, returns=0.1)


def test_later_rows_and_later_returns_change_nothing(orders: pd.DataFrame) -> None:
    early = orders[orders["ordered_on"] < "2026-05-01"]
    later = early.assign(ordered_on=pd.Timestamp("2026-05-01"), amount=-early["amount"].abs() * 10)
    past = OrderLog(pd.concat([later, early])).until(AS_OF)
    alone = OrderLog(early).until(AS_OF)
    assert past.weeks == alone.weeks
    for name in ("customer_id", "n_days", "first_on", "last_on", "total_value", "first_value"):
        assert (
            getattr(past.customers.summary, name).tolist() == getattr(alone.customers.summary, name).tolist()
        )
    pd.testing.assert_frame_equal(past.customers.features, alone.customers.features)


def test_the_order_of_rows_does_not_matter(orders: pd.DataFrame) -> None:
    first, second = (OrderLog(rows).until(AS_OF) for rows in (orders, orders.sample(frac=1, random_state=3)))
    assert first.days.value.tolist() == second.days.value.tolist()
    pd.testing.assert_frame_equal(first.customers.features, second.customers.features)


def test_an_earlier_and_a_later_day_are_to_the_day(orders: pd.DataFrame) -> None:
    past = OrderLog(orders).until(AS_OF)
    assert past.earlier(2).as_of == date(2026, 4, 16)
    assert past.earlier(10 / 7).later(10 / 7).as_of == AS_OF
    assert past.later(1).as_of == date(2026, 5, 7)


def test_without_a_day_it_is_that_of_the_last_order(orders: pd.DataFrame) -> None:
    assert OrderLog(orders).until().as_of == orders["ordered_on"].max().date()
    assert OrderLog(orders).first_on == orders["ordered_on"].min().date()


def test_a_sample_is_of_customers_who_had_bought_and_they_look_the_same(orders: pd.DataFrame) -> None:
    past = OrderLog(orders).until(AS_OF)
    some = past.sample(10, seed=5)
    assert len(some.customers) == 10
    assert some.as_of == past.as_of
    at = np.isin(past.customers.customer_id, some.customers.customer_id)
    assert some.customers.summary.total_value.tolist() == past.customers.summary.total_value[at].tolist()
    assert past.sample(10, seed=5).customers.customer_id.tolist() == some.customers.customer_id.tolist()
    assert past.sample(10, seed=6).customers.customer_id.tolist() != some.customers.customer_id.tolist()
    assert past.sample(50) is past


def test_some_customers_can_be_looked_at(orders: pd.DataFrame) -> None:
    past = OrderLog(orders).until(AS_OF)
    wanted = np.array(["007", "003", "nobody"], dtype=object)
    some = past.of(wanted)
    assert some.customer_id.tolist() == ["003", "007"]
    assert some.summary.without_orders.tolist() == ["nobody"]
    everybody = past.customers
    at = np.isin(everybody.customer_id, wanted)
    assert some.features["value_spread"].tolist() == everybody.features["value_spread"][at].tolist()
    with pytest.raises(DataError, match="E305"):
        past.of(np.array(["nobody"], dtype=object))


def test_a_part_of_a_snapshot_is_the_part_of_everything(orders: pd.DataFrame) -> None:
    whole = OrderLog(orders).until(AS_OF).customers
    part = whole.part(slice(5, 12))
    assert part.customer_id.tolist() == whole.customer_id[5:12].tolist()
    pd.testing.assert_frame_equal(part.features, whole.features.iloc[5:12])


def test_an_outcome_is_of_the_customers_known_before_alone(orders: pd.DataFrame) -> None:
    log = OrderLog(orders)
    before, today = log.until(date(2026, 1, 3)), log.until()
    came = today.outcome_of(before.customers)
    assert len(came.revenue) == len(before.customers) < len(today.customers)
    assert today.outcome_of(today.customers).purchase_days.tolist() == [0.0] * len(today.customers)


def test_before_the_first_order_there_is_nobody(orders: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="E305"):
        _ = OrderLog(orders).until(date(2025, 12, 31)).customers


def test_the_days_looked_at_do_not_pile_up(orders: pd.DataFrame) -> None:
    log = OrderLog(orders)
    past = log.until(AS_OF)
    assert log.until(AS_OF) is past
    for weeks in range(60):
        past.earlier(weeks)
    assert log.until(AS_OF) is not past
