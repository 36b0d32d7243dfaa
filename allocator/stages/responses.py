"""The stage that answers what money earns: a curve for every channel, from wherever its evidence comes."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from allocator.errors import (
    AllocatorError,
    DataError,
    Finding,
    Origin,
    ScenarioError,
    closest,
    raise_findings,
)
from allocator.quantities import quoted
from allocator.response.curve import ResponseCurve
from allocator.response.curves import Combine, Curves, Evidence, Response
from allocator.response.draws import Strata, strata
from allocator.response.fit import Measured, TierSplit, opinion_responses
from allocator.response.sources import ExperimentResponse, HistoryResponse, OpinionResponse
from allocator.response.table import from_frame
from allocator.scenario.schema import Scenario
from allocator.scenario.sections import Channel
from allocator.stages.effects import Tested, tested_responses
from allocator.stages.media import Modelled, Observed
from allocator.stages.places import placed
from allocator.stages.reading import Tables
from allocator.stages.terms import Sizes, tier_mix
from allocator.tables.sources import Table

ResponsesByChannel = Mapping[str, tuple[Response, ...]]


@dataclass(frozen=True)
class Evidenced:
    """Responses that rest on more than what the scenario states, by channel.

    Parameters
    ----------
    tested : mapping of channel to responses
        From an experiment.
    observed : Observed
        From spend history, of every channel listed there.
    read : mapping of channel to responses
        From a table of curves; they outrank every other response.
    combine : {"one_per_customer", "add"}
        How tested channels that reach the same customer combine.
    """

    tested: ResponsesByChannel = field(default_factory=dict)
    observed: Observed = field(default_factory=Observed)
    read: ResponsesByChannel = field(default_factory=dict)
    combine: Combine = "one_per_customer"

    def known(self, scenario: Scenario) -> ResponsesByChannel:
        """Give the responses the plan takes in place of what the scenario states."""
        channels = scenario.channels.items()
        resting = {name for name, one in channels if isinstance(one.response, HistoryResponse)}
        history = {name: found for name, found in self.observed.responses.items() if name in resting}
        return {**history, **self.tested, **self.read}


def draw_curves(
    scenario: Scenario,
    tables: Tables,
    tested: Tested | None,
    sizes: Sizes,
    modelled: Modelled | None = None,
) -> Curves:
    """Give the response of every channel: tested, fitted on history, read from a table of curves, or stated.

    Parameters
    ----------
    scenario : Scenario
    tables : Tables
    tested : Tested or None
    sizes : mapping of tier to float
        Customers of each tier; empty where nothing counted them.
    modelled : Modelled or None
        What was learned from spend history.

    Raises
    ------
    AllocatorError
        With every finding of every channel.
    """
    table = _read(scenario, tables.curves) if tables.curves else None
    origin = scenario.origin_of("data.experiments.path")
    try:
        found = tested_responses(scenario, tested, sizes) if tested else ()
    except DataError as error:
        raise DataError(placed(error, origin)) from None
    combine = table.combine if table and not found else "one_per_customer"
    observed = modelled.observed if modelled else Observed()
    evidenced = Evidenced(_by_channel(found), observed, _by_channel(table or ()), combine)
    return all_responses(scenario, evidenced, sizes)


def replaced_responses(scenario: Scenario, tables: Tables) -> Iterator[Finding]:
    """Say which responses of the scenario a table of curves takes the place of."""
    read = set(tables.curves.data["channel"]) if tables.curves else set()
    for name, channel in scenario.channels.items():
        if channel.response is not None and name in read:
            what = f"the curve of {quoted(name)} comes from data.curves; its response is not used"
            yield Finding("W410", scenario.origin_of(f"channels.{name}.response"), what)


def _read(scenario: Scenario, table: Table) -> Curves:
    """Give the curves of a table; whatever is wrong with them has the table's place."""
    origin = scenario.origin_of("data.curves.path")
    try:
        curves = from_frame(table.data)
    except AllocatorError as error:
        raise DataError(placed(error, origin)) from None
    strays = [name for name in curves.channels if name not in scenario.channels]
    raise_findings(
        [*(_stray(name, scenario, origin) for name in strays), *_stray_tiers(curves, scenario, origin)],
        DataError,
    )
    return curves


def _stray_tiers(curves: Curves, scenario: Scenario, origin: Origin | None) -> Iterator[Finding]:
    tiers = scenario.tier_names
    for name in dict.fromkeys(one.tier for one in curves if one.tier not in (None, *tiers)):
        near = closest(str(name), tiers, 0.6)
        fix = f"did you mean {quoted(near)}?" if near else f"tiers: {', '.join(tiers)}"
        what = f"the table has a curve of the tier {quoted(str(name))}, which the scenario does not have"
        yield Finding("E202", origin, what, fix)


