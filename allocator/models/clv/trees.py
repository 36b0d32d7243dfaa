"""Regressions by trees: one, and a forest."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from allocator.models.clv.regression import Regression
from allocator.models.clv.search import Grid
from allocator.options import Count, Share


class DecisionTree(Regression):
    """One tree."""

    name: Literal["decision_tree"] = "decision_tree"
    depth: Annotated[Count, Field(ge=1)] = 5
    """Splits from the root to a leaf at most."""
    smallest_leaf: Annotated[Count, Field(ge=1)] = 100
    """Rows of a leaf at least."""

    scaled: ClassVar[bool] = False
    grid: ClassVar[Grid] = {"depth": (5, 3, 8), "smallest_leaf": (100, 30, 300)}

    def estimator(self) -> Any:  # noqa: ANN401
        """Give scikit-learn's."""
        from sklearn.tree import DecisionTreeRegressor

        return DecisionTreeRegressor(
            max_depth=self.depth, min_samples_leaf=self.smallest_leaf, random_state=self.seed
        )


class RandomForest(Regression):
    """The mean of many trees, each of a quarter of the rows, drawn anew."""

    name: Literal["random_forest"] = "random_forest"
    trees: Annotated[Count, Field(ge=1)] = 60
    """Number of trees."""
    smallest_leaf: Annotated[Count, Field(ge=1)] = 30
    """Rows of a leaf at least."""
    columns: Annotated[Share, Field(gt=0)] = 0.3
    """Share of the columns every split may choose from."""

    scaled: ClassVar[bool] = False
    grid: ClassVar[Grid] = {"smallest_leaf": (30, 10, 100), "columns": (0.3, 0.6)}

    def estimator(self) -> Any:  # noqa: ANN401
        """Give scikit-learn's."""
        from sklearn.ensemble import RandomForestRegressor

        return RandomForestRegressor(
            self.trees,
            min_samples_leaf=self.smallest_leaf,
            max_features=self.columns,
            max_samples=0.25,
            n_jobs=1,
            random_state=self.seed,
        )
