from __future__ import annotations

from dataclasses import replace

import pytest

from allocator.plan.rows import Bound, Quotient, Row, Unit
from allocator.plan.solution import (
    Conflict,
    GoalResult,
    Optimality,
    RowResult,
    Safety,
    Solution,
    Status,
)
from allocator.report.build import build
from allocator.report.document import Document, Table
from allocator.report.purpose import bad_luck
from allocator.report.render.json import to_dict
from allocator.report.render.text import render_text
from tests.report import made_up_plans as plans

GOALS = (
    GoalResult("", 1_075_000.0, 1_075_900.0),
    GoalResult("conversions", 12_345.0, 12_345.0),
    GoalResult("least_spend", -1.1e6, -1.09e6),
)
SAFETY = Safety("cvar", 0.1, 1_066_000.0, 600_000.0, 1_075_986.0, 566_000.0)


def document(solution: Solution, **changes: object) -> Document:
    return build(plans.view(solution=solution, **changes))


def figure(solution: Solution, label: str, **changes: object) -> str:
    found = next(f for f in document(solution, **changes).figures if f.label == label)
    return " · ".join((found.value.text, *found.remarks))


def held_back(solution: Solution, **changes: object) -> Table:
    return next(t for t in document(solution, **changes).tables if t.title.startswith("What holds"))


def entry(t: Table, limit: str, head: str) -> str:
    row = next(row for row in t.rows if row[0].text == limit)
    return row[[column.head for column in t.columns].index(head)].text


def counting(**outcomes: float) -> Solution:
    cells = tuple(replace(cell, **outcomes) for cell in plans.cells())
    return replace(plans.solution(), cells=cells)


class TestGoals:
    def test_counts_are_told_with_what_each_costs(self):
        assert figure(counting(conversions=2_500.0), "Conversions", objective="conversions") == (
            "30,000 · 40.00 EUR of spend each"
        )
        assert figure(counting(retained=1_000.0), "Customers kept", objective="retained_customers") == (
            "12,000 · 100.00 EUR of spend each"
        )

    def test_an_outcome_that_is_not_known_everywhere_is_not_told(self):
        labels = [f.label for f in document(plans.solution(), objective="conversions").figures]
        assert "Conversions" not in labels

    def test_net_present_value_is_told_before_what_missed_limits_cost(self):
        said = figure(plans.with_rules(), "Net present value", objective="npv")
        assert said == "1,076,586 · profit discounted to the start of the horizon"

    def test_revenue_is_told(self):
        assert figure(counting(revenue=200_000.0), "Revenue", objective="incremental_revenue") == (
            "2,400,000 · incremental"
        )

    @pytest.mark.parametrize("objective", ["profit", "customer_equity", "least_spend", "spend"])
    def test_spend_and_return_are_not_told_twice(self, objective):
        assert len(document(plans.solution(), objective=objective).figures) == 4

    @pytest.mark.parametrize(
        ("objective", "words"),
        [
            ("retained_customers", "maximises customers kept"),
            ("npv", "maximises net present value"),
            ("least_spend", "least spend"),
            ("spend", "maximises spend"),
        ],
    )
    def test_the_aim_has_words(self, objective, words):
        assert words in document(plans.solution(), objective=objective).subtitle

    def test_profit_needs_no_words(self):
        assert not any("profit" in item for item in document(plans.solution()).subtitle)

    def test_goals_that_are_added_up_tell_their_weights(self):
        weights = {"profit": 1.0, "retained_customers": 40.0}
        shown = document(plans.solution(), objective="profit + retained_customers", weights=weights)
        assert "maximises profit + 40 × customers kept" in shown.subtitle

    def test_ordered_goals_tell_what_each_reaches(self):
        solution = replace(plans.solution(), goals=GOALS)
        assert "maximises profit, then conversions, then least spend" in document(solution).subtitle
        assert figure(solution, "1. Profit") == (
            "1,075,000 · at best 1,075,900 · 0.1% given up for the goals after it"
        )
        assert figure(solution, "2. Conversions") == "12,345 · at best 12,345 with the goals before it"
        assert figure(solution, "3. Least spend").startswith("1,100,000 · at best 1,090,000 ")

    def test_prices_of_ordered_goals_are_those_of_the_first(self):
        title = held_back(replace(plans.solution(), goals=GOALS)).title
        assert title.endswith("(prices in profit, the first goal)")


