"""Log-likelihood of the Pareto/NBD model with its first and second derivatives, on patterns."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from typing import Self

import numpy as np

from allocator.customers.summary import Patterns
from allocator.models.base import FloatArray
from allocator.models.clv.pareto_nbd_nodes import TimeNodes

NO_DROPOUT = (1e-9, 1.0)
ROWS_AT_ONCE = 2048


class Likelihood:
    """The log-likelihood as a function of the logs of r, alpha, s and beta.

    Schmittlein, Morrison & Colombo (1987), for a customer with x repeat purchases, the last at t, of
    age T, with the time u at which he left as an integral::

        prod_{j<x} (r + j) * alpha^r beta^s * ((alpha + T)^-(r+x) (beta + T)^-s
            + s * integral from t to T of (alpha + u)^-(r+x) (beta + u)^-(s+1) du)

    Derivatives are means over u, from the same nodes as the integral, so that no hypergeometric function
    is differentiated.

    Parameters
    ----------
    patterns : Patterns
    penalty : float
        Weight of ``-1/2 * sum(theta**2)``; alpha and beta count in `unit`, so that weeks or days give
        the same.

    Attributes
    ----------
    unit : float
        Mean age in weeks; `theta` holds alpha and beta in this unit.
    """

    def __init__(self, patterns: Patterns, penalty: float = 0.0) -> None:
        self.penalty = penalty
        self.hint: FloatArray | None = None
        self.count = patterns.counts.astype(np.float64)
        self.x = patterns.frequency.astype(np.float64)
        self.n = float(self.count.sum())
        self.repeats = float(self.count @ self.x)
        self.total_age = float(self.count @ patterns.age_weeks)
        self.unit = self.total_age / self.n or 1.0
        self.t = patterns.recency_weeks / self.unit
        self.gap = patterns.age_weeks / self.unit - self.t
        by_frequency = np.bincount(patterns.frequency, weights=patterns.counts)
        self.more = by_frequency[::-1].cumsum()[::-1][1:]
        self.j = np.arange(len(self.more), dtype=np.float64)

    def begun_at(self, hint: FloatArray) -> Self:
        """Give the same with another place to begin the search."""
        other = copy(self)
        other.hint = hint
        return other

    def penalised(self, penalty: float) -> Self:
        """Give the same with another penalty."""
        other = copy(self)
        other.penalty = penalty
        return other

    def start(self) -> FloatArray:
        """Give a sensible place to begin the search: from some of many patterns, else the rate of repeats."""
        if self.hint is not None:
            return self.hint
        weeks_per_repeat = self.total_age / max(self.repeats, 0.5) / self.unit
        return np.array([-0.5, np.log(max(0.4 * weeks_per_repeat, 1e-9)), -0.5, -0.5])

    def without_dropout(self) -> FloatArray:
        """Give the parameters with which nobody leaves, at the rate of all customers together."""
        rate = max(self.repeats, 0.5) / max(self.total_age, 1 / 7)
        return np.log([1.0, 1 / rate / self.unit, *NO_DROPOUT])

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Give the penalised value, its gradient (4,) and its Hessian (4, 4)."""
        r = np.exp(theta[0])
        weighted = self.more * r / (r + self.j)
        value = float(self.more @ np.log(r + self.j)) - self.repeats * (theta[1] + np.log(self.unit))
        gradient = np.array([weighted.sum(), -self.repeats, 0.0, 0.0])
        hessian = np.zeros((4, 4))
        hessian[0, 0] = weighted @ (self.j / (r + self.j))
        for part in self._parts():
            value += self._add_lives(np.exp(theta), part, gradient, hessian)
        if self.penalty:
            value -= 0.5 * self.penalty * float(theta @ theta)
            gradient -= self.penalty * theta
            hessian[range(4), range(4)] -= self.penalty
        return value, gradient, hessian

    def _parts(self) -> Iterator[slice]:
        """Give parts of the patterns whose nodes fit into a processor's cache."""
        return (slice(begin, begin + ROWS_AT_ONCE) for begin in range(0, len(self.x), ROWS_AT_ONCE))

    def _add_lives(
        self, parameters: FloatArray, part: slice, gradient: FloatArray, hessian: FloatArray
    ) -> float:
        """Add some patterns' chances to live on, or to have left at any time; derivatives by the logs."""
        r, alpha, s, beta = parameters
        power = (r + self.x[part])[:, None]
        lives = Lives.of(parameters, self.x[part], self.t[part], self.gap[part])
        weight = lives.share * self.count[part, None]
        by_alpha = lives.time / (alpha + lives.time)
        by_beta = lives.time / (beta + lives.time)
        left = lives.left
        slopes = np.stack(
            [-r * lives.log_alpha, power * by_alpha, left - s * lives.log_beta, (s + left) * by_beta - left]
        )
        weighted = slopes * weight
        sums = weighted.sum(axis=2)
        total = sums.sum(axis=1)
        flat = (4, -1)
        gradient += total
        hessian += weighted.reshape(flat) @ slopes.reshape(flat).T - (sums / self.count[part]) @ sums.T
        cross = (r * float((weight * by_alpha).sum()), s * float((weight * by_beta).sum()))
        hessian[0, 0] += total[0]
        hessian[0, 1] += cross[0]
        hessian[1, 0] += cross[0]
        hessian[1, 1] -= (weighted[1] * (1 - by_alpha)).sum()
        hessian[2, 2] -= s * float((weight * lives.log_beta).sum())
        hessian[2, 3] += cross[1]
        hessian[3, 2] += cross[1]
        hessian[3, 3] -= (weight * (s + left) * by_beta * (1 - by_beta)).sum()
        return float(self.count[part] @ lives.log_chance)


