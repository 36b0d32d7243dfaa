"""Whether customers ranked by their expected uplift have more of it: Qini area, curve, uplift at the top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from allocator.models.uplift.base import Codes, Estimated, FloatArray
from allocator.models.uplift.influence import root_of_squares


@dataclass(frozen=True, eq=False)
class QiniCurve:
    """What contacting ever more customers, the best first, brings per customer there is.

    Parameters
    ----------
    share : array, shape (m,)
        Of the customers who are contacted.
    gain : array, shape (m,)
        In units of the outcome, per customer (contacted or not).
    standard_error : array, shape (m,)
        Of each point by itself: how much the uplift of just these customers is known.
    """

    share: FloatArray
    gain: FloatArray
    standard_error: FloatArray

    @property
    def at_random(self) -> FloatArray:
        """Gain when the same shares are drawn by lot, shape (m,)."""
        return np.asarray(self.share * self.gain[-1] / self.share[-1])


@dataclass(frozen=True, eq=False)
class _Order:
    """Customers from best to worst; those with the same ranking are one group."""

    group: Codes
    count: FloatArray
    before: FloatArray

    @classmethod
    def of(cls, ranking: FloatArray) -> _Order:
        _, group, count = np.unique(-ranking, return_inverse=True, return_counts=True)
        size = count.astype(np.float64)
        return cls(group, size, np.asarray(np.cumsum(size) - size, dtype=np.float64))

    @property
    def share(self) -> FloatArray:
        """Rank as a share, best first; groups share their mean rank."""
        return np.asarray((self.before + self.count / 2)[self.group] / len(self.group))

    def inside(self, share: float) -> FloatArray:
        """Probability of every customer to be among the top; the group at the edge is drawn by lot."""
        reached = np.clip((share * len(self.group) - self.before) / self.count, 0, 1)
        return np.asarray(reached[self.group])


def qini_area(gain: FloatArray, ranking: FloatArray, cluster: Codes | None = None) -> Estimated:
    """Give the area between the Qini curve and that of a ranking by lot.

    The mean of ``gain * (0.5 - F)``, F the share of customers ranked better. It does not change when the
    same is added to every gain, nor does its error.

    Parameters
    ----------
    gain : array, shape (n,)
        AIPW score of the channel minus that of control.
    ranking : array, shape (n,)
        Expected uplift by a model that has not seen the customer; equal values share their mean rank.
    cluster : int array, shape (n,), or None
        Customers assigned together.

    Returns
    -------
    Estimated
        In units of the outcome per customer. The error is that of a U-statistic by its projection
        (Hoeffding, 1948): ranks move with the sample, too.

    Examples
    --------
    >>> import numpy as np
    >>> area = qini_area(np.array([3.0, 1.0, 1.0, -1.0]), np.array([0.9, 0.5, 0.5, 0.1]))
    >>> area.value, round(area.standard_error, 3)
    (0.375, 0.144)
    """
    value, parts = _area(gain, ranking)
    return Estimated(value, root_of_squares(parts / len(gain), cluster))


def cross_fitted_area(
    gain: FloatArray, by_draw: FloatArray, folds: Codes, cluster: Codes | None = None
) -> Estimated:
    """Give the Qini area of a ranking by cross-fitted functions, each judged on its own fold alone.

    Functions of several folds are not ranked together, nor are draws of the folds averaged before: where a
    fold responds more by luck, the functions that have not seen it expect less of it, which would push the
    area of any ranking down. The mean over folds and draws is what one such function brings.

    Parameters
    ----------
    gain : array, shape (n,)
        AIPW score of the channel minus that of control.
    by_draw : array, shape (repeats, n)
        Expected uplift by functions that have not seen the customer.
    folds : int array, shape (repeats, n)
    cluster : int array, shape (n,), or None

    Examples
    --------
    >>> import numpy as np
    >>> gain, folds = np.array([3.0, 1.0, 1.0, -1.0]), np.array([[0, 1, 1, 0]])
    >>> cross_fitted_area(gain, np.array([[0.9, 7.0, 7.0, 0.1]]), folds).value
    0.25
    """
    areas, parts = np.zeros(len(folds)), np.zeros(len(gain))
    for draw, codes in enumerate(folds):
        for fold in range(int(codes.max()) + 1):
            own = np.flatnonzero(codes == fold)
            value, found = _area(gain[own], by_draw[draw, own])
            areas[draw] += value * len(own) / len(gain)
            parts[own] += found / len(folds)
    return Estimated(float(areas.mean()), root_of_squares(parts / len(gain), cluster))


def cross_fitted_curve(
    gain: FloatArray, by_draw: FloatArray, folds: Codes, cluster: Codes | None = None
) -> QiniCurve:
    """Give the Qini curve of a ranking by cross-fitted functions, each judged on its own fold alone.

    Parameters are those of :func:`cross_fitted_area`; the shares are every fiftieth.

    Examples
    --------
    >>> import numpy as np
    >>> gain, folds = np.array([3.0, 1.0, 1.0, -1.0]), np.array([[0, 1, 1, 0]])
    >>> curve = cross_fitted_curve(gain, np.array([[0.9, 7.0, 7.0, 0.1]]), folds)
    >>> float(curve.share[25]), curve.gain[[0, 25, 50]].tolist()
    (0.5, [0.0, 1.0, 1.0])
    """
    shares = np.linspace(0, 1, 51)
    groups = [
        (own, _Order.of(by_draw[draw, own]))
        for draw, codes in enumerate(folds)
        for own in (np.flatnonzero(codes == fold) for fold in range(int(codes.max()) + 1))
    ]
    gains, errors = np.zeros(len(shares)), np.zeros(len(shares))
    for i in range(1, len(shares)):
        parts = np.zeros(len(gain))
        for own, order in groups:
            inside = order.inside(shares[i])
            mean = inside @ gain[own] / inside.sum()
            gains[i] += inside @ gain[own]
            parts[own] += inside * (gain[own] - mean)
        errors[i] = root_of_squares(parts / len(gain) / len(folds), cluster)
    return QiniCurve(shares, gains / len(gain) / len(folds), errors)


def _area(gain: FloatArray, ranking: FloatArray) -> tuple[float, FloatArray]:
    """Give the area and what each customer moves it, around 0."""
    order, n = _Order.of(ranking), len(gain)
    own = gain * (0.5 - order.share)
    totals = np.bincount(order.group, gain, len(order.count))
    worse = totals.sum() - np.cumsum(totals) + totals / 2
    others = gain.mean() / 2 - worse[order.group] / n
    return float(own.mean()), own - own.mean() + others - others.mean()


def uplift_at(gain: FloatArray, ranking: FloatArray, share: float, cluster: Codes | None = None) -> Estimated:
    """Give the mean uplift among the best-ranked share of the customers.

    Parameters
    ----------
    gain, ranking, cluster
        As in :func:`qini_area`.
    share : float
        Above 0 and at most 1. Of equal ranking at its edge, all count in part.

    Examples
    --------
    >>> import numpy as np
    >>> uplift_at(np.array([3.0, 1.0, 1.0, -1.0]), np.array([0.9, 0.5, 0.5, 0.1]), 0.5).value
    2.0
    """
    inside = _Order.of(ranking).inside(share)
    mean = float(inside @ gain / inside.sum())
    parts = inside * (gain - mean) / inside.sum()
    return Estimated(mean, root_of_squares(parts, cluster))


def qini_curve(
    gain: FloatArray,
    ranking: FloatArray,
    points: Sequence[float] | FloatArray | None = None,
    cluster: Codes | None = None,
) -> QiniCurve:
    """Give the gain per customer when the best-ranked share of the customers is contacted.

    Parameters
    ----------
    gain, ranking, cluster
        As in :func:`qini_area`.
    points : sequence of float or None
        Increasing shares, the last of them 1; every hundredth where None.

    Examples
    --------
    >>> import numpy as np
    >>> curve = qini_curve(np.array([3.0, 1.0, 1.0, -1.0]), np.array([4.0, 3.0, 2.0, 1.0]), [0, 0.25, 1])
    >>> curve.gain.tolist(), curve.at_random.tolist()
    ([0.0, 0.75, 1.0], [0.0, 0.25, 1.0])
    """
    shares = np.linspace(0, 1, 101) if points is None else np.asarray(points, dtype=np.float64)
    order = _Order.of(ranking)
    gains, errors = np.zeros(len(shares)), np.zeros(len(shares))
    for i in np.flatnonzero(shares > 0):
        inside = order.inside(shares[i])
        mean = inside @ gain / inside.sum()
        gains[i] = inside @ gain / len(gain)
        errors[i] = root_of_squares(inside * (gain - mean) / len(gain), cluster)
    return QiniCurve(shares, gains, errors)