class TestSafety:
    def told(self, **changes: object) -> str:
        return figure(replace(plans.solution(), safety=replace(SAFETY, **changes)), "Safety")

    def test_what_it_costs_and_buys(self):
        assert self.told() == (
            "0.9% · of the expected profit buys 6.0% more in the worst tenth · 600k instead of 566k"
        )

    def test_regret_gets_smaller(self):
        said = self.told(method="regret", worth=-30_000.0, plain_worth=-60_000.0)
        assert said.endswith("buys 50% less regret at worst · 30k instead of 60k")

    def test_where_the_mean_is_safest_nothing_is_given_up(self):
        said = self.told(expected=1_075_986.0, worth=566_000.0)
        assert said.startswith("0% · costs nothing: no plan is better in the worst tenth")

    def test_shares_of_nothing_are_told_in_money(self):
        said = self.told(plain_expected=-5_000.0, expected=-7_000.0)
        assert said == "2k · of the expected profit buys 600k instead of 566k in the worst tenth"

    def test_the_mean_has_no_such_line(self):
        assert "Safety" not in [f.label for f in document(plans.solution()).figures]

    @pytest.mark.parametrize(
        ("method", "level", "words"),
        [
            ("cvar", 0.1, "in the worst tenth"),
            ("cvar", 0.25, "in the worst quarter"),
            ("cvar", 0.07, "in the worst 7% of draws"),
            ("lower_quantile", 0.1, "in the outcome that 9 in 10 draws exceed"),
            ("lower_quantile", 0.07, "in the outcome that 93% of draws exceed"),
            ("worst_case", 0.1, "in the worst draw"),
            ("regret", 0.1, "at worst"),
        ],
    )
    def test_every_method_has_words(self, method, level, words):
        assert bad_luck(replace(SAFETY, method=method, level=level)) == words


