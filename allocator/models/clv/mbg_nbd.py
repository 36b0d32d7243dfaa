"""MBG/NBD: the BG/NBD model of customers who may leave after their first purchase already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from allocator.customers.summary import Patterns
from allocator.models.base import Penalty
from allocator.models.clv.beta_geometric import FittedBetaGeometric
from allocator.models.clv.timing import TimingModel


@dataclass(frozen=True, eq=False)
class FittedMbgNbd(FittedBetaGeometric):
    """An MBG/NBD model with its parameters; time is in weeks.

    While active, a customer buys at random times at a rate ~ Gamma(r, rate alpha), and leaves after each
    purchase, the first included, with a probability ~ Beta(a, b).

    Parameters
    ----------
    r, alpha, a, b : float
        Above 0; `alpha` in weeks.
    log_likelihood : float
        Of the customers it was fitted to, without penalty.
    n_customers : int
    covariance : array, shape (4, 4), or None
        Of r, alpha, a and b; None where the data leave one of them open.
    warnings : tuple of Finding

    Examples
    --------
    >>> fitted = FittedMbgNbd(r=0.525, alpha=6.183, a=0.891, b=1.614)
    >>> fitted.p_alive(frequency=0, recency=0.0, age=38.86).round(3).tolist()
    0.39
    """

    first_chance: ClassVar[int] = 1


class MbgNbd(TimingModel):
    """Modified beta-geometric/NBD model of purchase timing (Batislam, Denizel & Filiztekin 2007).

    By maximum likelihood.

    Examples
    --------
    >>> MbgNbd(penalty=0.1).penalty
    0.1
    """

    name: Literal["mbg_nbd"] = "mbg_nbd"
    penalty: Penalty = 0.0
    """Pull of the logs of the parameters towards 0, alpha in mean ages; 0 is maximum likelihood."""

    def fit(self, patterns: Patterns) -> FittedMbgNbd:
        """Fit to the patterns of customers.

        Where the data leave a parameter open (hardly any dropout, hardly any repeat), the estimate is
        regularised and carries a warning; no data end in an exception or a NaN.

        Raises
        ------
        DataError
            E315 without a customer.

        Examples
        --------
        >>> import numpy as np
        >>> x, t, T = np.array([0, 2, 5, 1]), np.array([0, 70, 200, 7]), np.array([270, 270, 270, 200])
        >>> MbgNbd(penalty=0.1).fit(Patterns.of(x, t, T)).n_customers
        4
        """
        return FittedMbgNbd.of(self.name, patterns, self.penalty)
