"""Pareto/NBD: how often customers buy, and when they leave for good, purchase or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from allocator.customers.summary import Patterns
from allocator.errors import Finding
from allocator.models.base import FloatArray, Penalty, impossible
from allocator.models.clv.estimate import MOST_PURCHASES, Estimated, search
from allocator.models.clv.histories import distinct, histories, spans
from allocator.models.clv.pareto_nbd_likelihood import Likelihood, Lives
from allocator.models.clv.pareto_nbd_nodes import TimeNodes
from allocator.models.clv.timing import TimingModel
from allocator.models.newton import maximise

ROWS_AT_ONCE = 4096
SOME = 2_000


@dataclass(frozen=True, eq=False)
class FittedParetoNbd(Estimated):
    """A Pareto/NBD model with its parameters; time is in weeks.

    While active, a customer buys at random times at a rate ~ Gamma(r, rate alpha); he leaves at any time,
    at a rate ~ Gamma(s, rate beta).

    Parameters
    ----------
    r, alpha, s, beta : float
        Above 0; `alpha` and `beta` in weeks.
    log_likelihood : float
        Of the customers it was fitted to, without penalty.
    n_customers : int
    covariance : array, shape (4, 4), or None
        Of r, alpha, s and beta; None where the data leave one of them open.
    warnings : tuple of Finding

    Examples
    --------
    >>> fitted = FittedParetoNbd(r=0.553, alpha=10.58, s=0.606, beta=11.67)
    >>> fitted.expected_purchases(39, frequency=2, recency=30.43, age=38.86).round(3).tolist()
    1.455
    """

    parameter_names: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta")

    r: float
    alpha: float
    s: float
    beta: float
    log_likelihood: float = float("nan")
    n_customers: int = 0
    covariance: FloatArray | None = None
    warnings: tuple[Finding, ...] = ()

    def p_alive(self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> FloatArray:
        """Probability that a customer is still active.

        Parameters
        ----------
        frequency, recency, age : array
            Repeat purchase days; weeks from the first purchase to the last and to the as-of day.
        """
        x, t, until = histories(frequency, recency, age)
        first, case = distinct(x, t, until)
        rows = np.stack([part.ravel()[first] for part in (x, t, until - t)])
        parameters = np.array([self.r, self.alpha, self.s, self.beta])
        alive = np.empty(len(first))
        for part in _parts(len(first)):
            alive[part] = Lives.of(parameters, *rows[:, part]).share[:, -1]
        return alive[case].reshape(x.shape)

    def p_active(
        self, weeks: ArrayLike, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> FloatArray:
        """Probability that a customer is still active `weeks` after the as-of day.

        ``P(active) * (B / (B + weeks))^s`` with ``B = beta + age``.
        """
        _, _, until = histories(frequency, recency, age)
        stays = np.exp(-self.s * np.log1p(spans(weeks) / (self.beta + until)))
        return np.asarray(self.p_alive(frequency, recency, age) * stays)

    def expected_purchases(
        self,
        weeks: ArrayLike,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
        start_weeks: ArrayLike = 0.0,
    ) -> FloatArray:
        """Purchase days expected in the `weeks` after `start_weeks` from the as-of day.

        Fader & Hardie (2005), "A note on deriving the Pareto/NBD model", equation 41, without its pole
        at s = 1.
        """
        purchases = self.expected_if_active(weeks, frequency, recency, age, start_weeks)
        return np.asarray(self.p_active(start_weeks, frequency, recency, age) * purchases)

    def expected_if_active(
        self,
        weeks: ArrayLike,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
        start_weeks: ArrayLike = 0.0,
    ) -> FloatArray:
        """Give the same for a customer known to be active at `start_weeks` from the as-of day."""
        x, _, until = histories(frequency, recency, age)
        known = self.beta + until + spans(start_weeks)
        log_time = np.log1p(spans(weeks) / known)
        active_weeks = known * log_time * _mean_power(1 - self.s, log_time)
        return np.asarray((self.r + x) / (self.alpha + until) * active_weeks)

    def p_any_purchase(
        self, weeks: ArrayLike, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> FloatArray:
        """Probability of at least one purchase in the next `weeks`: the retention score.

        P(active) times, with ``A = alpha + age`` and ``B = beta + age``, the mean over the time y of the
        next purchase: the integral from 0 to weeks of
        ``(r + x) / A * (1 + y / A)^-(r + x + 1) * (1 + y / B)^-s``.
        """
        x, _, until = histories(frequency, recency, age)
        x, until, span = np.broadcast_arrays(x, until, spans(weeks))
        # recency does not matter once a customer is active: far fewer cases than customers
        first, case = distinct(x, until, span)
        rows = np.stack([part.ravel()[first] for part in (x, until, span)])
        buys = np.empty(len(first))
        for part in _parts(len(first)):
            power, lo = self.r + rows[0, part], rows[1, part]
            nodes = TimeNodes.of((self.alpha, self.beta), (power + 1, self.s), lo, rows[2, part])
            rate = power / (self.alpha + lo)
            buys[part] = np.minimum(rate * np.exp(nodes.log_weight).sum(axis=1), 1.0)
        return np.asarray(self.p_alive(frequency, recency, age) * buys[case].reshape(x.shape))

    def draw_purchases(
        self,
        weeks: ArrayLike,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
        rng: np.random.Generator,
    ) -> FloatArray:
        """Draw the purchase days of the next `weeks`, one number for every history.

        While active, the rate is ~ Gamma(r + x, rate alpha + age), that of leaving ~ Gamma(s, rate
        beta + age); the number is a Poisson's over the weeks until one leaves.
        """
        x, _, until = histories(frequency, recency, age)
        x, until, span = np.broadcast_arrays(x, until, spans(weeks))
        rate = rng.gamma(self.r + x) / (self.alpha + until)
        with np.errstate(over="ignore"):
            left = (self.beta + until) * np.expm1(rng.standard_exponential(x.shape) / self.s)
        bought = rng.poisson(np.minimum(rate * np.minimum(span, left), MOST_PURCHASES))
        alive = rng.random(x.shape) < self.p_alive(frequency, recency, age)
        return np.where(alive, bought, 0.0)


def _parts(n: int) -> list[slice]:
    """Give parts of rows whose nodes fit into a processor's cache."""
    return [slice(begin, begin + ROWS_AT_ONCE) for begin in range(0, n, ROWS_AT_ONCE)]


