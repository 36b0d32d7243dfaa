"""The frontier: the same as a solve per budget, and no plan between its points beats the bound it states."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.errors import ArgumentError
from allocator.plan.optimise import optimise
from allocator.plan.problem import Pairs
from allocator.plan.rows import Switch
from allocator.plan.solution import Status
from allocator.response.curves import Cell
from allocator.study.frontier import frontier
from tests.plan.made_up_problems import (
    MARGIN,
    cells_of,
    decision,
    fifteen_cells,
    limit,
    log,
    problem,
    random_problem,
    slopes,
)

CENTS = 0.06
"""Money that rounding plans of a few decisions to cents can cost."""


def two_steps():
    """3 per unit up to 100, then 1 per unit up to 300."""
    return problem([decision("email", slopes((100, 3), (200, 1)))], 150.0, objective=MARGIN)


def best(one, budget):
    solution = optimise(replace(one, budget=budget), "highs")
    assert solution.status in (Status.OPTIMAL, Status.INFEASIBLE)
    return solution


def test_a_curve_of_two_pieces_is_its_own_frontier():
    found = frontier(two_steps(), [250, 50, 150, 300, 400])
    assert found.budgets.tolist() == [50, 150, 250, 300, 400]
    assert found.values == pytest.approx([150, 350, 450, 500, 500])
    assert found.marginal == pytest.approx([3, 1, 1, 0, 0])
    assert found.spend[:, 0] == pytest.approx([50, 150, 250, 300, 300])
    # the bend at 100 lies 50 above the chord from 50 to 150; everything else is straight
    assert found.chord_errors == pytest.approx([50, 0, 0, 0], abs=1e-6)
    assert found.error_bound == pytest.approx(50)


def test_a_limit_that_starts_to_bind_is_named_at_its_kink():
    email, search = decision("email", slopes((500, 3))), decision("search", slopes((500, 2)))
    capped = problem([email, search], 100.0, limit("cap", email.cells, most=120.0))
    (kink,) = frontier(capped, [50, 100, 150, 200]).kinks
    assert kink.starts == ("cap",)
    assert kink.stops == ()
    assert kink.budget == pytest.approx(120)
    assert (kink.marginal_below, kink.marginal_above) == pytest.approx((2, 1))


def test_budgets_without_a_plan_are_told_and_the_others_solved():
    email = decision("email", slopes((500, 3)))
    floored = problem([email], 100.0, limit("floor", email.cells, least=120.0))
    found = frontier(floored, [100, 150])
    assert found.infeasible.tolist() == [True, False]
    assert np.isnan(found.chord_errors).all()
    assert found.values[1] == pytest.approx(300)


def test_shares_of_the_budget_move_with_it():
    good, poor = decision("good", slopes((1e4, 3))), decision("poor", slopes((1e4, 1.5)))
    shared = problem([good, poor], 100.0, limit("share", poor.cells, least=0.4, share_of_budget=True))
    found = frontier(shared, [100, 1000])
    assert found.spend == pytest.approx(np.array([[60, 40], [600, 400]]))
    assert found.marginal == pytest.approx([0.6 * 2 + 0.4 * 0.5] * 2)


@settings(max_examples=60)
@given(st.integers(0, 10_000))
def test_every_point_is_what_a_solve_of_its_own_gives(seed):
    one = random_problem(seed)
    budgets = one.budget * np.array([0.4, 0.8, 1.0, 1.3])
    found = frontier(one, budgets)
    for budget, value, spend in zip(found.budgets, found.values, found.spend, strict=True):
        alone = best(one, float(budget))
        assert np.isnan(value) == (alone.status is Status.INFEASIBLE)
        if alone.objective is not None:
            size = one.size(one.quantities(np.array(alone.decision_spend)))
            assert value == pytest.approx(alone.objective, abs=2e-6 * size + CENTS * len(one.decisions))
            assert spend.sum() <= budget * (1 + 1e-9)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.0, 1.0))
def test_the_error_bound_holds_between_points(seed, share):
    one = random_problem(seed)
    found = frontier(one, one.budget * np.array([0.5, 1.0, 1.5]))
    for i, bound in enumerate(found.chord_errors):
        between = float(found.budgets[i] + share * (found.budgets[i + 1] - found.budgets[i]))
        alone = best(one, between)
        if np.isnan(bound) or alone.objective is None:
            continue
        chord = (1 - share) * found.values[i] + share * found.values[i + 1]
        slack = CENTS * len(one.decisions) + 1e-9 * abs(chord)
        assert chord - slack <= alone.objective <= chord + bound + slack


def test_smooth_curves_are_cut_finely_enough_to_price_the_next_unit():
    scale, pace = 300.0, 100.0
    found = frontier(problem([decision("tv", log(scale, pace))], 500.0, objective=MARGIN), [200, 500, 1000])
    assert found.values == pytest.approx(scale * np.log1p(found.budgets / pace), rel=1e-7)
    assert found.marginal == pytest.approx(scale / (pace + found.budgets), rel=2e-3)


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_limits_that_may_be_missed_and_money_that_carries_over_change_nothing(seed):
    rng = np.random.default_rng(seed)
    periods = [
        decision(f"tv@{k}", log(rng.uniform(200, 900), rng.uniform(50, 400)), discount=0.9**k)
        for k in range(3)
    ]
    cells = [Cell("all", "tv", str(k)) for k in range(3)]
    periods = [replace(one, cells=(cell,)) for one, cell in zip(periods, cells, strict=True)]
    floor = replace(limit("floor", cells[:1], least=300.0), penalty=float(rng.uniform(0.1, 3)))
    kept = [(j, i, 0.6 * 0.4 ** (j - i)) for j in range(3) for i in range(j + 1)]
    one = replace(problem(periods, 500.0, floor), carry=Pairs.of(kept))
    found = frontier(one, [100, 250, 400, 700])
    assert found.error_bound is not None
    for budget, value in zip(found.budgets, found.values, strict=True):
        assert value == pytest.approx(best(one, float(budget)).objective, abs=0.1)
    for i, bound in enumerate(found.chord_errors):
        between = best(one, float(found.budgets[i : i + 2].mean())).objective
        chord = found.values[i : i + 2].mean()
        assert chord - 0.1 <= between <= chord + bound + 0.1


def test_many_points_bound_the_error_tightly():
    few, many = (frontier(fifteen_cells(), np.linspace(9e5, 1.5e6, n)) for n in (4, 31))
    assert 0 < many.error_bound < few.error_bound / 20
    assert (np.diff(many.marginal) <= 1e-3).all()


def test_whole_numbers_take_a_solve_per_point_and_no_bound_holds():
    one = two_steps()
    switch = Switch("email", tuple(cells_of(one.decisions)))
    fixed_cost = replace(
        limit("start", cells_of(one.decisions), least=0.0), wholes={switch: -120.0}, name="at_least_120"
    )
    whole = replace(one, rows=(*one.rows, fixed_cost))
    found = frontier(whole, [100, 150])
    assert found.error_bound is None
    assert found.values == pytest.approx([0, 350])
    assert found.kinks == ()


@pytest.mark.parametrize("budgets", [[], [-1.0], [float("nan")]])
def test_budgets_that_are_none_are_refused(budgets):
    with pytest.raises(ArgumentError):
        frontier(two_steps(), budgets)


def test_fifty_points_of_three_thousand_pieces_take_half_a_second():
    rng = np.random.default_rng(1)
    decisions = [
        decision(
            f"t{i % 3}/c{i // 3}",
            slopes(*zip(rng.uniform(10, 100, 10), np.sort(rng.uniform(0.2, 4, 10))[::-1], strict=True)),
        )
        for i in range(300)
    ]
    caps = [limit(f"cap{k}", cells_of(decisions[10 * k : 10 * k + 10]), most=1500.0) for k in range(30)]
    large = problem(
        decisions, 5e4, *caps, limit("low", cells_of(decisions[::3]), least=0.3, share_of_budget=True)
    )
    start = time.process_time()
    found = frontier(large, np.linspace(1e4, 1.2e5, 50))
    assert time.process_time() - start < 1.0  # half of it on a machine that does nothing else
    assert not found.infeasible.any()
