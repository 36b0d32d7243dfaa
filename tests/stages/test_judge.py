"""Judging by days the models have not seen."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator.models import scoring
from allocator.stages.judge import Held, compared, hold_out
from allocator.stages.reading import read_tables
from tests.small_project import Project, project


def held(folder: Path, case: Project, models: str = "{clv: {name: pareto_nbd}}") -> Held | None:
    case.set("tiers:\n", f"models: {models}\ntiers:\n")
    scenario = al.load_scenario(case.write(folder))
    return hold_out(scenario, read_tables(scenario))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Held:
    found = held(tmp_path_factory.mktemp("small"), project())
    assert found is not None
    return found


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("orders")
    project().write(folder)
    return pd.read_csv(folder / "orders.csv", dtype={"customer_id": str}, parse_dates=["ordered_on"])


def test_a_quarter_of_the_time_is_held_out(small: Held, orders: pd.DataFrame) -> None:
    days = (orders["ordered_on"].max() - orders["ordered_on"].min()).days
    judged = compared(small, "pareto_nbd")
    assert (judged.end - judged.start).days == round(days / 4)
    assert pd.Timestamp(judged.end) == orders["ordered_on"].max()


def test_figures_are_those_of_the_rows(small: Held, orders: pd.DataFrame) -> None:
    judged = compared(small, "pareto_nbd")
    known = orders[orders["ordered_on"] <= pd.Timestamp(judged.start)]["customer_id"].unique()
    came = orders[(orders["ordered_on"] > pd.Timestamp(judged.start)) & orders["customer_id"].isin(known)]
    assert judged.customers == len(known)
    assert judged.purchases == len(came)
    assert judged.revenue == pytest.approx(came["amount"].sum(), rel=1e-9)
    revenue = came.groupby("customer_id")["amount"].sum().reindex(small.customers.customer_id, fill_value=0)
    forecast = small.forecast.expected_revenue(small.customers, small.came.weeks)
    assert judged.scores.normalised_gini == pytest.approx(
        scoring.normalised_gini(revenue, forecast), rel=1e-9
    )
    assert judged.revenue_forecast == pytest.approx(forecast.sum(), rel=1e-12)
    assert len(judged.deciles) == 10
    assert np.mean([actual for _, actual in judged.deciles]) == pytest.approx(revenue.mean(), rel=0.05)
    assert sorted(judged.deciles, reverse=True)[0][0] == judged.deciles[0][0]


def test_weeks_add_up(small: Held) -> None:
    ends, came, expected = small.purchases_by_week()
    weeks = int(small.came.weeks)
    assert len(ends) == len(came) == len(expected) == weeks
    assert ends[0] == np.datetime64(small.customers.summary.as_of) + 7
    assert came.sum() <= small.came.purchase_days.sum()
    assert came.sum() >= small.came.purchase_days.sum() - 30  # those of the days after the last full week
    whole = small.forecast.expected_purchases(small.customers, float(weeks)).sum()
    assert expected.sum() == pytest.approx(whole, rel=1e-9)


def test_the_time_held_out_may_be_stated(tmp_path: Path) -> None:
    found = held(tmp_path, project(), "{clv: {name: bg_nbd}, holdout: 6 weeks, as_of: 2026-06-30}")
    assert found is not None
    judged = compared(found, "bg_nbd")
    assert (judged.start, judged.end, judged.model) == (date(2026, 5, 19), date(2026, 6, 30), "bg_nbd")


def test_no_row_held_out_is_seen(tmp_path: Path, small: Held) -> None:
    start = small.customers.summary.as_of.isoformat()

    def dearer(row: str) -> str:
        who, when, amount = row.split(",")
        return f"{who},{when},{float(amount) * 100:.2f}" if when > start else row

    case = project()
    case.edit("orders.csv", lambda rows: [rows[0], *map(dearer, rows[1:])])
    found = held(tmp_path, case)
    assert found is not None
    one, other = (each.forecast.expected_revenue(each.customers, 20.0) for each in (small, found))
    assert one.tolist() == other.tolist()
    assert found.came.revenue.sum() == pytest.approx(100 * small.came.revenue.sum(), rel=1e-9)


@pytest.mark.parametrize("rows", [["001,2026-01-01,5.00"], ["001,2026-01-01,5.00", "002,2026-01-01,7.00"]])
def test_orders_of_one_day_have_nothing_to_hold_out(tmp_path: Path, rows: list[str]) -> None:
    case = project()
    case.edit("orders.csv", lambda old: [old[0], *rows])
    assert held(tmp_path, case) is None


def test_without_orders_there_is_nothing(tmp_path: Path) -> None:
    case = project()
    case.set("  transactions: {path: orders.csv}\n", "")
    case.set("  by: predicted_clv\n", "  by: age\n")
    scenario = al.load_scenario(case.write(tmp_path))
    assert hold_out(scenario, read_tables(scenario)) is None
