"""Fitted response curves of channels, with draws, and how the fit did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from allocator.errors import Finding
from allocator.models.base import FloatArray, impossible
from allocator.models.media.holdout import Holdout
from allocator.models.media.saturation import Family, relative, slope

CONCAVE = 1e-9  # of the largest marginal return: how far it may rise and still count as falling
POINTS = 200


@dataclass(frozen=True, eq=False)
class CurveDraws:
    """Equally likely curves of every channel.

    Parameters
    ----------
    family : {"hill", "log", "power"}
    level : array, shape (n, c)
        Log of what mean spend brings over the mean outcome.
    bend, exponent : array, shape (n, c)
        See :mod:`allocator.models.media.saturation`.
    size : array, shape (g,)
        Mean outcome of each group per period.
    pressure : array, shape (g, c)
        Pressure in a group, over the mean pressure, of one unit of money a period in all groups together.
    """

    family: Family
    level: FloatArray
    bend: FloatArray
    exponent: FloatArray
    size: FloatArray
    pressure: FloatArray

    def value(self, at: int, spend: FloatArray) -> FloatArray:
        """Give the outcome per period of channel number `at`, shape (n, len(spend))."""
        total = np.zeros((len(self.level), len(spend)))
        for size, unit in zip(self.size, self.pressure[:, at], strict=True):
            total += size * relative(self.family, unit * spend, self._bend(at), self._exponent(at))
        return np.asarray(total * np.exp(self.level[:, at, None]))

    def marginal(self, at: int, spend: FloatArray) -> FloatArray:
        """Give the outcome of the next unit of money, shape (n, len(spend))."""
        total = np.zeros((len(self.level), len(spend)))
        for size, unit in zip(self.size, self.pressure[:, at], strict=True):
            if unit > 0:
                bends = self._bend(at), self._exponent(at)
                total += size * unit * slope(self.family, unit * spend, *bends)
        return np.asarray(total * np.exp(self.level[:, at, None]))

    def _bend(self, at: int) -> FloatArray:
        return self.bend[:, at, None]

    def _exponent(self, at: int) -> FloatArray:
        return self.exponent[:, at, None]


@dataclass(frozen=True)
class Calibration:
    """How an experiment and a history agreed on a channel.

    Parameters
    ----------
    channel : str
    spend_per_period : float
        Where they were compared.
    history, history_error : float
        Outcome per period by the history's curve, and its standard deviation over draws.
    experiment, experiment_error : float
        By the experiment.
    combined : float
        What the calibrated curve gives.
    """

    channel: str
    spend_per_period: float
    history: float
    history_error: float
    experiment: float
    experiment_error: float
    combined: float

    @property
    def apart(self) -> float:
        """Difference in its standard errors: above 2 in size they contradict each other."""
        return float((self.experiment - self.history) / np.hypot(self.history_error, self.experiment_error))


@dataclass(frozen=True, eq=False)
class MediaFit:
    """What each channel brings, learned from spend history.

    Parameters
    ----------
    channels : tuple of str
        c of them.
    decay : array, shape (c,)
        Share of the pressure left after a period, as estimated.
    parameters : mapping of channel to mapping of name to float
        As estimated: `decay`; `half_saturation` of Hill, `scale` of log (money per period over all groups)
        or `power`; `exponent`; `share`, what mean spend brings over the mean outcome.
    current : array, shape (c,)
        Mean spend per period over all groups in the last year, or in all periods where there are fewer.
    highest : array, shape (c,)
        Largest pressure seen, over all groups: a steady spend beyond it is extrapolation.
    curves : CurveDraws
        What values and marginal returns are made of.
    holdout : Holdout
        How the fit of the first 80 % of the periods tells the rest.
    findings : tuple of Finding
        What the history cannot tell apart.
    fitted, baseline : array, shape (g, t)
        What the estimate says came, and what would have come without media.
    contribution : array, shape (g, t, c)
        ``fitted - baseline`` by channel.
    noise : float
        Standard deviation of the outcome around the fit, over the mean outcome of a group.
    calibrations : tuple of Calibration
        By experiments on the same channels.
    """

    channels: tuple[str, ...]
    decay: FloatArray
    parameters: Mapping[str, Mapping[str, float]]
    current: FloatArray
    highest: FloatArray
    curves: CurveDraws
    holdout: Holdout
    findings: tuple[Finding, ...]
    fitted: FloatArray
    baseline: FloatArray
    contribution: FloatArray
    noise: float
    calibrations: tuple[Calibration, ...] = ()

    def value(self, channel: str, spend_per_period: ArrayLike) -> FloatArray:
        """Give the expected outcome per period of a steady spend: exactly the mean of `value_draws`.

        Parameters
        ----------
        channel : str
        spend_per_period : array, shape (k,)
            Money per period over all groups, split over them as in the last year.

        Returns
        -------
        array, shape (k,)
            In the unit of the outcome; 0 for no spend.
        """
        return np.asarray(self.value_draws(channel, spend_per_period).mean(axis=0))

    def value_draws(self, channel: str, spend_per_period: ArrayLike) -> FloatArray:
        """Give equally likely values, shape (n, k); rows of the same number go together over channels."""
        return self.curves.value(self.place(channel), _money(spend_per_period))

    def marginal(self, channel: str, spend_per_period: ArrayLike) -> FloatArray:
        """Give the expected outcome of the next unit of money: the mean of `marginal_draws`, shape (k,)."""
        return np.asarray(self.marginal_draws(channel, spend_per_period).mean(axis=0))

    def marginal_draws(self, channel: str, spend_per_period: ArrayLike) -> FloatArray:
        """Give equally likely marginal returns, shape (n, k); very large at 0 for a power."""
        return self.curves.marginal(self.place(channel), _money(spend_per_period))

    def is_concave(self, channel: str) -> bool:
        """Whether the expected curve is concave up to twice the highest pressure seen."""
        at = self.place(channel)
        if (self.curves.exponent[:, at] <= 1).all():
            return True
        steps = self.marginal(channel, np.linspace(0, 2 * self.highest[at], POINTS))
        return bool((np.diff(steps) <= CONCAVE * steps.max()).all())

    def place(self, channel: str) -> int:
        """Give the number of a channel; E315 where no curve was fitted for it."""
        if channel not in self.channels:
            raise impossible(f"no curve was fitted for {channel!r}: there are {', '.join(self.channels)}")
        return self.channels.index(channel)


def _money(spend: ArrayLike) -> FloatArray:
    money = np.atleast_1d(np.asarray(spend, dtype=np.float64))
    if not (money >= 0).all():
        raise impossible("a curve is asked about a spend that is negative or missing")
    return money
