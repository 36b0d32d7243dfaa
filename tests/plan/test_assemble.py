"""From curves and terms to decisions and the rows every plan has."""

from collections.abc import Mapping

import numpy as np
import pytest
from pydantic import TypeAdapter

from allocator.errors import Origin, ScenarioError
from allocator.plan.assemble import PlanTerms, assemble
from allocator.plan.constraints import Constraint
from allocator.plan.defaults import ChannelTerms
from allocator.plan.objectives import Budget, Objective
from allocator.plan.rows import Bound, Unit, Weights
from allocator.response.curve import ResponseCurve
from allocator.response.curves import Cell, Curves, Evidence, Response
from allocator.response.families import Log

LIMIT = TypeAdapter(Constraint)
TIERS = ("high", "low")
CURVE = ResponseCurve(np.array([0.0, 100.0, 300.0]), np.array([0.0, 250.0, 450.0]))
EXPERIMENT = {"evidence": Evidence.TESTED, "source": "experiment"}


def response(channel, tier=None, curve=CURVE, **facts):
    facts = {"evidence": Evidence.OPINION, "source": "points", **facts}
    return Response(channel, curve, tier=tier, **facts)


def assembled(*responses, channels: Mapping[str, ChannelTerms] | None = None, combine="add", **terms):
    names = dict.fromkeys(one.channel for one in responses)
    channels = channels or {name: ChannelTerms(name.title()) for name in names}
    terms = {"budget": Budget(total=1000), "tiers": TIERS, **terms}
    return assemble(Curves(responses, combine), PlanTerms(channels, **terms))


def findings(*responses, **terms):
    with pytest.raises(ScenarioError) as caught:
        assembled(*responses, **terms)
    return caught.value.findings


def row(problem, name, bound=None):
    (found,) = [one for one in problem.rows if one.name == name and bound in (None, one.bound)]
    return found


def test_decisions_stand_in_order_of_declaration_not_of_the_curves():
    problem = assembled(
        response("tv"),
        response("email", "low"),
        response("email", "high"),
        channels={"email": ChannelTerms("E-mail"), "tv": ChannelTerms("TV")},
    )
    assert [decision.name for decision in problem.decisions] == ["high/email", "low/email", "tv"]
    assert problem.rows[0].name == "budget.total"


def test_a_curve_without_tiers_is_one_decision_split_evenly_when_nothing_is_known():
    (decision,) = assembled(response("tv")).decisions
    assert decision.cells == (Cell("high", "tv"), Cell("low", "tv"))
    assert decision.tied
    np.testing.assert_allclose(decision.spend_shares, [0.5, 0.5])


def test_the_split_follows_customers_where_they_are_known():
    problem = assembled(
        response("tv"),
        response("email", "high", population=100.0),
        response("email", "low", population=300.0),
    )
    np.testing.assert_allclose(problem.decisions[0].spend_shares, [0.25, 0.75])
    np.testing.assert_allclose(problem.decisions[0].value_shares, [0.25, 0.75])


def test_a_stated_mix_is_taken_and_value_can_fall_differently():
    tv = ChannelTerms(
        "TV", current=200.0, tier_mix={"low": 0.6, "high": 0.4}, value_mix={"high": 0.7, "low": 0.3}
    )
    (decision,) = assembled(response("tv"), channels={"tv": tv}).decisions
    np.testing.assert_allclose(decision.spend_shares, [0.4, 0.6])
    np.testing.assert_allclose(decision.value_shares, [0.7, 0.3])
    assert decision.current == 200


def test_todays_spend_of_a_channel_falls_on_its_tiers_by_the_mix():
    email = ChannelTerms("E-mail", current=200.0, tier_mix={"high": 0.4, "low": 0.6})
    stated = ChannelTerms("E-mail", current={"high": 150.0, "low": 10.0})
    currents = [
        [decision.current for decision in problem.decisions]
        for problem in (
            assembled(response("email", "high"), response("email", "low"), channels={"email": terms})
            for terms in (email, stated, ChannelTerms("E-mail"), ChannelTerms("E-mail", current=0.0))
        )
    ]
    assert currents == [[80, 120], [150, 10], [None, None], [0, 0]]


def test_one_tier_needs_no_tier_in_names():
    problem = assembled(response("email", "all"), response("tv"), tiers=("all",))
    assert [decision.name for decision in problem.decisions] == ["email", "tv"]
    assert [one.name for one in problem.rows] == ["budget.total", "curve_end[email]", "curve_end[tv]"]
    assert not any(decision.tied for decision in problem.decisions)


