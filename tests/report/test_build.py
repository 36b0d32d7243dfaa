from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.errors import Finding, Origin
from allocator.plan.rows import Unit
from allocator.plan.solution import CellResult, Conflict, Repair, RowResult, Solution, Status
from allocator.report.build import build
from allocator.report.document import Document, Money, Percent, Table
from allocator.response.curves import Cell, Evidence
from tests.report import made_up_plans as plans

CHANNEL, TIER = "Where the money goes", "Plan by tier and channel"


def table(document: Document, title: str) -> Table:
    return next(t for t in document.tables if t.title.startswith(title))


def remarks(document: Document, label: str) -> str:
    return " · ".join(next(f for f in document.figures if f.label.startswith(label)).remarks)


def shown(entry: object) -> float | None:
    return entry.shown if isinstance(entry, Money) else None


def column(t: Table, head: str) -> tuple[list[float | None], list[float | None]]:
    """The displayed numbers of a column, and of its totals."""
    i = [c.head for c in t.columns].index(head)
    return [shown(row[i]) for row in t.rows], [shown(row[i]) for row in t.totals]


def with_cells(cells: tuple[CellResult, ...], **changes: object) -> Document:
    solution = replace(plans.solution(), cells=cells)
    return build(plans.view(solution=solution, **changes))


def random_cells(data: st.DataObject, most: float) -> tuple[CellResult, ...]:
    cents = st.integers(0, round(100 * most)).map(lambda n: n / 100)
    money = st.floats(0, 3 * most)
    return tuple(
        replace(cell, spend=data.draw(cents), margin=data.draw(money), current=data.draw(cents))
        for cell in plans.cells()
    )


@given(st.data(), st.sampled_from([10.0, 5_000.0, 400_000.0, 5e10]))
def test_every_displayed_row_adds_to_the_displayed_totals(data, most):
    document = with_cells(random_cells(data, most), budget=12 * most)
    by_channel, by_tier = table(document, CHANNEL), table(document, TIER)
    digits = 2
    for head in ("now", "plan", "return"):
        parts, (total,) = column(by_channel, head)
        assert round(sum(parts), digits) == total
    for entries in (*by_channel.rows, *by_channel.totals):
        assert round(shown(entries[1]) + shown(entries[3]), digits) == shown(entries[2])
    for t, extra in ((by_tier, 2), (by_tier.turned, 0)):
        for entries in (*t.rows, t.totals[0]):
            *parts, total = [shown(e) for e in entries[1 : len(entries) - extra]]
            assert round(sum(parts), digits) == total
    for head in [c.head for c in by_tier.columns[1:] if c.head != "share"]:
        parts, (total,) = column(by_tier, head)
        assert round(sum(parts), digits) == total
    figures = {figure.label[:4]: shown(figure.value) for figure in document.figures}
    assert figures["Spen"] == column(by_channel, "plan")[1][0]
    assert figures["Retu"] == column(by_channel, "return")[1][0]


@given(st.data())
def test_shares_of_tiers_add_to_all(data):
    t = table(with_cells(random_cells(data, 1000.0)), TIER)
    i = [c.head for c in t.columns].index("share")
    parts = [row[i] for row in t.rows]
    if all(isinstance(p, Percent) and p.shown is not None for p in parts):
        assert round(sum(p.shown for p in parts), 9) == 1.0


def test_the_headline_tells_the_answers():
    document = build(plans.view())
    assert [(f.label, f.value.text) for f in document.figures] == [
        ("Spend", "1,200,000"),
        ("Return", "2,275,986"),
        ("vs now", "+180,087"),
        ("Next 1k", "1,214"),
    ]
    assert remarks(document, "Spend") == "of 1,200,000 budget, 0 left"
    assert "1.90 per EUR · likely 1.94M to 2.64M (8 in 10)" in remarks(document, "Return")
    assert "48% of the budget rests on tests, 35% on models, 17% on opinion" in remarks(document, "Return")
    assert remarks(document, "vs now") == "margin · spend ±0 · beats today's plan in 93% of draws"
    assert remarks(document, "Next") == "above break-even: more budget would pay"


