"""The textbook case, planned by the real optimiser and by equal marginal returns."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator.tables.sample.textbook import (
    BUDGET,
    CHANNELS,
    TIERS,
    Outcome,
    best_split,
    equal_split,
    outcome,
    textbook_scenario,
)


@pytest.fixture(scope="module")
def plan(project_root: Path) -> al.Plan:
    scenario = al.load_scenario(project_root / "tests" / "scenarios" / "textbook.yaml")
    return al.solve(scenario, al.fit(scenario))


def spends(plan: al.Plan, column: str = "spend") -> np.ndarray:
    table = pd.DataFrame(plan.to_frame()).pivot_table(index="tier", columns="channel", values=column)
    return table.loc[list(TIERS), list(CHANNELS)].to_numpy()


@pytest.fixture(scope="module")
def planned(plan: al.Plan) -> Outcome:
    """What the plan's spend brings by the case's own curves."""
    return outcome(spends(plan))


def test_today_is_an_equal_split(plan: al.Plan) -> None:
    assert spends(plan, "current") == pytest.approx(np.full((3, 3), BUDGET / 9))


def test_a_fifth_less_is_spent_on_the_low_tier(planned: Outcome) -> None:
    assert planned.cost("low") / equal_split().cost("low") - 1 == pytest.approx(-0.20, abs=0.02)


def test_the_same_budget_returns_eight_percent_more(plan: al.Plan, planned: Outcome) -> None:
    today = plan.solution.today
    assert today is not None
    assert planned.spend.sum() == pytest.approx(today.spend, abs=1)
    assert plan.to_dict()["return"] / today.margin - 1 == pytest.approx(0.08, abs=0.015)
    assert planned.total_return / equal_split().total_return - 1 == pytest.approx(0.08, abs=0.015)


def test_more_of_the_high_tier_convert_and_hardly_fewer_of_the_others(planned: Outcome) -> None:
    before = equal_split()
    change = {tier: planned.conversion(tier) / before.conversion(tier) - 1 for tier in TIERS}
    assert change["high"] > 0.10
    assert min(change["medium"], change["low"]) > -0.02


def test_the_plan_is_the_one_of_equal_marginal_returns(planned: Outcome) -> None:
    assert planned.total_return == pytest.approx(best_split().total_return, rel=1e-6)
    assert planned.spend == pytest.approx(best_split().spend, abs=0.002 * BUDGET)


def test_the_case_as_a_table_of_keys_is_the_file(tmp_path: Path, planned: Outcome) -> None:
    (tmp_path / "case.yaml").write_text(json.dumps(textbook_scenario(), indent=1), encoding="utf-8")
    scenario = al.load_scenario(tmp_path / "case.yaml")
    again = al.solve(scenario, al.fit(scenario))
    assert spends(again) == pytest.approx(planned.spend, abs=0.01)
