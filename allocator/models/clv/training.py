"""Past days to learn from: what was known of customers then, and what they bought after it.

Nothing later than the day of the past is read, and nothing later than a cut-off is told of it:

* a cut-off lies `weeks` or more before the end, so that what followed it is known in full;
* `weeks` is the wanted horizon, or a quarter of the log where that is shorter: what is learned of the first
  weeks is carried on by a model of purchase timing, which is better than learning from the few who were
  already customers three horizons ago;
* cut-offs are half of `weeks` apart, the latest as late as can be; each adds its customers as rows.

Columns that would mean something else today are left out, see :meth:`Training.lasting`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from allocator.customers.features import WINDOWS_WEEKS
from allocator.customers.past import Outcome, Past
from allocator.customers.summary import DAYS_PER_WEEK
from allocator.errors import DataError
from allocator.models.base import FloatArray, IntArray, impossible

if TYPE_CHECKING:
    import pandas as pd

LONGEST_SHARE = 0.25
CUT_OFFS = 4
STEP = 0.5
ORIGINS = 3
SHORTEST_WEEKS = 1.0
SEASONS_WEEKS = 52.0

GROWING = ("age_weeks", "recency_weeks", "since_last_weeks", "mean_gap_weeks", "gap_spread_weeks")
SEASONAL = ("first_month", "first_season")
OUTSIDE = 0.02


@dataclass(frozen=True, eq=False)
class Training:
    """Rows to learn from: customers at cut-offs, and what they then bought; arrays aligned with `table`.

    Parameters
    ----------
    table : DataFrame
        :func:`allocator.customers.features.features` at every cut-off, the earliest first.
    purchases, revenue : array, shape (rows,)
        Purchase days and money in the `weeks` after the cut-off.
    weeks : float
    origin : array of int, shape (rows,)
        Number of the row's cut-off, 0 for the earliest.
    """

    table: pd.DataFrame
    purchases: FloatArray
    revenue: FloatArray
    weeks: float
    origin: IntArray

    def __len__(self) -> int:
        return len(self.table)

    @property
    def outcome(self) -> Outcome:
        """What the rows' customers then bought."""
        return Outcome(self.purchases, self.revenue, self.weeks)

    def lasting(self, today: pd.DataFrame) -> list[str]:
        """Give the columns that mean today what they meant at the cut-offs.

        Left out are lengths of time (``age_weeks`` and the like) of which over 2 % of today's customers lie
        beyond all that was seen, sums over windows longer than the log was, the season of the first purchase
        where those seen span less than a year (it would stand for age), and columns there are not today.

        Parameters
        ----------
        today : DataFrame
            Features of the customers to forecast.
        """
        longest = min(self.table["age_weeks"].to_numpy()[self.origin == i].max() for i in set(self.origin))
        windows = [weeks for weeks in WINDOWS_WEEKS if weeks >= longest]
        left_out = {f"{what}_last_{weeks}_weeks" for what in ("purchases", "value") for weeks in windows}
        left_out |= {name for name in GROWING if self._is_new(name, today)}
        if np.ptp(self.table["age_weeks"].to_numpy()) < SEASONS_WEEKS:
            left_out |= set(SEASONAL)
        return [str(name) for name in self.table if name in today and name not in left_out]

    def _is_new(self, name: str, today: pd.DataFrame) -> bool:
        seen, now = self.table[name].dropna(), today[name].dropna()
        return len(seen) == 0 or bool(((now < seen.min()) | (now > seen.max())).mean() > OUTSIDE)


def training(past: Past, *, horizon_weeks: float, cut_offs: int = CUT_OFFS) -> Training:
    """Give rows to learn from, of customers at several cut-offs of the past.

    Parameters
    ----------
    past : Past
    horizon_weeks : float
        How far ahead a forecast is wanted.
    cut_offs : int
        How many; those before the first order are left out.

    Raises
    ------
    DataError
        E315 where the log is too short: a quarter of it is under a week.

    Examples
    --------
    >>> import pandas as pd
    >>> from allocator.customers.past import OrderLog
    >>> days = pd.to_datetime(["2026-01-01", "2026-02-12", "2026-02-20", "2026-02-26"])
    >>> orders = pd.DataFrame({"customer_id": list("abab"), "amount": 9.0, "ordered_on": days})
    >>> rows = training(OrderLog(orders).until(), horizon_weeks=2, cut_offs=2)
    >>> rows.weeks, rows.table.index.tolist(), rows.origin.tolist(), rows.revenue.tolist()
    (2.0, ['a', 'a', 'b'], [0, 1, 1], [0.0, 9.0, 9.0])
    """
    weeks = learned_weeks(past.weeks, horizon_weeks, LONGEST_SHARE)
    return _stacked([_at(past, weeks * (1 + STEP * place), weeks) for place in reversed(range(cut_offs))])


def rolling_origins(past: Past, *, horizon_weeks: float, origins: int = ORIGINS) -> list[Training]:
    """Give rows at cut-offs in order of time, the outcome of each known in full at the next.

    So a model that learned from the first ones is judged by the next as it would have been on that day.

    Raises
    ------
    DataError
        E315 where the log is too short.
    """
    weeks = learned_weeks(past.weeks, horizon_weeks, 1 / (origins + 1))
    found = [_at(past, weeks * (1 + place), weeks) for place in reversed(range(origins))]
    return [rows for rows in found if rows is not None]


def stacked(parts: Iterable[Training]) -> Training:
    """Give the rows of several cut-offs, in order of time, as one; the columns all of them have."""
    import pandas as pd

    some = list(parts)
    names = reduce(lambda left, right: left.intersection(right, sort=False), (p.table.columns for p in some))
    return Training(
        pd.concat([part.table[names] for part in some]),
        np.concatenate([part.purchases for part in some]),
        np.concatenate([part.revenue for part in some]),
        some[0].weeks,
        np.repeat(np.arange(len(some)), [len(part) for part in some]),
    )


def learned_weeks(log_weeks: float, horizon_weeks: float, longest_share: float) -> float:
    """Give how far ahead of its cut-offs a model learns, in whole days.

    Examples
    --------
    >>> learned_weeks(39, 39, 0.25), learned_weeks(200, 13, 0.25)
    (9.714285714285714, 13.0)
    """
    weeks = np.floor(min(horizon_weeks, log_weeks * longest_share) * DAYS_PER_WEEK) / DAYS_PER_WEEK
    if not weeks >= SHORTEST_WEEKS:
        raise impossible(
            f"a log of {log_weeks:.3g} weeks and a horizon of {horizon_weeks:.3g} leave {weeks:.2g} weeks "
            f"to learn from, and {SHORTEST_WEEKS:g} are needed"
        )
    return float(weeks)


def _stacked(parts: list[Training | None]) -> Training:
    some = [part for part in parts if part is not None]
    if not some:
        raise impossible("there was no customer yet at any day a model could learn from")
    return stacked(some)


def _at(past: Past, before: float, weeks: float) -> Training | None:
    """Give the rows of one cut-off; None where there was no customer yet."""
    then = past.earlier(before)
    try:
        customers = then.customers
    except DataError:
        return None
    bought = then.later(weeks).outcome_of(customers)
    origin = np.zeros(len(customers), dtype=np.int64)
    return Training(customers.features, bought.purchase_days, bought.revenue, weeks, origin)
