"""Smooth response-curve families: parameters as options, pure numpy mathematics.

Each rises from (0, 0); concave, but for a Hill curve of a shape above 1. Spend and margin are in the
scenario's currency, over the whole horizon.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from allocator.options import Number, Options, PositiveMoney, PositiveNumber, above_zero, fault
from allocator.response.curve import FloatArray, ResponseCurve, Shape

CHORD_ERROR = 1e-4  # of the value at the reach
NEAREST = 1e-8  # of the reach: the first breakpoint above 0 lies no nearer
MOST_PIECES = 128
RISING = 1e-12  # of the marginal: a smaller rise from one place to the next is a rounding error
SPARE, SPARE_S = 1.02, 1.45  # more pieces than a steady bend needs; that of an S changes within a piece
STEEPEST = 50.0  # shape of a Hill curve: above it is as good as a step


def _hill_exponent(value: float) -> float:
    if value > STEEPEST:
        raise fault(
            "E106",
            f"with a shape of {value:g} the curve is a step at its half saturation",
            f"write a shape above 0 and up to {STEEPEST:g}",
        )
    return above_zero(value)


def _power_exponent(value: float) -> float:
    if value > 1:
        raise fault(
            "E115",
            f"with an exponent of {value:g} the curve is not concave: each unit brings more than the last",
            "write an exponent above 0 and up to 1",
        )
    return above_zero(value)


class Family(Options):
    """A rising function of spend with named parameters; `value(0) == 0`."""

    @abstractmethod
    def value(self, spend: FloatArray) -> FloatArray:
        """Incremental margin in money at `spend`, of the same shape."""

    @abstractmethod
    def marginal(self, spend: FloatArray) -> FloatArray:
        """Margin of the next unit of money at `spend`, of the same shape; may be infinite at 0."""

    def curve(self, reach: float) -> ResponseCurve:
        """Sample the family up to a spend of `reach`.

        Parameters
        ----------
        reach : float
            The largest spend a plan may ask about, in money, above 0.

        Examples
        --------
        >>> curve = Linear(slope=2.0).curve(500.0)
        >>> curve.spend.tolist(), curve.value.tolist(), curve.bounded
        ([0.0, 500.0], [0.0, 1000.0], False)
        """
        spend = breakpoints(self, reach)
        return ResponseCurve(spend, self.value(spend), shape=self)


class Hill(Family):
    """Saturation towards a ceiling: ``ceiling * s**shape / (half_saturation**shape + s**shape)``.

    Hill (1910); with ``shape: 1`` the Michaelis-Menten curve. Above 1 it is S-shaped: the first money brings
    next to nothing, the steepest place is at
    ``half_saturation * ((shape - 1) / (shape + 1))**(1 / shape)``.

    Examples
    --------
    >>> float(Hill(ceiling=900.0, half_saturation=100.0).value(np.array(200.0)))
    600.0
    >>> late = Hill(ceiling=900.0, half_saturation=100.0, shape=2.0)
    >>> late.value(np.array([50.0, 200.0])).tolist(), float(late.marginal(np.array(0.0)))
    ([180.0, 720.0], 0.0)
    """

    family: Literal["hill"] = "hill"
    ceiling: PositiveMoney
    """Incremental margin that no spend exceeds, in money."""
    half_saturation: PositiveMoney
    """Spend at which half the ceiling is reached, in money."""
    shape: Annotated[Number, AfterValidator(_hill_exponent)] = 1.0
    """Exponent without unit, above 0; the smaller, the earlier the first money pays. Above 1: S-shaped."""

    def value(self, spend: FloatArray) -> FloatArray:
        """Incremental margin in money at `spend`."""
        with np.errstate(over="ignore", invalid="ignore"):
            ratio = (spend / self.half_saturation) ** self.shape
            share = np.where(np.isfinite(ratio), ratio / (1 + ratio), 1.0)
        return np.asarray(self.ceiling * share)

    def marginal(self, spend: FloatArray) -> FloatArray:
        """Margin of the next unit of money at `spend`; at 0 infinite for a shape below 1, 0 for one above."""
        units = spend / self.half_saturation
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            start = self.shape * self.ceiling / self.half_saturation * units ** (self.shape - 1)
            passed = (1 + units**self.shape) ** 2
            return np.where(np.isfinite(passed), start / passed, 0.0)


class Log(Family):
    """Ever slower growth without a ceiling: ``scale * ln(1 + s / pace)``.

    Examples
    --------
    >>> round(float(Log(scale=100.0, pace=50.0).value(np.array(50.0))), 2)
    69.31
    """

    family: Literal["log"] = "log"
    scale: PositiveMoney
    """Margin that each multiplication of ``1 + s / pace`` by 2.718 adds, in money."""
    pace: PositiveMoney
    """Spend at which the first unit's return (``scale / pace``) has halved, in money."""

    def value(self, spend: FloatArray) -> FloatArray:
        """Incremental margin in money at `spend`."""
        return np.asarray(self.scale * np.log1p(spend / self.pace))

    def marginal(self, spend: FloatArray) -> FloatArray:
        """Margin of the next unit of money at `spend`."""
        return np.asarray(self.scale / (self.pace + spend))


