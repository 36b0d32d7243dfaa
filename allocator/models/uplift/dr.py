"""DR-learner: the AIPW scores themselves are regressed on what is known of customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from allocator.models.uplift.base import ContactTest, FloatArray
from allocator.models.uplift.bases import Base, Predict, fitted
from allocator.options import Options


@dataclass(frozen=True, eq=False)
class Regressed:
    """One function of the modifiers a channel."""

    functions: tuple[Predict, ...]

    def effect(self, modifiers: FloatArray) -> FloatArray:
        """Give the effect of one contact by each channel, shape (m, k), in units of the outcome."""
        return np.column_stack([function(modifiers) for function in self.functions])


class DR(Options):
    """Doubly robust learner (Kennedy, 2023, "Towards optimal doubly robust estimation").

    ``tau_c(x)`` is the regression of ``Gamma_ic - Gamma_i0`` on the modifiers.
    """

    name: Literal["dr"] = "dr"
    """Which learner this is."""
    base: Base = "linear"
    """A ridge regression, one of broken lines, one with squares and products, or shallow boosted trees."""

    @property
    def label(self) -> str:
        """Name in a leaderboard."""
        return f"dr_{self.base}"

    @property
    def complexity(self) -> int:
        """How free it is to follow noise."""
        return 4 + get_args(Base).index(self.base)

    def learn(self, test: ContactTest, scores: FloatArray, seed: int) -> Regressed:
        """Regress the scores of every channel, less those of control, on the modifiers."""
        gains = scores[:, 1:] - scores[:, :1]
        return Regressed(tuple(fitted(self.base, test.modifiers, gain, seed) for gain in gains.T))
