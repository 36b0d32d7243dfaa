"""Laws every measure obeys, and every measure has a case here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from allocator.errors import Origin, ScenarioError
from allocator.plan.assemble import PlanTerms, assemble
from allocator.plan.constraints import MEASURES, Constraint
from allocator.plan.defaults import ChannelTerms
from allocator.plan.objectives import Budget
from allocator.plan.optimise import optimise
from allocator.plan.rows import Bound, Row, Weights
from allocator.plan.scope import CellFacts, Scope
from allocator.plan.solution import Status
from allocator.response.curve import ResponseCurve
from allocator.response.curves import Cell, Curves, Evidence, Response

BUDGET = 1000.0
COST = {"email": 0.5, "search": 2.0, "post": 1.25}
CURRENT = {"email": 120.0, "search": 300.0, "post": 60.0}
PEOPLE = {"high": 50.0, "low": 150.0}
CELLS = [Cell(tier, channel) for channel in COST for tier in PEOPLE]


Amounts = dict[Cell, Weights]


@dataclass(frozen=True)
class Case:
    """A limit for a measure, a tighter one, and what the measure is of amounts, written out independently.

    ``measured`` gives None where the measure is a ratio over nothing.
    """

    loose: Any
    tight: Any
    bound: str
    measured: Callable[[Amounts, list[Cell]], float | None]


def summed(name: str) -> Callable[[Amounts, list[Cell]], float]:
    return lambda got, cells: sum(getattr(got[cell], name) for cell in cells)


spend, margin, conversions = summed("spend"), summed("margin"), summed("conversions")


def ratio(top: float, bottom: float) -> float | None:
    return top / bottom if bottom > 0 else None


def contacts(amounts: Amounts, cells: list[Cell]) -> float:
    return sum(amounts[cell].spend / COST[cell.channel] for cell in cells)


def today(cells: list[Cell]) -> float:
    return sum(CURRENT[cell.channel] / 2 for cell in cells)


def people(cells: list[Cell]) -> float:
    return sum(PEOPLE[tier] for tier in {cell.tier for cell in cells})


def roi(amounts: Amounts, cells: list[Cell]) -> float | None:
    return ratio(margin(amounts, cells) - spend(amounts, cells), spend(amounts, cells))


def later_share(months: float) -> float:
    """Half a month's twentieth of what comes later has come every month, all of it after twenty."""
    return min(1.0, months / 20)


def payback(amounts: Amounts, cells: list[Cell]) -> float | None:
    """Months until the margin has brought back the money; what comes later is spread over 20."""
    now = sum(amounts[cell].immediate for cell in cells)
    later = margin(amounts, cells) - now
    return ratio(20 * (spend(amounts, cells) - now), later) if spend(amounts, cells) else None


def active(amounts: Amounts, cells: list[Cell]) -> float:
    return len({cell.channel for cell in cells if amounts[cell].spend > 0})


CASES = {
    "spend": Case(900, 100, "max", spend),
    "share_of_budget": Case("90%", "10%", "max", lambda got, cells: spend(got, cells) / BUDGET),
    "share_of_spend": Case(
        "90%", "20%", "max", lambda got, cells: ratio(spend(got, cells), spend(got, CELLS))
    ),
    "change_vs_current": Case("200%", "-40%", "max", lambda got, cells: spend(got, cells) / today(cells) - 1),
    "roi": Case("10%", "110%", "min", roi),
    "return_per_unit": Case(1.1, 2.1, "min", lambda got, cells: ratio(margin(got, cells), spend(got, cells))),
    "roas": Case(2.2, 4.3, "min", lambda got, cells: ratio(summed("revenue")(got, cells), spend(got, cells))),
    "cpa": Case(8, 1.5, "max", lambda got, cells: ratio(spend(got, cells), conversions(got, cells))),
    "payback_months": Case(12, 1.5, "max", payback),
    "return": Case(100, 700, "min", margin),
    "conversions": Case(20, 140, "min", conversions),
    "retained_customers": Case(10, 70, "min", summed("retained")),
    "contacts": Case(1500, 90, "max", contacts),
    "contacts_per_customer": Case(9, 0.5, "max", lambda got, cells: contacts(got, cells) / people(cells)),
    "customers_reached": Case(1500, 90, "max", contacts),
    "active_channels": Case(2, 0, "max", active),
    "spend_if_active": Case(
        50, 250, "min", lambda got, cells: ratio(spend(got, cells), float(spend(got, cells) > 0))
    ),
}
BY_CURVE = "marginal_return"
"""The measure that limits curves, not sums over cells; it has laws of its own below."""
every_measure = pytest.mark.parametrize("measure", list(CASES))
ADAPTER: TypeAdapter[Any] = TypeAdapter(Constraint)


