"""What every forecast of customers tells, whatever made it, and what that is worth in money."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from allocator.customers.past import Past, Snapshot
from allocator.errors import Finding
from allocator.models.base import FloatArray, PurchaseForecast, ValueForecast, impossible

WEEKS_PER_YEAR = 365.25 / 7
NODES = 8


class CustomerForecast(Protocol):
    """What a fitted model says of any customers; arrays are aligned with ``customers.customer_id``."""

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What needs care."""

    def expected_purchases(
        self, customers: Snapshot, weeks: float, *, start_weeks: float = 0.0
    ) -> FloatArray:
        """Purchase days expected in the `weeks` after `start_weeks` from the snapshot's day."""

    def expected_revenue(self, customers: Snapshot, weeks: float, *, start_weeks: float = 0.0) -> FloatArray:
        """Money expected in the same time."""

    def revenue_if_active(self, customers: Snapshot, weeks: float, *, start_weeks: float = 0.0) -> FloatArray:
        """Money expected of a customer known to be active when it begins."""

    def p_any_purchase(self, customers: Snapshot, weeks: float) -> FloatArray:
        """Probability of at least one purchase in the next `weeks`."""


class ClvModel(Protocol):
    """An option object that learns a forecast of customers from what was known on a day."""

    @property
    def name(self) -> str:
        """Its name in a scenario."""

    def learn(self, past: Past, *, horizon_weeks: float) -> CustomerForecast:
        """Learn from orders until ``past.as_of`` alone.

        Parameters
        ----------
        past : Past
        horizon_weeks : float
            How far ahead the forecast is wanted most.
        """


@dataclass(frozen=True, eq=False)
class TimingForecast:
    """Fitted models of purchase timing and value; they apply to any customers, not only the fitted ones.

    Parameters
    ----------
    purchases : PurchaseForecast
    spend : ValueForecast
        Fitted to all purchase days (``summary.n_days``, ``summary.mean_value``).
    warnings : tuple of Finding
        Of both fits.
    """

    purchases: PurchaseForecast
    spend: ValueForecast
    warnings: tuple[Finding, ...] = ()

    def expected_purchases(
        self, customers: Snapshot, weeks: float, *, start_weeks: float = 0.0
    ) -> FloatArray:
        """Give the purchase days expected of every customer."""
        patterns = customers.summary.patterns()
        x, t, age = patterns.frequency, patterns.recency_weeks, patterns.age_weeks
        return self.purchases.expected_purchases(weeks, x, t, age, start_weeks)[patterns.inverse]

    def expected_revenue(self, customers: Snapshot, weeks: float, *, start_weeks: float = 0.0) -> FloatArray:
        """Give purchases times the value of one, which the models take as independent."""
        bought = self.expected_purchases(customers, weeks, start_weeks=start_weeks)
        return np.asarray(bought * self.value_per_purchase(customers))

    def revenue_if_active(self, customers: Snapshot, weeks: float, *, start_weeks: float = 0.0) -> FloatArray:
        """Give the same for customers known to be active when the time begins."""
        patterns = customers.summary.patterns()
        x, t, age = patterns.frequency, patterns.recency_weeks, patterns.age_weeks
        bought = self.purchases.expected_if_active(weeks, x, t, age, start_weeks)[patterns.inverse]
        return np.asarray(bought * self.value_per_purchase(customers))

    def p_any_purchase(self, customers: Snapshot, weeks: float) -> FloatArray:
        """Give every customer's probability of at least one purchase in the next `weeks`."""
        patterns = customers.summary.patterns()
        x, t, age = patterns.frequency, patterns.recency_weeks, patterns.age_weeks
        return self.purchases.p_any_purchase(weeks, x, t, age)[patterns.inverse]

    def value_per_purchase(self, customers: Snapshot) -> FloatArray:
        """Give the money of a future purchase day of every customer."""
        summary = customers.summary
        return self.spend.expected_value(summary.n_days, summary.mean_value)


@dataclass(frozen=True)
class ValueTerms:
    """What turns purchases into lifetime value.

    Parameters
    ----------
    horizon_weeks : float
        Length of the horizon in weeks; 12 months are 365.25 / 7.
    margin : float
        Share of revenue that is margin.
    discount_rate : float
        Effective per year, above -1.
    start_weeks : float
        Weeks from the as-of day to the start of the horizon; above 0 it gives a residual value.
    """

    horizon_weeks: float
    margin: float = 1.0
    discount_rate: float = 0.0
    start_weeks: float = 0.0


def clv(forecast: CustomerForecast, customers: Snapshot, terms: ValueTerms) -> FloatArray:
    """Give every customer's lifetime value over a horizon, in money.

    ``sum over t of margin * E[revenue in t] / (1 + d)^t`` over ever shorter t, that is discounted at every
    moment, to the start of the horizon.

    Returns
    -------
    array, shape (customers,)
        Aligned with ``customers.customer_id``.
    """

    def earned(weeks: float) -> FloatArray:
        return forecast.expected_revenue(customers, weeks, start_weeks=terms.start_weeks)

    return np.asarray(terms.margin * discounted_total(earned, terms.horizon_weeks, terms.discount_rate))


def clv_if_active(forecast: CustomerForecast, customers: Snapshot, terms: ValueTerms) -> FloatArray:
    """Give the same for customers known to be active when the horizon starts.

    A customer who left buys nothing, so this is what keeping a customer is worth:
    ``E[CLV | active] - E[CLV | lost]``.
    """

    def earned(weeks: float) -> FloatArray:
        return forecast.revenue_if_active(customers, weeks, start_weeks=terms.start_weeks)

    return np.asarray(terms.margin * discounted_total(earned, terms.horizon_weeks, terms.discount_rate))


def discounted_total(
    until: Callable[[float], FloatArray], horizon_weeks: float, discount_rate: float
) -> FloatArray:
    """Give what comes in until a horizon, each part discounted from its moment.

    With N(s) the total until s and f the rate of interest a week, by parts:
    ``exp(-f H) N(H) + f * integral of exp(-f s) N(s)``, the integral by Gauss-Legendre.

    Parameters
    ----------
    until : callable
        The total until a number of weeks, an array.
    horizon_weeks : float
    discount_rate : float
        Effective per year.

    Examples
    --------
    >>> one_a_week = lambda weeks: np.array([weeks])
    >>> discounted_total(one_a_week, 365.25 / 7, 0.1).round(4).tolist()  # 52.18 * 0.1/1.1 / ln(1.1)
    [49.7691]
    """
    if not (horizon_weeks >= 0 and discount_rate > -1):
        raise impossible(f"no value over {horizon_weeks:g} weeks at a discount rate of {discount_rate:g}")
    interest = np.log1p(discount_rate) / WEEKS_PER_YEAR
    total = np.exp(-interest * horizon_weeks) * until(horizon_weeks)
    if interest == 0:
        return np.asarray(total)
    places, weights = np.polynomial.legendre.leggauss(NODES)
    for place, weight in zip(places, weights, strict=True):
        weeks = horizon_weeks * (1 + place) / 2
        total = total + interest * horizon_weeks / 2 * weight * np.exp(-interest * weeks) * until(weeks)
    return np.asarray(total)
