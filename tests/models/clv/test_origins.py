"""Rolling origins: where models are tried, and that a failure stops nobody."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from allocator.customers.past import OrderLog, Past
from allocator.models.clv.bg_nbd import BgNbd
from allocator.models.clv.origins import rolling_origins, try_models
from tests.models.clv.made_up_forecasts import Constant, shop


@pytest.fixture(scope="module")
def today() -> Past:
    return OrderLog(shop()).until()


@pytest.mark.parametrize(("horizon", "length"), [(8.0, 8.0), (500.0, None)])
def test_windows_lie_before_today(today: Past, horizon: float, length: float | None) -> None:
    weeks = length or today.weeks / 3
    late, early = rolling_origins(today, horizon)
    assert late.weeks == pytest.approx(weeks, abs=1 / 7)
    assert early.weeks == late.weeks
    assert late.past.later(late.weeks).as_of == today.as_of
    assert (late.past.as_of - early.past.as_of).days == pytest.approx(3.5 * weeks, abs=1)


def test_outcomes_are_those_of_their_windows(today: Past) -> None:
    orders = shop()
    for origin in rolling_origins(today, 8.0):
        start, end = origin.past.as_of, origin.past.later(origin.weeks).as_of
        inside = orders[(orders["ordered_on"] > str(start)) & (orders["ordered_on"] <= str(end))]
        spent = inside.groupby("customer_id")["amount"].sum()
        spent = spent.reindex(origin.customers.customer_id, fill_value=0.0)
        assert np.allclose(origin.came.revenue, spent, atol=1e-6)


def test_too_short_a_time_or_too_few_customers_have_none(today: Past) -> None:
    assert rolling_origins(today, 3.9) == ()
    assert rolling_origins(today.log.until(date(2025, 3, 20)), 20.0) == ()
    assert rolling_origins(today.sample(25), 20.0) == ()


def test_an_origin_whose_customers_are_alike_after_it_tells_no_order() -> None:
    ids = [f"c{i:03}" for i in range(40)]
    first = pd.DataFrame({"customer_id": ids, "ordered_on": pd.Timestamp("2026-01-01"), "amount": 9.0})
    again = first.assign(ordered_on=pd.Timestamp("2026-06-01"), amount=5.0)
    assert rolling_origins(OrderLog(pd.concat([first, again])).until(), 9.0) == ()


class Broken:
    """A model that predicts no number at one of its windows."""

    name = "broken"

    def learn(self, past: Past, *, horizon_weeks: float) -> Constant:
        return Constant(np.full(len(past.customers), np.nan if past.as_of.year == 2025 else 1.0))


def test_a_failure_is_named_and_the_others_go_on() -> None:
    today = OrderLog(shop(weeks=30)).until()
    told: list[str] = []
    origins = rolling_origins(today, 8.0)
    trials = try_models([Broken(), BgNbd()], origins, told.append)
    assert trials["broken"].predicted == ()
    assert "finite" in trials["broken"].failure
    assert len(trials["bg_nbd"].predicted) == len(origins) == 2
    assert "trying bg_nbd on window 2 of 2" in told
