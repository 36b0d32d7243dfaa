"""A response curve: incremental margin, gross of spend, as a function of spend, and what comes with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from allocator.errors import AllocatorError, Finding
from allocator.quantities import money

FloatArray = NDArray[np.float64]

CONCAVITY = 1e-9  # of the largest value: how far a breakpoint may lie below the chord around it
EDGE = 1e-6  # of the end: how far past it a spend still counts as the end
SAME_PLACE = 1e-9  # of the end: spends closer than this are one breakpoint
DRAWS_MEAN = 1e-6  # of the largest value: how far the mean of the draws may lie from the value
OUTCOMES = ("revenue", "conversions", "retained", "immediate")
"""What a curve may tell besides margin."""


class CurveError(AllocatorError, ValueError):
    """A response curve that cannot be: not from (0, 0), not in order, or asked past its end."""


class Shape(Protocol):
    """A smooth curve family with its parameters (see families.py)."""

    def value(self, spend: FloatArray) -> FloatArray:
        """Incremental margin at `spend`."""
        ...

    def marginal(self, spend: FloatArray) -> FloatArray:
        """Give the derivative of value at `spend`; may be infinite at 0."""
        ...


@dataclass(frozen=True)
class Scaled:
    """The shape ``factor * shape(spend / width)``."""

    shape: Shape
    width: float
    factor: float

    def value(self, spend: FloatArray) -> FloatArray:
        """Incremental margin at `spend`."""
        return self.factor * self.shape.value(spend / self.width)

    def marginal(self, spend: FloatArray) -> FloatArray:
        """Give the derivative of value at `spend`."""
        if self.factor == 0:
            return np.zeros_like(spend)
        return self.factor / self.width * self.shape.marginal(spend / self.width)


@dataclass(frozen=True, eq=False)
class ResponseCurve:
    """Incremental margin from spending in one cell, or in a whole tied channel.

    Parameters
    ----------
    spend : array, shape (n_breakpoints,)
        Breakpoints in money, strictly increasing, the first is 0.
    value : array, shape (n_breakpoints,)
        Expected incremental margin in money, gross of spend; ``value[0] == 0``. It may bend upwards
        (see `concave`).
    draws : array, shape (n_draws, n_breakpoints), or None
        The same values under each draw of the uncertainty; their mean is `value`.
    revenue : array, shape (n_breakpoints,), or None
        Incremental revenue, where it is known.
    shape : Shape or None
        The smooth function the breakpoints sample; None when the breakpoints are the curve.
    conversions, retained : array, shape (n_breakpoints,), or None
        Conversions and customers kept that spend brings, in counts, where they are known.
    immediate : array, shape (n_breakpoints,), or None
        The part of the margin that arises within the window of the effect, in money; the rest comes later,
        from customers kept. None: all of it.

    Raises
    ------
    CurveError
        Naming every rule the arrays break (code E115).

    Examples
    --------
    >>> curve = ResponseCurve(np.array([0.0, 100.0, 300.0]), np.array([0.0, 250.0, 450.0]))
    >>> float(curve.at(200.0)), curve.marginal(100.0), curve.marginal(100.0, "last"), curve.end
    (350.0, 1.0, 2.5, 300.0)
    """

    spend: FloatArray
    value: FloatArray
    draws: FloatArray | None = None
    revenue: FloatArray | None = None
    shape: Shape | None = None
    conversions: FloatArray | None = None
    retained: FloatArray | None = None
    immediate: FloatArray | None = None

    def __post_init__(self) -> None:
        for name in ("spend", "value", "draws", *OUTCOMES):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _frozen(getattr(self, name)))
        faults = [Finding("E115", None, what) for what in _faults(self)]
        if faults:
            raise CurveError(faults)

    @cached_property
    def widths(self) -> FloatArray:
        """Spend of each piece, shape (n_breakpoints - 1,)."""
        return np.diff(self.spend)

    @cached_property
    def slopes(self) -> FloatArray:
        """Margin per unit of spend on each piece, shape (n_breakpoints - 1,); may be negative."""
        return np.diff(self.value) / self.widths

    @cached_property
    def concave(self) -> bool:
        """Whether each breakpoint lies on or above the chord around it: money never brings more than before.

        Judged by the breakpoints, of a smooth curve too.
        """
        return first_dent(self.spend, self.value) is None

    def outcome(self, name: str) -> FloatArray | None:
        """Give one of ``OUTCOMES`` at the breakpoints, shape (n_breakpoints,); None where it is unknown."""
        if name not in OUTCOMES:
            raise ValueError(f"a curve has no outcome {name!r}; it may have {', '.join(OUTCOMES)}")
        found: FloatArray | None = getattr(self, name)
        return found

    @property
    def outcomes(self) -> dict[str, FloatArray]:
        """The outcomes that are known, by name."""
        return {name: found for name in OUTCOMES if (found := self.outcome(name)) is not None}

    @property
    def end(self) -> float:
        """The last breakpoint in money; of a smooth curve the reach it was sampled to."""
        return float(self.spend[-1])

    @property
    def bounded(self) -> bool:
        """Whether the curve takes no spend past `end`; a smooth one goes on."""
        return self.shape is None

    def at(self, spend: ArrayLike) -> FloatArray:
        """Incremental margin at `spend`, exact: the smooth shape where there is one.

        Raises
        ------
        CurveError
            For a negative spend, or one past the end of a bounded curve.
        """
        spend = self._within(spend)
        if self.shape is not None:
            return self.shape.value(spend)
        return np.asarray(np.interp(spend, self.spend, self.value))

    def marginal(self, spend: float, side: Literal["next", "last"] = "next") -> float:
        """Margin of the next (or the last) unit of money at `spend`.

        At the end of a bounded curve there is no next unit, at 0 no last one: nan.
        """
        spend = float(self._within(spend))
        tolerance = SAME_PLACE * self.end
        if side == "last" and spend <= tolerance:
            return float("nan")
        if self.shape is not None:
            return float(self.shape.marginal(np.asarray(spend)))
        if side == "next" and spend >= self.end - tolerance:
            return float("nan")
        inner = self.spend[1:-1]
        if side == "next":
            return float(self.slopes[np.searchsorted(inner, spend + tolerance, side="right")])
        return float(self.slopes[np.searchsorted(inner, spend - tolerance, side="left")])

    def draws_at(self, spend: float) -> FloatArray | None:
        """Margin at `spend` under each draw, shape (n_draws,); their mean is ``at(spend)``.

        Between breakpoints the distance of a draw from the expected curve is interpolated.
        """
        if self.draws is None:
            return None
        exact = self.at(spend)
        low, share = self._position(float(self._within(spend)))
        distance = self.draws - self.value
        return np.asarray(exact + (1 - share) * distance[:, low] + share * distance[:, low + 1])

    def scaled(self, *, spend: float, value: float) -> ResponseCurve:
        """Give the curve ``V'(s) = value * V(s / spend)``, as for a share of a channel's customers.

        Parameters
        ----------
        spend : float
            Factor on spend, above 0.
        value : float
            Factor on margin, its draws and the other outcomes, at least 0.

        Examples
        --------
        >>> curve = ResponseCurve(np.array([0.0, 100.0]), np.array([0.0, 250.0]))
        >>> float(curve.scaled(spend=0.5, value=0.2).at(50.0))
        50.0
        """
        if not (0 < spend < np.inf and 0 <= value < np.inf):
            raise CurveError(
                Finding(
                    "E115", None, f"a curve cannot be scaled by {spend:g} in spend and {value:g} in value"
                )
            )
        outcomes: dict[str, Any] = {name: known * value for name, known in self.outcomes.items()}
        return ResponseCurve(
            spend=self.spend * spend,
            value=self.value * value,
            draws=None if self.draws is None else self.draws * value,
            shape=None if self.shape is None else Scaled(self.shape, spend, value),
            **outcomes,
        )

    def refined(self, at: float, width: float, points: int) -> ResponseCurve:
        """Add `points` evenly spaced breakpoints within `width` either side of `at`.

        A curve whose breakpoints are the curve is given back as it is. Breakpoints stay within the reach.
        """
        if self.shape is None:
            return self
        added = np.clip(np.linspace(at - width, at + width, points), 0.0, self.end)
        spend = _apart(np.concatenate([added, self.spend]), SAME_PLACE * self.end)
        value = self.shape.value(spend)
        draws = None if self.draws is None else value + _rows_at(self.draws - self.value, self.spend, spend)
        outcomes: dict[str, Any] = {name: outcome_at(self, name, spend) for name in self.outcomes}
        return replace(self, spend=spend, value=value, draws=draws, **outcomes)

    def curve_error(self) -> float:
        """Largest amount in money by which the smooth curve lies off the chords of its breakpoints.

        0 for a curve whose breakpoints are the curve. Found on 15 places a piece: within 1 % of the exact
        where a piece bends one way.
        """
        if self.shape is None:
            return 0.0
        places = np.arange(1, 16) / 16
        exact = self.shape.value(self.spend[:-1, None] + self.widths[:, None] * places)
        chord = self.value[:-1, None] + np.diff(self.value)[:, None] * places
        return float(np.max(np.abs(exact - chord)))

    def _within(self, spend: ArrayLike) -> FloatArray:
        """`spend` as an array, moved onto the curve's range where it misses it by a rounding error."""
        spend = np.asarray(spend, dtype=np.float64)
        tolerance = EDGE * self.end
        if not np.all(spend >= -tolerance):
            raise CurveError(Finding("E115", None, "a curve is not defined for a spend below 0"))
        if self.bounded and not np.all(spend <= self.end + tolerance):
            what = (
                f"the curve ends at a spend of {amount(self.end)}; it is not known at {amount(np.max(spend))}"
            )
            raise CurveError(Finding("E115", None, what))
        return np.asarray(np.clip(spend, 0.0, self.end if self.bounded else None))

    def _position(self, spend: float) -> tuple[int, float]:
        """Find the piece `spend` lies on and how far along it, 0 to 1."""
        low = int(np.clip(np.searchsorted(self.spend, spend, side="right") - 1, 0, len(self.widths) - 1))
        return low, min((spend - float(self.spend[low])) / float(self.widths[low]), 1.0)


