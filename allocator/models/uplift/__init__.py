"""What a contact changes, estimated from randomised contact logs: learners, judgement, shrinkage, checks."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from allocator.models.uplift.adjusted_means import AdjustedMeans
from allocator.models.uplift.auto import Auto
from allocator.models.uplift.dr import DR
from allocator.options import Options

MODELS: dict[str, type[Options]] = {"auto": Auto, "adjusted_means": AdjustedMeans, "dr": DR}
"""Everything a scenario may name; ``adjusted_means`` tells nobody of a tier apart."""

UpliftOptions = Annotated[Auto | AdjustedMeans | DR, Field(discriminator="name")]
