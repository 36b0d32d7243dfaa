"""The table of contents: every model of customer lifetime value that stands for itself, by its name.

First the probability models, then the regressions on features, then what anybody could say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from allocator.models.clv.baselines import HistoricMean, LastPeriod, RepeatRate
from allocator.models.clv.bg_nbd import BgNbd
from allocator.models.clv.boosting import Boosting
from allocator.models.clv.forecast import ClvModel
from allocator.models.clv.linear import Lasso, Linear, Ridge
from allocator.models.clv.mbg_nbd import MbgNbd
from allocator.models.clv.pareto_nbd import ParetoNbd
from allocator.models.clv.perceptron import Perceptron
from allocator.models.clv.support_vector import SupportVector
from allocator.models.clv.trees import DecisionTree, RandomForest

BLEND = "blend"
TIMING = ("bg_nbd", "mbg_nbd", "pareto_nbd")
"""Models that learn from patterns of customers, so that millions cost no more than thousands."""
PARTS = ("pareto_nbd", "boosting")
"""What a blend is made of."""

SINGLE: Mapping[str, Callable[[], ClvModel]] = MappingProxyType(
    {
        "bg_nbd": BgNbd,
        "mbg_nbd": MbgNbd,
        "pareto_nbd": ParetoNbd,
        "linear": Linear,
        "ridge": Ridge,
        "lasso": Lasso,
        "decision_tree": DecisionTree,
        "random_forest": RandomForest,
        "support_vector": SupportVector,
        "boosting": Boosting,
        "perceptron": Perceptron,
        "historic_mean": HistoricMean,
        "repeat_rate": RepeatRate,
        "last_period": LastPeriod,
    }
)
