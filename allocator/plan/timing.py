"""A plan in time: curves of every period, and money whose effect carries over into the periods after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from allocator.plan.defaults import ChannelTerms
from allocator.plan.problem import Pairs
from allocator.plan.rows import Weights
from allocator.plan.scope import Part
from allocator.response.curve import ResponseCurve
from allocator.response.curves import ALL, Curves, Response
from allocator.response.families import breakpoints
from allocator.response.periods import (
    Period,
    carried,
    carry_in_left,
    in_period,
    kept_matrix,
    season_index,
)

Key = tuple[str, str | None, str]


def over_periods(
    curves: Curves, channels: Mapping[str, ChannelTerms], periods: Sequence[Period], budget: float
) -> Curves:
    """Give every response period by period, where it is given for the whole horizon.

    A period with the share p of the days has ``V_t(s) = i p V(s / p)``, i being the season of the channel, so
    that spend by the day brings what the whole curve says. Where effects carry over, the curve is one
    of effective spend; that of the last period counts what comes after the horizon.

    Parameters
    ----------
    curves : Curves
    channels : mapping of str to ChannelTerms
    periods : sequence of Period
    budget : float
        All of it may go into one period, so a curve that bends upwards is known that far.
    """
    if len(periods) < 2:
        return curves
    found: list[Response] = []
    for response in curves:
        if response.period != ALL:
            found.append(response)
            continue
        terms = channels[response.channel]
        season = season_index(periods, terms.season)
        left = carry_in_left(len(periods), terms.carryover, terms.carry_in)
        for at, period in enumerate(periods):
            curve = in_period(response.curve, period.share, float(season[at]))
            if terms.carryover:
                before, last = float(left[at]), at == len(periods) - 1
                curve = carried(curve, keep=terms.carryover, before=before, tail=last)
            found.append(replace(response, curve=_known_to(curve, budget), period=period.name))
    return replace(curves, responses=tuple(found))


def _known_to(curve: ResponseCurve, reach: float) -> ResponseCurve:
    """Sample a smooth curve that bends upwards as far as money can go; others are, around the plan."""
    if (
        curve.shape is None
        or curve.concave
        or curve.end >= reach
        or curve.draws is not None
        or curve.outcomes
    ):
        return curve
    spend = breakpoints(curve.shape, reach)
    return ResponseCurve(spend, curve.shape.value(spend), shape=curve.shape)


def linked(
    parts: Sequence[Part], channels: Mapping[str, ChannelTerms], periods: Sequence[Period]
) -> tuple[Part, ...]:
    """State for every part what money its curve is about, where effects carry over."""
    place = {period.name: at for at, period in enumerate(periods)}
    series: dict[Key, dict[int, Part]] = {}
    for part in parts:
        series.setdefault(_key(part), {})[place.get(part.response.period, 0)] = part
    found = []
    for part in parts:
        keep = channels[part.response.channel].carryover
        if not keep or len(periods) < 2:
            found.append(part)
            continue
        row = kept_matrix(len(periods), keep)[place[part.response.period]]
        terms = {
            facts.cell: Weights(spend=float(row[at]))
            for at, other in series[_key(part)].items()
            for facts in other.cells
            if row[at]
        }
        found.append(replace(part, carried=terms))
    return tuple(found)


def carry_of(parts: Sequence[Part]) -> Pairs | None:
    """Give effective spend as a sum over decisions; None where nothing carries over."""
    if not any(part.carried for part in parts):
        return None
    place = {facts.cell: j for j, part in enumerate(parts) for facts in part.cells}
    entries: dict[tuple[int, int], float] = {}
    for j, part in enumerate(parts):
        for cell, weights in part.effective.items():
            entries[j, place[cell]] = weights.spend
    return Pairs.of([(row, col, coef) for (row, col), coef in entries.items()])


def _key(part: Part) -> Key:
    return (part.response.channel, part.response.tier, part.response.segment)
