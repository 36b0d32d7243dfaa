"""Every learner, the simplest first."""

from __future__ import annotations

from allocator.models.uplift.base import UpliftLearner
from allocator.models.uplift.dr import DR
from allocator.models.uplift.rule import Rule
from allocator.models.uplift.tier_means import TierMeans

LEARNERS: dict[str, UpliftLearner] = {
    one.label: one for one in (TierMeans(), Rule(), DR(), DR(base="quadratic"), DR(base="boosting"))
}
CORE = ("tier_means", "rule", "dr_linear", "dr_quadratic", "dr_boosting")
"""What `auto` tries."""
