"""Rows: limits in the writer's unit, moved, measured and spelled."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.plan.rows import Bound, Quotient, Row, Unit, Weights, ratio_row
from allocator.response.curves import Cell

EMAIL, SEARCH = Cell("all", "email"), Cell("all", "search")
BOTH = {EMAIL: Weights(spend=1), SEARCH: Weights(spend=1)}
AMOUNTS = {EMAIL: Weights(100, 250, 700), SEARCH: Weights(300, 330, 900)}

ROI = Quotient({EMAIL: Weights(margin=1)}, {EMAIL: Weights(spend=1)}, offset=-1)
SHARE = Quotient({EMAIL: Weights(spend=1)}, BOTH)
ROWS = {
    "money": Row("a", "spend", Bound.MIN, BOTH, rhs=350),
    "budget": Row("budget.total", "budget", Bound.MAX, BOTH, rhs=0, rhs_per_budget=1),
    "share of budget": Row(
        "a", "share_of_budget", Bound.MIN, BOTH, 0, rhs_per_budget=0.25, unit=Unit.SHARE, scale=1000
    ),
    "change": Row("a", "change_vs_current", Bound.MIN, BOTH, rhs=60, unit=Unit.SHARE, scale=100, shift=1),
    "change in money": Row("a", "change_vs_current", Bound.MAX, BOTH, rhs=150, shift=100),
    "contacts a head": Row(
        "a", "contacts_per_customer", Bound.MAX, BOTH, 4000, unit=Unit.CONTACTS_PER_CUSTOMER, scale=2000
    ),
    "roi": ratio_row(Row("a", "roi", Bound.MIN, {}, 0, unit=Unit.RATIO), ROI, 0.2),
    "share of spend": ratio_row(Row("a", "share_of_spend", Bound.MAX, {}, 0, unit=Unit.SHARE), SHARE, 0.3),
}
WRITTEN = [350, 1000, 0.25, -0.4, 50, 2, 0.2, 0.3]

every_row = pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))


@pytest.mark.parametrize(("row", "written"), list(zip(ROWS.values(), WRITTEN, strict=True)), ids=list(ROWS))
def test_a_row_knows_its_limit_as_it_was_written(row, written):
    assert row.written(1000) == pytest.approx(written)


@every_row
@given(limit=st.floats(0.01, 0.9))
def test_a_moved_limit_is_read_back(row, limit):
    assert row.with_limit(limit, 1000).written(1000) == pytest.approx(limit)


@every_row
def test_moving_a_limit_to_where_it_is_changes_nothing(row):
    same = row.with_limit(row.written(1000), 1000)
    assert same.limit(1000) == pytest.approx(row.limit(1000))
    assert same.activity(AMOUNTS) == pytest.approx(row.activity(AMOUNTS))


@every_row
def test_a_limit_at_what_is_measured_is_just_kept(row):
    at = row.with_limit(row.measured(AMOUNTS, 1000), 1000)
    assert at.activity(AMOUNTS) == pytest.approx(at.limit(1000))
    tighter = row.with_limit(row.measured(AMOUNTS, 1000) + 0.01 * row.bound.sign, 1000)
    assert tighter.violation(AMOUNTS, 1000) > 0


def test_what_is_measured_is_in_the_writers_unit():
    assert ROWS["roi"].measured(AMOUNTS, 1000) == pytest.approx(1.5)
    assert ROWS["share of spend"].measured(AMOUNTS, 1000) == pytest.approx(0.25)
    assert ROWS["share of budget"].measured(AMOUNTS, 1000) == pytest.approx(0.4)
    assert ROWS["change"].measured(AMOUNTS, 1000) == pytest.approx(3.0)


def test_the_return_on_nothing_is_unknown_not_zero():
    assert ROWS["roi"].measured({}, 1000) is None


def test_the_terms_of_a_ratio_add_up_where_top_and_bottom_meet():
    assert ROWS["share of spend"].terms[EMAIL].spend == pytest.approx(0.7)
    assert ROWS["share of spend"].terms[SEARCH].spend == pytest.approx(-0.3)


def test_a_violation_counts_on_the_side_that_is_limited_only():
    assert ROWS["money"].violation(AMOUNTS, 1000) == 0
    assert ROWS["budget"].violation(AMOUNTS, 250) == 150
    assert ROWS["budget"].violation(AMOUNTS, 1000) == 0


def test_shares_of_the_budget_move_with_it():
    assert ROWS["share of budget"].limit(1000) == 250
    assert ROWS["share of budget"].limit(2000) == 500
    assert ROWS["share of budget"].written(2000) == 0.25


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("money", "350"),
        ("budget", "1,000"),
        ("share of budget", "25%"),
        ("change", "-40%"),
        ("roi", "20%"),
        ("contacts a head", "2.00"),
    ],
)
def test_limits_are_spelled_as_people_write_them(name, text):
    assert ROWS[name].spelled(1000) == text


def test_a_return_per_unit_names_the_currency():
    row = ratio_row(Row("a", "return_per_unit", Bound.MIN, {}, 0, unit=Unit.RATIO), ROI, 1.9)
    assert row.spelled(1000, "EUR") == "1.90 per EUR"


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3), st.lists(st.floats(-9, 9), min_size=3, max_size=3)
)
def test_weights_times_amounts(amounts, coefficients):
    expected = math.fsum(a * c for a, c in zip(amounts, coefficients, strict=True))
    assert Weights(*coefficients).dot(Weights(*amounts)) == pytest.approx(expected, abs=1e-6)
