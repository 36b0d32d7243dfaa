"""Retention: whether customers buy again, or how long a contract is kept."""

from __future__ import annotations

from allocator.models.retention.activity import Activity
from allocator.models.retention.beta_discrete_weibull import BetaDiscreteWeibull
from allocator.models.retention.boosting import Boosting
from allocator.models.retention.cox import Cox
from allocator.models.retention.hazard import Hazard
from allocator.models.retention.kaplan_meier import KaplanMeier
from allocator.models.retention.logit import Logit
from allocator.models.retention.shifted_beta_geometric import ShiftedBetaGeometric

MODELS = (
    Activity,
    # no contract: features tell who buys again
    Logit,
    Boosting,
    # contracts of one cohort
    ShiftedBetaGeometric,
    BetaDiscreteWeibull,
    # contracts of customers who began at any time
    KaplanMeier,
    Cox,
    Hazard,
)
