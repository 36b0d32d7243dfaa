"""Kaplan-Meier: the survival curve of customers as it was, censored ones included, without a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from allocator.models.base import FloatArray
from allocator.models.retention.base import KnownSurvival
from allocator.models.retention.durations import Durations, durations
from allocator.options import Options


@dataclass(frozen=True, eq=False)
class FittedKaplanMeier(KnownSurvival):
    """A survival curve with its errors.

    Parameters
    ----------
    known : array, shape (periods,)
        ``S(0), S(1), ...`` up to the longest stay observed; later periods are refused.
    standard_errors : array, shape (periods,)
        Of `known`, by Greenwood's formula.
    log_likelihood : float
        ``sum over t of lost log(h) + kept log(1 - h)``, ``h`` the share lost.
    n_customers : int
    """

    standard_errors: FloatArray | None = None
    log_likelihood: float = float("nan")
    n_customers: int = 0


class KaplanMeier(Options):
    """Kaplan-Meier (1958) estimate of survival, by statsmodels.

    Examples
    --------
    >>> fitted = KaplanMeier().fit([1, 2, 2, 3], [1, 1, 0, 0])
    >>> fitted.survival([0, 1, 2, 3]).round(6).tolist()
    [1.0, 0.75, 0.5, 0.5]
    """

    name: Literal["kaplan_meier"] = "kaplan_meier"

    def fit(self, periods: ArrayLike, ended: ArrayLike) -> FittedKaplanMeier:
        """Fit to stays of customers.

        Parameters
        ----------
        periods : array, shape (customers,)
            Whole periods observed; who left in period 3 has 3.
        ended : array of bool or of 0 and 1, shape (customers,)
            Whether they left then; those who did not were still there.

        Raises
        ------
        DataError
            E315 for periods that are not whole, or where nobody was observed for one.
        """
        stays = durations(self.name, periods, ended)
        curve, errors = _curve(stays)
        at_risk, left = stays.counts()
        return FittedKaplanMeier(
            curve, self.name, (), errors, _log_likelihood(at_risk, left), len(stays.periods)
        )


def _curve(stays: Durations) -> tuple[FloatArray, FloatArray]:
    """Give ``S`` and its standard error in every period from 0 to the last."""
    from statsmodels.duration.survfunc import SurvfuncRight

    curve, errors = np.ones(stays.last + 1), np.zeros(stays.last + 1)
    if stays.ended.any():
        # Greenwood's sum divides by the survivors, of whom there may be none
        with np.errstate(divide="ignore", invalid="ignore"):
            found = SurvfuncRight(stays.periods, stays.ended.astype(int))
        at = np.searchsorted(found.surv_times, np.arange(stays.last + 1), side="right") - 1
        curve = np.where(at >= 0, np.asarray(found.surv_prob)[at], 1.0)
        errors = np.where(at >= 0, np.asarray(found.surv_prob_se)[at], 0.0)
    curve = np.clip(curve, 0.0, 1.0)
    return curve, np.where(curve > 0, errors, 0.0)


def _log_likelihood(at_risk: FloatArray, left: FloatArray) -> float:
    share, kept = left / at_risk, at_risk - left
    return float(
        left @ np.log(np.where(left > 0, share, 1.0)) + kept @ np.log(np.where(kept > 0, 1 - share, 1.0))
    )
