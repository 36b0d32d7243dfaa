"""Random small problems: drawn as a scenario states them, and made into the package's problem."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st
from pydantic import TypeAdapter

from allocator.plan.assemble import PlanTerms, assemble
from allocator.plan.constraints import MEASURES, Constraint
from allocator.plan.defaults import ChannelTerms
from allocator.plan.objectives import Budget, Objective
from allocator.plan.problem import Problem
from allocator.response.curve import ResponseCurve
from allocator.response.curves import Curves, Evidence, Response

LIMIT: TypeAdapter[Any] = TypeAdapter(Constraint)
UNIT = 1000.0
"""Money per unit drawn, so that whole cents are far below the accuracy asked for."""
GOALS = ("incremental_margin", "profit")


@dataclass(frozen=True)
class Channel:
    """A drawn channel: one curve (tied) or one per tier."""

    name: str
    curves: dict[str | None, tuple[list[float], list[float]]]
    mix: dict[str, float]
    current: float
    cost: float
    tested: bool = False
    floor: float | None = None
    cap: float | None = None


@dataclass(frozen=True)
class Case:
    """A drawn problem."""

    tiers: tuple[str, ...]
    channels: list[Channel]
    budget: float
    exactly: bool
    goal: str
    people: dict[str, float]
    limits: list[dict[str, Any]] = field(default_factory=list)
    one_per_customer: bool = False

    @property
    def cells(self) -> list[tuple[str, str]]:
        return [(tier, channel.name) for channel in self.channels for tier in self.tiers]

    def selected(self, limit: dict[str, Any]) -> list[tuple[str, str]]:
        where = limit.get("where", {})
        return [
            cell
            for cell in self.cells
            if where.get("tier") in (None, cell[0]) and where.get("channel") in (None, cell[1])
        ]


def whole(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


@st.composite
def drawn_curves(draw, pieces: int) -> tuple[list[float], list[float]]:
    widths = draw(st.lists(whole(2, 9), min_size=pieces, max_size=pieces))
    slopes = sorted(draw(st.lists(whole(-2, 30), min_size=pieces, max_size=pieces)), reverse=True)
    spend = np.concatenate([[0], np.cumsum(widths)]) * UNIT
    return spend.tolist(), np.concatenate([[0], np.cumsum(np.array(slopes) / 8 * widths)]).tolist()


def money(curve: tuple[list[float], list[float]]) -> tuple[list[float], list[float]]:
    return curve[0], [value * UNIT for value in curve[1]]


@st.composite
def drawn_channel(draw, name: str, tiers: tuple[str, ...], tied: bool, tested: bool) -> Channel:
    first = draw(whole(1, 9)) / 10
    mix = {tiers[0]: first, tiers[1]: 1 - first} if len(tiers) == 2 else {tiers[0]: 1.0}
    keys: list[str | None] = [None] if tied else list(tiers)
    return Channel(
        name,
        {key: money(draw(drawn_curves(2 if len(keys) > 1 else 3))) for key in keys},
        mix,
        current=draw(whole(1, 8)) * UNIT,
        cost=draw(st.sampled_from([0.25, 0.5, 2.0])),
        tested=tested,
        floor=draw(st.one_of(st.none(), whole(0, 3).map(lambda x: x * UNIT))),
        cap=draw(st.one_of(st.none(), whole(2, 9).map(lambda x: x * UNIT))),
    )


@st.composite
def drawn_limit(draw, case: Case) -> dict[str, Any]:
    where: dict[str, str] = {}
    if draw(st.booleans()):
        where["channel"] = draw(st.sampled_from([channel.name for channel in case.channels]))
    if len(case.tiers) > 1 and draw(st.booleans()):
        where["tier"] = draw(st.sampled_from(case.tiers))
    measure = draw(st.sampled_from(sorted(MEASURES)))
    bound = "min" if measure in ("roi", "return_per_unit") else draw(st.sampled_from(["min", "max"]))
    eighth = draw(whole(0, 8)) / 8
    limit = {
        "spend": draw(whole(0, 12)) * UNIT,
        "share_of_budget": eighth,
        "share_of_spend": eighth,
        "change_vs_current": f"{draw(whole(-10, 10)) * 10}%",
        "roi": draw(whole(-2, 8)) / 4,
        "return_per_unit": draw(whole(0, 12)) / 4,
        "contacts": draw(whole(0, 24)) * UNIT,
        "contacts_per_customer": draw(whole(0, 12)),
    }[measure]
    if measure == "roi":
        limit = f"{100 * limit}%"
    return {"measure": measure, "where": where, bound: limit}


@st.composite
def drawn_case(draw, shape: str) -> Case:
    tiers = ("all",) if shape == "one tier" else ("high", "low")
    names = ["email", "search", "post"] if shape in ("one tier", "tied") else ["email", "search"]
    tied = {name: shape == "tied" or (shape == "mixed" and name == "search") for name in names}
    tested = shape == "one per customer"
    channels = [draw(drawn_channel(name, tiers, tied[name], tested)) for name in names]
    case = Case(
        tiers,
        channels,
        budget=draw(whole(3, 25)) * UNIT,
        exactly=draw(st.booleans()),
        goal=draw(st.sampled_from(GOALS)),
        people={tier: draw(whole(2, 20)) * UNIT for tier in tiers},
        one_per_customer=tested,
    )
    limits = draw(st.lists(drawn_limit(case), max_size=3))
    return Case(**{**case.__dict__, "limits": limits})


def problem_of(case: Case) -> Problem:
    responses = [
        Response(
            channel.name,
            ResponseCurve(np.array(spend), np.array(value)),
            Evidence.TESTED if channel.tested else Evidence.OPINION,
            "experiment" if channel.tested else "points",
            tier,
            population=None if tier is None else case.people[tier],
        )
        for channel in case.channels
        for tier, (spend, value) in channel.curves.items()
    ]
    terms = PlanTerms(
        channels={
            channel.name: ChannelTerms(
                channel.name, channel.current, channel.floor, channel.cap, cost_per_contact=channel.cost,
                tier_mix=channel.mix,
            )
            for channel in case.channels
        },
        budget=Budget(total=case.budget, spend="exactly" if case.exactly else "up_to"),
        objective=Objective(maximize=case.goal),
        limits={f"limit{i}": LIMIT.validate_python(limit) for i, limit in enumerate(case.limits)},
        tiers=case.tiers,
        customers=case.people,
    )  # fmt: skip
    return assemble(Curves(tuple(responses), "one_per_customer" if case.one_per_customer else "add"), terms)
