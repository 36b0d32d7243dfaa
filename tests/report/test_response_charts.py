"""Charts of curves hold what they were given, and say what is unknown."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import numpy as np
import pytest

from allocator.errors import DataError
from allocator.report import response_charts as charts
from allocator.report.response_charts import DrawnCurve

pytest.importorskip("matplotlib")

SPEND = np.array([0.0, 50.0, 100.0])
VALUE = np.array([0.0, 90.0, 120.0])
DRAWS = np.linspace(0.5, 1.5, 101)[:, None] * VALUE
NASTY = "revenue in $ and $x_{1$ of \\frac " + "very long name " * 30


def curve(name: str = "email", **more) -> DrawnCurve:
    return DrawnCurve(name, SPEND, VALUE, **more)


def lines(figure, label: str):
    return [line for line in figure.axes[0].lines if line.get_label() == label]


def written(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts if text.get_text()]


def test_the_band_holds_8_of_10_draws() -> None:
    axes = charts.response_curves([curve(draws=DRAWS)]).axes[0]
    top = axes.collections[0].get_paths()[0].vertices
    at_the_end = top[top[:, 0] == 100, 1]
    np.testing.assert_allclose([at_the_end.min(), at_the_end.max()], [0.6 * 120, 1.4 * 120])


def test_spend_never_observed_is_dashed() -> None:
    figure = charts.response_curves([curve(data=([20, 60], [30, 100]))])
    (solid,) = lines(figure, "mean")
    np.testing.assert_allclose(solid.get_xydata(), [[20, 36], [50, 90], [60, 96]])
    dashed = [
        line for line in figure.axes[0].lines if line.is_dashed() and line.get_color() == solid.get_color()
    ]
    assert [line.get_xdata()[[0, -1]].tolist() for line in dashed] == [[0, 20], [60, 100]]


def test_current_and_planned_spend_lie_on_the_curve() -> None:
    figure = charts.response_curves([curve(current=25, plan=100)])
    assert lines(figure, "current")[0].get_xydata().tolist() == [[25, 45]]
    assert lines(figure, "plan")[0].get_xydata().tolist() == [[100, 120]]


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ({"current": 25}, "○ brings 1.8 (1.08 to 2.52)"),
        ({"current": 50}, "○ brings 0.6 (0.36 to 0.84)"),
        ({"current": 25, "plan": 100}, "■ brings 0.6 (0.36 to 0.84)"),
    ],
)
def test_what_one_more_brings_is_written(marks: dict[str, float], said: str) -> None:
    (text,) = written(charts.response_curves([curve(draws=DRAWS, **marks)]))
    assert said in text


@pytest.mark.parametrize(
    ("curves", "said"),
    [
        ([curve("a", current=50, plan=90), curve("b", current=50, plan=20)], "more on a, less on b"),
        ([curve(current=50, plan=50)], "leaves spend as it is"),
        ([curve("a", current=20, draws=DRAWS), curve("b", current=60)], "Spending more pays for a"),
        ([curve(current=60)], "Nowhere is it sure"),
        ([curve()], "What spend brings"),
        ([curve(current=50, plan=90, observed=(0, 80))], "never observed on email"),
    ],
)
def test_titles_say_what_changes_and_what_is_unknown(curves: list[DrawnCurve], said: str) -> None:
    assert said in charts.response_curves(curves).get_suptitle()


def test_a_plan_within_what_was_observed_is_not_called_new() -> None:
    figure = charts.response_curves([curve(current=50, plan=80, observed=(0, 80))])
    assert "never observed" not in figure.get_suptitle()


def test_values_that_are_no_money_have_no_line_of_equal_value() -> None:
    assert lines(charts.response_curves([curve()]), "value equals spend")
    figure = charts.response_curves([curve(current=20)], break_even=False)
    assert not lines(figure, "value equals spend")
    assert "pays" not in figure.get_suptitle()


@pytest.mark.parametrize(
    "draw",
    [
        lambda text: charts.response_curves(
            [curve(text, current=10, plan=90, observed=(0, 50), draws=DRAWS)] * 5, unit=text, currency=text
        ),
    ],
)
@pytest.mark.parametrize("text", [NASTY, "$", "a$b$c"])
def test_names_are_written_as_they_are_and_fit(draw: Callable[[str], object], text: str) -> None:
    figure = draw(text)
    figure.savefig(io.BytesIO(), dpi=50)
    sheet = figure.bbox
    shown = [*figure.axes, *figure.legends, *figure.texts]
    for box in (part.get_tightbbox() for part in shown):
        assert box.x0 >= sheet.x0 - 1
        assert box.x1 <= sheet.x1 + 1
        assert box.y0 >= sheet.y0 - 1
        assert box.y1 <= sheet.y1 + 1


@pytest.mark.parametrize(
    "draw",
    [
        lambda: charts.response_curves([]),
        lambda: charts.response_curves([DrawnCurve("x", [], [])]),
        lambda: charts.response_curves([DrawnCurve("x", [0], [0])]),
        lambda: charts.response_curves([DrawnCurve("x", [0, 1], [0])]),
        lambda: charts.response_curves([DrawnCurve("x", [1, 0], [0, 1])]),
        lambda: charts.response_curves([curve(draws=[[0, 1]])]),
        lambda: charts.response_curves([curve(draws=np.empty((0, 3)))]),
        lambda: charts.response_curves([curve(data=([], []))]),
        lambda: charts.response_curves([curve(observed=(2, 1))]),
        lambda: charts.response_curves([curve(current=101)]),
        lambda: charts.response_curves([curve(plan=np.nan)]),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw: Callable[[], object]) -> None:
    with pytest.raises(DataError, match=r"E315.*a chart cannot be drawn"):
        draw()


def test_without_matplotlib_the_fix_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(DataError, match="E012"):
        charts.response_curves([curve()])
