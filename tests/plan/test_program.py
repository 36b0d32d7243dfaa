"""The linear program of a problem: pieces, scaling, the way back to money."""

import numpy as np
import pytest

from allocator.plan.linear import Entries, Interval, LinearProgram
from allocator.plan.program import compile_problem
from allocator.plan.rows import Bound, Row, Weights
from allocator.plan.solver import solve_program
from allocator.response.curve import ResponseCurve
from allocator.response.curves import Cell
from tests.plan import made_up_problems as made

EMAIL = made.decision("email", made.slopes((100_000, 3), (200_000, 1.5)))
SEARCH = made.decision("search", made.slopes((400_000, 2), (100_000, 0.5)))


def test_entries_of_one_place_add_up():
    lp = LinearProgram.build(
        [1, 1], Interval([0, 0], [9, 9]), Entries([0, 0, 0], [1, 1, 0], [1, 2, 0]), Interval([0], [1])
    )
    assert lp.coef.tolist() == [3]
    assert lp.index.tolist() == [1]


def test_columns_and_rows_are_appended():
    lp = LinearProgram.build([1], Interval([0], [9]), Entries([0], [0], [2]), Interval([0], [1]))
    lp = lp.with_columns([5], Interval([0], [7]), Entries([0], [0], [4]))
    lp = lp.with_rows(Entries([0, 0], [0, 1], [6, 8]), Interval([3], [4]))
    x = np.array([1.0, 10.0])
    assert lp.activity(x).tolist() == [42, 86]
    assert lp.reduced_cost(np.array([1.0, 1.0])).tolist() == [1 - 8, 5 - 12]


@pytest.mark.parametrize("budget", [7.5e-3, 40.0, 123_456.78, 2.5e9])
def test_plan_and_prices_come_back_in_money_at_every_size(budget):
    size = budget / 450_000
    curves = [made.slopes((100_000 * size, 3), (200_000 * size, 1.5)), made.slopes((400_000 * size, 2))]
    decisions = [made.decision(f"c{j}", curve) for j, curve in enumerate(curves)]
    compiled = compile_problem(made.problem(decisions, budget))
    answer = solve_program(compiled.lp, "highs")
    assert compiled.spend(answer.x) / size == pytest.approx([100_000, 350_000])
    assert compiled.prices(answer.row_dual)[0] == pytest.approx(1.0)
    assert -answer.objective * compiled.objective_unit / size == pytest.approx(550_000)
    assert 100 <= np.abs(compiled.lp.row_upper[0]) <= 2000


def test_a_price_is_per_unit_of_the_row_itself():
    contacts = Row("contacts", "contacts", Bound.MAX, {EMAIL.cells[0]: Weights(spend=1 / 0.12)}, 500_000.0)
    compiled = compile_problem(made.problem([EMAIL, SEARCH], 1e6, contacts))
    answer = solve_program(compiled.lp, "highs")
    assert compiled.spend(answer.x)[0] == pytest.approx(60_000)
    assert compiled.prices(answer.row_dual)[1] == pytest.approx(0.12 * 2)


def test_a_curve_without_a_row_for_its_end_still_ends():
    problem = made.problem([EMAIL], 1e6, objective=made.MARGIN)
    bare = type(problem)(problem.decisions, problem.rows[:1], problem.objective, 1e6, "up_to", "EUR")
    compiled = compile_problem(bare)
    assert compiled.spend(solve_program(compiled.lp, "highs").x)[0] == pytest.approx(300_000)


def test_the_row_for_a_curve_s_end_carries_the_price():
    compiled = compile_problem(made.problem([EMAIL], 1e6))
    answer = solve_program(compiled.lp, "highs")
    assert compiled.prices(answer.row_dual) == pytest.approx([0, 0.5])


def test_equal_neighbours_are_one_piece():
    straight = made.decision("email", made.points((100, 200), (200, 400), (300, 500)))
    assert compile_problem(made.problem([straight], 1e3)).grids[0].spend.tolist() == [0, 200, 300]


def test_a_row_on_a_cell_nobody_fills_is_refused():
    stray = made.limit("stray", [Cell("all", "radio")], most=1.0)
    with pytest.raises(ValueError, match=r"stray limits .*radio.*, which no decision fills"):
        compile_problem(made.problem([EMAIL], 1e3, stray))


def test_revenue_that_is_not_known_is_refused_not_counted_as_nothing():
    with pytest.raises(ValueError, match="revenue of email is counted but not known"):
        compile_problem(made.problem([EMAIL], 1e3, objective=Weights(revenue=1)))


def test_revenue_is_counted_where_it_is_known():
    curve = ResponseCurve(np.array([0.0, 100]), np.array([0.0, 50]), revenue=np.array([0.0, 400]))
    compiled = compile_problem(
        made.problem([made.decision("email", curve)], 80, objective=Weights(revenue=1))
    )
    answer = solve_program(compiled.lp, "highs")
    assert -answer.objective * compiled.objective_unit == pytest.approx(320)
