from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.response.curve import CurveError, ResponseCurve
from allocator.response.families import FAMILIES, Hill, Log, Power
from allocator.response.periods import (
    carried,
    carry_in_left,
    count_periods,
    in_period,
    kept_matrix,
    periods_of,
    quarter_of,
    season_index,
)

KINDS = ("none", "week", "month", "quarter")
DAYS = st.dates(date(1999, 1, 1), date(2040, 12, 31))
SPEND = np.array([0.0, 100.0, 300.0, 600.0])
VALUE = np.array([0.0, 250.0, 450.0, 510.0])
DRAWS = np.array([[0.0, 350.0, 500.0, 500.0], [0.0, 150.0, 400.0, 520.0]])
POINTS = ResponseCurve(SPEND, VALUE, draws=DRAWS, revenue=3 * VALUE, conversions=SPEND / 20)


def names(start: str, end: str, kind: str) -> list[str]:
    found = periods_of(date.fromisoformat(start), date.fromisoformat(end), kind)  # type: ignore[arg-type]
    return [period.name for period in found]


def test_names_of_periods() -> None:
    assert names("2026-11-15", "2027-02-01", "month") == ["2026-11", "2026-12", "2027-01", "2027-02"]
    assert names("2026-12-31", "2027-04-01", "quarter") == ["2026-Q4", "2027-Q1", "2027-Q2"]
    assert names("2027-01-01", "2027-01-11", "week") == ["2026-W53", "2027-W01", "2027-W02"]
    assert names("2024-12-29", "2025-01-06", "week") == ["2024-W52", "2025-W01", "2025-W02"]
    assert names("2027-01-01", "2027-12-31", "none") == ["all"]


def test_partial_periods_count_their_days() -> None:
    first, middle, last = periods_of(date(2027, 1, 31), date(2027, 3, 2), "month")
    assert (first.start, first.end, first.n_days) == (date(2027, 1, 31), date(2027, 1, 31), 1)
    assert (middle.start, middle.end, middle.n_days) == (date(2027, 2, 1), date(2027, 2, 28), 28)
    assert (last.n_days, last.share) == (2, 2 / 31)
    assert last.holds(date(2027, 3, 2))
    assert not last.holds(date(2027, 3, 3))


@given(DAYS, st.integers(0, 800), st.sampled_from(KINDS))
def test_periods_cover_the_horizon_once(start: date, more: int, kind: str) -> None:
    end = start + timedelta(more)
    periods = periods_of(start, end, kind)  # type: ignore[arg-type]
    assert (periods[0].start, periods[-1].end) == (start, end)
    for one, following in pairwise(periods):
        assert following.start == one.end + timedelta(1)
    assert len({period.name for period in periods}) == len(periods)
    assert len(periods) == count_periods(start, end, kind)  # type: ignore[arg-type]
    assert sum(period.share for period in periods) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_the_ends_of_the_calendar_are_days_like_others(kind: str) -> None:
    assert periods_of(date.max, date.max, kind)[0].n_days == 1  # type: ignore[arg-type]
    assert periods_of(date.min, date.min, kind)[0].n_days == 1  # type: ignore[arg-type]


@given(DAYS, st.integers(0, 800))
def test_months_add_to_quarters(start: date, more: int) -> None:
    end = start + timedelta(more)
    days: dict[str | None, int] = {}
    for month in periods_of(start, end, "month"):
        days[quarter_of(month.name)] = days.get(quarter_of(month.name), 0) + month.n_days
    assert days == {quarter.name: quarter.n_days for quarter in periods_of(start, end, "quarter")}


def test_weeks_and_the_whole_lie_in_no_single_quarter() -> None:
    assert [quarter_of(name) for name in ("2027-W05", "all", "2027-Q3")] == [None, None, "2027-Q3"]


