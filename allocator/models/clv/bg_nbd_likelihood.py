"""Log-likelihood of the BG/NBD and MBG/NBD models with its first and second derivatives, on patterns."""

from __future__ import annotations

from copy import copy
from typing import Self

import numpy as np

from allocator.customers.summary import Patterns
from allocator.models.base import FloatArray, IntArray

NO_DROPOUT = (1e-9, 1.0)
ROWS_AT_ONCE = 8192
"""Patterns whose terms stay in a processor's cache."""


class Likelihood:
    """The log-likelihood as a function of the logs of r, alpha, a and b.

    Fader, Hardie & Lee (2005), equation 6, for a customer with x repeat purchases, the last at t, of
    age T, who had k chances to leave::

        prod_{j<x} (r + j) * prod_{j<k} (b + j) / (a + b + j) * alpha^r
            * ((alpha + T)^-(r+x) + [k > 0] a / (b+k-1) * (alpha + t)^-(r+x))

    with k = x; and k = x + 1 for the modified model, in which customers may leave at their first
    purchase (Batislam, Denizel & Filiztekin 2007). The products over j need only the number of customers
    with more than j repeats, the powers of alpha + T only the totals of an age; so a call costs a few
    operations on the patterns with k > 0. No term is formed outside logs, none is a difference of large
    ones.

    Parameters
    ----------
    patterns : Patterns
    penalty : float
        Weight of ``-1/2 * sum(theta**2)``; alpha counts in `unit`, so that weeks or days give the same.
    first_chance : {0, 1}
        Chances to leave at the first purchase.
    unit : float, optional
        In weeks; the mean age where absent.

    Attributes
    ----------
    unit : float
        `theta` holds alpha in this unit.
    """

    def __init__(
        self, patterns: Patterns, penalty: float = 0.0, *, first_chance: int = 0, unit: float = 0.0
    ) -> None:
        counts = patterns.counts.astype(np.float64)
        frequency = patterns.frequency.astype(np.float64)
        age = patterns.age_weeks
        self.penalty = penalty
        self.n = float(counts.sum())
        self.repeats = float(counts @ frequency)
        self.total_age = float(counts @ age)
        self.unit = unit or self.total_age / self.n or 1.0
        self._count_steps(patterns, first_chance)
        self._count_ages(patterns.age_days, age / self.unit, counts, counts * frequency)
        maybe = patterns.frequency + first_chance > 0
        self.count = counts[maybe]
        self.x = frequency[maybe]
        self.earlier = self.x + first_chance - 1
        self.t = patterns.recency_weeks[maybe] / self.unit
        self.gap = age[maybe] / self.unit - self.t

    def penalised(self, penalty: float) -> Self:
        """Give the same with another penalty."""
        other = copy(self)
        other.penalty = penalty
        return other

    def _count_steps(self, patterns: Patterns, first_chance: int) -> None:
        """Count customers with more than j repeats, and with more than j chances to leave, for every j."""
        by_frequency = np.bincount(patterns.frequency, weights=patterns.counts)
        self.more = by_frequency[::-1].cumsum()[::-1][1:]
        self.j = np.arange(len(self.more), dtype=np.float64)
        self.chances = np.concatenate([[self.n] * first_chance, self.more])
        self.k = np.arange(len(self.chances), dtype=np.float64)

    def _count_ages(self, days: IntArray, age: FloatArray, counts: FloatArray, repeats: FloatArray) -> None:
        """Sum customers and repeats of every age."""
        _, first, of_age = np.unique(days, return_index=True, return_inverse=True)
        self.age = age[first]
        self.age_count = np.bincount(of_age, weights=counts)
        self.age_repeats = np.bincount(of_age, weights=repeats)

    def start(self) -> FloatArray:
        """Give a sensible place to begin the search, from the rate of repeats."""
        weeks_per_repeat = self.total_age / max(self.repeats, 0.5) / self.unit
        return np.array([-1.0, np.log(max(0.25 * weeks_per_repeat, 1e-9)), -0.3, 0.7])

    def without_dropout(self) -> FloatArray:
        """Give the parameters with which nobody leaves, at the rate of all customers together."""
        rate = max(self.repeats, 0.5) / max(self.total_age, 1 / 7)
        return np.log([1.0, 1 / rate / self.unit, *NO_DROPOUT])

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Give the penalised value, its gradient (4,) and its Hessian (4, 4)."""
        r, alpha, a, b = np.exp(theta)
        gradient = np.zeros(4)
        hessian = np.zeros((4, 4))
        value = self._add_rates(r, alpha, gradient, hessian)
        value += self._add_survivals(a, b, gradient, hessian)
        scale = np.array([r, alpha, a, b])
        gradient *= scale
        hessian *= scale[:, None] * scale
        hessian[range(4), range(4)] += gradient
        value += self._add_last_purchases(theta, gradient, hessian)
        if self.penalty:
            value -= 0.5 * self.penalty * float(theta @ theta)
            gradient -= self.penalty * theta
            hessian[range(4), range(4)] -= self.penalty
        return float(value - self.repeats * np.log(self.unit)), gradient, hessian

    def _add_rates(self, r: float, alpha: float, gradient: FloatArray, hessian: FloatArray) -> float:
        """Add the terms of r and alpha that need no recency; derivatives by r and alpha themselves."""
        steps = r + self.j
        inverse = 1 / steps
        weighted = self.more * inverse
        ages = alpha + self.age
        powers = r * self.age_count + self.age_repeats
        # r * log(alpha) is taken into the ages, which stay small numbers so
        excess = np.log1p(self.age / alpha)
        rates = powers / ages
        gradient[0] = weighted.sum() - self.age_count @ excess
        gradient[1] = r * self.n / alpha - rates.sum()
        hessian[0, 0] = -(weighted @ inverse)
        hessian[0, 1] = hessian[1, 0] = self.n / alpha - (self.age_count / ages).sum()
        hessian[1, 1] = (rates / ages).sum() - r * self.n / alpha**2
        return float(self.more @ np.log(steps) - powers @ excess - self.repeats * np.log(alpha))

    def _add_survivals(self, a: float, b: float, gradient: FloatArray, hessian: FloatArray) -> float:
        """Add the probability of staying at every chance to leave."""
        stay = 1 / (b + self.k)
        either = 1 / (a + b + self.k)
        weighted_stay, weighted_either = self.chances * stay, self.chances * either
        sum_either = weighted_either.sum()
        gradient[2] = -sum_either
        gradient[3] = weighted_stay.sum() - sum_either
        square_either = weighted_either @ either
        hessian[2:, 2:] = square_either
        hessian[3, 3] -= weighted_stay @ stay
        return -float(self.chances @ np.log1p(a * stay))

    def _add_last_purchases(self, theta: FloatArray, gradient: FloatArray, hessian: FloatArray) -> float:
        """Add the odds that the last purchase was the end; derivatives by the logs."""
        parts = (slice(begin, begin + ROWS_AT_ONCE) for begin in range(0, len(self.x), ROWS_AT_ONCE))
        return sum(self._add_part(np.exp(theta), part, gradient, hessian) for part in parts)

    def _add_part(
        self, parameters: FloatArray, part: slice, gradient: FloatArray, hessian: FloatArray
    ) -> float:
        """Add those of some patterns."""
        r, alpha, a, b = parameters
        count, x, t, gap = self.count[part], self.x[part], self.t[part], self.gap[part]
        since, until = 1 / (alpha + t), 1 / (alpha + t + gap)
        wait = np.log1p(gap * since)
        power = alpha * (r + x)
        stay = b / (b + self.earlier[part])
        slopes = np.stack([r * wait, power * (until - since), np.ones_like(stay), -stay])
        u = np.log(a / b * stay) + (r + x) * wait
        decay = np.exp(-np.abs(u))
        gone = np.where(u >= 0, 1.0, decay) / (1 + decay)
        weight = count * gone
        by_log = slopes @ weight
        gradient += by_log
        hessian += (slopes * (weight * (1 - gone))) @ slopes.T
        hessian[0, 0] += by_log[0]
        cross = r * alpha * (weight @ (until - since))
        hessian[0, 1] += cross
        hessian[1, 0] += cross
        hessian[1, 1] += (slopes[1] * (1 - alpha * (since + until))) @ weight
        hessian[3, 3] += ((stay - 1) * stay) @ weight
        return float(count @ (np.maximum(u, 0) + np.log1p(decay)))
