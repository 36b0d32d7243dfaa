"""Laws every measure obeys, and every measure has a case here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from allocator.errors import Origin, ScenarioError
from allocator.plan.assemble import PlanTerms, assemble
from allocator.plan.constraints import MEASURES, Constraint, LaterLimit
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


@dataclass(frozen=True)
class Case:
    """A limit for a measure, a tighter one, and what the measure is of amounts, written out independently."""

    loose: Any
    tight: Any
    bound: str
    measured: Callable[[dict[Cell, Weights], list[Cell]], float]


def spend(amounts: dict[Cell, Weights], cells: list[Cell]) -> float:
    return sum(amounts[cell].spend for cell in cells)


def margin(amounts: dict[Cell, Weights], cells: list[Cell]) -> float:
    return sum(amounts[cell].margin for cell in cells)


def contacts(amounts: dict[Cell, Weights], cells: list[Cell]) -> float:
    return sum(amounts[cell].spend / COST[cell.channel] for cell in cells)


def today(cells: list[Cell]) -> float:
    return sum(CURRENT[cell.channel] / 2 for cell in cells)


def people(cells: list[Cell]) -> float:
    return sum(PEOPLE[tier] for tier in {cell.tier for cell in cells})


CASES = {
    "spend": Case(900, 100, "max", spend),
    "share_of_budget": Case("90%", "10%", "max", lambda got, cells: spend(got, cells) / BUDGET),
    "share_of_spend": Case("90%", "20%", "max", lambda got, cells: spend(got, cells) / spend(got, CELLS)),
    "change_vs_current": Case("200%", "-40%", "max", lambda got, cells: spend(got, cells) / today(cells) - 1),
    "roi": Case(
        "10%", "110%", "min", lambda got, cells: (margin(got, cells) - spend(got, cells)) / spend(got, cells)
    ),
    "return_per_unit": Case(1.1, 2.1, "min", lambda got, cells: margin(got, cells) / spend(got, cells)),
    "contacts": Case(1500, 90, "max", contacts),
    "contacts_per_customer": Case(9, 0.5, "max", lambda got, cells: contacts(got, cells) / people(cells)),
}
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
        )
        for cell in cells
    ]
    return Scope(tuple(facts), BUDGET, origin_of)


def rows_of(measure: str, limit: Any, where_to_look: Scope | None = None, **keys: Any) -> list[Row]:
    keys = {CASES[measure].bound: limit, **keys}
    options = ADAPTER.validate_python({"measure": measure, **keys})
    return list(options.rows("promise", where_to_look or scope()))


def limit_as_number(limit: Any) -> float:
    return float(limit.rstrip("%")) / 100 if isinstance(limit, str) else float(limit)


amounts_of_cells = st.lists(
    st.tuples(st.floats(1, 300), st.floats(0.5, 3)), min_size=len(CELLS), max_size=len(CELLS)
).map(lambda got: {cell: Weights(x, x * r, 2 * x * r) for cell, (x, r) in zip(CELLS, got, strict=True)})


def test_every_measure_has_a_case_and_no_case_is_left_over():
    assert set(CASES) == set(MEASURES)


def test_every_measure_is_part_of_the_union_a_scenario_is_made_of():
    members = set(get_args(get_args(Constraint)[0])) - {LaterLimit}
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
            over = case.measured(amounts, cells) - limit_as_number(limit)
            if abs(over) > 1e-9:
                assert (row.violation(amounts, BUDGET) == 0) == ((over < 0) == (case.bound == "max"))
            assert row.measured(amounts, BUDGET) == pytest.approx(case.measured(amounts, cells))


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
    for cell, weights in tight.terms.items():
        assert moved.terms[cell] == pytest.approx(weights)


@every_measure
def test_a_row_tells_its_name_reason_and_place(measure):
    bound = CASES[measure].bound
    (row,) = rows_of(measure, CASES[measure].tight, reason="Board, 3 November")
    path = f"constraints.promise.{bound}"
    assert (row.name, row.kind, row.bound) == ("promise", measure, Bound(bound))
    assert (row.path, row.origin, row.reason) == (path, origin_of(path), "Board, 3 November")


@every_measure
@pytest.mark.parametrize("dimension", ["channel", "tier"])
def test_each_gives_one_row_a_label_and_together_they_cover_the_cells_once(measure, dimension):
    rows = rows_of(measure, CASES[measure].tight, each=dimension)
    labels = list(dict.fromkeys(getattr(cell, dimension) for cell in CELLS))
    assert [row.name for row in rows] == [f"promise[{label}]" for label in labels]
    for row, label in zip(rows, labels, strict=True):
        (alone,) = rows_of(measure, CASES[measure].tight, where={dimension: label})
        assert replace(row, name="promise") == alone


@every_measure
def test_except_takes_cells_out_as_if_they_had_not_been_selected(measure):
    without = rows_of(measure, CASES[measure].tight, **{"except": {"channel": "email"}})
    named = rows_of(measure, CASES[measure].tight, where={"channel": ["search", "post"]})
    assert without == named


@every_measure
@given(order=st.permutations(CELLS))
def test_the_order_of_cells_does_not_matter(measure, order):
    (row,), (other,) = (
        rows_of(measure, CASES[measure].tight, scope(cells), where={"tier": "low"})
        for cells in (CELLS, order)
    )
    assert row.limit(BUDGET) == pytest.approx(other.limit(BUDGET))
    assert row.terms == other.terms


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
        return ResponseCurve(np.array([0.0, 150.0, 400.0]), np.array([0.0, first, first + second]))

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
    terms = PlanTerms(channels, Budget(total=BUDGET), limits=options, tiers=tuple(PEOPLE), currency="EUR")
    return optimise(assemble(tiered_curves(), terms), "highs")


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
        amounts = {got.cell: Weights(got.spend, got.margin) for got in plan.cells}
        cells = [cell for cell in CELLS if cell.channel == channel]
        if spend(amounts, cells) > 0:
            side = 1 if case.bound == "min" else -1
            assert side * (case.measured(amounts, cells) - limit_as_number(limit)) >= -1e-4
        (row,) = [row for row in plan.rows if row.row.name == "promise"]
        assert row.binding or abs(plan.objective - free.objective) < 1e-6


@pytest.mark.parametrize("measure", [name for name, case in CASES.items() if case.bound == "max"])
def test_the_price_of_a_binding_limit_is_what_loosening_it_earns(measure):
    written = limit_as_number(CASES[measure].tight)
    step = 1.0 if measure == "contacts" else 0.01 * abs(written)
    tight, looser = (
        plan_with(promise={"measure": measure, "where": {"channel": "email"}, "max": limit})
        for limit in (written, written + step)
    )
    (priced,) = [row for row in tight.rows if row.row.name == "promise"]
    moved = priced.row.with_limit(written + step, BUDGET)
    amounts = {got.cell: Weights(got.spend, got.margin) for got in tight.cells}
    slack = moved.limit(BUDGET) - moved.activity(amounts)
    assert looser.objective - tight.objective == pytest.approx(priced.next_unit * slack, rel=0.03)
    assert looser.objective > tight.objective
