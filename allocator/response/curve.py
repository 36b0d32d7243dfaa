"""A response curve: incremental margin, gross of spend, as a concave function of spend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class Shape(Protocol):
    """A smooth curve family with its parameters (see families.py)."""

    def value(self, spend: FloatArray) -> FloatArray:
        """Incremental margin at `spend`."""
        ...

    def marginal(self, spend: FloatArray) -> FloatArray:
        """Derivative of value at `spend`."""
        ...


@dataclass(frozen=True, eq=False)
class ResponseCurve:
    """Incremental margin from spending in one cell, or in a whole tied channel.

    Parameters
    ----------
    spend : array, shape (n_breakpoints,)
        Breakpoints in money, strictly increasing, the first is 0.
    value : array, shape (n_breakpoints,)
        Expected incremental margin in money, gross of spend; ``value[0] == 0``. Concave.
    draws : array, shape (n_draws, n_breakpoints), or None
        The same values under each draw of the uncertainty; their mean is `value`.
    revenue : array, shape (n_breakpoints,), or None
        Incremental revenue, where it is known.
    shape : Shape or None
        The smooth function the breakpoints sample; None when the breakpoints are the curve.
    """

    spend: FloatArray
    value: FloatArray
    draws: FloatArray | None = None
    revenue: FloatArray | None = None
    shape: Shape | None = None

    # widths, slopes, revenue_slopes: FloatArray properties, shape (n_breakpoints - 1,)
    # end: float  -> last breakpoint, inf never (a shape without an end is sampled to a stated reach)
    # bounded: bool -> True unless `shape` is set (a smooth family has no end of its own)
    # at(spend) -> FloatArray     exact value (shape if there is one, else interpolation); ValueError past end+tolerance for bounded
    # marginal(spend, side: Literal["next","last"]="next") -> float ; next at `end` of a bounded curve is nan
    # draws_at(spend: float) -> FloatArray shape (n_draws,) | None ; revenue_at(spend) -> float | None
    # scaled(*, spend: float, value: float) -> ResponseCurve   V'(s) = value * V(s / spend)
    # refined(at: float, width: float, points: int) -> ResponseCurve  adds breakpoints around `at` (smooth only; else self)
    # curve_error() -> float   largest (exact - chord) over pieces; 0 for piecewise linear
