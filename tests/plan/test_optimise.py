"""The plan as a whole: known optima, proof, everything recomputed from spend, and refusals."""

import resource
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.plan import optimise as module
from allocator.plan.optimise import optimise
from allocator.plan.problem import Decision
from allocator.plan.rows import Bound, Weights
from allocator.plan.solution import Status
from allocator.response.curve import ResponseCurve
from allocator.response.curves import Cell
from allocator.response.families import Linear, Power
from tests.plan import made_up_problems as made

EMAIL = made.decision("email", made.slopes((100, 3), (200, 1.5)), current=60.0)
SEARCH = made.decision("search", made.slopes((400, 2), (100, 0.5)), current=300.0)


def of(solution, *names):
    return [next(c for c in solution.cells if c.cell.channel == name) for name in names]


def codes(solution):
    return [warning.code for warning in solution.warnings]


def test_the_steepest_pieces_get_the_money():
    plan = optimise(made.problem([EMAIL, SEARCH], 450.0))
    assert plan.status is Status.OPTIMAL
    assert plan.solver == "cbc"
    assert plan.decision_spend == (100.0, 350.0)
    assert plan.objective == 550.0
    assert plan.optimality.gap == 0
    email, search = of(plan, "email", "search")
    assert (email.spend, email.margin, email.marginal_return, email.current) == (100.0, 300.0, 1.5, 60.0)
    assert (search.spend, search.margin, search.marginal_return, search.tied) == (350.0, 700.0, 2.0, False)


def test_money_that_does_not_pay_stays_where_it_is():
    plan = optimise(made.problem([EMAIL, SEARCH], 10_000.0))
    assert plan.decision_spend == (300.0, 400.0)
    assert not plan.rows[0].binding
    assert plan.marginal_return == pytest.approx(0.5)


def test_logs_share_the_budget_by_their_scale():
    # sum of a_j ln(1 + s_j / p_j): s_j + p_j is proportional to a_j
    scale, pace = np.array([3e5, 2e5, 1e5]), np.array([5e4, 2e4, 1e4])
    decisions = [made.decision(f"c{j}", made.log(scale[j], pace[j])) for j in range(3)]
    plan = optimise(made.problem(decisions, 4e5), "highs")
    exact = scale / scale.sum() * (4e5 + pace.sum()) - pace
    assert plan.decision_spend == pytest.approx(exact, abs=0.01)
    assert plan.rows[0].next_unit == pytest.approx(scale.sum() / (4e5 + pace.sum()) - 1, abs=2e-5)


def test_square_roots_share_the_budget_by_the_square_of_their_scale():
    curves = [Power(scale=s, exponent=0.5).curve(2e4) for s in (300.0, 200.0, 100.0)]
    decisions = [made.decision(f"c{j}", curve) for j, curve in enumerate(curves)]
    plan = optimise(made.problem(decisions, 7000.0), "highs")
    assert plan.decision_spend == pytest.approx([4500, 2000, 500], abs=0.01)


def test_a_profit_plan_stops_where_the_next_unit_breaks_even():
    plan = optimise(made.problem([made.decision("email", made.log(3e5, 5e4))], 1e6), "highs")
    assert plan.decision_spend == pytest.approx([2.5e5], abs=0.01)
    assert plan.marginal_return == pytest.approx(1, abs=1e-4)


def test_a_floor_on_returns_holds_exactly_on_a_smooth_curve():
    decisions = [made.decision("email", made.log(3e5, 5e4)), made.decision("search", made.hill(9e5, 3e5))]
    floor = made.roi("pays", made.cells_of(decisions), 0.9)
    plan = optimise(made.problem(decisions, 1e6, floor, objective=made.MARGIN), "highs")
    spend, margin = sum(c.spend for c in plan.cells), sum(c.margin for c in plan.cells)
    assert margin / spend == pytest.approx(1.9, abs=1e-7)
    email, search = of(plan, "email", "search")
    assert email.marginal_return == pytest.approx(search.marginal_return, abs=1e-5)


