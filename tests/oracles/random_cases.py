"""Random small problems: drawn as a scenario states them, and made into the package's problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
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
COUNTS = ("revenue", "conversions", "retained", "immediate")
"""What curves tell besides the margin."""
ONE_BOUND = {
    **dict.fromkeys(("roi", "return_per_unit", "roas", "marginal_return"), "min"),
    **dict.fromkeys(("cpa", "payback_months"), "max"),
}
LINEAR = ("spend", "share_of_budget", "share_of_spend", "change_vs_current", "roi", "return_per_unit",
          "contacts", "contacts_per_customer")  # fmt: skip
"""Measures whose rows are sums over spend and margin that a linear program can keep on concave curves."""
Points = dict[str, list[float]]


@dataclass(frozen=True)
class Channel:
    """A drawn channel: one curve (tied) or one per tier, by what it counts."""

    name: str
    curves: dict[str | None, Points]
    mix: dict[str, float]
    current: float
    cost: float
    tested: bool = False
    floor: float | None = None
    cap: float | None = None
    step: float | None = None
    promised: float = 0.0
    per_customer: float | None = None


@dataclass(frozen=True)
class Case:
    """A drawn problem."""

    tiers: tuple[str, ...]
    channels: list[Channel]
    budget: float
    exactly: bool
    goal: dict[str, Any]
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


def later_share(months: float) -> float:
    """Share of the later margin that has come after so many months: none until 3, all from 15 on."""
    return float(np.clip((months - 3) / 12, 0, 1))


def whole(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


def rare(some: st.SearchStrategy[float], rich: Rich) -> st.SearchStrategy[float | None]:
    """Leave a bound out more often than not where other limits are drawn as well."""
    return st.one_of(*[st.none()] * (1 if rich is PLAIN else 3), some)


@st.composite
def drawn_curves(draw, pieces: int, bending: bool = False, counting: bool = False) -> Points:
    """A curve that bends downwards (either way, if `bending`), and what else it counts, if `counting`."""
    widths = np.array(draw(st.lists(whole(2, 9), min_size=pieces, max_size=pieces)))
    slopes = draw(st.lists(whole(-2, 30), min_size=pieces, max_size=pieces))
    if not bending:
        slopes.sort(reverse=True)
    steps = np.array(slopes) / 8 * widths
    brings = {"spend": widths, "margin": steps}
    if counting:
        brings["revenue"] = steps * draw(st.sampled_from([2, 4]))
        for name in ("conversions", "retained"):
            rates = draw(st.lists(whole(0, 8), min_size=pieces, max_size=pieces))
            brings[name] = np.array(sorted(rates, reverse=True) if not bending else rates) / 16 * widths
        brings["immediate"] = steps * draw(st.sampled_from([0.25, 0.5, 1.0]))
    return {name: [0.0, *(np.cumsum(parts) * UNIT).tolist()] for name, parts in brings.items()}


@st.composite
def drawn_channel(draw, name: str, tiers: tuple[str, ...], tied: bool, tested: bool, rich: Rich) -> Channel:
    first = draw(whole(1, 9)) / 10
    mix = {tiers[0]: first, tiers[1]: 1 - first} if len(tiers) == 2 else {tiers[0]: 1.0}
    keys: list[str | None] = [None] if tied else list(tiers)
    pieces = 2 if len(keys) > 1 or rich.channels else 3
    channel = Channel(
        name,
        {key: draw(drawn_curves(pieces, rich.bending, rich.counting)) for key in keys},
        mix,
        current=draw(whole(1, 8)) * UNIT,
        cost=draw(st.sampled_from([0.25, 0.5, 2.0])),
        tested=tested,
        floor=draw(rare(whole(0, 3).map(lambda x: x * UNIT), rich)),
        cap=draw(rare(whole(2, 9).map(lambda x: x * UNIT), rich)),
    )
    if not rich.channels:
        return channel
    return replace(
        channel,
        step=draw(st.sampled_from([None, 2.5 * UNIT, 4.0 * UNIT])),
        promised=draw(st.sampled_from([0.0, 0.0, 1.0 * UNIT])),
        per_customer=draw(st.sampled_from([None, None, 3.0])),
    )


@dataclass(frozen=True)
class Rich:
    """What of the language a case draws from besides the plain limits."""

    measures: Sequence[str] = LINEAR
    bending: bool = False
    counting: bool = False
    soft: bool = False
    channels: bool = False


PLAIN = Rich()
EVERYTHING = Rich(tuple(sorted(MEASURES)), bending=True, counting=True, soft=True, channels=True)


@st.composite
def drawn_limit(draw, case: Case, rich: Rich = PLAIN) -> dict[str, Any]:
    where: dict[str, str] = {}
    if draw(st.booleans()):
        where["channel"] = draw(st.sampled_from([channel.name for channel in case.channels]))
    if len(case.tiers) > 1 and draw(st.booleans()):
        where["tier"] = draw(st.sampled_from(case.tiers))
    measure = draw(st.sampled_from(sorted(rich.measures)))
    bound = ONE_BOUND.get(measure) or draw(st.sampled_from(["min", "max"]))
    limit: dict[str, Any] = {"measure": measure, "where": where, bound: draw(drawn_number(measure))}
    if rich.soft and draw(st.booleans()):
        limit |= {"priority": "soft", "penalty": draw(whole(1, 16)) / 4}
    return limit


def drawn_number(measure: str) -> st.SearchStrategy[Any]:
    """What a limit on a measure can be."""
    numbers: dict[str, st.SearchStrategy[Any]] = {
        "spend": whole(0, 12).map(lambda x: x * UNIT),
        "share_of_budget": whole(0, 8).map(lambda x: x / 8),
        "share_of_spend": whole(0, 8).map(lambda x: x / 8),
        "change_vs_current": whole(-10, 10).map(lambda x: f"{x * 10}%"),
        "roi": whole(-2, 8).map(lambda x: f"{x * 25}%"),
        "return_per_unit": whole(0, 12).map(lambda x: x / 4),
        "contacts": whole(0, 24).map(lambda x: x * UNIT),
        "contacts_per_customer": whole(0, 12),
        "roas": whole(0, 24).map(lambda x: x / 4),
        "cpa": whole(1, 24).map(lambda x: x / 2),
        "payback_months": whole(1, 18),
        "marginal_return": whole(0, 12).map(lambda x: x / 4),
        "return": whole(0, 24).map(lambda x: x * UNIT),
        "conversions": whole(0, 5).map(lambda x: x * UNIT),
        "retained_customers": whole(0, 5).map(lambda x: x * UNIT),
        "customers_reached": whole(0, 24).map(lambda x: x * UNIT),
        "active_channels": whole(0, 3),
        "spend_if_active": whole(0, 8).map(lambda x: x * UNIT),
    }
    return numbers[measure]


@st.composite
def drawn_goal(draw) -> dict[str, Any]:
    one = st.sampled_from(["profit", "incremental_margin", "incremental_revenue", "customer_equity",
                           "retained_customers", "conversions", "spend"])  # fmt: skip
    kind = draw(st.sampled_from(["maximize", "minimize", "weights"]))
    if kind == "minimize":
        return {"minimize": "spend"}
    if kind == "maximize":
        return {"maximize": draw(one)}
    return {"weights": draw(st.dictionaries(one, whole(1, 6).map(lambda x: x / 2), min_size=2, max_size=3))}


@st.composite
def drawn_case(draw, shape: str, rich: Rich = PLAIN) -> Case:
    tiers = ("high", "low") if shape in ("tied", "untied", "mixed", "one per customer") else ("all",)
    names = ["email", "search", "post"] if shape in ("one tier", "tied") else ["email", "search"]
    tied = {name: shape == "tied" or (shape == "mixed" and name == "search") for name in names}
    tested = shape == "one per customer"
    channels = [draw(drawn_channel(name, tiers, tied[name], tested, rich)) for name in names]
    case = Case(
        tiers,
        channels,
        budget=draw(whole(3, 25)) * UNIT,
        exactly=draw(st.sampled_from([False, True] if rich is PLAIN else [False, False, False, True])),
        goal=draw(drawn_goal() if rich.counting else st.sampled_from(GOALS).map(lambda x: {"maximize": x})),
        people={tier: draw(whole(2, 20)) * UNIT for tier in tiers},
        one_per_customer=tested,
    )
    least = 0 if rich is PLAIN else 1
    return replace(case, limits=draw(st.lists(drawn_limit(case, rich), min_size=least, max_size=3)))


def curve_of(points: Points) -> ResponseCurve:
    told = {name: np.array(points[name]) for name in COUNTS if name in points}
    return ResponseCurve(np.array(points["spend"]), np.array(points["margin"]), **told)


def problem_of(case: Case) -> Problem:
    responses = [
        Response(
            channel.name,
            curve_of(points),
            Evidence.TESTED if channel.tested else Evidence.OPINION,
            "experiment" if channel.tested else "points",
            tier,
            population=None if tier is None else case.people[tier],
        )
        for channel in case.channels
        for tier, points in channel.curves.items()
    ]
    terms = PlanTerms(
        channels={channel.name: _terms(channel) for channel in case.channels},
        budget=Budget(total=case.budget, spend="exactly" if case.exactly else "up_to"),
        objective=Objective(**case.goal),
        limits={f"limit{i}": LIMIT.validate_python(limit) for i, limit in enumerate(case.limits)},
        tiers=case.tiers,
        customers=case.people,
        later_share=later_share,
    )
    return assemble(Curves(tuple(responses), "one_per_customer" if case.one_per_customer else "add"), terms)


def _terms(channel: Channel) -> ChannelTerms:
    return ChannelTerms(
        channel.name, channel.current, channel.floor, channel.cap, cost_per_contact=channel.cost,
        tier_mix=channel.mix, step=channel.step, committed=channel.promised,
        contacts_per_customer=channel.per_customer,
    )  # fmt: skip
