"""What single measures need, refuse and warn about; what all share is in test_constraint_laws.py."""

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from allocator.errors import Origin, ScenarioError
from allocator.plan.constraints import MEASURES, Constraint
from allocator.plan.rows import Bound, Switch, Unit, Weights
from allocator.plan.scope import CellFacts, Part, Scope
from allocator.response.curve import ResponseCurve
from allocator.response.curves import Cell, Evidence, Response

ADAPTER = TypeAdapter(Constraint)


def limit(measure, **keys):
    return ADAPTER.validate_python({"measure": measure, **keys})


def scope(*facts, budget=1000.0):
    return Scope(tuple(facts), budget, lambda path: Origin("q1.yaml", 7))


def cell(channel, tier="all", **facts):
    return CellFacts(Cell(tier, channel), **facts)


def findings(constraint, where_to_look):
    with pytest.raises(ScenarioError) as caught:
        list(constraint.rows("no_shock", where_to_look))
    return caught.value.findings


def refusal(measure, **keys):
    with pytest.raises(ValidationError) as caught:
        limit(measure, **keys)
    return caught.value.errors()[0]


def test_both_bounds_give_two_rows_of_one_name():
    lower, upper = limit("spend", min=10, max=20).rows("band", scope(cell("email")))
    assert (lower.name, upper.name) == ("band", "band")
    assert [(lower.bound, lower.rhs), (upper.bound, upper.rhs)] == [(Bound.MIN, 10), (Bound.MAX, 20)]
    assert (lower.path, upper.path) == ("constraints.band.min", "constraints.band.max")


def test_a_change_counts_from_what_the_cells_spend_today():
    facts = scope(cell("email", current=100.0), cell("search", current=300.0))
    rows = list(limit("change_vs_current", min="-40%", max="+50k").rows("no_shock", facts))
    assert [row.rhs for row in rows] == [pytest.approx(240), 50_400]
    assert [row.unit for row in rows] == [Unit.SHARE, Unit.MONEY]


def test_a_change_of_an_unknown_spend_names_every_channel_at_once():
    facts = scope(cell("email", current=100.0), cell("podcast"), cell("radio"))
    found = findings(limit("change_vs_current", each="channel", min="-40%", max="40%"), facts)
    assert {finding.code for finding in found} == {"E207"}
    assert {name for name in ("email", "podcast", "radio") if any(name in f.what for f in found)} == {
        "podcast",
        "radio",
    }


def test_a_share_of_nothing_proposes_a_way_out():
    facts = scope(cell("email", current=100.0), cell("podcast", current=0.0))
    (finding,) = findings(limit("change_vs_current", each="channel", max="40%"), facts)
    assert finding.code == "E207"
    assert "except" in finding.fix
    assert "podcast" in finding.fix
    assert "money" in finding.fix
    assert len(list(limit("change_vs_current", each="channel", max="50k").rows("no_shock", facts))) == 2
    excepted = limit("change_vs_current", each="channel", max="40%", **{"except": {"channel": "podcast"}})
    assert [row.name for row in excepted.rows("no_shock", facts)] == ["no_shock[email]"]


@pytest.mark.parametrize("measure", ["contacts", "contacts_per_customer"])
@pytest.mark.parametrize("cost", [None, 0.0])
def test_contacts_need_a_cost_per_contact_on_every_channel(measure, cost):
    facts = scope(
        cell("email", cost_per_contact=0.1, population=10.0),
        cell("tv", cost_per_contact=cost, population=10.0),
    )
    (finding,) = findings(limit(measure, max=5), facts)
    assert finding.code == "E206"
    assert "'tv'" in finding.what
    assert "channels.tv.cost_per_contact" in finding.fix


def test_contacts_per_customer_need_the_number_of_customers():
    (finding,) = findings(limit("contacts_per_customer", max=5), scope(cell("email", cost_per_contact=0.1)))
    assert finding.code == "E208"


def test_a_customer_reached_by_two_channels_is_one_customer():
    facts = scope(
        cell("email", "high", cost_per_contact=0.5, population=50.0),
        cell("post", "high", cost_per_contact=1.0, population=50.0),
        cell("email", "low", cost_per_contact=0.5, population=150.0),
    )
    (row,) = limit("contacts_per_customer", max=3).rows("fatigue", facts)
    assert (row.rhs, row.scale) == (600, 200)


def test_segments_of_a_tier_add_up_to_its_customers():
    cells = [Cell("high", channel, segment=part) for channel in ("email", "post") for part in "ab"]
    facts = [CellFacts(one, cost_per_contact=1.0, population=20.0) for one in cells]
    (row,) = limit("contacts_per_customer", max=1).rows("fatigue", scope(*facts))
    assert row.rhs == 40


def test_a_share_of_spend_counts_all_spend_not_the_budget():
    (row,) = limit("share_of_spend", min="30%", where={"channel": "email"}).rows(
        "floor", scope(cell("email"), cell("tv"))
    )
    assert row.limit(1000.0) == 0
    assert row.terms[Cell("all", "tv")].spend == pytest.approx(-0.3)


