"""Shifted beta-geometric: a contract is renewed period by period, by everybody at a rate of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from allocator.errors import Finding
from allocator.models.base import FloatArray, Penalty
from allocator.models.clv.estimate import Estimated
from allocator.models.retention.base import Survival, whole_periods
from allocator.models.retention.cohort import estimate, log_survival, survivors
from allocator.options import Options


@dataclass(frozen=True, eq=False)
class FittedShiftedBetaGeometric(Survival, Estimated):
    """A shifted beta-geometric model with its parameters.

    A customer leaves at the end of each period with a probability ~ Beta(alpha, beta) of their own. Those
    likely to leave are gone first, so the retention rate of a cohort rises although nobody's does.

    Parameters
    ----------
    alpha, beta : float
        Above 0.
    log_likelihood : float
        Of the customers it was fitted to, without penalty.
    n_customers : float
        The cohort's size.
    n_periods : int
        Periods after the first one it was fitted to.
    covariance : array, shape (2, 2), or None
        Of alpha and beta; None where the data leave one of them open.
    warnings : tuple of Finding

    Examples
    --------
    >>> fitted = FittedShiftedBetaGeometric(alpha=0.668, beta=3.806)
    >>> fitted.survival([0, 1, 12]).round(3).tolist()
    [1.0, 0.851, 0.378]
    >>> fitted.retention_rate([1, 12]).round(3).tolist()
    [0.851, 0.957]
    """

    parameter_names: ClassVar[tuple[str, ...]] = ("alpha", "beta")

    alpha: float
    beta: float
    log_likelihood: float = float("nan")
    n_customers: float = 0.0
    n_periods: int = 0
    covariance: FloatArray | None = None
    warnings: tuple[Finding, ...] = ()

    def survival(self, periods: ArrayLike) -> FloatArray:
        """Share of a cohort still there: ``B(alpha, beta + t) / B(alpha, beta)``."""
        t = whole_periods(periods).astype(np.float64)
        return np.exp(np.minimum(log_survival(self.alpha, self.beta, t), 0.0))


class ShiftedBetaGeometric(Options):
    """Shifted beta-geometric model of renewals (Fader & Hardie 2007), by maximum likelihood.

    Examples
    --------
    >>> ShiftedBetaGeometric().penalty
    0.0
    """

    name: Literal["shifted_beta_geometric"] = "shifted_beta_geometric"
    penalty: Penalty = 0.0
    """Pull of the logs of alpha and beta towards 0; 0 is maximum likelihood."""

    def fit(self, active: ArrayLike) -> FittedShiftedBetaGeometric:
        """Fit to one cohort.

        Parameters
        ----------
        active : array, shape (periods,)
            Customers still active at the end of periods 0, 1, 2, ...: the first is the cohort's size.

        Raises
        ------
        DataError
            E315 for fewer than two periods, a number that is negative, or one that rises.

        Examples
        --------
        >>> fitted = ShiftedBetaGeometric().fit([1000, 869, 743, 653, 593, 551, 517, 491])
        >>> round(fitted.alpha, 3), round(fitted.beta, 3), round(fitted.log_likelihood, 2)
        (0.668, 3.806, -1611.16)
        """
        counts = survivors(self.name, active)
        found, log_likelihood, warnings = estimate(self.name, counts, self.penalty, np.zeros(2))
        alpha, beta = np.exp(found.theta)
        return FittedShiftedBetaGeometric(
            float(alpha),
            float(beta),
            log_likelihood,
            float(counts[0]),
            len(counts) - 1,
            found.covariance(np.exp(found.theta)),
            warnings,
        )
