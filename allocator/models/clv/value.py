"""Customer lifetime value: margin of the purchases a customer will make, discounted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from allocator.customers.summary import CustomerSummary
from allocator.models.base import FloatArray, PurchaseForecast, ValueForecast, impossible

WEEKS_PER_YEAR = 365.25 / 7
NODES = 8


def clv(
    purchases: PurchaseForecast,
    value: ValueForecast,
    summary: CustomerSummary,
    *,
    horizon_weeks: float,
    margin: float = 1.0,
    discount_rate: float = 0.0,
    start_weeks: float = 0.0,
) -> FloatArray:
    """Give every customer's lifetime value over a horizon, in money.

    ``sum over t of margin * E[value] * E[purchases in t] / (1 + d)^t`` over ever shorter t, that is
    discounted at every moment, to the start of the horizon.

    Parameters
    ----------
    purchases, value : fitted models
        `value` fitted to all purchase days (``summary.n_days``, ``summary.mean_value``).
    summary : CustomerSummary
        The customers; they need not be those the models were fitted to.
    horizon_weeks : float
        Length of the horizon in weeks; 12 months are 365.25 / 7.
    margin : float
        Share of revenue that is margin.
    discount_rate : float
        Effective per year, above -1.
    start_weeks : float
        Weeks from the as-of day to the start of the horizon; above 0 it gives the residual value.

    Returns
    -------
    array, shape (customers,)
        Aligned with ``summary.customer_id``.
    """
    patterns = summary.patterns()
    x, t, age = patterns.frequency, patterns.recency_weeks, patterns.age_weeks

    def bought(weeks: float) -> FloatArray:
        return purchases.expected_purchases(weeks, x, t, age, start_weeks)

    expected = discounted_purchases(bought, horizon_weeks, discount_rate)
    return _money(value, summary, margin) * expected[patterns.inverse]


def residual_value_if_active(
    purchases: PurchaseForecast,
    value: ValueForecast,
    summary: CustomerSummary,
    *,
    horizon_weeks: float,
    margin: float = 1.0,
    discount_rate: float = 0.0,
    start_weeks: float = 0.0,
) -> FloatArray:
    """Give the same for customers known to be active when the horizon starts.

    A customer who left buys nothing, so this is what keeping a customer is worth. Arguments and shape are
    those of :func:`clv`.
    """
    patterns = summary.patterns()
    x, t, age = patterns.frequency, patterns.recency_weeks, patterns.age_weeks

    def bought(weeks: float) -> FloatArray:
        return purchases.expected_if_active(weeks, x, t, age, start_weeks)

    expected = discounted_purchases(bought, horizon_weeks, discount_rate)
    return _money(value, summary, margin) * expected[patterns.inverse]


def discounted_purchases(
    bought: Callable[[float], FloatArray], horizon_weeks: float, discount_rate: float
) -> FloatArray:
    """Give purchases until a horizon, each discounted from its moment.

    With N(s) the purchases until s and f the rate of interest a week, by parts:
    ``exp(-f H) N(H) + f * integral of exp(-f s) N(s)``, the integral by Gauss-Legendre.

    Parameters
    ----------
    bought : callable
        Expected purchases until a number of weeks, an array.
    horizon_weeks : float
    discount_rate : float
        Effective per year.

    Examples
    --------
    >>> one_a_week = lambda weeks: np.array([weeks])
    >>> discounted_purchases(one_a_week, 365.25 / 7, 0.1).round(4).tolist()  # 52.18 * 0.1/1.1 / ln(1.1)
    [49.7691]
    """
    if not (horizon_weeks >= 0 and discount_rate > -1):
        raise impossible(f"no value over {horizon_weeks:g} weeks at a discount rate of {discount_rate:g}")
    interest = np.log1p(discount_rate) / WEEKS_PER_YEAR
    total = np.exp(-interest * horizon_weeks) * bought(horizon_weeks)
    if interest == 0:
        return np.asarray(total)
    places, weights = np.polynomial.legendre.leggauss(NODES)
    for place, weight in zip(places, weights, strict=True):
        weeks = horizon_weeks * (1 + place) / 2
        total = total + interest * horizon_weeks / 2 * weight * np.exp(-interest * weeks) * bought(weeks)
    return np.asarray(total)


def _money(value: ValueForecast, summary: CustomerSummary, margin: float) -> FloatArray:
    """Margin of a purchase day of every customer."""
    return margin * value.expected_value(summary.n_days, summary.mean_value)
