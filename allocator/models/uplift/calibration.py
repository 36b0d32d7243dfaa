"""How far expected differences between customers come true, and what is kept of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from allocator.models.uplift.base import Codes, Estimated, FloatArray
from allocator.models.uplift.influence import mean_of, root_of_squares

MOST = 1.5  # of a deviation that is kept: means of cautious functions differ less than the truth does
UNSEEN = 0.25  # of what is kept: the slope of those a plan picks differs from that of all
ALIKE = 0.3  # standard deviation between the slopes of channels that one learner serves
FLAT = 1e-9  # of the spread of the gains: effects that vary less do not vary
SWEEPS = 6  # folds drawn apart are next to orthogonal: each takes off all but a hundredth of what is left


@dataclass(frozen=True, eq=False)
class Calibration:
    """What is kept of a learner's effects, per channel.

    Parameters
    ----------
    slope, slope_error : array, shape (k,)
        Of the gains on the effect's deviation from the mean of its stratum, with its standard error; 0 and
        infinite where the effect does not vary.
    kept : array, shape (k,)
        Share of a deviation that is kept: of the mean slope b of all channels
        ``b * max(0, 1 - se^2 / b^2)``, where b is above 1 ``1 + e * max(0, 1 - se^2 / e^2)`` with e = b - 1
        (the mean of cautious functions differs less than the truth does), at most 1.5;
        moved towards the channel's own as far as that is known.
    kept_error : array, shape (k,)
        Standard deviation of that share for draws, by what the slope leaves open, and a quarter of the share,
        as the slope of the customers a plan picks differs from that of all; 0 where nothing varies.
    centre : array, shape (n_strata, k)
        Mean effect of each stratum among the customers of the test.
    """

    slope: FloatArray
    slope_error: FloatArray
    kept: FloatArray
    kept_error: FloatArray
    centre: FloatArray

    def shrunk(self, effects: FloatArray, stratum: Codes) -> FloatArray:
        """Give the deviations a plan may be built on, shape (m, k): what is kept of them.

        Parameters
        ----------
        effects : array, shape (m, k)
            By the same learner, of customers of the test or of others.
        stratum : int array, shape (m,)
        """
        return np.asarray(self.kept * (effects - self.centre[stratum]))


@dataclass(frozen=True, eq=False)
class CalibrationTable:
    """Customers in groups by their expected effect, the lowest first; arrays of one length."""

    n: Codes
    predicted: FloatArray
    observed: FloatArray
    standard_error: FloatArray


def calibrate(
    effects: FloatArray,
    gains: FloatArray,
    stratum: Codes,
    cluster: Codes | None = None,
    folds: Codes | None = None,
) -> Calibration:
    """Learn from the gains how much of the effects' deviations comes true.

    Parameters
    ----------
    effects : array, shape (n, k)
        By functions that have not seen the customer.
    gains : array, shape (n, k)
        AIPW score of each channel minus that of control.
    stratum : int array, shape (n,)
        Effects are compared within it, as the means of strata are estimated elsewhere.
    cluster : int array, shape (n,), or None
        Customers assigned together.
    folds : int array, shape (repeats, n), or None
        By which effects were cross-fitted; they are compared within them, too. The level of a function is
        learned on the other folds: where it is high by luck, that of its own fold is low.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> effects = rng.normal(size=(4000, 1))
    >>> found = calibrate(effects, 0.5 * effects + rng.normal(size=(4000, 1)), np.zeros(4000, dtype=int))
    >>> found.slope.round(1).tolist(), found.kept.round(1).tolist()
    ([0.5], [0.5])
    """
    centre = stratum_means(effects, stratum)
    groups = _groups(stratum, folds)
    away, rest = _within(effects, groups), _within(gains, groups)
    slopes = [_slope(away[:, c], rest[:, c], groups, cluster) for c in range(effects.shape[1])]
    slopes = slopes if folds is None else [_twice_noisy(one) for one in slopes]
    slope = np.array([one.value for one in slopes])
    error = np.array([one.standard_error for one in slopes])
    kept = _pooled(slopes)
    return Calibration(
        slope,
        error,
        np.array([one.value for one in kept]),
        np.array([np.hypot(_kept_error(one), UNSEEN * one.value) for one in kept]),
        centre,
    )


def honest_slope(
    effects: FloatArray, gains: FloatArray, stratum: Codes, folds: Codes, cluster: Codes | None = None
) -> tuple[Estimated, ...]:
    """Give the calibration slope of the *shrunk* effects, one a channel, each fold shrunk by the others.

    1 means that what is kept comes true.

    Parameters
    ----------
    effects, gains, stratum, cluster
        As in :func:`calibrate`.
    folds : int array, shape (repeats, n)
        Clusters stay in one fold. What is kept is learned outside a fold of the first.

    Returns
    -------
    tuple of Estimated
        0 with an infinite error where nothing is kept.
    """
    shrunk = shrunk_by_others(effects, gains, stratum, folds, cluster)
    found = calibrate(shrunk, gains, stratum, cluster, folds)
    return tuple(map(Estimated, found.slope.tolist(), found.slope_error.tolist()))


def shrunk_by_others(
    effects: FloatArray, gains: FloatArray, stratum: Codes, folds: Codes, cluster: Codes | None = None
) -> FloatArray:
    """Give the deviations of each fold as the other folds let them stand, shape (n, k).

    Parameters are those of :func:`honest_slope`.
    """
    away = _within(effects, _groups(stratum, folds))
    shrunk = np.zeros(effects.shape)
    for fold in range(int(folds[0].max()) + 1):
        own, rest = folds[0] == fold, folds[0] != fold
        together = None if cluster is None else cluster[rest]
        learned = calibrate(effects[rest], gains[rest], stratum[rest], together, folds[:, rest])
        shrunk[own] = learned.kept * away[own]
    return shrunk


def calibration_table(
    effect: FloatArray, gain: FloatArray, groups: int = 10, cluster: Codes | None = None
) -> CalibrationTable:
    """Hold expected effects of one channel against the mean gains of customers alike.

    Parameters
    ----------
    effect, gain : array, shape (n,)
    groups : int
        Of about the same size; customers of equal effect stay together, so there may be fewer.
    cluster : int array, shape (n,), or None

    Examples
    --------
    >>> import numpy as np
    >>> table = calibration_table(np.array([0.1, 0.1, 0.3, 0.4]), np.array([0.0, 1.0, 1.0, 0.0]), groups=2)
    >>> table.n.tolist(), table.predicted.round(2).tolist(), table.observed.tolist()
    ([2, 2], [0.1, 0.35], [0.5, 0.5])
    """
    edges = np.unique(np.quantile(effect, np.linspace(0, 1, groups + 1)[1:-1], method="lower"))
    _, code = np.unique(np.searchsorted(edges, effect, side="left"), return_inverse=True)
    rows = [np.flatnonzero(code == group) for group in range(int(code.max()) + 1)]
    means = [mean_of(gain[at], None if cluster is None else cluster[at]) for at in rows]
    return CalibrationTable(
        n=np.array([len(at) for at in rows]),
        predicted=np.array([effect[at].mean() for at in rows]),
        observed=np.array([one.value for one in means]),
        standard_error=np.array([one.standard_error for one in means]),
    )


def stratum_means(values: FloatArray, stratum: Codes) -> FloatArray:
    """Give the mean of every column in every stratum, shape (strata, k); 0 for a stratum nobody is in.

    Examples
    --------
    >>> import numpy as np
    >>> stratum_means(np.array([[1.0], [3.0], [5.0]]), np.array([0, 0, 2])).ravel().tolist()
    [2.0, 0.0, 5.0]
    """
    count = np.maximum(np.bincount(stratum), 1)
    return np.column_stack([np.bincount(stratum, column) / count for column in values.T])


def _groups(stratum: Codes, folds: Codes | None) -> list[Codes]:
    """Give what effects are compared within: the strata, or the strata of each fold."""
    if folds is None:
        return [stratum]
    return [stratum * (int(fold.max()) + 1) + fold for fold in folds]


def _within(values: FloatArray, groups: Sequence[Codes]) -> FloatArray:
    """Take the means of all groups off; several groupings in turn, until nothing is left of them."""
    for _ in range(1 if len(groups) == 1 else SWEEPS):
        for group in groups:
            values = values - stratum_means(values, group)[group]
    return values


def _slope(away: FloatArray, rest: FloatArray, groups: Sequence[Codes], cluster: Codes | None) -> Estimated:
    """Regress what is left of gains on what is left of effects; robust, or clustered, error."""
    square = float(away @ away)
    if square <= len(away) * (FLAT * float(rest.std())) ** 2:
        return Estimated(0.0, float("inf"))
    slope = float(away @ rest) / square
    parts = away * (rest - slope * away) / square
    n, parameters = len(away), sum(len(np.unique(group)) for group in groups) + 1
    # root_of_squares corrects for the number of units; the parameters are left, as in HC1
    left = (n - 1) / max(n - parameters, 1)
    return Estimated(slope, root_of_squares(parts, cluster) * float(np.sqrt(left)))


def _twice_noisy(slope: Estimated) -> Estimated:
    """Widen the error by the share of the effects that is noise.

    That share, 1 - b, is noise of the other folds; each pair of folds meets twice, once as effect and once
    as gain, so its part of the variance is double.
    """
    noise = 1 - min(max(slope.value, 0.0), 1.0)
    return Estimated(slope.value, slope.standard_error * float(np.sqrt(1 + noise)))


def _pooled(slopes: Sequence[Estimated]) -> list[Estimated]:
    """Give what is kept of each channel's deviations, and how sure that is.

    One learner made them all, so their slopes are alike: each channel's own is drawn towards the mean of all
    by ``se^2 / (se^2 + ALIKE^2)``, and the mean towards 0, as far as it is noise.
    """
    known = [one for one in slopes if np.isfinite(one.standard_error)]
    if not known:
        return [Estimated(0.0, float("inf")) for _ in slopes]
    weight = np.array([1 / max(one.standard_error, 1e-12) ** 2 for one in known])
    mean = Estimated(
        float(weight @ [one.value for one in known] / weight.sum()), float(1 / np.sqrt(weight.sum()))
    )
    return [_towards(one, mean) for one in slopes]


def _towards(slope: Estimated, mean: Estimated) -> Estimated:
    error = slope.standard_error
    if not np.isfinite(error):
        return slope
    own = ALIKE**2 / (ALIKE**2 + error**2)
    kept = _kept(mean) + own * (slope.value - mean.value)
    unsure = (1 - own) * mean.standard_error**2 + own * error**2
    return Estimated(min(max(kept, 0.0), MOST), float(np.sqrt(unsure)))


def _kept(slope: Estimated) -> float:
    """Give the share of the mean slope that is kept: nothing of one within its error."""
    if slope.value <= slope.standard_error:
        return 0.0
    kept = min(slope.value, 1.0) * (1 - (slope.standard_error / slope.value) ** 2)
    beyond = slope.value - 1
    if beyond <= slope.standard_error:
        return kept
    return min(kept + beyond * (1 - (slope.standard_error / beyond) ** 2), MOST)


def _kept_error(slope: Estimated) -> float:
    """Spread of a normal cut to shares there can be: none is known worse than not at all."""
    value, error = slope.value, slope.standard_error
    if not np.isfinite(error):
        return 0.0
    low, high = np.clip([value - 8 * error, value + 8 * error], 0, MOST)
    share = np.linspace(low, high, 401)
    log = -0.5 * ((share - value) / max(error, 1e-12)) ** 2
    weight = np.exp(log - log.max())
    mean = weight @ share / weight.sum()
    return float(np.sqrt(weight @ (share - mean) ** 2 / weight.sum()))
