"""Linear regressions: plain, ridge and lasso."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from allocator.models.clv.regression import Regression
from allocator.models.clv.search import Grid
from allocator.options import Number


class Linear(Regression):
    """Ordinary least squares."""

    name: Literal["linear"] = "linear"
    grid: ClassVar[Grid] = {"selection": ("none", "importance")}

    def estimator(self) -> Any:  # noqa: ANN401
        """Give scikit-learn's."""
        from sklearn.linear_model import LinearRegression

        return LinearRegression()


class Ridge(Regression):
    """Least squares with a penalty on the squares of the coefficients."""

    name: Literal["ridge"] = "ridge"
    penalty: Annotated[Number, Field(gt=0)] = 100.0
    """Weight of the squared coefficients, of columns of standard deviation 1."""
    grid: ClassVar[Grid] = {"penalty": (100.0, 1.0, 10.0, 1_000.0, 10_000.0)}

    def estimator(self) -> Any:  # noqa: ANN401
        """Give scikit-learn's."""
        from sklearn.linear_model import Ridge as Estimator

        return Estimator(alpha=self.penalty)


class Lasso(Regression):
    """Least squares with a penalty on the sizes of the coefficients, which leaves columns out."""

    name: Literal["lasso"] = "lasso"
    penalty: Annotated[Number, Field(gt=0)] = 0.1
    """Weight of the sizes of the coefficients, in money, of columns of standard deviation 1."""
    grid: ClassVar[Grid] = {"penalty": (0.1, 0.01, 0.03, 0.3, 1.0)}

    def estimator(self) -> Any:  # noqa: ANN401
        """Give scikit-learn's."""
        from sklearn.linear_model import Lasso as Estimator

        return Estimator(alpha=self.penalty, max_iter=5_000, tol=1e-3)
