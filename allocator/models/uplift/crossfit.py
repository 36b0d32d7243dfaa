"""Every customer judged by functions that have not seen him."""

from __future__ import annotations

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
    by_draw = np.zeros((len(folds), len(test), len(test.channels)))
    for draw, codes in enumerate(folds):
        for fold, function in enumerate(functions[draw]):
            by_draw[draw, codes == fold] = function.effect(test.modifiers[codes == fold])
    return CrossFitted(folds, functions, by_draw)
