"""Manual plans: the optimum's own numbers where it is the optimum, every broken limit by name and amount."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.errors import DataError
from allocator.plan.optimise import optimise
from allocator.plan.solution import Status
from allocator.response.curves import Cell
from allocator.study.evaluate import Given, evaluate
from tests.plan.made_up_problems import (
    decision,
    fifteen_cells,
    limit,
    problem,
    random_problem,
    roi,
    slopes,
    tied,
)


def by_cell(solution):
    return [Given(one.cell.channel, one.spend, one.cell.tier) for one in solution.cells]


@pytest.fixture
def two():
    email = [
        decision(f"{tier}/email", slopes((100, 3), (100, 1.5)), current=50.0) for tier in ("low", "high")
    ]
    return problem(
        [*email, decision("all/search", slopes((400, 2)), current=100.0)],
        500.0,
        limit("cap", email[0].cells + email[1].cells, most=250.0),
        roi("pays", email[0].cells, 0.5),
    )


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_an_optimal_plan_is_valued_as_the_optimum(seed):
    one = random_problem(seed)
    best = optimise(one, "highs")
    if best.status is not Status.OPTIMAL:
        return
    found = evaluate(one, by_cell(best))
    assert found.decision_spend == pytest.approx(best.decision_spend, abs=1e-6)
    assert found.objective == pytest.approx(best.objective, rel=1e-9, abs=1e-6)
    assert found.gap == pytest.approx(0.0, abs=1e-6 * (1 + abs(best.objective)))
    assert found.violations == ()
    for mine, its in zip(found.cells, best.cells, strict=True):
        assert (mine.cell, mine.tied) == (its.cell, its.tied)
        assert (mine.spend, mine.margin) == pytest.approx((its.spend, its.margin), rel=1e-9, abs=1e-6)
    for mine, its in zip(found.rows, best.rows, strict=True):
        assert mine.row.name == its.row.name
        assert mine.value == pytest.approx(its.value, rel=1e-9, abs=1e-6, nan_ok=True)
    if best.today:
        assert found.today.margin == pytest.approx(best.today.margin)


def test_broken_limits_are_named_with_the_amount(two):
    found = evaluate(two, [Given("email", 150, "low"), Given("email", 180, "high"), Given("search", 300)])
    missing = {one.row.name: one.missing for one in found.violations}
    assert missing == pytest.approx({"budget.total": 130.0, "cap": 80.0})
    assert "at most 250" in found.violations[1].text
    assert "330" in found.violations[1].text


def test_less_than_the_best_is_behind_by_the_difference(two):
    # best: 100 low and 100 high at 3, then 300 of search at 2; roi of the low ones holds
    found = evaluate(two, [Given("email", 100, "low"), Given("search", 300)])
    assert found.objective == pytest.approx(2 * 100 + 300)
    assert found.gap == pytest.approx(200)
    assert found.cells[1].spend == 0.0


def test_the_total_of_a_channel_is_split_as_the_objective_likes_best(two):
    found = evaluate(two, [Given("email", 200), Given("search", 300)])
    assert found.decision_spend == pytest.approx((100, 100, 300))
    assert found.gap == pytest.approx(0, abs=1e-6)
    (note,) = found.notes
    assert note == "email: 200 were split over 2 of its tiers or periods as the objective likes best"


def test_segments_share_their_customers_among_channels():
    # one contact a customer: who gets the e-mail gets no letter; the first segment gains most by both
    cells = {(name, k): Cell("all", name, segment=str(k)) for name in ("email", "letter") for k in (1, 2)}
    gains = {("email", 1): 3.0, ("email", 2): 2.5, ("letter", 1): 4.0, ("letter", 2): 1.5}
    decisions = [
        replace(decision(f"{name}#{k}", slopes((100, gain))), cells=(cells[name, k],))
        for (name, k), gain in gains.items()
    ]
    once = [
        limit(f"one_per_customer[all#{k}]", [cells["email", k], cells["letter", k]], most=100.0,
              kind="one_per_customer")
        for k in (1, 2)
    ]  # fmt: skip
    found = evaluate(problem(decisions, 200.0, *once), [Given("email", 100), Given("letter", 100)])
    assert found.decision_spend == pytest.approx((0, 100, 100, 0))
    assert found.violations == ()
    assert [cell.spend for cell in found.cells] == pytest.approx([100, 100])
    assert found.gap == pytest.approx(0)


def test_amounts_of_a_tied_channel_are_added_up_and_it_is_said():
    one = problem([tied("tv", slopes((1000, 2)), [0.25, 0.75])], 500.0)
    found = evaluate(one, [Given("tv", 100, "t0"), Given("tv", 100, "t1")])
    assert found.decision_spend == (200.0,)
    assert [cell.spend for cell in found.cells] == [50.0, 150.0]
    assert found.notes == ("tv: its tiers are tied, so 2 amounts were added up to 200",)


def test_money_past_the_end_of_a_curve_is_spent_and_brings_nothing():
    one = problem([decision("email", slopes((100, 3)))], 500.0)
    found = evaluate(one, [Given("email", 150)])
    assert found.cells[0].spend == 150.0
    assert found.cells[0].margin == pytest.approx(300.0)
    assert found.objective == pytest.approx(150.0)
    assert [violation.row.name for violation in found.violations] == ["curve_end[email]"]
    assert "50 lie past the end" in found.notes[0]


def test_a_total_that_no_curve_takes_is_split_all_the_same(two):
    found = evaluate(two, [Given("email", 600)])
    assert sum(found.decision_spend) == pytest.approx(600)
    assert sum(cell.margin for cell in found.cells) == pytest.approx(2 * 450)
    assert "search" in found.notes[1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (Given("emial", 1.0), "did you mean 'email'"),
        (Given("email", 1.0, "hihg"), "did you mean 'high'"),
        (Given("email", 1.0, "", "2027-01"), "no period '2027-01'"),
        (Given("search", 1.0, "high"), "no cell 'high/search'"),
        (Given("email", -1.0), "0 or more"),
        (Given("email", float("nan")), "0 or more"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(two, line, said):
    with pytest.raises(DataError, match="line 2") as caught:
        evaluate(two, [Given("search", 10.0), line])
    assert said in str(caught.value)


def test_a_whole_and_its_part_are_refused(two):
    with pytest.raises(DataError, match="as a whole and in parts"):
        evaluate(two, [Given("email", 100.0), Given("email", 50.0, "low")])


def test_today_s_plan_of_fifteen_cells_is_behind_the_optimum():
    one = fifteen_cells()
    found = evaluate(one, [Given(d.cells[0].channel, d.current, d.cells[0].tier) for d in one.decisions])
    assert found.objective == pytest.approx(one.value(one.quantities(np.full(15, one.budget / 15))))
    assert found.gap > 0
    slack = one.slacks(one.quantities(np.full(15, one.budget / 15)))
    broken = {row.name: -left for row, left in zip(one.rows, slack, strict=True) if left < 0}
    assert {missed.row.name: missed.missing for missed in found.violations} == pytest.approx(broken)
