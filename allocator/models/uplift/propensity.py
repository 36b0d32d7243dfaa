"""The probability with which customers get each arm, where it is not equal for all."""

from __future__ import annotations

import numpy as np

from allocator.errors import DataError, Finding
from allocator.models.threads import one_thread
from allocator.models.uplift.base import Codes, FloatArray

LEAST = 0.01
"""Estimated propensities are kept above it: one customer is not to stand for more than a hundred."""


def shares_propensity(arm: Codes, stratum: Codes, n_arms: int) -> FloatArray:
    """Give everybody the shares of the arms in his stratum, shape (n, n_arms).

    Examples
    --------
    >>> import numpy as np
    >>> shares_propensity(np.array([0, 1, 1, 1]), np.array([0, 0, 1, 1]), 2).tolist()
    [[0.5, 0.5], [0.5, 0.5], [0.0, 1.0], [0.0, 1.0]]
    """
    count = np.zeros((int(stratum.max()) + 1, n_arms))
    np.add.at(count, (stratum, arm), 1.0)
    return np.asarray((count / np.maximum(count.sum(axis=1, keepdims=True), 1))[stratum])


def from_assigned(propensity: FloatArray, arm: Codes, n_arms: int) -> FloatArray:
    """Give the probability of every arm where only that of the arm a customer got is known.

    The other arms share the rest in proportion to their sizes; with two arms this is exact.

    Parameters
    ----------
    propensity : array, shape (n,)
        Of the arm the customer got; above 0 and at most 1.
    arm : int array, shape (n,)
    n_arms : int

    Returns
    -------
    array, shape (n, n_arms)
        Rows add to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from_assigned(np.array([0.5, 0.6, 0.25, 0.5]), np.array([0, 1, 2, 2]), 3).round(3).tolist()
    [[0.5, 0.167, 0.333], [0.133, 0.6, 0.267], [0.375, 0.375, 0.25], [0.25, 0.25, 0.5]]
    """
    rows = np.arange(len(arm))
    others = np.tile(np.bincount(arm, minlength=n_arms).astype(np.float64), (len(arm), 1))
    others[rows, arm] = 0.0
    total = others.sum(axis=1, keepdims=True)
    filled = np.divide(others, total, out=np.zeros(others.shape), where=total > 0)
    filled *= (1 - propensity)[:, None]
    filled[rows, arm] = propensity
    return np.asarray(filled / filled.sum(axis=1, keepdims=True))


def estimated_propensity(arm: Codes, covariates: FloatArray, n_arms: int, folds: Codes) -> FloatArray:
    """Estimate who gets which arm by a multinomial logistic regression, out of fold.

    Parameters
    ----------
    arm : int array, shape (n,)
    covariates : array, shape (n, p)
        All that the choice of the arm may have followed, finite, measured before it.
    n_arms : int
    folds : int array, shape (n,)
        Customers of a fold are judged by a fit to the others.

    Returns
    -------
    array, shape (n, n_arms)
        At least 0.01, rows adding to 1.

    Raises
    ------
    DataError
        When an arm has no rows outside a fold (E307).
    """
    found = np.zeros((len(arm), n_arms))
    for fold in np.unique(folds):
        own, rest = folds == fold, folds != fold
        lacking = [code for code in range(n_arms) if not np.any(arm[rest] == code)]
        if lacking:
            what = f"arm number {lacking[0]} has too few rows to estimate who gets it"
            raise DataError(Finding("E307", None, what, "leave the arm out, or state the propensity"))
        found[own] = _fitted(arm[rest], covariates[rest], covariates[own])
    return _kept_above(found)


def _fitted(arm: Codes, covariates: FloatArray, wanted: FloatArray) -> FloatArray:
    if covariates.shape[1] == 0:
        return np.tile(np.bincount(arm) / len(arm), (len(wanted), 1))
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    with one_thread():
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
        return np.asarray(model.fit(covariates, arm).predict_proba(wanted), dtype=np.float64)


def _kept_above(propensity: FloatArray) -> FloatArray:
    """Raise small ones to the least and take it off the others in proportion."""
    low = propensity < LEAST
    rest = np.where(low, 0.0, propensity)
    left = 1 - LEAST * low.sum(axis=1, keepdims=True)
    return np.asarray(np.where(low, LEAST, rest / rest.sum(axis=1, keepdims=True) * left))