def test_a_floor_only_coarse_breakpoints_would_break_is_kept():
    curve = made.hill(9e5, 3e5)
    at = 123_456.0
    exact = float(curve.at(at)) / at - 1
    decisions = [made.decision("email", curve)]
    rows = made.limit("enough", decisions[0].cells, least=at), made.roi("pays", decisions[0].cells, exact)
    plan = optimise(made.problem(decisions, 1e6, *rows), "cbc")
    assert plan.status is Status.OPTIMAL
    assert plan.decision_spend == pytest.approx([at], abs=0.01)


def test_fifteen_smooth_cells_are_proven_within_the_curve_error():
    plan = optimise(made.fifteen_cells())
    assert plan.optimality.gap <= 1e-9
    assert plan.optimality.curve_error <= 1e-9 * plan.objective
    assert plan.optimality.max_violation <= 1e-9
    assert sum(plan.decision_spend) == pytest.approx(1_200_000, abs=1e-6)
    assert all(round(100 * s, 6) == round(100 * s) for s in plan.decision_spend)


def test_cbc_and_highs_give_the_same_plan_and_prices():
    first, second = (optimise(made.fifteen_cells(), engine) for engine in ("cbc", "highs"))
    assert (first.solver, second.solver) == ("cbc", "highs")
    assert first.decision_spend == second.decision_spend
    assert [r.next_unit for r in first.rows] == [r.next_unit for r in second.rows]


def test_the_same_input_gives_the_same_bits():
    first, second = (optimise(made.fifteen_cells()) for _ in range(2))
    for field in ("objective", "decision_spend", "cells", "optimality", "marginal_return"):
        assert getattr(first, field) == getattr(second, field)
    assert [(r.value, r.next_unit, r.last_unit) for r in first.rows] == [
        (r.value, r.next_unit, r.last_unit) for r in second.rows
    ]


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40)
def test_every_plan_keeps_every_limit_and_both_solvers_agree(seed):
    problem = made.random_problem(seed)
    first, second = optimise(problem, "cbc"), optimise(problem, "highs")
    assert first.status is second.status
    assert first.status in (Status.OPTIMAL, Status.INFEASIBLE)
    if first.status is Status.INFEASIBLE:
        assert first.conflict.rows
        return
    assert first.decision_spend == pytest.approx(second.decision_spend, abs=0.01)
    for row in first.rows:
        scale = max(1.0, abs(row.row.limit(problem.budget)), sum(first.decision_spend))
        assert row.slack >= -1e-7 * scale
    assert first.optimality.gap <= 1e-5
    cents = np.array(first.decision_spend) * 100
    assert cents == pytest.approx(np.round(cents), abs=1e-4)
    got = problem.quantities(first.decision_spend)
    assert first.objective == pytest.approx(problem.value(got))
    assert sum(c.margin for c in first.cells) == pytest.approx(got.margin.sum())


@pytest.mark.parametrize("budget", [0.0, 0.03, 1e10])
def test_budgets_of_any_size(budget):
    decisions = [
        made.decision("a", made.slopes((budget / 3 or 1, 3))),
        made.decision("b", made.slopes((budget or 1, 2))),
    ]
    plan = optimise(made.problem(decisions, budget), "highs")
    assert plan.status is Status.OPTIMAL
    assert sum(plan.decision_spend) == pytest.approx(budget)


def test_a_tied_channel_fills_its_tiers_in_fixed_shares():
    channel = made.tied("tv", made.slopes((400, 2)), [0.2, 0.8], [0.5, 0.5], current=100.0)
    plan = optimise(made.problem([channel], 300.0), "highs")
    high, low = plan.cells
    assert (high.spend, low.spend) == pytest.approx((60, 240))
    assert (high.margin, low.margin) == pytest.approx((300, 300))
    assert (high.current, low.current) == (20, 80)
    assert high.marginal_return == low.marginal_return == 2
    assert high.tied
    assert low.tied


