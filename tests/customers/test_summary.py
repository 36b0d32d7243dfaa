"""The customer summary: against published facts, two other ways to compute it, and its own rules."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import duckdb  # noqa: TID251 - by hand, to compare
import ibis  # noqa: TID251
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.customers.summary import CustomerSummary, Patterns, holdout, summarise
from allocator.errors import DataError
from tests.customers.oracle import frame_of, made_up_orders, pandas_summary

MAY = date(2026, 5, 1)
END = date(2026, 12, 31)


def orders_of(*rows: tuple[str | None, str, float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["customer_id", "ordered_on", "amount"])
    return table.assign(ordered_on=pd.to_datetime(table["ordered_on"], format="ISO8601"))


def codes(error: pytest.ExceptionInfo[DataError]) -> list[str]:
    return [finding.code for finding in error.value.findings]


@pytest.fixture(scope="module")
def orders(shared_data: Path) -> pd.DataFrame:
    """CDs sold: the sample every textbook fits."""
    table = pd.read_csv(shared_data / "cdnow_sample.csv.gz", dtype={"customer_id": str})
    return table.assign(ordered_on=pd.to_datetime(table["date"]), amount=table["amount_usd"])


class TestPublishedFacts:
    def test_calibration(self, orders: pd.DataFrame) -> None:
        summary = summarise(orders, as_of=date(1997, 9, 30))
        assert len(summary) == 2357
        assert summary.frequency.sum() == 2457
        assert (summary.frequency == 0).sum() == 1411
        assert (summary.repeat_mean_value > 0).sum() == 946

    def test_holdout(self, orders: pd.DataFrame) -> None:
        later = holdout(orders, start=date(1997, 9, 30), end=date(1998, 6, 30))
        assert later["purchase_days"].sum() == 1882

    def test_all_orders_are_in_one_or_the_other(self, orders: pd.DataFrame) -> None:
        split = date(1997, 9, 30)
        calibration = summarise(orders, as_of=split)
        later = holdout(orders, start=split, end=date(1998, 6, 30))
        everything = summarise(orders)
        assert everything.as_of == date(1998, 6, 30)
        assert everything.n_days.sum() == calibration.n_days.sum() + later["purchase_days"].sum()
        total = calibration.total_value.sum() + later["value"].sum()
        assert everything.total_value.sum() == pytest.approx(total, rel=1e-12)

    def test_patterns_are_far_fewer_than_customers(self, shared_data: Path) -> None:
        table = pd.read_parquet(shared_data / "cdnow_master.parquet")
        orders = table.rename(columns={"date": "ordered_on", "amount_usd": "amount"})
        summary = summarise(orders, as_of=date(1997, 9, 30))
        patterns = summary.patterns()
        assert (len(summary), patterns.n_customers) == (23_570, 23_570)
        assert len(patterns) < 0.4 * len(summary)


def test_returns_and_missing_ids_of_a_real_shop(shared_data: Path) -> None:
    table = pd.read_parquet(shared_data / "online_retail_invoices.parquet")
    shop = table.rename(columns={"invoice_time": "ordered_on", "amount_gbp": "amount"})
    identified = shop[shop["customer_id"].notna()]
    matched, netted, dropped = (summarise(shop, returns=rule) for rule in ("match", "net", "drop"))
    assert matched.rows.without_customer == 3710
    assert matched.rows.negative == (identified["amount"] < 0).sum()
    # who cancels what decides on days and rows, not on money
    assert matched.total_value.sum() == pytest.approx(netted.total_value.sum(), rel=1e-9)
    balance = identified["amount"].sum() + matched.rows.unmatched_amount
    assert matched.total_value.sum() == pytest.approx(balance, rel=1e-9)
    assert dropped.total_value.sum() == pytest.approx(identified["amount"].clip(lower=0).sum(), rel=1e-9)
    assert (matched.total_value >= 0).all()


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 300), customers=st.integers(1, 60))
def test_pandas_gives_the_same(seed: int, rows: int, customers: int) -> None:
    orders = made_up_orders(seed, rows, customers)
    expected = pandas_summary(orders, MAY)
    if expected.empty:
        return
    pd.testing.assert_frame_equal(
        frame_of(summarise(orders, as_of=MAY)),
        expected,
        check_dtype=False,
        check_index_type=False,
        rtol=1e-12,
    )


def test_sql_by_hand_gives_the_same() -> None:
    orders = made_up_orders(3, rows=3000, customers=200)
    query = """
        WITH days AS (
            SELECT customer_id, CAST(ordered_on AS DATE) AS day, SUM(amount) AS value
            FROM orders WHERE CAST(ordered_on AS DATE) <= DATE '2026-05-01' GROUP BY ALL)
        SELECT customer_id, COUNT(*) AS n_days, MIN(day) AS first_on, MAX(day) AS last_on,
               SUM(value) AS total_value, ARG_MIN(value, day) AS first_value
        FROM days GROUP BY customer_id ORDER BY customer_id
    """
    connection = duckdb.connect()
    connection.register("orders", orders)
    expected = connection.execute(query).df().set_index("customer_id")
    summary = frame_of(summarise(orders, as_of=MAY))
    pd.testing.assert_frame_equal(summary, expected, check_dtype=False, check_index_type=False, rtol=1e-12)


def test_a_file_table_gives_the_same_as_its_frame(tmp_path: Path) -> None:
    orders = made_up_orders(5, rows=2000, returns=0.1)
    orders.to_parquet(tmp_path / "orders.parquet")
    table = ibis.duckdb.connect().read_parquet(tmp_path / "orders.parquet")
    from_file, from_frame = summarise(table, as_of=MAY), summarise(orders, as_of=MAY)
    assert from_file.rows == from_frame.rows
    pd.testing.assert_frame_equal(frame_of(from_file), frame_of(from_frame), rtol=1e-12)


def test_same_orders_same_bits() -> None:
    orders = made_up_orders(7, rows=20_000, customers=50, returns=0.1)
    first, second = (frame_of(summarise(orders, as_of=MAY)) for _ in range(2))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_time_is_exact_days_over_seven_and_a_day_is_one_purchase() -> None:
    orders = orders_of(
        ("a", "2026-01-01 08:00", 10.0),
        ("a", "2026-01-01 23:59", 6.0),
        ("a", "2026-01-04 00:00", 4.0),
        ("b", "2026-01-10", 0.0),
    )
    summary = summarise(orders, as_of=date(2026, 1, 12))
    assert summary.frequency.tolist() == [1, 0]
    assert summary.recency_weeks.tolist() == [3 / 7, 0.0]
    assert summary.age_weeks.tolist() == [11 / 7, 2 / 7]
    assert summary.mean_value.tolist() == [10.0, 0.0]
    assert summary.repeat_mean_value[0] == 4.0
    assert np.isnan(summary.repeat_mean_value[1])
    assert summary.rows.zero == 1


def test_the_last_day_counts_whole_and_nothing_after_it() -> None:
    orders = orders_of(("a", "2026-01-01", 1.0), ("a", "2026-01-05 23:59", 2.0), ("a", "2026-01-06", 4.0))
    summary = summarise(orders, as_of=date(2026, 1, 5))
    assert (summary.total_value.tolist(), summary.rows.after) == ([3.0], 1)
    assert summarise(orders, as_of=datetime(2026, 1, 5, 12)).total_value.tolist() == [3.0]


def test_a_return_after_the_last_day_is_not_known_yet() -> None:
    orders = orders_of(("a", "2026-01-01", 20.0), ("a", "2026-01-02", 5.0), ("a", "2026-01-09", -20.0))
    assert summarise(orders, as_of=date(2026, 1, 5)).total_value.tolist() == [25.0]
    assert summarise(orders, as_of=date(2026, 1, 9)).total_value.tolist() == [5.0]


def test_a_purchase_taken_back_is_none() -> None:
    orders = orders_of(("a", "2026-01-01", 20.0), ("a", "2026-01-02", 5.0), ("a", "2026-01-09", -20.0))
    summary = summarise(orders)
    assert (summary.n_days.tolist(), str(summary.first_on[0])) == ([1], "2026-01-02")
    everything_back = orders_of(
        ("a", "2026-01-01", 20.0), ("a", "2026-01-02", -20.0), ("b", "2026-01-01", 1.0)
    )
    assert summarise(everything_back).customer_id.tolist() == ["b"]


def test_a_return_in_the_holdout_of_an_earlier_purchase_lowers_nothing_there() -> None:
    orders = orders_of(("a", "2026-01-01", 20.0), ("a", "2026-02-01", 30.0), ("a", "2026-02-02", -20.0))
    later = holdout(orders, start=date(2026, 1, 15), end=END)
    assert later.to_dict("records") == [{"customer_id": "a", "purchase_days": 1, "value": 30.0}]


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), rule=st.sampled_from(["match", "net", "drop"]), population=st.booleans())
def test_every_row_is_counted_once(seed: int, rule: str, population: bool) -> None:
    orders = made_up_orders(seed, returns=0.2)
    orders.loc[::7, "customer_id"] = None
    orders.loc[3::11, "customer_id"] = ""
    customers = [f"{number:03d}" for number in range(10, 60)] if population else None
    rows = summarise(orders, as_of=MAY, start=date(2026, 2, 1), customers=customers, returns=rule).rows  # type: ignore[arg-type]
    unused = rows.without_customer + rows.outside + rows.before + rows.after + rows.negative + rows.cancelled
    assert rows.read == len(orders) == rows.used + unused
    assert rows.negative == rows.matched + rows.netted + rows.unmatched + rows.dropped
    assert rows.without_customer == (orders["customer_id"].isna() | (orders["customer_id"] == "")).sum()
    assert (rows.outside > 0) == population


def test_what_was_left_out_is_said() -> None:
    orders = orders_of(("a", "2026-01-01", 20.0), (None, "2026-01-02", 5.0), ("a", "2026-01-09", -3.0))
    (finding,) = summarise(orders).rows.findings()
    assert finding.code == "W407"
    assert "2 of 3 orders" in finding.what
    assert "1 without a customer id" in finding.fix
    assert "1 lowered earlier purchases" in finding.fix
    assert summarise(orders_of(("a", "2026-01-01", 20.0))).rows.findings() == ()


class TestPopulation:
    orders = orders_of(("01", "2026-01-01", 1.0), ("1", "2026-01-01", 2.0), ("9", "2026-01-03", 3.0))

    def test_those_without_orders_are_listed(self) -> None:
        summary = summarise(self.orders, customers=["9", "7", "1", "7"])
        assert summary.customer_id.tolist() == ["1", "9"]
        assert summary.without_orders.tolist() == ["7"]
        assert summary.rows.outside == 1

    def test_selecting_from_a_summary_is_the_same(self) -> None:
        wanted = pd.DataFrame({"customer_id": ["9", "7", "1"]})
        direct, selected = (
            summarise(self.orders, customers=wanted),
            summarise(self.orders).select(["9", "7", "1"]),
        )
        pd.testing.assert_frame_equal(frame_of(direct), frame_of(selected))
        assert direct.without_orders.tolist() == selected.without_orders.tolist()

    def test_leading_zeros_tell_customers_apart(self) -> None:
        assert summarise(self.orders).customer_id.tolist() == ["01", "1", "9"]

    def test_whole_numbers_are_texts_without_a_decimal_point(self) -> None:
        orders = self.orders.assign(customer_id=[17850.0, np.nan, 9.0])
        assert summarise(orders, customers=[9]).customer_id.tolist() == ["9"]  # type: ignore[list-item]
        assert summarise(orders).customer_id.tolist() == ["17850", "9"]


class TestRefusals:
    good = orders_of(("a", "2026-01-01", 1.0), ("b", "2026-01-02", 2.0))

    def test_every_missing_column_at_once(self) -> None:
        with pytest.raises(DataError) as error:
            summarise(self.good.rename(columns={"amount": "amounts", "ordered_on": "day"}))
        assert codes(error) == ["E303", "E303"]
        assert "did you mean 'amounts'?" in str(error.value)

    def test_customers_without_ids(self) -> None:
        with pytest.raises(DataError, match="did you mean 'customer'"):
            summarise(self.good, customers=pd.DataFrame({"customer": ["a"]}))

    def test_a_rule_for_returns_that_does_not_exist(self) -> None:
        with pytest.raises(DataError, match="'macth' is no rule for returns") as error:
            summarise(self.good, returns="macth")  # type: ignore[arg-type]
        assert codes(error) == ["E103"]

    @pytest.mark.parametrize("amount", [np.nan, np.inf, -np.inf])
    def test_amounts_that_are_no_number(self, amount: float) -> None:
        with pytest.raises(DataError, match="1 of 2 orders") as error:
            summarise(self.good.assign(amount=[1.0, amount]))
        assert codes(error) == ["E304"]

    def test_orders_without_a_day(self) -> None:
        with pytest.raises(DataError, match="1 of 2 orders"):
            summarise(self.good.assign(ordered_on=[pd.NaT, pd.Timestamp("2026-01-01")]))

    @pytest.mark.parametrize(
        ("column", "values"),
        [
            ("amount", ["1", "2"]),
            ("amount", [True, False]),
            ("ordered_on", ["2026-01-01", "2026-01-02"]),
            ("ordered_on", [20260101, 20260102]),
            ("customer_id", [1.5, 2.0]),
        ],
    )
    def test_columns_of_another_kind(self, column: str, values: list[object]) -> None:
        with pytest.raises(DataError, match=column) as error:
            summarise(self.good.assign(**{column: values}))
        assert codes(error) == ["E304"]

    def test_nothing_left(self) -> None:
        for nothing in (
            lambda: summarise(self.good.iloc[:0]),
            lambda: summarise(self.good, as_of=date(2025, 1, 1)),
            lambda: summarise(self.good, customers=["z"]),
        ):
            with pytest.raises(DataError) as error:
                nothing()
            assert codes(error) == ["E305"]

    def test_an_empty_holdout_is_no_error(self) -> None:
        assert holdout(self.good, start=date(2026, 6, 1), end=END).empty


def test_days_as_dates_and_in_a_time_zone() -> None:
    orders = orders_of(("a", "2026-01-01 23:30", 1.0), ("a", "2026-01-03", 2.0))
    plain = frame_of(summarise(orders))
    for days in (orders["ordered_on"].dt.tz_localize("America/New_York"), orders["ordered_on"].dt.date):
        pd.testing.assert_frame_equal(frame_of(summarise(orders.assign(ordered_on=days))), plain)


def test_a_callers_table_stays_as_it_is() -> None:
    orders = made_up_orders(1, returns=0.2)
    before = orders.copy(deep=True)
    summarise(orders, as_of=MAY)
    pd.testing.assert_frame_equal(orders, before)


@given(rows=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 4)), max_size=60))
def test_patterns_lose_nobody(rows: list[tuple[int, int, int]]) -> None:
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    patterns = Patterns.of(*columns)
    distinct = np.stack([patterns.frequency, patterns.recency_days, patterns.age_days])
    np.testing.assert_array_equal(distinct[:, patterns.inverse], columns)
    assert [tuple(row) for row in distinct.T.tolist()] == sorted(set(rows))
    assert patterns.counts.tolist() == [rows.count(row) for row in sorted(set(rows))]


def test_patterns_of_a_summary_are_in_weeks() -> None:
    summary: CustomerSummary = summarise(made_up_orders(2), as_of=END)
    patterns = summary.patterns()
    np.testing.assert_array_equal(patterns.recency_weeks[patterns.inverse], summary.recency_weeks)
    np.testing.assert_array_equal(patterns.age_weeks[patterns.inverse], summary.age_weeks)
    assert patterns.n_customers == len(summary)