@dataclass(frozen=True, eq=False)
class Lives:
    """The ways customers' lives may have gone: one column for each time of leaving, the last for none.

    Parameters
    ----------
    time : array, shape (rows, nodes + 1)
        When the customer left; the age in the last column.
    log_alpha, log_beta : array, shape (rows, nodes + 1)
        ``log(1 + time / alpha)``, and the same with beta.
    share : array, shape (rows, nodes + 1)
        Probability of the column, given the history; a row sums to 1.
    left : array, shape (nodes + 1,)
        1, and 0 in the last column.
    log_chance : array, shape (rows,)
        Log of the bracket in the likelihood, times ``alpha^(r+x) beta^s``.
    """

    time: FloatArray
    log_alpha: FloatArray
    log_beta: FloatArray
    share: FloatArray
    left: FloatArray
    log_chance: FloatArray

    @classmethod
    def of(cls, parameters: FloatArray, x: FloatArray, t: FloatArray, gap: FloatArray) -> Self:
        """Place the nodes for customers with x repeats, the last at t and `gap` before the end."""
        r, alpha, s, beta = parameters
        nodes = TimeNodes.of((alpha, beta), (r + x, s + 1), t, gap)
        later = np.column_stack([nodes.later, gap])
        log_alpha = np.column_stack([nodes.log_a, np.log1p(gap / (alpha + t))])
        log_beta = np.column_stack([nodes.log_b, np.log1p(gap / (beta + t))])
        stays = -(r + x) * log_alpha[:, -1] - s * log_beta[:, -1]
        log_share = np.column_stack([nodes.log_weight + np.log(s / (beta + t))[:, None], stays])
        largest = log_share.max(axis=1)
        share = np.exp(log_share - largest[:, None])
        total = share.sum(axis=1)
        until_alpha, until_beta = np.log1p(t / alpha), np.log1p(t / beta)
        return cls(
            t[:, None] + later,
            until_alpha[:, None] + log_alpha,
            until_beta[:, None] + log_beta,
            share / total[:, None],
            np.append(np.ones(nodes.later.shape[1]), 0.0),
            largest + np.log(total) - (r + x) * until_alpha - s * until_beta,
        )
