"""Solvers: the same answer from both, and none believed on its word."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.plan import solver
from allocator.plan.linear import Entries, Interval, LinearProgram
from allocator.plan.solution import Status
from allocator.plan.solver import HotModel, RawSolution, solve_program

INF = np.inf
both = pytest.mark.parametrize("engine", ["cbc", "highs"])


def program(cost, upper, matrix, low, high, integer=None):
    matrix = np.array(matrix, dtype=float)
    row, col = np.nonzero(np.ones_like(matrix))
    columns = Interval(np.zeros(len(cost)), upper)
    return LinearProgram.build(cost, columns, Entries(row, col, matrix.ravel()), Interval(low, high), integer)


FEASIBLE = program([-3, -2, -1], [4, 5, INF], [[1, 1, 1], [1, -1, 0]], [-INF, -1], [10, 1])


@both
def test_duals_are_the_change_of_the_minimum_per_unit_of_right_hand_side(engine):
    at = solve_program(FEASIBLE, engine)
    more = solve_program(replace(FEASIBLE, row_upper=np.array([10.5, 1])), engine)
    assert at.status is Status.OPTIMAL
    assert at.engine == engine
    assert (more.objective - at.objective) / 0.5 == pytest.approx(at.row_dual[0])
    assert at.reduced_cost == pytest.approx(FEASIBLE.reduced_cost(at.row_dual))


@both
def test_a_row_may_have_two_sides_or_be_an_equation(engine):
    lp = program([-1, 1], [INF, INF], [[1, 0], [0, 1]], [2, 3], [4, 3])
    answer = solve_program(lp, engine)
    assert answer.x == pytest.approx([4, 3])
    assert answer.row_dual == pytest.approx([-1, 1])


@both
@pytest.mark.parametrize(
    ("lp", "status"),
    [
        (program([1], [1], [[1]], [2], [INF]), Status.INFEASIBLE),
        (program([-1], [INF], [[1]], [2], [INF]), Status.UNBOUNDED),
        (program([1], [-1], [[1]], [-5], [5]), Status.INFEASIBLE),
        (program([1], [9], [[1]], [3], [2]), Status.INFEASIBLE),
    ],
    ids=["rows", "unbounded", "crossed column", "crossed row"],
)
def test_without_a_plan_there_are_no_numbers(engine, lp, status):
    answer = solve_program(lp, engine)
    assert answer.status is status
    assert len(answer.x) == len(answer.row_dual) == 0
    assert np.isnan(answer.objective)


@both
def test_a_program_without_columns_has_the_empty_plan(engine):
    nothing = LinearProgram.build([], Interval([], []), Entries([], [], []), Interval([], []))
    assert solve_program(nothing, engine).objective == 0


@given(seed=st.integers(0, 10_000))
def test_both_solvers_agree(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 6, 2)
    lp = program(
        rng.normal(size=n), rng.uniform(0, 9, n), rng.normal(size=(m, n)), np.full(m, -2.0), np.full(m, 3.0)
    )
    first, second = solve_program(lp, "cbc"), solve_program(lp, "highs")
    assert first.status is second.status is Status.OPTIMAL
    assert first.objective == pytest.approx(second.objective, rel=1e-6, abs=1e-6)


COEFFICIENTS = np.array([9000.0, 7200.0, 10800.0, 9000.0, 7200.0])


@both
@pytest.mark.parametrize("total", [16200.0, 18000.0, 27000.0, 34200.0])
def test_five_binaries_with_coefficients_that_mislead(engine, total):
    cost = np.array([3.0, -1.0, 2.0, -4.0, 1.0])
    lp = program(cost, np.ones(5), [COEFFICIENTS], [total], [total], np.ones(5, dtype=bool))
    choices = [
        np.array(z) for z in itertools.product((0, 1), repeat=5) if COEFFICIENTS @ np.array(z) == total
    ]
    answer = solve_program(lp, engine)
    assert answer.status is Status.OPTIMAL
    assert answer.objective == min(cost @ z for z in choices)
    assert answer.gap == 0
    assert answer.bound == pytest.approx(answer.objective)


def claims(status, x=(), dual=()):
    def lie(lp):
        x_, dual_ = np.array(x, dtype=float), np.array(dual, dtype=float)
        objective = float(lp.cost @ x_) if len(x_) else np.nan
        return RawSolution(status, "cbc", x_, dual_, np.zeros(len(x_)), objective)

    return lie


def test_a_wrong_infeasible_is_overruled_and_stated(monkeypatch):
    monkeypatch.setattr(solver, "_solve_cbc", claims(Status.INFEASIBLE))
    total = float(COEFFICIENTS[:2].sum())
    lp = program(np.ones(5), np.ones(5), [COEFFICIENTS], [total], [total], np.ones(5, dtype=bool))
    answer = solve_program(lp, "cbc")
    assert (answer.status, answer.engine) == (Status.OPTIMAL, "highs")
    assert answer.doubt == "CBC says infeasible, HiGHS says optimal"


@pytest.mark.parametrize(
    ("x", "dual"),
    [([4, 5, 9], [-1, 0]), ([4, 3, 0], [-1, 0]), ([4, 5, np.nan], [-1, 0]), ([4, 5, 1], [0, 0])],
    ids=["infeasible", "not the best", "garbage", "no proof"],
)
def test_a_wrong_optimal_is_overruled(monkeypatch, x, dual):
    monkeypatch.setattr(solver, "_solve_cbc", claims(Status.OPTIMAL, x, dual))
    answer = solve_program(FEASIBLE, "cbc")
    assert (answer.status, answer.engine) == (Status.OPTIMAL, "highs")
    assert answer.x == pytest.approx([4, 5, 1])


def test_an_infeasible_both_agree_on_leaves_no_doubt():
    answer = solve_program(program([1], [1], [[1]], [2], [INF]), "cbc")
    assert (answer.engine, answer.doubt) == ("cbc", "")


def test_a_cbc_that_cannot_start_is_replaced(monkeypatch):
    def missing(*args, **kwargs):
        raise OSError("no such file")

    monkeypatch.setattr(solver.pulp.LpProblem, "solve", missing)
    answer = solve_program(FEASIBLE, "cbc")
    assert (answer.status, answer.engine) == (Status.OPTIMAL, "highs")


def test_a_hot_model_moves_and_comes_back():
    hot = HotModel(FEASIBLE)
    first, basis = hot.run(), hot.basis()
    hot.bound_rows(FEASIBLE.row_lower, np.array([3.0, 1.0]))
    assert hot.run().objective == pytest.approx(solve_program(hot.lp, "highs").objective)
    hot.bound_rows(FEASIBLE.row_lower, FEASIBLE.row_upper)
    hot.bound_columns(np.array([0.0, 0.0, 2.0]), FEASIBLE.col_upper)
    assert hot.run().objective == pytest.approx(solve_program(hot.lp, "highs").objective)
    hot.bound_columns(FEASIBLE.col_lower, FEASIBLE.col_upper)
    hot.charge(np.array([1.0, 1.0, 1.0]))
    assert hot.run().objective == pytest.approx(0)
    hot.charge(FEASIBLE.cost)
    hot.restore(basis)
    again = hot.run()
    assert again.objective == first.objective
    assert (again.x == first.x).all()


def test_columns_follow_a_limit_that_moves_with_the_same_basis():
    hot = HotModel(FEASIBLE)
    first = hot.run()
    move = hot.follow(np.array([1.0, 0.0]))
    hot.bound_rows(FEASIBLE.row_lower, np.array([10.5, 1.0]))
    assert hot.run().x == pytest.approx(first.x + 0.5 * move)
    assert hot.follow(np.zeros(2)) == pytest.approx(np.zeros(3))