def outcome_at(curve: ResponseCurve, name: str, spend: FloatArray) -> FloatArray:
    """Give one of ``OUTCOMES`` at any spend; 0 where it is unknown.

    Along a smooth curve the outcome per margin is interpolated, so that it is as smooth as the margin. Of
    the immediate margin unknown means all of the margin.

    Parameters
    ----------
    curve : ResponseCurve
    name : {"revenue", "conversions", "retained", "immediate"}
    spend : array
        Money, of any shape.

    Returns
    -------
    array
        Of the shape of `spend`; in money, conversions and retained in counts.

    Examples
    --------
    >>> spend = np.array([0.0, 100.0, 300.0])
    >>> curve = ResponseCurve(spend, np.array([0.0, 250.0, 450.0]), conversions=np.array([0.0, 50.0, 90.0]))
    >>> outcome_at(curve, "conversions", np.array([50.0, 200.0])).tolist()
    [25.0, 70.0]
    """
    spend = np.asarray(spend, dtype=np.float64)
    known = curve.outcome(name)
    if known is None:
        return curve.at(spend) if name == "immediate" else np.zeros_like(spend)
    earning = curve.value != 0
    if curve.shape is None or not earning.any():
        return np.asarray(np.interp(spend, curve.spend, known))
    per_margin = np.interp(spend, curve.spend[earning], known[earning] / curve.value[earning])
    return np.asarray(curve.at(spend) * per_margin)