class Power(Family):
    """Constant elasticity: ``scale * s**exponent``.

    Examples
    --------
    >>> float(Power(scale=30.0, exponent=0.5).value(np.array(400.0)))
    600.0
    """

    family: Literal["power"] = "power"
    scale: PositiveNumber
    """Margin that the first unit of money brings, in money."""
    exponent: Annotated[Number, AfterValidator(_power_exponent)]
    """Elasticity without unit, above 0 and up to 1: 1 % more spend brings ``exponent`` % more margin."""

    def value(self, spend: FloatArray) -> FloatArray:
        """Incremental margin in money at `spend`."""
        return np.asarray(self.scale * spend**self.exponent)

    def marginal(self, spend: FloatArray) -> FloatArray:
        """Margin of the next unit of money at `spend`; infinite at 0 for an exponent below 1."""
        with np.errstate(divide="ignore"):
            return np.asarray(self.scale * self.exponent * spend ** (self.exponent - 1))


class Linear(Family):
    """No saturation: ``slope * s``.

    Examples
    --------
    >>> float(Linear(slope=1.8).value(np.array(100.0)))
    180.0
    """

    family: Literal["linear"] = "linear"
    slope: PositiveNumber
    """Margin per unit of spend, money per money."""

    def value(self, spend: FloatArray) -> FloatArray:
        """Incremental margin in money at `spend`."""
        return np.asarray(self.slope * spend)

    def marginal(self, spend: FloatArray) -> FloatArray:
        """Margin of the next unit of money, the same everywhere."""
        return np.full_like(spend, self.slope)


FAMILIES: tuple[type[Family], ...] = (Hill, Log, Power, Linear)
CurveFamily = Annotated[Hill | Log | Power | Linear, Field(discriminator="family")]


def breakpoints(shape: Shape, reach: float, tolerance: float = CHORD_ERROR) -> FloatArray:
    """Place breakpoints so that every chord of a smooth curve errs by about the same, small amount.

    Parameters
    ----------
    shape : Shape
        Concave or not: where its marginal rises, S-shaped.
    reach : float
        The last breakpoint, in money, above 0.
    tolerance : float
        Error of a chord allowed, as a share of the value at the reach.

    Returns
    -------
    array, shape (n_breakpoints,)
        From 0 to `reach`, dense where the curve bends, at most 129, and one more for every place where it
        turns from bending upwards to downwards or back; there lies a breakpoint. Where a curve is infinitely
        steep at 0 (a power, a hill of shape below 1), the chord over the first ``1e-8 * reach`` may miss the
        tolerance; ``curve_error()`` tells.

    Notes
    -----
    A chord over a piece of width w errs by ``|V''| w**2 / 8``; equal errors put equal amounts of the
    integral of ``sqrt(|V''|)`` into every piece (de Boor, A Practical Guide to Splines, ch. XII).

    Examples
    --------
    >>> hill = Hill(ceiling=900.0, half_saturation=100.0)
    >>> spend = breakpoints(hill, 100.0)
    >>> len(spend) < 60, hill.curve(100.0).curve_error() <= 1e-4 * 450
    (True, True)
    """
    fine = reach * np.geomspace(1e-6 * NEAREST, 1.0, 2049)
    bend = _Bend.of(shape, fine)
    if bend.rises:  # the steep part of an S may lie between two places: look closer there
        closer = np.interp(np.linspace(0, bend.amount[-1], len(fine)), bend.amount, fine)
        around = [np.linspace(fine[turn - 1], fine[turn + 1], 65) for turn in bend.turns]
        fine = np.unique(np.concatenate([fine, closer, *around]))
        bend = _Bend.of(shape, fine)
    share = np.sqrt(8 * tolerance * float(shape.value(fine[-1])))
    inner = np.unique(np.interp(bend.levels(share), bend.amount, fine))
    return np.concatenate([[0.0], inner[inner >= NEAREST * reach], [reach]])


@dataclass(frozen=True, eq=False)
class _Bend:
    """How much a curve bends up to each of some places, as the integral of ``sqrt(|V''|)``.

    `turns` are the places where it turns from bending upwards to downwards or back.
    """

    amount: FloatArray
    turns: NDArray[np.intp]
    rises: bool

    @classmethod
    def of(cls, shape: Shape, places: FloatArray) -> _Bend:
        """Measure a shape between neighbouring places."""
        marginal = shape.marginal(places)
        change = np.diff(marginal)
        rising = change > RISING * marginal[:-1]
        bend = np.sqrt(np.where(rising, change, np.maximum(-change, 0.0)) * np.diff(places))
        amount = np.concatenate([[0.0], np.cumsum(bend)])
        return cls(amount, 1 + np.flatnonzero(rising[1:] != rising[:-1]), bool(rising.any()))

    def levels(self, share: float) -> FloatArray:
        """Give the amounts at which breakpoints lie: at every turn, and evenly between, `share` apart."""
        share /= SPARE_S if self.rises else SPARE
        share = max(share, float(self.amount[-1]) / MOST_PIECES)
        levels = [np.empty(0)]
        for low, high in pairwise(np.unique([0.0, *self.amount[self.turns], self.amount[-1]])):
            pieces = int(np.clip(np.ceil((high - low) / share), 1, MOST_PIECES))
            levels.append(low + np.arange(1, pieces + 1) / pieces * (high - low))
        return np.concatenate(levels)[:-1]
