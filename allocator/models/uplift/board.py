"""The leaderboard of learners: whose effects, used as a plan would use them, come closest to the scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from allocator.models.uplift.base import Codes, CrossFitted, FloatArray
from allocator.models.uplift.calibration import Calibration, calibrate, shrunk_by_others
from allocator.models.uplift.influence import mean_of
from allocator.models.uplift.qini import cross_fitted_area

NEAR = 0.5
"""Standard errors within which two learners are level, and the simpler one is taken.

Less than the usual one: effects are shrunk anyway, so that a needless learner costs little, while the means
of the tiers throw away all that customers differ by.
"""
STEADY = 2.0
"""The same for the mean of several learners: one of them has to be clearly better, not just luckier."""
CLEAR = 1.645 * 2**0.5
"""Standard errors an area has to be above 0, for 95 % certainty of one side.

A ranking that is nothing but noise is noise of the other folds: each pair of folds meets twice, which doubles
the variance of its area.
"""


@dataclass(frozen=True)
class ChannelRow:
    """How one learner did on one channel.

    Parameters
    ----------
    channel : str
    qini, qini_error : float
        Area with its standard error, in units of the outcome per customer.
    slope, slope_error : float or None
        Of the calibration, before shrinkage; None where the learner tells nobody apart.
    kept : float
        Share of the differences between customers that is kept.
    """

    channel: str
    qini: float
    qini_error: float
    slope: float | None
    slope_error: float | None
    kept: float


@dataclass(frozen=True)
class BoardRow:
    """A learner on the leaderboard.

    Parameters
    ----------
    label : str
    complexity : int
        The lower the simpler.
    loss : float
        Mean squared distance of its shrunk effects from the scores, less that of the means of the tiers,
        in units of the scores' variance: below 0 it knows more than they do.
    behind, noise : float
        Loss above that of the best, and the standard error of this difference; 0 for the best.
    channels : tuple of ChannelRow
    near : float
        Standard errors within which it counts as level with the best.
    """

    label: str
    complexity: int
    loss: float
    behind: float
    noise: float
    channels: tuple[ChannelRow, ...]
    near: float = NEAR

    @property
    def is_level(self) -> bool:
        """Whether it cannot be told from the best."""
        return self.behind <= self.near * self.noise


@dataclass(frozen=True)
class Board:
    """How the learners did on customers they had not seen; plain data.

    Parameters
    ----------
    rows : tuple of BoardRow
        The best first.
    chosen : str
        Label of the learner that is used.
    reason : str
        Why.
    """

    rows: tuple[BoardRow, ...]
    chosen: str
    reason: str

    def row(self, label: str) -> BoardRow:
        """Give the row of a learner.

        Raises
        ------
        KeyError
            When it was not tried.
        """
        found = {one.label: one for one in self.rows}
        return found[label]


@dataclass(frozen=True, eq=False)
class Judge:
    """What learners are judged by: scores of customers none of the functions has seen.

    Parameters
    ----------
    gains : array, shape (n, k)
        AIPW score of each channel minus that of control.
    channels : tuple of str
    stratum : int array, shape (n,)
    folds : int array, shape (repeats, n)
        The share that is kept of a fold's differences is learned on the other folds.
    cluster : int array, shape (n,), or None
    """

    gains: FloatArray
    channels: tuple[str, ...]
    stratum: Codes
    folds: Codes
    cluster: Codes | None = None

    def calibration(self, effects: FloatArray) -> Calibration:
        """Learn from all customers what is kept of the effects."""
        return calibrate(effects, self.gains, self.stratum, self.cluster, self.folds)

    def losses(self, effects: FloatArray) -> FloatArray:
        """Give what every customer adds to the loss above that of the means of the tiers, shape (n,)."""
        count = np.maximum(np.bincount(self.stratum), 1)
        means = np.column_stack([np.bincount(self.stratum, one) / count for one in self.gains.T])
        rest = self.gains - means[self.stratum]
        shrunk = shrunk_by_others(effects, self.gains, self.stratum, self.folds, self.cluster)
        spread = np.maximum(rest.var(axis=0), 1e-300)
        return np.asarray((((rest - shrunk) ** 2 - rest**2) / spread).mean(axis=1))

    def rows(self, fitted: CrossFitted) -> tuple[ChannelRow, ...]:
        """Judge the ranking and the size of the effects, channel by channel."""
        found = self.calibration(fitted.out_of_fold)
        return tuple(self._row(fitted.by_draw, found, place) for place in range(len(self.channels)))

    def _row(self, by_draw: FloatArray, found: Calibration, place: int) -> ChannelRow:
        varies = bool(np.isfinite(found.slope_error[place]))
        ranking = by_draw[:, :, place] if varies else np.zeros(self.folds.shape)
        area = cross_fitted_area(self.gains[:, place], ranking, self.folds, self.cluster)
        return ChannelRow(
            channel=self.channels[place],
            qini=area.value,
            qini_error=area.standard_error,
            slope=float(found.slope[place]) if varies else None,
            slope_error=float(found.slope_error[place]) if varies else None,
            kept=float(found.kept[place]),
        )


def compare(
    judge: Judge, fitted: Mapping[str, CrossFitted], complexity: Mapping[str, int], steady: str = ""
) -> Board:
    """Rank learners by their loss, and take the simplest of those that are level with the best.

    Parameters
    ----------
    judge : Judge
    fitted : mapping of label to CrossFitted
    complexity : mapping of label to int
    steady : str
        Label of the mean of several learners: it is level with the best unless that is clearly better.
    """
    losses = {label: judge.losses(found.out_of_fold) for label, found in fitted.items()}
    best = min(losses, key=lambda label: (losses[label].mean(), complexity[label]))
    rows = []
    for label, found in fitted.items():
        gap = mean_of(losses[label] - losses[best], judge.cluster)
        loss = float(losses[label].mean())
        near = STEADY if label == steady else NEAR
        row = BoardRow(label, complexity[label], loss, gap.value, gap.standard_error, judge.rows(found), near)
        rows.append(row)
    rows.sort(key=lambda row: (row.loss, row.complexity))
    chosen = _simplest(rows)
    return Board(tuple(rows), chosen.label, _reason(chosen, rows, steady))


def fix(board: Board, label: str) -> Board:
    """Take the learner that was asked for, whatever the board says."""
    return replace(board, chosen=label, reason="it was named")


def _simplest(rows: Sequence[BoardRow]) -> BoardRow:
    return min((row for row in rows if row.is_level), key=lambda row: (row.complexity, row.loss))


def _reason(chosen: BoardRow, rows: Sequence[BoardRow], steady: str) -> str:
    if chosen is rows[0]:
        return "it comes closest to the scores of customers it has not seen"
    if chosen.label == steady:
        return "the mean of several learners follows noise least, and none of them is clearly better"
    return f"it is simpler than {rows[0].label} and no worse beyond noise"
