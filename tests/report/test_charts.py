"""Charts hold the numbers they were given, whatever they are called, and refuse what cannot be drawn."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from datetime import date

import numpy as np
import pytest

from allocator.errors import DataError
from allocator.models.scoring import DecileTable, deciles
from allocator.report import charts

pytest.importorskip("matplotlib")

TABLE = DecileTable(np.array([50, 50, 49]), np.array([4.0, 1.0, 0.5]), np.array([3.0, 1.2, 0.4]))
DAYS = np.arange("2026-01-05", "2026-03-02", 7, dtype="datetime64[D]")
NASTY = "revenue in $ and $x_{1$ of \\frac " + "very long name " * 30


def drawn(figure) -> bytes:
    """Render the figure, which is where bad labels break."""
    png = io.BytesIO()
    figure.savefig(png, dpi=50)
    return png.getvalue()


def texts(figure) -> str:
    """Everything written on a chart."""
    axes = figure.axes[0]
    titles = [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()]
    return " | ".join([*titles, *(text.get_text() for text in axes.texts)])


def heights(container) -> list[float]:
    return [bar.get_height() for bar in container]


def test_calibration_holds_the_table() -> None:
    figure = charts.decile_calibration(TABLE, name="bg_nbd")
    axes = figure.axes[0]
    assert heights(axes.containers[0]) == TABLE.actual.tolist()
    assert axes.lines[0].get_ydata().tolist() == TABLE.forecast.tolist()
    assert "bg_nbd: the forecast total is 16% too low" in texts(figure)
    assert "purchases per customer" in texts(figure)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["actual", "forecast"]


def test_interval_bars_reach_from_low_to_high_even_beside_the_forecast() -> None:
    low, high = np.array([2.5, 1.3, 0.1]), np.array([3.5, 1.6, 0.9])
    axes = charts.decile_calibration(TABLE, interval=(low, high)).axes[0]
    (bars,) = axes.collections
    np.testing.assert_allclose(
        [segment[:, 1] for segment in bars.get_segments()], np.column_stack([low, high])
    )
    with pytest.raises(DataError, match="low end is above"):
        charts.decile_calibration(TABLE, interval=(high, low))


@pytest.mark.parametrize(
    ("actual", "forecast", "said"),
    [
        ([2.0, 1.0], [4.0, 2.0], "100% too high"),
        ([2.0, 1.0], [2.0, 1.0], "is right"),
        ([0.0, 0.0], [2.0, 1.0], "Nothing came of what was expected"),
        ([0.0, 0.0], [0.0, 0.0], "Nothing was expected"),
    ],
)
def test_titles_say_how_far_the_total_is_off(actual: list[float], forecast: list[float], said: str) -> None:
    table = DecileTable(np.array([5, 5]), np.array(actual), np.array(forecast))
    assert said in texts(charts.decile_calibration(table))


def test_tracking_sums_periods_in_order_of_time() -> None:
    actual, forecast = np.arange(8.0), np.full(8, 3.0)
    order = np.random.default_rng(1).permutation(8)
    axes = charts.cumulative_tracking(DAYS[order], actual[order], forecast[order]).axes[0]
    came, expected = (line.get_ydata().tolist() for line in axes.lines)
    assert came == np.cumsum(actual).tolist()
    assert expected == np.cumsum(forecast).tolist()


@pytest.mark.parametrize(
    ("times", "split"),
    [
        (DAYS, date(2026, 1, 26)),
        (DAYS, "2026-01-28"),
        (DAYS.tolist(), np.datetime64("2026-01-26")),
        (DAYS.astype("datetime64[ns]"), np.datetime64("2026-01-26")),
        (np.arange(1, 9), 4.5),
    ],
    ids=["date", "text", "list of dates", "nanoseconds", "weeks"],
)
def test_tracking_is_judged_after_the_split(times: object, split: object) -> None:
    actual = np.array([9.0, 9, 9, 9, 1, 1, 1, 1])
    forecast = np.array([1.0, 1, 1, 1, 1.5, 1.5, 1.5, 1.5])
    figure = charts.cumulative_tracking(times, actual, forecast, split=split)
    assert "50% too high after the split" in texts(figure)
    assert "learned until here" in texts(figure)
    assert drawn(figure)


def test_a_split_beyond_the_data_judges_all() -> None:
    figure = charts.cumulative_tracking(np.arange(3), [1, 1, 1], [2, 2, 2], split=10)
    assert "100% too high" in texts(figure)
    assert "after the split" not in texts(figure)


def test_a_heat_map_holds_the_mean_of_every_cell() -> None:
    frequency, recency = np.array([0, 0, 2, 2, 2]), np.array([0.0, 0.0, 31.9, 32.0, 5.0])
    figure = charts.frequency_recency_heatmap(frequency, recency, [1.0, 3.0, 4.0, 8.0, 5.0], of="purchases")
    mean = figure.axes[0].collections[0].get_array()
    assert mean.shape == (16, 3)
    assert mean[0, 0] == 2
    assert mean[15, 2] == 6
    assert mean[2, 2] == 5
    assert mean.count() == 3
    assert "Purchases: highest after 2 repeats" in texts(figure)


def test_a_heat_map_of_wide_histories_loses_nobody() -> None:
    rng = np.random.default_rng(1)
    frequency, recency = rng.geometric(0.02, 3000) - 1, rng.uniform(0, 200, 3000)
    figure = charts.frequency_recency_heatmap(frequency, recency, np.ones(3000))
    axes = figure.axes[0]
    assert set(axes.collections[0].get_array().compressed()) == {1.0}
    labels = [text.get_text() for text in axes.get_xticklabels()]
    assert len(labels) <= 12
    assert labels[-1].endswith(f"–{frequency.max()}")
    assert drawn(figure)


def test_bars_by_past_purchases_are_means_of_those_customers() -> None:
    frequency = np.array([0, 0, 1, 9, 12])
    figure = charts.actual_against_predicted(frequency, [0, 2, 1, 6, 8], [1, 2, 1, 3, 5], most=7, weeks=39)
    axes = figure.axes[0]
    actual, forecast = axes.containers
    assert heights(actual) == [1.0, 1.0, 7.0]
    assert heights(forecast) == [1.5, 1.0, 4.0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0\n2", "1\n1", "7+\n2"]
    assert "furthest off after 7+ repeats" in texts(figure)
    assert "39 weeks" in texts(figure)


DRAWINGS: dict[str, Callable[[str], object]] = {
    "calibration": lambda text: charts.decile_calibration(TABLE, unit=text, name=text),
    "tracking": lambda text: charts.cumulative_tracking(DAYS, np.ones(8), np.ones(8), unit=text, name=text),
    "heat map": lambda text: charts.frequency_recency_heatmap([0, 1], [0, 3], [1, 2], of=text),
}


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize("text", [NASTY, "$", "$$", "a$b$c", "EUR\nper head", "günstig – 値段"])
@pytest.mark.filterwarnings("ignore:Glyph")
def test_names_are_written_as_they_are_and_fit(name: str, text: str) -> None:
    figure = DRAWINGS[name](text)
    assert drawn(figure)
    shown = figure.axes[0].title.get_text() or figure.axes[0].get_title(loc="left")
    assert len(shown.replace("\\$", "$")) <= 68
    assert "$" not in shown.replace("\\$", "")
    canvas = figure.get_window_extent()
    place = figure.axes[0].get_window_extent()
    assert place.width > 0.6 * canvas.width
    assert place.height > 0.6 * canvas.height


def test_charts_leave_the_state_of_matplotlib_alone() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    before = pyplot.get_fignums()
    charts.decile_calibration(deciles([1, 2, 3], [1, 2, 2], groups=2))
    assert pyplot.get_fignums() == before


EMPTY = DecileTable(np.array([], dtype=int), np.array([]), np.array([]))


@pytest.mark.parametrize(
    "draw",
    [
        lambda: charts.decile_calibration(EMPTY),
        lambda: charts.decile_calibration(TABLE, interval=([1], [2])),
        lambda: charts.cumulative_tracking([], [], []),
        lambda: charts.cumulative_tracking([1, 2], [1, 2, 3], [1, 2, 3]),
        lambda: charts.cumulative_tracking([1, 2], [1, np.nan], [1, 2]),
        lambda: charts.cumulative_tracking(["soon", "later"], [1, 1], [1, 2]),
        lambda: charts.cumulative_tracking([1, np.nan], [1, 1], [1, 2]),
        lambda: charts.frequency_recency_heatmap([], [], []),
        lambda: charts.frequency_recency_heatmap([1, -1], [1, 1], [1, 1]),
        lambda: charts.actual_against_predicted([], [], []),
        lambda: charts.actual_against_predicted([1], [1, 2], [1]),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw: Callable[[], object]) -> None:
    with pytest.raises(DataError, match=r"E315.*a chart cannot be drawn"):
        draw()


def test_without_matplotlib_the_fix_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(DataError, match=r"pip install 'allocator\[plots\]'"):
        charts.decile_calibration(TABLE)
