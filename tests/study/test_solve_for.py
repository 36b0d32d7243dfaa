"""Goal seek against closed forms, and what is said where a target cannot be reached."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.errors import ArgumentError
from allocator.study.solve_for import solve_for
from tests.plan.made_up_problems import MARGIN, decision, hill, limit, log, problem, slopes

SCALE, PACE = 300.0, 100.0
CENT = 0.01


def on_log(budget):
    return problem([decision("tv", log(SCALE, PACE))], budget, objective=MARGIN)


def on_steps(budget):
    """3 per unit up to 100, then 1.5 per unit up to 300."""
    return problem([decision("email", slopes((100, 3), (200, 1.5)))], budget)


@settings(max_examples=12)
@given(st.floats(50.0, 1500.0), st.floats(1.0, 5000.0))
def test_the_budget_for_a_return_on_a_log_curve(target, start):
    found = solve_for(on_log, target=("return", target), start=start, unit=CENT)
    assert found.reached
    assert found.rising
    assert found.steady
    assert found.best.output >= target * (1 - 1e-9)
    assert found.value == pytest.approx(PACE * (np.exp(target / SCALE) - 1), rel=2e-6, abs=0.03)


@pytest.mark.parametrize("start", [10.0, 150.0, 290.0, 4000.0])
@pytest.mark.parametrize(("target", "budget"), [(150, 50), (300, 100), (450, 200), (600, 300)])
def test_the_budget_for_a_return_on_straight_pieces(target, budget, start):
    found = solve_for(on_steps, target=("return", target), start=start, unit=CENT)
    assert found.value == pytest.approx(budget, abs=0.02)
    assert found.solution.decision_spend[0] == pytest.approx(budget, abs=0.02)


def test_the_most_is_sought_where_more_gives_less():
    # the ROI of a budget that has to go out falls: (300 + 1.5 (b - 100)) / b - 1
    def exactly(budget):
        one = decision("email", slopes((100, 3), (200, 1.5)))
        return problem([one], budget, spend_rule="exactly", objective=MARGIN)

    found = solve_for(exactly, target=("roi", 1.25), start=120.0)
    assert found.rising is False
    assert found.value == pytest.approx(200.0, abs=1e-3)
    assert found.best.output >= 1.25 * (1 - 1e-9)


def test_the_highest_floor_that_leaves_a_profit():
    good, poor = decision("good", slopes((1000, 3))), decision("poor", slopes((1000, 0.5)))

    def floored(least):
        return problem([good, poor], 500.0, limit("floor", poor.cells, least=least))

    found = solve_for(floored, target=("profit", 400.0), start=100.0)
    # 2 a unit on the good one, a loss of 0.5 on the poor one
    assert found.value == pytest.approx(240.0, abs=0.02)


def test_a_target_out_of_reach_gives_the_best_there_is():
    found = solve_for(on_steps, target=("return", 700.0), start=50.0)
    assert not found.reached
    assert found.value is None
    assert found.best.output == pytest.approx(600.0)


def test_a_target_out_of_reach_within_the_limits_gives_the_best_they_allow():
    def capped(floor):
        good, poor = decision("good", slopes((1000, 3))), decision("poor", slopes((1000, 2)))
        return problem([good, poor], 500.0, limit("floor", good.cells, least=floor))

    def exact(floor):
        return replace(capped(floor), objective=MARGIN)

    found = solve_for(exact, target=("return", 1600.0), start=100.0)
    assert not found.reached
    assert found.best.output == pytest.approx(1500.0)


def test_the_edge_of_what_has_a_plan_is_found():
    # with at least 120 for e-mail there is no plan below 120; the target asks for less than that
    def floored(budget):
        one = decision("email", slopes((500, 3)))
        return problem([one], budget, limit("floor", one.cells, least=120.0))

    found = solve_for(floored, target=("return", 100.0), start=400.0)
    assert found.reached
    assert found.value == pytest.approx(120.0, rel=1e-4)
    assert found.best.output == pytest.approx(360.0, rel=1e-4)


def test_a_start_without_a_plan_is_left():
    def floored(budget):
        one = decision("email", slopes((500, 3)))
        return problem([one], budget, limit("floor", one.cells, least=120.0))

    assert solve_for(floored, target=("return", 900.0), start=50.0).value == pytest.approx(300.0, abs=0.02)


def test_an_output_that_does_not_move_is_told():
    def capped(most):
        one = decision("email", slopes((100, 3)))
        return problem([one], 50.0, limit("cap", one.cells, most=1000.0 + most))

    found = solve_for(capped, target=("return", 200.0), start=100.0)
    assert not found.reached
    assert found.rising is None
    assert found.best.output == pytest.approx(150.0)


def test_nothing_has_a_plan():
    def never(budget):
        one = decision("email", slopes((100, 3)))
        return problem([one], budget, limit("floor", one.cells, least=120.0))

    found = solve_for(never, target=("return", 10.0), start=50.0)
    assert not found.reached
    assert found.best is None
    assert all(one.reason for one in found.tried)


def test_the_range_allowed_is_kept():
    found = solve_for(on_log, target=("return", 800.0), start=100.0, between=(50.0, 400.0))
    assert not found.reached
    assert found.best.value == pytest.approx(400.0)
    assert {one.value for one in found.tried} <= set(np.clip([one.value for one in found.tried], 50, 400))


def test_the_marginal_return_falls_with_the_budget():
    half, ceiling = 200.0, 1000.0
    found = solve_for(
        lambda budget: problem([decision("tv", hill(ceiling, half))], budget, objective=MARGIN),
        target=("marginal_return", 0.5),
        start=100.0,
        unit=CENT,
    )
    # the derivative of ceiling * s / (half + s)
    assert found.value == pytest.approx(np.sqrt(ceiling * half / 0.5) - half, rel=5e-3)


def test_an_output_that_does_not_exist_is_refused_with_the_one_most_alike():
    with pytest.raises(ArgumentError, match="profit"):
        solve_for(on_log, target=("profits", 1.0), start=10.0)


def test_a_target_on_both_sides_of_a_peak_is_reached_on_the_way_up():
    # all of the budget has to go out: profit rises by 2 a unit up to 100, then falls by 0.5
    def exactly(budget):
        one = decision("email", slopes((100, 3), (2000, 0.5)))
        return problem([one], budget, spend_rule="exactly")

    found = solve_for(exactly, target=("profit", 190.0), start=10.0, unit=CENT)
    assert found.reached
    assert found.value == pytest.approx(95.0, abs=0.02)
    assert not found.steady
    beyond = solve_for(exactly, target=("profit", 210.0), start=10.0, unit=CENT)
    assert not beyond.reached
    assert beyond.best.output == pytest.approx(200.0, abs=0.2)
