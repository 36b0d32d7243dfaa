"""What every survival curve tells: who is still there, and who stays on after any time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from allocator.errors import Finding
from allocator.models.base import FloatArray, IntArray, impossible


class Survival(ABC):
    """Shares of customers who are still there; periods are whole numbers, 0 the one customers start in."""

    @abstractmethod
    def survival(self, periods: ArrayLike) -> FloatArray:
        """Share of the customers of period 0 who are still there: ``S(0) = 1``, never rising."""

    def retention_rate(self, periods: ArrayLike) -> FloatArray:
        """Share of the customers of the period before who stay: ``r(t) = S(t) / S(t - 1)``, ``r(0) = 1``.

        0 where nobody was left before.
        """
        t = whole_periods(periods)
        return part_of(self.survival(t), self.survival(np.maximum(t - 1, 0)))

    def chance_to_stay(self, tenure: ArrayLike, periods: ArrayLike) -> FloatArray:
        """Probability to be there `periods` from now, of customers who are there now: ``S(t + h) / S(t)``.

        Parameters
        ----------
        tenure : array, shape (n,)
            Periods t since a customer's period 0.
        periods : array, shape (h,)

        Returns
        -------
        array, shape (n, h)
            Without an axis for what was given as one number.
        """
        now, ahead = whole_periods(tenure), whole_periods(periods)
        before = now.reshape(now.shape + (1,) * ahead.ndim)
        return part_of(self.survival(before + ahead), self.survival(before))


@dataclass(frozen=True, eq=False)
class KnownSurvival(Survival):
    """Curves known period by period up to a last one, beyond which they are refused.

    Parameters
    ----------
    known : array, shape (periods,) or (customers, periods)
        ``S(0), S(1), ...`` of all customers together, or of each.
    name : str
        Of the model, for errors.
    warnings : tuple of Finding

    Examples
    --------
    >>> curve = KnownSurvival(np.array([1.0, 0.8, 0.6]))
    >>> curve.retention_rate([1, 2]).tolist(), curve.chance_to_stay([0, 1], 1).tolist()
    ([0.8, 0.7499999999999999], [0.8, 0.7499999999999999])
    """

    known: FloatArray
    name: str = "survival"
    warnings: tuple[Finding, ...] = ()

    @property
    def last(self) -> int:
        """The last period that is known."""
        return int(self.known.shape[-1]) - 1

    def survival(self, periods: ArrayLike) -> FloatArray:
        """Share, or probability of every customer, still to be there.

        Parameters
        ----------
        periods : array, shape (...)

        Returns
        -------
        array, shape (...) or (customers, ...)

        Raises
        ------
        DataError
            E315 for a period after the last one that is known.
        """
        return np.asarray(self.known[..., self._within(whole_periods(periods))])

    def chance_to_stay(self, tenure: ArrayLike, periods: ArrayLike) -> FloatArray:
        """Probability to be there `periods` from now, of customers who are there now: ``S(t + h) / S(t)``.

        Parameters
        ----------
        tenure : array, shape (customers,)
            Periods t since a customer's period 0; of curves of each customer, aligned with them.
        periods : array, shape (h,)

        Returns
        -------
        array, shape (customers, h)
        """
        if self.known.ndim == 1:
            return super().chance_to_stay(tenure, periods)
        now, ahead = whole_periods(tenure), whole_periods(periods)
        if now.shape != self.known.shape[:1]:
            raise impossible(f"{self.name}: {len(self.known)} customers have {now.size} tenures")
        row = np.arange(len(now)).reshape((-1,) + (1,) * ahead.ndim)
        before = now.reshape(row.shape)
        return part_of(self.known[row, self._within(before + ahead)], self.known[row, self._within(before)])

    def _within(self, periods: IntArray) -> IntArray:
        if periods.size and int(periods.max()) > self.last:
            asked = int(periods.max())
            raise impossible(f"{self.name}: period {asked} is asked for, but the last known is {self.last}")
        return periods


def whole_periods(periods: ArrayLike) -> IntArray:
    """Give periods as whole numbers, or refuse those that are none.

    Examples
    --------
    >>> whole_periods([0, 3.0]).tolist()
    [0, 3]
    """
    t = np.asarray(periods, dtype=np.float64)
    if not (np.isfinite(t).all() and (t >= 0).all() and (t == np.floor(t)).all()):
        raise impossible("periods are not whole numbers of 0 or more")
    return t.astype(np.int64)


def part_of(share: FloatArray, whole: FloatArray) -> FloatArray:
    """Give ``share / whole``, 0 where the whole is."""
    whole = np.broadcast_to(whole, np.broadcast_shapes(share.shape, whole.shape))
    return np.divide(share, whole, out=np.zeros(whole.shape), where=whole > 0)
