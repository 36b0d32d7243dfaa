"""How far expected differences between customers come true, and what is kept of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.models.uplift.base import Codes, Estimated, FloatArray
from allocator.models.uplift.influence import mean_of, root_of_squares

FLAT = 1e-9  # of the spread of the gains: effects that vary less do not vary


@dataclass(frozen=True, eq=False)
class Calibration:
    """What is kept of a learner's effects, per channel.

    Parameters
    ----------
    slope, slope_error : array, shape (k,)
        Of the gains on the effect's deviation from the mean of its stratum, with its standard error; 0 and
        infinite where the effect does not vary.
    kept : array, shape (k,)
        Share of a deviation that is kept: ``clip(b, 0, 1) * max(0, 1 - se^2 / b^2)``.
    kept_error : array, shape (k,)
        Standard deviation of that share by what the slope leaves open, for draws; 0 where nothing varies.
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
    effects: FloatArray, gains: FloatArray, stratum: Codes, cluster: Codes | None = None
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

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> effects = rng.normal(size=(4000, 1))
    >>> found = calibrate(effects, 0.5 * effects + rng.normal(size=(4000, 1)), np.zeros(4000, dtype=int))
    >>> found.slope.round(1).tolist(), found.kept.round(1).tolist()
    ([0.5], [0.5])
    """
    centre = _means(effects, stratum)
    away = effects - centre[stratum]
    slopes = [_slope(away[:, c], gains[:, c], stratum, cluster) for c in range(effects.shape[1])]
    slope = np.array([one.value for one in slopes])
    error = np.array([one.standard_error for one in slopes])
    kept = np.array([_kept(one) for one in slopes])
    return Calibration(slope, error, kept, np.array([_kept_error(one) for one in slopes]), centre)


def honest_slope(
    effects: FloatArray,
    gains: FloatArray,
    stratum: Codes,
    folds: Codes,
    cluster: Codes | None = None,
) -> tuple[Estimated, ...]:
    """Give the calibration slope of the *shrunk* effects, one a channel, each fold shrunk by the others.

    1 means that what is kept comes true.

    Parameters
    ----------
    effects, gains, stratum, cluster
        As in :func:`calibrate`.
    folds : int array, shape (n,)
        Clusters stay in one fold.

    Returns
    -------
    tuple of Estimated
        0 with an infinite error where nothing is kept.
    """
    shrunk = shrunk_by_others(effects, gains, stratum, folds, cluster)
    return tuple(
        _slope(shrunk[:, c] - _means(shrunk[:, [c]], stratum)[stratum, 0], gains[:, c], stratum, cluster)
        for c in range(effects.shape[1])
    )


def shrunk_by_others(
    effects: FloatArray,
    gains: FloatArray,
    stratum: Codes,
    folds: Codes,
    cluster: Codes | None = None,
) -> FloatArray:
    """Give the deviations of each fold as the other folds let them stand, shape (n, k).

    Parameters are those of :func:`honest_slope`.
    """
    shrunk = np.zeros(effects.shape)
    centre = _means(effects, stratum)
    for fold in range(int(folds.max()) + 1):
        own, rest = folds == fold, folds != fold
        groups = None if cluster is None else cluster[rest]
        learned = calibrate(effects[rest], gains[rest], stratum[rest], groups)
        shrunk[own] = learned.kept * (effects[own] - centre[stratum[own]])
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


def _means(values: FloatArray, stratum: Codes) -> FloatArray:
    """Mean of every column in every stratum; 0 for a stratum nobody is in."""
    count = np.maximum(np.bincount(stratum), 1)
    return np.column_stack([np.bincount(stratum, column) / count for column in values.T])


def _slope(away: FloatArray, gain: FloatArray, stratum: Codes, cluster: Codes | None) -> Estimated:
    """Regress on deviations with a level for each stratum; robust, or clustered, error."""
    rest = gain - _means(gain[:, None], stratum)[stratum, 0]
    square = float(away @ away)
    if square <= len(away) * (FLAT * float(rest.std())) ** 2:
        return Estimated(0.0, float("inf"))
    slope = float(away @ rest) / square
    parts = away * (rest - slope * away) / square
    n, parameters = len(away), len(np.unique(stratum)) + 1
    # root_of_squares corrects for the number of units; the parameters are left, as in HC1
    left = (n - 1) / max(n - parameters, 1)
    return Estimated(slope, root_of_squares(parts, cluster) * float(np.sqrt(left)))


def _kept(slope: Estimated) -> float:
    if slope.value <= slope.standard_error:
        return 0.0
    return min(slope.value, 1.0) * (1 - (slope.standard_error / slope.value) ** 2)


def _kept_error(slope: Estimated) -> float:
    """Spread of a normal cut to between 0 and 1: no share is known worse than not at all."""
    value, error = slope.value, slope.standard_error
    if not np.isfinite(error):
        return 0.0
    low, high = np.clip([value - 8 * error, value + 8 * error], 0, 1)
    share = np.linspace(low, high, 401)
    log = -0.5 * ((share - value) / max(error, 1e-12)) ** 2
    weight = np.exp(log - log.max())
    mean = weight @ share / weight.sum()
    return float(np.sqrt(weight @ (share - mean) ** 2 / weight.sum()))
