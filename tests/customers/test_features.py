"""Features of customers: by hand on a few orders, and blind to everything after their day."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from allocator.customers.features import features
from allocator.customers.past import OrderLog
from allocator.customers.summary import summarise
from tests.customers.oracle import made_up_orders

AS_OF = date(2026, 4, 9)  # 14 weeks after New Year
ORDERS = pd.DataFrame(
    [
        ("ann", "2026-01-01", 20.0, "books", "web"),
        ("ann", "2026-01-01", 10.0, "toys", "web"),
        ("ann", "2026-01-15", 10.0, "books", "shop"),
        ("ann", "2026-02-26", 40.0, "books", "web"),
        ("ann", "2026-04-02", 60.0, None, "web"),
        ("bob", "2026-03-12", 25.0, None, None),
        ("cid", "2026-01-29", 30.0, "toys", "shop"),
        ("cid", "2026-02-05", 50.0, "music", "web"),
        ("cid", "2026-02-12", -20.0, "toys", "shop"),
        ("cid", "2026-03-05", 80.0, "toys", "shop"),
        ("cid", "2026-04-30", 99.0, "late", "late"),
    ],
    columns=["customer_id", "ordered_on", "amount", "category", "channel"],
).assign(ordered_on=lambda table: pd.to_datetime(table["ordered_on"]))


def table_of(orders: pd.DataFrame, as_of: date = AS_OF, **options) -> pd.DataFrame:
    summary = summarise(orders, as_of=as_of, returns=options.get("returns", "match"))
    return features(summary, orders, **options)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return table_of(ORDERS)


class TestByHand:
    @pytest.mark.parametrize(
        ("name", "ann", "bob"),
        [
            ("frequency", 3, 0),
            ("recency_weeks", 13, 0),
            ("age_weeks", 14, 4),
            ("since_last_weeks", 1, 4),
            ("mean_gap_weeks", 13 / 3, np.nan),
            ("gap_spread_weeks", np.std([2, 6, 5]), np.nan),
            ("since_last_gaps", 3 / 13, np.nan),
            ("mean_value", 35, 25),
            ("total_value", 140, 25),
            ("last_value", 60, 25),
            ("largest_value", 60, 25),
            ("value_spread", np.std([30, 10, 40, 60]), 0),
            ("purchases_last_4_weeks", 1, 0),
            ("value_last_4_weeks", 60, 0),
            ("purchases_last_13_weeks", 3, 1),
            ("value_last_13_weeks", 110, 25),
            ("value_last_52_weeks", 140, 25),
            ("purchases_trend", 0, -1),
            ("value_trend", (100 - 40) / 140, -1),
            ("repeats_per_week", 3 / 14, 0),
            ("value_per_week", 10, 25 / 4),
            ("recency_share", 13 / 14, 0),
            ("since_last_share", 1 / 14, 1),
            ("log_total_value", np.log(141), np.log(26)),
            ("n_categories", 2, 0),
            ("main_category_share", 3 / 4, np.nan),
            ("main_channel_share", 4 / 5, np.nan),
        ],
    )
    def test_numbers(self, table: pd.DataFrame, name: str, ann: float, bob: float) -> None:
        assert table.loc[["ann", "bob"], name].tolist() == pytest.approx([ann, bob], nan_ok=True, abs=1e-6)

    def test_texts(self, table: pd.DataFrame) -> None:
        assert table["first_month"].tolist() == ["01", "03", "01"]
        assert table["first_season"].tolist() == ["winter", "spring", "winter"]
        assert table["main_channel"].fillna("unknown").tolist() == ["web", "unknown", "shop"]

    def test_returns_lower_money_and_are_told(self, table: pd.DataFrame) -> None:
        assert table.loc["cid", "total_value"] == 140
        assert table.loc["cid", "n_returns"] == 1
        assert table.loc["cid", "returned_share"] == pytest.approx(20 / 160)
        assert table.loc["ann", ["n_returns", "returned_share"]].tolist() == [0, 0]

    def test_of_main_texts_as_frequent_the_first_of_the_alphabet_counts(self) -> None:
        orders = ORDERS[ORDERS["customer_id"] == "cid"].iloc[:2]
        assert table_of(orders)["main_channel"].tolist() == ["shop"]

    def test_seasons_are_of_the_north(self) -> None:
        first = pd.to_datetime(["2025-12-31", "2025-02-28", "2025-05-31", "2025-06-01", "2025-11-30"])
        orders = pd.DataFrame({"customer_id": list("abcde"), "ordered_on": first, "amount": 1.0})
        seasons = table_of(orders)["first_season"].tolist()
        assert seasons == ["winter", "winter", "spring", "summer", "autumn"]

    def test_a_customer_of_today_has_no_rates(self) -> None:
        row = table_of(ORDERS, date(2026, 3, 12)).loc["bob"]
        assert row[["repeats_per_week", "value_per_week", "recency_share", "since_last_share"]].isna().all()
        assert row["total_value"] == 25


class TestAlignment:
    def test_rows_are_those_of_the_summary(self, table: pd.DataFrame) -> None:
        assert table.index.tolist() == summarise(ORDERS, as_of=AS_OF).customer_id.tolist()
        assert table.index.name == "customer_id"

    def test_a_summary_of_some_gives_the_same_rows(self, table: pd.DataFrame) -> None:
        part = features(summarise(ORDERS, as_of=AS_OF, customers=["cid", "ann"]), ORDERS)
        pd.testing.assert_frame_equal(part, table.loc[["ann", "cid"]])

    def test_columns_are_the_same_on_every_day(self, table: pd.DataFrame) -> None:
        assert table_of(ORDERS, date(2026, 1, 2)).columns.tolist() == table.columns.tolist()

    def test_attributes_are_joined_by_id(self) -> None:
        attributes = pd.DataFrame(
            {
                "customer_id": ["cid", "zoe", "ann"],
                "region": ["north", "south", None],
                "size": [3.0, 1.0, 2.0],
                "joined_on": pd.to_datetime(["2026-03-26", "2026-01-01", None]),
                "frequency": [9, 9, 9],
            }
        )
        table = table_of(ORDERS, attributes=attributes)
        assert table["size"].tolist() == pytest.approx([2, np.nan, 3], nan_ok=True)
        assert table["joined_on"].tolist() == pytest.approx([np.nan, np.nan, 2], nan_ok=True)
        assert table.loc["cid", "region"] == "north"
        assert table["region"].isna().tolist() == [True, True, False]
        assert table["frequency"].tolist() == [3, 0, 2]
        assert table.loc["cid", "frequency_attribute"] == 9

    def test_a_snapshot_gives_the_same(self, table: pd.DataFrame) -> None:
        pd.testing.assert_frame_equal(OrderLog(ORDERS).until(AS_OF).customers.features, table)


class TestNothingLater:
    orders = made_up_orders(3, returns=0.1).assign(
        category=lambda rows: (rows.index % 5).astype(str), channel=lambda rows: (rows.index % 2).astype(str)
    )
    day = date(2026, 4, 1)

    @pytest.mark.parametrize("rule", ["match", "net", "drop"])
    def test_later_rows_change_nothing(self, rule: str) -> None:
        known = self.orders[self.orders["ordered_on"] < "2026-04-02"]
        assert len(known) < len(self.orders)
        log = OrderLog(self.orders, rule).until(self.day)
        expected = table_of(known, self.day, returns=rule)
        pd.testing.assert_frame_equal(table_of(self.orders, self.day, returns=rule), expected)
        pd.testing.assert_frame_equal(log.customers.features, expected)

    def test_the_order_of_rows_changes_nothing(self) -> None:
        shuffled = self.orders.sample(frac=1, random_state=1)
        pd.testing.assert_frame_equal(
            table_of(shuffled, self.day), table_of(self.orders, self.day), check_exact=True
        )

    def test_other_customers_change_nothing(self) -> None:
        some = self.orders[self.orders["customer_id"] < "020"]
        expected = table_of(self.orders, self.day)
        pd.testing.assert_frame_equal(table_of(some, self.day), expected[expected.index < "020"])
