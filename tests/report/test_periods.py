from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.report.build import build
from allocator.report.document import Money, Table
from allocator.report.periods import quarter, spans_of
from allocator.report.render.text import Terminal, render_text
from tests.report import made_up_plans as plans

TITLE = "When the money goes"

SHOWN = """\
When the money goes (thousand)
 return counts what arises in a period, the last one also what comes after the horizon (Paid search)
 channel       2027-01   2027-02   2027-03   2027-Q1   2027-04   2027-05   2027-06   2027-Q2   total
 Paid search        49        68        86       203       105        50        67       222     425
 E-mail             30        40        51       121        62        29        40       131     252
 Paid social        24        32        41        97        50        24        33       107     204
 Direct mail        37        51        65       153        78        37         –       115     268
 ───────────────────────────────────────────────────────────────────────────────────────────────────
 total             140       191       243       574       295       140       140       575   1,149
 return            265       363       461     1,089       559       265       285     1,109   2,198
"""


def table(solution, **changes) -> Table:
    document = build(plans.view(solution=solution, **changes))
    return next(t for t in document.tables if t.title.startswith(TITLE))


def heads(t: Table) -> list[str]:
    return [column.head for column in t.columns[1:]]


def numbers(row) -> list[float]:
    return [entry.shown or 0.0 for entry in row[1:] if isinstance(entry, Money)]


def test_months_stand_beside_the_quarters_they_add_to():
    view = plans.view(solution=plans.in_periods(), carrying=("Paid search",))
    assert SHOWN in render_text(build(view), Terminal(width=120))


def test_a_plan_without_periods_has_no_such_table():
    assert TITLE not in [t.title.partition(" (")[0] for t in build(plans.view()).tables]


def test_in_a_narrow_place_the_periods_stand_below_each_other():
    text = render_text(build(plans.view(solution=plans.in_periods())), Terminal(width=70))
    words = [line.split("  ") for line in text.splitlines() if line.startswith(" period")]
    assert [[word.strip() for word in line if word.strip()] for line in words] == [
        ["period", "Paid search", "E-mail", "Paid social", "Direct mail", "total", "return"]
    ]
    assert max(map(len, text.splitlines())) <= 70


def test_what_carries_over_is_said_once():
    text = render_text(build(plans.view(solution=plans.in_periods(), carrying=("TV", "Radio"))))
    assert text.count("what comes after the horizon (TV, Radio)") == 1
    assert "after the horizon" not in render_text(build(plans.view(solution=plans.in_periods())))


@given(st.data(), st.sampled_from([10.0, 5_000.0, 400_000.0, 5e10]))
def test_every_row_quarter_and_total_adds_up(data, most):
    cents = st.integers(0, round(100 * most)).map(lambda n: n / 100)
    cells = tuple(
        replace(cell, spend=data.draw(cents), margin=data.draw(cents)) for cell in plans.in_periods().cells
    )
    t = table(replace(plans.in_periods(), cells=cells), budget=12 * most)
    spans = heads(t)
    for row in (*t.rows, *t.totals):
        shown = dict(zip(spans, numbers(row), strict=True))
        months = {head: value for head, value in shown.items() if head in plans.MONTHS}
        assert round(sum(months.values()), 2) == shown["total"]
        for name in ("2027-Q1", "2027-Q2"):
            parts = [value for head, value in months.items() if quarter(head) == name]
            assert round(sum(parts), 2) == shown[name]
    for column in zip(*map(numbers, t.rows), numbers(t.totals[0]), strict=True):
        assert round(sum(column[:-1]), 2) == column[-1]
    assert t.turned is not None
    sides = [numbers(row) for row in (*t.turned.rows, *t.turned.totals)]
    assert sides == [list(column) for column in zip(*map(numbers, (*t.rows, *t.totals)), strict=True)]


@given(st.data())
def test_nothing_is_off_by_a_unit(data):
    cents = st.integers(0, 50_000_000).map(lambda n: n / 100)
    cells = tuple(replace(cell, spend=data.draw(cents)) for cell in plans.in_periods().cells)
    t = table(replace(plans.in_periods(), cells=cells))
    for row in (*t.rows, t.totals[0]):
        for head, entry in zip(heads(t), row[1:], strict=True):
            if head in plans.MONTHS or head == "total":
                assert abs((entry.value or 0.0) / 1000 - (entry.shown or 0.0)) < 1


MONTHS_OF_TWO_YEARS = tuple(f"{year}-{month:02}" for year in (2027, 2028) for month in range(1, 13))


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("2027-01", "2027-02"), ["2027-01", "2027-02"]),
        (("2027-03", "2027-04"), ["2027-03", "2027-Q1", "2027-04", "2027-Q2"]),
        (("2027-Q1", "2027-Q2"), ["2027-Q1", "2027-Q2"]),
        (("2027-W12", "2027-W13"), ["2027-W12", "2027-W13"]),
        (MONTHS_OF_TWO_YEARS, [f"{year}-Q{q}" for year in (2027, 2028) for q in range(1, 5)]),
        (tuple(f"2027-W{week:02}" for week in range(1, 31)), ["2027-Q1", "2027-Q2", "2027-Q3"]),
        (tuple(f"{2027 + i // 12}-{i % 12 + 1:02}" for i in range(48)), ["2027", "2028", "2029", "2030"]),
    ],
    ids=["one quarter", "two quarters", "quarters", "weeks", "two years", "many weeks", "four years"],
)
def test_columns_are_as_many_as_can_be_read(names, told):
    assert heads(table(plans.in_periods(names))) == [*told, "total"]


def test_a_week_belongs_to_the_quarter_of_its_thursday():
    assert [quarter(name) for name in ("2026-W53", "2027-W12", "2027-W13")] == [
        "2026-Q4",
        "2027-Q1",
        "2027-Q2",
    ]


def test_a_quarter_adds_the_months_there_are():
    assert [span.parts for span in spans_of(["2027-03", "2027-04", "2027-05"])] == [
        (0,), (0,), (1,), (2,), (1, 2),
    ]  # fmt: skip


def test_a_channel_without_a_curve_in_a_period_is_not_shown_as_zero():
    t = table(plans.in_periods())
    assert t.rows[3][heads(t).index("2027-06") + 1].text == "–"
