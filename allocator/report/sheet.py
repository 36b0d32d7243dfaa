"""What every chart shares: an empty sheet, its colours, texts that fit, and columns that can be drawn.

matplotlib comes with ``pip install 'allocator[plots]'``. Charts touch no global state of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from allocator.errors import DataError, Finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float64]

# of Okabe & Ito, told apart by colour-blind people
ACTUAL, FORECAST, GREY, PLAN = "#0072B2", "#D55E00", "#6B6B6B", "#009E73"
SIZE = (6.0, 4.0)  # inches
LONGEST_TITLE, LONGEST_LABEL, LONGEST_NAME = 66, 42, 24  # characters that fit
LONGEST_NOTE = 84
EIGHT_IN_TEN = 1.2816  # standard errors to each side that hold 8 in 10 of a normal distribution
TOLD_APART = 1.96  # standard errors from which a difference is said to be one
TITLE, NOTE, SMALL = 11, 9, 8  # points


class Sheet(NamedTuple):
    """A figure and its one chart."""

    figure: Figure
    axes: Axes


def new_figure(width: float = SIZE[0], height: float = SIZE[1]) -> Figure:
    """Give a figure without charts, in inches.

    Raises
    ------
    DataError
        E012 without matplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as missing:
        raise DataError(
            Finding("E012", None, "charts need matplotlib", "pip install 'allocator[plots]'")
        ) from missing
    return Figure(figsize=(width, height), dpi=150, layout="constrained")


def sheet(title: str, note: str = "") -> Sheet:
    """Give an empty chart with its finding above, and the figures it rests on in a smaller line below it."""
    figure = new_figure()
    axes = figure.add_subplot()
    write_title(axes, short(title, LONGEST_TITLE), short(note, LONGEST_NOTE))
    plain(axes)
    return Sheet(figure, axes)


def write_title(axes: Axes, title: str, note: str = "", size: float = TITLE) -> None:
    """Write a title and a smaller line between it and the chart; both must fit already."""
    axes.set_title(title, fontsize=size, loc="left", pad=22 if note else 10)
    if note:
        axes.annotate(
            note,
            (0, 1),
            (0, 7),
            xycoords="axes fraction",
            textcoords="offset points",
            color=GREY,
            fontsize=NOTE,
        )


def plain(axes: Axes) -> None:
    """Take away what tells nothing, and write large numbers short."""
    axes.grid(visible=True, axis="y", color="#E5E5E5", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.yaxis.set_major_formatter(lambda value, _: axis_number(value))


def legend_below(figure: Figure, columns: int = 4) -> None:
    """Write what is what under all charts of a figure, where nothing is drawn."""
    handles: dict[str, Any] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    style = {"ncols": columns, "frameon": False, "fontsize": NOTE}
    figure.legend(list(handles.values()), list(handles), loc="outside lower center", **style)


def identity_line(axes: Axes, across: FloatArray, label: str) -> None:
    """Draw where both axes are equal, over the width of the points and a little more."""
    low, high = float(across.min()), float(across.max())
    beyond = 0.08 * (high - low) or 0.25 * abs(low) or 1.0
    ends = [low - beyond, high + beyond]
    axes.plot(ends, ends, color=FORECAST, lw=1.5, ls="--", label=label, zorder=1)


def zero_line(axes: Axes) -> None:
    """Draw where nothing is gained, on an axis that always shows it."""
    axes.axhline(0, color=GREY, lw=0.8, zorder=0.9)


def axis_number(value: float) -> str:
    """Write a number of an axis.

    Examples
    --------
    >>> axis_number(1_500_000), axis_number(250_000), axis_number(0.5), axis_number(-3e9)
    ('1.5M', '250k', '0.5', '-3bn')
    """
    for size, letter in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def figures(value: float) -> str:
    """Write a number of a text with two or three digits that count.

    Examples
    --------
    >>> figures(0.00712), figures(1_234_567), figures(-42.31), figures(0)
    ('0.0071', '1.23M', '-42.3', '0')
    """
    digits = 3 if abs(value) >= 1 else 2
    return axis_number(float(f"{value:.{digits}g}"))


def capitalised(text: str) -> str:
    """Begin with a capital letter, and leave the others as they are."""
    return text[:1].upper() + text[1:]


def short(text: str, longest: int) -> str:
    """Cut what would not fit, and keep matplotlib from reading formulas between dollar signs."""
    return cut(text, longest).replace("$", r"\$")


def cut(text: str, longest: int) -> str:
    """Cut what would not fit."""
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= longest else f"{one_line[: longest - 1]}…"


def columns(*parts: ArrayLike, of: str = "customers or periods") -> list[FloatArray]:
    """Give columns of one length.

    Raises
    ------
    DataError
        E315 for columns that are empty, of different lengths or not finite.
    """
    arrays = [np.asarray(part, dtype=np.float64) for part in parts]
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1 or arrays[0].ndim != 1:
        raise impossible(f"columns of shapes {', '.join(map(str, sorted(shapes)))}")
    if not arrays[0].size:
        raise impossible(f"no {of}")
    if not all(np.isfinite(array).all() for array in arrays):
        raise impossible("numbers that are not finite")
    return arrays


def interval(low: ArrayLike, high: ArrayLike, like: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give the two ends of intervals, one for each value of `like`.

    Raises
    ------
    DataError
        E315 for ends that do not fit `like`, or a low one above its high one.
    """
    below, above, _ = columns(low, high, like)
    if (below > above).any():
        raise impossible("an interval whose low end is above its high end")
    return below, above


def impossible(what: str) -> DataError:
    """Give the error for what cannot be drawn."""
    return DataError(Finding("E315", None, f"a chart cannot be drawn of {what}"))
