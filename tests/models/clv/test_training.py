"""Rows to learn from: which cut-offs, and nothing after them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.customers.past import OrderLog, Past
from allocator.errors import DataError
from allocator.models.clv.training import learned_weeks, rolling_origins, stacked, training
from tests.models.clv.simulated_orders import START, simulated_orders

ORDERS = simulated_orders(150)
PAST = OrderLog(ORDERS).until()


def cut_off(past: Past, before_weeks: float) -> date:
    return past.as_of - timedelta(days=round(before_weeks * 7))


class TestCutOffs:
    def test_a_quarter_of_a_short_log_is_learned(self) -> None:
        assert learned_weeks(40, 52, 0.25) == 10
        assert learned_weeks(400, 52, 0.25) == 52

    def test_it_is_whole_days(self) -> None:
        assert (learned_weeks(39, 39, 0.25) * 7).is_integer()

    def test_a_log_that_is_too_short_is_refused(self) -> None:
        with pytest.raises(DataError, match="weeks to learn from"):
            training(OrderLog(ORDERS).until(START.date() + timedelta(days=21)), horizon_weeks=10)

    def test_every_outcome_ends_by_the_day_of_the_past(self) -> None:
        rows = training(PAST, horizon_weeks=13)
        assert rows.weeks == 13
        first = ORDERS.groupby("customer_id")["ordered_on"].min().dt.date
        for origin in range(4):
            day = cut_off(PAST, 13 * (1 + 0.5 * (3 - origin)))
            assert rows.table.index[rows.origin == origin].tolist() == sorted(first.index[first <= day])

    def test_outcomes_are_what_was_bought_in_the_weeks_after(self) -> None:
        rows = training(PAST, horizon_weeks=10, cut_offs=1)
        since = pd.Timestamp(cut_off(PAST, 10))
        later = ORDERS[ORDERS["ordered_on"] > since]
        expected = later.groupby("customer_id")["amount"].sum().reindex(rows.table.index).fillna(0)
        assert rows.revenue == pytest.approx(expected.to_numpy())
        days = later.groupby("customer_id")["ordered_on"].nunique().reindex(rows.table.index).fillna(0)
        assert rows.purchases.tolist() == days.tolist()

    def test_cut_offs_before_the_first_order_are_left_out(self) -> None:
        assert training(PAST, horizon_weeks=18, cut_offs=12).origin.max() < 11

    def test_the_short_cohort_of_the_textbooks(self, shared_data: Path) -> None:
        """All first purchases in 12 weeks, 39 weeks known: every cut-off lies after them."""
        table = pd.read_csv(shared_data / "cdnow_sample.csv.gz", parse_dates=["date"])
        orders = table.rename(columns={"date": "ordered_on", "amount_usd": "amount"})
        past = OrderLog(orders).until(date(1997, 9, 30))
        rows = training(past, horizon_weeks=39)
        assert rows.weeks == pytest.approx(9.7, abs=0.1)
        assert np.bincount(rows.origin).tolist() == [2357] * 4
        names = rows.lasting(past.customers.features)
        assert {"age_weeks", "since_last_weeks", "first_month", "value_last_26_weeks"}.isdisjoint(names)
        assert {"frequency", "since_last_share", "value_last_13_weeks", "log_mean_value"} <= set(names)


class TestNothingLater:
    @pytest.mark.parametrize("returned", [False, True])
    def test_later_orders_and_returns_change_nothing(self, returned: bool) -> None:
        orders = ORDERS.copy()
        if returned:
            orders.loc[orders.index % 9 == 0, "amount"] *= -1
        day = (START + pd.Timedelta(weeks=50)).date()
        known = orders[orders["ordered_on"] <= pd.Timestamp(day)]
        one, other = (training(OrderLog(log).until(day), horizon_weeks=9) for log in (orders, known))
        pd.testing.assert_frame_equal(one.table, other.table)
        assert one.revenue.tolist() == other.revenue.tolist()

    def test_features_are_blind_to_the_outcome(self) -> None:
        """Orders after a cut-off change what came of it, never what was known at it."""
        changed = ORDERS.copy()
        later = changed["ordered_on"] > pd.Timestamp(cut_off(PAST, 10))
        changed.loc[later, "amount"] *= 10
        one = training(PAST, horizon_weeks=10, cut_offs=1)
        other = training(OrderLog(changed).until(PAST.as_of), horizon_weeks=10, cut_offs=1)
        pd.testing.assert_frame_equal(one.table, other.table)
        assert other.revenue == pytest.approx(10 * one.revenue)


class TestLastingColumns:
    rows = training(PAST, horizon_weeks=10)
    today = PAST.customers.features

    def test_lengths_never_seen_are_left_out(self) -> None:
        """All joined in the first 20 weeks: today all are older than anybody was at a cut-off."""
        names = self.rows.lasting(self.today)
        assert "age_weeks" not in names
        assert "since_last_share" in names

    def test_lengths_seen_are_kept(self) -> None:
        joining = OrderLog(simulated_orders(300, weeks=100, joining_weeks=100)).until()
        today = joining.customers.features
        young = today[today["age_weeks"] < 60]
        assert "age_weeks" in training(joining, horizon_weeks=10).lasting(young)

    def test_windows_longer_than_the_log_was_are_left_out(self) -> None:
        names = training(PAST, horizon_weeks=18).lasting(self.today)
        assert "value_last_52_weeks" not in names
        assert "value_last_26_weeks" in names
        assert "value_last_52_weeks" in self.rows.lasting(self.today)

    def test_a_season_needs_a_year_of_first_purchases(self) -> None:
        assert "first_season" not in self.rows.lasting(self.today)
        joining = OrderLog(simulated_orders(200, weeks=150, joining_weeks=140)).until()
        assert "first_season" in training(joining, horizon_weeks=8).lasting(joining.customers.features)

    def test_columns_absent_today_are_left_out(self) -> None:
        assert "frequency" not in self.rows.lasting(self.today.drop(columns="frequency"))


class TestRollingOrigins:
    origins = rolling_origins(PAST, horizon_weeks=30)

    def test_the_outcome_of_each_is_known_at_the_next(self) -> None:
        """So ages of one customer grow by at least the weeks of the outcome."""
        assert len(self.origins) == 3
        for one, next_ in zip(self.origins, self.origins[1:], strict=False):
            older = next_.table["age_weeks"].reindex(one.table.index) - one.table["age_weeks"]
            assert older.to_numpy() == pytest.approx(one.weeks)

    def test_the_last_outcome_ends_today(self) -> None:
        last = self.origins[-1]
        age = PAST.customers.features["age_weeks"].reindex(last.table.index)
        assert (age - last.table["age_weeks"]).to_numpy() == pytest.approx(last.weeks)

    def test_stacked_rows_keep_their_order(self) -> None:
        rows = stacked(self.origins)
        assert np.bincount(rows.origin).tolist() == [len(origin) for origin in self.origins]
        assert rows.revenue.tolist() == [*np.concatenate([origin.revenue for origin in self.origins])]
