"""Every learner, the simplest first."""

from __future__ import annotations

from allocator.models.uplift.base import UpliftLearner
from allocator.models.uplift.blend import PARTS, Blend
from allocator.models.uplift.r_learner import RLearner
from allocator.models.uplift.s_learner import SLearner
from allocator.models.uplift.t_learner import TLearner
from allocator.models.uplift.tier_means import TierMeans
from allocator.models.uplift.x_learner import XLearner

_MEMBERS: tuple[UpliftLearner, ...] = (
    TierMeans(),
    Blend(),
    *PARTS,
    SLearner(),
    SLearner(base="boosting"),
    TLearner(),
    TLearner(base="boosting"),
    XLearner(),
    XLearner(base="boosting"),
    RLearner(),
    RLearner(base="boosting"),
)
LEARNERS: dict[str, UpliftLearner] = {one.label: one for one in _MEMBERS}
"""By label."""
CORE = ("tier_means", "blend", *(one.label for one in PARTS))
"""What `auto` tries; the others are there to be compared with."""
