"""Logistic regression: whether something happens to a customer, by features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from allocator.errors import Finding
from allocator.models.base import FloatArray
from allocator.models.retention.coefficients import Coefficients, coefficients
from allocator.models.retention.design import Design, learn_design, zero_one
from allocator.options import Options

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class FittedLogit:
    """A logistic regression: ``log(p / (1 - p)) = level + a + b'x``.

    Parameters
    ----------
    design : Design
        How features become numbers.
    level : float
        The logit of the share of rows in which it happened.
    effects : Coefficients
        a, then those of ``design.features``, each of which has a standard deviation of about 1.
    n_customers : int
    """

    design: Design
    level: float
    effects: Coefficients
    n_customers: int

    @property
    def log_likelihood(self) -> float:
        """Of the rows it was fitted to, without penalty."""
        return self.effects.log_likelihood

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What to know of the estimate."""
        return self.effects.warnings

    def probability(self, table: pd.DataFrame) -> FloatArray:
        """Give the probability of every row.

        Raises
        ------
        DataError
            E315 where a column it learned from is absent; others are ignored.
        """
        from scipy.special import expit

        effects = self.effects.estimate
        score = self.level + effects[0] + self.design.matrix(table) @ effects[1:]
        return np.asarray(expit(score), dtype=np.float64)


class Logit(Options):
    """Logistic regression by maximum likelihood, by statsmodels.

    Where a feature tells the outcome without error, or the outcome is the same for everybody, the estimate is
    regularised by a ridge and carries a warning.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"visits": [1, 2, 3, 4, 5, 6], "area": ["a", "b", "a", "b", "a", "b"]})
    >>> fitted = Logit().fit(table, [0, 0, 1, 0, 1, 1])
    >>> low, high = fitted.probability(pd.DataFrame({"visits": [1, 6], "area": ["a", "a"]}))
    >>> bool(low < high)
    True
    """

    name: Literal["logit"] = "logit"

    def fit(self, table: pd.DataFrame, outcome: ArrayLike) -> FittedLogit:
        """Fit to rows, in whatever order they come.

        Parameters
        ----------
        table : DataFrame
            Features as they are, prepared by :func:`allocator.models.preparation.preparation`.
        outcome : array of bool or of 0 and 1, shape (rows,)

        Raises
        ------
        DataError
            E315 for an outcome that is something else.
        """
        import statsmodels.api as sm

        y = zero_one(self.name, outcome, len(table))
        design, x = learn_design(self.name, table)
        level = share_logit(y)
        matrix = np.hstack([np.ones((len(y), 1)), x])
        model = sm.Logit(y, matrix, offset=np.full(len(y), level))
        return FittedLogit(
            design, level, coefficients(self.name, model, ("the constant", *design.features)), len(y)
        )


def share_logit(outcome: FloatArray) -> float:
    """Give the logit of the share of ones, half of one more of each kind added, so that it is finite."""
    return float(np.log((outcome.sum() + 0.5) / (len(outcome) - outcome.sum() + 0.5)))
