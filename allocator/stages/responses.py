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
from allocator.response.curves import Combine, Curves, Evidence, Response
from allocator.response.draws import Strata, strata
from allocator.response.fit import Measured, TierSplit, opinion_responses
from allocator.response.sources import ExperimentResponse, OpinionResponse
from allocator.response.table import from_frame
from allocator.scenario.schema import Scenario
from allocator.scenario.sections import Channel
from allocator.stages.effects import Tested, tested_responses
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
    read : mapping of channel to responses
        From a table of curves; they outrank every other response.
    combine : {"one_per_customer", "add"}
        How tested channels that reach the same customer combine.
    """

    tested: ResponsesByChannel = field(default_factory=dict)
    read: ResponsesByChannel = field(default_factory=dict)
    combine: Combine = "one_per_customer"


def draw_curves(scenario: Scenario, tables: Tables, tested: Tested | None, sizes: Sizes) -> Curves:
    """Give the response of every channel from what was tested, read from a table of curves, or stated.

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
    evidenced = Evidenced(_by_channel(found), _by_channel(table or ()), combine)
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
    known = {**evidenced.tested, **evidenced.read}
    measured = list(_measured(scenario, known, sizes))
    draws = _draws(scenario)
    found: list[Response] = []
    findings: list[Finding] = []
    for name in scenario.channels:
        try:
            found += known.get(name) or _stated(name, scenario, sizes, draws[name], measured)
        except ScenarioError as error:
            findings += placed(error, scenario.origin_of(f"channels.{name}.response"))
    raise_findings(findings, ScenarioError)
    return Curves(tuple(found), evidenced.combine)


def _stated(
    name: str, scenario: Scenario, sizes: Sizes, draws: Strata, measured: Sequence[Measured]
) -> tuple[Response, ...]:
    channel = scenario.channels[name]
    response = channel.response
    if not isinstance(response, OpinionResponse):
        tested = isinstance(response, ExperimentResponse)
        what = f"nothing tells what the money of {name!r} brings"
        fix = "its arm has to be in data.experiments" if tested else "write 'response:' for it"
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


def _measured(scenario: Scenario, known: ResponsesByChannel, sizes: Sizes) -> Iterator[Measured]:
    """Give what channels with evidence spend today and earn by it; past the end of a curve nothing."""
    for name, responses in known.items():
        channel = scenario.channels.get(name)
        total = channel.current_total() if channel else None
        if not channel or not total or any(one.evidence is Evidence.OPINION for one in responses):
            continue
        by_tier = getattr(channel.current, "by_tier", None)
        mix = tier_mix(channel, scenario, sizes) or {}
        margin = 0.0
        for one in responses:
            own = (by_tier or {}).get(one.tier or "", total * mix.get(one.tier or "", 1.0))
            part = total if one.tier is None else own
            margin += float(one.curve.at(min(part, one.curve.end) if one.curve.bounded else part))
        yield Measured(total, margin)


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