def origin_of(path: str) -> Origin:
    return Origin("q1.yaml", 1 + len(path))


def scope(cells: list[Cell] = CELLS) -> Scope:
    facts = [
        CellFacts(
            cell,
            current=CURRENT[cell.channel] / 2,
            cost_per_contact=COST[cell.channel],
            population=PEOPLE[cell.tier],
            known=frozenset(("revenue", "conversions", "retained")),
        )
        for cell in cells
    ]
    return Scope(tuple(facts), BUDGET, origin_of, later_share=later_share)


def rows_of(measure: str, limit: Any, where_to_look: Scope | None = None, **keys: Any) -> list[Row]:
    keys = {CASES[measure].bound: limit, **keys}
    options = ADAPTER.validate_python({"measure": measure, **keys})
    return list(options.rows("promise", where_to_look or scope()))


def limit_as_number(limit: Any) -> float:
    return float(limit.rstrip("%")) / 100 if isinstance(limit, str) else float(limit)


def brought(x: float, rate: float) -> Weights:
    """What some spend brings at a rate: revenue twice the margin, a quarter of the margin at once."""
    return Weights(x, x * rate, 2 * x * rate, x * rate / 5, x * rate / 10, x * rate / 4)


amounts_of_cells = st.lists(
    st.builds(brought, st.one_of(st.just(0.0), st.floats(1, 300)), st.floats(0.5, 3)),
    min_size=len(CELLS),
    max_size=len(CELLS),
).map(lambda got: dict(zip(CELLS, got, strict=True)))


def demand(row: Row) -> tuple[Any, ...]:
    """What a row asks for: all but its name and the names of its switches."""
    wholes = {(type(whole), whole.cells): weight for whole, weight in row.wholes.items()}
    return dict(row.terms), wholes, row.bound, row.limit(BUDGET), row.unit, row.reason


def test_every_measure_has_a_case_and_no_case_is_left_over():
    assert {*CASES, BY_CURVE} == set(MEASURES)


def test_every_measure_is_part_of_the_union_a_scenario_is_made_of():
    members = set(get_args(get_args(Constraint)[0]))
    assert members == set(MEASURES.values())


@every_measure
@given(amounts=amounts_of_cells)
def test_a_row_is_kept_exactly_when_the_measure_is_within_the_limit(measure, amounts):
    case = CASES[measure]
    selections: list[tuple[dict[str, Any], list[Cell]]] = [
        ({}, CELLS),
        ({"where": {"channel": "email"}}, [cell for cell in CELLS if cell.channel == "email"]),
        (
            {"where": {"tier": "low", "channel": ["email", "post"]}},
            [Cell("low", "email"), Cell("low", "post")],
        ),
    ]
    for keys, cells in selections:
        for limit in (case.loose, case.tight):
            (row,) = rows_of(measure, limit, **keys)
            reached = case.measured(amounts, cells)
            if reached is None:
                assert row.violation(amounts, BUDGET) == 0
            elif abs(reached - limit_as_number(limit)) > 1e-9:
                kept = (reached < limit_as_number(limit)) == (case.bound == "max")
                assert (row.violation(amounts, BUDGET) == 0) == kept
            if measure != "payback_months":  # the months a plan reaches are not asked of its row
                assert row.measured(amounts, BUDGET) == (None if reached is None else pytest.approx(reached))


@every_measure
@given(amounts=amounts_of_cells)
def test_a_tighter_limit_never_lets_more_through(measure, amounts):
    (loose,), (tight,) = rows_of(measure, CASES[measure].loose), rows_of(measure, CASES[measure].tight)
    assert loose.violation(amounts, BUDGET) <= tight.violation(amounts, BUDGET)


@every_measure
def test_a_moved_row_is_the_row_of_the_moved_limit(measure):
    (loose,), (tight,) = rows_of(measure, CASES[measure].loose), rows_of(measure, CASES[measure].tight)
    moved = loose.with_limit(tight.written(BUDGET), BUDGET)
    assert moved.limit(BUDGET) == pytest.approx(tight.limit(BUDGET))
    assert dict(moved.wholes) == dict(tight.wholes)
    for cell, weights in tight.terms.items():
        assert moved.terms[cell] == pytest.approx(weights)


