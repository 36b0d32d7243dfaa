"""Beta-discrete-Weibull: a chance to leave that differs by customer, and changes with time for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from allocator.errors import Finding
from allocator.models.base import FloatArray, Penalty
from allocator.models.clv.estimate import Estimated
from allocator.models.retention.base import Survival, whole_periods
from allocator.models.retention.cohort import estimate, log_survival, passed, survivors
from allocator.options import Options


@dataclass(frozen=True, eq=False)
class FittedBetaDiscreteWeibull(Survival, Estimated):
    """A beta-discrete-Weibull model with its parameters.

    A customer is still there after t periods with probability ``(1 - theta)^(t^c)``, theta ~ Beta(alpha,
    beta). Above c = 1 everybody's own chance to leave rises with time, below it falls; c = 1 is the shifted
    beta-geometric.

    Parameters
    ----------
    alpha, beta, c : float
        Above 0.
    log_likelihood : float
        Of the customers it was fitted to, without penalty.
    n_customers : float
        The cohort's size.
    n_periods : int
        Periods after the first one it was fitted to.
    covariance : array, shape (3, 3), or None
        Of alpha, beta and c; None where the data leave one of them open.
    warnings : tuple of Finding

    Examples
    --------
    >>> fitted = FittedBetaDiscreteWeibull(alpha=0.668, beta=3.806, c=1.0)
    >>> fitted.survival([0, 1, 12]).round(3).tolist()
    [1.0, 0.851, 0.378]
    >>> fitted.chance_to_stay([0, 12], 1).round(3).tolist()
    [0.851, 0.959]
    """

    parameter_names: ClassVar[tuple[str, ...]] = ("alpha", "beta", "c")

    alpha: float
    beta: float
    c: float
    log_likelihood: float = float("nan")
    n_customers: float = 0.0
    n_periods: int = 0
    covariance: FloatArray | None = None
    warnings: tuple[Finding, ...] = ()

    def survival(self, periods: ArrayLike) -> FloatArray:
        """Share of a cohort still there: ``B(alpha, beta + t^c) / B(alpha, beta)``."""
        t = passed(whole_periods(periods), self.c)
        return np.exp(np.minimum(log_survival(self.alpha, self.beta, t), 0.0))


class BetaDiscreteWeibull(Options):
    """Beta-discrete-Weibull model of renewals, by maximum likelihood.

    Fader, Hardie, Liu, Davin & Steenburgh (2018), "How to project customer retention" revisited.

    Examples
    --------
    >>> BetaDiscreteWeibull().penalty
    0.0
    """

    name: Literal["beta_discrete_weibull"] = "beta_discrete_weibull"
    penalty: Penalty = 0.0
    """Pull of the logs of alpha, beta and c towards 0; 0 is maximum likelihood."""

    def fit(self, active: ArrayLike) -> FittedBetaDiscreteWeibull:
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
        >>> fitted = BetaDiscreteWeibull().fit([1000, 869, 743, 653, 593, 551, 517, 491])
        >>> round(float(fitted.survival(12)), 2)
        0.4
        """
        counts = survivors(self.name, active)
        found, log_likelihood, warnings = estimate(self.name, counts, self.penalty, np.zeros(3))
        alpha, beta, c = np.exp(found.theta)
        return FittedBetaDiscreteWeibull(
            float(alpha),
            float(beta),
            float(c),
            log_likelihood,
            float(counts[0]),
            len(counts) - 1,
            found.covariance(np.exp(found.theta)),
            warnings,
        )
