"""AIPW scores: what each arm would bring each customer, right on average whatever the outcome model."""

from __future__ import annotations

import numpy as np

from allocator.models.uplift.base import Codes, ContactTest, FloatArray

PENALTY = 1.0  # of standardised coefficients, in rows


def arm_scores(test: ContactTest, folds: Codes, *, base: str = "linear", seed: int = 0) -> FloatArray:
    """Give the AIPW score of every arm, shape (n, k + 1)."""
    design = standardised(test.known_before)
    total = np.zeros((len(test), test.n_arms))
    for codes in folds:
        total += _once(test, design, codes)
    return total / len(folds)


def standardised(columns: FloatArray) -> FloatArray:
    spread = columns.std(axis=0)
    return (columns - columns.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def _once(test: ContactTest, design: FloatArray, codes: Codes) -> FloatArray:
    scores = np.zeros((len(test), test.n_arms))
    for arm in range(test.n_arms):
        own = test.arm == arm
        for fold in np.unique(codes):
            inside = codes == fold
            slope, level = ridge(design[own & ~inside], test.outcome[own & ~inside])
            scores[inside, arm] = level + design[inside] @ slope
        rest = (test.outcome - scores[:, arm]) / test.propensity[:, arm]
        scores[:, arm] += np.where(own, rest, 0.0)
    return scores


def ridge(design: FloatArray, outcome: FloatArray, penalty: float = PENALTY) -> tuple[FloatArray, float]:
    """Give slopes and level of a ridge regression."""
    if len(outcome) < 2:
        return np.zeros(design.shape[1]), float(outcome.mean()) if len(outcome) else 0.0
    centre, level = design.mean(axis=0), float(outcome.mean())
    away = design - centre
    gram = away.T @ away + penalty * np.eye(design.shape[1])
    slope = np.linalg.solve(gram, away.T @ (outcome - level))
    return slope, float(level - centre @ slope)
