"""What single measures need, refuse and warn about; what all share is in test_constraint_laws.py."""

from typing import get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from allocator.errors import Origin, ScenarioError
from allocator.plan.constraints import Constraint, LaterLimit
from allocator.plan.rows import Bound, Unit
from allocator.plan.scope import CellFacts, Scope
from allocator.response.curves import Cell

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


@pytest.mark.parametrize("measure", ["roi", "return_per_unit"])
def test_a_cap_on_a_return_is_refused_because_value_would_go_unclaimed(measure):
    error = refusal(measure, max="20%" if measure == "roi" else 1.2)
    assert (error["type"], error["loc"][-1]) == ("E110", "max")


@pytest.mark.parametrize(
    "measure",
    get_args(LaterLimit.model_fields["measure"].annotation),
)
def test_later_measures_are_known_and_refused(measure):
    error = refusal(measure, max=3)
    assert error["type"] == "E110"
    assert f"measure: {measure} is not supported yet" in error["msg"]


@pytest.mark.parametrize(
    ("keys", "code", "place"),
    [
        ({"measure": "spend"}, "E101", "spend"),
        ({"measure": "spend", "min": -5}, "E106", "min"),
        ({"measure": "spend", "min": "1.200.000"}, "E104", "min"),
        ({"measure": "share_of_budget", "max": 20}, "E105", "max"),
        ({"measure": "spend", "max": 1, "priority": "soft"}, "E110", "priority"),
        ({"measure": "spend", "max": 1, "penalty": 3}, "E110", "penalty"),
        ({"measure": "spend", "max": 1, "where": {"chanel": "email"}}, "extra_forbidden", "chanel"),
        ({"measure": "spend", "max": 1, "where": {"channel": []}}, "E103", "channel"),
    ],
    ids=str,
)
def test_a_fault_says_what_and_where(keys, code, place):
    error = refusal(**keys)
    assert (error["type"], error["loc"][-1]) == (code, place)


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