class TestRules:
    def test_a_missed_limit_says_by_how_much_and_what_that_costs(self):
        t = held_back(plans.with_rules())
        assert entry(t, "soft_cap", "missed") == "missed by 12,000 (costs 600)"
        assert entry(t, "no_shock[email]", "missed") == ""
        assert "missed" not in [column.head for column in held_back(plans.solution()).columns]

    def test_a_missed_ratio_says_what_is_reached(self):
        soft = replace(plans.EARN, penalty=0.5, quotient=Quotient({}, {}))
        rows = (RowResult(soft, 0.2, 0.18, -24_000.0, True, 0.5, 0.5),)
        t = held_back(replace(plans.solution(), rows=rows))
        assert entry(t, "earn_it", "missed") == "reaches 18% (costs 12,000)"

    def test_a_soft_limit_that_is_kept_is_like_any_other(self):
        rows = (RowResult(plans.SOFT, 252_000.0, 200_000.0, 52_000.0, False),)
        assert held_back(replace(plans.solution(), rows=rows)).footer == ("soft_cap (52k spare)",)

    def test_what_the_plan_would_earn_without_a_limit(self):
        t = held_back(plans.with_rules())
        assert entry(t, "few_channels", "without it") == "+12,300"
        assert entry(t, "budget.total", "without it") == ""
        assert "without it" not in [column.head for column in held_back(plans.solution()).columns]

    def test_a_limit_on_each_channel_is_told_its_cost_once(self):
        names = ("search", "email")
        rows = tuple(
            RowResult(replace(plans.NO_SHOCK, name=f"no_shock[{n}]"), 1.0, 1.0, 0.0, True, 0.1, 0.1, cost=5e3)
            for n in names
        )
        t = held_back(replace(plans.solution(), rows=rows))
        assert [entry(t, f"no_shock[{n}]", "without it") for n in names] == ["+5,000", ""]

    def test_whole_numbers_are_counted_and_have_no_price(self):
        t = held_back(plans.with_rules())
        assert entry(t, "few_channels", "at") == "3 channels"
        assert entry(t, "few_channels", "1k looser earns") == "–"

    def test_prices_beside_whole_numbers_say_what_they_hold_for(self):
        text = render_text(document(plans.with_rules()))
        assert text.count("prices with the same channels active") == 1
        assert "same channels" not in render_text(document(plans.solution()))

    def test_a_count_is_priced_by_the_one(self):
        row = replace(plans.FEW, kind="retained_customers", wholes={}, bound=Bound.MIN)
        rows = (RowResult(row, 3_600.0, 3_600.0, 0.0, True, 269.2, 269.2, cost=21_000.0),)
        t = held_back(replace(plans.solution(), rows=rows))
        assert entry(t, "few_channels", "at") == "3,600 customers kept"
        assert entry(t, "few_channels", "1k looser earns") == "+269.20 for 1"

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"next_unit": 0.0, "last_unit": 0.0, "cost": 0.0}, False),
            ({"next_unit": 0.0, "last_unit": None, "cost": None}, False),
            ({"next_unit": 0.0, "last_unit": 0.2, "cost": 0.0}, True),
            ({"next_unit": 0.0, "last_unit": 0.0, "cost": 500.0}, True),
            ({"next_unit": 0.1, "last_unit": 0.1, "cost": None}, True),
        ],
    )
    def test_what_costs_nothing_does_not_hold_the_plan_back(self, changes, told):
        rows = (replace(plans.solution().rows[2], **changes),)
        t = held_back(replace(plans.solution(), rows=rows))
        assert bool(t.rows) is told
        assert t.footer == (() if told else ("no_shock[email] (met exactly, at no cost)",))
        assert t.footer_label == ("Not binding:" if told else "No limit has a price. Not binding:")

    def test_the_budget_is_told_even_at_no_price(self):
        rows = (replace(plans.solution().rows[0], next_unit=0.0, last_unit=0.0),)
        assert len(held_back(replace(plans.solution(), rows=rows)).rows) == 1

    def test_limits_met_exactly_are_not_the_nearest_with_room(self):
        made = [
            RowResult(replace(plans.NO_SHOCK, name=f"no_shock[{i}]"), 1.0, 1.0, 9e3 * i, i < 2, 0.0, 0.0)
            for i in range(7)
        ]
        assert held_back(replace(plans.solution(), rows=tuple(made))).footer == (
            "no_shock[0] (met exactly, at no cost)",
            "no_shock[1] (met exactly, at no cost)",
            "no_shock (5 limits; nearest 2 max, 18k spare)",
        )

    def test_lots_are_no_limit_somebody_set(self):
        assert "channels.mail.step" not in render_text(document(plans.with_rules()))
        data = to_dict(plans.view(solution=plans.with_rules()))
        assert "lots" not in [row["kind"] for row in (*data["binding"], *data["not_binding"])]

    def test_prices_in_customers_are_not_prices_in_money(self):
        t = held_back(plans.with_rules(), objective="retained_customers")
        assert t.title.endswith("(prices in customers per 1k)")
        assert entry(t, "no_shock[email]", "1k looser earns") == "+132.10"
        assert entry(t, "soft_cap", "missed") == "missed by 12,000 (costs 600 customers)"

    @pytest.mark.parametrize(
        ("row", "at", "limit"),
        [
            (replace(plans.EARN, kind="spend_if_active", unit=Unit.MONEY), 2e4, "min 20,000 or none"),
            (replace(plans.EARN, kind="payback_months", unit=Unit.MONTHS), 6.0, "max 6 months"),
            (
                replace(plans.EARN, kind="marginal_return", bound=Bound.MAX, quotient=None),
                1.2,
                "min 1.20",
            ),
            (replace(plans.FEW, kind="conversions"), 1.0, "max 1 conversion"),
            (
                Row("reserve", "reserve", Bound.MAX, {}, -5e4, 1.0, scale=-1.0, shift=-1.2e6),
                1.15e6,
                "min 50,000",
            ),
        ],
        ids=lambda value: value.kind if isinstance(value, Row) else "",
    )
    def test_limits_read_as_they_were_written(self, row, at, limit):
        rows = (RowResult(row, at, at, 0.0, True, 0.1, 0.1),)
        found = held_back(replace(plans.solution(), rows=rows)).rows[0]
        assert f"{found[1].text} {found[2].text}" == limit


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("cvar", "(prices in profit in the worst tenth)"),
        ("regret", "(prices in regret avoided)"),
        ("worst_case", "(prices in profit in the worst draw)"),
    ],
)
def test_prices_of_a_careful_plan_are_those_of_bad_luck(method, words):
    solution = replace(plans.solution(), safety=replace(SAFETY, method=method))
    assert held_back(solution).title.endswith(words)


