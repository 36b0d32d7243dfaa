"""Charts of promises hold what they were given, and their names cover nothing."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest

from allocator.errors import DataError
from allocator.report import promise_charts as charts

pytest.importorskip("matplotlib")

NASTY = "revenue in $ and $x_{1$ of \\frac " + "very long name " * 30


def written(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts if text.get_text()]


@pytest.mark.parametrize(
    ("promised", "realised", "said"),
    [
        ([60, 50], [50, 50], "Promised 10% more than was realised"),
        ([50, 40], [50, 50], "Promised 10% less than was realised"),
        ([100, 200], [60, 40], "Promised 3 times what was realised"),
        ([20, 20], [60, 60], "Realised 3 times what was promised"),
        ([100, 1], [1, 100], "Promised what was realised"),
        ([100], [-20], "Promised 100, realised -20"),
    ],
)
def test_totals_are_compared_in_words(promised: list[float], realised: list[float], said: str) -> None:
    assert charts.promised_realised(promised, realised).axes[0].get_title(loc="left") == said


def test_points_and_intervals_are_drawn_as_given() -> None:
    figure = charts.promised_realised([10, 20], [12, 40], promise=([5, 15], [15, 25]), error=[1, 2])
    across, up = (group.get_segments() for group in figure.axes[0].collections)
    np.testing.assert_allclose(across, [[[5, 12], [15, 12]], [[15, 40], [25, 40]]])
    np.testing.assert_allclose([np.diff(bar[:, 1])[0] for bar in up], [2.563, 5.126], rtol=1e-3)
    assert "1 of 2 within what was promised" in written(figure)[0]


def test_names_cover_neither_each_other_nor_points() -> None:
    rng = np.random.default_rng(3)
    promised = rng.normal(100, 5, 20)
    realised = promised + rng.normal(0, 5, 20)
    names = [f"place {number}" for number in range(20)]
    figure = charts.promised_realised(promised, realised, names=names)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    shown = [text for text in axes.texts if text.get_text().startswith("place")]
    boxes = [text.get_window_extent() for text in shown]
    assert 5 <= len(shown) <= 12
    assert shown[0].get_text() == names[int(np.abs(promised - realised).argmax())]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    points = axes.transData.transform(np.column_stack([promised, realised]))
    assert not any(box.contains(*point) for box in boxes for point in points)


@pytest.mark.parametrize("text", [NASTY, "$", "a$b$c"])
def test_names_are_written_as_they_are_and_fit(text: str) -> None:
    figure = charts.promised_realised([1, 2], [2, 3], names=[text, text], unit=text, name=text)
    figure.savefig(io.BytesIO(), dpi=50)
    sheet = figure.bbox
    for box in (part.get_tightbbox() for part in (*figure.axes, *figure.legends)):
        assert min(box.x0 - sheet.x0, box.y0 - sheet.y0) >= -1
        assert max(box.x1 - sheet.x1, box.y1 - sheet.y1) <= 1


@pytest.mark.parametrize(
    "draw",
    [
        lambda: charts.promised_realised([], []),
        lambda: charts.promised_realised([1], [1, 2]),
        lambda: charts.promised_realised([1], [1], names=["a", "b"]),
        lambda: charts.promised_realised([1], [1], promise=([2], [1])),
        lambda: charts.promised_realised([1], [1], error=[-1]),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw: Callable[[], object]) -> None:
    with pytest.raises(DataError, match=r"E315.*a chart cannot be drawn"):
        draw()


def test_without_matplotlib_the_fix_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(DataError, match="E012"):
        charts.promised_realised([1], [1])
