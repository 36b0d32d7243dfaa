"""Season and trend of a tier's baseline, and a value over a horizon spread over its periods.

The mean of a period is ``days * exp(trend * years + bend * years^2 + effect of the month)``, years from the
middle of the series, estimated by Poisson regression (statsmodels) with a free dispersion. It asks only that
the mean is right and that the variance grows with it, so periods without a purchase need no ``log(1 + y)``
(Santos Silva & Tenreyro 2006, "The Log of Gravity"). The bend keeps a growth that slows down, as that of
ageing customers, from hiding a season. A period known in part counts by its days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from allocator.errors import Finding
from allocator.models.base import FloatArray, fit_warning, impossible
from allocator.options import Options

Unit = Literal["week", "month", "quarter"]
Day = date | np.datetime64 | str
Days = NDArray[np.datetime64]

MONTHS = 12
MONTH_NAMES = "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
DAYS_PER_YEAR = 365.25
TWO_CYCLES = 730  # days
CHANCE = 0.05  # how often a season is seen where there is none
ONE_CYCLE = 365  # days
FLOOR = 1e-3  # of the mean, mixed into the series: the log of a month without any purchase is no number
MONTHS_PER = {"month": 1, "quarter": 3}
DAY = np.timedelta64(1, "D")
FIRST_MONDAY = np.datetime64("1970-01-05")


@dataclass(frozen=True, eq=False)
class FittedSeason:
    """Season and trend of a series.

    Parameters
    ----------
    index : array, shape (12,)
        What a day of January to December is worth, over that of a mean month; their mean is 1. Shrunk
        towards 1 by as much as the measured ones differ by chance.
    measured : array, shape (12,)
        The same before shrinking.
    standard_error : array, shape (12,)
        Of `measured`; infinite for a month without data.
    trend_per_year, trend_error : float
        Growth a year in the middle of the series, as a fraction, and its standard error; infinite where the
        data cannot tell.
    p_value : float
        How often a series without season differs as much between months; 1 where none is claimed.
    warnings : tuple of Finding
    """

    index: FloatArray
    measured: FloatArray
    standard_error: FloatArray
    trend_per_year: float
    trend_error: float
    p_value: float
    warnings: tuple[Finding, ...] = ()

    @property
    def is_noise(self) -> bool:
        """Whether the months differ by no more than chance."""
        return self.p_value > CHANCE


class Seasonality(Options):
    """Learns what share of a year's value falls on its months, and how fast a tier grows.

    The errors take periods as independent once season and trend are known.

    Examples
    --------
    >>> months = np.arange("2022-01", "2025-01", dtype="datetime64[M]")
    >>> in_december = np.where(np.arange(36) % 12 == 11, 2.0, 1.0)
    >>> fitted = Seasonality().fit(months, 100 * in_december * np.tile([9, 11, 10], 12))
    >>> bool(fitted.index[11] > 1.7), fitted.is_noise
    (True, False)
    """

    period: Literal["month", "week"] = "month"
    """What a value is the total of: a calendar month, or the seven days from its date on."""

    def fit(
        self,
        dates: ArrayLike,
        values: ArrayLike,
        *,
        first_day: Day | None = None,
        last_day: Day | None = None,
    ) -> FittedSeason:
        """Fit season and trend to the totals of periods.

        Parameters
        ----------
        dates : array of dates, shape (n,)
            Each period's first day (any day of a month), each period once, in any order. Periods may be
            missing.
        values : array, shape (n,)
            Revenue or purchases of each, 0 or more; NaN where unknown. First purchases are better left out
            where customers were won at some time of the year: they would look like a season.
        first_day, last_day : date, optional
            From when until when, both included, purchases are known: a period known in part counts by its
            days. Without them all periods are taken as complete.

        Raises
        ------
        DataError
            E315 where a value is negative, a period is there twice, or nothing was bought at all.
        """
        known = _known(_Periods.of(dates, values, self.period), first_day, last_day)
        if known.days.sum() < TWO_CYCLES:
            return _without_season(known)
        return _with_season(known)


@dataclass(frozen=True, eq=False)
class _Periods:
    """Periods in order of time: their first day, the day after their last one, and what they total."""

    start: Days
    end: Days
    values: FloatArray

    @classmethod
    def of(cls, dates: ArrayLike, values: ArrayLike, period: str) -> _Periods:
        """Give periods from what was given, or refuse it."""
        start, total = np.asarray(dates, dtype="datetime64[D]"), np.asarray(values, dtype=np.float64)
        if start.shape != total.shape or start.ndim != 1 or np.isnat(start).any():
            raise impossible(f"{start.size} dates and {total.size} values are no series of periods")
        start, end = _ends(start, period)
        order = np.argsort(start)
        start, end, total = start[order], end[order], total[order]
        if (start[1:] < end[:-1]).any():
            raise impossible(f"a {period} of the series is there twice")
        if (total < 0).any() or np.isinf(total).any() or not np.nansum(total) > 0:
            raise impossible("a series for season and trend has negative or infinite values, or only zeros")
        return cls(start, end, total)

    @property
    def days(self) -> FloatArray:
        """Length of each."""
        return np.asarray((self.end - self.start) / DAY)

    @property
    def years(self) -> FloatArray:
        """Middle of each, in years from the middle of all."""
        middle = (self.start - self.start[0]) / DAY + self.days / 2
        return np.asarray((middle - middle.mean()) / DAYS_PER_YEAR)

    def month_shares(self) -> FloatArray:
        """Give the part of each period that lies in January to December, shape (n, 12)."""
        shares = np.zeros((len(self.start), MONTHS))
        rows = np.repeat(np.arange(len(self.start)), self.days.astype(int))
        first = np.repeat(np.cumsum(self.days) - self.days, self.days.astype(int))
        day = self.start[rows] + (np.arange(len(rows)) - first.astype(int)) * DAY
        np.add.at(shares, (rows, _month(day)), 1.0)
        return np.asarray(shares / self.days[:, None])


def _ends(start: Days, period: str) -> tuple[Days, Days]:
    if period == "week":
        return start, start + 7 * DAY
    month = start.astype("datetime64[M]")
    return month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]")


def _day(day: Day) -> np.datetime64:
    days: Days = np.array([day], dtype="datetime64[D]")
    one: np.datetime64 = days[0]
    return one


def _month(day: Days) -> NDArray[np.int64]:
    """Give 0 for a day of January to 11 for one of December."""
    return np.asarray(day.astype("datetime64[M]").astype(np.int64) % MONTHS)


def _known(periods: _Periods, first_day: Day | None, last_day: Day | None) -> _Periods:
    """Cut the periods to the days that are known, and leave out those without one."""
    start, end = periods.start, periods.end
    if first_day is not None:
        start = np.maximum(start, _day(first_day))
    if last_day is not None:
        end = np.minimum(end, _day(last_day) + DAY)
    some = (end > start) & ~np.isnan(periods.values)
    if not periods.values[some].sum() > 0:
        raise impossible("a series for season and trend has no purchase in the days that are known")
    return _Periods(start[some], end[some], periods.values[some])


def _poisson(known: _Periods, columns: FloatArray) -> Any:  # noqa: ANN401 - of statsmodels
    """Fit a Poisson regression whose dispersion is that of its residuals."""
    import statsmodels.api as sm

    daily = known.values.sum() / known.days.sum()
    values = (1 - FLOOR) * known.values / daily + FLOOR * known.days
    model = sm.GLM(values, columns, family=sm.families.Poisson(), offset=np.log(known.days))
    return model.fit(scale="X2")


def _without_season(known: _Periods) -> FittedSeason:
    """Fit the trend alone."""
    few = fit_warning(
        f"season: {known.days.sum():.0f} days of data are less than two years: no season is claimed",
        "a trend, which needs a year, may be part of a season; give at least 730 days",
    )
    rate, error = 0.0, np.inf
    if known.days.sum() >= ONE_CYCLE and len(known.values) > 2:
        fitted = _poisson(known, np.column_stack([np.ones(len(known.days)), known.years]))
        rate, error = _growth(fitted.params[1], fitted.bse[1])
    flat, open_ = np.ones(MONTHS), np.full(MONTHS, np.inf)
    return FittedSeason(flat, flat.copy(), open_, rate, error, 1.0, (few,))


def _growth(coefficient: float, error: float) -> tuple[float, float]:
    """Give growth a year and its error from those of its log."""
    return float(np.expm1(coefficient)), float(np.exp(coefficient) * error)


def _with_season(known: _Periods) -> FittedSeason:
    """Fit season and trend together, and shrink the season."""
    shares = known.month_shares()
    seen = shares.sum(axis=0) > 0
    bend = known.years**2 - (known.years**2).mean()
    fitted = _poisson(known, np.column_stack([shares[:, seen], bend, known.years]))
    effect, covariance = fitted.params[:-2], fitted.cov_params()[:-2, :-2]
    level = np.exp(effect - effect.max())
    raw = level / level.mean()
    shrunk, p_value = _shrunk(raw, covariance, float(fitted.df_resid))
    jacobian = np.diag(raw) - np.outer(raw, raw) / len(raw)
    error = np.sqrt(np.diag(jacobian @ covariance @ jacobian.T).clip(0))
    rate, rate_error = _growth(fitted.params[-1], fitted.bse[-1])
    return FittedSeason(
        index=_all_months(shrunk, seen, 1.0),
        measured=_all_months(raw, seen, 1.0),
        standard_error=_all_months(error, seen, np.inf),
        trend_per_year=rate,
        trend_error=rate_error,
        p_value=p_value,
        warnings=tuple(_season_warnings(seen, p_value)),
    )


def _all_months(values: FloatArray, seen: NDArray[np.bool_], fill: float) -> FloatArray:
    """Give the values of the months seen among all twelve."""
    every = np.full(MONTHS, fill)
    every[seen] = values
    return every


def _season_warnings(seen: NDArray[np.bool_], p_value: float) -> list[Finding]:
    found = []
    if not seen.all():
        names = ", ".join(name for name, there in zip(MONTH_NAMES, seen, strict=True) if not there)
        found.append(fit_warning(f"season: no data of {names}: taken as mean months"))
    if p_value > CHANCE:
        found.append(fit_warning("season: the months differ by no more than chance, indices are close to 1"))
    return found


def _shrunk(raw: FloatArray, covariance: FloatArray, df: float) -> tuple[FloatArray, float]:
    """Shrink indices towards 1 by empirical Bayes, and test whether they differ.

    With deviations d ~ N(0, t^2 C + V), C the centring, ``E[d' V^+ d] = (k - 1) m + t^2 tr V^+`` gives t^2,
    with m = df / (df - 2) because V is estimated; then ``E[true | d] = t^2 C (t^2 C + V)^+ d``. V is that
    of months whose true index is 1: otherwise a low month would look surer than it is.
    """
    from scipy.stats import f

    k = len(raw)
    centring = np.eye(k) - 1 / k
    scale = np.sqrt(raw)
    noise = centring @ (covariance * np.outer(scale, scale)) @ centring
    if np.trace(noise) <= np.finfo(float).eps:  # without noise nothing is shrunk
        return raw, 1.0 if np.allclose(raw, 1) else 0.0
    precision = np.linalg.pinv(noise, hermitian=True)
    distance = float((raw - 1) @ precision @ (raw - 1))
    variance = max(0.0, distance - (k - 1) * df / (df - 2)) / float(np.trace(precision))
    if variance == 0:
        shrunk = np.ones(k)
    else:
        pull = variance * centring @ np.linalg.pinv(variance * centring + noise, hermitian=True)
        shrunk = np.maximum(1 + pull @ (raw - 1), 0)
    return np.asarray(shrunk / shrunk.mean()), float(f.sf(distance / (k - 1), k - 1, df))


@dataclass(frozen=True, eq=False)
class Spread:
    """A value in parts.

    Parameters
    ----------
    edges : array of datetime64[D], shape (k + 1,)
        First days of the periods, and the day after the last one.
    parts : array, shape (k,)
        What falls on each; they add to the whole.
    """

    edges: Days
    parts: FloatArray


def calendar_edges(start: Day, end: Day, unit: Unit = "month") -> Days:
    """Give the days at which calendar periods begin, the first and last cut to `start` and `end`.

    Weeks begin on Monday.

    Examples
    --------
    >>> calendar_edges("2026-01-15", "2026-03-31").astype(str).tolist()
    ['2026-01-15', '2026-02-01', '2026-03-01', '2026-03-31']
    """
    first, last = _day(start), _day(end)
    if not first < last:
        raise impossible(f"a horizon from {first} to {last} has no day")
    if unit == "week":
        begins = np.arange(first, last)
        begins = begins[(begins - FIRST_MONDAY) / DAY % 7 == 0]
    else:
        months = np.arange(first.astype("datetime64[M]"), last.astype("datetime64[M]") + 1)
        begins = months[months.astype(np.int64) % MONTHS_PER[unit] == 0].astype("datetime64[D]")
    inner = begins[(begins > first) & (begins < last)]
    return np.concatenate([[first], inner, [last]])


def spread(
    total: float,
    start: Day,
    end: Day,
    unit: Unit = "month",
    *,
    shares: ArrayLike | None = None,
    season: FittedSeason | None = None,
    decimals: int | None = None,
) -> Spread:
    """Spread a value expected over a horizon over its periods: timing times season, to the same total.

    Parameters
    ----------
    total : float
    start, end : date
        First day of the horizon, and the day after its last.
    unit : {"week", "month", "quarter"}
        Calendar periods; see :func:`calendar_edges`.
    shares : array, optional
        What the model of timing expects in each calendar month of the horizon, whatever `unit` is, in any
        scale: ``calendar_edges(start, end)`` are the months. Even by days where absent.
    season : FittedSeason, optional
    decimals : int, optional
        Round the parts to as many decimals. It is the running total that is rounded: the parts add to the
        rounded total exactly, and months to quarters.

    Raises
    ------
    DataError
        E315 where `shares` are not one number for each month, 0 or more and not all 0.

    Examples
    --------
    >>> spread(100, "2026-01-01", "2026-04-01", shares=[2, 1, 1], decimals=0).parts.tolist()
    [50.0, 25.0, 25.0]
    """
    months = calendar_edges(start, end)
    weight = _month_weights(months, shares)
    if season is not None:
        weight = weight * season.index[_month(months[:-1])]
    if not weight.sum() > 0:
        raise impossible("what is to be spread is worth nothing in every month of the horizon")
    edges = calendar_edges(start, end, unit)
    until = np.concatenate([[0.0], np.cumsum(weight)]) / weight.sum()
    until[-1] = 1.0
    running = total * np.interp((edges - edges[0]) / DAY, (months - months[0]) / DAY, until)
    if decimals is None:
        return Spread(edges, np.diff(running))
    units = np.rint(running * 10.0**decimals)
    return Spread(edges, np.diff(units) / 10.0**decimals)


def _month_weights(months: Days, shares: ArrayLike | None) -> FloatArray:
    if shares is None:
        return np.asarray(np.diff(months) / DAY)
    weight = np.asarray(shares, dtype=np.float64)
    if weight.shape != (len(months) - 1,) or not (np.isfinite(weight).all() and (weight >= 0).all()):
        raise impossible(
            f"shares of shape {weight.shape} for {len(months) - 1} months: one number each, not negative"
        )
    return weight
