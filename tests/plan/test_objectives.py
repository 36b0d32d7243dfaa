"""Budget and objective: what is read, what is refused."""

from typing import get_args

import pytest
from pydantic import ValidationError

from allocator.plan.objectives import Budget, Maximize, Objective
from allocator.plan.rows import Weights


def refusal(options, **keys):
    with pytest.raises(ValidationError) as caught:
        options(**keys)
    (error,) = caught.value.errors()
    return error["type"], error["msg"]


def test_profit_is_the_default_and_counts_spend():
    assert Objective().weights() == Weights(spend=-1, margin=1)


def test_gross_objectives_do_not_count_spend():
    assert Objective(maximize="incremental_margin").weights() == Weights(margin=1)
    assert Objective(maximize="incremental_revenue").weights() == Weights(revenue=1)


def test_a_budget_is_read_as_written():
    budget = Budget(total="1.2M")
    assert (budget.total, budget.spend, budget.reason) == (1_200_000, "up_to", "Budget for the horizon")


def test_every_goal_counts_something():
    for name in get_args(Maximize):
        goal = Objective(maximize=name, discount_rate="8%")
        assert any(goal.weights()) != any(goal.discounted())
        assert goal.name == name


def test_npv_counts_profit_discounted():
    goal = Objective(maximize="npv", discount_rate="8%")
    assert (goal.weights(), goal.discounted()) == (Weights(), Weights(spend=-1, margin=1))
    assert refusal(Objective, maximize="npv")[0] == "E101"
    assert refusal(Objective, weights={"npv": 1, "profit": 1})[0] == "E101"


def test_the_least_spend_is_a_goal_of_its_own():
    goal = Objective(minimize="spend")
    assert (goal.weights(), goal.name) == (Weights(spend=-1), "least_spend")
    assert not any(goal.discounted())
    assert refusal(Objective, minimize="spend", maximize="profit")[0] == "E113"


def test_weights_add_goals_up():
    goal = Objective(weights={"profit": 2, "conversions": 30, "npv": 0.5}, discount_rate="5%")
    assert goal.weights() == Weights(spend=-2, margin=2, conversions=30)
    assert goal.discounted() == Weights(spend=-0.5, margin=0.5)
    assert goal.name == "profit + conversions + npv"
    assert refusal(Objective, weights={"profit": 1}, maximize="profit")[0] == "E113"


def test_further_goals_come_in_order_each_alone():
    goal = Objective(weights={"profit": 1}, then=["conversions", "least_spend"], tolerance="2%")
    further = goal.further()
    assert list(further) == ["conversions", "least_spend"]
    assert [one.weights() for one in further.values()] == [Weights(conversions=1), Weights(spend=-1)]
    assert {one.given_up for one in (goal, *further.values())} == {0.02}
    assert all(not one.further() for one in further.values())


@pytest.mark.parametrize("keys", [{"then": ["proft"]}, {"weights": {"proft": 1}}], ids=str)
def test_a_goal_that_is_not_there_is_refused_with_the_nearest(keys):
    with pytest.raises(ValidationError) as caught:
        Objective(**keys)
    (error,) = caught.value.errors()
    assert (error["type"], error["ctx"]["fix"]) == ("E103", "did you mean 'profit'?")


def test_money_by_period_and_money_held_back():
    budget = Budget(total="100k", by_period={"2027-01": "30k"}, roll_over=True, reserve="10k")
    assert (budget.by_period, budget.roll_over, budget.reserve) == ({"2027-01": 30_000}, True, 10_000)
    assert refusal(Budget, total=100, roll_over=True)[0] == "E113"
    assert refusal(Budget, total=100, reserve=101)[0] == "E106"


def test_a_budget_below_nothing_is_out_of_range():
    assert refusal(Budget, total=-1)[0] == "E106"


def test_a_conversion_value_has_a_short_form():
    assert Objective(value_per_conversion="40").value_per_conversion.amount == 40
    long = Objective(value_per_conversion={"amount": "40", "beyond_revenue": "true"})
    assert long.value_per_conversion.beyond_revenue
