"""What the next and the last unit of a limit are worth, against plans made with the limit moved."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.plan.optimise import optimise
from allocator.plan.refine import locate
from allocator.plan.rows import Bound, Row, Weights
from tests.plan import made_up_problems as made

EMAIL = made.decision("email", made.slopes((100, 3), (200, 1.5)))
SEARCH = made.decision("search", made.slopes((400, 2), (100, 0.5)))


def plan(problem):
    return optimise(problem, "highs")


def row(solution, name, bound=Bound.MAX):
    return next(r for r in solution.rows if r.row.name == name and r.row.bound is bound)


def best_value(problem):
    """The optimum without rounding, or None."""
    located = locate(problem)
    if located.answer.status != "optimal":
        return None
    return -located.answer.objective * located.compiled.objective_unit


@given(seed=st.integers(0, 10_000))
@settings(max_examples=60)
def test_every_price_is_what_a_moved_limit_gives(seed):
    problem = made.random_problem(seed)
    solution, value = plan(problem), best_value(problem)
    for i, result in enumerate(solution.rows):
        if not result.binding or (problem.spend_rule == "exactly" and result.row.kind == "budget"):
            continue
        unit = max(1e-5 * problem.budget, 1e-3) * -result.row.bound.sign
        for direction, price in ((1, result.next_unit), (-1, result.last_unit)):
            after = best_value(_moved(problem, i, direction * unit))
            if price is None:
                assert after is None
            elif after is not None:
                assert (after - value) * direction / abs(unit) == pytest.approx(price, abs=5e-3, rel=5e-3)


def _moved(problem, i, by):
    if problem.rows[i].kind == "budget":
        return replace(problem, budget=problem.budget + by)
    rows = list(problem.rows)
    rows[i] = replace(rows[i], rhs=rows[i].rhs + by)
    return replace(problem, rows=tuple(rows))


def test_at_a_kink_the_next_and_the_last_unit_differ():
    budget = row(plan(made.problem([EMAIL, SEARCH], 500.0)), "budget.total")
    assert (budget.next_unit, budget.last_unit) == pytest.approx((0.5, 1.0))


def test_two_limits_that_say_the_same_are_worth_nothing_to_loosen_alone():
    twice = made.limit("cap", SEARCH.cells, most=150.0), made.limit("same", SEARCH.cells, most=150.0)
    solution = plan(made.problem([EMAIL, SEARCH], 1000.0, *twice))
    for name in ("cap", "same"):
        assert (row(solution, name).next_unit, row(solution, name).last_unit) == pytest.approx((0, 1))


def test_the_budget_takes_limits_that_are_shares_of_it_along():
    share = made.limit("search_share", SEARCH.cells, least=0.9, share_of_budget=True)
    solution = plan(made.problem([EMAIL, SEARCH], 200.0, share))
    assert row(solution, "budget.total").next_unit == pytest.approx(0.1 * 2 + 0.9 * 1)
    assert row(solution, "search_share", Bound.MIN).next_unit == pytest.approx(2 - 1)


def test_a_minimum_that_cannot_be_tightened_has_no_last_unit():
    tight = made.limit("all_of_it", SEARCH.cells, least=200.0)
    solution = plan(made.problem([EMAIL, SEARCH], 200.0, tight))
    assert row(solution, "all_of_it", Bound.MIN).next_unit == pytest.approx(1)
    assert row(solution, "all_of_it", Bound.MIN).last_unit is None


def test_a_contact_limit_is_priced_per_contact():
    contacts = Row("contacts", "contacts", Bound.MAX, {EMAIL.cells[0]: Weights(spend=1 / 0.12)}, 500.0)
    solution = plan(made.problem([EMAIL, SEARCH], 1000.0, contacts))
    assert row(solution, "contacts").next_unit == pytest.approx(0.12 * 2)


def test_a_return_floor_is_priced_per_unit_of_margin():
    floor = made.roi("pays", SEARCH.cells, 1.4)
    losing = made.decision("search", made.slopes((100, 3), (400, 2)))
    solution = plan(made.problem([losing], 1000.0, floor))
    pays = row(solution, "pays", Bound.MIN)
    assert pays.value == pytest.approx(1.4)
    assert pays.limit == 1.4
    assert solution.decision_spend == (250.0,)
    assert pays.next_unit == pytest.approx((2 - 1) / (2.4 - 2))


def test_a_limit_with_room_has_no_price():
    roomy = made.limit("cap", SEARCH.cells, most=450.0)
    result = row(plan(made.problem([EMAIL, SEARCH], 300.0, roomy)), "cap")
    assert (result.binding, result.next_unit, result.last_unit, result.range) == (False, None, None, None)
    assert result.slack == pytest.approx(250)


def test_the_end_of_a_curve_is_priced_as_if_its_last_slope_went_on():
    solution = plan(made.problem([EMAIL, SEARCH], 1000.0, objective=made.PROFIT))
    end = row(solution, "curve_end[email]")
    assert (end.next_unit, end.last_unit) == pytest.approx((0.5, 0.5))


@pytest.mark.parametrize(("budget", "side", "price"), [(350.0, Bound.MAX, 1.0), (750.0, Bound.MIN, 0.5)])
def test_a_budget_to_be_spent_exactly_is_priced_on_the_side_that_costs(budget, side, price):
    solution = plan(made.problem([EMAIL, SEARCH], budget, spend_rule="exactly"))
    bound = {r.row.bound: r for r in solution.rows if r.row.kind == "budget"}
    other = Bound.MIN if side is Bound.MAX else Bound.MAX
    assert bound[side].binding
    assert bound[side].next_unit == pytest.approx(price)
    assert not bound[other].binding


def test_prices_hold_within_their_range_and_not_beyond():
    problem = made.problem([EMAIL, SEARCH], 1000.0, made.limit("cap", SEARCH.cells, most=150.0))
    cap = row(plan(problem), "cap")
    low, high = cap.range
    assert (low, high) == pytest.approx((0, 400))
    value = best_value(problem)
    inside, beyond = (best_value(made.moved(problem, "cap", high - 150 + by)) for by in (0, 10))
    assert inside - value == pytest.approx(cap.next_unit * (high - 150))
    assert beyond - inside < cap.next_unit * 10 - 1


def test_smooth_curves_have_equal_prices_on_both_sides():
    solution = plan(made.fifteen_cells())
    for result in solution.rows:
        if result.binding:
            assert result.next_unit == pytest.approx(result.last_unit, rel=1e-3)
            assert result.range is None


@pytest.mark.parametrize(("budget", "marginal"), [(350.0, 2.0), (500.0, 1.5), (1000.0, 0.5), (2000.0, 0.5)])
def test_one_more_unit_forced_out(budget, marginal):
    solution = plan(made.problem([EMAIL, SEARCH], budget))
    assert solution.marginal_return == pytest.approx(marginal)


def test_nothing_takes_one_more_unit():
    solution = plan(made.problem([EMAIL], 1000.0, objective=made.MARGIN))
    assert solution.marginal_return is None


def test_one_more_unit_counts_margin_whatever_is_maximised():
    gross = plan(made.problem([EMAIL, SEARCH], 350.0, objective=made.MARGIN))
    assert gross.marginal_return == pytest.approx(2.0)


def test_stationarity_at_fifteen_smooth_cells():
    problem = made.fifteen_cells()
    solution = plan(problem)
    prices = np.array([r.next_unit or 0.0 for r in solution.rows]) * [
        -r.row.bound.sign for r in solution.rows
    ]
    for decision, spend in zip(problem.decisions, solution.decision_spend, strict=True):
        marginal = decision.curve.marginal(spend)
        worth = -1 + marginal
        for price, limit in zip(prices, problem.rows, strict=True):
            weights = limit.terms.get(decision.cells[0], Weights())
            share = 0.0 if limit.kind == "budget" else limit.rhs_per_budget  # the budget's price holds it
            worth -= price * (weights.spend - share + weights.margin * marginal)
        assert spend > 0
        assert worth == pytest.approx(0, abs=1e-4)