def test_segments_are_decisions_of_their_own():
    parts = [response("email", "high", segment=s, population=p) for s, p in (("1", 30.0), ("2", 90.0))]
    problem = assembled(*parts, tiers=("high",), channels={"email": ChannelTerms("E-mail", current=80.0)})
    assert [decision.current for decision in problem.decisions] == [20, 60]
    assert [decision.cells for decision in problem.decisions] == [
        (Cell("high", "email", segment="1"),),
        (Cell("high", "email", segment="2"),),
    ]


def test_an_exact_budget_is_a_limit_on_both_sides():
    problem = assembled(response("tv"), budget=Budget(total=500, spend="exactly", reason="Agreed"))
    for bound in Bound:
        limit = row(problem, "budget.total", bound)
        assert (limit.limit(500), limit.limit(700), limit.reason) == (500, 700, "Agreed")


def test_a_channels_own_limits_have_names_reasons_and_places():
    own = ChannelTerms("Television", min=50.0, max=200.0, capacity=900.0, cost_per_contact=0.5)
    problem = assembled(
        response("tv"),
        channels={"tv": own},
        origin_of=lambda path: Origin("q1.yaml", {"channels.tv.max": 9}.get(path, 1)),
    )
    lower, upper = row(problem, "channels.tv.min"), row(problem, "channels.tv.max")
    assert (lower.bound, lower.rhs, lower.reason) == (Bound.MIN, 50, "Lower limit of Television")
    assert (upper.bound, upper.rhs, upper.reason) == (Bound.MAX, 200, "Upper limit of Television")
    assert upper.origin == Origin("q1.yaml", 9)
    assert upper.terms == {Cell(tier, "tv"): Weights(spend=1) for tier in TIERS}
    capacity = row(problem, "channels.tv.capacity")
    assert (capacity.rhs, capacity.unit) == (900, Unit.CONTACTS)
    assert capacity.terms[Cell("low", "tv")].spend == 2


def test_a_stated_reason_of_a_channel_is_the_reason_of_its_limits():
    problem = assembled(response("tv"), channels={"tv": ChannelTerms("TV", max=9.0, reason="Contract")})
    assert row(problem, "channels.tv.max").reason == "Contract"


def test_contacts_per_customer_cap_each_tier_where_customers_are_known():
    email = ChannelTerms("E-mail", cost_per_contact=0.5, contacts_per_customer=3.0)
    known = assembled(
        response("email", "high", population=100.0),
        response("email", "low", population=300.0),
        channels={"email": email},
    )
    high = row(known, "channels.email.contacts_per_customer[high]")
    assert (high.rhs, high.written(1000), high.terms) == (300, 3, {Cell("high", "email"): Weights(spend=2)})
    unknown = assembled(response("email", "high"), response("email", "low"), channels={"email": email})
    assert not [one for one in unknown.rows if "contacts_per_customer" in one.name]


def test_a_tied_channel_is_capped_as_a_whole_because_its_split_is_assumed():
    tv = ChannelTerms("TV", cost_per_contact=0.5, contacts_per_customer=3.0)
    problem = assembled(response("tv", population=400.0), channels={"tv": tv})
    cap = row(problem, "channels.tv.contacts_per_customer")
    assert (cap.rhs, set(cap.terms)) == (1200, {Cell("high", "tv"), Cell("low", "tv")})


def test_only_curves_with_an_end_are_limited_by_it():
    smooth = Log(scale=200.0, pace=50.0)
    spend = np.array([0.0, 500.0, 1000.0])
    problem = assembled(
        response("email", "high"),
        response("email", "low"),
        response("tv"),
        response("search", curve=ResponseCurve(spend, smooth.value(spend), shape=smooth)),
    )
    ends = {one.name: (one.rhs, one.reason) for one in problem.rows if one.kind == "curve_end"}
    assert ends == {
        "curve_end[email, high]": (300, "End of the Email curve"),
        "curve_end[email, low]": (300, "End of the Email curve"),
        "curve_end[tv]": (300, "End of the Tv curve"),
    }


def from_a_test(channel, tier, population):
    return response(channel, tier, population=population, **EXPERIMENT)


