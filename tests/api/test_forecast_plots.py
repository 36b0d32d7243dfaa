"""Charts of a forecast: each from days that did not make it."""

from __future__ import annotations

from pathlib import Path

import pytest

import allocator as al
from allocator.errors import DataError
from tests.small_project import project

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


@pytest.fixture(scope="module")
def forecast(tmp_path_factory: pytest.TempPathFactory) -> al.Forecast:
    case = project()
    case.set("tiers:\n", "models: {clv: {name: pareto_nbd}}\ntiers:\n")
    return al.fit(al.load_scenario(case.write(tmp_path_factory.mktemp("small"))))


@pytest.mark.parametrize("name", ["deciles", "tracking", "heatmap", "predicted"])
def test_each_is_a_figure_with_words(forecast: al.Forecast, name: str, tmp_path: Path) -> None:
    figure = getattr(forecast.plot, name)()
    axes = figure.axes[0]
    assert axes.get_ylabel()
    assert axes.get_title(loc="left") or axes.get_title() or figure.get_suptitle()
    figure.savefig(tmp_path / "chart.png")
    assert (tmp_path / "chart.png").stat().st_size > 5_000


def test_deciles_are_in_the_currency_of_the_scenario(forecast: al.Forecast) -> None:
    figure = forecast.plot.deciles()
    words = " ".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))
    assert "EUR" in words


def test_a_forecast_read_back_has_no_days_to_draw(forecast: al.Forecast, tmp_path: Path) -> None:
    forecast.save(tmp_path)
    with pytest.raises(DataError, match="E209"):
        _ = al.Forecast.load(tmp_path).plot


def test_too_few_orders_cannot_be_drawn(tmp_path: Path) -> None:
    scenario = al.load_scenario(Path(__file__).parents[1] / "scenarios" / "points_only.yaml")
    with pytest.raises(DataError, match="E209"):
        al.fit(scenario).plot.deciles()
