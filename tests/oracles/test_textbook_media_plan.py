"""The Relax-and-Enjoy Lake Development media plan, with its published optimum and shadow prices.

D. R. Anderson, D. J. Sweeney, T. A. Williams, "An Introduction to Management Science", section "Media
selection": 30,000 to spend on five media, at least 10 television spots, at most 18,000 on television, 50,000
customers to be reached. Best plan: 10 daytime spots, 25 daily and 2 Sunday advertisements, 30 radio spots,
2,370 exposure units; 1 more in the budget is worth 0.060, one television spot less 25, one more daily
advertisement 16, one more radio spot 14.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydantic import TypeAdapter

from allocator.plan.assemble import PlanTerms, assemble
from allocator.plan.constraints import Constraint
from allocator.plan.defaults import ChannelTerms
from allocator.plan.objectives import Budget, Objective
from allocator.plan.optimise import optimise
from allocator.plan.problem import Problem
from allocator.plan.rows import Bound, Row, Weights
from allocator.plan.solution import Status
from allocator.response.curve import ResponseCurve
from allocator.response.curves import Cell, Curves, Evidence, Response

MEDIA = {  # cost of one advertisement, how many at most, exposure units and customers reached by one
    "daytime": (1500, 15, 65, 1000),
    "evening": (3000, 10, 90, 2000),
    "daily": (400, 25, 40, 1500),
    "sunday": (1000, 4, 60, 2500),
    "radio": (100, 30, 20, 300),
}
TELEVISION = {"channel": ["daytime", "evening"]}
LIMITS = {
    "spots": {"measure": "contacts", "where": TELEVISION, "min": 10},
    "television": {"measure": "spend", "where": TELEVISION, "max": 18_000},
}


def media_plan() -> Problem:
    """Exposure units stand for margin, advertisements for contacts, a medium's supply for its capacity."""
    curves = [
        Response(
            name,
            ResponseCurve(np.array([0.0, cost * 100.0]), np.array([0.0, units * 100.0])),
            Evidence.OPINION,
            "points",
        )
        for name, (cost, _, units, _) in MEDIA.items()
    ]
    adapter = TypeAdapter(Constraint)
    terms = PlanTerms(
        channels={
            name: ChannelTerms(name.title(), capacity=most, cost_per_contact=cost)
            for name, (cost, most, _, _) in MEDIA.items()
        },
        budget=Budget(total=30_000),
        objective=Objective(maximize="incremental_margin"),
        limits={name: adapter.validate_python(limit) for name, limit in LIMITS.items()},
    )
    problem = assemble(Curves(tuple(curves)), terms)
    reach = {Cell("all", name): Weights(spend=people / cost) for name, (cost, _, _, people) in MEDIA.items()}
    audience = Row("audience", "customers_reached", Bound.MIN, reach, rhs=50_000)
    return replace(problem, rows=(*problem.rows, audience))


@pytest.fixture(scope="module", params=["cbc", "highs"])
def plan(request):
    return optimise(media_plan(), request.param)


def test_the_published_plan_is_found(plan):
    assert plan.status is Status.OPTIMAL
    assert plan.objective == pytest.approx(2370, abs=1e-6)
    contacts = {got.cell.channel: got.contacts for got in plan.cells}
    assert contacts == pytest.approx(
        {"daytime": 10, "evening": 0, "daily": 25, "sunday": 2, "radio": 30}, abs=1e-6
    )


def test_the_published_shadow_prices_are_found(plan):
    prices = {row.row.name: row.next_unit for row in plan.rows if row.binding}
    assert prices == pytest.approx(
        {"budget.total": 0.06, "spots": 25, "channels.daily.capacity": 16, "channels.radio.capacity": 14},
        abs=1e-6,
    )
    tightened = {row.row.name: row.last_unit for row in plan.rows if row.binding}
    assert tightened == pytest.approx(prices, abs=1e-6)


def test_the_published_slacks_are_found(plan):
    (audience,) = [row for row in plan.rows if row.row.name == "audience"]
    (television,) = [row for row in plan.rows if row.row.name == "television"]
    assert (audience.value, audience.slack) == pytest.approx((61_500, 11_500))
    assert (television.value, television.slack) == pytest.approx((15_000, 3_000))


def test_the_price_of_the_budget_holds_in_the_published_range(plan):
    """Sunday advertisements, worth 0.060 per unit of money, go from 0 to 4 between 28,000 and 32,000."""
    (budget,) = [row for row in plan.rows if row.row.name == "budget.total"]
    assert budget.range == pytest.approx((28_000, 32_000), abs=1)
