"""The table of contents: every model of customer lifetime value that stands for itself, by its name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from allocator.models.clv.bg_nbd import BgNbd
from allocator.models.clv.boosting import Boosting
from allocator.models.clv.linear import Lasso, Linear, Ridge
from allocator.models.clv.mbg_nbd import MbgNbd
from allocator.models.clv.pareto_nbd import ParetoNbd
from allocator.models.clv.perceptron import Perceptron
from allocator.models.clv.regression import Regression
from allocator.models.clv.support_vector import SupportVector
from allocator.models.clv.timing import TimingModel
from allocator.models.clv.trees import DecisionTree, RandomForest

BLEND = "blend"
PARTS = ("pareto_nbd", "boosting")
"""What a blend is made of."""

TIMING_MODELS: tuple[type[TimingModel], ...] = (BgNbd, MbgNbd, ParetoNbd)
REGRESSIONS: tuple[type[Regression], ...] = (
    Linear, Ridge, Lasso, DecisionTree, RandomForest, SupportVector, Boosting, Perceptron,
)  # fmt: skip
SINGLE: Mapping[str, type[TimingModel | Regression]] = MappingProxyType(
    {
        str(kind.model_fields["name"].default): kind
        for kind in (*TIMING_MODELS, *REGRESSIONS)  # type: ignore[misc]
    }
)
