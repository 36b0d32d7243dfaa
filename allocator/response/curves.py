"""The contract between the two layers: who responds how, for every cell of the plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

from allocator.errors import Finding, closest
from allocator.response.curve import CurveError, ResponseCurve

Combine = Literal["one_per_customer", "add"]

ALL = "all"  # the tier of a scenario without tiers, the period of one without periods


class Cell(NamedTuple):
    """One (tier, channel, period); a part of its customers when `segment` is set."""

    tier: str
    channel: str
    period: str = ALL
    segment: str = ""


def cell_name(channel: str, tier: str = "", period: str = ALL, segment: str = "") -> str:
    """Name a cell for people; without a tier, the channel's total.

    Examples
    --------
    >>> cell_name("email"), cell_name("email", "low", segment="2")
    ('email', 'low/email#2')
    """
    name = f"{tier}/{channel}" if tier else channel
    name += f"#{segment}" if segment else ""
    return name if period == ALL else f"{name}@{period}"


class Evidence(StrEnum):
    """What a curve rests on."""

    TESTED = "tested"
    MODELLED = "modelled"
    OPINION = "opinion"


SOURCES: dict[str, Evidence] = {
    "experiment": Evidence.TESTED,
    "history": Evidence.MODELLED,
    "expert": Evidence.OPINION,
    "points": Evidence.OPINION,
    "curve": Evidence.OPINION,
    "table": Evidence.OPINION,
}
"""Where a curve can come from, and the evidence that is."""


@dataclass(frozen=True, eq=False)
class Response:
    """The response of one cell, or of a channel's total when `tier` is None.

    Parameters
    ----------
    channel, period : str
    tier : str or None
        None: the curve is the channel's total over all tiers; tiers are no choice there (tied).
    segment : str
        Part of the tier's customers, common to its channels; empty for the whole tier.
    population : float or None
        Customers the cell stands for.
    evidence : Evidence
    source : str
        ``experiment``, ``history``, ``expert``, ``points``, ``curve`` or ``table``.
    observed_to : float or None
        The spend up to which there are data; beyond it the curve is a guess. None where nothing says.
    cost_per_contact : float or None
        Money per contact, above 0: the curve stands for ``spend / cost_per_contact`` contacts. None where it
        does not count them.
    """

    channel: str
    curve: ResponseCurve
    evidence: Evidence
    source: str
    tier: str | None = None
    period: str = ALL
    segment: str = ""
    population: float | None = None
    observed_to: float | None = None
    cost_per_contact: float | None = None

    @property
    def tied(self) -> bool:
        """Whether the curve is the channel's total, its split over tiers assumed."""
        return self.tier is None

    def __str__(self) -> str:
        """``low/email#2``, or ``email`` for a channel's total."""
        return cell_name(self.channel, self.tier or "", self.period, self.segment)


@dataclass(frozen=True, eq=False)
class Curves:
    """Every response of a plan, and how channels that reach the same customer combine.

    Parameters
    ----------
    responses : tuple of Response
        In order of declaration; one a cell, and per channel and period either its total or cells of tiers.
    combine : {"one_per_customer", "add"}
        With ``one_per_customer`` the contacts of a tier's (segment's) experiment channels together
        are at most its customers times their contacts per customer.

    Raises
    ------
    CurveError
        When a cell has two curves, a channel a total beside cells of tiers, or the numbers of draws differ.
    """

    responses: tuple[Response, ...]
    combine: Combine = "add"

    def __post_init__(self) -> None:
        faults = [Finding("E115", None, what) for what in _faults(self.responses)]
        if faults:
            raise CurveError(faults)

    def __iter__(self) -> Iterator[Response]:
        return iter(self.responses)

    def __len__(self) -> int:
        return len(self.responses)

    @property
    def channels(self) -> tuple[str, ...]:
        """Names in order of declaration."""
        return tuple(dict.fromkeys(response.channel for response in self.responses))

    @property
    def tiers(self) -> tuple[str, ...]:
        """Tiers that have curves of their own, in order of declaration; empty when every channel is tied."""
        return tuple(dict.fromkeys(r.tier for r in self.responses if r.tier is not None))

    @property
    def n_draws(self) -> int:
        """Draws of the uncertain curves; 0 when none is uncertain."""
        return max((0 if r.curve.draws is None else len(r.curve.draws) for r in self.responses), default=0)

    def of(self, channel: str) -> tuple[Response, ...]:
        """Responses of one channel.

        Raises
        ------
        CurveError
            When there is none, naming the closest channel (code E201).
        """
        found = tuple(response for response in self.responses if response.channel == channel)
        if not found:
            raise CurveError(
                Finding("E201", None, f"there is no curve for a channel {channel!r}", self._meant(channel))
            )
        return found

    def tied(self, channel: str) -> bool:
        """Whether the channel's curve is its total over all tiers."""
        return any(response.tied for response in self.of(channel))

    def evidence(self, channel: str) -> Evidence:
        """Say what the channel's curves rest on."""
        return self.of(channel)[0].evidence

    def _meant(self, channel: str) -> str:
        near = closest(channel, self.channels)
        return f"did you mean {near!r}?" if near else f"channels with curves: {', '.join(self.channels)}"


def _faults(responses: tuple[Response, ...]) -> Iterator[str]:
    seen: set[tuple[str, str | None, str, str]] = set()
    totals: dict[tuple[str, str], set[bool]] = {}
    for response in responses:
        key = (response.channel, response.tier, response.period, response.segment)
        if key in seen:
            yield f"{response} has two curves"
        seen.add(key)
        totals.setdefault((response.channel, response.period), set()).add(response.tied)
    for (channel, _), kinds in totals.items():
        if len(kinds) > 1:
            yield f"{channel} has a curve for its total beside curves of single tiers"
    counts = {len(r.curve.draws) for r in responses if r.curve.draws is not None}
    if len(counts) > 1:
        yield f"curves with {' and '.join(map(str, sorted(counts)))} draws cannot be combined"
