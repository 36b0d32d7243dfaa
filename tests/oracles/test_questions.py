"""The questions a planner asks, each answered by brute force beside the plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.plan.optimise import optimise
from allocator.plan.solution import Status
from tests.oracles.meanings import dearest_unit, reaching, solved_by_force, value_at
from tests.oracles.random_cases import UNIT, Case, Rich, drawn_case, problem_of, whole

ACCURACY = 2e-6
CENTS = 0.02
GOALS = ("profit", "incremental_revenue", "conversions", "retained_customers", "spend")
FREE = Rich(("spend", "contacts"), counting=True)
BENT = Rich(("spend", "contacts"), counting=True, bending=True)
engines = pytest.mark.parametrize("engine", ["cbc", "highs"])


def answered(case: Case, engine: str) -> Any:
    """Give the plan of a case after a look at its worth; None where there is none."""
    best, plan = solved_by_force(case), optimise(problem_of(case), engine)
    if best is None:
        assert plan.status is Status.INFEASIBLE
        return None
    assert plan.status is Status.OPTIMAL, plan.warnings
    near = ACCURACY * case.budget + CENTS * dearest_unit(case)
    assert plan.objective == pytest.approx(best.value, rel=ACCURACY, abs=near)
    assert value_at(case, case.goal, plan.decision_spend) == pytest.approx(plan.objective, abs=1e-6)
    return plan


def asked(case: Case, goal: dict[str, Any], *limits: dict[str, Any], **keys: Any) -> Case:
    """Ask a question of a case, with limits before its own first one."""
    return replace(case, goal=goal, limits=[*limits, *case.limits[:1]], **keys)


@engines
@settings(max_examples=50)
@given(case=drawn_case("one tier", BENT), goal=st.sampled_from(GOALS))
def test_what_to_do_with_a_fixed_budget(engine, case, goal):
    plan = answered(asked(case, {"maximize": goal}, exactly=True), engine)
    if plan:
        assert sum(plan.decision_spend) == pytest.approx(case.budget, abs=0.02)


@engines
@settings(max_examples=50)
@given(case=drawn_case("one tier", BENT), goal=st.sampled_from(GOALS))
def test_how_much_of_a_budget_to_use(engine, case, goal):
    plan = answered(asked(case, {"maximize": goal}, exactly=False), engine)
    if plan:
        assert sum(plan.decision_spend) <= case.budget + 0.02


@engines
@settings(max_examples=50)
@given(case=drawn_case("one tier", BENT), percent=whole(-10, 60))
def test_how_much_can_be_spent_at_a_target_roi(engine, case, percent):
    roi = {"measure": "roi", "min": f"{5 * percent}%"}
    plan = answered(asked(case, {"maximize": "spend"}, roi, exactly=False), engine)
    if plan and sum(plan.decision_spend) > 1:
        earned = value_at(case, {"maximize": "profit"}, plan.decision_spend) / sum(plan.decision_spend)
        assert earned >= percent / 20 - 1e-5


@engines
@settings(max_examples=50)
@given(case=drawn_case("one tier", FREE), eighths=whole(1, 30))
def test_how_much_can_be_spent_at_a_target_marginal_return(engine, case, eighths):
    pays = {"measure": "marginal_return", "min": eighths / 8}
    plan = answered(asked(case, {"maximize": "spend"}, pays, exactly=False), engine)
    if plan:
        for x, decision in zip(plan.decision_spend, problem_of(case).decisions, strict=True):
            assert x <= 0.01 or decision.curve.marginal(x - 0.01, "last") >= eighths / 8 - 1e-9


@engines
@settings(max_examples=50)
@given(
    case=drawn_case("one tier", BENT),
    amount=whole(1, 30),
    measure=st.sampled_from(["return", "conversions", "retained_customers"]),
)
def test_the_least_budget_for_a_return(engine, case, amount, measure):
    wanted = {"measure": measure, "min": amount * UNIT / (1 if measure == "return" else 8)}
    answered(asked(case, {"minimize": "spend"}, wanted, exactly=False), engine)


@engines
@settings(max_examples=50)
@given(
    case=drawn_case("one tier", BENT),
    weights=st.dictionaries(st.sampled_from(GOALS), whole(-2, 6).map(lambda x: x / 2), min_size=2),
)
def test_several_goals_weighed_against_each_other(engine, case, weights):
    answered(asked(case, {"weights": weights}), engine)


@engines
@settings(max_examples=50)
@given(
    case=drawn_case("one tier", FREE),
    goals=st.lists(st.sampled_from([*GOALS, "least_spend"]), min_size=2, max_size=3, unique=True),
    given_up=st.sampled_from([0.001, 0.05, 0.2]),
)
def test_goals_in_order(engine, case, goals, given_up):
    names = [{"minimize": "spend"} if goal == "least_spend" else {"maximize": goal} for goal in goals]
    case = replace(case, limits=case.limits[:1])
    plan = optimise(
        problem_of(replace(case, goal={**names[0], "then": goals[1:], "tolerance": given_up})), engine
    )
    if solved_by_force(replace(case, goal=names[0])) is None:
        assert plan.status is Status.INFEASIBLE
        return
    assert plan.status is Status.OPTIMAL, plan.warnings
    room = CENTS * max(dearest_unit(replace(case, goal=name)) for name in names) * 3
    hardest, easiest = [], []
    for name in names:
        one = replace(case, goal=name)
        reached = value_at(case, name, plan.decision_spend)
        most = solved_by_force(one, *easiest)
        least = solved_by_force(one, *hardest)
        assert most is not None
        left = given_up * abs(most.value) if name is not names[-1] else 0.0
        assert reached <= most.value + ACCURACY * case.budget + room
        if least is not None:
            floor = least.value - (given_up * abs(least.value) if name is not names[-1] else 0.0)
            assert reached >= floor - ACCURACY * case.budget - room
        easiest.append(reaching(case, name, most.value - left - room))
        hardest.append(reaching(case, name, most.value - left + room))