@given(st.sampled_from(KINDS), st.integers(1, 500), st.floats(0, 1))
def test_proportional_spend_brings_what_the_horizon_brings(kind: str, n_days: int, part: float) -> None:
    periods = periods_of(date(2027, 1, 20), date(2027, 1, 20) + timedelta(n_days), kind)  # type: ignore[arg-type]
    index = season_index(periods, {"2027-02": 2.5, "2027-Q2": 0.1, "2027-W20": 4.0})
    for curve in (POINTS, Log(scale=400.0, pace=90.0).curve(600.0)):
        spend = part * curve.end
        flat = sum(in_period(curve, p.share).at(spend * p.share) for p in periods)
        seasonal = sum(
            in_period(curve, p.share, i).at(spend * p.share) for p, i in zip(periods, index, strict=True)
        )
        assert float(flat) == pytest.approx(float(curve.at(spend)), rel=1e-9, abs=1e-9)
        assert float(seasonal) == pytest.approx(float(curve.at(spend)), rel=1e-9, abs=1e-9)


def test_a_season_is_relative() -> None:
    periods = periods_of(date(2027, 1, 1), date(2027, 3, 31), "month")
    index = season_index(periods, {"2027-02": 3.0})
    np.testing.assert_allclose(index[1] / index[[0, 2]], 3.0)
    np.testing.assert_allclose(
        season_index(periods, dict.fromkeys(["2027-01", "2027-02", "2027-03"], 7.0)), 1.0
    )


def recursion(spend: list[float], keep: float, before: float) -> list[float]:
    """Effective spend, period by period."""
    effective, found = before, []
    for money in spend:
        effective = keep * effective + (1 - keep) * money
        found.append(effective)
    return found


MONEY = st.lists(st.floats(0, 500), min_size=1, max_size=6)
KEEP = st.floats(0, 0.95)


@given(MONEY, KEEP, st.floats(0, 500))
def test_effective_spend_is_that_of_the_recursion(spend: list[float], keep: float, before: float) -> None:
    n = len(spend)
    effective = kept_matrix(n, keep) @ spend + carry_in_left(n, keep, before)
    np.testing.assert_allclose(effective, recursion(spend, keep, before), rtol=1e-9, atol=1e-9)


def test_steady_spend_is_its_own_effective_spend() -> None:
    assert (kept_matrix(200, 0.8) @ np.full(200, 70.0))[-1] == pytest.approx(70.0)


CURVES = {
    "points": POINTS,
    "falling": ResponseCurve(SPEND, np.array([0.0, 300.0, 400.0, 200.0])),
    "hill": Hill(ceiling=900.0, half_saturation=120.0).curve(600.0),
    "steep": Power(scale=9.0, exponent=0.5).curve(600.0),
}


@pytest.mark.parametrize("name", CURVES)
@given(spend=MONEY, keep=KEEP, before=st.floats(0, 500))
def test_value_is_that_of_the_recursion_and_its_echo(
    name: str, spend: list[float], keep: float, before: float
) -> None:
    """What the plan adds: effective spend with its money less effective spend without, echo included."""
    curve, n = CURVES[name], len(spend)
    echo = int(np.log(1e-4) / np.log(keep)) if keep > 0 else 0
    idle = [0.0] * echo
    with_plan = recursion([*spend, *idle], keep, before)
    without = recursion([0.0] * (n + echo), keep, before)
    simulated = float(np.sum(curve.at(with_plan)) - np.sum(curve.at(without)))
    own = kept_matrix(n, keep) @ spend
    left = carry_in_left(n, keep, before)
    total = sum(
        float(carried(curve, keep=keep, before=left[t], tail=t == n - 1).at(own[t])) for t in range(n)
    )
    assert total == pytest.approx(simulated, rel=1e-7, abs=1e-4)


@given(KEEP, st.floats(0, 590), st.floats(0, 1))
def test_draws_and_outcomes_carry_over_like_the_value(keep: float, before: float, part: float) -> None:
    made = carried(POINTS, keep=keep, before=before, tail=True)
    spend = part * made.end
    assert made.end == pytest.approx(600.0 - before)
    assert made.draws_at(spend).mean() == pytest.approx(float(made.at(spend)), abs=1e-6)  # type: ignore[union-attr]
    for draw, row in zip(DRAWS, made.draws, strict=True):  # type: ignore[arg-type]
        alone = carried(ResponseCurve(SPEND, draw), keep=keep, before=before, tail=True)
        assert np.interp(spend, made.spend, row) == pytest.approx(float(alone.at(spend)), abs=1e-6)
    np.testing.assert_allclose(made.revenue, 3 * made.value, atol=1e-6)
    counted = carried(ResponseCurve(SPEND, SPEND / 20), keep=keep, before=before, tail=True)
    assert np.interp(spend, made.spend, made.conversions) == pytest.approx(float(counted.at(spend)), abs=1e-6)  # type: ignore[arg-type]


