"""What follows for purchases when every one of them may be the last: means over the dropout probability.

An active customer of the BG/NBD model buys at a rate ~ Gamma(R, rate A) and leaves after each purchase
with probability p ~ Beta(a, beta), independent of the rate. Given p, over a time s,

* still active: ``(1 + p s / A)^-R``,
* purchases: ``(1 - (1 + p s / A)^-R) / p``.

The mean over p is the known expression in the hypergeometric function 2F1 (Fader, Hardie & Lee 2005,
equation 10), without its poles: here every term is positive, whatever a, b and R.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from allocator.models.base import FloatArray, IntArray

NODES = 160
NEGLIGIBLE = 40.0  # e**-40
LONG_TAIL = 0.3  # a below this: p is often so near 0 that only the limit p = 0 is left of it
ROWS_AT_ONCE = 1024


@dataclass(frozen=True, eq=False)
class DropoutNodes:
    """Nodes and weights for means over Beta(a, beta), one row for each beta.

    The trapezoidal rule on ``logit(p) = centre + width * sinh(h)``, which converges exponentially for
    any a and beta (Takahasi & Mori 1974).

    Parameters
    ----------
    p, weight : array, shape (len(beta), nodes)
    at_zero : array, shape (len(beta),)
        Probability that p is so small that only its limit 0 counts.
    """

    p: FloatArray
    weight: FloatArray
    at_zero: FloatArray

    @classmethod
    def of(cls, a: float, beta: FloatArray) -> Self:
        """Place the nodes.

        Examples
        --------
        >>> nodes = DropoutNodes.of(0.8, np.array([2.4]))
        >>> bool(np.isclose((nodes.weight * nodes.p).sum(), 0.8 / 3.2))
        True
        """
        centre = np.log(max(a, 1.0) / np.maximum(beta, 1.0))
        width = np.sqrt(1 / max(a, 1.0) + 1 / np.maximum(beta, 1.0))
        left = np.arcsinh(10 + NEGLIGIBLE / (max(a, LONG_TAIL) * width))
        right = np.arcsinh(10 + NEGLIGIBLE / (beta * width))
        h = np.linspace(-left, right, NODES, axis=1)
        logit = centre[:, None] + width[:, None] * np.sinh(h)
        softplus = np.logaddexp(0, logit)
        log_weight = a * logit - (a + beta[:, None]) * softplus + np.log(np.cosh(h))
        weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
        log_scale = log_weight.max(axis=1) + np.log(width * (left + right) / (NODES - 1))
        total = weight.sum(axis=1)
        if a < LONG_TAIL:
            total = np.exp(_log_beta(a, beta) - log_scale)
        weight /= total[:, None]
        return cls(np.exp(logit - softplus), weight, np.maximum(1 - weight.sum(axis=1), 0))

    def means(
        self, row: IntArray, shape: FloatArray, wait: FloatArray, span: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Give the mean number of purchases in a span after a wait, and the share active when it begins.

        Parameters
        ----------
        row : array of int, shape (n,)
            The nodes to use.
        shape : array, shape (n,)
            R.
        wait, span : array, shape (n,)
            Time before the span, and its length, both divided by A.

        Returns
        -------
        purchases, active : array, shape (n,)
            Purchases of the customers still active, divided by the share of them; and that share.
        """
        purchases, active = np.empty(len(row)), np.empty(len(row))
        for begin in range(0, len(row), ROWS_AT_ONCE):
            part = slice(begin, begin + ROWS_AT_ONCE)
            purchases[part], active[part] = self._part(row[part], shape[part], wait[part], span[part])
        return purchases, active

    def _part(
        self, row: IntArray, shape: FloatArray, wait: FloatArray, span: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        p, weight, at_zero = self.p[row], self.weight[row], self.at_zero[row]
        slow = (shape * span)[:, None]
        if wait.any():
            log_stay = -shape[:, None] * np.log1p(p * wait[:, None])
            # the largest factor is taken out: all may be too small for a float
            largest = np.where(at_zero > 0, 0.0, log_stay.max(axis=1))
            weight = weight * np.exp(log_stay - largest[:, None])
            span_then = span[:, None] / (1 + p * wait[:, None])
        else:
            largest = np.zeros(len(row))
            span_then = span[:, None]
        bought = -np.expm1(-shape[:, None] * np.log1p(p * span_then)) / p
        active = weight.sum(axis=1) + at_zero
        purchases = ((weight * bought).sum(axis=1) + at_zero * slow[:, 0]) / active
        return purchases, active * np.exp(largest)


def _log_beta(a: float, beta: FloatArray) -> FloatArray:
    from scipy.special import betaln

    return np.asarray(betaln(a, beta))