@every_measure
def test_a_row_tells_its_name_reason_and_place(measure):
    bound = CASES[measure].bound
    (row,) = rows_of(measure, CASES[measure].tight, reason="Board, 3 November")
    path = f"constraints.promise.{bound}"
    assert (row.name, row.kind) == ("promise", measure)
    assert row.bound == Bound(bound) or measure == "payback_months"  # its row: enough margin by then
    assert (row.path, row.origin, row.reason) == (path, origin_of(path), "Board, 3 November")


@every_measure
@pytest.mark.parametrize("dimension", ["channel", "tier"])
def test_each_gives_one_row_a_label_and_together_they_cover_the_cells_once(measure, dimension):
    rows = rows_of(measure, CASES[measure].tight, each=dimension)
    labels = list(dict.fromkeys(getattr(cell, dimension) for cell in CELLS))
    assert [row.name for row in rows] == [f"promise[{label}]" for label in labels]
    for row, label in zip(rows, labels, strict=True):
        (alone,) = rows_of(measure, CASES[measure].tight, where={dimension: label})
        assert demand(row) == demand(alone)


@every_measure
def test_except_takes_cells_out_as_if_they_had_not_been_selected(measure):
    without = rows_of(measure, CASES[measure].tight, **{"except": {"channel": "email"}})
    named = rows_of(measure, CASES[measure].tight, where={"channel": ["search", "post"]})
    assert [demand(row) for row in without] == [demand(row) for row in named]


@every_measure
@given(order=st.permutations(CELLS))
def test_the_order_of_cells_does_not_matter(measure, order):
    (row,), (other,) = (
        rows_of(measure, CASES[measure].tight, scope(cells), where={"tier": "low"})
        for cells in (CELLS, order)
    )
    assert row.limit(BUDGET) == pytest.approx(other.limit(BUDGET))
    assert row.terms == other.terms
    assert {frozenset(w.cells) for w in row.wholes} == {frozenset(w.cells) for w in other.wholes}


@every_measure
@pytest.mark.parametrize(
    ("keys", "code", "hint"),
    [
        ({"where": {"channel": "emial"}}, "E201", "did you mean 'email'?"),
        ({"where": {"channel": ["email", "tv"]}}, "E201", "channels in this scenario: email, search, post"),
        ({"where": {"tier": "hihg"}}, "E202", "did you mean 'high'?"),
        ({"where": {"period": "2027-01"}}, "E203", "periods in this scenario: all"),
        ({"except": {"channel": "emial"}}, "E201", "did you mean 'email'?"),
        ({"where": {"tier": "low"}, "except": {"tier": "low"}}, "E205", ""),
    ],
    ids=str,
)
def test_a_selector_that_misses_is_an_error_never_an_empty_row(measure, keys, code, hint):
    with pytest.raises(ScenarioError) as caught:
        rows_of(measure, CASES[measure].tight, **keys)
    (finding,) = caught.value.findings
    assert (finding.code, finding.fix) == (code, hint)
    assert finding.where is not None


@every_measure
@pytest.mark.parametrize(
    "keys",
    [{}, {"min": "nan", "max": "nan"}, {"max": True}, {"max": 1, "priority": "soft"}, {"mni": 1}],
    ids=str,
)
def test_what_cannot_be_read_is_refused(measure, keys):
    with pytest.raises(ValidationError):
        ADAPTER.validate_python({"measure": measure, **keys})


def tiered_curves() -> Curves:
    def curve(first: float, second: float) -> ResponseCurve:
        value = np.array([0.0, first, first + second])
        _, _, revenue, counted, kept, at_once = (value * one for one in brought(1.0, 1.0))
        return ResponseCurve(
            np.array([0.0, 150.0, 400.0]),
            value,
            revenue=revenue,
            conversions=counted,
            retained=kept,
            immediate=at_once,
        )

    heights = dict(
        zip(CELLS, [(600, 300), (450, 330), (420, 280), (390, 300), (330, 260), (225, 200)], strict=True)
    )
    return Curves(
        tuple(
            Response(
                cell.channel,
                curve(*heights[cell]),
                Evidence.OPINION,
                "points",
                cell.tier,
                population=PEOPLE[cell.tier],
            )
            for cell in CELLS
        )
    )


