"""The whole way from a scenario to the problem, one function per stage: read this first.

    scenario ──curves──► Curves ──problem──► Problem ──optimise──► Solution ──view, build──► the five answers

Each stage can be used alone: curves can come from a table a planner edited, and a problem can be handed
to `allocator.plan.optimise.optimise` as it is. Nothing here loads a solver, so that ``check`` can go all the
way to the problem and find everything that would stop a run.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from allocator.errors import Finding, Origin, ScenarioError
from allocator.plan.assemble import PlanTerms, assemble
from allocator.plan.constraints import Limit
from allocator.plan.defaults import ChannelTerms
from allocator.plan.problem import Problem
from allocator.response.curve import ResponseCurve
from allocator.response.curves import ALL, Curves, Response
from allocator.response.draws import Strata, strata
from allocator.response.families import breakpoints
from allocator.response.fit import TierSplit, opinion_responses
from allocator.response.sources import OpinionResponse
from allocator.scenario.schema import Scenario
from allocator.scenario.sections import Channel, CurrentByTier


def curves(scenario: Scenario) -> Curves:
    """Give the response of every channel, per tier where there is evidence on tiers.

    Raises
    ------
    ScenarioError
        With every finding of every channel.
    """
    draws = _draws(scenario)
    responses: list[Response] = []
    findings: list[Finding] = []
    for name, channel in scenario.channels.items():
        try:
            responses += _responses(name, channel, scenario, draws[name])
        except ScenarioError as error:
            findings += _placed(error, scenario.origin_of(f"channels.{name}.response"))
    if findings:
        raise ScenarioError(findings)
    return Curves(tuple(responses))


def problem(scenario: Scenario, curves: Curves) -> Problem:
    """Give the allocation problem: decisions with their curves, every limit as rows, the objective.

    Raises
    ------
    ScenarioError
        When curves and scenario do not fit together, or a limit cannot be stated on them.
    """
    return assemble(_reaching(curves, scenario.budget.total), _terms(scenario))


def _responses(name: str, channel: Channel, scenario: Scenario, draws: Strata) -> tuple[Response, ...]:
    response = channel.response
    if not isinstance(response, OpinionResponse):
        what = f"nothing tells what the money of {name!r} brings"
        raise ScenarioError(
            Finding("E209", scenario.origin_of(f"channels.{name}"), what, "write 'response:' for it")
        )
    return opinion_responses(
        name,
        response,
        tiers=_tiers(scenario),
        reach=scenario.budget.total,
        targeting=_targeting(channel, scenario),
        strata=draws,
    )


def _targeting(channel: Channel, scenario: Scenario) -> TierSplit | None:
    if channel.targeting is None:
        return None
    mix = _mix(channel, scenario) or dict.fromkeys(_tiers(scenario), 1.0)
    return TierSplit(mix, channel.tier_index or {})


def _tiers(scenario: Scenario) -> tuple[str, ...]:
    return tuple(scenario.tiers.levels) if scenario.tiers else (ALL,)


def _mix(channel: Channel, scenario: Scenario) -> Mapping[str, float] | None:
    """Shares of the tiers in a channel's money: as stated, else as customers fall on tiers."""
    return channel.tier_mix or (scenario.tiers.shares() if scenario.tiers else None)


def _draws(scenario: Scenario) -> dict[str, Strata]:
    """One order of strata a channel, from the seed and what its response says.

    Neither the order of the channels nor their names decide which draws meet.
    """
    met: dict[bytes, int] = {}
    draws: dict[str, Strata] = {}
    for name, channel in scenario.channels.items():
        text = channel.response.model_dump_json().encode() if channel.response else b""
        met[text] = met.get(text, 0) + 1
        rng = np.random.default_rng([scenario.risk.seed, zlib.crc32(text), met[text]])
        draws[name] = strata(scenario.risk.draws, rng)
    return draws


def _placed(error: ScenarioError, origin: Origin | None) -> Iterator[Finding]:
    """Give findings that know no place the place of the channel's response."""
    for finding in error.findings:
        yield finding if finding.where else replace(finding, where=origin)


def _terms(scenario: Scenario) -> PlanTerms:
    return PlanTerms(
        channels={
            name: _channel_terms(name, channel, scenario) for name, channel in scenario.channels.items()
        },
        budget=scenario.budget,
        objective=scenario.objective,
        limits={name: one for name, one in scenario.constraints.items() if isinstance(one, Limit)},
        tiers=_tiers(scenario),
        currency=scenario.currency or "",
        origin_of=scenario.origin_of,
    )


def _channel_terms(name: str, channel: Channel, scenario: Scenario) -> ChannelTerms:
    current = channel.current
    return ChannelTerms(
        label=channel.label or name,
        current=current.by_tier if isinstance(current, CurrentByTier) else current,
        min=channel.min,
        max=channel.max,
        capacity=channel.capacity,
        cost_per_contact=channel.cost_per_contact,
        contacts_per_customer=channel.contacts_per_customer,
        tier_mix=_mix(channel, scenario),
        value_mix=channel.value_mix,
        reason=channel.reason or "",
    )


def _reaching(curves: Curves, budget: float) -> Curves:
    """Sample smooth curves up to the budget, where they were made for a smaller one."""
    return replace(
        curves,
        responses=tuple(replace(one, curve=_extended(one.curve, budget)) for one in curves.responses),
    )


def _extended(curve: ResponseCurve, reach: float) -> ResponseCurve:
    if curve.shape is None or curve.end >= reach:
        return curve
    spend = breakpoints(curve.shape, reach)
    return ResponseCurve(spend, curve.shape.value(spend), shape=curve.shape)
