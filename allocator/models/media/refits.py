"""Draws by repeating the fit: residuals resampled in blocks, prior means drawn anew.

Both are moved at once, so a draw is the best fit to data and beliefs as uncertain as they are; were the model
linear, draws would be those of the posterior (randomise then optimise; Bardsley et al. 2014).
"""

from __future__ import annotations

import numpy as np

from allocator.models.base import FloatArray, IntArray
from allocator.models.media.problem import Problem, Solution, Theta

EVALUATIONS = 12
SMOOTH = 0.3  # share of a draw's deviation that is drawn anew, in standard deviations


def redrawn(
    problem: Problem,
    solution: Solution,
    counts: tuple[int, int, int],
    order: IntArray,
    rng: np.random.Generator,
) -> Theta:
    """Give parameters as uncertain as the fit.

    Parameters
    ----------
    problem : Problem
    solution : Solution
        Its best fit, from which each refit starts.
    counts : tuple of int
        Refits, draws, and periods in a block.
    order : int array, shape (c,)
        Rank of each channel's name: random numbers go by name, not by place.
    rng : numpy.random.Generator

    Returns
    -------
    Theta
        Arrays of shape (draws, c).
    """
    refits, draws, block = counts
    left = problem.residual(solution.theta)
    told = problem.without_baseline(problem.target) - left
    # a fit that has used up rows leaves less than the noise
    left = left.reshape(problem.spend.shape[1:]) * np.sqrt(problem.n_used / problem.n_free)
    packed = []
    for _ in range(refits):
        fresh = left[:, _blocks(left.shape[1], block, rng)].ravel()
        data = told + fresh - problem.basis @ (problem.basis.T @ fresh)
        own = rng.standard_normal((len(order), 4))[order].T.ravel()
        shift = np.append(own, rng.standard_normal())
        packed.append(problem.solve(solution.theta, data=data, shift=shift, most=EVALUATIONS).theta.pack())
    return Theta.unpack(_expanded(np.array(packed), draws, rng))


def _blocks(periods: int, block: int, rng: np.random.Generator) -> IntArray:
    """Give periods in blocks that begin anywhere, the first following the last."""
    begins = rng.integers(0, periods, -(-periods // block))
    return ((begins[:, None] + np.arange(block)) % periods).ravel()[:periods]


def _expanded(packed: FloatArray, draws: int, rng: np.random.Generator) -> FloatArray:
    """Give `draws` rows of the mean and covariance of the refits (West 1993, mixture models)."""
    mean, count = packed.mean(axis=0), packed.shape[1] // 4
    picked = rng.integers(0, len(packed), draws)
    kept = packed[picked] - mean
    fresh = rng.standard_normal((draws, len(packed))) @ (packed - mean) / np.sqrt(len(packed))
    rows = mean + np.sqrt(1 - SMOOTH**2) * kept + SMOOTH * fresh
    low = np.append(np.repeat([-np.inf, -np.inf, -np.inf, 0.0], count), -np.inf)
    return np.asarray(np.maximum(rows, low))
