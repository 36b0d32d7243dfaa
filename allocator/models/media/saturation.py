"""Saturation: what more pressure brings, relative to the pressure of mean spend.

Every family is ``R(x) = S(x) / S(1)`` with x the pressure over its mean, so that the level of an effect and
its bend are parameters of their own. `bend` is any real number; the lower, the sooner more spend is wasted.

- ``hill``: ``S(x) = x^n / (x^n + h^n)`` with ``h = exp(bend)`` the half-saturation in mean spends. With
  n = 1 the elasticity at mean spend is ``1 / (1 + exp(-bend))``.
- ``log``: ``S(x) = log(1 + x / h)`` with ``h = exp(bend)``.
- ``power``: ``S(x) = x^b`` with ``b = 1 / (1 + exp(-bend))`` the elasticity.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from allocator.models.base import FloatArray

Family = Literal["hill", "log", "power"]

SMALLEST = 1e-12  # of mean spend: logs of no pressure


def relative(family: Family, x: FloatArray, bend: FloatArray, exponent: FloatArray) -> FloatArray:
    """Give R at `x`; arguments broadcast. `exponent` is that of Hill, others do without.

    Examples
    --------
    >>> relative("hill", np.array([0.0, 1.0, 3.0]), np.array(0.0), np.array(1.0)).tolist()
    [0.0, 1.0, 1.5]
    """
    if family == "hill":
        powered, half = x**exponent, np.exp(exponent * bend)
        return np.asarray(powered * (1 + half) / (powered + half))
    if family == "log":
        return np.asarray(np.log1p(x * np.exp(-bend)) / np.log1p(np.exp(-bend)))
    return np.asarray(x ** _logistic(bend))


def slope(family: Family, x: FloatArray, bend: FloatArray, exponent: FloatArray) -> FloatArray:
    """Give dR/dx; of no pressure it is that of very little, where it is infinite.

    Examples
    --------
    >>> slope("hill", np.array([0.0, 1.0]), np.array(0.0), np.array(1.0)).round(6).tolist()
    [2.0, 0.5]
    """
    if family == "log":
        h = np.exp(bend)
        return np.asarray(1 / ((h + x) * np.log1p(1 / h)))
    some = np.maximum(x, SMALLEST)
    if family == "hill":
        powered, half = some**exponent, np.exp(exponent * bend)
        return np.asarray((1 + half) * exponent * half * some ** (exponent - 1) / (powered + half) ** 2)
    b = _logistic(bend)
    return np.asarray(b * some ** (b - 1))


def by_bend(family: Family, x: FloatArray, bend: float, exponent: float) -> FloatArray:
    """Give dR/dbend, of the shape of `x`."""
    value = relative(family, x, np.asarray(bend), np.asarray(exponent))
    if family == "hill":
        half = np.exp(exponent * bend)
        return np.asarray(value * exponent * (half / (1 + half) - half / (x**exponent + half)))
    if family == "log":
        h = np.exp(bend)
        return np.asarray((value / (1 + h) - x / (h + x)) / np.log1p(1 / h))
    b = _logistic(np.asarray(bend))
    return np.asarray(value * np.log(np.maximum(x, SMALLEST)) * b * (1 - b))


def by_log_exponent(x: FloatArray, bend: float, exponent: float) -> FloatArray:
    """Give dR/dlog(exponent) of Hill, of the shape of `x`."""
    value = relative("hill", x, np.asarray(bend), np.asarray(exponent))
    half, powered = np.exp(exponent * bend), x**exponent
    own = half / (powered + half) * (np.log(np.maximum(x, SMALLEST)) - bend)
    return np.asarray(value * exponent * (own + bend * half / (1 + half)))


def log_elasticity(
    family: Family, bend: FloatArray, exponent: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give log R'(1), what one per cent more than mean spend brings, and its derivatives.

    Returns
    -------
    tuple of array
        The log, and its derivatives by bend and by log exponent, of the shape of `bend`.
    """
    value = np.log(slope(family, np.ones_like(bend), bend, exponent))
    if family == "log":
        h = np.exp(bend)
        return value, np.asarray(np.exp(value) - h / (1 + h)), np.zeros_like(bend)
    n = exponent if family == "hill" else np.ones_like(bend)
    left = _logistic(-n * bend)
    return value, np.asarray(n * left), np.asarray(1 + n * bend * left)


def _logistic(bend: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-bend)))
