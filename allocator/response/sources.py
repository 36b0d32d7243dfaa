"""Where a channel's response comes from, as options: what a scenario writes under ``response:``."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from allocator.options import Money, Options, Share, SignedMoney, fault
from allocator.response.curve import FloatArray, amount
from allocator.response.curves import Evidence
from allocator.response.draws import three_point_mean
from allocator.response.families import CurveFamily


def _check_breakpoints(spend: FloatArray, value: FloatArray, written: str) -> None:
    """Refuse breakpoints out of order, not from (0, 0) or without an end."""
    back = np.flatnonzero(np.diff(spend) <= 0)
    if len(back):
        before, after = spend[back[0]], spend[back[0] + 1]
        raise fault(
            "E115", f"the spend of {written} has to increase: {amount(after)} comes after {amount(before)}"
        )
    if spend[0] == 0 and value[0] != 0:
        raise fault(
            "E115",
            f"a spend of 0 cannot bring {amount(value[0])}",
            "values are incremental: nothing spent brings nothing",
        )
    if spend[-1] == 0:
        raise fault("E115", f"{written} need at least one spend above 0")


Point = tuple[Money, SignedMoney]


def _checked_points(points: tuple[Point, ...]) -> tuple[Point, ...]:
    if not points:
        raise fault("E103", "at least one point is expected", "write [[spend, value], ...]")
    spend, value = np.array(points).T
    _check_breakpoints(spend, value, "points")
    return points


Points = Annotated[tuple[Point, ...], AfterValidator(_checked_points)]


class Estimate(Options):
    """What an expert expects of one spend, as incremental margin gross of it.

    Examples
    --------
    >>> Estimate(spend="300k", low="320k", likely="480k", high="600k").likely
    480000.0
    """

    spend: Money
    """Spend over the whole horizon."""
    low: SignedMoney
    """Margin with a chance of 1 in 10 to fall below it."""
    likely: SignedMoney
    """Best guess: as likely to be missed as to be exceeded."""
    high: SignedMoney
    """Margin with a chance of 1 in 10 to exceed it."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.likely:
            raise fault("E106", f"low {amount(self.low)} is above likely {amount(self.likely)}", at="low")
        if self.high < self.likely:
            raise fault("E106", f"high {amount(self.high)} is below likely {amount(self.likely)}", at="high")
        return self


def three_points(estimates: tuple[Estimate, ...]) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Give spend, low, likely and high as arrays from (0, 0), each of shape (n_breakpoints,)."""
    rows = np.array([(e.spend, e.low, e.likely, e.high) for e in estimates])
    if rows[0, 0] > 0:
        rows = np.concatenate([np.zeros((1, 4)), rows])
    spend, low, likely, high = rows.T
    return spend, low, likely, high


def _checked_estimates(estimates: tuple[Estimate, ...]) -> tuple[Estimate, ...]:
    if not estimates:
        raise fault("E103", "at least one estimate is expected", "write [{spend, low, likely, high}, ...]")
    spend, low, likely, high = three_points(estimates)
    _check_breakpoints(spend, three_point_mean(low, likely, high), "estimates (their means)")
    return estimates


class _OneForm(Options):
    """A response given either for the channel's total or by tier."""

    total: ClassVar[str]

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        given = [key for key in (self.total, "by_tier") if getattr(self, key) is not None]
        if len(given) == 2:
            what = f"{self.total!r} and 'by_tier' exclude each other"
            raise fault("E113", what, "keep one of them", at="by_tier")
        if not given:
            raise fault("E101", f"the response needs {self.total!r} or 'by_tier'", "write one of them")
        return self


class ExperimentResponse(Options):
    """Fitted on a randomised contact log, per tier."""

    evidence: ClassVar[Evidence] = Evidence.TESTED
    source: Literal["experiment"] = "experiment"


class HistoryResponse(Options):
    """Fitted on a panel of spend and outcome; the channel's total."""

    evidence: ClassVar[Evidence] = Evidence.MODELLED
    source: Literal["history"] = "history"


class ExpertResponse(Options):
    """Three-point estimates of an expert; the channel's total over all tiers.

    Examples
    --------
    >>> expert = ExpertResponse(estimates=[{"spend": "300k", "low": 0, "likely": "480k", "high": "600k"}])
    >>> expert.trust
    1.0
    """

    evidence: ClassVar[Evidence] = Evidence.OPINION
    source: Literal["expert"] = "expert"
    estimates: Annotated[tuple[Estimate, ...], AfterValidator(_checked_estimates)]
    """In order of spend; between them the curve is straight, past the last one it ends."""
    trust: Share = 1.0
    """Weight of the expert against measured channels; below 100 % one of those is needed."""


class PointsResponse(_OneForm):
    """Breakpoints of a piecewise linear curve; it ends at the last one.

    Examples
    --------
    >>> PointsResponse(points=[["100k", "250k"], ["300k", "450k"]]).points
    ((100000.0, 250000.0), (300000.0, 450000.0))
    """

    evidence: ClassVar[Evidence] = Evidence.OPINION
    total: ClassVar[str] = "points"
    source: Literal["points"] = "points"
    points: Points | None = None
    """``[[spend, value], ...]`` of the channel's total: incremental margin, gross of spend."""
    by_tier: dict[str, Points] | None = None
    """The same for every tier by name."""


class CurveResponse(_OneForm):
    """A smooth curve family with its parameters.

    Examples
    --------
    >>> CurveResponse(curve={"family": "linear", "slope": "1.8"}).curve
    Linear(family='linear', slope=1.8)
    """

    evidence: ClassVar[Evidence] = Evidence.OPINION
    total: ClassVar[str] = "curve"
    source: Literal["curve"] = "curve"
    curve: CurveFamily | None = None
    """``{family: hill | log | power | linear, ...}`` of the channel's total."""
    by_tier: dict[str, CurveFamily] | None = None
    """The same for every tier by name."""


ResponseOptions = Annotated[
    ExperimentResponse | HistoryResponse | ExpertResponse | PointsResponse | CurveResponse,
    Field(discriminator="source"),
]
OpinionResponse = ExpertResponse | PointsResponse | CurveResponse
RESPONSES: tuple[type[Options], ...] = (
    ExperimentResponse,
    HistoryResponse,
    ExpertResponse,
    PointsResponse,
    CurveResponse,
)
