"""Why a cell got what it got: charges of limits add up to what a unit earns."""

from __future__ import annotations

import pytest

from allocator.plan.explain import reasons
from allocator.plan.optimise import optimise
from allocator.response.curves import Cell
from tests.plan import made_up_problems as made


def test_charges_add_up_to_what_the_next_unit_earns_inside_smooth_curves():
    problem = made.fifteen_cells()
    plan = optimise(problem, "highs")
    seen = 0
    for decision, spend in zip(problem.decisions, plan.decision_spend, strict=True):
        (one,) = reasons(problem, plan, decision.cells[0])
        if spend > 1.0:
            seen += 1
            gain = one.marginal_return + one.money
            assert gain == pytest.approx(sum(charge.amount for charge in one.charges), abs=2e-3)
    assert seen >= 10


def test_at_a_kink_the_charges_lie_between_the_next_and_the_last_unit():
    a = made.decision("a", made.slopes((100, 3), (100, 1.2)))
    b = made.decision("b", made.slopes((200, 2)))
    problem = made.problem([a, b], 150.0)
    plan = optimise(problem, "highs")
    (one,) = reasons(problem, plan, a.cells[0])
    charged = sum(charge.amount for charge in one.charges)
    assert one.marginal_return - 1 <= charged <= one.last_return - 1
    assert [charge.row.name for charge in one.charges] == ["budget.total"]


def test_a_cell_that_nobody_fills_has_no_reasons():
    problem = made.problem([made.decision("a", made.slopes((100, 3)))], 50.0)
    assert reasons(problem, optimise(problem, "highs"), Cell("all", "b")) == ()
