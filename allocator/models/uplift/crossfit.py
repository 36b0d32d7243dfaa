"""Every customer judged by functions that have not seen him."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.models.uplift.base import Codes, ContactTest, CrossFitted, FloatArray, UpliftLearner


def cross_fit(
    learner: UpliftLearner, test: ContactTest, scores: FloatArray, folds: Codes, *, seed: int
) -> CrossFitted:
    """Fit a learner without each fold in turn, for every draw of the folds.

    Parameters
    ----------
    learner : UpliftLearner
    test : ContactTest
    scores : array, shape (n, k + 1)
        As :func:`allocator.models.uplift.scores.arm_scores` gives them on the same folds.
    folds : int array, shape (repeats, n)
    seed : int
    """
    functions = tuple(
        tuple(
            learner.learn(test.pick(codes != fold), scores[codes != fold], seed)
            for fold in range(int(codes.max()) + 1)
        )
        for codes in folds
    )
    found = CrossFitted(folds, functions, np.zeros((len(test), len(test.channels))))
    return replace(found, out_of_fold=found.effect(test.modifiers, np.arange(len(test))))