def amount(value: float) -> str:
    """Write money in a message, with cents only where it has them."""
    return money(value, 0 if float(value).is_integer() else 2)


def _frozen(values: ArrayLike) -> FloatArray:
    array = np.array(values, dtype=np.float64)
    array.setflags(write=False)
    return array


def _faults(curve: ResponseCurve) -> Iterator[str]:
    """Say what is wrong with a curve; a fault hides those that follow from it."""
    spend = curve.spend
    if spend.ndim != 1 or len(spend) < 2:
        yield "a curve needs at least two breakpoints, (0, 0) and one above"
    elif not _fits(curve):
        yield "value, every draw and every outcome need one number a breakpoint"
    elif not all(np.isfinite(a).all() for a in _arrays(curve)):
        yield "spend, value, draws and outcomes have to be finite numbers"
    elif not np.all(np.diff(spend) > 0):
        yield "the spend of a curve's breakpoints has to increase"
    else:
        yield from _shape_faults(curve)


def _shape_faults(curve: ResponseCurve) -> Iterator[str]:
    if any(np.any(a[..., 0] != 0) for a in _arrays(curve)):
        yield "a curve has to begin at (0, 0): nothing spent brings nothing"
    if curve.draws is not None:
        gap = np.abs(curve.draws.mean(axis=0) - curve.value).max()
        if gap > DRAWS_MEAN * np.abs(curve.draws).max():
            yield f"the mean of the draws differs from the value by up to {amount(gap)}"


def _arrays(curve: ResponseCurve) -> list[FloatArray]:
    drawn = [] if curve.draws is None else [curve.draws]
    return [curve.spend, curve.value, *drawn, *curve.outcomes.values()]


def _fits(curve: ResponseCurve) -> bool:
    one = (len(curve.spend),)
    draws = curve.draws
    return (
        curve.value.shape == one
        and all(known.shape == one for known in curve.outcomes.values())
        and (draws is None or (draws.ndim == 2 and len(draws) > 0 and draws.shape[1:] == one))
    )


def first_dent(spend: FloatArray, value: FloatArray) -> float | None:
    """Give the spend of the first breakpoint that lies below the chord around it; None on a concave curve.

    Parameters
    ----------
    spend, value : array, shape (n_breakpoints,)
        Breakpoints, `spend` strictly increasing.

    Notes
    -----
    Judged in money, ``CONCAVITY`` of the largest value: slopes of very short pieces carry rounding errors.

    Examples
    --------
    >>> first_dent(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 5.0]))
    1.0
    """
    share = (spend[1:-1] - spend[:-2]) / (spend[2:] - spend[:-2])
    chord = (1 - share) * value[:-2] + share * value[2:]
    below = np.flatnonzero(chord - value[1:-1] > CONCAVITY * np.abs(value).max())
    return float(spend[1 + below[0]]) if len(below) else None


def _apart(places: FloatArray, distance: float) -> FloatArray:
    """Sorted, without the ones that lie within `distance` of the one before; the ends stay exact."""
    places = np.sort(places)
    kept: FloatArray = places[np.concatenate([[True], np.diff(places) > distance])]
    kept[-1] = places[-1]
    return kept


def _rows_at(rows: FloatArray, known: FloatArray, wanted: FloatArray) -> FloatArray:
    """Interpolate every row from the `known` places to the `wanted` ones."""
    return np.array([np.interp(wanted, known, row) for row in rows])
