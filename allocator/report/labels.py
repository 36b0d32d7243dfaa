"""Names beside points of a chart, where they cover neither each other nor what is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from allocator.report.sheet import GREY, SMALL, FloatArray, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LONGEST = 18  # characters
AWAY = (7.0, 18.0, 32.0, 48.0)  # points from the point to its name
LEADER = 10.0  # points from which a line leads to the name
SIDES = ((1, 0.6), (1, -0.6), (-1, 0.6), (-1, -0.6), (1, 0), (-1, 0), (0, 1), (0, -1))
STEPS = 60  # squares that stand for a line
PADDING = 2.0  # pixels around a name
MOST = 12  # names; more would hide what they name
LINE: dict[str, Any] = {"arrowstyle": "-", "color": GREY, "lw": 0.5, "shrinkA": 0, "shrinkB": 3}


class Box(NamedTuple):
    """A rectangle in pixels."""

    left: float
    low: float
    right: float
    high: float

    def covers(self, boxes: FloatArray) -> bool:
        """Whether it shares a pixel with any of `boxes`, shape (n, 4)."""
        left, low, right, high = boxes.T
        apart = (left >= self.right) | (right <= self.left) | (low >= self.high) | (high <= self.low)
        return not bool(apart.all())

    def inside(self, other: Box) -> bool:
        """Whether it lies in another one."""
        across = other.left <= self.left and self.right <= other.right
        return across and other.low <= self.low and self.high <= other.high


def write_names(axes: Axes, names: Sequence[str], points: FloatArray, lines: FloatArray) -> int:
    """Write names beside points, those in front first, and leave out those without room.

    Everything else must be drawn already: names are placed for the size the chart has then.

    Parameters
    ----------
    axes : Axes
    names : sequence of str
    points : array, shape (n, 2)
        Of the names, in units of the chart.
    lines : array, shape (lines, 2, 2)
        From and to where lines are drawn that no name may cover, in units of the chart.

    Returns
    -------
    int
        How many were written, at most 12.
    """
    figure = axes.get_figure(root=True)
    if figure is None:
        return 0
    figure.draw_without_rendering()
    scale = figure.dpi / 72
    room = Box(*axes.get_window_extent().extents)
    at = axes.transData.transform(points)
    ends = axes.transData.transform(lines.reshape(-1, 2)).reshape(-1, 2, 2)
    taken = np.vstack([_squares(at, 4 * scale), _squares(_along(ends), 1.5 * scale)])
    written = np.empty((0, 4))
    for name, point, pixel in zip(names, points, at, strict=True):
        if not name or len(written) == MOST:
            continue
        place = _free_place(axes, name, point, room, _Drawn(pixel, taken, written))
        if place is not None:
            leader = _squares(_along(_leader(pixel, place)), scale)
            taken = np.vstack([taken, leader, place])
            written = np.vstack([written, place])
    return len(written)


class _Drawn(NamedTuple):
    """Where a point is, and what is drawn already, in pixels."""

    pixel: FloatArray
    all: FloatArray
    names: FloatArray

    def leave(self, box: Box) -> bool:
        """Whether a name fits, and the line to it crosses no other name."""
        crossing = any(
            box.covers(self.names) for box in map(_box, _squares(_along(_leader(self.pixel, box)), 1.0))
        )
        return not box.covers(self.all) and not crossing


def _free_place(axes: Axes, name: str, point: FloatArray, room: Box, drawn: _Drawn) -> Box | None:
    """Write a name at the first place that is free, and give the place."""
    x, y = float(point[0]), float(point[1])
    beside: dict[str, Any] = {"textcoords": "offset points", "fontsize": SMALL, "color": GREY}
    text = axes.annotate(short(name, LONGEST), (x, y), (0, 0), **beside)
    text.set_in_layout(False)
    for across, up in _offsets():
        text.set_position((across, up))
        text.set_horizontalalignment("left" if across > 0 else "right" if across < 0 else "center")
        text.set_verticalalignment("bottom" if up > 0 else "top" if up < 0 else "center")
        box = Box(*text.get_window_extent().padded(PADDING).extents)
        if box.inside(room) and drawn.leave(box):
            if max(abs(across), abs(up)) > LEADER:
                line = axes.annotate("", (x, y), (across, up), textcoords="offset points", arrowprops=LINE)
                line.set_in_layout(False)
            return box
    text.remove()
    return None


def _offsets() -> Iterator[tuple[float, float]]:
    """Give places for a name, the nearest first, in points."""
    return ((away * across, away * up) for away in AWAY for across, up in SIDES)


def _leader(pixel: FloatArray, box: Box) -> FloatArray:
    """Give the line from a point to the nearest place of a box."""
    near = np.clip(pixel, [box.left, box.low], [box.right, box.high])
    return np.stack([pixel, near])[None]


def _along(lines: FloatArray) -> FloatArray:
    """Give places along lines of shape (lines, 2, 2)."""
    share = np.linspace(0, 1, STEPS)[:, None, None]
    return (lines[:, 0] * (1 - share) + lines[:, 1] * share).reshape(-1, 2)


def _squares(at: FloatArray, half: float) -> FloatArray:
    """Give squares around places, shape (n, 4)."""
    return np.hstack([at - half, at + half])


def _box(square: FloatArray) -> Box:
    return Box(*square.tolist())
