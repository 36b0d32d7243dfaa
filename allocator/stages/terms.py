"""The last stage: curves and the scenario's own terms become the allocation problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from allocator.plan.assemble import PlanTerms, assemble
from allocator.plan.defaults import ChannelTerms
from allocator.plan.limit import Limit
from allocator.plan.problem import Problem
from allocator.plan.risk import Risk
from allocator.quantities import parse_duration
from allocator.response.curve import ResponseCurve
from allocator.response.curves import Curves
from allocator.response.families import breakpoints
from allocator.response.periods import Period
from allocator.scenario.schema import Scenario
from allocator.scenario.sections import Channel, CurrentByTier

Sizes = Mapping[str, float]
DAYS_PER_MONTH = 365.25 / 12
A_YEAR = parse_duration("12 months")


def state_problem(scenario: Scenario, curves: Curves, sizes: Sizes) -> Problem:
    """Give decisions with their curves, every limit as rows, the objective.

    Parameters
    ----------
    scenario : Scenario
    curves : Curves
    sizes : mapping of tier to float
        Customers of each tier; empty where nothing counted them.

    Raises
    ------
    ScenarioError
        When curves and scenario do not fit together, or a limit cannot be stated on them.
    """
    stated = scenario.data.experiments.combine if scenario.data.experiments else None
    reaching = replace(
        curves,
        responses=tuple(replace(one, curve=_extended(one.curve, scenario.budget.total)) for one in curves),
        combine=stated or curves.combine,
    )
    return assemble(reaching, _terms(scenario, sizes))


def tier_mix(channel: Channel, scenario: Scenario, sizes: Sizes) -> Mapping[str, float] | None:
    """Give the shares of the tiers in a channel's money: as stated, else as customers fall on tiers.

    Customers as counted outrank the shares that tiers were asked to have; None where neither is known.
    """
    if channel.tier_mix is not None:
        return channel.tier_mix
    total = sum(sizes.values())
    if total > 0:
        return {tier: sizes[tier] / total for tier in scenario.tier_names}
    return scenario.tiers.shares() if scenario.tiers else None


def _extended(curve: ResponseCurve, reach: float) -> ResponseCurve:
    """Sample a smooth curve up to the budget, where it was made for a smaller one."""
    if curve.shape is None or curve.end >= reach:
        return curve
    spend = breakpoints(curve.shape, reach)
    return ResponseCurve(spend, curve.shape.value(spend), shape=curve.shape)


def _terms(scenario: Scenario, sizes: Sizes) -> PlanTerms:
    return PlanTerms(
        channels={
            name: _channel_terms(channel, name, scenario, sizes)
            for name, channel in scenario.channels.items()
        },
        budget=scenario.budget,
        objective=scenario.objective,
        limits={name: one for name, one in scenario.constraints.items() if isinstance(one, Limit)},
        tiers=scenario.tier_names,
        customers=sizes,
        currency=scenario.currency or "",
        origin_of=scenario.origin_of,
        periods=_periods(scenario),
        later_share=partial(_arisen, *_months_of_value(scenario)),
        risk=_risk(scenario),
    )


def _periods(scenario: Scenario) -> tuple[Period, ...]:
    """Give the periods of the horizon; one for all of it, where money is not decided in time."""
    return scenario.horizon.all_periods() if scenario.horizon else ()


def _months_of_value(scenario: Scenario) -> tuple[float, float]:
    """Give after how many months the value of customers kept begins and ends to arise."""
    tested = scenario.data.experiments
    begins = tested.window.days / DAYS_PER_MONTH if tested and tested.window else 0.0
    ends = (scenario.objective.value_window or A_YEAR).days / DAYS_PER_MONTH
    return begins, ends


def _arisen(begins: float, ends: float, months: float) -> float:
    """Give the share of later value that has arisen after so many months, evenly in between."""
    if ends <= begins:
        return 1.0
    return min(max((months - begins) / (ends - begins), 0.0), 1.0)


def _risk(scenario: Scenario) -> Risk:
    stated = scenario.risk
    level = Risk().level if stated.level is None else stated.level
    return Risk(stated.method, level, stated.weight)


def _channel_terms(channel: Channel, name: str, scenario: Scenario, sizes: Sizes) -> ChannelTerms:
    current = channel.current
    return ChannelTerms(
        label=channel.label or name,
        current=current.by_tier if isinstance(current, CurrentByTier) else current,
        min=channel.min,
        max=channel.max,
        capacity=channel.capacity,
        cost_per_contact=channel.cost_per_contact,
        contacts_per_customer=channel.contacts_per_customer,
        tier_mix=tier_mix(channel, scenario, sizes),
        value_mix=channel.value_mix,
        reason=channel.reason or "",
        step=channel.step,
        carryover=channel.carryover or 0.0,
        carry_in=channel.carry_in or 0.0,
        available=None if channel.available is None else channel.available_in(_periods(scenario)),
        committed=channel.committed or 0.0,
        season=channel.season or {},
    )
