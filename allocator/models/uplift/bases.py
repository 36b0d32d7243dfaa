"""What learners are built on: ridge regressions by their sums of products, and shallow boosted trees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from allocator.models.threads import one_thread
from allocator.models.uplift.base import FloatArray

Base = Literal["linear", "quadratic", "boosting"]
Predict = Callable[[FloatArray], FloatArray]

FAR = 4.0  # standard deviations from the mean beyond which a customer counts as being there
CURVED = 0.5  # of a straight term's scale: how large squares and products are expected to be
PENALTIES = np.logspace(-1, 5, 25)  # in rows, on standardised columns
ROUNDS, RATE, LEAVES = 50, 0.08, 6  # of boosted trees
LEAST_LEAF, LEAF_SHARE = 50, 60  # a leaf has at least so many rows, or one in so many


@dataclass(frozen=True, eq=False)
class Basis:
    """Columns on one scale, with squares and products where they are asked for.

    Parameters
    ----------
    centre, spread : array, shape (p,)
        Of the columns it was made from.
    curved : bool
        Whether every square and product of two is a column too.
    """

    centre: FloatArray
    spread: FloatArray
    curved: bool = False

    @classmethod
    def of(cls, columns: FloatArray, *, curved: bool = False) -> Basis:
        """Take means and spreads from customers; a column that never changes stays 0."""
        spread = columns.std(axis=0)
        return cls(columns.mean(axis=0), np.where(spread > 0, spread, np.inf), curved)

    def __call__(self, columns: FloatArray) -> FloatArray:
        """Give the terms, shape (m, p) or (m, p + p * (p + 1) / 2)."""
        scaled = np.clip((columns - self.centre) / self.spread, -FAR, FAR)
        if not self.curved:
            return np.asarray(scaled)
        one, other = np.triu_indices(scaled.shape[1])
        return np.column_stack([scaled, CURVED * scaled[:, one] * scaled[:, other]])


@dataclass(frozen=True, eq=False)
class Ridge:
    """A penalised straight-line fit: ``level + terms @ slope``.

    Parameters
    ----------
    slope : array, shape (p,)
    level : float
    """

    slope: FloatArray
    level: float

    def __call__(self, terms: FloatArray) -> FloatArray:
        """Give the fit at some terms, shape (m,)."""
        return np.asarray(self.level + terms @ self.slope)


@dataclass(frozen=True, eq=False)
class Products:
    """Sums of products of terms and outcomes: all a ridge regression asks of its rows; they add and subtract.

    Parameters
    ----------
    n : float
    terms, outcome : array, shape (p,), and float
        Sums.
    square : array, shape (p, p)
        Of terms with each other.
    cross : array, shape (p,)
        Of terms with the outcome.
    power : float
        Of the outcome with itself.
    """

    n: float
    terms: FloatArray
    outcome: float
    square: FloatArray
    cross: FloatArray
    power: float

    @classmethod
    def of(cls, terms: FloatArray, outcome: FloatArray) -> Products:
        """Sum over rows."""
        return cls(
            float(len(outcome)),
            terms.sum(axis=0),
            float(outcome.sum()),
            terms.T @ terms,
            terms.T @ outcome,
            float(outcome @ outcome),
        )

    def without(self, other: Products) -> Products:
        """Take some of the rows out."""
        return Products(
            self.n - other.n,
            self.terms - other.terms,
            self.outcome - other.outcome,
            self.square - other.square,
            self.cross - other.cross,
            self.power - other.power,
        )

    def ridge(self, penalty: float | None = None) -> Ridge:
        """Fit with a penalty in rows; the one of least generalised cross-validation where absent.

        ``GCV = n * rss / (n - df)^2`` (Golub, Heath & Wahba, 1979), the level not penalised.
        """
        if self.n < 1:
            return Ridge(np.zeros(len(self.terms)), 0.0)
        centre, level = self.terms / self.n, self.outcome / self.n
        square = self.square - self.n * np.outer(centre, centre)
        cross = self.cross - self.n * centre * level
        values, vectors = np.linalg.eigh(square)
        values, turned = np.maximum(values, 0.0), vectors.T @ cross
        if penalty is None:
            penalty = self._best(values, turned, self.power - self.n * level**2)
        slope = vectors @ (turned / (values + penalty))
        return Ridge(slope, float(level - centre @ slope))

    def _best(self, values: FloatArray, turned: FloatArray, power: float) -> float:
        kept = values / (values + PENALTIES[:, None])
        fitted = turned / (values + PENALTIES[:, None])
        rest = power - 2 * (fitted @ turned) + (fitted**2) @ values
        freedom = np.maximum(self.n - 1 - kept.sum(axis=1), 1.0)
        return float(PENALTIES[np.argmin(np.maximum(rest, 0.0) / freedom**2)])


def boosted(columns: FloatArray, outcome: FloatArray, seed: int, weight: FloatArray | None = None) -> Predict:
    """Give shallow boosted trees: each leaf wide, each step small, so that noise is not followed far."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(
        max_iter=ROUNDS,
        learning_rate=RATE,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=max(LEAST_LEAF, len(outcome) // LEAF_SHARE),
        early_stopping=False,
        random_state=seed,
    )
    with one_thread():
        model.fit(columns, outcome, sample_weight=weight)

    def predict(wanted: FloatArray) -> FloatArray:
        with one_thread():
            return np.asarray(model.predict(wanted)) if len(wanted) else np.zeros(0)

    return predict


def fitted(base: Base, columns: FloatArray, outcome: FloatArray, seed: int) -> Predict:
    """Fit a regression of some base and give it as a function of columns."""
    if base == "boosting":
        return boosted(columns, outcome, seed)
    basis = Basis.of(columns, curved=base == "quadratic")
    line = Products.of(basis(columns), outcome).ridge()
    return lambda wanted: line(basis(wanted))
