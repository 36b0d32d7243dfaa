"""Reading: how durations and dates may be spelled in text."""

from __future__ import annotations

import re
from calendar import month_name, monthrange
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from allocator.errors import closest
from allocator.quantities.parse import SpellingError, plain_text, quoted

DAYS_PER_YEAR = 365.25

_DURATION = re.compile(r"(?P<count>\d+)\s*(?P<unit>[A-Za-z]+)", re.ASCII)
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)

DurationUnit = Literal["days", "weeks", "months", "years"]
_UNITS: dict[str, DurationUnit] = {
    f"{unit}{plural}": f"{unit}s"  # type: ignore[misc]
    for unit in ("day", "week", "month", "year")
    for plural in ("", "s")
}
_DAYS: dict[DurationUnit, float] = {
    "days": 1,
    "weeks": 7,
    "months": DAYS_PER_YEAR / 12,
    "years": DAYS_PER_YEAR,
}


@dataclass(frozen=True)
class Duration:
    """A whole number of days, weeks, months or years; a month is 365.25 / 12 days.

    Examples
    --------
    >>> Duration(6, "weeks").days, Duration(1, "years").months
    (42.0, 12.0)
    """

    count: int
    unit: DurationUnit

    @property
    def days(self) -> float:
        """Length in days."""
        return float(self.count * _DAYS[self.unit])

    @property
    def months(self) -> float:
        """Length in months of 365.25 / 12 days."""
        if self.unit == "years":
            return 12.0 * self.count
        return float(self.count) if self.unit == "months" else self.days / _DAYS["months"]

    def __str__(self) -> str:
        return f"{self.count} {self.unit if self.count != 1 else self.unit[:-1]}"


def parse_duration(value: object) -> Duration:
    """Read a duration: ``12 months``, ``6 weeks``, ``30 days``, ``1 year``.

    Examples
    --------
    >>> parse_duration("6 weeks")
    Duration(count=6, unit='weeks')
    """
    if isinstance(value, Duration):
        return value
    text = plain_text(value)
    match = _DURATION.fullmatch(text)
    if match is None:
        fix = (
            f"did you mean {text} months?"
            if text.isdigit()
            else "write 12 months, 6 weeks, 30 days or 1 year"
        )
        raise SpellingError(f"{quoted(text)} is not a duration", fix, "E108")
    unit = match["unit"].lower()
    if unit not in _UNITS:
        near = closest(unit, _UNITS, cutoff=0.6)
        fix = f"did you mean {match['count']} {near}?" if near else "units: days, weeks, months, years"
        raise SpellingError(f"{quoted(text)} has an unknown unit {quoted(match['unit'])}", fix, "E108")
    if not 0 < len(match["count"]) < 6 or int(match["count"]) == 0:
        raise SpellingError(f"{quoted(text)} is out of range: 1 to 99999", code="E106")
    return Duration(int(match["count"]), _UNITS[unit])


def parse_date(value: object) -> date:
    """Read an ISO date: ``2027-01-31``.

    Examples
    --------
    >>> parse_date("2027-01-31")
    datetime.date(2027, 1, 31)
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    text = plain_text(value)
    match = _DATE.fullmatch(text)
    if match is None:
        raise SpellingError(
            f"{quoted(text)} is not a date", "write year-month-day, such as 2027-01-31", "E107"
        )
    year, month, day = map(int, match.groups())
    if not (1 <= month <= 12 and year >= 1):
        raise SpellingError(f"{quoted(text)} is not a date: months run from 01 to 12", code="E107")
    last = monthrange(year, month)[1]
    if not 1 <= day <= last:
        raise SpellingError(
            f"{quoted(text)} is not a date: {month_name[month]} {year} has {last} days", code="E107"
        )
    return date(year, month, day)
