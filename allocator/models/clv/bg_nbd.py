"""BG/NBD: how often customers buy, and after which purchase they leave for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from allocator.customers.summary import Patterns
from allocator.models.base import Penalty
from allocator.models.clv.beta_geometric import FittedBetaGeometric
from allocator.models.clv.timing import TimingModel


@dataclass(frozen=True, eq=False)
class FittedBgNbd(FittedBetaGeometric):
    """A BG/NBD model with its parameters; time is in weeks.

    While active, a customer buys at random times at a rate ~ Gamma(r, rate alpha), and leaves after each
    repeat purchase with a probability ~ Beta(a, b). So a customer without a repeat is active for certain:
    for ranking by retention use `p_any_purchase`, not `p_alive`.

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
    >>> fitted = FittedBgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)
    >>> fitted.expected_purchases(39, frequency=2, recency=30.43, age=38.86).round(3).tolist()
    1.226
    """

    first_chance: ClassVar[int] = 0


class BgNbd(TimingModel):
    """Beta-geometric/NBD model of purchase timing (Fader, Hardie & Lee 2005), by maximum likelihood.

    Examples
    --------
    >>> BgNbd(penalty=0.1).penalty
    0.1
    """

    name: Literal["bg_nbd"] = "bg_nbd"
    penalty: Penalty = 0.0
    """Pull of the logs of the parameters towards 0, alpha in mean ages; 0 is maximum likelihood."""

    def fit(self, patterns: Patterns) -> FittedBgNbd:
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
        >>> BgNbd(penalty=0.1).fit(Patterns.of(x, t, T)).n_customers
        4
        """
        return FittedBgNbd.of(self.name, patterns, self.penalty)
