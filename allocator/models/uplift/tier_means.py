"""Nobody told apart: one effect a channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from allocator.models.uplift.base import ContactTest, FloatArray
from allocator.options import Options


@dataclass(frozen=True, eq=False)
class Same:
    """The same effect on everybody."""

    mean: FloatArray

    def effect(self, modifiers: FloatArray) -> FloatArray:
        return np.broadcast_to(self.mean, (len(modifiers), len(self.mean))).copy()


class TierMeans(Options):
    """The mean effect."""

    name: Literal["tier_means"] = "tier_means"
    """Which learner this is."""
    complexity: ClassVar[int] = 0

    @property
    def label(self) -> str:
        return self.name

    def learn(self, test: ContactTest, scores: FloatArray, seed: int) -> Same:
        return Same((scores[:, 1:] - scores[:, :1]).mean(axis=0))
