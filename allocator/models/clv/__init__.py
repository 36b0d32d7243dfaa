"""Models of customer lifetime value: when customers buy, what a purchase is worth, and both together."""

from __future__ import annotations

from typing import Annotated

from pydantic import Discriminator

from allocator.models.clv.auto import Auto, Blend
from allocator.models.clv.baselines import HistoricMean, LastPeriod, RepeatRate
from allocator.models.clv.bg_nbd import BgNbd
from allocator.models.clv.boosting import Boosting
from allocator.models.clv.gamma_gamma import GammaGamma
from allocator.models.clv.linear import Lasso, Linear, Ridge
from allocator.models.clv.mbg_nbd import MbgNbd
from allocator.models.clv.members import BLEND, SINGLE
from allocator.models.clv.pareto_nbd import ParetoNbd
from allocator.models.clv.perceptron import Perceptron
from allocator.models.clv.support_vector import SupportVector
from allocator.models.clv.trees import DecisionTree, RandomForest

ClvOptions = Annotated[
    Auto | Blend | BgNbd | MbgNbd | ParetoNbd | Linear | Ridge | Lasso | DecisionTree | RandomForest
    | SupportVector | Boosting | Perceptron | HistoricMean | RepeatRate | LastPeriod,
    Discriminator("name"),
]  # fmt: skip
"""What a scenario may write under ``models.clv``."""

PURCHASE_MODELS: tuple[type[BgNbd | MbgNbd | ParetoNbd], ...] = (BgNbd, MbgNbd, ParetoNbd)
VALUE_MODELS: tuple[type[GammaGamma], ...] = (GammaGamma,)
MODELS = (*PURCHASE_MODELS, *VALUE_MODELS)
NAMES = ("auto", BLEND, *SINGLE)
"""Every name a scenario may write under ``models.clv``."""
