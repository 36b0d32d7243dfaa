"""AIPW scores: what each arm would bring each customer, right on average whatever the outcome models."""

from __future__ import annotations

import numpy as np

from allocator.models.uplift.base import Codes, ContactTest, FloatArray
from allocator.models.uplift.bases import Base, Basis, Products, fitted

PENALTY = 1.0  # rows: only keeps columns apart that say the same


def arm_scores(test: ContactTest, folds: Codes, *, base: Base = "linear", seed: int = 0) -> FloatArray:
    """Give the AIPW score of every arm, averaged over the draws of the folds.

    ``Gamma_ia = mu_a(x_i) + 1[A_i = a] / e_a(x_i) * (y_i - mu_a(x_i))`` (Robins, Rotnitzky & Zhao, 1994), the
    outcome model ``mu_a`` of the arm fitted without the customer's fold on all that was known before. With
    known propensities its mean over customers is the mean outcome under the arm whatever the model; a good
    model makes it less noisy. A line does for outcomes of 0 and 1 as well: only its distance matters.

    Parameters
    ----------
    test : ContactTest
    folds : int array, shape (repeats, n)
    base : {"linear", "additive", "quadratic", "boosting"}
        Of the outcome models.
    seed : int
        Of boosted trees.

    Returns
    -------
    array, shape (n, k + 1)
        Control first, in units of the outcome.
    """
    columns = test.known_before
    total = np.zeros((len(test), test.n_arms))
    for codes in folds:
        means = (
            _boosted(test, columns, codes, seed) if base == "boosting" else _lines(test, columns, codes, base)
        )
        total += means + _rest(test, means)
    return total / len(folds)


def _rest(test: ContactTest, means: FloatArray) -> FloatArray:
    """Give what the outcome model of the own arm missed, weighted by one over the propensity."""
    rest = np.zeros_like(means)
    rows = np.arange(len(test))
    missed = test.outcome - means[rows, test.arm]
    rest[rows, test.arm] = missed / test.propensity[rows, test.arm]
    return rest


def _lines(test: ContactTest, columns: FloatArray, codes: Codes, base: Base) -> FloatArray:
    """Fit a ridge regression an arm without each fold, from sums of products."""
    terms = Basis.of(columns, base)(columns)
    means = np.zeros((len(test), test.n_arms))
    n_folds = int(codes.max()) + 1
    for arm in range(test.n_arms):
        parts = [_products(test, terms, (test.arm == arm) & (codes == fold)) for fold in range(n_folds)]
        whole = _products(test, terms, test.arm == arm)
        for fold, own in enumerate(parts):
            inside = codes == fold
            means[inside, arm] = whole.without(own).ridge(PENALTY)(terms[inside])
    return means


def _products(test: ContactTest, terms: FloatArray, rows: Codes) -> Products:
    return Products.of(terms[rows], test.outcome[rows])


def _boosted(test: ContactTest, columns: FloatArray, codes: Codes, seed: int) -> FloatArray:
    means = np.zeros((len(test), test.n_arms))
    for fold in range(int(codes.max()) + 1):
        inside = codes == fold
        for arm in range(test.n_arms):
            own = (test.arm == arm) & ~inside
            means[inside, arm] = fitted("boosting", columns[own], test.outcome[own], seed)(columns[inside])
    return means
