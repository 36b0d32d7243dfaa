"""Nobody told apart: one effect a channel, which every other learner has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from allocator.models.uplift.base import ContactTest, FloatArray
from allocator.options import Options


@dataclass(frozen=True, eq=False)
class Same:
    """The same effect on everybody, shape (k,)."""

    mean: FloatArray

    def effect(self, modifiers: FloatArray) -> FloatArray:
        """Give the effect of one contact by each channel, shape (m, k), in units of the outcome."""
        return np.broadcast_to(self.mean, (len(modifiers), len(self.mean))).copy()


class TierMeans(Options):
    """The mean effect; what differs between tiers is estimated elsewhere."""

    name: Literal["tier_means"] = "tier_means"
    """Which learner this is."""
    complexity: ClassVar[int] = 0

    @property
    def label(self) -> str:
        """Name in a leaderboard."""
        return self.name

    def learn(self, test: ContactTest, scores: FloatArray, seed: int) -> Same:
        """Average the scores of every channel, less those of control."""
        return Same((scores[:, 1:] - scores[:, :1]).mean(axis=0))
