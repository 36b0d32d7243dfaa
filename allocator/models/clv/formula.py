"""Customer lifetime value by three textbook formulas: for a rough figure, and to check a model against."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from allocator.models.base import FloatArray, impossible


def simple(revenue_per_period: ArrayLike, lifetime: ArrayLike, margin: ArrayLike = 1.0) -> FloatArray:
    """Average revenue times average lifetime, at a margin.

    Parameters
    ----------
    revenue_per_period : array
        Money of revenue per customer and period.
    lifetime : array
        Periods a customer stays, on average; with a constant retention rate r, ``1 / (1 - r)``.
    margin : array
        Share of revenue that is margin.

    Examples
    --------
    >>> simple(100.0, 4.0, 0.3).tolist()
    120.0
    """
    revenue, periods, share = _finite(revenue_per_period, lifetime, margin)
    if (periods < 0).any():
        raise impossible("a lifetime is negative")
    return np.asarray(revenue * periods * share)


def retention_weighted(profits: ArrayLike, retention: ArrayLike, discount_rate: float = 0.0) -> FloatArray:
    """Sum of every period's profit times the share of customers who are still there then.

    ``sum over t of S(t) p(t) / (1 + d)^t``, t from 0 on, ``S(t)`` the product of the rates until t.

    Parameters
    ----------
    profits : array, shape (..., periods)
        Money per active customer in each period.
    retention : float or array, shape (..., periods)
        Share of the customers of the period before who stay: the first is that of period 0, usually 1.
        One number is a constant rate from period 1 on.
    discount_rate : float
        Per period.

    Examples
    --------
    >>> retention_weighted([100.0, 100.0, 100.0], 0.8).round(6).tolist()
    244.0
    >>> retention_weighted([100.0, 100.0, 100.0], [1.0, 0.7, 0.9]).round(6).tolist()
    233.0
    """
    money, rates = _finite(profits, retention)
    if ((rates < 0) | (rates > 1)).any():
        raise impossible("a retention rate is not between 0 and 1")
    if np.ndim(retention) == 0:
        rates = np.where(np.arange(money.shape[-1]) == 0, 1.0, rates)
    return discounted(money * np.cumprod(rates, axis=-1), discount_rate=discount_rate)


def discounted(revenues: ArrayLike, costs: ArrayLike = 0.0, discount_rate: float = 0.0) -> FloatArray:
    """Discounted future revenue minus cost: ``sum over t of (revenue(t) - cost(t)) / (1 + d)^t``.

    Parameters
    ----------
    revenues, costs : array, shape (..., periods)
        Money per customer in each period, from period 0 on.
    discount_rate : float
        Per period, above -1.

    Examples
    --------
    >>> discounted([110.0, 121.0], [10.0, 11.0], discount_rate=0.1).round(6).tolist()
    200.0
    """
    money, cost = _finite(np.atleast_1d(revenues), costs)
    if not discount_rate > -1:
        raise impossible(f"a discount rate of {discount_rate:g} is not above -1")
    factors = np.exp(-np.log1p(discount_rate) * np.arange(money.shape[-1]))
    return np.asarray((money - cost) @ factors)


def _finite(*parts: ArrayLike) -> tuple[FloatArray, ...]:
    arrays = np.broadcast_arrays(*(np.asarray(part, dtype=np.float64) for part in parts))
    if not all(np.isfinite(array).all() for array in arrays):
        raise impossible("an amount or a rate is not a finite number")
    return tuple(arrays)
