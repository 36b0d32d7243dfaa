"""What of an uncertain outcome is maximised, as pure functions of its draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from allocator.response.curve import FloatArray

Method = Literal["expected", "lower_quantile", "cvar", "worst_case", "regret"]


@dataclass(frozen=True)
class Risk:
    """Which outcome counts: the mean, or one of bad luck.

    Parameters
    ----------
    method : {"expected", "lower_quantile", "cvar", "worst_case", "regret"}
        ``cvar`` is the mean of the worst share `level` of the draws, ``lower_quantile`` what all but the
        worst share reach, ``worst_case`` the worst draw, ``regret`` the largest distance to the plan that
        would have been best in a draw.
    level : float
        Share of bad cases.
    weight : float
        Of the bad cases against the mean, for ``cvar``.

    Examples
    --------
    >>> draws = np.array([1.0, 2.0, 3.0, 10.0])
    >>> Risk("cvar", 0.5).of(draws), Risk("worst_case").of(draws), Risk("cvar", 0.5, 0.5).of(draws)
    (1.5, 1.0, 2.75)
    >>> Risk("regret").of(draws, best=np.array([2.0, 2.0, 5.0, 10.0]))
    -2.0
    """

    method: Method = "expected"
    level: float = 0.1
    weight: float = 1.0

    def of(self, draws: FloatArray, best: FloatArray | None = None) -> float:
        """Judge the outcomes of all draws, shape (n_draws,), in their own unit.

        Parameters
        ----------
        draws : array, shape (n_draws,)
        best : array, shape (n_draws,), optional
            The best outcome each draw allows, for ``regret``.
        """
        return float(self.shares(draws, best) @ (draws - self._base(draws, best)))

    def shares(self, draws: FloatArray, best: FloatArray | None = None) -> FloatArray:
        """Give how much each draw counts, shape (n_draws,), adding to 1: the gradient of `of`."""
        n = len(draws)
        rank = np.argsort(draws - self._base(draws, best), kind="stable")
        shares = np.zeros(n)
        if self.method == "expected":
            return np.full(n, 1.0 / n)
        if self.method == "cvar":
            left = np.maximum(0.0, np.minimum(1.0, self.level * n - np.arange(n)))
            shares[rank] = self.weight * left / (self.level * n)
            return np.asarray(shares + (1 - self.weight) / n)
        shares[rank[self.spared(n)]] = 1.0
        return shares

    def spared(self, n: int) -> int:
        """Count the worst draws that do not matter: those below a quantile."""
        return int(np.floor(self.level * n + 1e-9)) if self.method == "lower_quantile" else 0

    def _base(self, draws: FloatArray, best: FloatArray | None) -> FloatArray:
        if self.method == "regret" and best is not None:
            return best
        return np.zeros_like(draws)


EXPECTED = Risk()
