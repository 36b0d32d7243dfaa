"""A multi-layer perceptron."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from allocator.models.clv.regression import Regression
from allocator.models.clv.search import Grid
from allocator.options import Count, Number


class Perceptron(Regression):
    """One hidden layer of units that bend, fitted by stochastic gradients."""

    name: Literal["perceptron"] = "perceptron"
    units: Annotated[Count, Field(ge=1)] = 16
    """Units of the hidden layer."""
    penalty: Annotated[Number, Field(ge=0)] = 1.0
    """Weight of the squared coefficients."""
    passes: Annotated[Count, Field(ge=1)] = 15
    """Times the rows are gone through."""

    logged: ClassVar[bool] = True
    grid: ClassVar[Grid] = {"units": (16, 8, 32), "penalty": (1.0, 0.1, 10.0)}

    def estimator(self) -> Any:  # noqa: ANN401
        """Give scikit-learn's."""
        from sklearn.neural_network import MLPRegressor

        return MLPRegressor(
            hidden_layer_sizes=(self.units,), alpha=self.penalty, max_iter=self.passes, random_state=self.seed
        )
