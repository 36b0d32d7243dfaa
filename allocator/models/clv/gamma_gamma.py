"""Gamma-Gamma: what a purchase day of a customer is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from allocator.errors import Finding
from allocator.models.base import REGULARISED, FloatArray, Penalty, fit_warning, impossible
from allocator.models.clv.estimate import Estimated
from allocator.models.newton import Maximum, maximise
from allocator.options import Options

START = np.log([3.0, 2.0, 0.7])
SOME = 5_000


@dataclass(frozen=True, eq=False)
class FittedGammaGamma(Estimated):
    """A Gamma-Gamma model with its parameters; a purchase is worth money ~ Gamma(p, rate ~ Gamma(q, gamma)).

    Parameters
    ----------
    p, q : float
        Shapes; p above 0, q above 1, so that the mean exists.
    gamma : float
        Rate of the rates, in money.
    log_likelihood : float
        Of the mean values it was fitted to, without penalty.
    n_customers : int
        Customers it was fitted to.
    covariance : array, shape (3, 3), or None
        Of p, q and gamma; None where the data leave one of them open.
    warnings : tuple of Finding

    Examples
    --------
    >>> fitted = FittedGammaGamma(p=6.25, q=3.74, gamma=15.44)
    >>> round(fitted.population_mean, 2), fitted.expected_value(2, 60.0).round(2).tolist()
    (35.22, 55.54)
    """

    parameter_names: ClassVar[tuple[str, ...]] = ("p", "q", "gamma")
    lower_bounds: ClassVar[Mapping[str, float]] = {"q": 1.0}

    p: float
    q: float
    gamma: float
    log_likelihood: float = float("nan")
    n_customers: int = 0
    covariance: FloatArray | None = None
    warnings: tuple[Finding, ...] = ()

    @property
    def population_mean(self) -> float:
        """Money of a purchase day of a customer nothing is known of: ``p gamma / (q - 1)``."""
        return self.p * self.gamma / (self.q - 1)

    def expected_value(self, n: ArrayLike, mean_value: ArrayLike) -> FloatArray:
        """Money of a future purchase day after `n` of them worth `mean_value` on average.

        ``p (gamma + n mean) / (p n + q - 1)``: the customer's mean, drawn to the population's the more
        the fewer purchases there were (Fader & Hardie 2013). A mean below 0 counts as 0.

        Parameters
        ----------
        n : array
            Purchase days, of the same kind as those the model was fitted to; 0 or more.
        mean_value : array
            Money per purchase day; not used where `n` is 0.
        """
        n, mean = _spending(n, mean_value)
        own = n * self.p / (n * self.p + self.q - 1)
        return np.asarray(own * mean + (1 - own) * self.population_mean)

    def draw_value(
        self, purchases: ArrayLike, n: ArrayLike, mean_value: ArrayLike, rng: np.random.Generator
    ) -> FloatArray:
        """Draw the money of `purchases` future purchase days together: chance only.

        ``Gamma(p * purchases, rate nu)`` with ``nu ~ Gamma(q + p n, rate gamma + n mean)``.

        Parameters
        ----------
        purchases : array
            0 or more; none are worth 0.
        n, mean_value : array
            As in :meth:`expected_value`.
        rng : numpy Generator
        """
        count = np.asarray(purchases, dtype=np.float64)
        if not (np.isfinite(count).all() and (count >= 0).all()):
            raise impossible("a number of purchases is negative or not finite")
        n, mean = _spending(n, mean_value)
        count, n, mean = np.broadcast_arrays(count, n, mean)
        rate = rng.gamma(self.q + self.p * n) / (self.gamma + n * mean)
        return np.asarray(rng.gamma(self.p * count) / rate)


def _spending(n: ArrayLike, mean_value: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Give purchases and their mean value as arrays of one shape, or refuse those that cannot be."""
    n, mean = np.broadcast_arrays(np.asarray(n, dtype=np.float64), np.asarray(mean_value, np.float64))
    mean = np.where(n > 0, mean, 0.0)
    if not (np.isfinite(n).all() and (n >= 0).all() and np.isfinite(mean).all()):
        raise impossible("a number of purchases or their mean value is not a finite number")
    return n, np.maximum(mean, 0.0)