def test_opinion_that_decides_carries_a_badge():
    channels = tuple(replace(c, evidence=Evidence.OPINION) for c in plans.CHANNELS)
    said = remarks(build(plans.view(channels=channels)), "Return")
    assert "all of the budget rests on estimates, not data" in said
    mostly = (*channels[:3], plans.CHANNELS[3])
    said = remarks(build(plans.view(channels=mostly)), "Return")
    assert "27% of the budget rests on tests, 73% on opinion · rests on estimates, not data" in said
    assert "not data" not in remarks(build(plans.view()), "Return")


def test_unspent_budget_is_not_claimed_to_rest_on_anything():
    document = build(plans.view(budget=1_500_000.0))
    assert remarks(document, "Spend") == "of 1,500,000 budget, 300,000 left"
    assert "48% of the spend rests on tests" in remarks(document, "Return")


@pytest.mark.parametrize(
    ("marginal", "said"),
    [
        (1.2, "above break-even: more budget would pay"),
        (1.001, "at break-even"),
        (0.8, "below break-even: more budget would not pay"),
        (None, "limits and ends of curves let no more money in"),
    ],
)
def test_the_next_unit_is_held_against_break_even(marginal, said):
    document = build(plans.view(solution=replace(plans.solution(), marginal_return=marginal)))
    assert remarks(document, "Next").startswith(said)


@pytest.mark.parametrize(("share", "said"), [(0.9999, "99%"), (1.0, "100%"), (0.001, "1%"), (0.0, "0%")])
def test_almost_always_is_not_always(share, said):
    today = replace(plans.solution().today, beaten_in=share)
    document = build(plans.view(solution=replace(plans.solution(), today=today)))
    assert f"beats today's plan in {said} of draws" in remarks(document, "vs now")


def test_a_change_of_spend_shows_the_change_of_profit():
    solution = plans.solution()
    cells = tuple(replace(cell, current=50_000.0) for cell in solution.cells)
    today = replace(solution.today, spend=600_000.0)
    document = build(plans.view(solution=replace(solution, cells=cells, today=today)))
    assert remarks(document, "vs now").startswith("margin · spend +600,000 · profit -419,913")


def test_unknown_spend_of_today_is_said_not_guessed():
    cells = tuple(replace(c, current=None) if c.cell.channel == "mail" else c for c in plans.cells())
    solution = replace(plans.solution(), cells=cells, today=None)
    document = build(plans.view(solution=solution))
    assert "not stated for Direct mail" in remarks(document, "vs now")
    parts, totals = column(table(document, CHANNEL), "now")
    assert parts == [420_000, 180_000, 300_000, None]
    assert totals == [None]


def test_a_channel_known_in_some_tiers_only_is_unknown():
    cells = tuple(replace(c, current=None) if c.cell == Cell("low", "mail") else c for c in plans.cells())
    assert column(table(with_cells(cells), CHANNEL), "now")[0][3] is None


def test_columns_of_today_go_when_nothing_is_known():
    cells = tuple(replace(cell, current=None) for cell in plans.cells())
    document = build(plans.view(solution=replace(plans.solution(), cells=cells, today=None)))
    assert remarks(document, "vs now") == "today's spend is not stated"
    heads = [c.head for c in table(document, CHANNEL).columns]
    assert "now" not in heads
    assert "change" not in heads


def test_small_budgets_show_cents_and_single_units():
    cells = tuple(replace(c, spend=c.spend / 1000, margin=c.margin / 1000) for c in plans.cells())
    document = with_cells(cells, budget=1200.0)
    assert remarks(document, "Spend") == "of 1,200.00 budget, 0.00 left"
    assert document.figures[3].label == "Next 1"
    assert document.figures[3].value.text == "1.21"
    assert table(document, TIER).title == "Plan by tier and channel"


