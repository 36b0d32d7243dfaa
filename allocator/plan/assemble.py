"""From curves and a scenario's terms to the problem: decisions, their cells, every row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from allocator.errors import Finding, Origin, ScenarioError, closest, raise_findings
from allocator.plan.constraints import RoasLimit
from allocator.plan.defaults import (
    ChannelTerms,
    RowSource,
    budget_rows,
    channel_rows,
    curve_end_rows,
    one_per_customer_rows,
    period_budget_rows,
)
from allocator.plan.limit import Limit
from allocator.plan.objectives import Budget, Objective
from allocator.plan.problem import Decision, Goal, Problem
from allocator.plan.risk import EXPECTED, Risk
from allocator.plan.rows import Row
from allocator.plan.scope import MISSING, CellFacts, Part, Scope, gather
from allocator.plan.timing import carry_of, linked, over_periods
from allocator.response.curve import OUTCOMES, ResponseCurve
from allocator.response.curves import ALL, Cell, Curves, Response
from allocator.response.periods import Period

Customers = Mapping[str, float]
MIX_ERROR = 1e-6
"""How far the shares of a mix may miss 1."""


def nowhere(path: str) -> Origin | None:
    """Origin of values that were not read from a file."""
    return None


@dataclass(frozen=True)
class PlanTerms:
    """Everything a plan needs besides its curves.

    Parameters
    ----------
    channels : mapping of str to ChannelTerms
        By name, in order of declaration.
    budget : Budget
    objective : Objective
    limits : mapping of str to Limit
        By name.
    periods : tuple of Period
        Of the horizon; empty for a plan of one period.
    later_share : callable
        Gives the share of the margin of customers kept that has arisen so many months after the spend.
    risk : Risk
    tiers : tuple of str
        ``("all",)`` for a scenario without tiers.
    customers : mapping of str to float
        Customers of each tier, where the curves do not say.
    currency : str
    origin_of : callable
        Gives the place where a dotted path of the scenario was written.
    """

    channels: Mapping[str, ChannelTerms]
    budget: Budget
    objective: Objective = field(default_factory=Objective)
    limits: Mapping[str, Limit[Any]] = field(default_factory=dict)
    tiers: tuple[str, ...] = (ALL,)
    customers: Mapping[str, float] = field(default_factory=dict)
    currency: str = ""
    origin_of: Callable[[str], Origin | None] = nowhere
    periods: tuple[Period, ...] = ()
    later_share: Callable[[float], float] = lambda months: 1.0
    risk: Risk = EXPECTED


def assemble(curves: Curves, terms: PlanTerms) -> Problem:
    """Give the problem: one decision per response, ``budget.total`` first among the rows.

    Limits that count an assumed part of a channel are advised against among its warnings (W302).

    Parameters
    ----------
    curves : Curves
        One response per channel (tied), or one per channel and tier (and segment).
    terms : PlanTerms

    Raises
    ------
    ScenarioError
        With every finding: channels without curves, curves without a channel, limits that cannot be rows.

    Examples
    --------
    >>> from allocator.response.curves import Evidence
    >>> curve = ResponseCurve(np.array([0.0, 100.0]), np.array([0.0, 250.0]))
    >>> curves = Curves((Response("email", curve, Evidence.OPINION, "points"),))
    >>> problem = assemble(curves, PlanTerms({"email": ChannelTerms("E-mail", max=80.0)}, Budget(total=200)))
    >>> [row.name for row in problem.rows]
    ['budget.total', 'channels.email.max', 'curve_end[email]']
    """
    findings = [*_coverage(curves, terms), *_mix_findings(terms), *_objective_findings(curves, terms)]
    raise_findings(findings, ScenarioError)
    timed = over_periods(curves, terms.channels, terms.periods, terms.budget.total)
    parts = linked(_parts(timed, terms), terms.channels, terms.periods)
    scope = _scope(curves, parts, terms)
    rows = _rows(timed, parts, terms, scope)
    advice = [found for name, limit in terms.limits.items() for found in limit.advice(name, scope)]
    return Problem(
        decisions=tuple(_decision(part, terms) for part in parts),
        rows=rows,
        objective=terms.objective.weights(),
        budget=terms.budget.total,
        spend_rule=terms.budget.spend,
        currency=terms.currency,
        warnings=tuple(advice),
        carry=carry_of(parts),
        discounted=terms.objective.discounted(),
        risk=terms.risk,
        given_up=terms.objective.given_up,
        then=tuple(
            Goal(name, goal.weights(), goal.discounted(), goal.given_up)
            for name, goal in terms.objective.further().items()
        ),
    )


def _scope(curves: Curves, parts: Sequence[Part], terms: PlanTerms) -> Scope:
    return Scope(
        cells=tuple(facts for part in parts for facts in part.cells),
        budget=terms.budget.total,
        origin_of=terms.origin_of,
        parts=tuple(parts),
        one_per_customer=curves.combine == "one_per_customer",
        later_share=terms.later_share,
    )


def _rows(curves: Curves, parts: Sequence[Part], terms: PlanTerms, scope: Scope) -> tuple[Row, ...]:
    """Give all rows: the budget, the channels' own, the limits by name, shared customers, curve ends."""
    sources: list[RowSource] = [
        partial(budget_rows, terms.budget, scope),
        partial(period_budget_rows, terms.budget, terms.periods, scope),
    ]
    for channel, channel_terms in terms.channels.items():
        own = tuple(part for part in parts if part.response.channel == channel)
        sources.extend(channel_rows(channel, channel_terms, own, scope))
    sources.extend(partial(limit.rows, name, scope) for name, limit in terms.limits.items())
    sources.append(partial(one_per_customer_rows, curves, parts, scope))
    sources.append(partial(curve_end_rows, parts, terms.channels, scope))
    return gather(sources)


