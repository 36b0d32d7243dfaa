"""Best plans with few changes, against trying every set of changes."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from allocator.plan.account import accounted, best_plan
from allocator.plan.moves import few_moves
from allocator.plan.optimise import optimise
from allocator.plan.rows import Bound, Row
from tests.plan import made_up_problems as made

A = made.decision("a", made.slopes((100, 3), (100, 1.5)), current=100.0)
B = made.decision("b", made.slopes((100, 2.5), (100, 1.2)), current=150.0)
C = made.decision("c", made.slopes((100, 2), (100, 1.1)), current=50.0)
D = made.decision("d", made.slopes((100, 4), (100, 0.5)), current=0.0)
ALL = [A, B, C, D]


def held(problem, kept):
    """The problem with the spend of some decisions held at today's."""
    rows = [
        Row(f"held[{d.name}]", "spend", bound, {d.cells[0]: made.SPEND}, rhs=d.current)
        for d in kept
        for bound in Bound
    ]
    return replace(problem, rows=(*problem.rows, *rows))


@pytest.mark.parametrize("moves", [1, 2, 3])
def test_the_best_plan_with_few_moves_is_that_of_the_best_set_of_moves(moves):
    problem = made.problem(ALL, 300.0)
    today = problem.value(problem.quantities([d.current for d in ALL]))
    best = max(
        found.worth
        for free in combinations(ALL, moves)
        if (found := best_plan(held(problem, [d for d in ALL if d not in free])))
    )
    steps = few_moves(problem, optimise(problem, "highs"))
    assert steps[moves - 1].gain == pytest.approx(best - today)
    assert len(steps[moves - 1].changes) <= moves


def test_more_moves_never_gain_less_and_all_of_them_gain_everything():
    problem = made.problem(ALL, 300.0)
    plan = optimise(problem, "highs")
    steps = few_moves(problem, plan)
    gains = [step.gain for step in steps]
    assert gains == sorted(gains)
    assert steps[-1].share == pytest.approx(1.0)


def test_a_number_of_moves_that_no_plan_allows_is_told():
    problem = made.problem(ALL, 200.0)  # today spends 300
    first, second, *_ = few_moves(problem, optimise(problem, "highs"))
    assert first.gain is not None  # b alone can give up 100
    tight = made.problem(ALL, 100.0)
    assert few_moves(tight, optimise(tight, "highs"))[0].gain is None
    assert second.moves == 2


def test_the_cost_of_a_rule_is_what_solving_without_it_gains():
    cap = replace(made.limit("cap", D.cells, most=40.0), path="constraints.cap.max")
    floor = replace(made.limit("floor", C.cells, least=120.0), path="constraints.floor.min")
    problem = made.problem(ALL, 300.0, cap, floor)
    plan = accounted(problem, optimise(problem, "highs"))
    costs = {one.row.name: one.cost for one in plan.rows if one.cost is not None}
    for left_out in (cap, floor):
        free = optimise(replace(problem, rows=tuple(r for r in problem.rows if r is not left_out)), "highs")
        assert costs[left_out.name] == pytest.approx(free.objective - plan.objective)
    assert set(costs) == {"cap", "floor"}


def test_caution_is_told_by_what_it_gives_up_and_what_it_buys():
    from allocator.plan.risk import Risk

    rng = np.random.default_rng(3)
    factor = rng.normal(0, 0.6, 100)
    factor -= factor.mean()
    wild = replace(A, curve=replace(A.curve, draws=A.curve.value * (1 + factor[:, None])))
    problem = replace(made.problem([wild, B], 200.0), risk=Risk("worst_case"))
    plan = accounted(problem, optimise(problem, "highs"))
    plain = optimise(replace(problem, risk=Risk()), "highs")
    safety = plan.safety
    assert safety is not None
    assert safety.plain_expected == pytest.approx(plain.objective)
    assert safety.worth >= safety.plain_worth
    assert safety.expected <= safety.plain_expected
    assert safety.price == pytest.approx(1 - safety.expected / safety.plain_expected)