def _stray(name: str, scenario: Scenario, origin: Origin | None) -> Finding:
    near = closest(name, scenario.channels)
    fix = f"did you mean {quoted(near)}?" if near else f"channels: {', '.join(scenario.channels)}"
    return Finding("E201", origin, f"the table has a curve of {quoted(name)}, which is no channel", fix)


def _by_channel(responses: Iterable[Response]) -> dict[str, tuple[Response, ...]]:
    found: dict[str, tuple[Response, ...]] = {}
    for one in responses:
        found[one.channel] = (*found.get(one.channel, ()), one)
    return found


def all_responses(scenario: Scenario, evidenced: Evidenced, sizes: Sizes) -> Curves:
    """Give the response of every channel, per tier where there is evidence on tiers.

    Parameters
    ----------
    scenario : Scenario
    evidenced : Evidenced
    sizes : mapping of tier to float
        Customers of each tier; empty where nothing counted them.

    Raises
    ------
    ScenarioError
        With every finding of every channel.
    """
    known = evidenced.known(scenario)
    measured = list(measured_channels(scenario, evidenced, sizes).values())
    draws = _draws(scenario)
    found: list[Response] = []
    findings: list[Finding] = []
    for name in scenario.channels:
        try:
            backing = evidenced.observed.totals.get(name) or measured
            found += known.get(name) or _stated(name, scenario, sizes, draws[name], backing)
        except ScenarioError as error:
            findings += placed(error, scenario.origin_of(f"channels.{name}.response"))
    raise_findings(findings, ScenarioError)
    return Curves(tuple(found), evidenced.combine)


def _stated(
    name: str,
    scenario: Scenario,
    sizes: Sizes,
    draws: Strata,
    measured: ResponseCurve | Sequence[Measured],
) -> tuple[Response, ...]:
    channel = scenario.channels[name]
    response = channel.response
    if not isinstance(response, OpinionResponse):
        what = f"nothing tells what the money of {name!r} brings"
        fix = "write 'response:' for it"
        if isinstance(response, ExperimentResponse):
            fix = "its arm has to be in data.experiments"
        elif isinstance(response, HistoryResponse):
            fix = "its spend has to be in data.spend_history"
        raise ScenarioError(Finding("E209", scenario.origin_of(f"channels.{name}"), what, fix))
    return opinion_responses(
        name,
        response,
        tiers=scenario.tier_names,
        reach=scenario.budget.total,
        targeting=_targeting(channel, scenario, sizes),
        strata=draws,
        measured=measured,
    )


def _targeting(channel: Channel, scenario: Scenario, sizes: Sizes) -> TierSplit | None:
    if channel.targeting is None:
        return None
    mix = tier_mix(channel, scenario, sizes) or dict.fromkeys(scenario.tier_names, 1.0)
    return TierSplit(mix, channel.tier_index or {})


def measured_channels(scenario: Scenario, evidenced: Evidenced, sizes: Sizes) -> dict[str, Measured]:
    """Give what channels with evidence spend today and earn by it; past the end of a curve nothing.

    Of a channel that was tested, or whose curve was read, today's spend has to be stated.
    """
    usual = dict(evidenced.observed.usual)
    for name, responses in {**evidenced.tested, **evidenced.read}.items():
        usual.pop(name, None)
        channel = scenario.channels.get(name)
        total = channel.current_total() if channel else None
        if total and not any(one.evidence is Evidence.OPINION for one in responses):
            usual[name] = Measured(total, margin_of(scenario, responses, total, sizes))
    return usual


def margin_of(scenario: Scenario, responses: Sequence[Response], total: float, sizes: Sizes) -> float:
    """Give what a channel earns by its curves at a total spend, split over tiers as today or by its mix.

    Segments of a tier get their share of its customers.

    Parameters
    ----------
    scenario : Scenario
    responses : sequence of Response
        All of one channel.
    total : float
    sizes : mapping of tier to float
    """
    channel = scenario.channels[responses[0].channel]
    stated: Mapping[str, float] = getattr(channel.current, "by_tier", None) or {}
    mix = tier_mix(channel, scenario, sizes) or {}
    whole = sum(stated.values()) or 1.0
    people: dict[str | None, float] = {}
    for one in responses:
        people[one.tier] = people.get(one.tier, 0.0) + (one.population or 0.0)
    margin = 0.0
    for one in responses:
        tier = one.tier or ""
        share = stated[tier] / whole if tier in stated else mix.get(tier, 1.0)
        part = total if one.tier is None else total * share
        if one.segment and people[one.tier]:
            part *= (one.population or 0.0) / people[one.tier]
        margin += float(one.curve.at(min(part, one.curve.end) if one.curve.bounded else part))
    return margin


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
