"""The least concave curve above a curve that is not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocator.response.curve import FloatArray


def envelope(spend: FloatArray, value: FloatArray) -> NDArray[np.intp]:
    """Give the places of the breakpoints on the least concave curve above all: the upper hull.

    Examples
    --------
    >>> envelope(np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 1.0, 5.0, 6.0])).tolist()
    [0, 2, 3]
    """
    kept: list[int] = []
    for place in range(len(spend)):
        while len(kept) > 1 and not _above(spend, value, (kept[-2], kept[-1], place)):
            kept.pop()
        kept.append(place)
    return np.array(kept)


def _above(spend: FloatArray, value: FloatArray, places: tuple[int, int, int]) -> bool:
    """Whether the middle of three places lies above the chord between the others."""
    a, b, c = places
    return bool((value[b] - value[a]) * (spend[c] - spend[a]) > (value[c] - value[a]) * (spend[b] - spend[a]))
