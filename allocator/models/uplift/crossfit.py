"""Every customer judged by functions that have not seen him."""

from __future__ import annotations

import numpy as np

from allocator.models.uplift.base import Codes, ContactTest, CrossFitted, FloatArray, UpliftLearner


def cross_fit(
    learner: UpliftLearner, test: ContactTest, scores: FloatArray, folds: Codes, *, seed: int
) -> CrossFitted:
    """Fit a learner without each fold in turn."""
    functions = [
        [
            learner.learn(test.pick(codes != fold), scores[codes != fold], seed)
            for fold in range(int(codes.max()) + 1)
        ]
        for codes in folds
    ]
    unknown = CrossFitted(folds, functions, np.zeros((len(test), len(test.channels))))
    return CrossFitted(folds, functions, unknown.effect(test.modifiers, np.arange(len(test))))