def test_breakpoints_carry_over_exactly() -> None:
    made = carried(POINTS, keep=0.5, before=0.0, tail=True)
    assert set(np.round([100.0, 300.0, 600.0, 200.0, 400.0], 9)) <= set(np.round(made.spend, 9))
    assert made.bounded
    assert made.marginal(0.0) == pytest.approx(2.5 * sum(0.5**k for k in range(14)))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_smooth_curves_stay_smooth(family: type) -> None:
    keys = {"ceiling": 900, "half_saturation": 80, "scale": 9, "pace": 50, "exponent": 0.6, "slope": 2}
    curve = family(**{key: value for key, value in keys.items() if key in family.model_fields}).curve(600.0)
    made = carried(curve, keep=0.7, before=60.0, tail=True)
    assert not made.bounded
    assert made.end == 600.0
    places = np.array([0.0, 1.0, 90.0, 450.0])
    slope = (made.at(places + 1e-3) - made.at(places)) / 1e-3
    np.testing.assert_allclose([made.marginal(place) for place in places], slope, rtol=1e-4)
    assert made.curve_error() <= 2e-4 * float(made.at(600.0))


def test_smooth_curves_keep_their_draws_and_outcomes() -> None:
    bare = Hill(ceiling=900.0, half_saturation=120.0).curve(600.0)
    curve = ResponseCurve(
        bare.spend,
        bare.value,
        draws=np.array([1.2 * bare.value, 0.8 * bare.value]),
        revenue=2 * bare.value,
        shape=bare.shape,
    )
    made = carried(curve, keep=0.6, before=40.0, tail=True)
    np.testing.assert_allclose(made.revenue, 2 * made.value, rtol=1e-9)
    np.testing.assert_allclose(made.draws, [1.2 * made.value, 0.8 * made.value], rtol=2e-3)


def test_without_anything_carried_a_curve_stays_itself() -> None:
    assert carried(POINTS, keep=0.4) is POINTS
    assert carried(POINTS, keep=0.0, tail=True) is POINTS


@pytest.mark.parametrize("before", [600.0, 700.0])
def test_a_curve_that_ends_below_what_is_left_over_is_refused(before: float) -> None:
    with pytest.raises(
        CurveError, match=r"leaves an effective spend of .*00, and the curve ends at 600"
    ) as caught:
        carried(POINTS, keep=0.5, before=before)
    (finding,) = caught.value.findings
    assert (finding.code, finding.fix) == ("E115", "lower carry_in, or give the curve further")
    assert carried(CURVES["hill"], keep=0.5, before=before).end == 600.0


@pytest.mark.parametrize("keep", [-0.1, 1.0, float("nan")])
def test_a_carry_over_of_everything_is_refused(keep: float) -> None:
    for refused in (
        lambda: kept_matrix(3, keep),
        lambda: carry_in_left(3, keep, 1.0),
        lambda: carried(POINTS, keep=keep),
    ):
        with pytest.raises(CurveError, match="carry-over of"):
            refused()


@pytest.mark.parametrize("before", [-1.0, float("inf"), float("nan")])
def test_what_cannot_be_left_over_is_refused(before: float) -> None:
    with pytest.raises(CurveError, match="cannot be left over"):
        carried(POINTS, keep=0.5, before=before)


def test_an_echo_of_nearly_everything_is_read_at_a_choice_of_its_bends() -> None:
    spend = np.linspace(0.0, 600.0, 30)
    made = carried(ResponseCurve(spend, 500 * np.sqrt(spend / 600)), keep=0.995, tail=True)
    assert len(made.spend) < 2100
    echo = 0.995 ** np.arange(int(np.log(1e-4) / np.log(0.995)) + 1)
    for place in (3.7, 111.0, 512.3):
        exact = np.interp(echo * place, spend, 500 * np.sqrt(spend / 600)).sum()
        assert float(made.at(place)) == pytest.approx(exact, rel=1e-5)
