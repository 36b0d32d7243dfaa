"""DR-learner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from allocator.models.uplift.base import ContactTest, FloatArray
from allocator.models.uplift.scores import ridge
from allocator.options import Options


@dataclass(frozen=True, eq=False)
class Linear:
    slope: FloatArray
    level: FloatArray

    def effect(self, modifiers: FloatArray) -> FloatArray:
        return self.level + modifiers @ self.slope.T


class DR(Options):
    name: Literal["dr"] = "dr"
    """Which learner this is."""
    base: Literal["linear", "boosting"] = "linear"
    """Base."""

    @property
    def complexity(self) -> int:
        return 3 if self.base == "linear" else 4

    @property
    def label(self) -> str:
        return f"dr_{self.base}"

    def learn(self, test: ContactTest, scores: FloatArray, seed: int) -> Linear:
        gains = scores[:, 1:] - scores[:, :1]
        spread = test.modifiers.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        found = [ridge(test.modifiers / spread, gain, 10.0) for gain in gains.T]
        return Linear(np.array([s / spread for s, _ in found]), np.array([l for _, l in found]))