def _mean_power(power: float, log_time: FloatArray) -> FloatArray:
    """Give ``(exp(power * log_time) - 1) / (power * log_time)``; 1 where that is 0 / 0."""
    exponent = power * log_time
    nothing = exponent == 0
    return np.asarray(np.where(nothing, 1.0, np.expm1(exponent) / np.where(nothing, 1.0, exponent)))


class ParetoNbd(TimingModel):
    """Pareto/NBD model of purchase timing (Schmittlein, Morrison & Colombo 1987), by maximum likelihood.

    Examples
    --------
    >>> ParetoNbd(penalty=0.1).penalty
    0.1
    """

    name: Literal["pareto_nbd"] = "pareto_nbd"
    penalty: Penalty = 0.0
    """Pull of the logs of the parameters towards 0, times in mean ages; 0 is maximum likelihood."""

    def fit(self, patterns: Patterns) -> FittedParetoNbd:
        """Fit to the patterns of customers.

        Where the data leave a parameter open (hardly any dropout, hardly any repeat), the estimate is
        regularised and carries a warning; no data end in an exception or a NaN.

        Raises
        ------
        DataError
            E315 without a customer.

        Examples
        --------
        >>> x, t, T = np.array([0, 2, 5, 1]), np.array([0, 70, 200, 7]), np.array([270, 270, 270, 200])
        >>> ParetoNbd(penalty=0.1).fit(Patterns.of(x, t, T)).n_customers
        4
        """
        if not len(patterns):
            raise impossible("pareto_nbd needs at least one customer")
        histories(patterns.frequency, patterns.recency_weeks, patterns.age_weeks)
        terms = _begun(Likelihood(patterns), patterns, self.penalty)
        found = search(self.name, terms.penalised, self.penalty)
        values = np.exp(found.theta) * (1, terms.unit, 1, terms.unit)
        r, alpha, s, beta = map(float, values)
        covariance = found.maximum.covariance(values)
        n_customers = patterns.n_customers
        return FittedParetoNbd(
            r, alpha, s, beta, found.log_likelihood, n_customers, covariance, found.warnings
        )


def _begun(likelihood: Likelihood, patterns: Patterns, penalty: float) -> Likelihood:
    """Begin the search at the estimate of some patterns where there are many, which saves most steps."""
    if len(patterns) < 2 * SOME:
        return likelihood
    some = Likelihood(patterns.every(len(patterns) // SOME), penalty)
    found = maximise(some, some.start())
    return likelihood.begun_at(found.theta) if found.converged else likelihood
