"""Segments of customers found by a tree; the mean of each is drawn to that of all as far as it is noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from allocator.models.threads import one_thread
from allocator.models.uplift.base import Codes, ContactTest, FloatArray
from allocator.models.uplift.bases import Predict
from allocator.models.uplift.folds import fold_codes
from allocator.options import Options

SEGMENTS = 24  # of a tree, at most
LEAST, SHARE = 100, 60  # a segment has at least so many customers, or one in so many


@dataclass(frozen=True, eq=False)
class Segments:
    """Two ways to cut customers into segments, each with effects from customers it was not made from.

    Parameters
    ----------
    segment_of : tuple of functions
        Each gives the segment of customers from their modifiers.
    means : tuple of arrays, each of shape (segments, k)
        Shrunk mean effects of each segment.
    """

    segment_of: tuple[Predict, ...]
    means: tuple[FloatArray, ...]

    def effect(self, modifiers: FloatArray) -> FloatArray:
        """Give the effect of one contact by each channel, shape (m, k), in units of the outcome."""
        found = [
            means[segment(modifiers).astype(np.intp)]
            for segment, means in zip(self.segment_of, self.means, strict=True)
        ]
        return np.asarray(np.mean(found, axis=0))


class SegmentMeans(Options):
    """Means of the gains in segments, drawn to the mean of the channel by empirical Bayes.

    One regression tree for all channels (Breiman et al., 1984) cuts customers into segments by
    ``Gamma_ic - Gamma_i0``. It is honest (Athey & Imbens, 2016): grown on one half of the customers, its
    means come from the other half, and the other way round; the two are averaged. Each mean keeps
    ``tau^2 / (tau^2 + v)`` of its distance from the mean of the channel, ``v`` its squared standard error
    and ``tau^2`` the variance between segments (:func:`shrunk_means`).
    """

    name: Literal["segment_means"] = "segment_means"
    """Which learner this is."""
    complexity: ClassVar[int] = 3

    @property
    def label(self) -> str:
        """Name in a leaderboard."""
        return self.name

    def learn(self, test: ContactTest, scores: FloatArray, seed: int) -> Segments:
        """Cut by each half of the customers and average the gains of the other."""
        gains = scores[:, 1:] - scores[:, :1]
        (half,) = fold_codes(test, n_folds=2, repeats=1, seed=seed)
        cluster = np.arange(len(test)) if test.cluster is None else test.cluster
        segment_of, means = [], []
        for side in (0, 1):
            one, other = half == side, half != side
            cut = _grown(test.modifiers[one], gains[one], seed, least=max(LEAST, len(test) // SHARE))
            segment = cut(test.modifiers[other]).astype(np.intp)
            # the cut knows segments that none of the other half falls into
            size = int(max(segment.max(initial=0), cut(test.modifiers[one]).max(initial=0))) + 1
            segment_of.append(cut)
            means.append(shrunk_means(gains[other], segment, cluster[other], size))
        return Segments(tuple(segment_of), tuple(means))


def _grown(modifiers: FloatArray, gains: FloatArray, seed: int, least: int) -> Predict:
    from sklearn.tree import DecisionTreeRegressor

    spread = gains.std(axis=0)
    scaled = (gains - gains.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    tree = DecisionTreeRegressor(max_leaf_nodes=SEGMENTS, min_samples_leaf=least, random_state=seed)
    with one_thread():
        tree.fit(modifiers, scaled)
    return lambda wanted: np.asarray(tree.apply(wanted)) if len(wanted) else np.zeros(0)


def shrunk_means(gains: FloatArray, segment: Codes, cluster: Codes, size: int) -> FloatArray:
    """Give the mean gain of every segment, drawn to the mean of the channel.

    Parameters
    ----------
    gains : array, shape (n, k)
    segment : int array, shape (n,)
    cluster : int array, shape (n,)
        Customers with the same code were assigned together.
    size : int
        Number of segments; one that holds nobody gets the mean of the channel.

    Returns
    -------
    array, shape (size, k)

    Examples
    --------
    Segments that differ by no more than chance get one mean:

    >>> gains = np.array([[0.0], [2.0], [1.0], [3.0]])
    >>> shrunk_means(gains, np.array([0, 0, 1, 1]), np.arange(4), 2).ravel().tolist()
    [1.5, 1.5]
    """
    count = np.bincount(segment, minlength=size)
    filled = count > 0
    people = np.maximum(count, 1)[:, None]
    mean = np.column_stack([np.bincount(segment, one, size) for one in gains.T]) / people
    _, unit = np.unique(segment * (cluster.max() + 1) + cluster, return_inverse=True)
    of_unit = np.zeros(unit.max() + 1, dtype=np.intp)
    of_unit[unit] = segment
    kept = np.tile(gains.mean(axis=0), (size, 1))
    for c, rest in enumerate((gains - mean[segment]).T):
        squares = np.bincount(of_unit, np.bincount(unit, rest) ** 2, size)[:, None] / people
        # half its own spread, half that of all: a segment without a single sale seems to have none
        variance = ((squares + squares.T @ count / len(gains)) / 2 / people).ravel()[filled]
        factor = _kept(mean[filled, c], variance)
        kept[filled, c] += factor * (mean[filled, c] - kept[filled, c])
    return kept


def _kept(mean: FloatArray, variance: FloatArray) -> FloatArray:
    """Give the share of its deviation each mean keeps; ``tau^2`` by DerSimonian & Laird (1986)."""
    if len(mean) < 2 or not variance.any():
        return np.ones(len(mean))
    weight = 1 / variance
    centre = weight @ mean / weight.sum()
    beyond = weight @ (mean - centre) ** 2 - (len(mean) - 1)
    between = max(0.0, beyond / (weight.sum() - weight @ weight / weight.sum()))
    return np.asarray(between / (between + variance))