def test_a_share_of_the_budget_moves_with_the_budget():
    (row,) = limit("share_of_budget", min="10%").rows("floor", scope(cell("email")))
    assert (row.limit(1000.0), row.limit(2000.0)) == (100, 200)


NO_MAX = ("roi", "return_per_unit", "roas", "marginal_return")
"""Returns: a cap would ask the plan to waste money."""
NO_MIN = ("cpa", "payback_months")


@pytest.mark.parametrize("measure", [*NO_MAX, *NO_MIN])
def test_a_bound_that_would_leave_value_unclaimed_is_refused(measure):
    wrong, right = ("max", "min") if measure in NO_MAX else ("min", "max")
    stated = "20%" if measure == "roi" else 1.2
    error = refusal(measure, **{wrong: stated})
    assert (error["type"], error["loc"][-1]) == ("E113", wrong)
    assert f"'{right}:'" in error["ctx"]["fix"]
    assert getattr(limit(measure, **{right: stated}), right) is not None


@pytest.mark.parametrize("measure", sorted({*MEASURES} - {*NO_MAX, *NO_MIN}))
def test_every_other_measure_has_both_bounds(measure):
    stated = 0.5 if "share" not in measure and "change" not in measure else "50%"
    if measure in ("contacts", "customers_reached", "active_channels"):
        stated = 1
    both = limit(measure, min=stated, max=stated)
    assert both.min == both.max != 0


@pytest.mark.parametrize(
    ("measure", "outcome"),
    [("roas", "revenue"), ("cpa", "conversions"), ("conversions", "conversions"),
     ("retained_customers", "retained")],
)  # fmt: skip
def test_what_the_curves_do_not_tell_cannot_be_limited(measure, outcome):
    bound = "max" if measure in NO_MIN else "min"
    stated = limit(measure, **{bound: 2})
    facts = [cell("email", known=frozenset({outcome})), cell("podcast"), cell("radio")]
    (finding,) = findings(stated, scope(*facts))
    assert finding.code == "E211"
    assert "podcast, radio" in finding.what
    assert "email" not in finding.what
    assert finding.fix
    (row,) = stated.rows("no_shock", scope(facts[0]))
    assert getattr(row.terms[Cell("all", "email")], outcome) != 0


@pytest.mark.parametrize("measure", ["return", "roi", "return_per_unit"])
def test_every_curve_tells_its_margin(measure):
    (row,) = limit(measure, min="0%" if measure == "roi" else 1).rows("earn", scope(cell("email")))
    assert row.terms[Cell("all", "email")].margin == 1


def test_customers_reached_divide_contacts_by_how_often_each_is_contacted():
    facts = cell("email", cost_per_contact=0.5, contacts_per_customer=4.0)
    (row,) = limit("customers_reached", max=100).rows("reach", scope(facts))
    assert row.activity({Cell("all", "email"): Weights(spend=200.0)}) == 100
    (finding,) = findings(limit("customers_reached", max=100), scope(cell("tv")))
    assert finding.code == "E206"


def test_customers_whom_two_channels_can_reach_may_be_counted_twice():
    facts = [cell(name, cost_per_contact=0.5) for name in ("email", "post")]
    stated = limit("customers_reached", min=100)
    assert [found.code for found in stated.advice("reach", scope(*facts))] == ["W311"]
    assert not list(limit("customers_reached", min=1, each="channel").advice("reach", scope(*facts)))
    months = [CellFacts(Cell("all", "email", month), cost_per_contact=0.5) for month in ("m1", "m2")]
    assert [found.code for found in stated.advice("reach", scope(*months))] == ["W311"]
    tested = Scope(tuple(facts), 1000.0, lambda path: None, one_per_customer=True)
    assert not list(stated.advice("reach", tested))


def test_money_is_back_when_enough_of_what_comes_later_has_come():
    facts = Scope((cell("email"),), 1000.0, lambda path: None, later_share=lambda months: months / 12)
    (row,) = limit("payback_months", max=6).rows("soon", facts)
    assert (row.bound, row.written(1000.0), row.unit) == (Bound.MIN, 6, Unit.MONTHS)
    got = {Cell("all", "email"): Weights(spend=100.0, margin=140.0, immediate=60.0)}
    assert row.activity(got) == pytest.approx(60 + 80 / 2 - 100)
    assert row.with_limit(9.0, 1000.0).activity(got) == pytest.approx(60 + 80 * 0.75 - 100)
    assert row.spelled(1000.0) == "6 months"


def test_active_channels_count_channels_not_cells():
    facts = [cell(name, tier) for name in ("email", "tv") for tier in ("high", "low")]
    (row,) = limit("active_channels", max=1).rows("few", scope(*facts))
    assert len(row.wholes) == 2
    spent = {Cell("high", "email"): 5.0, Cell("low", "email"): 5.0, Cell("low", "tv"): 0.004}
    assert row.activity({one: Weights(spend=x) for one, x in spent.items()}) == 1
    spent[Cell("low", "tv")] = 0.01
    assert row.activity({one: Weights(spend=x) for one, x in spent.items()}) == 2