def test_a_limit_on_one_tier_counts_the_tied_part():
    channel = made.tied("tv", made.slopes((400, 2)), [0.2, 0.8])
    cap = made.limit("low_cap", [Cell("t1", "tv")], most=160.0)
    plan = optimise(made.problem([channel], 300.0, cap), "highs")
    assert plan.decision_spend == (200.0,)
    assert plan.rows[1].next_unit == pytest.approx((2 - 1) / 0.8)


def test_segments_of_a_cell_are_added_up():
    parts = [
        Decision(
            f"low/email#{k}",
            (Cell("low", "email", segment=str(k)),),
            np.ones(1),
            np.ones(1),
            made.slopes((100, slope)),
            current=30.0,
            cost_per_contact=0.5,
        )
        for k, slope in enumerate((3, 2))
    ]
    (cell,) = optimise(made.problem(parts, 150.0), "highs").cells
    assert cell.cell == Cell("low", "email")
    assert (cell.spend, cell.margin, cell.current, cell.contacts) == (150, 400, 60, 300)
    assert cell.marginal_return == 2


def draws(curve, *factors):
    return replace(curve, draws=np.outer(factors, curve.value))


def test_intervals_and_today_use_the_same_draws():
    low, high = np.linspace(0.5, 1.5, 11), np.linspace(1.5, 0.5, 11)
    decisions = [
        replace(EMAIL, curve=draws(EMAIL.curve, *low)),
        replace(SEARCH, curve=draws(SEARCH.curve, *high)),
    ]
    plan = optimise(made.problem(decisions, 450.0), "highs")
    assert plan.draws == pytest.approx(300 * low + 700 * high)
    assert plan.margin_interval == pytest.approx((1000 - 0.4 * 400, 1000 + 0.4 * 400))
    email, _ = of(plan, "email", "search")
    assert email.margin_interval == pytest.approx((300 * 0.6, 300 * 1.4))
    today = 180 * low + 600 * high - 360
    assert (plan.today.spend, plan.today.margin) == (360, 780)
    assert plan.today.beaten_in == np.mean(plan.draws - 450 > today)


def test_without_draws_there_is_no_interval():
    plan = optimise(made.problem([EMAIL, SEARCH], 450.0), "highs")
    assert plan.draws is None
    assert plan.margin_interval is None
    assert plan.today.beaten_in is None


def test_today_is_unknown_when_one_channel_s_spend_is():
    plan = optimise(made.problem([EMAIL, replace(SEARCH, current=None)], 450.0), "highs")
    assert plan.today is None


def test_today_s_spend_past_a_curve_s_end_brings_no_more_and_is_told():
    plan = optimise(made.problem([replace(EMAIL, current=1000.0), SEARCH], 450.0), "highs")
    assert (plan.today.spend, plan.today.margin) == (1300, 600 + 600)
    assert codes(plan) == ["W309"]


def test_revenue_is_maximised_and_reported():
    smooth = replace(made.log(3e5, 5e4), revenue=made.log(3e5, 5e4).value / 0.35)
    other = replace(made.log(2e5, 2e4), revenue=made.log(2e5, 2e4).value / 0.35)
    decisions = [made.decision("email", smooth), made.decision("search", other)]
    plan = optimise(made.problem(decisions, 3e5, objective=Weights(revenue=1)), "highs")
    assert plan.decision_spend == pytest.approx([0.6 * 3.7e5 - 5e4, 0.4 * 3.7e5 - 2e4], abs=0.01)
    assert plan.objective == pytest.approx(sum(c.revenue for c in plan.cells))
    assert plan.objective == pytest.approx(sum(c.margin for c in plan.cells) / 0.35)
    assert plan.marginal_return == pytest.approx(5e5 / 3.7e5, abs=1e-3)
    assert "W303" in codes(plan)


def test_a_gross_objective_is_told_with_what_the_last_unit_earns():
    plan = optimise(made.problem([EMAIL, SEARCH], 750.0, objective=made.MARGIN), "highs")
    assert plan.decision_spend == (300.0, 450.0)
    (warning,) = plan.warnings
    assert warning.code == "W303"
    assert "0.50" in warning.fix