class GammaGamma(Options):
    """Gamma-Gamma model of the value of a purchase day (Fader & Hardie 2013), by maximum likelihood.

    It takes value and timing of purchases as independent.

    Examples
    --------
    >>> GammaGamma().penalty
    0.0
    """

    name: Literal["gamma_gamma"] = "gamma_gamma"
    penalty: Penalty = 0.0
    """Pull of the logs of p, q - 1 and gamma (in mean values) towards 0; 0 is maximum likelihood."""

    def fit(self, n: ArrayLike, mean_value: ArrayLike) -> FittedGammaGamma:
        """Fit to customers' mean values.

        All purchase days, the first included, give better forecasts than repeats only. Customers without
        a purchase or with a mean of 0 or less are left out, and a warning counts the latter.

        Parameters
        ----------
        n : array, shape (customers,)
            Purchase days behind each mean.
        mean_value : array, shape (customers,)
            Money per purchase day.

        Raises
        ------
        DataError
            E315 where no customer is left.

        Examples
        --------
        >>> fitted = GammaGamma(penalty=0.1).fit([3, 1, 4, 2], [20.0, 35.0, 22.0, 60.0])
        >>> 20 < fitted.population_mean < 60
        True
        """
        counts, mean = (np.asarray(part, dtype=np.float64) for part in (n, mean_value))
        bought = counts >= 1
        used = bought & (mean > 0) & np.isfinite(mean)
        if not used.any():
            raise impossible("gamma_gamma needs at least one customer with a purchase of positive value")
        left_out = int(bought.sum() - used.sum())
        notes = []
        if left_out:
            notes = [fit_warning(f"gamma_gamma: {left_out} customers without a positive value are left out")]
        likelihood = Likelihood(counts[used], mean[used], self.penalty)
        found = maximise(likelihood, self._start(counts[used], mean[used]))
        if not found.converged:
            what = "gamma_gamma: the data leave a parameter open, so the estimate is regularised"
            notes.append(fit_warning(what, "values hardly differ, or differ without a finite mean"))
            likelihood = Likelihood(counts[used], mean[used], max(self.penalty, REGULARISED))
            found = maximise(likelihood, START)
        return _fitted(likelihood, found, notes)

    def _start(self, counts: FloatArray, mean: FloatArray) -> FloatArray:
        """Give where to search from: of many customers the estimate of some, which saves most steps."""
        if len(counts) < 2 * SOME:
            return START
        some = slice(None, None, len(counts) // SOME)
        found = maximise(Likelihood(counts[some], mean[some], self.penalty), START)
        return found.theta if found.converged else START


def _fitted(likelihood: Likelihood, found: Maximum, warnings: list[Finding]) -> FittedGammaGamma:
    values = np.exp(found.theta) * (1, 1, likelihood.unit)
    p, excess, gamma = map(float, values)
    return FittedGammaGamma(
        p,
        1 + excess,
        gamma,
        found.value + 0.5 * likelihood.penalty * float(found.theta @ found.theta),
        likelihood.n,
        found.covariance(values),
        tuple(warnings),
    )


class Likelihood:
    """The log-likelihood as a function of the logs of p, q - 1 and gamma, gamma in mean values.

    Fader & Hardie (2013), equation 1a, for the mean m of n purchases::

        Gamma(pn + q) / (Gamma(pn) Gamma(q)) * gamma^q m^(pn-1) n^(pn) / (gamma + n m)^(pn+q)

    Parameters
    ----------
    n, mean, mean : array, shape (customers,)
        Purchases and their mean value, both above 0.
    penalty : float
        Weight of ``-1/2 * sum(theta**2)``.
    """

    def __init__(self, n: FloatArray, mean: FloatArray, penalty: float) -> None:
        self.penalty = penalty
        self.unit = float(mean.mean())
        self.total = n * (mean / self.unit)
        self.distinct, self.of_n = np.unique(n, return_inverse=True)
        self.count = np.bincount(self.of_n).astype(np.float64)
        self.n = len(n)
        self.log_mean = float(np.log(mean).sum())
        self.log_total = float(np.log(self.total).sum())

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Give the penalised value, its gradient (3,) and its Hessian (3, 3)."""
        p, excess, gamma = np.exp(theta)
        shape, q = p * self.distinct, 1 + excess
        share = gamma / (gamma + self.total)
        logs, shares, bends = (
            np.bincount(self.of_n, weights=part)
            for part in (np.log1p(gamma / self.total), share, share * (1 - share))
        )
        value, gradient, hessian = self._gammas(shape, excess)
        by_shape, by_q = -float(shape @ logs), self.n * theta[2] - self.log_total - float(logs.sum())
        gradient += (by_shape, excess * by_q, q * self.n - (shape + q) @ shares)
        cross = np.array([-(shape @ shares), excess * (self.n - shares.sum())])
        hessian[:2, 2] = hessian[2, :2] = cross
        hessian[range(3), range(3)] += (by_shape, excess * by_q, -((shape + q) @ bends))
        value += by_shape + q * by_q - self.log_mean
        if self.penalty:
            value -= 0.5 * self.penalty * float(theta @ theta)
            gradient -= self.penalty * theta
            hessian[range(3), range(3)] -= self.penalty
        return float(value), gradient, hessian

    def _gammas(self, shape: FloatArray, excess: float) -> tuple[float, FloatArray, FloatArray]:
        """Give the terms in gamma functions, which need the numbers of purchases only."""
        from scipy.special import gammaln, psi, zeta

        q = 1 + excess
        both = shape + q
        value = self.count @ (gammaln(both) - gammaln(shape)) - self.n * gammaln(q)
        psi_both, bend_both = psi(both), zeta(2, both)
        by_shape = self.count @ (shape * (psi_both - psi(shape)))
        by_q = excess * (self.count @ psi_both - self.n * psi(q))
        gradient = np.array([by_shape, by_q, 0.0])
        hessian = np.diag(gradient)
        hessian[0, 0] += (self.count * shape**2) @ (bend_both - zeta(2, shape))
        hessian[1, 1] += excess**2 * (self.count @ bend_both - self.n * zeta(2, q))
        hessian[0, 1] = hessian[1, 0] = excess * (self.count @ (shape * bend_both))
        return float(value), gradient, hessian
