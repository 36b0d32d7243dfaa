"""What a contact changes, estimated from randomised contact logs: estimates, their shrinkage, checks."""

from __future__ import annotations

from allocator.models.uplift.adjusted_means import AdjustedMeans

MODELS: dict[str, type[AdjustedMeans]] = {"adjusted_means": AdjustedMeans}
"""Every estimator of effects by the name a scenario gives it; ``auto`` is the first."""
