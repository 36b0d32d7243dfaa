"""What carries over from one period to the next: effective spend, and the curves on it.

With a carry-over the value of a period depends on its effective spend
``e[t] = keep * e[t-1] + (1 - keep) * x[t]`` (geometric adstock, normalised: steady spend x gives e = x).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from allocator.errors import Finding
from allocator.response.curve import CurveError, FloatArray, ResponseCurve, Shape, amount, outcome_at
from allocator.response.families import breakpoints

FADED = 1e-4  # of the effective spend: what is left of it below this no longer counts
MOST_BENDS = 2000  # of an echo: a carry-over near 100 % makes them by the ten thousand, as good as smooth
SAME_PLACE = 1e-9  # of the end: spends closer than this are one breakpoint


def kept_matrix(n: int, keep: float) -> FloatArray:
    """Give K with ``e = K @ x`` for effective spend e of n periods, shape (n, n), lower triangular.

    Parameters
    ----------
    n : int
        Periods.
    keep : float
        Share of the effect that reaches into the next period, at least 0 and below 1.

    Examples
    --------
    >>> kept_matrix(3, 0.5).tolist()
    [[0.5, 0.0, 0.0], [0.25, 0.5, 0.0], [0.125, 0.25, 0.5]]
    """
    _refuse_keep(keep)
    ages = np.subtract.outer(np.arange(n), np.arange(n))
    return np.asarray(np.where(ages >= 0, (1 - keep) * keep ** np.maximum(ages, 0.0), 0.0))


def carry_in_left(n: int, keep: float, before: float) -> FloatArray:
    """Give what is left in each period of the effective spend before the horizon, shape (n,), in money.

    Parameters
    ----------
    n : int
        Periods.
    keep : float
        Share of the effect that reaches into the next period.
    before : float
        Effective spend of the period before the horizon, in money.

    Examples
    --------
    >>> carry_in_left(3, 0.5, 80.0).tolist()
    [40.0, 20.0, 10.0]
    """
    _refuse_keep(keep)
    return np.asarray(before * keep ** (np.arange(n) + 1.0))


@dataclass(frozen=True)
class Carried:
    """The shape ``sum over w of shape(w * (before + spend)) - shape(w * before)``.

    Parameters
    ----------
    shape : Shape
    before : float
        Effective spend left over from before the horizon, in money.
    weights : tuple of float
        What is left of the effective spend in the period itself (1) and in each period after the horizon.
    """

    shape: Shape
    before: float
    weights: tuple[float, ...]

    def value(self, spend: FloatArray) -> FloatArray:
        """Incremental margin at an effective spend of `spend` beside what is left over."""
        total = np.zeros_like(np.asarray(spend, dtype=np.float64))
        for weight in self.weights:
            left_over = self.shape.value(np.asarray(weight * self.before))
            total = total + (self.shape.value(weight * (self.before + spend)) - left_over)
        return np.asarray(total)

    def marginal(self, spend: FloatArray) -> FloatArray:
        """Give the derivative of value at `spend`; may be infinite at 0 where nothing is left over."""
        total = np.zeros_like(np.asarray(spend, dtype=np.float64))
        for weight in self.weights:
            total = total + weight * self.shape.marginal(weight * (self.before + spend))
        return np.asarray(total)


def carried(curve: ResponseCurve, *, keep: float, before: float = 0.0, tail: bool = False) -> ResponseCurve:
    """Give a period's curve on the effective spend that comes from the plan's own money.

    Parameters
    ----------
    curve : ResponseCurve
        Value of a period against its effective spend.
    keep : float
        Share of the effect that reaches into the next period, at least 0 and below 1.
    before : float
        Effective spend in this period that is left over from before the horizon, in money. Its value is
        there without the plan and is not counted: ``V(before + s) - V(before)``.
    tail : bool
        Whether value after the horizon counts, as after the last period: in the k-th period after it
        ``keep**k`` of the effective spend is left, and brings what it would bring in this period.

    Returns
    -------
    ResponseCurve
        Exact; of a bounded curve the breakpoints are the union of all bends (of more than ``MOST_BENDS`` an
        even choice, exact at each). A bounded one ends where `curve` ends.

    Raises
    ------
    CurveError
        When what is left over reaches the end of a bounded curve (code E115).

    Notes
    -----
    Koyck (1954), Distributed Lags and Investment Analysis. Terms stop when less than ``FADED`` of the
    effective spend is left.

    Examples
    --------
    >>> curve = ResponseCurve(np.array([0.0, 100.0, 300.0]), np.array([0.0, 250.0, 450.0]))
    >>> later = carried(curve, keep=0.5, before=50.0)
    >>> later.spend.tolist(), later.value.tolist()
    ([0.0, 50.0, 250.0], [0.0, 125.0, 325.0])
    """
    _refuse_keep(keep)
    _refuse_before(curve, before)
    weights = _weights(keep) if tail else (1.0,)
    if before == 0 and len(weights) == 1:
        return curve
    if curve.shape is None:
        return _carried_points(curve, before, weights)
    return _carried_shape(curve, Carried(curve.shape, before, weights))


def _refuse_keep(keep: float) -> None:
    if not 0 <= keep < 1:
        raise CurveError(Finding("E115", None, f"a carry-over of {keep:g} is not from 0 up to below 1"))


def _refuse_before(curve: ResponseCurve, before: float) -> None:
    if not 0 <= before < np.inf:
        raise CurveError(Finding("E115", None, f"an effective spend of {before:g} cannot be left over"))
    if curve.bounded and before >= curve.end * (1 - SAME_PLACE):
        what = (
            f"money spent before the horizon leaves an effective spend of {amount(before)}, "
            f"and the curve ends at {amount(curve.end)}"
        )
        raise CurveError(Finding("E115", None, what, "lower carry_in, or give the curve further"))


def _weights(keep: float) -> tuple[float, ...]:
    """Give what is left of an effective spend in its own period and in those after it, until it has faded."""
    n = int(np.log(FADED) / np.log(keep)) + 1 if keep > 0 else 0
    weights = keep ** np.arange(n + 1, dtype=np.float64)
    return tuple(weights[weights >= FADED].tolist())


def _carried_points(curve: ResponseCurve, before: float, weights: Sequence[float]) -> ResponseCurve:
    spend = _bends(curve, before, weights)
    reading = _reading(curve, before, weights, spend)
    outcomes: dict[str, Any] = {name: known @ reading for name, known in curve.outcomes.items()}
    draws = None if curve.draws is None else curve.draws @ reading
    return ResponseCurve(spend, curve.value @ reading, draws=draws, **outcomes)


def _bends(curve: ResponseCurve, before: float, weights: Sequence[float]) -> FloatArray:
    """Give every spend at which one of the terms bends, with 0 and the end."""
    end = curve.end - before
    own, *echoes = [curve.spend / weight - before for weight in weights]
    later = np.concatenate([np.empty(0), *(echo[echo < end] for echo in echoes)])
    if len(later) > MOST_BENDS:
        later = np.sort(later)[:: len(later) // MOST_BENDS + 1]
    apart = SAME_PLACE * curve.end
    places = np.concatenate([own, later])
    inner = np.sort(places[(places > apart) & (places < end - apart)])
    first = np.diff(inner, prepend=-np.inf) > apart
    return np.concatenate([[0.0], inner[first], [end]])


def _reading(curve: ResponseCurve, before: float, weights: Sequence[float], spend: FloatArray) -> FloatArray:
    """Give M with ``rows of the curve @ M == rows of the carried one``, shape (n_breakpoints, n_spends).

    Every row (value, a draw, an outcome) is read between the breakpoints alike; `spend` starts with 0.
    """
    matrix = np.zeros((len(curve.spend), len(spend)))
    columns = np.arange(len(spend))
    for weight in weights:
        effective = weight * (before + spend)
        low = np.clip(np.searchsorted(curve.spend, effective, side="right") - 1, 0, len(curve.widths) - 1)
        share = np.clip((effective - curve.spend[low]) / curve.widths[low], 0.0, 1.0)
        matrix[low, columns] += 1 - share
        matrix[low + 1, columns] += share
    return np.asarray(matrix - matrix[:, :1])


def _carried_shape(curve: ResponseCurve, shape: Carried) -> ResponseCurve:
    """Sample a carried shape anew to the reach of the curve; what the breakpoints hold is interpolated."""
    spend = breakpoints(shape, curve.end)
    value = shape.value(spend)
    outcomes: dict[str, Any] = {
        name: sum(_outcome_beyond(curve, name, weight, shape.before, spend) for weight in shape.weights)
        for name in curve.outcomes
    }
    draws = None
    if curve.draws is not None:
        draws = value + (curve.draws - curve.value) @ _reading(curve, shape.before, shape.weights, spend)
    return ResponseCurve(spend, value, draws=draws, shape=shape, **outcomes)


def _outcome_beyond(
    curve: ResponseCurve, name: str, weight: float, before: float, spend: FloatArray
) -> FloatArray:
    """Give what `spend` adds to an outcome beside what is left over, when `weight` of both is left."""
    left_over = outcome_at(curve, name, np.asarray(weight * before))
    return np.asarray(outcome_at(curve, name, weight * (before + spend)) - left_over)
