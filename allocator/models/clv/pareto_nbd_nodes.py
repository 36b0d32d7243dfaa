"""Integrals over a moment of time in the Pareto/NBD model: when a customer left, or buys next.

All of them are, from `lo` over a `span`,

``integral of ((a + u) / (a + lo))^-p * ((b + u) / (b + lo))^-q du``,

which in closed form is a difference of two hypergeometric functions 2F1, that cancel. Here every term is
positive: Gauss-Legendre on the log of time, cut off where nothing more is added.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np

from allocator.models.base import FloatArray

NEGLIGIBLE = 38.0  # e**-38
NODES = ((2.0, 10), (12.0, 16), (44.0, 24), (80.0, 48), (np.inf, 96))  # for a fall of up to
LONGEST_CUT = 12


@dataclass(frozen=True, eq=False)
class TimeNodes:
    """Nodes for some integrals, one row each.

    Parameters
    ----------
    later : array, shape (rows, nodes)
        Time of the nodes after `lo`.
    log_a, log_b : array, shape (rows, nodes)
        ``log((a + u) / (a + lo))``, and the same with b, at the nodes.
    log_weight : array, shape (rows, nodes)
        The integral is ``exp(log_weight).sum(axis=1)``; all are -inf for a span of 0.
    """

    later: FloatArray
    log_a: FloatArray
    log_b: FloatArray
    log_weight: FloatArray

    @classmethod
    def of(
        cls, offsets: tuple[float, float], powers: tuple[FloatArray, float], lo: FloatArray, span: FloatArray
    ) -> Self:
        """Place the nodes.

        Parameters
        ----------
        offsets : a and b
        powers : p, an array of shape (rows,), and q
        lo, span : array, shape (rows,)

        Examples
        --------
        >>> nodes = TimeNodes.of((1.0, 1.0), (np.array([2.0]), 1.0), np.array([0.0]), np.array([1.0]))
        >>> np.exp(nodes.log_weight).sum().round(12)  # (1 - 2**-2) / 2
        np.float64(0.375)
        """
        small, large = (0, 1) if offsets[0] <= offsets[1] else (1, 0)
        near, far = offsets[small] + lo, offsets[large] + lo
        power_near, power_far = powers[small], powers[large]
        length = _cut(np.log1p(span / near), near / far, power_near, power_far)
        fall = _fall(length, near / far, power_near, power_far)
        places, weights = _gauss_legendre(_nodes(length, fall))
        log_near = length[:, None] * places
        later = near[:, None] * np.expm1(log_near)
        log_far = np.log1p(later / far[:, None])
        powers_of = (np.reshape(power, (-1, 1)) for power in (power_near, power_far))
        log_weight = log_near - next(powers_of) * log_near - next(powers_of) * log_far
        with np.errstate(divide="ignore"):
            log_weight += np.log(weights) + np.log(near * length)[:, None]
        logs = (log_near, log_far)
        return cls(later, logs[small], logs[large], log_weight)


def _fall(
    length: FloatArray, ratio: FloatArray, power_near: FloatArray | float, power_far: FloatArray | float
) -> FloatArray:
    """Give by how much the log of the integrand falls over a length of log time."""
    far = np.log1p(ratio * np.expm1(length))
    return np.asarray((power_near - 1) * length + power_far * far)


def _cut(
    length: FloatArray, ratio: FloatArray, power_near: FloatArray | float, power_far: FloatArray | float
) -> FloatArray:
    """Shorten lengths of log time to where the integrand is negligible.

    The log of the integrand is concave, so that Newton's steps come from above and never pass the place.
    """
    for _ in range(LONGEST_CUT):
        excess = _fall(length, ratio, power_near, power_far) - NEGLIGIBLE
        if excess.max(initial=0.0) < NEGLIGIBLE / 8:
            break
        grown = np.exp(length)
        slope = power_near - 1 + power_far * ratio * grown / (1 + ratio * (grown - 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            length = np.where(excess > 0, length - excess / slope, length)
    return length


def _nodes(length: FloatArray, fall: FloatArray) -> int:
    """Give how many nodes the hardest row needs."""
    hardest = max(float(np.abs(fall).max(initial=0.0)), 10 * float(length.max(initial=0.0)))
    return next(n for most, n in NODES if hardest <= most)


@cache
def _gauss_legendre(n: int) -> tuple[FloatArray, FloatArray]:
    """Give places and weights on 0 to 1."""
    places, weights = np.polynomial.legendre.leggauss(n)
    return (places + 1) / 2, weights / 2
