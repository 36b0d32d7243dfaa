"""Draws of an uncertain number: a two-piece normal in strata, so that its mean does not hang on a seed."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from allocator.response.curve import FloatArray

_NORMAL = NormalDist()
Z90 = _NORMAL.inv_cdf(0.9)  # 1 in 10 lies above
MEAN_ABOVE = _NORMAL.pdf(0.0) / Z90  # mean of max(z, 0) / Z90 over all z


@dataclass(frozen=True, eq=False)
class Strata:
    """One standard normal number a draw, split at 0 and in units of its 90 % quantile.

    Parameters
    ----------
    below, above : array, shape (n_draws,)
        ``min(z, 0) / Z90`` and ``max(z, 0) / Z90``, each the mean of its stratum; over all draws they
        average to exactly ``-MEAN_ABOVE`` and ``MEAN_ABOVE``.
    """

    below: FloatArray
    above: FloatArray

    def three_point(self, low: FloatArray, likely: FloatArray, high: FloatArray) -> FloatArray:
        """Draw numbers with 1 in 10 below `low`, half below `likely`, 1 in 10 above `high`.

        Parameters
        ----------
        low, likely, high : array, shape (n,)

        Returns
        -------
        array, shape (n_draws, n)
            All n numbers of a draw share its rank. Their mean is :func:`three_point_mean`.
        """
        return likely + np.outer(self.above, high - likely) + np.outer(self.below, likely - low)


def strata(n_draws: int, rng: np.random.Generator) -> Strata:
    """Cut the standard normal into `n_draws` equally likely strata, in an order taken from `rng`.

    The order decides only which draws of different channels meet; a mean or a quantile of one channel
    is the same for every seed.

    Examples
    --------
    >>> four = strata(4, np.random.default_rng(7))
    >>> np.sort(four.above + four.below).round(2).tolist()
    [-0.99, -0.25, 0.25, 0.99]
    """
    edges = [-np.inf, *(_NORMAL.inv_cdf(i / n_draws) for i in range(1, n_draws)), np.inf]
    order = rng.permutation(n_draws)
    below = _stratum_means(np.minimum(edges, 0.0))[order]
    above = _stratum_means(np.maximum(edges, 0.0))[order]
    return Strata(below / Z90, above / Z90)


def three_point_mean(low: FloatArray, likely: FloatArray, high: FloatArray) -> FloatArray:
    """Mean of the two-piece normal through a 10 %, 50 % and 90 % estimate.

    ``likely + 0.3113 * (low + high - 2 * likely)``, 0.3113 being ``pdf(0) / quantile(0.9)``.

    Examples
    --------
    >>> three_point_mean(np.array([320.0]), np.array([480.0]), np.array([600.0])).round(2).tolist()
    [467.55]
    """
    return np.asarray(likely + MEAN_ABOVE * ((high - likely) - (likely - low)))


def _stratum_means(edges: FloatArray) -> FloatArray:
    """Integral of ``z * pdf(z)`` between neighbouring edges, times their number."""
    density = np.exp(-0.5 * edges**2) / np.sqrt(2 * np.pi)
    return np.asarray(-np.diff(density) * (len(edges) - 1))
