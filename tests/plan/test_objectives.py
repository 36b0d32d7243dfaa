"""Budget and objective: what is read, what is refused for now."""

import pytest
from pydantic import ValidationError

from allocator.plan.objectives import Budget, Objective
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


@pytest.mark.parametrize(
    "keys",
    [{"by_period": {"2027-01": 100}}, {"reserve": "50k"}],
    ids=lambda keys: next(iter(keys)),
)
def test_later_keys_of_the_budget_are_refused_not_ignored(keys):
    code, what = refusal(Budget, total=100, **keys)
    assert code == "E110"
    assert f"budget.{next(iter(keys))}" in what


@pytest.mark.parametrize(
    "keys",
    [
        {"maximize": "npv"},
        {"maximize": "customer_equity"},
        {"minimize": "spend"},
        {"then": ["conversions"]},
        {"weights": {"profit": 1}},
    ],
    ids=str,
)
def test_later_goals_are_refused_not_ignored(keys):
    assert refusal(Objective, **keys)[0] == "E110"


def test_a_budget_below_nothing_is_out_of_range():
    assert refusal(Budget, total=-1)[0] == "E106"


def test_a_conversion_value_has_a_short_form():
    assert Objective(value_per_conversion="40").value_per_conversion.amount == 40
    long = Objective(value_per_conversion={"amount": "40", "beyond_revenue": "true"})
    assert long.value_per_conversion.beyond_revenue