def plan_with(**limits: Any):
    channels = {name: ChannelTerms(name, CURRENT[name], cost_per_contact=COST[name]) for name in COST}
    options = {name: ADAPTER.validate_python(limit) for name, limit in limits.items()}
    terms = PlanTerms(
        channels,
        Budget(total=BUDGET),
        limits=options,
        tiers=tuple(PEOPLE),
        currency="EUR",
        later_share=later_share,
    )
    return optimise(assemble(tiered_curves(), terms), "highs")


def amounts_at(plan: Any) -> Amounts:
    return {got.cell: brought(got.spend, got.margin / got.spend if got.spend else 0.0) for got in plan.cells}


@every_measure
@settings(max_examples=10)
@given(channel=st.sampled_from(list(COST)))
def test_a_plan_keeps_its_limits_and_never_gains_by_a_tighter_one(measure, channel):
    case = CASES[measure]
    plans = [
        plan_with(promise={"measure": measure, "where": {"channel": channel}, case.bound: limit})
        for limit in (case.loose, case.tight)
    ]
    free = plan_with()
    assert [plan.status for plan in (free, *plans)] == [Status.OPTIMAL] * 3
    assert free.objective >= plans[0].objective - 1e-6 >= plans[1].objective - 2e-6
    for plan, limit in zip(plans, (case.loose, case.tight), strict=True):
        cells = [cell for cell in CELLS if cell.channel == channel]
        reached = case.measured(amounts_at(plan), cells)
        if reached is not None:
            side = 1 if case.bound == "min" else -1
            assert side * (reached - limit_as_number(limit)) >= -1e-4
        (row,) = [row for row in plan.rows if row.row.name == "promise"]
        assert row.binding or abs(plan.objective - free.objective) < 1e-6


@pytest.mark.parametrize(
    "measure", [name for name, case in CASES.items() if case.bound == "max" and name != "active_channels"]
)
def test_the_price_of_a_binding_limit_is_what_loosening_it_earns(measure):
    written = limit_as_number(CASES[measure].tight)
    step = 1.0 if measure in ("contacts", "customers_reached") else 0.01 * abs(written)
    tight, looser = (
        plan_with(promise={"measure": measure, "where": {"channel": "email"}, "max": limit})
        for limit in (written, written + step)
    )
    (priced,) = [row for row in tight.rows if row.row.name == "promise"]
    moved = priced.row.with_limit(written + step, BUDGET)
    slack = moved.bound.sign * (moved.activity(amounts_at(tight)) - moved.limit(BUDGET))
    assert looser.objective - tight.objective == pytest.approx(priced.next_unit * slack, rel=0.03)
    assert looser.objective > tight.objective


@pytest.mark.parametrize("measure", [*CASES, BY_CURVE])
@settings(max_examples=10)
@given(channel=st.sampled_from(list(COST)))
def test_a_limit_that_may_be_missed_costs_no_more_than_keeping_it(measure, channel):
    tight = {"max": 0} if measure == "active_channels" else {"min": 2.1}
    if measure in CASES:
        tight = {CASES[measure].bound: CASES[measure].tight}
    limit = {"measure": measure, "where": {"channel": channel}, **tight}
    kept, free = plan_with(promise=limit), plan_with()
    worths = [
        plan_with(promise={**limit, "priority": "soft", "penalty": penalty}).objective
        for penalty in (1e-6, 0.3, 3.0, 1000.0)
    ]
    assert worths == sorted(worths, reverse=True)
    assert free.objective + 1e-6 >= worths[0]
    assert worths[0] == pytest.approx(free.objective, abs=0.01)
    a_cent = 0.01 * 1000.0 * 2 * max(COST.values())  # of revenue, or of contacts
    assert worths[-1] == pytest.approx(kept.objective, abs=a_cent)


@settings(max_examples=20)
@given(limit=st.sampled_from([0.5, 1.0, 1.3, 2.0, 2.5, 3.5, 5.0]), channel=st.sampled_from(list(COST)))
def test_a_marginal_return_buys_no_step_of_a_curve_that_earns_less(limit, channel):
    plan = plan_with(pays={"measure": BY_CURVE, "where": {"channel": channel}, "min": limit})
    curves = {Cell(one.tier, one.channel): one.curve for one in tiered_curves()}
    assert plan.status is Status.OPTIMAL
    for got in plan.cells:
        if got.cell.channel == channel and got.spend:
            assert curves[got.cell].marginal(got.spend, "last") >= limit
    rows = [row.row.name for row in plan.rows if row.row.kind == BY_CURVE]
    assert rows == [f"pays[{tier}/{channel}]" for tier in PEOPLE]