def test_a_channel_missing_in_a_tier_is_not_shown_as_zero():
    cells = tuple(c for c in plans.cells() if c.cell != Cell("low", "mail"))
    t = table(with_cells(cells), TIER)
    assert t.rows[2][4].text == "–"


def test_one_tier_needs_no_table_of_tiers():
    cells = tuple(
        replace(c, cell=c.cell._replace(tier="all")) for c in plans.cells() if c.cell.tier == "high"
    )
    document = with_cells(cells, tiers=(replace(plans.TIERS[0], name="all"),))
    assert [t.title for t in document.tables] == [CHANNEL, "What holds the plan back"]


def test_a_plan_that_spends_nothing_has_no_ratios():
    cells = tuple(replace(cell, spend=0.0, margin=0.0) for cell in plans.cells())
    t = table(with_cells(cells), CHANNEL)
    assert t.totals[0][6].text == "–"


def test_binding_limits_come_budget_first_with_reason_and_place():
    t = table(build(plans.view()), "What holds")
    assert [[entry.text for entry in row] for row in t.rows] == [
        ["budget.total", "max", "1,200,000", "+214", "Budget for the horizon", "q1_base.yaml:11"],
        ["no_shock[email]", "max", "252,000", "+132", "Agencies need 8 weeks' notice", "q1_base.yaml:50"],
    ]
    assert t.footer == ("low_tier_floor (18k spare)", "earn_it (90% against min 20%)", "1 end of a curve")


def test_the_budget_leads_even_where_another_limit_is_dearer():
    rows = tuple(
        replace(row, next_unit=9.0) if row.row.kind != "budget" else row for row in plans.solution().rows
    )
    t = table(build(plans.view(solution=replace(plans.solution(), rows=rows[::-1]))), "What holds")
    assert [row[0].text for row in t.rows] == ["budget.total", "no_shock[email]"]


def test_a_price_that_differs_on_its_two_sides_shows_both():
    solution = plans.solution()
    rows = (replace(solution.rows[0], last_unit=0.3), *solution.rows[1:])
    t = table(build(plans.view(solution=replace(solution, rows=rows))), "What holds")
    assert "1k tighter costs" in [c.head for c in t.columns]
    assert t.rows[0][4].text == "-300"
    assert "1k tighter costs" not in [c.head for c in table(build(plans.view()), "What holds").columns]


def test_a_ratio_limit_is_shown_as_written():
    solution = plans.solution()
    rows = tuple(replace(row, binding=row.row.kind == "roi", next_unit=0.01) for row in solution.rows)
    t = table(build(plans.view(solution=replace(solution, rows=rows))), "What holds")
    assert [entry.text for entry in t.rows[0][:3]] == ["earn_it", "min", "20%"]


def test_many_limits_of_one_name_are_told_by_the_nearest():
    names = ("search", "email", "social", "mail")
    family = [
        replace(
            plans.solution().rows[2],
            row=replace(plans.NO_SHOCK, name=f"no_shock[{name}]"),
            binding=False,
            slack=1000.0 * (i + 1),
        )
        for i, name in enumerate(reversed(names))
    ]
    document = build(plans.view(solution=replace(plans.solution(), rows=tuple(family))))
    t = table(document, "What holds")
    assert t.footer == ("no_shock (4 limits; nearest mail max, 1k spare)",)
    assert t.footer_label == "No limit binds. Not binding:"
    two = replace(plans.solution(), rows=tuple(family[:2]))
    assert table(build(plans.view(solution=two)), "What holds").footer == (
        "no_shock[mail] (1k spare)",
        "no_shock[social] (2k spare)",
    )


