"""How a fit of the first periods tells the last ones, beside the same without media."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.models.base import FloatArray

HELD_OUT = 0.2  # of the periods, the last


@dataclass(frozen=True)
class Score:
    """How totals per period, all groups together, were told.

    Parameters
    ----------
    r2 : float
        1 less the squared error over that of the mean of the periods; below 0 the mean does better.
    mape : float
        Mean absolute error over the outcome, a fraction.
    total_error : float
        Told over what came in all periods, less 1.
    """

    r2: float
    mape: float
    total_error: float


@dataclass(frozen=True)
class Holdout:
    """Scores over the last fifth of the periods.

    Parameters
    ----------
    with_media, without_media : Score
        Of the fit, and of its baseline fitted without media.
    n_periods : int
        Held out.
    """

    with_media: Score
    without_media: Score
    n_periods: int


def score(told: FloatArray, came: FloatArray) -> Score:
    """Compare totals per period, shape (t,) each.

    Examples
    --------
    >>> score(np.array([2.0, 2.0]), np.array([1.0, 3.0])).total_error
    0.0
    """
    left = came - told
    spread = float(((came - came.mean()) ** 2).sum())
    some = np.where(came > 0, came, np.nan)
    return Score(
        r2=1 - float(left @ left) / spread if spread > 0 else float("nan"),
        mape=float(np.nanmean(np.abs(left) / some)) if (came > 0).any() else float("nan"),
        total_error=float(told.sum() / came.sum() - 1),
    )
