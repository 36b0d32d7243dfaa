"""From a channel's response options to its curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from allocator.errors import Finding, ScenarioError
from allocator.quantities import percent
from allocator.response.curve import FloatArray, ResponseCurve
from allocator.response.curves import Response
from allocator.response.draws import Strata, three_point_mean
from allocator.response.families import Family
from allocator.response.sources import (
    CurveResponse,
    ExpertResponse,
    OpinionResponse,
    Point,
    PointsResponse,
    three_points,
)

Builder = Callable[[float], ResponseCurve]  # from a reach in money to the curve


@dataclass(frozen=True)
class TierSplit:
    """How the total of a channel that can be bought per tier falls on tiers (``targeting: tier``).

    Parameters
    ----------
    mix : mapping of tier to float
        Share of each tier in spend when nothing favours one, above 0; normalised to add to 1.
    index : mapping of tier to float
        Response of each tier against the mean, at least 0; 1 where a tier is not named. Normalised to
        ``sum(mix * index) == 1``.
    """

    mix: Mapping[str, float]
    index: Mapping[str, float]


@dataclass(frozen=True)
class Measured:
    """What a tested or modelled channel spends today and earns by its curve, in money."""

    spend: float
    margin: float


def opinion_responses(
    channel: str,
    options: OpinionResponse,
    *,
    tiers: Sequence[str],
    reach: float,
    targeting: TierSplit | None = None,
    strata: Strata | None = None,
    measured: ResponseCurve | Sequence[Measured] = (),
) -> tuple[Response, ...]:
    """Give the curves of a channel whose response is stated, not estimated.

    Parameters
    ----------
    channel : str
    options : ExpertResponse, PointsResponse or CurveResponse
    tiers : sequence of str
        The scenario's tiers in order; ``("all",)`` without any.
    reach : float
        The largest spend the plan may ask about, in money: smooth curves are sampled up to it.
    targeting : TierSplit or None
        Set when the channel is bought per tier: the total V becomes ``w * i * V(s / w)`` in a tier of
        share w and index i.
    strata : Strata or None
        Draws of an expert's uncertainty; without them only the expected curve is given.
    measured : ResponseCurve or sequence of Measured
        What `trust` below 100 % leaves room for: the channel's own measured curve, else measured channels.

    Returns
    -------
    tuple of Response
        One per tier with ``by_tier`` or `targeting`; otherwise a single one with ``tier=None``, the total.

    Raises
    ------
    ScenarioError
        When ``by_tier`` misses a tier or names an unknown one (E210), tiers cannot be split (E106), or
        `trust` below 100 % finds no measured channel (E209).

    Examples
    --------
    >>> points = PointsResponse(points=[[100, 250], [300, 450]])
    >>> (total,) = opinion_responses("email", points, tiers=("high", "low"), reach=1000)
    >>> total.tier, float(total.curve.at(200))
    (None, 350.0)
    """
    reach = max(reach, 1.0)  # a budget of 0 still wants a curve
    by_tier = getattr(options, "by_tier", None)
    curves: dict[str | None, ResponseCurve]
    if by_tier is not None:
        _check_names(channel, by_tier, tiers)
        curves = {tier: _stated(by_tier[tier], reach) for tier in tiers}
    else:
        total = _total(channel, options, strata, measured)
        curves = (
            {None: total(reach)} if targeting is None else _split(channel, total, tiers, targeting, reach)
        )
    return tuple(
        Response(channel, curve, options.evidence, options.source, tier) for tier, curve in curves.items()
    )


def _stated(curve: Family | Sequence[Point], reach: float) -> ResponseCurve:
    """Give a family sampled to the reach, or points from (0, 0)."""
    if isinstance(curve, Family):
        return curve.curve(reach)
    points = curve if curve[0][0] == 0 else [(0.0, 0.0), *curve]
    spend, value = np.array(points, dtype=np.float64).T
    return ResponseCurve(spend, value)


def _total(
    channel: str,
    options: OpinionResponse,
    strata: Strata | None,
    measured: ResponseCurve | Sequence[Measured],
) -> Builder:
    match options:
        case CurveResponse(curve=family) if family is not None:
            return family.curve
        case PointsResponse(points=points) if points is not None:
            return lambda reach: _stated(points, reach)
        case ExpertResponse():
            expert = _expert(options, strata)
            if isinstance(measured, ResponseCurve):
                curve = blended(expert, measured, options.trust)
            else:
                curve = _tempered(channel, options.trust, expert, measured)
            return lambda reach: curve
    raise TypeError(f"{type(options).__name__} states no total")


def _expert(options: ExpertResponse, strata: Strata | None) -> ResponseCurve:
    """Piecewise linear from (0, 0) through the means of the estimates, with their draws."""
    spend, low, likely, high = three_points(options.estimates)
    mean = three_point_mean(low, likely, high)
    return ResponseCurve(spend, mean, draws=None if strata is None else strata.three_point(low, likely, high))


def blended(expert: ResponseCurve, own: ResponseCurve, trust: float) -> ResponseCurve:
    """Weigh an expert's curve against the channel's own measured one: ``trust * V + (1 - trust) * V_own``.

    Parameters
    ----------
    expert, own : ResponseCurve
        Draws of the same number go together; where only one has draws, the other is taken as certain.
    trust : float
        Between 0 and 1; at 1 the expert's curve is given back.

    Returns
    -------
    ResponseCurve
        On the breakpoints of both, up to where the first of the two ends.

    Examples
    --------
    >>> expert = ResponseCurve(np.array([0.0, 100.0]), np.array([0.0, 300.0]))
    >>> own = ResponseCurve(np.array([0.0, 50.0, 200.0]), np.array([0.0, 50.0, 80.0]))
    >>> curve = blended(expert, own, 0.5)
    >>> curve.spend.tolist(), curve.value.tolist()
    ([0.0, 50.0, 100.0], [0.0, 100.0, 180.0])
    """
    if trust == 1:
        return expert
    end = min(expert.end, own.end)
    places = np.concatenate([expert.spend, own.spend, [end]])
    spend = np.unique(places[places <= end])
    weights = ((expert, trust), (own, 1 - trust))
    value = sum(weight * np.interp(spend, one.spend, one.value) for one, weight in weights)
    drawn = [_at(one, spend) * weight for one, weight in weights]
    draws = drawn[0] + drawn[1] if any(len(rows) > 1 for rows in drawn) else None
    return ResponseCurve(spend, np.asarray(value), draws)


def _at(curve: ResponseCurve, spend: FloatArray) -> FloatArray:
    """Give the draws at `spend`, one row a draw; a certain curve as one row."""
    rows = curve.value[None] if curve.draws is None else curve.draws
    return np.array([np.interp(spend, curve.spend, row) for row in rows])


def _tempered(
    channel: str, trust: float, curve: ResponseCurve, measured: Sequence[Measured]
) -> ResponseCurve:
    """Pull the return per unit towards the measured one: ``trust * V(s) + (1 - trust) * rate * s``."""
    if trust == 1:
        return curve
    spend = sum(one.spend for one in measured)
    if spend <= 0:
        share = percent(trust, None)
        what = f"the trust in the expert's curve of {channel} is {share}, but no channel is measured"
        raise ScenarioError(
            Finding("E209", None, what, "a measured channel has to make up the rest; or write trust: 100%")
        )
    pull = (1 - trust) * sum(one.margin for one in measured) / spend * curve.spend
    draws = None if curve.draws is None else trust * curve.draws + pull
    return replace(curve, value=trust * curve.value + pull, draws=draws)


def _split(
    channel: str, total: Builder, tiers: Sequence[str], targeting: TierSplit, reach: float
) -> dict[str | None, ResponseCurve]:
    """Give one curve a tier, which in proportion to the mix add up to the total."""
    _check_names(channel, targeting.mix, tiers)
    _check_names(channel, dict.fromkeys(tiers, 1.0) | dict(targeting.index), tiers)
    mix = {tier: targeting.mix[tier] for tier in tiers}
    index = {tier: targeting.index.get(tier, 1.0) for tier in tiers}
    _check_split(channel, mix, index)
    whole = sum(mix.values())
    mean = sum(mix[tier] * index[tier] for tier in tiers) / whole
    shares = {tier: mix[tier] / whole for tier in tiers}
    return {
        tier: total(reach / share).scaled(spend=share, value=share * index[tier] / mean)
        for tier, share in shares.items()
    }


def _check_split(channel: str, mix: Mapping[str, float], index: Mapping[str, float]) -> None:
    faults = [
        Finding(
            "E106",
            None,
            f"{channel} is bought per tier, but the share of {tier!r} in its mix is {share:g}",
            "give every tier a share above 0",
        )
        for tier, share in mix.items()
        if not 0 < share < np.inf
    ] + [
        Finding(
            "E106", None, f"the tier index of {channel} for {tier!r} is {value:g}", "an index is 0 or more"
        )
        for tier, value in index.items()
        if not 0 <= value < np.inf
    ]
    if not faults and not any(index.values()):
        faults = [Finding("E106", None, f"the tier indices of {channel} are all 0", "one has to be above 0")]
    if faults:
        raise ScenarioError(faults)


def _check_names(channel: str, given: Mapping[str, object], tiers: Sequence[str]) -> None:
    missing = [tier for tier in tiers if tier not in given]
    unknown = [tier for tier in given if tier not in tiers]
    words = [
        f"{verb} {', '.join(map(repr, names))}"
        for verb, names in (("misses", missing), ("names the unknown", unknown))
        if names
    ]
    if words:
        what = f"the response of {channel} by tier {' and '.join(words)}"
        raise ScenarioError(Finding("E210", None, what, f"name every tier: {', '.join(tiers)}"))
