"""Whole cents that keep every limit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.plan.prices import binding_rows
from allocator.plan.refine import locate
from allocator.plan.snap import snapped
from tests.plan import made_up_problems as made

CURVE = made.slopes((1e6, 2))


def rounded(problem, spend):
    spend = np.array(spend, dtype=float)
    return snapped(problem, spend, binding_rows(problem, spend)).tolist()


def three(*rows, budget=100.0, **keys):
    decisions = [made.decision(name, CURVE) for name in "abc"]
    return made.problem(decisions, budget, *rows, **keys)


def test_a_third_each_uses_the_budget_up():
    spend = rounded(three(), [100 / 3] * 3)
    assert sorted(spend) == [33.33, 33.33, 33.34]


def test_a_limit_on_some_and_one_on_all_are_both_met():
    cells = made.cells_of([made.decision(name, CURVE) for name in "ab"])
    some = made.limit("some", cells, least=66.67)
    spend = rounded(three(some), [33.335, 33.335, 33.33])
    assert spend[0] + spend[1] == pytest.approx(66.67)
    assert sum(spend) == pytest.approx(100)


def test_half_a_cent_does_not_depend_on_binary_rounding():
    assert rounded(three(budget=1000.0), [1.005, 2.675, 1.115]) == [1.01, 2.68, 1.12]


def test_a_curve_s_end_is_not_passed():
    decisions = [made.decision("a", made.slopes((33.337, 2)))]
    assert rounded(made.problem(decisions, 100.0), [33.337]) == [33.33]


def test_a_budget_to_a_fraction_of_a_cent_that_must_be_spent_stays_as_it_is():
    exact = [33.335, 33.335, 33.335]
    assert rounded(three(budget=100.005, spend_rule="exactly"), exact) == exact
    assert sum(rounded(three(budget=100.005), exact)) == pytest.approx(100)


def test_a_floor_on_returns_still_holds_after_rounding():
    decisions = [
        made.decision("a", made.slopes((10, 3), (90, 1))),
        made.decision("b", made.slopes((100, 1.1))),
    ]
    problem = made.problem(
        decisions, 60.0, made.roi("pays", made.cells_of(decisions), 0.3711), objective=made.MARGIN
    )
    located = locate(problem)
    spend = np.array(rounded(problem, located.compiled.spend(located.answer.x)))
    assert spend.tolist() == np.round(spend, 2).tolist()
    assert (problem.slacks(problem.quantities(spend)) >= -1e-5).all()


@given(seed=st.integers(0, 10_000))
@settings(max_examples=60)
def test_rounding_moves_at_most_a_few_cents_and_breaks_nothing(seed):
    problem = made.random_problem(seed)
    located = locate(problem)
    if located.answer.status != "optimal":
        return
    exact = located.compiled.spend(located.answer.x)
    spend = snapped(problem, exact, binding_rows(problem, exact))
    assert spend == pytest.approx(exact, abs=0.03)
    assert spend == pytest.approx(np.round(spend, 2), abs=1e-9)
    got = problem.quantities(spend)
    assert (problem.slacks(got) >= -1e-7 * np.maximum(problem.scales(got), 1)).all()
