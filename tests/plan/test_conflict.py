"""Contradictions: a minimal set in the planner's words, and the smallest changes that cure it."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from pydantic import TypeAdapter
from scipy.optimize import linprog

from allocator.plan.arithmetic import arithmetic_conflict
from allocator.plan.assemble import PlanTerms, assemble
from allocator.plan.conflict import explain_conflict
from allocator.plan.constraints import Constraint
from allocator.plan.defaults import ChannelTerms
from allocator.plan.elastic import Elastic
from allocator.plan.objectives import Budget
from allocator.plan.problem import Problem
from allocator.plan.rows import Bound, Unit
from allocator.plan.solver import solve_program
from allocator.response.curve import ResponseCurve
from allocator.response.curves import Curves, Evidence, Response
from tests.oracles.random_cases import drawn_case, problem_of

LIMIT = TypeAdapter(Constraint)
HIGHS = partial(solve_program, engine="highs")
POINTS = {
    "email": [(0, 0), (100e3, 250e3), (300e3, 450e3)],
    "search": [(0, 0), (300e3, 500e3), (700e3, 760e3)],
    "post": [(0, 0), (200e3, 220e3), (400e3, 300e3)],
}


def problem(budget=1.2e6, spend="up_to", own=None, **limits):
    responses = [
        Response(name, ResponseCurve(*np.array(points).T), Evidence.OPINION, "points")
        for name, points in POINTS.items()
    ]
    channels = {
        name: ChannelTerms(
            name.title(), **{"current": 100e3, "cost_per_contact": 0.5, **(own or {}).get(name, {})}
        )
        for name in POINTS
    }
    limits = {name: LIMIT.validate_python(limit) for name, limit in limits.items()}
    return assemble(
        Curves(tuple(responses)), PlanTerms(channels, Budget(total=budget, spend=spend), limits=limits)
    )


def told(contradiction):
    conflict = explain_conflict(contradiction, HIGHS)
    return [row.name for row in conflict.rows], [repair.text for repair in conflict.repairs]


def test_minimums_above_the_budget():
    own = {"search": {"min": 200e3}, "post": {"min": 220e3}}
    assert told(problem(300e3, own=own)) == (
        ["budget.total", "channels.search.min", "channels.post.min"],
        [
            "raise budget.total by 120,000",
            "lower channels.search.min to 80,000",
            "lower channels.post.min to 100,000",
        ],
    )


def test_a_minimum_above_a_maximum():
    assert told(problem(own={"search": {"min": 200e3, "max": 150e3}})) == (
        ["channels.search.min", "channels.search.max"],
        ["lower channels.search.min to 150,000", "raise channels.search.max to 200,000"],
    )


def test_the_end_of_a_curve_is_named_but_not_offered_as_a_change():
    assert told(problem(own={"email": {"min": 350e3}})) == (
        ["channels.email.min", "curve_end[email]"],
        ["lower channels.email.min to 300,000"],
    )


def test_a_ratio_is_repaired_as_a_ratio():
    """The best 290,000 earn 250,000 on e-mail and 5/3 on search: 95.4 % of profit at most."""
    roi = {"measure": "roi", "min": "100%"}
    names, texts = told(problem(300e3, profitable=roi, volume={"measure": "spend", "min": 290e3}))
    assert names == ["profitable", "volume"]
    assert texts == ["lower constraints.profitable.min to 95.4%", "lower constraints.volume.min to 250,000"]


def test_an_exact_budget_can_be_too_large():
    _, texts = told(problem(300e3, "exactly", profitable={"measure": "roi", "min": "100%"}))
    assert texts == ["lower constraints.profitable.min to 94.44%", "lower budget.total by 50,000"]


def test_shares_of_the_budget_move_with_a_changed_budget():
    """Post takes 10 % and email 300,000 at the most, search 100,000: more than 444,444 cannot be spent."""
    share = {"measure": "share_of_budget", "max": "10%", "where": {"channel": "post"}}
    own = {"search": {"max": 100e3}}
    names, texts = told(problem(500e3, "exactly", own=own, post_share=share))
    assert names == ["budget.total", "channels.search.max", "post_share", "curve_end[email]"]
    assert texts == [
        "raise channels.search.max to 150,000",
        "raise constraints.post_share.max to 20%",
        "lower budget.total by 55,556",
    ]


def test_a_limit_for_each_channel_is_changed_where_it_is_written_once_for_all():
    change = {"measure": "change_vs_current", "each": "channel", "min": "20%"}
    names, texts = told(problem(300e3, no_shock=change))
    assert names == ["budget.total", "no_shock[email]", "no_shock[search]", "no_shock[post]"]
    assert texts == ["raise budget.total by 60,000", "lower constraints.no_shock.min to 0%"]


def test_contacts_are_counted_in_contacts():
    least = {"measure": "contacts", "where": {"channel": "email"}, "min": 700_000}
    assert told(problem(reach=least)) == (
        ["reach", "curve_end[email]"],
        ["lower constraints.reach.min to 600,000"],
    )


def test_two_separate_contradictions_are_cured_together():
    own = {"search": {"min": 200e3, "max": 100e3}, "email": {"min": 200e3, "max": 100e3}}
    names, texts = told(problem(500e3, own=own))
    assert names == ["channels.email.min", "channels.email.max"]
    assert texts[0] == "lower channels.email.min to 100,000 and lower channels.search.min to 100,000"
    assert len(texts) == len(set(texts)) == 3


def test_a_problem_with_a_plan_has_no_conflict():
    conflict = explain_conflict(problem(), HIGHS)
    assert (conflict.rows, conflict.repairs) == ((), ())


@pytest.mark.parametrize(
    ("contradiction", "names"),
    [
        (
            problem(300e3, own={"search": {"min": 200e3}, "post": {"min": 220e3}, "email": {"min": 1e3}}),
            ["budget.total", "channels.search.min", "channels.post.min"],
        ),
        (problem(own={"post": {"min": 2.0, "max": 1.0}}), ["channels.post.min", "channels.post.max"]),
        (problem(own={"post": {"min": 500e3}}), ["channels.post.min", "curve_end[post]"]),
        (
            problem(2e6, own={"email": {"max": 1e5}}, floor={"measure": "contacts", "min": 3e6}),
            ["channels.email.max", "floor", "curve_end[search]", "curve_end[post]"],
        ),
        (problem(own={"post": {"min": 100.0, "max": 100.0}}), []),
        (problem(roi={"measure": "roi", "min": "500%"}, floor={"measure": "spend", "min": 1}), []),
    ],
    ids=[
        "sum over budget",
        "min over max",
        "min past the end",
        "maximums too small",
        "equal",
        "needs a solver",
    ],
)
def test_plain_contradictions_are_seen_without_a_solver(contradiction, names):
    assert [row.name for row in arithmetic_conflict(contradiction)] == names


def keeps_all(contradiction: Problem) -> bool:
    """Independent formulation: margin below every tangent of the curve, instead of pieces."""
    n = len(contradiction.decisions)
    place = {cell: (j, k) for j, d in enumerate(contradiction.decisions) for k, cell in enumerate(d.cells)}
    matrix, sides = [], []
    for row in contradiction.rows:
        weights = np.zeros(2 * n)
        for cell, weight in row.terms.items():
            j, k = place[cell]
            decision = contradiction.decisions[j]
            weights[j] += weight.spend * decision.spend_shares[k]
            weights[n + j] += weight.margin * decision.value_shares[k]
        sign = -1 if row.bound is Bound.MIN else 1
        matrix.append(sign * weights)
        sides.append(sign * row.limit(contradiction.budget))
    for j, decision in enumerate(contradiction.decisions):
        for start, value, slope in zip(
            decision.curve.spend[:-1], decision.curve.value[:-1], decision.curve.slopes, strict=True
        ):
            tangent = np.zeros(2 * n)
            tangent[j], tangent[n + j] = -slope, 1
            matrix.append(tangent)
            sides.append(value - slope * start)
    slack = np.concatenate([np.zeros(2 * n), np.ones(1)])
    bounds = [(0, None)] * n + [(None, None)] * n + [(0, None)]
    widened = np.column_stack([np.array(matrix), -np.ones(len(matrix))])
    return linprog(slack, widened, sides, bounds=bounds).fun < 1e-6 * (1 + contradiction.budget)


def repaired(contradiction: Problem, repair, part=1.0) -> Problem:
    """The problem after the repair, or after a part of the way there."""
    before = contradiction.budget
    for row, limit in zip(repair.rows, repair.limits, strict=True):
        written = row.written(before)
        if row.kind == "budget":
            contradiction = replace(contradiction, budget=written + part * (limit - written))
            continue
        limit = written + part * (limit - written)
        rows = tuple(
            one.with_limit(limit, contradiction.budget)
            if (one.name, one.bound) == (row.name, row.bound)
            else one
            for one in contradiction.rows
        )
        contradiction = replace(contradiction, rows=rows)
    return contradiction


@pytest.mark.parametrize("shape", ["one tier", "tied", "mixed", "one per customer"])
def test_conflicts_are_minimal_and_repairs_are_the_smallest_that_work(shape):
    met = 0

    @settings(max_examples=60)
    @given(drawn_case(shape))
    def check(case):
        nonlocal met
        contradiction = problem_of(case)
        conflict = explain_conflict(contradiction, HIGHS)
        assert bool(conflict.rows) != keeps_all(contradiction)
        if not conflict.rows:
            return
        met += 1
        assert not keeps_all(replace(contradiction, rows=conflict.rows))
        for row in conflict.rows:
            others = tuple(other for other in conflict.rows if other is not row)
            assert keeps_all(replace(contradiction, rows=others))
        assert len(conflict.repairs) <= 3
        assert [repair.money for repair in conflict.repairs] == sorted(
            repair.money for repair in conflict.repairs
        )
        for repair in conflict.repairs:
            assert keeps_all(repaired(contradiction, repair))
            if repair.rows[0].unit is Unit.MONEY and " and " not in repair.text:
                move = abs(repair.limits[0] - repair.rows[0].written(contradiction.budget))
                assert not keeps_all(repaired(contradiction, repair, part=0.99 - 1.5 / move))

    check()
    assert met >= 10


@pytest.mark.parametrize(
    "contradiction",
    [
        problem(300e3, own={"search": {"min": 200e3}, "post": {"min": 220e3}}),
        problem(300e3, "exactly", profitable={"measure": "roi", "min": "100%"}),
    ],
    ids=["money", "ratio"],
)
def test_both_solvers_tell_the_same(contradiction):
    cbc, highs = (explain_conflict(contradiction, partial(solve_program, engine=e)) for e in ("cbc", "highs"))
    assert [row.name for row in cbc.rows] == [row.name for row in highs.rows]
    assert cbc.repairs == highs.repairs


def test_reordering_the_limits_does_not_change_the_cheapest_repair():
    own = {"search": {"min": 200e3}, "post": {"min": 220e3}}
    roi = {"measure": "roi", "min": "90%", "where": {"channel": "post"}}
    forward = problem(300e3, own=own, earns=roi, floor={"measure": "spend", "min": 1e3})
    backward = replace(forward, rows=forward.rows[:1] + forward.rows[:0:-1])
    costs = [[repair.money for repair in explain_conflict(one, HIGHS).repairs] for one in (forward, backward)]
    assert costs[0] == pytest.approx(costs[1])


def test_the_elastic_program_measures_by_how_much_limits_are_missed():
    contradiction = problem(300e3, own={"search": {"min": 200e3}, "post": {"min": 220e3}})
    elastic = Elastic.of(contradiction)
    kept = np.ones(len(contradiction.rows), dtype=bool)
    assert elastic.shortfall(kept) * elastic.compiled.money == pytest.approx(120e3)
    kept[0] = False
    assert elastic.shortfall(kept) == 0