def test_a_floor_that_holds_because_nothing_is_spent_is_told():
    floor = made.roi("pays", SEARCH.cells, 5.0)
    plan = optimise(made.problem([EMAIL, SEARCH], 450.0, floor), "highs")
    assert plan.decision_spend == (300.0, 0.0)
    assert codes(plan) == ["W306"]


def test_a_straight_line_ends_at_its_limit():
    line = made.decision("tv", Linear(slope=1.5).curve(1000.0))
    plan = optimise(made.problem([line], 700.0), "highs")
    assert plan.decision_spend == (700.0,)
    assert plan.rows[0].next_unit == pytest.approx(0.5)


def test_limits_that_contradict_each_other_are_named_with_a_cure():
    low = made.limit("email_least", EMAIL.cells, least=250.0)
    rows = low, made.limit("search_least", SEARCH.cells, least=350.0)
    plan = optimise(made.problem([EMAIL, SEARCH], 450.0, *rows))
    assert plan.status is Status.INFEASIBLE
    assert plan.objective is None
    assert plan.cells == plan.rows == plan.decision_spend == ()
    names = {row.name for row in plan.conflict.rows}
    assert names == {"email_least", "search_least", "budget.total"}
    assert plan.conflict.repairs


def test_nothing_that_limits_the_spend_is_said_plainly():
    line = made.decision("tv", Linear(slope=1.5).curve(1000.0))
    problem = replace(made.problem([line], 700.0), rows=())
    plan = optimise(problem, "highs")
    assert plan.status is Status.UNBOUNDED
    assert "nothing limits" in plan.warnings[0].what


def test_a_limit_that_rewards_wasting_value_is_not_cheated():
    cap = replace(
        made.limit("wrong", EMAIL.cells, most=250.0),
        terms={EMAIL.cells[0]: Weights(margin=1)},
        bound=Bound.MAX,
    )
    floor = made.limit("enough", EMAIL.cells, least=150.0)
    plan = optimise(made.problem([EMAIL], 450.0, cap, floor), "highs")
    assert plan.status is Status.INFEASIBLE
    assert {row.name for row in plan.conflict.rows} == {"wrong", "enough"}
    free = optimise(made.problem([EMAIL], 450.0, cap), "highs")
    assert float(EMAIL.curve.at(free.decision_spend[0])) == pytest.approx(250.0, abs=0.02)


def test_solvers_that_disagree_on_the_value_give_no_plan(monkeypatch):
    real = module.solve_program

    def wrong(lp, engine):
        found = real(lp, engine)
        return replace(found, objective=found.objective * 0.99)

    monkeypatch.setattr(module, "solve_program", wrong)
    plan = optimise(made.problem([EMAIL, SEARCH], 450.0))
    assert plan.status is Status.ERROR
    assert plan.warnings[0].code == "E402"
    assert plan.cells == ()


def test_a_doubt_that_was_settled_is_told(monkeypatch):
    real = module.solve_program
    doubt = "CBC says infeasible, HiGHS says optimal"
    monkeypatch.setattr(module, "solve_program", lambda lp, engine: replace(real(lp, "highs"), doubt=doubt))
    plan = optimise(made.problem([EMAIL, SEARCH], 450.0))
    assert (plan.status, plan.solver, codes(plan)) == (Status.OPTIMAL, "highs", ["W308"])


def cpu_seconds():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def test_fifteen_smooth_cells_are_planned_within_fifteen_hundredths_of_a_second():
    problem, took = made.fifteen_cells(), []
    for _ in range(5):
        start = cpu_seconds()
        optimise(problem)
        took.append(cpu_seconds() - start)
    assert min(took) <= 0.15


def test_values_of_points_are_met_exactly():
    curve = ResponseCurve(np.array([0.0, 33.333333, 90.0]), np.array([0.0, 99.9, 150.0]))
    plan = optimise(made.problem([made.decision("email", curve)], 90.0), "highs")
    assert plan.decision_spend == (33.33,)
    assert plan.cells[0].margin == pytest.approx(float(curve.at(33.33)))
