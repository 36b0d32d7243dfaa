"""Season and trend against series whose truth is known; spreads against sums and days counted by hand."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.errors import DataError
from allocator.models.season import FittedSeason, Seasonality, calendar_edges, spread

WAVE = 1 + 0.4 * np.sin(np.arange(12) * np.pi / 6)
FLAT = np.ones(12)
YEARS = 3


def made_up_days(seed: int, season: np.ndarray, growth: float = 0.0, years: int = YEARS) -> pd.Series:
    """Revenue day by day: purchases by chance, each of an exponential value with mean 3."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2021-01-01", f"{2020 + years}-12-31", freq="D")
    rate = 4 * season[days.month - 1] * np.exp(growth * np.arange(len(days)) / 365.25)
    return pd.Series([rng.exponential(3, n).sum() for n in rng.poisson(rate)], index=days)


def by_month(days: pd.Series) -> pd.Series:
    return days.groupby(days.index.to_numpy().astype("datetime64[M]").astype("datetime64[D]")).sum()


def fit_months(days: pd.Series, **known: str) -> FittedSeason:
    months = by_month(days)
    return Seasonality().fit(months.index, months.to_numpy(), **known)


@pytest.fixture(scope="module")
def seasonal() -> list[FittedSeason]:
    return [fit_months(made_up_days(seed, WAVE, growth=0.3)) for seed in range(15)]


@pytest.fixture(scope="module")
def unseasonal() -> list[FittedSeason]:
    return [fit_months(made_up_days(seed, FLAT)) for seed in range(15)]


def test_a_season_is_recovered_within_its_errors(seasonal: list[FittedSeason]) -> None:
    z = np.array([(fitted.measured - WAVE) / fitted.standard_error for fitted in seasonal])
    assert 0.85 < np.mean(np.abs(z) < 1.96) <= 1
    assert 0.8 < np.sqrt(np.mean(z**2)) < 1.25
    for fitted in seasonal:
        assert not fitted.is_noise
        assert fitted.warnings == ()
        assert fitted.index.mean() == pytest.approx(1)


def test_a_trend_is_recovered_within_its_error(seasonal: list[FittedSeason]) -> None:
    z = np.array([(fitted.trend_per_year - np.expm1(0.3)) / fitted.trend_error for fitted in seasonal])
    assert np.mean(np.abs(z) < 2) >= 0.8
    assert np.abs(z).max() < 4
    assert np.mean([fitted.trend_per_year for fitted in seasonal]) == pytest.approx(np.expm1(0.3), abs=0.03)


def test_noise_is_no_season(unseasonal: list[FittedSeason]) -> None:
    assert np.mean([fitted.is_noise for fitted in unseasonal]) > 0.75
    far = [float(np.sqrt(np.mean((fitted.index - 1) ** 2))) for fitted in unseasonal]
    raw = [float(np.sqrt(np.mean((fitted.measured - 1) ** 2))) for fitted in unseasonal]
    assert np.mean(far) < 0.3 * np.mean(raw)
    noise = next(fitted for fitted in unseasonal if fitted.is_noise)
    assert "no more than chance" in noise.warnings[0].what


def test_a_clear_season_is_hardly_shrunk(seasonal: list[FittedSeason]) -> None:
    kept = [np.ptp(fitted.index) / np.ptp(fitted.measured) for fitted in seasonal]
    assert min(kept) > 0.9
    assert max(kept) <= 1.02


def test_ageing_customers_are_no_season_and_hide_none() -> None:
    fade = 1 / (1 + np.arange(36) / 4)
    months = np.datetime64("2021-01") + np.arange(36)
    rng = np.random.default_rng(1)
    flat = [Seasonality().fit(months, rng.poisson(300 * fade)) for _ in range(40)]
    assert np.mean([np.abs(fitted.index - 1) for fitted in flat]) < 0.04
    wave = [Seasonality().fit(months, rng.poisson(300 * fade * np.tile(WAVE, 3))) for _ in range(40)]
    assert not any(fitted.is_noise for fitted in wave)
    assert np.mean([np.sqrt(np.mean((fitted.index - WAVE) ** 2)) for fitted in wave]) < 0.1


def test_less_than_two_years_claim_no_season() -> None:
    days = made_up_days(1, WAVE, years=YEARS)
    fitted = fit_months(days[:"2022-11-30"])
    assert fitted.index.tolist() == [1.0] * 12
    assert fitted.is_noise
    assert fitted.warnings[0].code == "W404"
    assert "less than two years" in fitted.warnings[0].what
    assert not fit_months(days[:"2022-12-31"]).is_noise


def test_one_month_says_nothing_of_growth() -> None:
    fitted = Seasonality().fit([date(2026, 1, 1)], [10])
    assert (fitted.trend_per_year, fitted.trend_error) == (0.0, math.inf)


def test_months_known_in_part_count_by_their_days() -> None:
    days = made_up_days(2, FLAT)
    cut = days["2021-01-30":"2023-12-02"]
    right = fit_months(cut, first_day="2021-01-30", last_day="2023-12-02")
    wrong = fit_months(cut)
    assert np.abs(right.measured - 1).max() < 0.2
    assert wrong.measured[0] < 0.75


def test_weeks_tell_the_same_season() -> None:
    days = made_up_days(3, WAVE)
    weeks = days.resample("W-MON", label="left", closed="left").sum()
    fitted = Seasonality(period="week").fit(weeks.index, weeks, first_day="2021-01-01", last_day="2023-12-31")
    np.testing.assert_allclose(fitted.measured, fit_months(days).measured, atol=0.12)
    assert not fitted.is_noise


