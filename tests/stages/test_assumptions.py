"""What a plan would take for granted is refused or said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

import allocator as al
from tests.small_project import Project, project


def loaded(folder: Path, case: Project) -> al.Scenario:
    return al.load_scenario(case.write(folder))


def codes(forecast: al.Forecast, scenario: al.Scenario) -> set[str]:
    return {finding.code for finding in al.solve(scenario, forecast).warnings}


def refused(folder: Path, case: Project) -> tuple[al.Finding, ...]:
    with pytest.raises(al.AllocatorError) as caught:
        al.fit(loaded(folder, case))
    return caught.value.findings


def tiers_by_age(case: Project) -> Project:
    case.set("by: predicted_clv", "by: age")
    return case


def test_a_column_of_unknown_date_does_not_sort_the_customers_of_a_test(tmp_path: Path) -> None:
    (finding,) = refused(tmp_path, tiers_by_age(project()))
    assert (finding.code, finding.where.line) == ("E312", 12)
    assert [one.code for one in al.check(tmp_path / "q.yaml")] == ["E312"]


def test_a_column_of_the_log_does(tmp_path: Path) -> None:
    case = project()
    case.set("by: predicted_clv", "by: before")
    case.set("{share: top 30%}", "{from: 2}")
    case.set("{share: rest}", "{to: 2}")
    forecast = al.fit(loaded(tmp_path, case))
    assert forecast.tiers.set_index("tier")["customers"].to_dict() == {"high": 3000, "low": 3000}


def in_two_tests(case: Project) -> Project:
    def again(rows: list[str]) -> Iterator[str]:
        yield from rows
        yield from (row.replace("2026-09-01", "2026-10-01") for row in rows[1:])

    case.edit("contacts.csv", lambda rows: list(again(rows)))
    return case


def without_other_tables(case: Project) -> Project:
    case.set("  transactions: {path: orders.csv}\n", "")
    case.set("  customers: {path: customers.csv, attributes: [age], population: 6_000}\n", "")
    case.set("by: predicted_clv", "by: before")
    return case


def test_a_customer_in_two_tests_is_one_customer(tmp_path: Path) -> None:
    once = al.fit(loaded(tmp_path, without_other_tables(project())))
    twice = al.fit(loaded(tmp_path, in_two_tests(without_other_tables(project()))))
    assert twice.tiers["customers"].sum() == once.tiers["customers"].sum() == 120


def test_a_customer_with_two_values_has_no_tier(tmp_path: Path) -> None:
    case = in_two_tests(without_other_tables(project()))
    case.edit("contacts.csv", lambda rows: [*rows[:-1], rows[-1][:-1] + "9"])
    (finding,) = refused(tmp_path, case)
    assert finding.code == "E306"
    assert "'120'" in finding.what


def test_customers_of_the_orders_are_planned_for_where_the_test_sorts_them(tmp_path: Path) -> None:
    case = without_other_tables(project())
    case.set("data:\n", "data:\n  transactions: {path: orders.csv}\n")
    case.edit("contacts.csv", lambda rows: rows[:91])
    assert al.fit(loaded(tmp_path, case)).tiers["customers"].sum() == 120


def test_kept_customers_are_worth_something_only_after_a_stated_window(tmp_path: Path) -> None:
    case = project()
    case.set(", window: 4 weeks", "")
    case.edit("contacts.csv", lambda rows: [rows[0].replace("converted", "retained"), *rows[1:]])
    (finding,) = refused(tmp_path, case)
    assert (finding.code, finding.fix.split(":")[0]) == ("E101", "add data.experiments.window")


@pytest.mark.parametrize(("cost", "said"), [("0.10", False), ("0.50", True)])
def test_contacts_that_cost_something_else_are_said(tmp_path: Path, cost: str, said: bool) -> None:
    case = project()

    def priced(rows: list[str]) -> list[str]:
        price = {"control": "0", "email": cost, "letter": "0.90"}
        return [rows[0] + ",cost", *(f"{row},{price[row.split(',')[1]]}" for row in rows[1:])]

    case.edit("contacts.csv", priced)
    scenario = loaded(tmp_path, case)
    assert ("W409" in codes(al.fit(scenario), scenario)) == said


def test_adding_up_effects_is_said(tmp_path: Path) -> None:
    case = project()
    case.set("window: 4 weeks", "window: 4 weeks, combine: add")
    scenario = loaded(tmp_path, case)
    assert "W408" in codes(al.fit(scenario), scenario)


def test_a_table_of_curves_that_replaces_a_response_is_said(tmp_path: Path) -> None:
    case = project()
    table = pd.DataFrame({"channel": ["search"], "spend": [1000], "value": [900], "source": ["points"]})
    case.files["curves.csv"] = table.to_csv(index=False).encode()
    case.set("data:\n", "data:\n  curves: {path: curves.csv}\n")
    scenario = loaded(tmp_path, case)
    forecast = al.fit(scenario)
    (said,) = [one for one in al.solve(scenario, forecast).warnings if one.code == "W410"]
    assert "'search'" in said.what
    assert forecast.curves.of("search")[0].curve.value[-1] == 900


def test_an_arm_cannot_be_the_control_group(tmp_path: Path) -> None:
    case = project()
    case.set("window: 4 weeks", "window: 4 weeks, arms: {email: control}")
    with pytest.raises(al.ScenarioError, match="the control group"):
        loaded(tmp_path, case)


def last_order(case: Project) -> str:
    return max(row.split(",")[1] for row in case.files["orders.csv"].decode().splitlines()[1:])


def planned(days_after_the_last_order: int) -> Project:
    case = project()
    as_of = date.fromisoformat(last_order(case)) + timedelta(days=days_after_the_last_order)
    case.set("tiers:\n", f"models: {{as_of: {as_of}}}\ntiers:\n")
    return case


@pytest.mark.parametrize(("days", "said"), [(7, False), (8, True), (60, True)])
def test_a_day_after_the_last_order_is_said(tmp_path: Path, days: int, said: bool) -> None:
    scenario = loaded(tmp_path, planned(days))
    assert ("W412" in codes(al.fit(scenario), scenario)) == said


def test_a_day_long_after_the_last_order_is_refused(tmp_path: Path) -> None:
    (finding,) = refused(tmp_path, planned(61))
    assert (finding.code, finding.where.line) == ("E106", 11)
    assert "61 days after the last order" in finding.what


def test_a_misspelt_prediction_is_recognised(tmp_path: Path) -> None:
    case = project()
    case.set("by: predicted_clv", "by: predicted_clb")
    (finding,) = al.check(case.write(tmp_path))
    assert (finding.code, finding.fix) == ("E303", "did you mean 'predicted_clv'?")


def test_a_column_of_several_tables_is_listed_once(tmp_path: Path) -> None:
    case = project()
    case.set("by: predicted_clv", "by: wealth")
    (finding,) = al.check(case.write(tmp_path))
    assert finding.fix.count("customer_id") == 1


def strangers(case: Project, number: int) -> Project:
    case.edit(
        "contacts.csv",
        lambda rows: [rows[0], *(f"x{row}" for row in rows[1 : number + 1]), *rows[number + 1 :]],
    )
    return case


def test_customers_of_the_test_whom_no_table_lists_are_said(tmp_path: Path) -> None:
    scenario = loaded(tmp_path, strangers(project(), 24))
    (finding,) = (one for one in al.solve(scenario, al.fit(scenario)).warnings if one.code == "W415")
    assert finding.what.startswith("24 of 120 customers of the experiment are not in data.customers")
    assert finding.where == scenario.origin_of("data.experiments.path")


@pytest.mark.parametrize("stated", [", population: 6_000", ""])
def test_ids_that_match_no_other_table_are_refused(tmp_path: Path, stated: str) -> None:
    case = strangers(project(), 25)
    case.set(", population: 6_000", stated)
    (finding,) = refused(tmp_path, case)
    assert (finding.code, finding.where.line) == ("E304", 10)
    assert "such as 'x001'" in finding.fix


def test_customers_of_the_orders_are_known_to_a_sample_of_customers(tmp_path: Path) -> None:
    case = project()
    case.edit("customers.csv", lambda rows: rows[:61])
    assert "W415" not in codes(al.fit(loaded(tmp_path, case)), al.load_scenario(tmp_path / "q.yaml"))
    case.set(", population: 6_000", "")
    assert [one.code for one in refused(tmp_path, case)] == ["E304"]


def with_curves(case: Project, rows: str) -> Project:
    case.files["curves.csv"] = f"channel,tier,spend,value,source\n{rows}".encode()
    case.set("data:\n", "data:\n  curves: {path: curves.csv}\n")
    return case


def test_a_curve_of_an_unknown_tier_is_one_error_with_its_place(tmp_path: Path) -> None:
    case = with_curves(project(), "search,high,100,200,points\nsearch,lwo,100,200,points\n")
    (finding,) = refused(tmp_path, case)
    assert (finding.code, finding.fix) == ("E202", "did you mean 'low'?")
    assert (finding.where.line, finding.where.file.endswith("q.yaml")) == (8, True)


def test_a_word_for_a_value_is_no_empty_cell(tmp_path: Path) -> None:
    case = with_curves(project(), "search,,100,200,points\nsearch,,200,n/a,points\n")
    (finding,) = refused(tmp_path, case)
    assert finding.what == "value is not a finite number in row 2"