def _coverage(curves: Curves, terms: PlanTerms) -> Iterator[Finding]:
    """Find channels without curves, and curves of channels or tiers that the scenario does not have."""
    for channel in curves.channels:
        if channel not in terms.channels:
            yield _unknown("E201", "channel", channel, terms.channels)
    for tier in curves.tiers:
        if tier not in terms.tiers:
            yield _unknown("E202", "tier", tier, terms.tiers)
    for channel in terms.channels:
        where = terms.origin_of(f"channels.{channel}")
        tiers = {response.tier for response in curves if response.channel == channel}
        lacking = [tier for tier in terms.tiers if tier not in tiers]
        if not tiers:
            yield Finding("E209", where, f"channel '{channel}' has no response curve", "give it a response")
        elif lacking and None not in tiers:
            yield Finding("E210", where, f"channel '{channel}' has no curve for tier {', '.join(lacking)}")


def _unknown(code: str, kind: str, name: str, known: Mapping[str, object] | Sequence[str]) -> Finding:
    match = closest(name, known)
    fix = f"did you mean '{match}'?" if match else f"{kind}s in this scenario: {', '.join(known)}"
    return Finding(code, None, f"a curve is given for the {kind} '{name}', which is not there", fix)


def _mix_findings(terms: PlanTerms) -> Iterator[Finding]:
    for channel, own in terms.channels.items():
        for key, mix in (("tier_mix", own.tier_mix), ("value_mix", own.value_mix)):
            if mix is None:
                continue
            path = f"channels.{channel}.{key}"
            if set(mix) != set(terms.tiers):
                named = ", ".join(terms.tiers)
                yield Finding("E210", terms.origin_of(path), f"{path} has to name every tier: {named}")
            elif abs(sum(mix.values()) - 1) > MIX_ERROR:
                found = f"{path} adds up to {sum(mix.values()):.4%}, not to 100%"
                yield Finding("E106", terms.origin_of(path), found)


def _objective_findings(curves: Curves, terms: PlanTerms) -> Iterator[Finding]:
    """Find goals that count what the curves do not tell."""
    goals = (terms.objective, *terms.objective.further().values())
    for name in ("revenue", "conversions", "retained"):
        if not any(getattr(goal.weights(), name) for goal in goals):
            continue
        lacking = [one.channel for one in curves if one.curve.outcome(name) is None]
        if lacking and not (name == "revenue" and terms.objective.margin):
            channels = ", ".join(dict.fromkeys(lacking))
            what = f"the goal counts {name}, which the curves of {channels} do not tell"
            yield Finding("E101", terms.origin_of("objective"), what, MISSING[name])


def _parts(curves: Curves, terms: PlanTerms) -> tuple[Part, ...]:
    """Order the responses as declared (channel, tier, then as given) and state the facts of their cells."""
    known = _tier_customers(curves, terms)
    place = {period.name: at for at, period in enumerate(terms.periods)}
    parts: list[Part] = []
    for channel in terms.channels:
        own = [response for response in curves if response.channel == channel]
        own.sort(key=lambda response: -1 if response.tier is None else terms.tiers.index(response.tier))
        own.sort(key=lambda response: place.get(response.period, 0))
        parts.extend(_part(response, own, terms, known) for response in own)
    return tuple(parts)


