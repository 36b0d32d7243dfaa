"""One split of one thing known of customers: a rule that can be said in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from allocator.models.uplift.base import Codes, ContactTest, FloatArray
from allocator.options import Options

CUTS = 8  # quantiles tried a column
LEAST = 0.02  # share of customers a side must have


@dataclass(frozen=True, eq=False)
class Split:
    """The rule of each channel; arrays of length k.

    Parameters
    ----------
    channels : tuple of str
    names : tuple of str
        The modifier each channel is split by.
    column : tuple of int
        Its place.
    cut : array
        Infinite where nothing can be split.
    above, below : array
        Mean gain of customers above the cut, and of the others.
    """

    channels: tuple[str, ...]
    names: tuple[str, ...]
    column: tuple[int, ...]
    cut: FloatArray
    above: FloatArray
    below: FloatArray

    def effect(self, modifiers: FloatArray) -> FloatArray:
        """Give the effect of one contact by each channel, shape (m, k), in units of the outcome."""
        if not self.names:
            return np.broadcast_to(self.below, (len(modifiers), len(self.below))).copy()
        return np.where(modifiers[:, list(self.column)] > self.cut, self.above, self.below)

    @property
    def text(self) -> str:
        """The rule in words, channel by channel."""
        return "; ".join(f"{channel}: {self._words(c)}" for c, channel in enumerate(self.channels))

    def _words(self, c: int) -> str:
        if not np.isfinite(self.cut[c]):
            return f"{self.below[c]:+.2g} for all"
        return f"{self.names[c]} > {self.cut[c]:.4g}: {self.above[c]:+.2g}, else {self.below[c]:+.2g}"


class Rule(Options):
    """For each channel the split of one modifier that takes most off the squared error of the gains.

    A regression tree of one split (Breiman et al., 1984) on ``Gamma_ic - Gamma_i0``; the cuts tried are
    quantiles.
    """

    name: Literal["rule"] = "rule"
    """Which learner this is."""
    complexity: ClassVar[int] = 2

    @property
    def label(self) -> str:
        """Name in a leaderboard."""
        return self.name

    def learn(self, test: ContactTest, scores: FloatArray, seed: int) -> Split:
        """Try every cut of every modifier, for each channel."""
        gains = scores[:, 1:] - scores[:, :1]
        mean = gains.mean(axis=0)
        k = gains.shape[1]
        best, cut, column = np.zeros(k), np.full(k, np.inf), np.zeros(k, dtype=np.intp)
        for place, values in enumerate(test.modifiers.T):
            cuts = _cuts(values)
            if len(cuts) == 0:
                continue
            taken = _taken_off(values, cuts, gains - mean)
            at = taken.argmax(axis=0)
            top = taken[at, np.arange(k)]
            better = top > best
            best, column = np.where(better, top, best), np.where(better, place, column)
            cut = np.where(better, cuts[at], cut)
        return _split(test, gains, column, cut)


def _cuts(values: FloatArray) -> FloatArray:
    """Give quantiles and the least value: rows above it are split off, so the largest is left out."""
    inner = np.quantile(values, np.linspace(0, 1, CUTS + 2)[:-1], method="lower")
    return np.asarray(np.unique(inner[inner < values.max()]))


def _taken_off(values: FloatArray, cuts: FloatArray, rest: FloatArray) -> FloatArray:
    """Give what each cut takes off the squared error, shape (cuts, k); 0 where a side is too small."""
    code = np.searchsorted(cuts, values, side="left")
    size = len(cuts) + 1
    below = np.cumsum(np.bincount(code, minlength=size))[:-1, None]
    total = np.column_stack([np.cumsum(np.bincount(code, one, size))[:-1] for one in rest.T])
    above = len(values) - below
    enough = np.minimum(below, above) >= LEAST * len(values)
    return np.asarray(np.where(enough, total**2 * (1 / below + 1 / np.maximum(above, 1)), 0.0))


def _split(test: ContactTest, gains: FloatArray, column: Codes, cut: FloatArray) -> Split:
    places = tuple(int(place) for place in column)
    above, below = gains.mean(axis=0), gains.mean(axis=0)
    middle = cut.copy()
    for c in np.flatnonzero(np.isfinite(cut)):
        values = test.modifiers[:, places[c]]
        high = values > cut[c]
        middle[c] = (cut[c] + values[high].min()) / 2
        above[c], below[c] = gains[high, c].mean(), gains[~high, c].mean()
    names = tuple(test.names[place] for place in places) if test.names else ()
    return Split(test.channels, names, places, middle, above, below)
