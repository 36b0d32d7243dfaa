"""The periods of a horizon: their names and days, the curve of one, and what carries over to the next.

With a carry-over the value of a period depends on its effective spend
``e[t] = keep * e[t-1] + (1 - keep) * x[t]`` (geometric adstock, normalised: steady spend x gives e = x).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np

from allocator.errors import Finding
from allocator.quantities import SpellingError, parse_date
from allocator.response.curve import CurveError, FloatArray, ResponseCurve, Shape, amount, outcome_at
from allocator.response.curves import ALL
from allocator.response.families import breakpoints

PeriodKind = Literal["none", "week", "month", "quarter"]

FADED = 1e-4  # of the effective spend: what is left of it below this no longer counts
MOST_PERIODS = 60  # of a horizon: a year of weeks, five years of months
MOST_BENDS = 2000  # of an echo: a carry-over near 100 % makes them by the ten thousand, as good as smooth
SAME_PLACE = 1e-9  # of the end: spends closer than this are one breakpoint


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


def kept_matrix(n: int, keep: float) -> FloatArray:
    """Give K with ``e = K @ x`` for effective spend e of n periods, shape (n, n), lower triangular.

    Parameters
    ----------
    n : int
        Periods.
    keep : float
        Share of the effect that reaches into the next period, at least 0 and below 1.

    Examples
    --------
    >>> kept_matrix(3, 0.5).tolist()
    [[0.5, 0.0, 0.0], [0.25, 0.5, 0.0], [0.125, 0.25, 0.5]]
    """
    _refuse_keep(keep)
    ages = np.subtract.outer(np.arange(n), np.arange(n))
    return np.asarray(np.where(ages >= 0, (1 - keep) * keep ** np.maximum(ages, 0.0), 0.0))


def carry_in_left(n: int, keep: float, before: float) -> FloatArray:
    """Give what is left in each period of the effective spend before the horizon, shape (n,), in money.

    Parameters
    ----------
    n : int
        Periods.
    keep : float
        Share of the effect that reaches into the next period.
    before : float
        Effective spend of the period before the horizon, in money.

    Examples
    --------
    >>> carry_in_left(3, 0.5, 80.0).tolist()
    [40.0, 20.0, 10.0]
    """
    _refuse_keep(keep)
    return np.asarray(before * keep ** (np.arange(n) + 1.0))


@dataclass(frozen=True)
class Carried:
    """The shape ``sum over w of shape(w * (before + spend)) - shape(w * before)``.

    Parameters
    ----------
    shape : Shape
    before : float
        Effective spend left over from before the horizon, in money.
    weights : tuple of float
        What is left of the effective spend in the period itself (1) and in each period after the horizon.
    """

    shape: Shape
    before: float
    weights: tuple[float, ...]

    def value(self, spend: FloatArray) -> FloatArray:
        """Incremental margin at an effective spend of `spend` beside what is left over."""
        total = np.zeros_like(np.asarray(spend, dtype=np.float64))
        for weight in self.weights:
            left_over = self.shape.value(np.asarray(weight * self.before))
            total = total + (self.shape.value(weight * (self.before + spend)) - left_over)
        return np.asarray(total)

    def marginal(self, spend: FloatArray) -> FloatArray:
        """Give the derivative of value at `spend`; may be infinite at 0 where nothing is left over."""
        total = np.zeros_like(np.asarray(spend, dtype=np.float64))
        for weight in self.weights:
            total = total + weight * self.shape.marginal(weight * (self.before + spend))
        return np.asarray(total)


def carried(curve: ResponseCurve, *, keep: float, before: float = 0.0, tail: bool = False) -> ResponseCurve:
    """Give a period's curve on the effective spend that comes from the plan's own money.

    Parameters
    ----------
    curve : ResponseCurve
        Value of a period against its effective spend.
    keep : float
        Share of the effect that reaches into the next period, at least 0 and below 1.
    before : float
        Effective spend in this period that is left over from before the horizon, in money. Its value is
        there without the plan and is not counted: ``V(before + s) - V(before)``.
    tail : bool
        Whether value after the horizon counts, as after the last period: in the k-th period after it
        ``keep**k`` of the effective spend is left, and brings what it would bring in this period.

    Returns
    -------
    ResponseCurve
        Exact; of a bounded curve the breakpoints are the union of all bends (of more than ``MOST_BENDS`` an
        even choice, exact at each). A bounded one ends where `curve` ends.

    Raises
    ------
    CurveError
        When what is left over reaches the end of a bounded curve (code E115).

    Notes
    -----
    Koyck (1954), Distributed Lags and Investment Analysis. Terms stop when less than ``FADED`` of the
    effective spend is left.

    Examples
    --------
    >>> curve = ResponseCurve(np.array([0.0, 100.0, 300.0]), np.array([0.0, 250.0, 450.0]))
    >>> later = carried(curve, keep=0.5, before=50.0)
    >>> later.spend.tolist(), later.value.tolist()
    ([0.0, 50.0, 250.0], [0.0, 125.0, 325.0])
    """
    _refuse_keep(keep)
    _refuse_before(curve, before)
    weights = _weights(keep) if tail else (1.0,)
    if before == 0 and len(weights) == 1:
        return curve
    if curve.shape is None:
        return _carried_points(curve, before, weights)
    return _carried_shape(curve, Carried(curve.shape, before, weights))


def _refuse_keep(keep: float) -> None:
    if not 0 <= keep < 1:
        raise CurveError(Finding("E115", None, f"a carry-over of {keep:g} is not from 0 up to below 1"))


def _refuse_before(curve: ResponseCurve, before: float) -> None:
    if not 0 <= before < np.inf:
        raise CurveError(Finding("E115", None, f"an effective spend of {before:g} cannot be left over"))
    if curve.bounded and before >= curve.end * (1 - SAME_PLACE):
        what = (
            f"money spent before the horizon leaves an effective spend of {amount(before)}, "
            f"and the curve ends at {amount(curve.end)}"
        )
        raise CurveError(Finding("E115", None, what, "lower carry_in, or give the curve further"))


def _weights(keep: float) -> tuple[float, ...]:
    """Give what is left of an effective spend in its own period and in those after it, until it has faded."""
    n = int(np.log(FADED) / np.log(keep)) + 1 if keep > 0 else 0
    weights = keep ** np.arange(n + 1, dtype=np.float64)
    return tuple(weights[weights >= FADED].tolist())


def _carried_points(curve: ResponseCurve, before: float, weights: Sequence[float]) -> ResponseCurve:
    spend = _bends(curve, before, weights)
    reading = _reading(curve, before, weights, spend)
    outcomes: dict[str, Any] = {name: known @ reading for name, known in curve.outcomes.items()}
    draws = None if curve.draws is None else curve.draws @ reading
    return ResponseCurve(spend, curve.value @ reading, draws=draws, **outcomes)


def _bends(curve: ResponseCurve, before: float, weights: Sequence[float]) -> FloatArray:
    """Give every spend at which one of the terms bends, with 0 and the end."""
    end = curve.end - before
    own, *echoes = [curve.spend / weight - before for weight in weights]
    later = np.concatenate([np.empty(0), *(echo[echo < end] for echo in echoes)])
    if len(later) > MOST_BENDS:
        later = np.sort(later)[:: len(later) // MOST_BENDS + 1]
    apart = SAME_PLACE * curve.end
    places = np.concatenate([own, later])
    inner = np.sort(places[(places > apart) & (places < end - apart)])
    first = np.diff(inner, prepend=-np.inf) > apart
    return np.concatenate([[0.0], inner[first], [end]])


def _reading(curve: ResponseCurve, before: float, weights: Sequence[float], spend: FloatArray) -> FloatArray:
    """Give M with ``rows of the curve @ M == rows of the carried one``, shape (n_breakpoints, n_spends).

    Every row (value, a draw, an outcome) is read between the breakpoints alike; `spend` starts with 0.
    """
    matrix = np.zeros((len(curve.spend), len(spend)))
    columns = np.arange(len(spend))
    for weight in weights:
        effective = weight * (before + spend)
        low = np.clip(np.searchsorted(curve.spend, effective, side="right") - 1, 0, len(curve.widths) - 1)
        share = np.clip((effective - curve.spend[low]) / curve.widths[low], 0.0, 1.0)
        matrix[low, columns] += 1 - share
        matrix[low + 1, columns] += share
    return np.asarray(matrix - matrix[:, :1])


def _carried_shape(curve: ResponseCurve, shape: Carried) -> ResponseCurve:
    """Sample a carried shape anew to the reach of the curve; what the breakpoints hold is interpolated."""
    spend = breakpoints(shape, curve.end)
    value = shape.value(spend)
    outcomes: dict[str, Any] = {
        name: sum(_outcome_beyond(curve, name, weight, shape.before, spend) for weight in shape.weights)
        for name in curve.outcomes
    }
    draws = None
    if curve.draws is not None:
        draws = value + (curve.draws - curve.value) @ _reading(curve, shape.before, shape.weights, spend)
    return ResponseCurve(spend, value, draws=draws, shape=shape, **outcomes)


def _outcome_beyond(
    curve: ResponseCurve, name: str, weight: float, before: float, spend: FloatArray
) -> FloatArray:
    """Give what `spend` adds to an outcome beside what is left over, when `weight` of both is left."""
    left_over = outcome_at(curve, name, np.asarray(weight * before))
    return np.asarray(outcome_at(curve, name, weight * (before + spend)) - left_over)


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
