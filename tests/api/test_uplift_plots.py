"""Charts of tests, plans and backtests: each says in its title what its numbers say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import allocator as al
from allocator.errors import DataError

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


@pytest.fixture(scope="module")
def scenario(project_root: Path) -> al.Scenario:
    return al.load_scenario(project_root / "scenarios" / "q1_base.yaml")


@pytest.fixture(scope="module")
def forecast(scenario: al.Scenario) -> al.Forecast:
    return al.fit(scenario)


def test_the_qini_chart_ends_where_everybody_is_contacted(forecast: al.Forecast) -> None:
    learned = forecast.found.tested.learned  # type: ignore[union-attr]
    place = forecast.found.tested.log.channels.index("phone")  # type: ignore[union-attr]
    (best, lots) = forecast.plot.qini("phone").axes[0].get_lines()[:2]
    everybody = learned.gains[:, place].mean()  # type: ignore[union-attr]
    assert best.get_ydata()[-1] == pytest.approx(everybody)
    assert lots.get_ydata()[-1] == pytest.approx(everybody)


def test_the_title_of_a_qini_chart_says_what_the_plan_says(forecast: al.Forecast) -> None:
    told = " ".join(one.what for one in forecast.warnings if one.code == "W418")
    for channel in forecast.found.tested.log.channels:  # type: ignore[union-attr]
        title = forecast.plot.qini(channel).axes[0].get_title(loc="left")
        assert ("cannot be told from random" in title) == (f"targeting by {channel} is not" in told)


def test_calibration_holds_groups_of_customers_against_what_was_measured(forecast: al.Forecast) -> None:
    axes = forecast.plot.uplift_calibration("phone").axes[0]
    assert axes.get_title(loc="left").startswith("Phone: ")
    assert axes.get_xlabel() == "predicted effect in EUR beside its tier"


def test_response_curves_of_a_plan_show_where_its_money_goes(
    scenario: al.Scenario, forecast: al.Forecast
) -> None:
    plan = al.solve(scenario, forecast)
    figure = plan.plot.response_curves()
    marked = [
        line.get_xdata()[0] for axes in figure.axes for line in axes.get_lines() if line.get_label() == "plan"
    ]
    assert len(marked) == 11  # three tested channels in three tiers, two media
    assert np.sum(marked) == pytest.approx(sum(cell.spend for cell in plan.solution.cells))
    assert len(forecast.plot.response_curves().axes) >= 11


def test_promises_of_halves_stand_beside_what_came(scenario: al.Scenario, forecast: al.Forecast) -> None:
    backtest = al.backtest(scenario, forecast)
    assert "realised" in backtest.plot.promised().axes[0].get_title(loc="left")
    kept = backtest.result.kept
    assert np.mean([one.promised for one in kept]) == pytest.approx(backtest.result.promised)
    plan = backtest.to_frame().set_index("name").loc["plan"]
    assert np.mean([one.came for one in kept]) == pytest.approx(plan["margin"])


def test_a_channel_that_was_not_tested_has_no_chart(forecast: al.Forecast) -> None:
    with pytest.raises(DataError, match=r"(?s)no channel 'phon' was tested.*did you mean 'phone'"):
        forecast.plot.qini("phon")


def test_without_a_test_there_is_nothing_to_draw(project_root: Path) -> None:
    scenario = al.load_scenario(project_root / "tests" / "scenarios" / "points_only.yaml")
    forecast = al.fit(scenario)
    with pytest.raises(DataError, match="E209"):
        forecast.plot.qini("email")
    with pytest.raises(DataError, match="E209"):
        al.backtest(scenario, forecast).plot.promised()
