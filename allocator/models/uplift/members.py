"""Every learner."""

from __future__ import annotations

from allocator.models.uplift.base import UpliftLearner
from allocator.models.uplift.dr import DR
from allocator.models.uplift.tier_means import TierMeans

LEARNERS: dict[str, UpliftLearner] = {one.label: one for one in (TierMeans(), DR())}
CORE = ("tier_means", "dr_linear")
