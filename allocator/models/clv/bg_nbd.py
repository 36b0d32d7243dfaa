"""BG/NBD: how often customers buy, and after which purchase they leave for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from allocator.customers.summary import Patterns
from allocator.errors import Finding
from allocator.models.base import REGULARISED, FloatArray, IntArray, Penalty, fit_warning, impossible
from allocator.models.clv.bg_nbd_likelihood import Likelihood
from allocator.models.clv.dropout import DropoutNodes
from allocator.models.newton import Maximum, maximise
from allocator.options import Options

NO_DROPOUT = (1e-9, 1.0)


@dataclass(frozen=True, eq=False)
class FittedBgNbd:
    """A BG/NBD model with its parameters; time is in weeks.

    While active, a customer buys at random times at a rate ~ Gamma(r, rate alpha), and leaves after each
    purchase with a probability ~ Beta(a, b).

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

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float = float("nan")
    n_customers: int = 0
    covariance: FloatArray | None = None
    warnings: tuple[Finding, ...] = ()

    def p_alive(self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> FloatArray:
        """Probability that a customer is still active.

        It is 1 without a repeat purchase, since customers leave after repeats only: for ranking by
        retention use :meth:`p_any_purchase`.

        Parameters
        ----------
        frequency, recency, age : array
            Repeat purchase days; weeks from the first purchase to the last and to the as-of day.
        """
        x, t, until = histories(frequency, recency, age)
        wait = np.log1p((until - t) / (self.alpha + t))
        left = np.log(self.a) - np.log(self.b + np.maximum(x, 1) - 1) + (self.r + x) * wait
        u = np.where(x > 0, left, -np.inf)
        decay = np.exp(-np.abs(u))
        return np.asarray(np.where(u > 0, decay, 1.0) / (1 + decay))

    def expected_purchases(
        self,
        weeks: ArrayLike,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
        start_weeks: ArrayLike = 0.0,
    ) -> FloatArray:
        """Purchase days expected in the `weeks` after `start_weeks` from the as-of day.

        Fader, Hardie & Lee (2005), equation 10, computed without its poles.
        """
        purchases, active = self._means(weeks, frequency, recency, age, start_weeks)
        return np.asarray(self.p_alive(frequency, recency, age) * active * purchases)

    def expected_if_active(
        self,
        weeks: ArrayLike,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
        start_weeks: ArrayLike = 0.0,
    ) -> FloatArray:
        """Give the same for a customer known to be active at `start_weeks` from the as-of day."""
        return self._means(weeks, frequency, recency, age, start_weeks)[0]

    def p_any_purchase(
        self, weeks: ArrayLike, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> FloatArray:
        """Probability of at least one purchase in the next `weeks`: the retention score.

        ``P(active) * (1 - (A / (A + weeks))^(r + x))`` with ``A = alpha + age``.
        """
        x, _, until = histories(frequency, recency, age)
        none = np.log1p(_spans(weeks) / (self.alpha + until)) * (self.r + x)
        return np.asarray(-np.expm1(-none) * self.p_alive(frequency, recency, age))

    def _means(
        self,
        weeks: ArrayLike,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
        start_weeks: ArrayLike,
    ) -> tuple[FloatArray, FloatArray]:
        """Give purchases of an active customer after a wait, and the chance to be active until then."""
        x, _, until = histories(frequency, recency, age)
        x, until, span, wait = np.broadcast_arrays(x, until, _spans(weeks), _spans(start_weeks))
        # recency does not matter once a customer is active: far fewer cases than customers
        first, case = _distinct(x, until, span, wait)
        x_of, until_of, span_of, wait_of = (part.ravel()[first] for part in (x, until, span, wait))
        frequencies, row = np.unique(x_of, return_inverse=True)
        scale = self.alpha + until_of
        nodes = DropoutNodes.of(self.a, self.b + frequencies)
        purchases, active = nodes.means(row, self.r + x_of, wait_of / scale, span_of / scale)
        return purchases[case].reshape(x.shape), active[case].reshape(x.shape)


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


def _distinct(*parts: FloatArray) -> tuple[IntArray, IntArray]:
    """Give the position of every distinct case of some arrays, and the case of every element."""
    code = np.zeros(parts[0].size, dtype=np.int64)
    for part in parts:
        _, level = np.unique(part, return_inverse=True)
        _, code = np.unique(code * (level.max(initial=0) + 1) + level.ravel(), return_inverse=True)
    _, first = np.unique(code, return_index=True)
    return first, code


def _spans(weeks: ArrayLike) -> FloatArray:
    spans = np.asarray(weeks, dtype=np.float64)
    if not (np.isfinite(spans).all() and (spans >= 0).all()):
        raise impossible("a number of weeks is negative or not finite")
    return spans


class BgNbd(Options):
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

        Examples
        --------
        >>> x, t, T = np.array([0, 2, 5, 1]), np.array([0, 70, 200, 7]), np.array([270, 270, 270, 200])
        >>> BgNbd(penalty=0.1).fit(Patterns.of(x, t, T)).n_customers
        4
        """
        if not len(patterns):
            raise impossible("bg_nbd needs at least one customer")
        histories(patterns.frequency, patterns.recency_weeks, patterns.age_weeks)
        likelihood = Likelihood(patterns, self.penalty)
        found = maximise(likelihood, likelihood.start())
        if found.converged:
            return _fitted(likelihood, found)
        regularised = Likelihood(patterns, max(self.penalty, REGULARISED))
        found = maximise(regularised, regularised.start())
        if found.converged:
            what = "bg_nbd: the data leave a parameter open, so the estimate is regularised"
            return _fitted(regularised, found, fit_warning(what, _FIX))
        return _without_dropout(regularised)


_FIX = "take a longer time of orders, or more customers; forecasts far ahead are unsure"


def _fitted(likelihood: Likelihood, found: Maximum, *warnings: Finding) -> FittedBgNbd:
    values = np.exp(found.theta) * (1, likelihood.unit, 1, 1)
    penalty = 0.5 * likelihood.penalty * float(found.theta @ found.theta)
    r, alpha, a, b = map(float, values)
    covariance = found.covariance(values)
    n_customers = round(likelihood.n)
    return FittedBgNbd(r, alpha, a, b, found.value + penalty, n_customers, covariance, tuple(warnings))


def _without_dropout(likelihood: Likelihood) -> FittedBgNbd:
    """Give the model in which nobody leaves and the rate is that of all customers together."""
    rate = max(likelihood.repeats, 0.5) / max(likelihood.total_age, 1 / 7)
    what = "bg_nbd: no estimate was found, so customers are taken to stay, at rates around the mean"
    theta = np.log([1.0, 1 / rate / likelihood.unit, *NO_DROPOUT])
    found = Maximum(theta, likelihood(theta)[0], np.full((4, 4), np.nan), converged=False)
    return _fitted(likelihood, found, fit_warning(what, _FIX))
