"""What learners are built on: ridge regressions by their sums of products, and shallow boosted trees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from allocator.models.threads import one_thread
from allocator.models.uplift.base import FloatArray

Base = Literal["linear", "additive", "quadratic", "boosting"]
Predict = Callable[[FloatArray], FloatArray]

FAR = 4.0  # standard deviations from the mean beyond which a customer counts as being there
CURVED = (0.0, 0.15, 0.5)  # of a straight term's scale: how large squares and products may be
PENALTIES = np.logspace(-1, 5, 25)  # in rows, on standardised columns
KINKS = (0.1, 0.3, 0.5, 0.7, 0.9)  # quantiles at which a broken line may turn
SEVERAL = 6  # values a column has at least, to be worth a broken line
ROUNDS, RATE, LEAVES = 30, 0.08, 4  # of boosted trees
LEAST_LEAF, LEAF_SHARE, WIDE = 50, 20, 2000  # rows of a leaf: one in 20, but 50 to 2000


@dataclass(frozen=True, eq=False)
class Basis:
    """Columns on one scale, with broken lines, or squares and products, where they are asked for.

    Parameters
    ----------
    centre, spread : array, shape (p,)
        Of the columns it was made from.
    curved : bool
        Whether every square and product of two is a term too.
    kinks : tuple of (int, float)
        Columns and the scaled values above which they have one more term each.
    """

    centre: FloatArray
    spread: FloatArray
    curved: bool = False
    kinks: tuple[tuple[int, float], ...] = ()

    @classmethod
    def of(cls, columns: FloatArray, base: Base = "linear") -> Basis:
        """Take means and spreads from customers; a column that never changes stays 0."""
        spread = columns.std(axis=0)
        straight = cls(columns.mean(axis=0), np.where(spread > 0, spread, np.inf), base == "quadratic")
        return straight if base != "additive" else replace(straight, kinks=_kinks(straight(columns)))

    def __call__(self, columns: FloatArray) -> FloatArray:
        """Give the terms, shape (m, p), (m, p + p * (p + 1) / 2) or (m, p + kinks)."""
        scaled = np.clip((columns - self.centre) / self.spread, -FAR, FAR)
        if self.curved:
            one, other = np.triu_indices(scaled.shape[1])
            return np.column_stack([scaled, scaled[:, one] * scaled[:, other]])
        above = [np.maximum(scaled[:, column] - kink, 0.0) for column, kink in self.kinks]
        return np.column_stack([scaled, *above])


def _kinks(scaled: FloatArray) -> tuple[tuple[int, float], ...]:
    """Give the places where the broken line of each column may turn."""
    found = []
    for place, column in enumerate(scaled.T):
        if len(np.unique(column)) > SEVERAL:
            found += [(place, float(at)) for at in np.unique(np.quantile(column, KINKS))]
    return tuple(found)


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

    def ridge(self, penalty: float | None = None, straight: int | None = None) -> Ridge:
        """Fit with a penalty in rows; the one of least generalised cross-validation where absent.

        ``GCV = n * rss / (n - df)^2`` (Golub, Heath & Wahba, 1979), the level not penalised.

        Parameters
        ----------
        penalty : float or None
        straight : int or None
            Terms behind the first so many are scaled down, by the share of least cross-validation.
        """
        scales = [np.ones(len(self.terms))]
        if straight is not None and straight < len(self.terms):
            behind = np.arange(len(self.terms)) >= straight
            scales = [np.where(behind, share, 1.0) for share in CURVED]
        return min((self._fit(scale, penalty) for scale in scales), key=lambda one: one[0])[1]

    def _fit(self, scale: FloatArray, penalty: float | None) -> tuple[float, Ridge]:
        """Give the criterion and the fit to scaled terms."""
        if self.n < 1:
            return 0.0, Ridge(np.zeros(len(self.terms)), 0.0)
        centre, level = scale * self.terms / self.n, self.outcome / self.n
        square = self.square * np.outer(scale, scale) - self.n * np.outer(centre, centre)
        cross = scale * self.cross - self.n * centre * level
        values, vectors = np.linalg.eigh(square)
        values, turned = np.maximum(values, 0.0), vectors.T @ cross
        tried = PENALTIES if penalty is None else np.array([penalty])
        found = self._criterion(values, turned, tried)
        best = int(found.argmin())
        slope = scale * (vectors @ (turned / (values + tried[best])))
        return float(found[best]), Ridge(slope, float(level - self.terms / self.n @ slope))

    def _criterion(self, values: FloatArray, turned: FloatArray, penalties: FloatArray) -> FloatArray:
        """Give the generalised cross-validation of some penalties, but for a factor."""
        power = self.power - self.outcome**2 / self.n
        kept = values / (values + penalties[:, None])
        fitted = turned / (values + penalties[:, None])
        rest = power - 2 * (fitted @ turned) + (fitted**2) @ values
        freedom = np.maximum(self.n - 1 - kept.sum(axis=1), 1.0)
        return np.asarray(np.maximum(rest, 0.0) / freedom**2)


def boosted(columns: FloatArray, outcome: FloatArray, seed: int, weight: FloatArray | None = None) -> Predict:
    """Give shallow boosted trees: each leaf wide, each step small, so that noise is not followed far."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(
        max_iter=ROUNDS,
        learning_rate=RATE,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=min(max(LEAST_LEAF, len(outcome) // LEAF_SHARE), WIDE),
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
    basis = Basis.of(columns, base)
    straight = columns.shape[1] if base == "quadratic" else None
    line = Products.of(basis(columns), outcome).ridge(straight=straight)
    return lambda wanted: line(basis(wanted))
