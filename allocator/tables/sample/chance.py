"""Random numbers made from uniform ones by inversion.

NumPy may change how it draws from other distributions, but not its uniform numbers; so the sample stays the
same from one release to the next.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Chance:
    """A stream of random numbers of its own; streams of other names do not move it.

    Examples
    --------
    >>> Chance(1, 0).uniform(2).tolist() == Chance(1, 0).uniform(2).tolist()
    True
    """

    def __init__(self, seed: int, stream: int) -> None:
        self._generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, stream])))

    def uniform(self, *shape: int) -> FloatArray:
        """Draw numbers above 0 and below 1."""
        return np.clip(self._generator.random(shape), 1e-12, 1 - 1e-12)

    def normal(self, *shape: int) -> FloatArray:
        """Draw standard normal numbers."""
        from scipy.special import ndtri

        return np.asarray(ndtri(self.uniform(*shape)), dtype=float)

    def exponential(self, *shape: int) -> FloatArray:
        """Draw exponential numbers of mean 1."""
        return -np.log(self.uniform(*shape))

    def choose(self, shares: Sequence[float], n: int) -> IntArray:
        """Draw `n` positions, each with its share of the chance."""
        return np.searchsorted(np.cumsum(shares)[:-1], self.uniform(n), side="right").astype(np.int64)

    def deal(self, shares: Sequence[float], n: int) -> IntArray:
        """Deal `n` positions out so that each gets exactly its share, in random order."""
        ends = np.round(np.cumsum(shares) * n).astype(int)
        places = np.empty(n, dtype=np.int64)
        places[np.argsort(self.uniform(n), kind="stable")] = np.searchsorted(ends, np.arange(n), side="right")
        return places
