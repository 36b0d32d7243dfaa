"""What a contact changes, estimated from randomised contact logs: learners, judgement, shrinkage, checks."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from allocator.models.uplift.adjusted_means import AdjustedMeans
from allocator.models.uplift.auto import Auto
from allocator.models.uplift.blend import Blend
from allocator.models.uplift.dr import DR
from allocator.models.uplift.r_learner import RLearner
from allocator.models.uplift.rule import Rule
from allocator.models.uplift.s_learner import SLearner
from allocator.models.uplift.segment_means import SegmentMeans
from allocator.models.uplift.t_learner import TLearner
from allocator.models.uplift.x_learner import XLearner
from allocator.options import Options

UpliftOptions = Annotated[
    Auto | AdjustedMeans | Blend | Rule | SegmentMeans | DR | SLearner | TLearner | XLearner | RLearner,
    Field(discriminator="name"),
]

MODELS: dict[str, type[Options]] = {
    "auto": Auto,
    "adjusted_means": AdjustedMeans,
    "blend": Blend,
    "rule": Rule,
    "segment_means": SegmentMeans,
    "dr": DR,
    "s_learner": SLearner,
    "t_learner": TLearner,
    "x_learner": XLearner,
    "r_learner": RLearner,
}
"""Everything a scenario may name; ``adjusted_means`` tells nobody of a tier apart."""
