"""Studies in Python: the numbers of separate solves, one result in every form, plain words for what fails."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator.api.studies import (
    compare,
    evaluate,
    frontier,
    grid,
    solve_for,
    stress,
    sweep,
    tornado,
)
from allocator.errors import ArgumentError, DataError, NoPlanError, ScenarioError

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "tests" / "scenarios" / "media_plan.yaml"
INFEASIBLE = ROOT / "tests" / "scenarios" / "infeasible.yaml"
CENTS = 0.5
"""Money that rounding a plan of 15 cells to cents can cost."""


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
def every(scenario: al.Scenario, forecast: al.Forecast, plan: al.Plan) -> dict[str, object]:
    return {
        "frontier": frontier(scenario, forecast, grid(300e3, 1.4e6, 6)),
        "sweep": sweep(scenario, forecast, {"budget.total": ["base", "1k", "no money"]}),
        "solve_for": solve_for(scenario, forecast, target={"return": 1.5e6}),
        "tornado": tornado(scenario, forecast),
        "evaluation": evaluate(scenario, forecast, {"search": 500e3, "email": 100e3}),
        "stress": stress(plan),
        "comparison": compare([plan, scenario.override({"budget.total": "1k"}, name="Poor")], forecast),
    }


KINDS = ("frontier", "sweep", "solve_for", "tornado", "evaluation", "stress", "comparison")


@pytest.mark.parametrize("kind", KINDS)
def test_every_study_has_the_same_forms(every: dict[str, object], kind: str) -> None:
    study = every[kind]
    data = study.to_dict()
    assert data["schema"] == f"allocator.{kind}/1"
    assert json.loads(study.to_json()) == json.loads(json.dumps(data, allow_nan=False))
    assert len(study.to_frame()) > 0
    text = str(study)
    assert text == study.to_text().rstrip("\n")
    assert "nan" not in text
    assert "None" not in text
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("kind", KINDS)
def test_studies_do_not_change(every: dict[str, object], kind: str) -> None:
    with pytest.raises(AttributeError):
        every[kind].result = None


class TestFrontier:
    def test_points_are_plans_of_their_own(self, every, scenario, forecast) -> None:
        for row in every["frontier"].to_frame().to_dict("records"):
            alone = al.solve(scenario.override({"budget.total": row["budget"]}), forecast, solver="highs")
            assert row["feasible"] == alone.has_plan
            if alone.has_plan:
                assert row["objective"] == pytest.approx(alone.solution.objective, abs=CENTS)
                assert row["spend"] == pytest.approx(alone.to_dict()["spend"], rel=1e-3)

    def test_budgets_can_be_spelled_as_in_a_scenario(self, scenario, forecast) -> None:
        found = frontier(scenario, forecast, ["base - 20%", "1.1M"])
        assert found.to_frame()["budget"].tolist() == [800e3, 1.1e6]

    def test_by_default_the_own_budget_is_in_the_middle(self, scenario, forecast) -> None:
        budgets = frontier(scenario, forecast).to_frame()["budget"]
        assert budgets.iloc[len(budgets) // 2] == scenario.budget.total

    def test_limits_are_named_at_their_kinks(self, every) -> None:
        kinks = every["frontier"].to_dict()["kinks"]
        assert any("budget.total" in kink["stops"] for kink in kinks)
        assert "budget.total" in str(every["frontier"])


class TestSweep:
    def test_plans_are_those_of_solve(self, every, plan) -> None:
        first = every["sweep"].plans[0]
        assert first.to_frame()["spend"].tolist() == pytest.approx(plan.to_frame()["spend"].tolist())
        assert every["sweep"].to_frame()["return"].iloc[0] == pytest.approx(plan.to_dict()["return"])

    def test_failed_points_say_why(self, every) -> None:
        frame = every["sweep"].to_frame()
        assert frame["status"].tolist() == ["optimal", "infeasible", "refused"]
        assert frame["reason"].iloc[0] == ""
        assert "contradict" in frame["reason"].iloc[1]
        assert "no money" in frame["reason"].iloc[2]

    def test_a_grid_of_two_paths(self, scenario, forecast) -> None:
        over = {"budget.total": [900e3, 1e6], "constraints.low_tier_floor.min": ["5%", "20%"]}
        frame = sweep(scenario, forecast, over).to_frame()
        assert frame["budget.total"].tolist() == [900e3, 900e3, 1e6, 1e6]
        by_floor = frame.pivot_table(
            index="budget.total", columns="constraints.low_tier_floor.min", values="objective"
        )
        assert (by_floor["5%"] >= by_floor["20%"]).all()

    def test_what_would_need_another_fit_is_refused(self, scenario, forecast) -> None:
        with pytest.raises(ScenarioError, match="E110"):
            sweep(scenario, forecast, {"models.as_of": ["2026-01-01"]})


class TestSolveFor:
    def test_the_plan_at_the_value_reaches_the_target(self, every, scenario, forecast) -> None:
        found = every["solve_for"]
        again = al.solve(scenario.override({"budget.total": found.value}), forecast, solver="highs")
        assert again.to_dict()["return"] == pytest.approx(1.5e6, abs=1.0)
        assert found.plan.to_dict()["return"] == pytest.approx(again.to_dict()["return"])
        less = al.solve(scenario.override({"budget.total": found.value - 10}), forecast, solver="highs")
        assert less.to_dict()["return"] < 1.5e6

    def test_a_share_is_varied_in_percent(self, scenario, forecast, plan) -> None:
        least = plan.to_dict()["profit"] - 5e3
        found = solve_for(scenario, forecast, target={"profit": least}, vary="constraints.low_tier_floor.min")
        assert found.reached
        assert 0.16 < found.value < 1
        assert "%" in str(found).split("low_tier_floor.min")[1]
        assert found.plan.to_dict()["profit"] == pytest.approx(least, abs=50)

    def test_a_change_against_today_is_varied(self, scenario, forecast, plan) -> None:
        goal = plan.to_dict()["profit"] + 200
        found = solve_for(scenario, forecast, target={"profit": goal}, vary="constraints.no_shock.max")
        assert found.reached
        assert found.value > 0.4
        assert found.plan.scenario.constraints["no_shock"].max.value == pytest.approx(found.value)

    def test_a_count_stays_whole(self, scenario, forecast, plan) -> None:
        goal = plan.to_dict()["profit"] + 1e3
        found = solve_for(scenario, forecast, target={"profit": goal}, vary="constraints.print_capacity.max")
        assert found.reached
        assert found.value == int(found.value) > 75_000

    def test_what_cannot_be_reached_is_said_with_the_best(self, scenario, forecast) -> None:
        found = solve_for(scenario, forecast, target={"return": 1e9}, between=(500e3, 2e6))
        assert not found.reached
        assert found.value is None
        assert "the best found is" in str(found)
        assert found.plan.has_plan

    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            ({"target": {"return": 1.0, "spend": 2.0}}, "one output"),
            ({"target": {"retrun": 1.0}}, "did you mean 'return'"),
            ({"target": {"return": 1.0}, "vary": "channels.email.max"}, "start="),
        ],
    )
    def test_questions_that_are_none_are_refused(self, scenario, forecast, keys, said) -> None:
        with pytest.raises(ArgumentError, match=said):
            solve_for(scenario, forecast, **keys)


class TestTornado:
    def test_sides_are_plans_of_their_own(self, every, scenario, forecast, plan) -> None:
        frame = every["tornado"].to_frame().set_index("input")
        for side, change in (("low", "base - 10%"), ("high", "base + 10%")):
            alone = al.solve(scenario.override({"budget.total": change}), forecast, solver="highs")
            gain = alone.solution.objective - plan.solution.objective
            assert frame.loc["budget.total", side] == pytest.approx(gain, abs=CENTS)
        tighter = al.solve(scenario.override({"constraints.print_capacity.max": 67_500}), forecast)
        loss = tighter.solution.objective - plan.solution.objective
        assert frame.loc["constraints.print_capacity.max", "low"] == pytest.approx(loss, abs=CENTS)

    def test_a_cost_is_that_of_a_scenario_with_another_cost(self, scenario, forecast) -> None:
        # contacts of direct mail are limited: at 10 % more cost the same contacts take 10 % more money
        bars = tornado(scenario, forecast).result.bars
        bar = next(one for one in bars if one.name == "cost of direct_mail")
        assert bar.high.objective < bar.low.objective
        assert bar.high.breaks == ()

    def test_without_a_plan_the_conflict_is_named(self) -> None:
        scenario = al.load_scenario(INFEASIBLE)
        with pytest.raises(NoPlanError, match="contradict"):
            tornado(scenario, al.fit(scenario))


class TestEvaluate:
    def test_the_optimum_is_on_a_level_with_itself(self, scenario, forecast, plan) -> None:
        found = evaluate(scenario, forecast, plan.to_frame())
        assert found.keeps_limits
        assert found.gap == pytest.approx(0, abs=CENTS)
        mine, its = found.to_frame(), plan.to_frame()
        assert mine["spend"].tolist() == pytest.approx(its["spend"].tolist(), abs=0.01)
        assert mine["return"].tolist() == pytest.approx(its["return"].tolist(), abs=0.01)
        assert found.to_dict()["return_interval"] == pytest.approx(plan.to_dict()["return_interval"])

    def test_money_may_be_spelled_and_names_are_checked(self, scenario, forecast) -> None:
        table = pd.DataFrame({"channel": ["search", "tv"], "spend": ["350k", "150,000"]})
        assert evaluate(scenario, forecast, table).to_dict()["spend"] == 500e3
        with pytest.raises(DataError, match="did you mean 'search'"):
            evaluate(scenario, forecast, {"serach": 1.0})
        with pytest.raises(DataError, match="line 2"):
            evaluate(scenario, forecast, table.assign(spend=["1k", "much"]))
        with pytest.raises(DataError, match="did you mean 'spent'"):
            evaluate(scenario, forecast, table.rename(columns={"spend": "spent"}))

    def test_broken_limits_are_listed(self, every) -> None:
        broken = every["evaluation"].violations().set_index("name")
        assert broken.loc["no_shock[search]", "value"] == pytest.approx(500 / 320 - 1)
        assert broken.loc["no_shock[search]", "missing"] == pytest.approx(500e3 - 1.4 * 320e3)
        assert "no_shock[search]" in str(every["evaluation"])

    def test_the_table_is_only_read(self, scenario, forecast, plan) -> None:
        table = plan.to_frame()
        before = table.copy(deep=True)
        evaluate(scenario, forecast, table)
        pd.testing.assert_frame_equal(table, before)


class TestStress:
    def test_draws_are_those_of_the_plan(self, every, plan) -> None:
        found = every["stress"]
        profit = plan.solution.draws - plan.to_dict()["spend"]
        assert np.sort(profit) == pytest.approx(found.to_frame()["objective"].to_numpy())
        assert found.to_dict()["loss_probability"] == pytest.approx(np.mean(profit < 0))

    def test_only_what_is_uncertain_can_be_to_blame(self, every) -> None:
        causes = every["stress"].causes().set_index("channel")["shortfall"]
        assert causes["search"] < 0
        assert causes.drop("search").to_numpy() == pytest.approx(0, abs=1e-6)

    def test_a_plan_that_is_none_is_refused(self) -> None:
        scenario = al.load_scenario(INFEASIBLE)
        with pytest.raises(NoPlanError):
            stress(al.solve(scenario, al.fit(scenario)))


class TestCompare:
    def test_inputs_and_outputs_side_by_side(self, every, plan) -> None:
        found = every["comparison"]
        assert found.inputs()["path"].tolist() == ["budget.total"]
        frame = found.to_frame().set_index("name")
        name = plan.scenario.name
        assert frame.loc["return", name] == pytest.approx(plan.to_dict()["return"])
        assert pd.isna(frame.loc["return", "Poor"])
        assert "Poor: no plan satisfies every limit" in str(found)

    def test_one_forecast_for_scenarios_that_need_their_own_is_refused(self, scenario, forecast) -> None:
        other = scenario.override({"channels.tv.response.curve.scale": "300k"})
        with pytest.raises(ScenarioError, match=r"channels\.tv\.response"):
            compare([scenario, other], forecast)
        both = compare([scenario, other], [forecast, al.fit(other)])
        returns = both.to_frame().set_index("name").loc["return"].tolist()[1:]
        assert returns[1] > returns[0]

    def test_scenarios_without_a_forecast_are_refused(self, scenario) -> None:
        with pytest.raises(ArgumentError, match="needs a forecast"):
            compare([scenario, scenario])
        with pytest.raises(ArgumentError, match="as many forecasts"):
            compare([scenario, scenario], [])


def test_a_grid_includes_both_ends() -> None:
    assert grid(1.0, 2.0, 3) == (1.0, 1.5, 2.0)
    with pytest.raises(ArgumentError):
        grid(1.0, 2.0, 1)
