"""What a model of purchase timing is asked about: histories of customers, and spans of weeks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from allocator.models.base import FloatArray, IntArray, impossible


def histories(
    frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give histories as arrays of one shape, or refuse those that cannot be.

    Raises
    ------
    DataError
        E315: not finite, negative, or a last purchase after the as-of day.
    """
    x, last, until = np.broadcast_arrays(
        *(np.asarray(part, dtype=np.float64) for part in (frequency, recency, age))
    )
    if not all(np.isfinite(part).all() for part in (x, last, until)):
        raise impossible("a frequency, recency or age is not a finite number")
    if (x < 0).any() or (last < 0).any():
        raise impossible("a frequency or recency is negative")
    if (last > until).any():
        raise impossible("a last purchase lies after the as-of day")
    return x, last, until


def spans(weeks: ArrayLike) -> FloatArray:
    """Give numbers of weeks as an array, or refuse those that cannot be.

    Raises
    ------
    DataError
        E315: negative or not finite.
    """
    found = np.asarray(weeks, dtype=np.float64)
    if not (np.isfinite(found).all() and (found >= 0).all()):
        raise impossible("a number of weeks is negative or not finite")
    return found


def distinct(*parts: FloatArray) -> tuple[IntArray, IntArray]:
    """Give the position of every distinct case of some arrays, and the case of every element.

    Examples
    --------
    >>> first, case = distinct(np.array([3.0, 1.0, 3.0]), np.array([0.0, 5.0, 0.0]))
    >>> first.tolist(), case.tolist()
    ([1, 0], [1, 0, 1])
    """
    code = np.zeros(parts[0].size, dtype=np.int64)
    for part in parts:
        _, level = np.unique(part, return_inverse=True)
        _, code = np.unique(code * (level.max(initial=0) + 1) + level.ravel(), return_inverse=True)
    _, first = np.unique(code, return_index=True)
    return first, code