def test_a_quantile_leaves_draws_out_as_well():
    safety = replace(SAFETY, method="lower_quantile")
    t = held_back(replace(plans.solution(), safety=safety, whole=True))
    assert t.remark == "prices with the same channels active and draws left out"


def test_money_that_is_left_on_purpose_is_not_asked_for():
    budget = replace(plans.solution().rows[0], binding=False, slack=1e5, next_unit=None, last_unit=None)
    said = figure(replace(plans.solution(), rows=(budget,)), "Next 1k")
    assert said == "1,214 · above break-even, yet it is not the budget that holds the plan back"


def test_a_channel_that_whole_numbers_keep_out_is_marked():
    cells = tuple(replace(c, spend=0.0) if c.cell.channel == "mail" else c for c in plans.cells())
    view = plans.view(solution=replace(plans.solution(), cells=cells, rows=plans.with_rules().rows[2:3]))
    assert view.next_unit_in("mail").stopped
    assert not view.next_unit_in("email").stopped
    roomy = replace(plans.with_rules().rows[2], binding=False)
    view = plans.view(solution=replace(plans.solution(), cells=cells, rows=(roomy,)))
    assert not view.next_unit_in("mail").stopped


def test_a_gap_that_is_left_is_told_and_never_shown_as_none():
    for gap, said in ((0.0002, "0.02%"), (1e-7, "0.01%")):
        solution = replace(plans.solution(), status=Status.FEASIBLE_GAP, optimality=Optimality(gap, 0.0, 0.0))
        assert f"feasible within {said} of the best" in document(solution).subtitle


def test_further_contradictions_follow_the_first():
    conflict = Conflict((plans.BUDGET, plans.SEARCH_MIN), (), ((plans.FLOOR, plans.NO_SHOCK),))
    solution = Solution(Status.INFEASIBLE, "cbc", conflict=conflict)
    first, second = document(solution).tables
    assert second.title == "Nor can these, without those above"
    assert [row[0].text for row in second.rows] == ["low_tier_floor", "no_shock[email]"]
    assert [
        [row["name"] for row in rows]
        for rows in to_dict(plans.view(solution=solution))["conflict"]["further"]
    ] == [["low_tier_floor", "no_shock[email]"]]
    assert first.title == "These limits cannot all hold"


def test_data_tell_rules_goals_and_safety_unrounded():
    solution = replace(plans.with_rules(), goals=GOALS, safety=SAFETY, worth=600_000.0)
    data = to_dict(plans.view(solution=solution))
    soft = next(row for row in data["binding"] if row["name"] == "soft_cap")
    assert (soft["missed"], soft["cost_of_rule"]) == (12_000.0, 600.0)
    assert data["binding"][0]["cost_of_rule"] is None
    assert [goal["name"] for goal in data["goals"]] == ["profit", "conversions", "least_spend"]
    assert data["safety"]["price"] == SAFETY.price
    assert data["objective"]["worth"] == 600_000.0
    assert "same channels active" in data["units"]["shadow_price"]


def test_the_bound_is_above_the_plan_by_the_gap():
    solution = replace(plans.solution(), optimality=Optimality(0.01, 0.0, 0.0))
    assert to_dict(plans.view(solution=solution))["optimality"]["bound"] == 1.01 * 1_075_986.0


def test_conversions_of_cells_are_told_where_known():
    data = to_dict(plans.view(solution=counting(conversions=7.5), objective="conversions"))
    assert {cell["conversions"] for cell in data["cells"]} == {7.5}
    assert data["objective"]["unit"] == "conversions"
    assert to_dict(plans.view())["cells"][0]["conversions"] is None
