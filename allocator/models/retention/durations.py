"""How long customers stayed, checked: whole periods, and whether the stay has ended."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from allocator.models.base import FloatArray, IntArray, impossible
from allocator.models.retention.base import whole_periods


@dataclass(frozen=True, eq=False)
class Durations:
    """Stays of customers observed for a period at least.

    Parameters
    ----------
    periods : array of int, shape (customers,)
        Observed, from 1 on.
    ended : array of bool, shape (customers,)
        Whether the customer left at the end of the last of them; False for one who is still there.
    used : array of bool
        Which of the rows given they are: one with 0 periods that has not ended tells nothing.
    """

    periods: IntArray
    ended: NDArray[np.bool_]
    used: NDArray[np.bool_]

    @property
    def last(self) -> int:
        """The longest stay that was observed."""
        return int(self.periods.max())

    def counts(self) -> tuple[FloatArray, FloatArray]:
        """Give the customers at risk in each of the periods 1 to `last`, and those who left in it."""
        seen = np.bincount(self.periods, minlength=self.last + 1)[1:]
        left = np.bincount(self.periods[self.ended], minlength=self.last + 1)[1:]
        at_risk = np.cumsum(seen[::-1])[::-1]
        return at_risk.astype(np.float64), left.astype(np.float64)


def durations(name: str, periods: ArrayLike, ended: ArrayLike) -> Durations:
    """Check stays of customers.

    Parameters
    ----------
    name : str
        Of the model, for errors.
    periods : array, shape (customers,)
        Whole periods from 0 on; who left in period 3 has 3.
    ended : array of bool or of 0 and 1, shape (customers,)

    Raises
    ------
    DataError
        E315 for anything else, for a stay that ended in period 0, or where nobody was observed.

    Examples
    --------
    >>> durations("kaplan_meier", [0, 2, 3], [0, 1, 0]).periods.tolist()
    [2, 3]
    """
    t, flags = whole_periods(periods), np.asarray(ended, dtype=np.float64)
    if t.ndim != 1 or t.shape != flags.shape:
        what = f"durations of shape {t.shape} and ends of shape {flags.shape} do not go together"
    elif not np.isin(flags, (0.0, 1.0)).all():
        what = "whether a customer has left is neither 0 nor 1"
    elif (flags[t == 0] == 1).any():
        what = "a customer left in period 0; count the period in which one leaves as well"
    elif not (t > 0).any():
        what = "no customer was observed for a period"
    else:
        return Durations(t[t > 0], flags[t > 0] == 1, t > 0)
    raise impossible(f"{name}: {what}")