def test_gaps_zeros_and_order_are_no_trouble() -> None:
    months = by_month(made_up_days(4, WAVE, years=4))
    values = months.to_numpy().copy()
    values[[3, 17, 30]] = np.nan
    with_nan = Seasonality().fit(months.index, values)
    known = ~np.isnan(values)
    backwards = Seasonality().fit(months.index[known][::-1], values[known][::-1])
    np.testing.assert_allclose(with_nan.index, backwards.index)
    values[0::12] = 0.0
    closed = Seasonality().fit(months.index, values)
    assert closed.index[0] < 0.1
    assert closed.index.mean() == pytest.approx(1)


def test_a_month_without_data_is_a_mean_month() -> None:
    months = by_month(made_up_days(5, WAVE))
    no_july = months[months.index.month != 7]
    fitted = Seasonality().fit(no_july.index, no_july)
    assert fitted.index[6] == 1
    assert math.isinf(fitted.standard_error[6])
    assert "Jul" in fitted.warnings[0].what


@given(values=st.lists(st.sampled_from([0.0, 0.0, 1.0, 5.0, 1e7, np.nan]), min_size=1, max_size=40))
def test_no_series_breaks_it(values: list[float]) -> None:
    months = np.datetime64("2021-01") + np.arange(len(values))
    if not np.nansum(values) > 0:
        with pytest.raises(DataError, match="E315"):
            Seasonality().fit(months, values)
        return
    fitted = Seasonality().fit(months, values)
    assert np.isfinite(fitted.index).all()
    assert (fitted.index >= 0).all()
    assert fitted.index.mean() == pytest.approx(1)
    assert np.isfinite(fitted.trend_per_year)


@pytest.mark.parametrize(
    ("dates", "values"),
    [
        (["2026-01-01", "2026-01-20"], [1, 2]),
        (["2026-01-01", "2026-02-01"], [1, -2]),
        (["2026-01-01", "2026-02-01"], [1, np.inf]),
        (["2026-01-01"], [1, 2]),
        (["NaT"], [1]),
        ([], []),
    ],
)
def test_what_is_no_series_is_refused(dates: list[str], values: list[float]) -> None:
    with pytest.raises(DataError, match="E315"):
        Seasonality().fit(np.array(dates, dtype="datetime64[D]"), values)


def a_season(index: np.ndarray) -> FittedSeason:
    return FittedSeason(index, index, np.zeros(12), 0.0, 0.0, 0.0)


def test_edges_by_calendar() -> None:
    weeks = calendar_edges(date(2026, 1, 1), date(2026, 1, 20), "week")
    assert weeks.astype(str).tolist() == [
        "2026-01-01",
        "2026-01-05",
        "2026-01-12",
        "2026-01-19",
        "2026-01-20",
    ]
    quarters = calendar_edges("2026-02-10", "2027-01-01", "quarter")
    assert quarters.astype(str).tolist() == [
        "2026-02-10",
        "2026-04-01",
        "2026-07-01",
        "2026-10-01",
        "2027-01-01",
    ]


@given(
    total=st.floats(0, 1e9),
    first=st.integers(0, 700),
    length=st.integers(1, 900),
    seed=st.integers(0, 99),
)
def test_parts_add_to_the_total_and_months_to_quarters(
    total: float, first: int, length: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    start = np.datetime64("2026-01-01") + first
    end = start + length
    shares = rng.exponential(1, len(calendar_edges(start, end)) - 1)
    season = a_season(rng.gamma(9, 1 / 9, 12))
    found = {
        unit: spread(total, start, end, unit, shares=shares, season=season, decimals=2)
        for unit in ("week", "month", "quarter")
    }
    for part in found.values():
        assert round(math.fsum(part.parts) * 100) == round(total * 100)
        assert (part.parts >= 0).all()
    month, quarter = found["month"], found["quarter"]
    of_month = np.searchsorted(quarter.edges, month.edges[:-1], side="right") - 1
    in_cents = np.bincount(of_month, weights=np.rint(month.parts * 100))
    assert in_cents.tolist() == np.rint(quarter.parts * 100).tolist()
    unrounded = spread(total, start, end, shares=shares, season=season)
    assert math.fsum(unrounded.parts) == pytest.approx(total, rel=1e-12)


def test_a_part_is_timing_times_season() -> None:
    season = a_season(np.array([0.5, 1.5] + [1.0] * 10))
    found = spread(100, "2026-01-01", "2026-04-01", shares=[2, 2, 1], season=season)
    np.testing.assert_allclose(found.parts, [20, 60, 20])
    by_week = spread(100, "2026-01-01", "2026-04-01", "week", shares=[2, 2, 1], season=season)
    assert by_week.parts[0] == pytest.approx(20 * 4 / 31)


def test_without_timing_and_season_a_value_is_even_by_days() -> None:
    np.testing.assert_allclose(spread(365, "2026-01-01", "2027-01-01").parts[:3], [31, 28, 31])


@pytest.mark.parametrize("shares", [[1, 1], [1, -1, 1], [0, 0, 0], [1, np.nan, 1]])
def test_shares_that_cannot_be_are_refused(shares: list[float]) -> None:
    with pytest.raises(DataError, match="E315"):
        spread(100, "2026-01-01", "2026-04-01", shares=shares)


def test_a_horizon_without_a_day_is_refused() -> None:
    with pytest.raises(DataError, match="has no day"):
        calendar_edges("2026-01-01", "2026-01-01")
