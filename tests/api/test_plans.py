"""The Python API: forecasts and plans as immutable objects, the same numbers in every form."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pandas as pd
import pytest

import allocator as al
from allocator.report.render.json import SCHEMA

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "tests" / "scenarios" / "media_plan.yaml"
INFEASIBLE = ROOT / "tests" / "scenarios" / "infeasible.yaml"


@pytest.fixture(scope="module")
def scenario() -> al.Scenario:
    return al.load_scenario(SAMPLE)


@pytest.fixture(scope="module")
def forecast(scenario: al.Scenario) -> al.Forecast:
    return al.fit(scenario)


@pytest.fixture(scope="module")
def plan(scenario: al.Scenario, forecast: al.Forecast) -> al.Plan:
    return al.solve(scenario, forecast)


@pytest.fixture(scope="module")
def refused() -> al.Plan:
    scenario = al.load_scenario(INFEASIBLE)
    return al.solve(scenario, al.fit(scenario))


class TestPlan:
    def test_json_is_the_dictionary(self, plan: al.Plan) -> None:
        assert json.loads(plan.to_json()) == json.loads(json.dumps(plan.to_dict()))
        assert plan.to_dict()["schema"] == SCHEMA

    def test_the_frame_holds_every_cell(self, plan: al.Plan, scenario: al.Scenario) -> None:
        frame = plan.to_frame()
        assert len(frame) == 3 * 5
        assert frame["spend"].sum() == pytest.approx(plan.to_dict()["spend"], abs=1e-6)
        assert frame["return"].sum() == pytest.approx(plan.to_dict()["return"], rel=1e-12)
        assert set(frame["channel"]) == set(scenario.channels)
        assert (frame["return_low"].dropna() <= frame["return_high"].dropna()).all()

    def test_channels_without_evidence_on_tiers_are_tied_in_the_shares_of_customers(
        self, plan: al.Plan
    ) -> None:
        frame = plan.to_frame().set_index(["channel", "tier"])
        tied = set(frame[frame["tied"]].reset_index()["channel"])
        assert tied == {"search", "tv"}
        search = frame.loc["search", "spend"]
        assert (search / search.sum()).to_dict() == pytest.approx(
            {"high": 0.2, "medium": 0.3, "low": 0.5}, abs=1e-6
        )

    def test_binding_limits_carry_their_price_reason_and_place(self, plan: al.Plan) -> None:
        binding = plan.binding().set_index("name")
        budget = binding.loc["budget.total"]
        assert budget["next_unit"] > 0
        assert budget["reason"] == "Budget approved for the quarter"
        assert Path(budget["file"]).name == "media_plan.yaml"
        assert SAMPLE.read_text(encoding="utf-8").splitlines()[int(budget["line"]) - 1].strip() == "total: 1M"

    def test_the_price_of_the_budget_is_what_more_budget_earns(
        self, plan: al.Plan, scenario: al.Scenario, forecast: al.Forecast
    ) -> None:
        price = plan.binding().set_index("name").loc["budget.total", "next_unit"]
        more = al.solve(scenario.override({"budget.total": "base + 100"}), forecast)
        gain = more.solution.objective - plan.solution.objective
        assert gain / 100 == pytest.approx(price, abs=0.01)

    def test_a_forecast_serves_a_larger_budget(self, scenario: al.Scenario, forecast: al.Forecast) -> None:
        rich = scenario.override({"budget.total": "5M", "budget.spend": "up_to"})
        assert al.solve(rich, forecast).to_dict()["spend"] == pytest.approx(
            al.solve(rich, al.fit(rich)).to_dict()["spend"], abs=0.05
        )

    def test_text_is_the_five_answers(self, plan: al.Plan) -> None:
        assert "Where the money goes" in str(plan)
        assert "What holds the plan back" in str(plan)
        assert "media plan" in repr(plan)

    def test_neither_plan_nor_forecast_can_be_changed(self, plan: al.Plan, forecast: al.Forecast) -> None:
        for value, name in ((plan, "solution"), (forecast, "curves")):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(value, name, None)

    def test_solving_again_gives_the_same_plan_to_the_bit(
        self, plan: al.Plan, scenario: al.Scenario, forecast: al.Forecast
    ) -> None:
        assert al.solve(scenario, forecast).to_json() == plan.to_json()

    def test_a_plan_is_required_to_exist(self, plan: al.Plan, refused: al.Plan) -> None:
        assert plan.require() is plan
        with pytest.raises(al.NoPlanError, match=r"E401.*\n?.*budget\.total"):
            refused.require()

    def test_no_plan_still_has_its_forms(self, refused: al.Plan) -> None:
        assert refused.status.value == "infeasible"
        assert refused.to_frame().empty
        assert refused.binding().empty
        assert list(refused.to_frame().columns)[:3] == ["tier", "channel", "period"]
        assert "no plan[E401]" in str(refused)


class TestForecast:
    def test_the_table_read_back_gives_the_same_plan(self) -> None:
        scenario = al.load_scenario(ROOT / "tests" / "scenarios" / "points_only.yaml")
        forecast = al.fit(scenario)
        again = al.curves_from_frame(forecast.to_frame())
        pd.testing.assert_frame_equal(again.to_frame(), forecast.to_frame())
        first, second = al.solve(scenario, forecast), al.solve(scenario, again)
        assert [cell.spend for cell in second.solution.cells] == [cell.spend for cell in first.solution.cells]

    def test_an_edited_table_changes_the_plan(self) -> None:
        scenario = al.load_scenario(ROOT / "tests" / "scenarios" / "points_only.yaml")
        table = al.fit(scenario).to_frame()
        table.loc[table["channel"] == "social", "value"] *= 0.1
        plan = al.solve(scenario, al.curves_from_frame(table))
        assert plan.to_frame().groupby("channel")["spend"].sum()["social"] == 0

    def test_tables_of_other_libraries_are_read(self, forecast: al.Forecast) -> None:
        class Foreign:
            def to_pandas(self) -> pd.DataFrame:
                return forecast.to_frame()

        pd.testing.assert_frame_equal(al.curves_from_frame(Foreign()).to_frame(), forecast.to_frame())

    def test_a_table_is_not_changed_by_reading_it(self, forecast: al.Forecast) -> None:
        table = forecast.to_frame()
        before = table.copy(deep=True)
        al.curves_from_frame(table)
        pd.testing.assert_frame_equal(table, before)

    def test_faulty_rows_are_named_all_at_once(self, forecast: al.Forecast) -> None:
        table = forecast.to_frame()
        table.loc[3, "spend"] = float("nan")
        table.loc[7, "value"] = float("inf")
        with pytest.raises(al.DataError) as refused:
            al.curves_from_frame(table)
        assert sorted(finding.what.rpartition(" in ")[2] for finding in refused.value.findings) == [
            "row 4",
            "row 8",
        ]

    def test_curves_of_another_scenario_are_refused(self, forecast: al.Forecast) -> None:
        other = al.load_scenario(INFEASIBLE)
        with pytest.raises(al.ScenarioError):
            al.solve(other, forecast)


def test_order_and_names_of_channels_change_nothing(
    scenario: al.Scenario, plan: al.Plan, tmp_path: Path
) -> None:
    """Reordered channels and another name give the same money and the same draws."""
    text = SAMPLE.read_text(encoding="utf-8")
    start, end = text.index("  search:\n"), text.index("  social:\n")
    tail = text.index("\n# Every limit is one shape")
    moved = text[:start] + text[end:tail] + "\n" + text[start:end] + text[tail:]
    path = tmp_path / "moved.yaml"
    path.write_text(
        moved.replace("  search:\n", "  suche:\n").replace("[search,", "[suche,"), encoding="utf-8"
    )
    other = al.load_scenario(path)
    again = al.solve(other, al.fit(other))
    spends = plan.to_frame().groupby("channel")["spend"].sum().rename({"search": "suche"})
    pd.testing.assert_series_equal(again.to_frame().groupby("channel")["spend"].sum(), spends.sort_index())
    assert again.to_dict()["return_interval"] == pytest.approx(plan.to_dict()["return_interval"], rel=1e-9)


class TestWhatPeopleHaveInHand:
    def test_a_table_of_curves_is_solved_as_it_is_read(
        self, scenario: al.Scenario, forecast: al.Forecast
    ) -> None:
        table = forecast.to_frame()
        read = al.solve(scenario, al.curves_from_frame(table)).to_dict()
        assert al.solve(scenario, table).to_dict() == read

    @pytest.mark.parametrize(
        "call",
        [
            lambda scenario: al.solve(scenario, [1, 2]),
            lambda scenario: al.curves_from_frame([1, 2]),
            lambda scenario: al.load_scenario(5),
        ],
    )
    def test_something_else_is_refused_as_what_it_is(self, call: object, scenario: al.Scenario) -> None:
        with pytest.raises(al.ArgumentError, match=r"a value of type (list|int)") as refused:
            call(scenario)
        assert isinstance(refused.value, TypeError)

    def test_every_public_name_is_listed(self) -> None:
        assert set(al.__all__) <= set(dir(al))
