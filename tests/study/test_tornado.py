"""The tornado: every side is a solve of its own, and a plan kept is valued as things then are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.errors import ArgumentError, NoPlanError
from allocator.plan.optimise import optimise
from allocator.plan.rows import Bound, Row, Unit, Weights
from allocator.plan.solution import Status
from allocator.study.tornado import tornado
from tests.plan.made_up_problems import decision, limit, problem, random_problem, slopes

BY = 0.2


@pytest.fixture
def two():
    email = decision("email", slopes((100, 3), (200, 1.6)), cost_per_contact=0.5)
    search = decision("search", slopes((400, 2)))
    contacts = Row(
        "capacity", "contacts", Bound.MAX, {email.cells[0]: Weights(spend=1 / 0.5)}, 360.0, unit=Unit.CONTACTS
    )
    return problem([email, search], 300.0, limit("cap", search.cells, most=150.0), contacts)


def bars(one):
    return {bar.name: bar for bar in tornado(one, BY).bars}


def test_every_input_is_there_and_the_widest_comes_first(two):
    found = tornado(two, BY)
    assert {bar.name for bar in found.bars} == {
        "budget.total", "cap", "capacity", "response of email", "response of search", "cost of email",
        "cost of search",
    }  # fmt: skip
    widths = [bar.width(found.objective) for bar in found.bars]
    assert widths == sorted(widths, reverse=True)
    assert found.objective == pytest.approx(100 * 2 + 150 * 1 + 50 * 0.6)


def test_the_budget_by_hand(two):
    bar = bars(two)["budget.total"]
    # 60 less: 50 at 0.6 and 10 at 1 are given up; 60 more: 30 at 0.6 is all that the contacts allow
    assert bar.low.objective == pytest.approx(380 - 30 - 10)
    assert bar.high.objective == pytest.approx(380 + 0.6 * 30)
    assert bar.low.breaks == ("budget.total",)
    assert bar.low.regret is None
    assert bar.high.regret == pytest.approx(18)


def test_a_response_by_hand(two):
    bar = bars(two)["response of email"]
    # 20 % less: 1.28 a unit on the second piece, still more than nothing
    assert bar.low.objective == pytest.approx(100 * 1.4 + 150 + 50 * 0.28)
    assert bar.low.regret == pytest.approx(0, abs=1e-6)
    # 20 % more: the second piece earns 1.92, search 2: nothing moves
    assert bar.high.objective == pytest.approx(100 * 2.6 + 150 + 50 * 0.92)


def test_a_cost_by_hand(two):
    bar = bars(two)["cost of email"]
    # 20 % more: 120 at 2.5, the second piece at 1.333; the old plan has 150, so 120 and 30
    assert bar.high.objective == pytest.approx(120 * 1.5 + 150 + 30 / 3)
    assert bar.high.kept == pytest.approx(120 * 1.5 + 150 + 30 / 3)
    assert bar.high.breaks == ()
    # 20 % less: 80 at 3.75, then at 2, as good as search
    assert bar.low.objective == pytest.approx(80 * 2.75 + 64 * 1 + 150 + 0)


def test_a_limit_that_does_not_bind_has_no_width(two):
    found = tornado(two, 0.01)
    capacity = next(bar for bar in found.bars if bar.name == "capacity")
    assert capacity.width(found.objective) == pytest.approx(0, abs=1e-9)
    assert capacity.value == 360.0


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_every_side_is_a_solve_of_its_own(seed):
    one = random_problem(seed)
    base = optimise(one, "highs")
    if base.status is not Status.OPTIMAL:
        return
    found = {bar.name: bar for bar in tornado(one, BY).bars}
    spend = np.array(base.decision_spend)
    for factor, side in ((1 - BY, "low"), (1 + BY, "high")):
        less = getattr(found["budget.total"], side)
        assert less.objective == optimise(replace(one, budget=one.budget * factor), "highs").objective
        channel = one.decisions[0].cells[0].channel
        decisions = tuple(
            replace(d, curve=d.curve.scaled(spend=1, value=factor)) if d.cells[0].channel == channel else d
            for d in one.decisions
        )
        changed = replace(one, decisions=decisions)
        swing = getattr(found[f"response of {channel}"], side)
        assert swing.objective == optimise(changed, "highs").objective
        assert swing.kept == pytest.approx(changed.value(changed.quantities(spend)))
        for bar in found.values():
            regret = getattr(bar, side).regret
            assert regret is None or regret >= -1e-5 * (1 + abs(base.objective)) - 0.05 * len(one.decisions)


def test_without_a_plan_there_is_nothing_to_move(two):
    with pytest.raises(NoPlanError, match="floor"):
        tornado(replace(two, rows=(*two.rows, limit("floor", two.decisions[0].cells, least=1e6))))


@pytest.mark.parametrize("by", [0.0, 1.0, -0.1])
def test_shares_out_of_range_are_refused(two, by):
    with pytest.raises(ArgumentError):
        tornado(two, by)
