"""Gradient boosting in two stages: who buys, times the money of those who do."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from allocator.models.clv.regression import Regression
from allocator.models.clv.search import Grid
from allocator.options import Count, Number


class Boosting(Regression):
    """Histogram gradient boosting, of small trees that suit 600 customers as well as 100,000."""

    name: Literal["boosting"] = "boosting"
    learning_rate: Annotated[Number, Field(gt=0, le=1)] = 0.05
    """Share of every tree's correction that is taken."""
    trees: Annotated[Count, Field(ge=1)] = 120
    """Trees of each stage."""
    leaves: Annotated[Count, Field(ge=2)] = 4
    """Leaves of a tree at most."""
    smallest_leaf: Annotated[Count, Field(ge=1)] = 60
    """Rows of a leaf at least."""
    penalty: Annotated[Number, Field(ge=0)] = 1.0
    """Weight of the squared size of corrections."""

    scaled: ClassVar[bool] = False
    logged: ClassVar[bool] = True
    grid: ClassVar[Grid] = {"trees": (120, 60, 240), "leaves": (4, 3, 8), "smallest_leaf": (60, 20, 200)}

    def estimator(self) -> Any:  # noqa: ANN401
        """Give the second stage."""
        from sklearn.ensemble import HistGradientBoostingRegressor

        return HistGradientBoostingRegressor(**self._options())

    def classifier(self) -> Any:  # noqa: ANN401
        """Give the first stage."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(**self._options())

    def _options(self) -> dict[str, Any]:
        return {
            "learning_rate": self.learning_rate,
            "max_iter": self.trees,
            "max_leaf_nodes": self.leaves,
            "min_samples_leaf": self.smallest_leaf,
            "l2_regularization": self.penalty,
            "early_stopping": False,
            "random_state": self.seed,
        }
