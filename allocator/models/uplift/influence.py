"""Standard errors from what every row adds to an estimate, also where rows belong together."""

from __future__ import annotations

import numpy as np

from allocator.models.uplift.base import Codes, Estimated, FloatArray


def root_of_squares(parts: FloatArray, cluster: Codes | None = None) -> float:
    """Give the root of the sum of squares of the parts, summed within clusters first.

    Parameters
    ----------
    parts : array, shape (n,)
        What every row adds to an estimate; they sum to about 0.
    cluster : int array, shape (n,), or None
        Rows with the same code are one.
    """
    sums = parts if cluster is None else np.bincount(np.unique(cluster, return_inverse=True)[1], parts)
    units = len(sums)
    return float(np.sqrt(np.sum(np.asarray(sums) ** 2) * units / max(units - 1, 1)))


def mean_of(values: FloatArray, cluster: Codes | None = None) -> Estimated:
    """Give the mean of rows with its standard error.

    Examples
    --------
    >>> import numpy as np
    >>> values = np.array([1.0, 3.0, 1.0, 3.0])
    >>> mean_of(values)
    Estimated(value=2.0, standard_error=0.5773502691896257)
    >>> mean_of(values, np.array([0, 0, 1, 1]))
    Estimated(value=2.0, standard_error=0.0)
    """
    mean = float(values.mean())
    return Estimated(mean, root_of_squares((values - mean) / len(values), cluster))
