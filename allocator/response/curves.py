"""The contract between the two layers: who responds how, for every cell of the plan."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

from allocator.response.curve import ResponseCurve

ALL = "all"  # the tier of a scenario without tiers, the period of one without periods


class Cell(NamedTuple):
    """One (tier, channel, period); a part of its customers when `segment` is set."""

    tier: str
    channel: str
    period: str = ALL
    segment: str = ""


class Evidence(StrEnum):
    """What a curve rests on."""

    TESTED = "tested"
    MODELLED = "modelled"
    OPINION = "opinion"


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
    """

    channel: str
    curve: ResponseCurve
    evidence: Evidence
    source: str
    tier: str | None = None
    period: str = ALL
    segment: str = ""
    population: float | None = None


@dataclass(frozen=True, eq=False)
class Curves:
    """Every response of a plan, and how channels that reach the same customer combine.

    Parameters
    ----------
    responses : tuple of Response
    combine : {"one_per_customer", "add"}
        With ``one_per_customer`` the contacts of a tier's (segment's) experiment channels together
        are at most its customers times their contacts per customer.
    """

    responses: tuple[Response, ...]
    combine: Literal["one_per_customer", "add"] = "add"
