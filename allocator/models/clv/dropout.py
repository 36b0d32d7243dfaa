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
    p, log_weight : array, shape (len(beta), nodes)
    log_at_zero : array, shape (len(beta),)
        Log of the probability that p is so small that only its limit 0 counts.
    """

    p: FloatArray
    log_weight: FloatArray
    log_at_zero: FloatArray

    @classmethod
    def of(cls, a: float, beta: FloatArray) -> Self:
        """Place the nodes.

        Examples
        --------
        >>> nodes = DropoutNodes.of(0.8, np.array([2.4]))
        >>> bool(np.isclose((np.exp(nodes.log_weight) * nodes.p).sum(), 0.8 / 3.2))
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
        log_at_zero = np.full(len(beta), -np.inf)
        if a < LONG_TAIL:
            log_weight += (np.log(width * (left + right) / (NODES - 1)) - _log_beta(a, beta))[:, None]
            log_at_zero = np.log(np.maximum(1 - np.exp(log_weight).sum(axis=1), 1e-300))
        else:
            log_weight -= np.logaddexp.reduce(log_weight, axis=1)[:, None]
        return cls(np.exp(logit - softplus), log_weight, log_at_zero)

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
        p, log_weight, log_at_zero = self.p[row], self.log_weight[row], self.log_at_zero[row]
        log_weight = log_weight - shape[:, None] * np.log1p(p * wait[:, None])
        # the largest is taken out: all may be too small for a float
        largest = np.maximum(log_weight.max(axis=1), log_at_zero)
        weight, at_zero = np.exp(log_weight - largest[:, None]), np.exp(log_at_zero - largest)
        then = span[:, None] / (1 + p * wait[:, None])
        bought = -np.expm1(-shape[:, None] * np.log1p(p * then)) / p
        active = weight.sum(axis=1) + at_zero
        purchases = ((weight * bought).sum(axis=1) + at_zero * shape * span) / active
        return purchases, active * np.exp(largest)


def _log_beta(a: float, beta: FloatArray) -> FloatArray:
    from scipy.special import betaln

    return np.asarray(betaln(a, beta))