def _part(response: Response, own: Sequence[Response], terms: PlanTerms, known: Customers) -> Part:
    """State what is known of every cell that a response pays for."""
    channel = terms.channels[response.channel]
    tiers = terms.tiers if response.tier is None else (response.tier,)
    mix = _mix(channel.tier_mix, terms.tiers, known)
    current = _current(channel, mix)
    share = next((one.share for one in terms.periods if one.name == response.period), 1.0)
    piece = share * _part_of_tier(response, [one for one in own if one.period == response.period])
    outcomes = frozenset(
        name for name in OUTCOMES if _with_revenue(response.curve, terms).outcome(name) is not None
    )
    cells = tuple(
        CellFacts(
            Cell(tier, response.channel, response.period, response.segment),
            current=None if current is None else current[tier] * piece,
            cost_per_contact=channel.cost_per_contact or response.cost_per_contact,
            contacts_per_customer=channel.contacts_per_customer or 1.0,
            population=_population(response, tier, mix[tier], known),
            tied=len(tiers) > 1,
            current_assumed=len(terms.tiers) > 1 and not isinstance(channel.current, Mapping),
            known=outcomes,
        )
        for tier in tiers
    )
    if response.tier is not None:
        return Part(response, cells, np.ones(1), np.ones(1), share)
    value_mix = channel.value_mix or mix
    spend, value = (np.array([one[t] for t in tiers]) for one in (mix, value_mix))
    return Part(response, cells, spend, value, share)


def _tier_customers(curves: Curves, terms: PlanTerms) -> Customers:
    """Count the customers of each tier: as stated, else the most any channel's curves stand for."""
    by_channel: dict[tuple[str, str, str], float] = {}
    for response in curves:
        tier = terms.tiers[0] if len(terms.tiers) == 1 else response.tier
        if tier is not None and response.population is not None:
            key = (tier, response.channel, response.period)
            by_channel[key] = by_channel.get(key, 0.0) + response.population
    known: dict[str, float] = {}
    for (tier, *_), people in by_channel.items():
        known[tier] = max(known.get(tier, 0.0), people)
    return {**known, **terms.customers}


def _mix(stated: Mapping[str, float] | None, tiers: Sequence[str], known: Customers) -> Mapping[str, float]:
    """Give the share of each tier: as stated, else of customers where all are known, else equal."""
    if stated is not None:
        return stated
    people = [known.get(tier, 0.0) for tier in tiers]
    if min(people) <= 0:
        people = [1.0] * len(tiers)
    return {tier: count / sum(people) for tier, count in zip(tiers, people, strict=True)}


def _current(channel: ChannelTerms, mix: Mapping[str, float]) -> Mapping[str, float] | None:
    """Money spent today by tier; None when unknown."""
    if channel.current is None or isinstance(channel.current, Mapping):
        return channel.current
    return {tier: channel.current * share for tier, share in mix.items()}


def _part_of_tier(response: Response, own: Sequence[Response]) -> float:
    """Give the response's part of its channel and tier: by population where all know it, else equal."""
    alike = [other.population or 0.0 for other in own if other.tier == response.tier]
    return (response.population or 0.0) / sum(alike) if min(alike) > 0 else 1.0 / len(alike)


def _population(response: Response, tier: str, share: float, known: Customers) -> float | None:
    if response.tier is not None:
        return response.population if response.population is not None else known.get(tier)
    total = None if response.population is None else response.population * share
    return known.get(tier, total)


def _decision(part: Part, terms: PlanTerms) -> Decision:
    response, cells = part.response, part.cells
    currents = [facts.current for facts in cells if facts.current is not None]
    return Decision(
        name=str(replace(response, tier=None) if len(terms.tiers) == 1 else response),
        cells=tuple(facts.cell for facts in cells),
        spend_shares=part.spend_shares,
        value_shares=part.value_shares,
        curve=_with_revenue(response.curve, terms),
        current=sum(currents) if len(currents) == len(cells) else None,
        cost_per_contact=terms.channels[response.channel].cost_per_contact or response.cost_per_contact,
        discount=_discount(part, terms),
    )


def _discount(part: Part, terms: PlanTerms) -> float:
    """Give ``(1 + rate)**(-days / 365.25)`` of the middle of the part's period."""
    rate = terms.objective.discount_rate
    period = next((one for one in terms.periods if one.name == part.response.period), None)
    if period is None or not rate:
        return 1.0
    days = (period.start - terms.periods[0].start).days + period.n_days / 2
    return float((1 + rate) ** (-days / 365.25))


def _with_revenue(curve: ResponseCurve, terms: PlanTerms) -> ResponseCurve:
    """Give the curve with revenue = margin / rate, where revenue is counted and none is known."""
    goals = (terms.objective, *terms.objective.further().values())
    counted = any(goal.weights().revenue for goal in goals)
    counted = counted or any(isinstance(limit, RoasLimit) for limit in terms.limits.values())
    if curve.revenue is not None or not counted or not terms.objective.margin:
        return curve
    return replace(curve, revenue=curve.value / terms.objective.margin)
