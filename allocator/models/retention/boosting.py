"""Gradient boosting: whether something happens to a customer, by features that act together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from allocator.errors import Finding
from allocator.models.base import FloatArray, fit_warning
from allocator.models.retention.design import Design, learn_design, zero_one
from allocator.models.threads import one_thread
from allocator.options import Count, Number, Options

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class FittedBoosting:
    """A sum of small trees on the scale of the logit.

    Parameters
    ----------
    design : Design
        How features become numbers.
    trees : fitted sklearn classifier, or None
        None where there was nothing to learn from.
    share : float
        The share of rows in which it happened, half of one more of each kind added; the probability of every
        row without trees.
    n_customers : int
    warnings : tuple of Finding
    """

    design: Design
    trees: Any
    share: float
    n_customers: int
    warnings: tuple[Finding, ...] = ()

    def probability(self, table: pd.DataFrame) -> FloatArray:
        """Give the probability of every row.

        Raises
        ------
        DataError
            E315 where a column it learned from is absent; others are ignored.
        """
        x = self.design.matrix(table)
        if self.trees is None or not len(x):
            return np.full(len(x), self.share)
        with one_thread():
            return np.asarray(self.trees.predict_proba(x)[:, 1], dtype=np.float64)


class Boosting(Options):
    """Histogram gradient boosting of small trees, by scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> visits = np.arange(200) % 20
    >>> fitted = Boosting(trees=100).fit(pd.DataFrame({"visits": visits}), visits > 12)
    >>> fitted.probability(pd.DataFrame({"visits": [3, 18]})).round(1).tolist()
    [0.0, 1.0]
    """

    name: Literal["boosting"] = "boosting"
    learning_rate: Annotated[Number, Field(gt=0, le=1)] = 0.05
    """Share of every tree's correction that is taken."""
    trees: Annotated[Count, Field(ge=1)] = 150
    """Number of trees."""
    leaves: Annotated[Count, Field(ge=2)] = 6
    """Leaves of a tree at most."""
    smallest_leaf: Annotated[Count, Field(ge=1)] = 30
    """Rows of a leaf at least."""
    penalty: Annotated[Number, Field(ge=0)] = 1.0
    """Weight of the squared size of corrections."""
    seed: Count = 0
    """Of what trees draw: from 200,000 rows on, those that bins are made from."""

    def fit(self, table: pd.DataFrame, outcome: ArrayLike) -> FittedBoosting:
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
        y = zero_one(self.name, outcome, len(table))
        design, x = learn_design(self.name, table, linear=False)
        share = float((y.sum() + 0.5) / (len(y) + 1))
        if not (x.shape[1] and np.ptp(y)):
            what = f"{self.name}: outcomes or features do not vary, so everybody has the same probability"
            return FittedBoosting(design, None, share, len(y), (fit_warning(what),))
        # sums of the same rows in another order differ in their last digits, and so might splits
        order = np.lexsort((y, *x.T))
        with one_thread():
            return FittedBoosting(design, self._trees().fit(x[order], y[order]), share, len(y))

    def _trees(self) -> Any:  # noqa: ANN401 - scikit-learn's
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(
            learning_rate=self.learning_rate,
            max_iter=self.trees,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=self.smallest_leaf,
            l2_regularization=self.penalty,
            early_stopping=False,
            random_state=self.seed,
        )