def test_tested_channels_of_a_tier_share_its_customers():
    costs = {
        "mail": ChannelTerms("Mail", cost_per_contact=1.0),
        "email": ChannelTerms("E-mail", cost_per_contact=0.1),
        "tv": ChannelTerms("TV"),
    }
    cells = [from_a_test(channel, tier, 50.0) for channel in ("mail", "email") for tier in TIERS]
    problem = assembled(*cells, response("tv"), channels=costs, combine="one_per_customer")
    shared = row(problem, "one_per_customer[low]")
    assert (shared.rhs, shared.unit) == (50, Unit.CONTACTS)
    assert shared.terms == {Cell("low", "mail"): Weights(spend=1), Cell("low", "email"): Weights(spend=10)}
    added = assembled(*cells, response("tv"), channels=costs, combine="add")
    assert not [one for one in added.rows if one.kind == "one_per_customer"]


def test_channels_that_repeat_contacts_use_up_a_customer_by_the_whole_round():
    costs = {
        "mail": ChannelTerms("Mail", cost_per_contact=1.0, contacts_per_customer=1.0),
        "email": ChannelTerms("E-mail", cost_per_contact=0.1, contacts_per_customer=4.0),
    }
    cells = [from_a_test("mail", "all", 50.0), from_a_test("email", "all", 50.0)]
    problem = assembled(*cells, channels=costs, combine="one_per_customer", tiers=("all",))
    shared = row(problem, "one_per_customer")
    everyone_mailed = {Cell("all", "mail"): Weights(spend=50.0)}
    everyone_emailed = {Cell("all", "email"): Weights(spend=50 * 4 * 0.1)}
    assert shared.activity(everyone_mailed) == pytest.approx(shared.rhs)
    assert shared.activity(everyone_emailed) == pytest.approx(shared.rhs)
    assert not [one for one in problem.rows if one.name.endswith("contacts_per_customer")]


def test_tested_channels_that_share_customers_need_their_cost():
    cells = [from_a_test("mail", "all", 50.0), from_a_test("email", "all", 50.0)]
    found = findings(*cells, combine="one_per_customer", tiers=("all",))
    assert [finding.code for finding in found] == ["E206", "E206"]


def test_revenue_is_margin_over_the_margin_rate_where_no_curve_states_it():
    objective = Objective(maximize="incremental_revenue", margin="25%")
    (decision,) = assembled(response("tv"), objective=objective).decisions
    np.testing.assert_allclose(decision.curve.revenue, CURVE.value * 4)
    with_revenue = ResponseCurve(CURVE.spend, CURVE.value, revenue=CURVE.value * 3)
    (decision,) = assembled(response("tv", curve=with_revenue), objective=objective).decisions
    np.testing.assert_allclose(decision.curve.revenue, CURVE.value * 3)


def test_revenue_without_a_margin_rate_is_an_error():
    (finding,) = findings(response("tv"), objective=Objective(maximize="incremental_revenue"))
    assert finding.code == "E101"
    assert "objective.margin" in finding.fix


@pytest.mark.parametrize(
    ("responses", "terms", "code"),
    [
        ([response("tv")], {"channels": {"tv": ChannelTerms("TV"), "radio": ChannelTerms("Radio")}}, "E209"),
        ([response("tv"), response("rado")], {"channels": {"tv": ChannelTerms("TV")}}, "E201"),
        ([response("tv", "hihg"), response("tv", "low"), response("tv", "high")], {}, "E202"),
        ([response("tv", "high")], {}, "E210"),
        ([response("tv")], {"channels": {"tv": ChannelTerms("TV", tier_mix={"high": 1.0})}}, "E210"),
        (
            [response("tv")],
            {"channels": {"tv": ChannelTerms("TV", tier_mix={"high": 0.9, "low": 0.2})}},
            "E106",
        ),
        ([response("tv")], {"channels": {"tv": ChannelTerms("TV", capacity=10.0)}}, "E206"),
    ],
    ids=["no curve", "no channel", "no tier", "tier lacks", "mix lacks a tier", "mix over 100%", "no cost"],
)
def test_curves_and_terms_that_do_not_fit_are_refused(responses, terms, code):
    (finding,) = findings(*responses, **terms)
    assert finding.code == code


def test_everything_wrong_is_found_in_one_pass():
    limits = {
        "a": LIMIT.validate_python({"measure": "contacts", "max": 3}),
        "b": LIMIT.validate_python({"measure": "change_vs_current", "max": "10%"}),
        "c": LIMIT.validate_python({"measure": "spend", "max": 3, "where": {"channel": "tvv"}}),
    }
    assert [finding.code for finding in findings(response("tv"), limits=limits)] == ["E206", "E207", "E201"]


def test_advice_on_limits_travels_with_the_problem():
    limits = {"floor": LIMIT.validate_python({"measure": "spend", "min": 3, "where": {"tier": "low"}})}
    (finding,) = assembled(response("tv"), limits=limits).warnings
    assert finding.code == "W302"
