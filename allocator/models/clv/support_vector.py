"""Support vector regression."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from allocator.models.clv.regression import Regression
from allocator.models.clv.search import Grid
from allocator.options import Count, Number


class SupportVector(Regression):
    """A linear support vector machine on smooth random features, which stand for a Gaussian kernel.

    The exact kernel takes time with the square of the customers; this takes it in proportion.
    """

    name: Literal["support_vector"] = "support_vector"
    penalty: Annotated[Number, Field(gt=0)] = 0.1
    """Weight of the errors against that of the coefficients."""
    width: Annotated[Number, Field(gt=0)] = 0.01
    """How fast the likeness of two customers falls with their squared distance."""
    features: Annotated[Count, Field(ge=1)] = 150
    """Number of random features."""

    logged: ClassVar[bool] = True
    grid: ClassVar[Grid] = {"penalty": (0.1, 0.01, 1.0), "width": (0.01, 0.003, 0.03)}

    def estimator(self) -> Any:  # noqa: ANN401
        """Give scikit-learn's."""
        from sklearn.kernel_approximation import RBFSampler
        from sklearn.pipeline import make_pipeline
        from sklearn.svm import LinearSVR

        sampler = RBFSampler(gamma=self.width, n_components=self.features, random_state=self.seed)
        # the squared loss finds means; the absolute one finds 0 where most customers buy nothing
        machine = LinearSVR(
            C=self.penalty,
            epsilon=0.0,
            loss="squared_epsilon_insensitive",
            dual=False,
            random_state=self.seed,
        )
        return make_pipeline(sampler, machine)
