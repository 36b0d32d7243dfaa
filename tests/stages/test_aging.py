"""Whether a saved forecast has aged, by the orders of today."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator.customers.past import OrderLog
from allocator.errors import DataError
from allocator.models.clv.forecast import TimingForecast
from allocator.models.clv.level import Level
from allocator.models.clv.pareto_nbd import ParetoNbd
from allocator.models.drift import DriftReport, Verdict
from allocator.stages.aging import ageing
from allocator.stages.outlook import TRACKED_WEEKS
from tests.models.clv.made_up_forecasts import shop
from tests.small_project import project

MADE_ON = date(2026, 1, 1)
WEEKS = 13
SURE = Level(1.0, 0.03)


@cache
def orders() -> pd.DataFrame:
    return shop(customers=1500, weeks=78, seed=3)


@cache
def before() -> pd.DataFrame:
    past = OrderLog(orders()).until(MADE_ON)
    learned: TimingForecast = ParetoNbd().learn(past, horizon_weeks=52)
    summary = past.customers.summary
    names = ("customer_id", "frequency", "recency_weeks", "age_weeks", "mean_value")
    table = pd.DataFrame({name: getattr(summary, name) for name in names})
    expected = {
        f"expected_{weeks}_weeks": learned.expected_revenue(past.customers, weeks) for weeks in TRACKED_WEEKS
    }
    return table.assign(**expected)


def report(rows: pd.DataFrame, weeks: float) -> DriftReport:
    until = MADE_ON + timedelta(days=round(7 * weeks))
    return ageing(before(), MADE_ON, OrderLog(rows), until, level=SURE)


def test_the_same_orders_are_no_drift() -> None:
    found = report(orders(), 0)
    assert not found.has_aged
    assert found.findings == ()
    assert found.calibration is None
    assert {one.feature for one in found.features} == {"mean_value", "repeats_per_week"}
    assert all(one.psi == 0 for one in found.features)


def test_customers_who_go_on_as_expected_are_none_either() -> None:
    found = report(orders(), WEEKS)
    assert found.calibration is not None
    assert found.calibration.ratio == pytest.approx(1, abs=0.15)
    assert found.findings == ()


def test_what_came_is_compared_with_what_was_expected_by_then() -> None:
    found = report(orders(), 10.0)
    table, end = before(), pd.Timestamp(MADE_ON) + pd.Timedelta(days=70)
    rows = orders()
    inside = rows[(rows["ordered_on"] > str(MADE_ON)) & (rows["ordered_on"] <= end)]
    came = inside[inside["customer_id"].isin(table["customer_id"])]["amount"].sum()
    assert found.calibration is not None
    assert found.calibration.actual == pytest.approx(came, rel=1e-9)
    low, high = table["expected_8_weeks"].sum(), table["expected_13_weeks"].sum()
    assert found.calibration.expected == pytest.approx(low + 2 / 5 * (high - low), rel=1e-9)


@pytest.mark.parametrize("weeks", [WEEKS, 70])
def test_after_a_year_only_the_first_counts(weeks: int) -> None:
    found = report(orders(), weeks)
    column = f"expected_{min(weeks, TRACKED_WEEKS[-1])}_weeks"
    assert found.calibration is not None
    assert found.calibration.expected == pytest.approx(before()[column].sum(), rel=1e-9)


def test_a_drop_in_purchases_is_drift() -> None:
    rows = orders()
    late = rows["ordered_on"] > str(MADE_ON)
    kept = ~late | (np.random.default_rng(1).random(len(rows)) < 0.5)
    found = report(rows[kept], WEEKS)
    assert found.calibration is not None
    assert found.calibration.verdict is Verdict.MOVED
    assert found.has_aged
    assert "less came than the forecast expected" in found.findings[-1].what
    assert {finding.code for finding in found.findings} == {"W416"}


def test_dearer_baskets_are_drift_of_the_customers() -> None:
    rows = orders()
    found = report(rows.assign(amount=rows["amount"] * 3), WEEKS)
    assert any("mean_value" in finding.what for finding in found.findings)


def test_later_orders_alone_are_not_compared() -> None:
    rows = orders()
    with pytest.raises(DataError, match="the earlier ones included"):
        report(rows[rows["ordered_on"] > str(MADE_ON)], WEEKS)


def test_a_forecast_of_nothing_is_compared_by_its_customers_alone() -> None:
    nothing = before().assign(**{f"expected_{weeks}_weeks": 0.0 for weeks in TRACKED_WEEKS})
    found = ageing(nothing, MADE_ON, OrderLog(orders()), MADE_ON + timedelta(weeks=WEEKS), level=SURE)
    assert found.calibration is None
    assert len(found.features) == 2


@pytest.mark.parametrize("weeks", [0.9, 1.0])
def test_too_short_a_time_is_too_little_to_tell(weeks: float) -> None:
    few = before().head(60)
    ids = set(few["customer_id"])
    log = OrderLog(orders()[orders()["customer_id"].isin(ids)])
    found = ageing(few, MADE_ON, log, MADE_ON + timedelta(days=round(7 * weeks)), level=SURE)
    assert (found.calibration is None) == (weeks < 1)
    assert not found.has_aged
    assert found.findings == ()
    if found.calibration is not None:
        assert found.calibration.verdict is Verdict.UNKNOWN
        assert found.too_little_to_tell


def test_a_saved_forecast_is_looked_at_in_the_light_of_later_orders(tmp_path: Path) -> None:
    case = project()
    case.set("tiers:\n", "models: {clv: {name: pareto_nbd}, as_of: 2026-05-31}\ntiers:\n")
    al.fit(al.load_scenario(case.write(tmp_path))).save(tmp_path / "out")
    saved = al.Forecast.load(tmp_path / "out")
    assert saved.drift is None
    case.set("as_of: 2026-05-31", "as_of: 2026-08-20")
    later = al.fit(al.load_scenario(case.write(tmp_path))).since(saved)
    assert later.drift is not None
    assert later.drift.calibration is not None
    assert later.drift.calibration.n_customers == (saved.clv["age_weeks"] > 0).sum()
