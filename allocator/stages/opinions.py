"""Opinions beside data: whose stated curve promises more than anything that was ever measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from allocator.errors import Finding
from allocator.quantities import money, quoted, ratio
from allocator.response.curves import Curves, Evidence, Response
from allocator.scenario.schema import Scenario
from allocator.stages.media import Modelled
from allocator.stages.responses import margin_of
from allocator.stages.terms import Sizes

STATED = ("expert", "points", "curve")
MIDDLE = 0.5  # of the end of a curve: where it is judged when nobody says what is spent today


class Return(NamedTuple):
    """What one unit of money brings at a spend."""

    per_unit: float
    spend: float


def bold_opinions(
    scenario: Scenario, curves: Curves, sizes: Sizes, modelled: Modelled | None = None
) -> Iterator[Finding]:
    """Say (W427) which stated curve returns more per unit of money than every measured one.

    Each is judged at what is spent on it today; where that is unknown or nothing, a stated curve at its
    first breakpoint and any other at half of its end.

    Parameters
    ----------
    scenario : Scenario
    curves : Curves
        Of all channels of the scenario.
    sizes : mapping of tier to float
    modelled : Modelled or None
        What was learned from spend history: a channel's own history is a measured curve too.
    """
    measured: dict[str, Return] = {}
    if modelled is not None:
        usual = modelled.observed.usual.items()
        measured = {name: Return(one.margin / one.spend, one.spend) for name, one in usual if one.spend > 0}
    stated: dict[str, Return] = {}
    for name in curves.channels:
        responses = curves.of(name)
        if responses[0].evidence is Evidence.OPINION and responses[0].source in STATED:
            stated[name] = _returned(scenario, responses, sizes)
        elif responses[0].evidence is not Evidence.OPINION and name not in measured:
            measured[name] = _returned(scenario, responses, sizes)
    if not measured:
        return
    best = max(measured, key=lambda name: measured[name].per_unit)
    for name, one in stated.items():
        if one.per_unit > measured[best].per_unit:
            yield _bold(scenario, name, one, (best, measured[best]))


def _bold(scenario: Scenario, name: str, one: Return, best: tuple[str, Return]) -> Finding:
    other, known = best
    what = f"{quoted(name)} is said to return {ratio(one.per_unit)} per unit at {money(one.spend)};"
    what += f" no measured channel does: the best, {quoted(other)}, returns {ratio(known.per_unit)}"
    what += f" at {money(known.spend)}"
    fix = "what nobody measured is easily hoped too high: test it, or trust the opinion less"
    return Finding("W427", scenario.origin_of(f"channels.{name}.response"), what, fix)


def _returned(scenario: Scenario, responses: Sequence[Response], sizes: Sizes) -> Return:
    """Give the return per unit of a channel at today's spend, else at a place on its curve."""
    spend = scenario.channels[responses[0].channel].current_total()
    if not spend:
        stated = responses[0].source in STATED and responses[0].curve.bounded
        ends = [float(one.curve.spend[1]) if stated else MIDDLE * one.curve.end for one in responses]
        spend = sum(ends)
    return Return(margin_of(scenario, responses, spend, sizes) / spend, spend)
