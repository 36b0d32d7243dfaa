"""What it is worth to keep a customer: the value of one who stays less that of one who leaves."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from allocator.models.base import FloatArray, impossible
from allocator.models.clv.formula import discounted
from allocator.models.retention.base import Survival


def value_of_keeping(
    curve: Survival,
    margins: ArrayLike,
    *,
    tenure: ArrayLike = 0,
    discount_rate: float = 0.0,
    value_if_lost: ArrayLike = 0.0,
) -> FloatArray:
    """Give the expected value of a customer known to be there now, less that of one who is lost now.

    ``sum over h of m(h) S(t + h) / S(t) / (1 + d)^h - value_if_lost``, h from 0, the period a kept customer
    is certain to be there for, to the last of the margins: E[CLV | active] - E[CLV | lost].

    Parameters
    ----------
    curve : Survival
        Of all customers, or of each.
    margins : array, shape (H,)
        Money a customer who is there brings in the coming periods.
    tenure : array, shape (n,)
        Periods t each has stayed so far; of curves of each customer, aligned with them.
    discount_rate : float
        Per period, above -1.
    value_if_lost : float or array, shape (n,)
        What a lost customer brings nevertheless, by coming back.

    Returns
    -------
    array, shape (n,)
        Money per customer.

    Raises
    ------
    DataError
        E315 where by the curve nobody stays that long, or where it ends before the margins do.

    Examples
    --------
    A new customer renews with 85 %, one of ten periods with 95 %: keeping the latter is worth more.

    >>> from allocator.models.retention.shifted_beta_geometric import FittedShiftedBetaGeometric
    >>> fitted = FittedShiftedBetaGeometric(alpha=0.668, beta=3.806)
    >>> value_of_keeping(fitted, [100.0] * 5, tenure=[0, 10], discount_rate=0.1).round(2).tolist()
    [331.05, 385.45]
    """
    money = np.asarray(margins, dtype=np.float64)
    if money.ndim != 1 or not len(money):
        raise impossible("margins are not one amount a period")
    stays = curve.chance_to_stay(tenure, np.arange(len(money)))
    if (stays[..., 0] == 0).any():
        raise impossible("a customer has stayed longer than anybody does by the survival curve")
    return discounted(money * stays, discount_rate=discount_rate) - np.asarray(value_if_lost, np.float64)
