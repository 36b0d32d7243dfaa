"""Proof by arithmetic: wrong plans and wrong bounds do not pass."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.plan.certify import certificate, curve_error, dual_bound, is_proven, violation
from allocator.plan.grids import grid_at
from allocator.plan.linear import Entries, Interval, LinearProgram
from allocator.plan.program import compile_problem
from allocator.plan.refine import locate
from allocator.plan.solver import solve_program
from tests.plan import made_up_problems as made

LP = LinearProgram.build(
    [-2.0, -1.0], Interval([0, 0], [5, 9]), Entries([0, 0], [0, 1], [1, 1]), Interval([-np.inf], [8])
)


@pytest.mark.parametrize(
    ("x", "missed"),
    [([5, 3], 0), ([5, 4], 1 / 9), ([6, 0], 1 / 6), ([-1, 0], 1), ([5, 3 + 8e-7], 1e-7)],
)
def test_a_violation_is_relative_to_the_size_of_what_is_limited(x, missed):
    assert violation(LP, np.array(x, dtype=float)) == pytest.approx(missed)


def test_a_part_of_a_whole_thing_is_a_violation():
    lp = LinearProgram.build([1], Interval([0], [9]), Entries([], [], []), Interval([], []), [True])
    assert violation(lp, np.array([2.25])) == 0.25


def test_only_the_best_plan_with_the_right_duals_is_proven():
    best, dual = np.array([5.0, 3.0]), np.array([-1.0])
    assert is_proven(LP, best, dual)
    assert not is_proven(LP, np.array([5.0, 2.9]), dual)
    assert not is_proven(LP, np.array([5.0, 3.1]), dual)
    assert not is_proven(LP, best, np.array([-1.1]))
    assert not is_proven(LP, best, np.array([1.0]))
    assert not is_proven(LP, best, np.array([np.nan]))
    assert not is_proven(LP, np.array([np.nan, 3.0]), dual)


def test_duals_that_prove_nothing_give_no_bound():
    assert dual_bound(LP, np.array([0.5])) == -np.inf


@given(seed=st.integers(0, 10_000))
def test_no_duals_prove_more_than_the_optimum(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 6, 2)
    matrix = rng.normal(size=(m, n))
    row, col = np.nonzero(np.ones_like(matrix))
    lp = LinearProgram.build(
        rng.normal(size=n),
        Interval(np.zeros(n), rng.uniform(0, 9, n)),
        Entries(row, col, matrix.ravel()),
        Interval(np.full(m, -2.0), np.full(m, 3.0)),
    )
    best = solve_program(lp, "highs")
    assert dual_bound(lp, best.row_dual) == pytest.approx(best.objective, abs=1e-7)
    assert dual_bound(lp, best.row_dual + rng.normal(size=m)) <= best.objective + 1e-7


@pytest.mark.parametrize("n_points", [5, 12, 40])
def test_the_curve_error_bounds_what_coarse_breakpoints_can_hide(n_points):
    decisions = [made.decision("a", made.hill(9e5, 2e5)), made.decision("b", made.log(3e5, 1e5))]
    problem = made.problem(decisions, 5e5)
    coarse = [grid_at(d, np.linspace(0, 1e6, n_points), open_end=True) for d in decisions]
    compiled = compile_problem(problem, coarse)
    answer = solve_program(compiled.lp, "highs")
    exact = locate(problem)
    hidden = (
        answer.objective * compiled.objective_unit - exact.answer.objective * exact.compiled.objective_unit
    )
    bound = curve_error(compiled, answer.row_dual, compiled.spend(answer.x))
    assert 0 < hidden <= bound
    assert curve_error(exact.compiled, exact.answer.row_dual, exact.compiled.spend(exact.answer.x)) < 1e-3


def test_a_certificate_states_gap_and_violation_of_a_poor_plan():
    problem = made.problem([made.decision("email", made.slopes((100, 3)))], 50.0)
    compiled = compile_problem(problem)
    answer = solve_program(compiled.lp, "highs")
    assert certificate(compiled, answer.row_dual, problem.quantities([50.0])).gap == 0
    assert certificate(compiled, answer.row_dual, problem.quantities([40.0])).gap == pytest.approx(20 / 80)
    over = certificate(compiled, answer.row_dual, problem.quantities([60.0]))
    assert over.max_violation == pytest.approx(10 / 110)
