"""How good a forecast was: error, order and ranking of customers, on numbers alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from allocator.errors import DataError, Finding
from allocator.models.base import FloatArray, IntArray
from allocator.models.newton import maximise

SMALLEST_CHANCE = 1e-15


def mae(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Mean absolute error.

    Examples
    --------
    >>> mae([1, 2, 3], [2, 2, 5])
    1.0
    """
    y, f = _pairs(actual, forecast)
    return float(np.abs(f - y).mean())


def rmse(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Root of the mean squared error.

    Examples
    --------
    >>> rmse([0, 0], [3, -3])
    3.0
    """
    y, f = _pairs(actual, forecast)
    return float(np.sqrt(((f - y) ** 2).mean()))


def r2(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Share of the variance that is explained, ``1 - sum((y - f)^2) / sum((y - mean)^2)``; NaN without any.

    Examples
    --------
    >>> r2([1, 2, 3], [1, 2, 2])
    0.5
    """
    y, f = _pairs(actual, forecast)
    return 1 - _ratio(((y - f) ** 2).sum(), ((y - y.mean()) ** 2).sum())


def brier(actual: ArrayLike, probability: ArrayLike) -> float:
    """Mean squared error of a probability (Brier 1950).

    Examples
    --------
    >>> brier([0, 1], [0.5, 1.0])
    0.125
    """
    y, p = _pairs(actual, probability)
    return float(((p - y) ** 2).mean())


def log_loss(actual: ArrayLike, probability: ArrayLike) -> float:
    """Mean of ``-log`` of the probability given to what happened; 0 and 1 count as 1e-15 from there.

    Examples
    --------
    >>> round(log_loss([1, 0], [0.5, 0.5]), 6)
    0.693147
    """
    y, p = _chances(actual, probability)
    p = np.clip(p, SMALLEST_CHANCE, 1 - SMALLEST_CHANCE)
    return float(-(y * np.log(p) + (1 - y) * np.log1p(-p)).mean())


def calibration_slope(actual: ArrayLike, probability: ArrayLike) -> float:
    """Slope of :func:`recalibration`: 1 is right, below 1 probabilities are too far from each other.

    Examples
    --------
    >>> round(calibration_slope([0] * 8 + [1] * 2 + [0] * 2 + [1] * 8, [0.2] * 10 + [0.8] * 10), 6)
    1.0
    """
    return recalibration(actual, probability)[1]


def calibration_intercept(actual: ArrayLike, probability: ArrayLike) -> float:
    """Intercept of :func:`recalibration`: 0 is right.

    Examples
    --------
    >>> round(calibration_intercept([0] * 6 + [1] * 4 + [0] * 2 + [1] * 8, [0.2] * 10 + [0.8] * 10), 4)
    0.4904
    """
    return recalibration(actual, probability)[0]


def recalibration(actual: ArrayLike, probability: ArrayLike) -> tuple[float, float]:
    """Intercept a and slope b of a logistic regression of what happened on the logit of its probability.

    ``log(q / (1 - q)) = a + b log(p / (1 - p))``, by maximum likelihood (Cox 1958); probabilities of 0 and 1
    count as 1e-15 from there. NaN where one kind of outcome is absent, where the probability does not vary,
    and where it tells the outcomes apart without error, so that no slope is the largest.

    Parameters
    ----------
    actual : array of bool, or of 0 and 1
    probability : array

    Examples
    --------
    >>> a, b = recalibration([0] * 8 + [1] * 2 + [0] * 2 + [1] * 8, [0.1] * 10 + [0.9] * 10)
    >>> round(b, 4)  # log(4) / log(9): they should have been .2 and .8
    0.6309
    """
    y, p = _chances(actual, probability)
    x = logit(p)
    did, did_not = x[y == 1], x[y == 0]
    if not (len(did) and len(did_not)) or did.min() >= did_not.max() or did.max() <= did_not.min():
        return float("nan"), float("nan")
    a, b = logistic(x, y)
    return a, b


def logit(probability: ArrayLike) -> FloatArray:
    """Give ``log(p / (1 - p))``; 0 and 1 count as 1e-15 from there.

    Examples
    --------
    >>> logit([0.5, 0.75]).round(4).tolist()
    [0.0, 1.0986]
    """
    p = np.clip(np.asarray(probability, dtype=np.float64), SMALLEST_CHANCE, 1 - SMALLEST_CHANCE)
    return np.log(p) - np.log1p(-p)


def logistic(x: FloatArray, target: FloatArray) -> tuple[float, float]:
    """Give a and b of ``1 / (1 + exp(-a - b x))`` closest to targets between 0 and 1, by likelihood.

    A maximum has to exist: some targets are between 0 and 1, or `x` does not tell those of 0 and 1 apart.

    Examples
    --------
    >>> a, b = logistic(np.array([0.0, 1.0]), np.array([0.5, 0.75]))
    >>> round(a, 6), round(b, 4)
    (0.0, 1.0986)
    """
    middle, spread = x.mean(), x.std() or 1.0
    columns = np.stack([np.ones(len(x)), (x - middle) / spread])

    def objective(theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        score = theta @ columns
        q = np.exp(-np.logaddexp(0.0, -score))
        value = target @ score - np.logaddexp(0.0, score).sum()
        return float(value), columns @ (target - q), -(columns * (q * (1 - q))) @ columns.T

    share = target.mean()
    a, b = maximise(objective, np.array([np.log(share / (1 - share)), 0.0])).theta
    return float(a - b * middle / spread), float(b / spread)


def survival_mape(actual_survival: ArrayLike, forecast_survival: ArrayLike) -> float:
    """Mean of ``|forecast / actual - 1|`` over periods.

    Period 0, in which everybody is there, and periods in which nobody is left are not counted; NaN without
    any other.

    Parameters
    ----------
    actual_survival, forecast_survival : array, shape (periods,)
        Shares of a cohort, from period 0 on.

    Examples
    --------
    >>> round(survival_mape([1.0, 0.8, 0.5, 0.0], [1.0, 0.84, 0.5, 0.1]), 6)
    0.025
    """
    y, f = _pairs(actual_survival, forecast_survival)
    if (y < 0).any() or (f < 0).any():
        raise DataError(Finding("E315", None, "a share of survivors is negative"))
    some = y[1:] > 0
    return _ratio(np.abs(f[1:][some] / y[1:][some] - 1).sum(), some.sum())


def total_error(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Error of the total as a share of the actual total; negative where the forecast is too low.

    Examples
    --------
    >>> round(total_error([40, 60], [50, 40]), 6)
    -0.1
    """
    y, f = _pairs(actual, forecast)
    return _ratio(f.sum() - y.sum(), y.sum())


def spearman(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Rank correlation, ties at their mean rank; NaN where one side does not vary.

    Examples
    --------
    >>> spearman([1, 2, 3, 4], [10, 20, 40, 30])
    0.8
    """
    y, f = _pairs(actual, forecast)
    a, b = (ranks(part) - (len(y) + 1) / 2 for part in (y, f))
    return _ratio(a @ b, np.sqrt((a @ a) * (b @ b)))


def normalised_gini(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Gini coefficient of `actual` in the order of `forecast`, over that of the perfect order.

    1 for the perfect order, 0 for none, -1 for the reverse. Customers with equal forecasts share what
    they are worth, whatever their order in the table.

    Examples
    --------
    >>> normalised_gini([0, 0, 1, 5], [0.1, 0.1, 0.3, 0.9])
    1.0
    """
    y, f = _pairs(actual, forecast)
    middle = (len(y) + 1) / 2
    return _ratio(y @ (ranks(f) - middle), y @ (ranks(y) - middle))


def auc(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Probability that a customer who did has a higher forecast than one who did not; ties count half.

    Parameters
    ----------
    actual : array of bool, or of numbers of which those above 0 did

    Examples
    --------
    >>> auc([0, 0, 1, 1], [0.1, 0.4, 0.4, 0.8])
    0.875
    """
    y, f = _pairs(actual, forecast)
    did = y > 0
    n_did = int(did.sum())
    pairs = n_did * (len(y) - n_did)
    return _ratio(ranks(f)[did].sum() - n_did * (n_did + 1) / 2, pairs)


def top_capture(actual: ArrayLike, forecast: ArrayLike, share: float = 0.1) -> float:
    """Part of the actual total that is with the `share` of customers forecast highest.

    Customers whose forecast equals that at the cut-off count with the part of them that fits.

    Examples
    --------
    >>> top_capture([6, 1, 2, 1], [9, 3, 2, 1], share=0.25)
    0.6
    """
    y, f = _pairs(actual, forecast)
    wanted = share * len(y)
    _, group = np.unique(-f, return_inverse=True)
    size = np.bincount(group).astype(np.float64)
    value = np.bincount(group, weights=y)
    taken = np.clip((wanted - (np.cumsum(size) - size)) / size, 0, 1)
    return _ratio(taken @ value, y.sum())


@dataclass(frozen=True, eq=False)
class DecileTable:
    """Mean actual and forecast of customers in groups of equal size, the highest forecasts first.

    Parameters
    ----------
    n : array of int, shape (groups,)
        Customers of each group.
    actual, forecast : array, shape (groups,)
        Their means.
    """

    n: IntArray
    actual: FloatArray
    forecast: FloatArray

    @property
    def mape(self) -> float:
        """Mean over groups of the error as a share of the actual mean; groups worth 0 are left out."""
        some = self.actual != 0
        if not some.any():
            return float("nan")
        return float(np.abs(self.forecast[some] / self.actual[some] - 1).mean())


def deciles(actual: ArrayLike, forecast: ArrayLike, groups: int = 10) -> DecileTable:
    """Compare actual and forecast in groups by forecast.

    Equal forecasts share their actual mean, so the table does not hang on the order of the customers.

    Examples
    --------
    >>> table = deciles([8, 4, 2, 0], [6, 4, 2, 1], groups=2)
    >>> table.actual.tolist(), table.forecast.tolist(), round(table.mape, 4)
    ([6.0, 1.0], [5.0, 1.5], 0.3333)
    """
    y, f = _pairs(actual, forecast)
    _, group = np.unique(f, return_inverse=True)
    y = (np.bincount(group, weights=y) / np.bincount(group))[group]
    order = np.argsort(-f, kind="stable")
    parts = [part for part in np.array_split(order, groups) if len(part)]
    return DecileTable(
        np.array([len(part) for part in parts]),
        np.array([y[part].mean() for part in parts]),
        np.array([f[part].mean() for part in parts]),
    )


def ranks(values: ArrayLike) -> FloatArray:
    """Rank from 1 on, ties at their mean rank.

    Examples
    --------
    >>> ranks([30, 10, 20, 20]).tolist()
    [4.0, 1.0, 2.5, 2.5]
    """
    _, group, size = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    last = np.cumsum(size)
    return np.asarray((last - (size - 1) / 2)[group])


def _pairs(actual: ArrayLike, forecast: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Give both as arrays of one length, or refuse what cannot be compared."""
    y, f = np.asarray(actual, dtype=np.float64), np.asarray(forecast, dtype=np.float64)
    if y.shape != f.shape or y.ndim != 1 or not len(y):
        what = f"actual values of shape {y.shape} and forecasts of shape {f.shape} cannot be compared"
    elif not (np.isfinite(y).all() and np.isfinite(f).all()):
        what = "an actual value or a forecast is not a finite number"
    else:
        return y, f
    raise DataError(Finding("E315", None, what))


def _chances(actual: ArrayLike, probability: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Give outcomes of 0 and 1 and their probabilities, or refuse those that are none."""
    y, p = _pairs(actual, probability)
    if not np.isin(y, (0.0, 1.0)).all():
        what = "an outcome is neither 0 nor 1"
    elif ((p < 0) | (p > 1)).any():
        what = "a probability is not between 0 and 1"
    else:
        return y, p
    raise DataError(Finding("E315", None, what))


def _ratio(part: float | FloatArray, whole: float | FloatArray) -> float:
    return float(part) / float(whole) if whole else float("nan")
