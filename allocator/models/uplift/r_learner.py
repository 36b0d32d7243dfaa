"""R-learner: what the mean outcome leaves unexplained is laid to what the assignment leaves unexplained."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from allocator.models.uplift.base import ContactTest, FloatArray
from allocator.models.uplift.bases import Base, Basis, Predict, Products, boosted, fitted
from allocator.models.uplift.dr import Regressed
from allocator.models.uplift.folds import fold_codes
from allocator.options import Options

FOLDS = 3  # of the mean outcome


class RLearner(Options):
    """Residuals on residuals (Nie & Wager, 2021), each channel against control.

    ``tau_c`` minimises the sum of ``((y - m(x)) - (w - e(x)) * tau_c(x))^2`` over customers of the two arms:
    a regression of ``(y - m) / (w - e)`` with weights ``(w - e)^2``. ``w`` is 1 for those contacted, ``e``
    the known chance of it among the two, and ``m`` the mean outcome, fitted on other customers.
    """

    name: Literal["r_learner"] = "r_learner"
    """Which learner this is."""
    base: Base = "linear"
    """A ridge regression, one of broken lines, one with squares and products, or shallow boosted trees."""

    @property
    def label(self) -> str:
        """Name in a leaderboard."""
        return f"r_{self.base}"

    @property
    def complexity(self) -> int:
        """How free it is to follow noise."""
        return 20 + get_args(Base).index(self.base)

    def learn(self, test: ContactTest, scores: FloatArray, seed: int) -> Regressed:
        """Regress residuals, channel by channel."""
        functions = []
        for c in range(1, test.n_arms):
            two = test.pick((test.arm == 0) | (test.arm == c))
            chance = two.propensity[:, c] / (two.propensity[:, c] + two.propensity[:, 0])
            rest = (two.arm == c) - chance
            target = (two.outcome - _mean_outcome(self.base, two, seed)) / rest
            functions.append(_weighted(self.base, two.modifiers, target, rest**2, seed))
        return Regressed(tuple(functions))


def _mean_outcome(base: Base, test: ContactTest, seed: int) -> FloatArray:
    """Give the mean outcome of customers like each, by those of other folds."""
    columns, mean = test.known_before, np.zeros(len(test))
    (folds,) = fold_codes(test, n_folds=FOLDS, repeats=1, seed=seed)
    for fold in range(FOLDS):
        own = folds == fold
        mean[own] = fitted(base, columns[~own], test.outcome[~own], seed)(columns[own])
    return mean


def _weighted(base: Base, columns: FloatArray, target: FloatArray, weight: FloatArray, seed: int) -> Predict:
    """Regress with a weight a row; for a line, sums of weighted products."""
    weight = weight / weight.mean()
    if base == "boosting":
        return boosted(columns, target, seed, weight)
    basis = Basis.of(columns, base)
    terms = basis(columns)
    root = np.sqrt(weight)
    made = Products.of(terms * root[:, None], target * root)
    # rows count by their weight in the level as well, which is not penalised
    line = Products(
        weight.sum(), weight @ terms, float(weight @ target), made.square, made.cross, made.power
    ).ridge()
    return lambda wanted: line(basis(wanted))
