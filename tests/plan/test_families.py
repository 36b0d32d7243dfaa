"""Limits of segments are told as one limit of their tier, with one price."""

from __future__ import annotations

import numpy as np
import pytest

from allocator.plan.families import families, joined, told
from allocator.plan.optimise import optimise
from allocator.plan.problem import Decision, Problem
from allocator.plan.rows import Bound, Row
from allocator.plan.solution import RowResult, Solution, Status
from allocator.response.curves import Cell
from tests.plan.made_up_problems import SPEND, cells_of, limit, points, problem

SLOPES = {("high", "1"): 5.0, ("high", "2"): 3.0, ("low", "1"): 4.0, ("low", "2"): 1.2}
ENDS = {("high", "1"): 20.0, ("high", "2"): 60.0, ("low", "1"): 10.0, ("low", "2"): 90.0}


def part(tier: str, segment: str, times: float) -> Decision:
    end = ENDS[tier, segment] * times
    cell = Cell(tier, "email", segment=segment)
    curve = points((end, SLOPES[tier, segment] * end))
    return Decision(f"email, {tier}#{segment}", (cell,), np.ones(1), np.ones(1), curve)


def segmented(budget: float, times: float = 1.0, *rows: Row) -> Problem:
    parts = [part(tier, segment, times if tier == "high" else 1.0) for tier, segment in SLOPES]
    return problem(parts, budget, *rows)


def ends(solution: Solution) -> dict[str, RowResult]:
    return {one.row.name: one for one in solution.rows if one.row.kind == "curve_end"}


def test_rows_of_one_tier_are_one_family_and_written_limits_stand_alone() -> None:
    rows = segmented(100.0, 1.0, limit("cap", cells_of([part("high", "1", 1.0)]), most=5.0)).rows
    found = families(rows)
    assert sorted(place for family in found for place in family) == list(range(len(rows)))
    assert [len(family) for family in found if rows[family[0]].kind != "curve_end"] == [1, 1]
    assert sorted(len(family) for family in found if rows[family[0]].kind == "curve_end") == [2, 2]


def test_a_family_is_told_once_with_the_sum_of_its_limits() -> None:
    rows = [row for row in segmented(100.0).rows if row.kind == "curve_end"]
    high, low = told(rows)
    assert (high.name, high.rhs) == ("curve_end[email, high]", 80.0)
    assert (low.name, low.rhs) == ("curve_end[email, low]", 100.0)
    assert high.terms == {Cell("high", "email"): SPEND}
    assert joined(rows[:2]) == high


@pytest.mark.parametrize("budget", [1000.0, 95.0])
def test_the_price_of_a_family_is_what_a_larger_tier_would_bring(budget: float) -> None:
    before = optimise(segmented(budget), "highs")
    after = optimise(segmented(budget, 1.0 + 1e-3), "highs")
    high = ends(before)["curve_end[email, high]"]
    assert high.binding
    wider = 1e-3 * high.limit
    assert high.next_unit == pytest.approx((after.objective - before.objective) / wider, rel=1e-4)


def test_only_the_segments_that_are_full_are_told() -> None:
    solution = optimise(segmented(25.0), "highs")  # the best of the high tier full, part of the low one's
    high = ends(solution)["curve_end[email, high]"]
    assert (high.limit, high.value) == pytest.approx((20.0, 20.0))
    assert not ends(solution)["curve_end[email, low]"].binding


def test_a_conflict_names_a_tier_once() -> None:
    floor = limit("floor", [Cell("high", "email", segment=s) for s in "12"], least=90.0)
    solution = optimise(segmented(1000.0, 1.0, floor), "highs")
    assert solution.status is Status.INFEASIBLE
    assert solution.conflict is not None
    names = [row.name for row in solution.conflict.rows]
    assert sorted(names) == ["curve_end[email, high]", "floor"]
    assert next(row.rhs for row in solution.conflict.rows if row.bound is Bound.MAX) == 80.0
    assert [repair.text for repair in solution.conflict.repairs] == ["lower floor to 80"]
