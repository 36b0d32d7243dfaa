"""What BG/NBD and MBG/NBD share: customers who may leave at their purchases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from allocator.customers.summary import Patterns
from allocator.errors import Finding
from allocator.models.base import FloatArray, impossible
from allocator.models.clv.bg_nbd_likelihood import Likelihood
from allocator.models.clv.dropout import DropoutNodes
from allocator.models.clv.estimate import MOST_PURCHASES, Estimated, search
from allocator.models.clv.histories import distinct, histories, spans


@dataclass(frozen=True, eq=False)
class FittedBetaGeometric(Estimated):
    """Customers buy at a rate ~ Gamma(r, rate alpha); at each chance one leaves, with p ~ Beta(a, b).

    Chances to leave are the repeat purchases, and the first purchase where `first_chance` is 1. While a
    customer is active, all that differs between the two is what is known of p: ``Beta(a, b + chances)``.
    """

    parameter_names: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    first_chance: ClassVar[int]

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float = float("nan")
    n_customers: int = 0
    covariance: FloatArray | None = None
    warnings: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, name: str, patterns: Patterns, penalty: float) -> Self:
        """Fit to the patterns of customers; see :func:`allocator.models.clv.estimate.search`."""
        if not len(patterns):
            raise impossible(f"{name} needs at least one customer")
        histories(patterns.frequency, patterns.recency_weeks, patterns.age_weeks)
        terms = Likelihood(patterns, first_chance=cls.first_chance)
        found = search(name, terms.penalised, penalty)
        values = np.exp(found.theta) * (1, terms.unit, 1, 1)
        r, alpha, a, b = map(float, values)
        covariance = found.maximum.covariance(values)
        return cls(r, alpha, a, b, found.log_likelihood, patterns.n_customers, covariance, found.warnings)

    def p_alive(self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> FloatArray:
        """Probability that a customer is still active.

        ``1 / (1 + a / (b + k - 1) * ((alpha + age) / (alpha + recency))^(r + x))`` with x the repeat
        purchases and k the chances to leave so far; 1 without one.

        Parameters
        ----------
        frequency, recency, age : array
            Repeat purchase days; weeks from the first purchase to the last and to the as-of day.
        """
        x, t, until = histories(frequency, recency, age)
        wait = np.log1p((until - t) / (self.alpha + t))
        chances = x + self.first_chance
        left = np.log(self.a) - np.log(self.b + np.maximum(chances, 1) - 1) + (self.r + x) * wait
        u = np.where(chances > 0, left, -np.inf)
        decay = np.exp(-np.abs(u))
        return np.asarray(np.where(u > 0, decay, 1.0) / (1 + decay))

    def p_active(
        self, weeks: ArrayLike, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> FloatArray:
        """Probability that a customer is still active `weeks` after the as-of day."""
        _, active = self._means(0.0, frequency, recency, age, weeks)
        return np.asarray(self.p_alive(frequency, recency, age) * active)

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
        none = np.log1p(spans(weeks) / (self.alpha + until)) * (self.r + x)
        return np.asarray(-np.expm1(-none) * self.p_alive(frequency, recency, age))

    def draw_purchases(
        self,
        weeks: ArrayLike,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
        rng: np.random.Generator,
    ) -> FloatArray:
        """Draw the purchase days of the next `weeks`, one number for every history.

        While active, the rate is ~ Gamma(r + x, rate alpha + age) and p ~ Beta(a, b + chances); the
        number is the smaller of a Poisson's and of the purchases until one leaves, a geometric's.
        """
        x, _, until = histories(frequency, recency, age)
        x, until, span = np.broadcast_arrays(x, until, spans(weeks))
        rate = rng.gamma(self.r + x) / (self.alpha + until)
        leaves = rng.beta(self.a, self.b + x + self.first_chance)
        bought = rng.poisson(np.minimum(rate * span, MOST_PURCHASES))
        with np.errstate(divide="ignore", over="ignore"):
            last = np.ceil(rng.standard_exponential(x.shape) / -np.log1p(-leaves))
        alive = rng.random(x.shape) < self.p_alive(frequency, recency, age)
        return np.where(alive, np.minimum(bought, np.maximum(last, 1.0)), 0.0)

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
        x, until, span, wait = np.broadcast_arrays(x, until, spans(weeks), spans(start_weeks))
        # recency does not matter once a customer is active: far fewer cases than customers
        first, case = distinct(x, until, span, wait)
        x_of, until_of, span_of, wait_of = (part.ravel()[first] for part in (x, until, span, wait))
        frequencies, row = np.unique(x_of, return_inverse=True)
        scale = self.alpha + until_of
        nodes = DropoutNodes.of(self.a, self.b + frequencies + self.first_chance)
        purchases, active = nodes.means(row, self.r + x_of, wait_of / scale, span_of / scale)
        return purchases[case].reshape(x.shape), active[case].reshape(x.shape)
