"""Charts of effects hold the numbers they were given, and their titles say no more than the errors allow."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import numpy as np
import pytest

from allocator.errors import DataError
from allocator.report import uplift_charts as charts

pytest.importorskip("matplotlib")

SHARE = np.linspace(0, 1, 11)
GAIN = 0.05 * SHARE * (2 - SHARE)
NASTY = "revenue in $ and $x_{1$ of \\frac " + "very long name " * 30


def qini(area: tuple[float, float] = (0.007, 0.001), name: str = "e-mail", unit: str = "visits"):
    return charts.qini_chart(SHARE, GAIN, GAIN - 0.01, GAIN + 0.01, area=area, name=name, unit=unit)


def calibration(slope: tuple[float, float] = (1.0, 0.1), name: str = "", unit: str = "visits"):
    return charts.uplift_calibration(
        [0.01, 0.03], [0.02, -0.01], [0.01, 0.02], slope=slope, name=name, unit=unit
    )


def title(figure) -> str:
    return figure.axes[0].get_title(loc="left")


def labelled(figure, label: str):
    return next(line for line in figure.axes[0].lines if line.get_label() == label)


def test_gains_are_drawn_in_order_against_the_line_to_everybody() -> None:
    order = np.random.default_rng(1).permutation(11)
    gain = GAIN[order]
    figure = charts.qini_chart(SHARE[order], gain, gain, gain, area=(0.0, 0.1))
    np.testing.assert_array_equal(labelled(figure, "best first").get_ydata(), GAIN)
    np.testing.assert_array_equal(labelled(figure, "random contact").get_xydata(), [[0, 0], [1, GAIN[-1]]])


def test_gains_begin_with_nobody() -> None:
    figure = charts.qini_chart([0.5, 1], [3, 4], [2, 2], [4, 6], area=(1, 1))
    np.testing.assert_array_equal(labelled(figure, "best first").get_xydata(), [[0, 0], [0.5, 3], [1, 4]])


@pytest.mark.parametrize(
    ("area", "said"),
    [
        ((0.0071, 0.0009), "beats random"),
        ((0.0015, 0.0009), "cannot be told from random"),
        ((-0.0015, 0.0009), "cannot be told from random"),
        ((-0.0071, 0.0009), "does worse than random"),
        ((0.0, 0.0), "cannot be told from random"),
    ],
)
def test_targeting_is_judged_by_its_error(area: tuple[float, float], said: str) -> None:
    assert f"Targeting e-mail {said}" in title(qini(area))


def test_bars_of_measured_effects_hold_8_in_10() -> None:
    axes = calibration().axes[0]
    (bars,) = axes.collections
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    np.testing.assert_allclose(ends.mean(axis=1), [0.02, -0.01])
    np.testing.assert_allclose(np.diff(ends)[:, 0], [0.02563, 0.05126], rtol=1e-3)


def test_the_line_of_right_predictions_is_seen() -> None:
    figure = charts.uplift_calibration([1e6], [-3.0], [1.0], slope=(np.nan, np.nan))
    line = labelled(figure, "as predicted").get_xydata()
    np.testing.assert_array_equal(line[:, 0], line[:, 1])
    low, high = figure.axes[0].get_ylim()
    assert low < line.min() < line.max() < high


@pytest.mark.parametrize(
    ("slope", "said"),
    [
        ((0.9, 0.1), "Effects differ as predicted"),
        ((0.5, 0.1), "differ less than predicted"),
        ((1.5, 0.1), "differ more than predicted"),
        ((0.9, 0.8), "may be chance"),
        ((-0.9, 0.1), "against the prediction"),
        ((np.nan, np.nan), "too few groups"),
    ],
)
def test_the_slope_is_judged_by_its_error(slope: tuple[float, float], said: str) -> None:
    assert said.lower() in title(calibration(slope)).lower()


@pytest.mark.parametrize("draw", [qini, calibration])
@pytest.mark.parametrize("text", [NASTY, "$", "a$b$c"])
def test_names_are_written_as_they_are_and_fit(draw: Callable[..., object], text: str) -> None:
    figure = draw(name=text, unit=text)
    figure.savefig(io.BytesIO(), dpi=50)
    assert len(title(figure).replace("\\$", "$")) <= 66
    sheet = figure.bbox
    for shown in (figure.axes[0], *figure.legends):
        box = shown.get_tightbbox()
        assert box.x0 >= sheet.x0 - 1
        assert box.x1 <= sheet.x1 + 1
        assert box.y0 >= sheet.y0 - 1
        assert box.y1 <= sheet.y1 + 1


@pytest.mark.parametrize(
    "draw",
    [
        lambda: charts.qini_chart([], [], [], [], area=(0, 1)),
        lambda: charts.qini_chart([0, 1], [0, 1], [0], [1], area=(0, 1)),
        lambda: charts.qini_chart([0, 1], [0, 1], [0, 2], [0, 1], area=(0, 1)),
        lambda: charts.qini_chart([0, 1.1], [0, 1], [0, 1], [0, 1], area=(0, 1)),
        lambda: charts.qini_chart([0, 0.5], [0, 1], [0, 1], [0, 1], area=(0, 1)),
        lambda: charts.qini_chart([0, 1], [0, 1], [0, 1], [0, 1], area=(0, -1)),
        lambda: charts.qini_chart([0, 1], [0, 1], [0, 1], [0, 1], area=(np.nan, 1)),
        lambda: charts.uplift_calibration([], [], [], slope=(1, 1)),
        lambda: charts.uplift_calibration([1], [1, 2], [1], slope=(1, 1)),
        lambda: charts.uplift_calibration([1], [1], [-1], slope=(1, 1)),
        lambda: charts.uplift_calibration([1], [np.nan], [1], slope=(1, 1)),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw: Callable[[], object]) -> None:
    with pytest.raises(DataError, match=r"E315.*a chart cannot be drawn"):
        draw()


@pytest.mark.parametrize("draw", [qini, calibration])
def test_without_matplotlib_the_fix_is_named(
    draw: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(DataError, match="E012"):
        draw()
