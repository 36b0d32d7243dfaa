"""The plan against the best corner of every combination of pieces, on random small problems."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.plan.constraints import MEASURES
from allocator.plan.optimise import optimise
from allocator.plan.solution import Status
from tests.oracles.meanings import dearest_unit, solved_by_force
from tests.oracles.random_cases import EVERYTHING, Case, Rich, drawn_case, problem_of

ACCURACY = 2e-6
CENTS = 0.02
"""Money that rounding a plan to whole cents can move."""


def check(case: Case) -> None:
    best = solved_by_force(case)
    plans = {engine: optimise(problem_of(case), engine) for engine in ("cbc", "highs")}
    for plan in plans.values():
        if best is None:
            assert plan.status is Status.INFEASIBLE
            assert plan.conflict.rows
        else:
            assert plan.status is Status.OPTIMAL, plan.warnings
            near = ACCURACY * case.budget + CENTS * dearest_unit(case)
            assert plan.objective == pytest.approx(best.value, rel=ACCURACY, abs=near)
    assert plans["cbc"].decision_spend == pytest.approx(plans["highs"].decision_spend, abs=0.01)


@settings(max_examples=80)
@given(drawn_case("one tier"))
def test_one_tier(case):
    check(case)


@settings(max_examples=60)
@given(drawn_case("tied"))
def test_tied_tiers(case):
    check(case)


@settings(max_examples=60)
@given(drawn_case("untied"))
def test_untied_tiers(case):
    check(case)


@settings(max_examples=40)
@given(drawn_case("mixed"))
def test_a_tied_channel_beside_an_untied_one(case):
    check(case)


@settings(max_examples=60)
@given(drawn_case("one per customer"))
def test_one_contact_per_customer(case):
    check(case)


@pytest.mark.parametrize("measure", sorted(MEASURES))
@settings(max_examples=50)
@given(data=st.data())
def test_every_measure(measure, data):
    check(data.draw(drawn_case("two channels", Rich((measure,), counting=True))))


OUTCOMES = ("roas", "cpa", "payback_months", "marginal_return", "return", "conversions",
            "retained_customers", "customers_reached")  # fmt: skip
SWITCHES = ("active_channels", "spend_if_active")


@settings(max_examples=60)
@given(drawn_case("mixed", Rich(OUTCOMES, counting=True)))
def test_limits_on_what_spend_brings_by_tier(case):
    check(case)


@settings(max_examples=60)
@given(drawn_case("one tier", Rich((*SWITCHES, "spend", "roi"))))
def test_switches(case):
    check(case)


@settings(max_examples=60)
@given(drawn_case("untied", Rich(SWITCHES)))
def test_switches_by_tier(case):
    check(case)


@pytest.mark.parametrize("measure", sorted(set(MEASURES) - {"marginal_return"}))
@settings(max_examples=50)
@given(data=st.data())
def test_limits_that_may_be_missed_at_a_price(measure, data):
    check(data.draw(drawn_case("two channels", Rich((measure,), counting=True, soft=True))))


@settings(max_examples=80)
@given(drawn_case("one tier", Rich(bending=True)))
def test_curves_that_bend_upwards(case):
    check(case)


@settings(max_examples=80)
@given(drawn_case("two channels", Rich(OUTCOMES, bending=True, counting=True)))
def test_outcomes_that_bend_upwards(case):
    check(case)


@settings(max_examples=60)
@given(drawn_case("one tier", Rich(channels=True)))
def test_lots_promises_and_contacts_per_customer(case):
    check(case)


@settings(max_examples=50)
@given(drawn_case("one per customer", Rich(channels=True)))
def test_lots_promises_and_contacts_per_customer_of_a_test(case):
    check(case)


@settings(max_examples=100)
@given(drawn_case("two channels", EVERYTHING))
def test_everything_together(case):
    check(case)


@settings(max_examples=60)
@given(drawn_case("mixed", EVERYTHING))
def test_everything_together_by_tier(case):
    check(case)
