"""Laws of plans, whatever their limits: budgets, limits, units and names act as they have to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from allocator.plan.account import best_plan
from allocator.plan.optimise import optimise
from allocator.plan.problem import Problem
from allocator.plan.results import marginal_returns
from allocator.plan.rows import Bound, Row
from allocator.plan.solution import Solution, Status
from allocator.response.curve import ResponseCurve
from allocator.response.curves import Cell
from tests.oracles.random_cases import EVERYTHING, PLAIN, Rich, drawn_case, problem_of

SHAPES = ("one tier", "tied", "mixed", "one per customer")
SWITCHES = ("active_channels", "spend_if_active", "spend", "roi")
KINDS: dict[str, Rich] = {
    "linear": PLAIN,
    "outcomes": Rich(("return", "conversions", "retained_customers", "spend"), counting=True),
    "every measure": EVERYTHING,
    "whole numbers and bends": Rich(SWITCHES, bending=True, channels=True),
}
CENTS = 2.0
"""Money by which rounding spend to cents may move a value here, where margins are up to 4 per unit."""
NO_FURTHER = ("curve_end", "lots")
"""Limits past which a plan cannot be tried: the curve is not known there."""
CLOSE = 0.01
"""The same for values of plans before they are rounded."""
every_kind = pytest.mark.parametrize("kind", list(KINDS))
fifty = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.filter_too_much],
)


@st.composite
def solvable(draw, kind: str) -> tuple[Problem, float]:
    """Give a problem with a plan, and the value of its best one before it is rounded."""
    problem = problem_of(draw(drawn_case(draw(st.sampled_from(SHAPES)), KINDS[kind])))
    found = value(problem)
    assume(found is not None)
    return problem, found or 0.0


@st.composite
def planned(draw, kind: str) -> tuple[Problem, Solution]:
    problem, _ = draw(solvable(kind))
    plan = optimise(problem, "highs")
    assert plan.status is Status.OPTIMAL, plan.warnings
    return problem, plan


def value(problem: Problem) -> float | None:
    found = best_plan(problem)
    return None if found is None else found.worth


@every_kind
@given(data=st.data())
@fifty
def test_more_budget_never_lowers_the_value(kind: str, data: st.DataObject) -> None:
    problem, before = data.draw(solvable(kind))
    assume(problem.spend_rule == "up_to")
    shares = [row for row in problem.rows if row.kind == "share_of_budget" and row.bound is Bound.MIN]
    assume(not shares)  # a floor that is a share of the budget rises with it
    more = value(replace(problem, budget=problem.budget + data.draw(st.sampled_from([1.0, 500.0, 7000.0]))))
    assert more is not None
    assert more >= before - CLOSE


@every_kind
@given(data=st.data())
@fifty
def test_tighter_limits_never_raise_the_value(kind: str, data: st.DataObject) -> None:
    problem, before = data.draw(solvable(kind))
    hard = [row for row in problem.rows if row.kind not in ("lots", "budget")]
    assume(hard)
    row = data.draw(st.sampled_from(hard))
    by = data.draw(st.sampled_from([1.0, 300.0, 2000.0]))
    tighter = replace(row, rhs=row.rhs + row.bound.sign * by)
    limited = value(replace(problem, rows=tuple(tighter if one is row else one for one in problem.rows)))
    assert limited is None or limited <= before + CLOSE


@every_kind
@given(data=st.data())
@fifty
def test_a_limit_left_out_never_lowers_the_value(kind: str, data: st.DataObject) -> None:
    problem, before = data.draw(solvable(kind))
    ends = {id(row) for row in problem.rows if row.kind == "curve_end"}  # without them curves have no end
    row = data.draw(st.sampled_from([row for row in problem.rows[1:] if id(row) not in ends] or [None]))
    assume(row is not None)
    free = value(replace(problem, rows=tuple(one for one in problem.rows if one is not row)))
    assert free is not None
    assert free >= before - CLOSE


@every_kind
@given(data=st.data())
@fifty
def test_names_of_limits_and_decisions_change_nothing(kind: str, data: st.DataObject) -> None:
    problem, plan = data.draw(planned(kind))
    renamed = renamed_problem(problem)
    again = optimise(renamed, "highs")
    assert again.decision_spend == plan.decision_spend
    assert again.objective == pytest.approx(plan.objective)
    prices = [(one.next_unit, one.last_unit) for one in plan.rows]
    assert [(one.next_unit, one.last_unit) for one in again.rows] == prices


def renamed_problem(problem: Problem) -> Problem:
    """Give other names to tiers, channels, limits and decisions; kinds stay, as they have meaning."""
    cells = {cell: Cell(f"z{cell.tier}", f"q-{cell.channel}", cell.period, cell.segment)
             for decision in problem.decisions for cell in decision.cells}  # fmt: skip

    def row_of(place: int, row: Row) -> Row:
        wholes = {
            replace(whole, name=f"w-{whole.name}", cells=tuple(cells[c] for c in whole.cells)): coef
            for whole, coef in row.wholes.items()
        }
        terms = {cells[cell]: weights for cell, weights in row.terms.items()}
        return replace(
            row, name=f"r{place:04d}", path=f"p{row.path}", terms=terms, wholes=wholes, quotient=None
        )

    decisions = tuple(
        replace(one, name=f"d{j}", cells=tuple(cells[cell] for cell in one.cells))
        for j, one in enumerate(problem.decisions)
    )
    return replace(
        problem, decisions=decisions, rows=tuple(row_of(i, row) for i, row in enumerate(problem.rows))
    )


@given(data=st.data())
@fifty
def test_money_in_another_unit_scales_the_plan(data: st.DataObject) -> None:
    problem, before = data.draw(solvable("linear"))
    factor = data.draw(st.sampled_from([0.5, 8.0, 1000.0]))
    scaled = value(in_units(problem, factor))
    assert scaled is not None
    assert scaled / factor == pytest.approx(before, abs=CLOSE)


def in_units(problem: Problem, factor: float) -> Problem:
    """Give the problem with a unit of money that is worth `factor` times less."""

    def curve_of(curve: ResponseCurve) -> ResponseCurve:
        counts = {name: curve.outcome(name) for name in ("conversions", "retained")}
        return replace(curve.scaled(spend=factor, value=factor), **counts)

    decisions = tuple(
        replace(
            one,
            curve=curve_of(one.curve),
            current=None if one.current is None else factor * one.current,
            cost_per_contact=None if one.cost_per_contact is None else factor * one.cost_per_contact,
        )
        for one in problem.decisions
    )
    money = ("spend", "budget", "channel", "curve_end", "change_vs_current")
    rows = tuple(
        replace(
            row,
            rhs=row.rhs * factor if row.kind in money else row.rhs,
            terms=row.terms
            if row.kind not in ("contacts", "contacts_per_customer", "one_per_customer")
            else {
                cell: weights._replace(spend=weights.spend / factor) for cell, weights in row.terms.items()
            },
        )
        for row in problem.rows
    )
    return replace(problem, decisions=decisions, rows=rows, budget=problem.budget * factor)


@pytest.mark.parametrize("kind", ["linear", "outcomes"])
@given(data=st.data())
@fifty
def test_every_price_predicts_the_change_within_its_range(kind: str, data: st.DataObject) -> None:
    problem, plan = data.draw(planned(kind))
    assume(not plan.whole)  # prices hold with the same whole numbers only
    priced = [
        one
        for one in plan.rows
        if one.binding and one.next_unit is not None and one.range and one.row.kind not in NO_FURTHER
    ]
    assume(priced)
    one = data.draw(st.sampled_from(priced))
    assert one.range is not None
    assert one.next_unit is not None
    sign = one.row.bound.sign
    end = one.range[0 if sign > 0 else 1]
    room = 500.0 if end is None else min(500.0, abs(end - one.limit))
    assume(room > 10.0)
    found = [row for row in problem.rows if (row.name, row.bound) == (one.row.name, one.row.bound)]
    assert len(found) == 1
    moved = tuple(replace(row, rhs=row.rhs - sign * room) if row is found[0] else row for row in problem.rows)
    looser = value(replace(problem, rows=moved))
    assert looser == pytest.approx((plan.objective or 0.0) + room * one.next_unit, abs=CENTS)


@given(data=st.data())
@fifty
def test_untied_cells_with_spend_are_stationary(data: st.DataObject) -> None:
    """Weights times marginals equal the prices of what a unit takes: at a kink, between its two slopes."""
    problem, plan = data.draw(planned("linear"))
    spend = np.array(plan.decision_spend)
    prices = {(one.row.name, one.row.bound): one for one in plan.rows if one.binding}
    shares = sum(
        one.row.bound.sign * one.row.rhs_per_budget * (one.next_unit or 0.0)
        for one in prices.values()
        if one.row.kind != "budget"
    )
    assume(all(one.next_unit == one.last_unit for one in prices.values()))
    nexts = marginal_returns(problem, spend)
    for j, decision in enumerate(problem.decisions):
        if spend[j] <= 1.0 or decision.tied:
            continue
        low, high = nexts[j], decision.curve.marginal(float(spend[j]), "last")
        charge = 0.0
        earned = problem.goal[1, j]
        for one in prices.values():
            price = (one.next_unit or 0.0) + (shares if one.row.kind == "budget" else 0.0)
            weights = one.row.terms.get(decision.cells[0])
            if weights is not None:
                charge -= one.row.bound.sign * weights.spend * price
                earned += one.row.bound.sign * weights.margin * price
        gain = [earned * slope + problem.goal[0, j] for slope in (low, high) if slope is not None]
        assert min(gain) - 0.01 <= charge <= max(gain) + 0.01 or low is None
