"""The mean of learners that err in different ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from allocator.models.uplift.base import ContactTest, CrossFitted, EffectFunction, FloatArray, UpliftLearner
from allocator.models.uplift.dr import DR
from allocator.models.uplift.rule import Rule
from allocator.models.uplift.segment_means import SegmentMeans
from allocator.options import Options

PARTS: tuple[UpliftLearner, ...] = (
    Rule(),
    SegmentMeans(),
    DR(),
    DR(base="additive"),
    DR(base="quadratic"),
    DR(base="boosting"),
)
"""What a blend is made of, the simplest first: splits, segments, lines, broken lines, products and trees."""


@dataclass(frozen=True, eq=False)
class Blended:
    """The mean of effect functions."""

    parts: tuple[EffectFunction, ...]

    def effect(self, modifiers: FloatArray) -> FloatArray:
        """Give the effect of one contact by each channel, shape (m, k), in units of the outcome."""
        return np.asarray(np.mean([part.effect(modifiers) for part in self.parts], axis=0))


class Blend(Options):
    """The mean of a rule, segments and doubly robust learners, each counting alike.

    What single learners see in noise differs, what is real they share: their mean ranks customers better than
    the best of them, chosen on the same data. Equal weights are meant: weights learned from noisy scores cost
    more than they bring (the "combination puzzle", Stock & Watson, 2004).
    """

    name: Literal["blend"] = "blend"
    """Which learner this is."""
    complexity: ClassVar[int] = 1

    @property
    def label(self) -> str:
        """Name in a leaderboard."""
        return self.name

    def learn(self, test: ContactTest, scores: FloatArray, seed: int) -> Blended:
        """Learn by every part."""
        return Blended(tuple(part.learn(test, scores, seed) for part in PARTS))


def joined(parts: Sequence[CrossFitted]) -> CrossFitted:
    """Give the mean of learners that were cross-fitted on the same folds.

    Parameters
    ----------
    parts : sequence of CrossFitted
        At least one.
    """
    functions = tuple(
        tuple(Blended(same) for same in zip(*draw, strict=True))
        for draw in zip(*(part.functions for part in parts), strict=True)
    )
    mean = np.mean([part.by_draw for part in parts], axis=0)
    return replace(parts[0], functions=functions, by_draw=np.asarray(mean))
