"""The periods of a horizon: their names and days, the curve of one, and what carries over to the next."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from allocator.quantities import SpellingError, parse_date
from allocator.response.carryover import Carried, carried, carry_in_left, kept_matrix
from allocator.response.curve import FloatArray, ResponseCurve
from allocator.response.curves import ALL

__all__ = [
    "MOST_PERIODS",
    "Carried",
    "Period",
    "PeriodKind",
    "carried",
    "carry_in_left",
    "count_periods",
    "in_period",
    "kept_matrix",
    "periods_of",
    "place_of",
    "quarter_of",
    "season_index",
]

PeriodKind = Literal["none", "week", "month", "quarter"]

MOST_PERIODS = 60  # of a horizon: a year of weeks, five years of months


@dataclass(frozen=True)
class Period:
    """A part of the horizon in which money is decided on.

    Parameters
    ----------
    name : str
        ``2027-01``, ``2027-Q1``, ``2027-W05``, or ``all`` for the whole horizon.
    start, end : date
        First and last day within the horizon.
    share : float
        Of the horizon's days; the shares of all periods add to 1.
    """

    name: str
    start: date
    end: date
    share: float

    @property
    def n_days(self) -> int:
        """Days, the last one included."""
        return (self.end - self.start).days + 1

    def holds(self, day: date) -> bool:
        """Whether a day lies in the period."""
        return self.start <= day <= self.end


def periods_of(start: date, end: date, kind: PeriodKind = "none") -> tuple[Period, ...]:
    """Cut a horizon into weeks, months or quarters; the first and the last may be partial.

    Parameters
    ----------
    start, end : date
        First and last day of the horizon, `end` not before `start`.
    kind : {"none", "week", "month", "quarter"}
        Weeks are those of ISO 8601: they start on a Monday and belong to the year of their Thursday.

    Examples
    --------
    >>> [(p.name, p.n_days) for p in periods_of(date(2027, 1, 11), date(2027, 2, 28), "month")]
    [('2027-01', 21), ('2027-02', 28)]
    >>> periods_of(date(2027, 1, 1), date(2027, 1, 10), "week")[0].name
    '2026-W53'
    """
    n_days = (end - start).days + 1
    return tuple(
        Period(_name(first, kind), first, last, ((last - first).days + 1) / n_days)
        for first, last in _spans(start, end, kind)
    )


def count_periods(start: date, end: date, kind: PeriodKind) -> int:
    """Count the periods of a horizon without making them.

    Examples
    --------
    >>> count_periods(date(2027, 1, 31), date(2027, 3, 1), "month")
    3
    """
    if kind == "none":
        return 1
    if kind == "week":
        return (end.toordinal() - 1) // 7 - (start.toordinal() - 1) // 7 + 1
    months = 12 * (end.year - start.year) + end.month - start.month
    if kind == "month":
        return months + 1
    return 4 * (end.year - start.year) + (end.month - 1) // 3 - (start.month - 1) // 3 + 1


def place_of(periods: Sequence[Period], name: str) -> int | None:
    """Give the position of the period that has a name, or that holds a day; None where there is none.

    Examples
    --------
    >>> months = periods_of(date(2027, 1, 1), date(2027, 3, 31), "month")
    >>> place_of(months, "2027-02"), place_of(months, "2027-03-15"), place_of(months, "2027-04-01")
    (1, 2, None)
    """
    day = None
    with suppress(SpellingError):
        day = parse_date(name)
    fitting = (i for i, p in enumerate(periods) if p.name == name or (day is not None and p.holds(day)))
    return next(fitting, None)


def quarter_of(name: str) -> str | None:
    """Give the quarter a month (or a quarter) lies in; None for a week and for the whole.

    Examples
    --------
    >>> quarter_of("2027-02"), quarter_of("2027-Q1"), quarter_of("2027-W05")
    ('2027-Q1', '2027-Q1', None)
    """
    year, _, part = name.partition("-")
    if part.startswith("Q"):
        return name
    return f"{year}-Q{(int(part) + 2) // 3}" if part.isdecimal() else None


def season_index(periods: Sequence[Period], season: Mapping[str, float]) -> FloatArray:
    """Give the response of each period relative to the mean day, shape (n_periods,).

    Normalised by the days: ``sum(share * index) == 1``, so that proportional spend brings what it would
    bring without a season.

    Parameters
    ----------
    periods : sequence of Period
    season : mapping of str to float
        Period to index, above 0; 1 where absent.

    Examples
    --------
    >>> halves = periods_of(date(2027, 4, 1), date(2027, 9, 30), "quarter")
    >>> season_index(halves, {"2027-Q3": 3.0}).round(3).tolist()
    [0.499, 1.496]
    """
    index = np.array([season.get(period.name, 1.0) for period in periods])
    return np.asarray(index / (index @ np.array([period.share for period in periods])))


def in_period(curve: ResponseCurve, share: float, index: float = 1.0) -> ResponseCurve:
    """Give the curve of a period from the one of the whole horizon: ``index * share * V(s / share)``.

    Parameters
    ----------
    curve : ResponseCurve
        Of the whole horizon.
    share : float
        Of the horizon's days, above 0 and up to 1.
    index : float
        Response relative to the mean day (see `season_index`).

    Examples
    --------
    >>> year = ResponseCurve(np.array([0.0, 120.0]), np.array([0.0, 360.0]))
    >>> month = in_period(year, 1 / 12)
    >>> round(month.end, 9), round(float(month.at(5.0)), 9)
    (10.0, 15.0)
    """
    return curve.scaled(spend=share, value=share * index)


def _spans(start: date, end: date, kind: PeriodKind) -> Iterator[tuple[date, date]]:
    first = start
    while True:
        last = _last_day(first, end, kind)
        yield first, last
        if last == end:
            return
        first = date.fromordinal(last.toordinal() + 1)


def _last_day(day: date, end: date, kind: PeriodKind) -> date:
    """Give the last day of the period a day lies in, at most the end of the horizon."""
    if kind == "none":
        return end
    if kind == "week":
        # by ordinals: the last week of the calendar ends after its last day
        return date.fromordinal(min(day.toordinal() + 6 - day.weekday(), end.toordinal()))
    month = day.month if kind == "month" else 3 * ((day.month + 2) // 3)
    return min(date(day.year, month, monthrange(day.year, month)[1]), end)


def _name(day: date, kind: PeriodKind) -> str:
    if kind == "none":
        return ALL
    if kind == "week":
        year, week, _ = day.isocalendar()
        return f"{year:04d}-W{week:02d}"
    return f"{day.year:04d}-{day.month:02d}" if kind == "month" else f"{day.year:04d}-Q{(day.month + 2) // 3}"