def test_spend_if_active_is_about_the_cells_together():
    facts = [cell("email", "high"), cell("email", "low")]
    (row,) = limit("spend_if_active", min=100).rows("not_tiny", scope(*facts))
    high, low = (Cell(tier, "email") for tier in ("high", "low"))
    assert row.violation({}, 0.0) == 0
    assert row.violation({high: Weights(60.0), low: Weights(50.0)}, 0.0) == 0
    assert row.violation({high: Weights(60.0)}, 0.0) == 40
    assert [type(whole) for whole in row.wholes] == [Switch]


def test_a_marginal_return_ends_every_curve_where_the_next_unit_earns_less():
    curve = ResponseCurve(np.array([0.0, 100.0, 300.0, 400.0]), np.array([0.0, 250.0, 450.0, 460.0]))
    facts = [cell("email", "high"), cell("tv", "high")]
    parts = tuple(
        Part(Response(one.cell.channel, curve, Evidence.OPINION, "points", "high"), (one,), *[np.ones(1)] * 2)
        for one in facts
    )
    where_to_look = Scope(tuple(facts), 1000.0, lambda path: None, parts=parts)
    ends = {
        least: [row.rhs for row in limit("marginal_return", min=least, where={"channel": "tv"}).rows(
            "pays", where_to_look)]
        for least in (0.05, 1.0, 2.5, 3.0)
    }  # fmt: skip
    assert ends == {0.05: [400.0], 1.0: [300.0], 2.5: [100.0], 3.0: [0.0]}
    (row,) = limit("marginal_return", min=1.0, where={"channel": "tv"}).rows("pays", where_to_look)
    assert (row.name, row.bound, row.written(1000.0)) == ("pays[high/tv]", Bound.MAX, 1.0)


def test_a_soft_limit_carries_its_price_on_every_row():
    stated = limit("spend", min=10, max=20, priority="soft", penalty="2.5", each="channel")
    rows = list(stated.rows("band", scope(cell("email"), cell("tv"))))
    assert [row.penalty for row in rows] == [2.5] * 4
    (hard,) = limit("spend", min=10).rows("band", scope(cell("email")))
    assert hard.penalty is None


@pytest.mark.parametrize(
    ("keys", "code", "place"),
    [
        ({"measure": "spend"}, "E101", "spend"),
        ({"measure": "spend", "min": -5}, "E106", "min"),
        ({"measure": "spend", "min": "1.200.000"}, "E104", "min"),
        ({"measure": "share_of_budget", "max": 20}, "E105", "max"),
        ({"measure": "spend", "max": 1, "priority": "soft"}, "E101", "priority"),
        ({"measure": "spend", "max": 1, "penalty": 3}, "E113", "penalty"),
        ({"measure": "spend", "max": 1, "priority": "soft", "penalty": 0}, "E106", "penalty"),
        ({"measure": "contacts", "max": 1.5}, "E106", "max"),
        ({"measure": "payback_months", "max": -1}, "greater_than_equal", "max"),
        ({"measure": "spend", "max": 1, "where": {"chanel": "email"}}, "extra_forbidden", "chanel"),
        ({"measure": "spend", "max": 1, "where": {"channel": []}}, "E103", "channel"),
    ],
    ids=str,
)
def test_a_fault_says_what_and_where(keys, code, place):
    error = refusal(**keys)
    assert (error["type"], error.get("ctx", {}).get("at") or error["loc"][-1]) == (code, place)


def tied(tier, channel="tv", **facts):
    return cell(channel, tier, tied=True, **facts)


def advised(constraint, *facts):
    return [finding.code for finding in constraint.advice("floor", scope(*facts))]


def test_a_limit_on_a_tier_warns_that_a_tied_channels_split_is_assumed():
    facts = [tied("high"), tied("low"), cell("email", "high"), cell("email", "low")]
    assert advised(limit("spend", min=10, where={"tier": "low"}), *facts) == ["W302"]
    assert advised(limit("spend", min=10, each="tier"), *facts) == ["W302"]
    assert advised(limit("spend", min=10, where={"tier": ["low", "high"]}), *facts) == []
    assert advised(limit("spend", min=10, where={"tier": "low", "channel": "email"}), *facts) == []
    assert advised(limit("spend", min=10, each="channel"), *facts) == []


def test_a_change_within_a_tier_warns_that_todays_split_is_assumed():
    facts = [CellFacts(Cell(tier, "email"), current=50.0, current_assumed=True) for tier in ("high", "low")]
    assert advised(limit("change_vs_current", max="10%", where={"tier": "low"}), *facts) == ["W302"]
    assert advised(limit("change_vs_current", max="10%"), *facts) == []
    assert advised(limit("spend", max=10, where={"tier": "low"}), *facts) == []