def test_contacts_are_counted_not_priced():
    row = replace(plans.BUDGET, name="calls", unit=Unit.CONTACTS, rhs=9_000.4, rhs_per_budget=0.0)
    rows = (
        RowResult(row, 9_000.4, 9_000.4, 0.0, True, 0.5, 0.5),
        RowResult(replace(row, name="mails"), 9_000.0, 1_000.0, 8_000.0, False),
    )
    t = table(build(plans.view(solution=replace(plans.solution(), rows=rows))), "What holds")
    assert t.rows[0][2].text == "9,000"
    assert t.footer == ("mails (8,000 contacts spare)",)


def test_prices_in_another_objective_say_so():
    document = build(plans.view(objective="incremental_revenue"))
    assert "maximises incremental revenue" in document.subtitle
    assert table(document, "What holds").title.endswith("(prices in incremental revenue)")


def test_a_contradiction_gives_the_ways_out_and_no_figures():
    document = build(plans.contradiction())
    assert document.refusal.code == "E401"
    assert [(c.text, c.remark) for c in document.refusal.choices] == [
        ("raise budget.total by 120,000", "Budget for the horizon · q1_base.yaml:11"),
        ("lower channels.search.min to 80,000", "Lower limit of Paid search · q1_base.yaml:27"),
    ]
    assert not document.figures
    t = table(document, "These limits cannot all hold")
    assert [row[2].text for row in t.rows] == ["1,200,000", "1,000,000"]


def test_a_cure_of_one_limit_for_many_cells_gives_its_place_once():
    rows = tuple(replace(plans.NO_SHOCK, name=f"no_shock[{name}]") for name in ("search", "email"))
    repair = Repair(rows, (0.6, 0.6), 1e5, "raise constraints.no_shock.max to 60%")
    solution = Solution(Status.INFEASIBLE, "cbc", conflict=Conflict(rows, (repair,)))
    document = build(plans.view(solution=solution))
    assert document.refusal.choices[0].remark == "Agencies need 8 weeks' notice · q1_base.yaml:50"
    assert [row[2].text for row in document.tables[0].rows] == ["252,000", "252,000"]


def test_a_cure_of_several_limits_names_each():
    both = Repair((plans.BUDGET, plans.SEARCH_MIN), (1.25e6, 1.5e5), 1e5, "raise budget.total and lower …")
    solution = Solution(Status.INFEASIBLE, "cbc", conflict=Conflict((plans.BUDGET,), (both,)))
    refusal = build(plans.view(solution=solution)).refusal
    assert refusal.text.endswith("Smallest change that would work:")
    assert "q1_base.yaml:11; " in refusal.choices[0].remark
    assert refusal.choices[0].remark.endswith("q1_base.yaml:27")


@pytest.mark.parametrize("status", [Status.UNBOUNDED, Status.TIME_LIMIT, Status.ERROR, Status.INFEASIBLE])
def test_every_way_to_end_without_a_plan_has_words(status):
    refusal = build(plans.view(solution=Solution(status, "cbc"))).refusal
    assert refusal.text
    assert refusal.code == ("E401" if status is Status.INFEASIBLE else "E402")


def test_many_warnings_of_one_kind_do_not_drown_the_others():
    many = [Finding("W301", Origin("a.yaml", i), "no reason is given") for i in range(1, 8)]
    found = (*many, Finding("W305", None, "not unique"))
    assert [(a.code, a.text) for a in build(plans.view(findings=found)).advice] == [
        ("W301", "no reason is given · a.yaml:1"),
        ("W301", "no reason is given · a.yaml:2"),
        ("W301", "no reason is given · a.yaml:3"),
        ("W301", "and 4 more; --json lists them"),
        ("W305", "not unique"),
    ]


def test_warnings_are_repeated_beside_the_answers():
    found = (Finding("W305", None, "the plan is not the only best one", "search and social can swap"),)
    document = build(plans.view(findings=found))
    assert [(a.code, a.text) for a in document.advice] == [
        ("W305", "the plan is not the only best one; search and social can swap")
    ]
