"""A chart of whether plans keep what they promise, as a figure of matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from allocator.quantities import percent
from allocator.report.labels import write_names
from allocator.report.sheet import (
    ACTUAL,
    EIGHT_IN_TEN,
    GREY,
    LONGEST_LABEL,
    LONGEST_NAME,
    FloatArray,
    axis_number,
    capitalised,
    columns,
    cut,
    figures,
    identity_line,
    impossible,
    interval,
    legend_below,
    sheet,
    short,
    zero_line,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TWICE = 2.0  # from where people say "times" instead of "% more"
Ends = tuple[FloatArray, FloatArray, FloatArray]  # low, middle, high


def promised_realised(
    promised: ArrayLike,
    realised: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    promise: tuple[ArrayLike, ArrayLike] | None = None,
    error: ArrayLike | None = None,
    unit: str = "",
    name: str = "",
) -> Figure:
    """Draw what was promised against what came.

    Parameters
    ----------
    promised, realised : array, shape (n,)
        Of each channel, plan or repetition.
    names : sequence of str, optional
        Written beside the points, those furthest off first, as far as there is room.
    promise : (low, high), arrays of shape (n,), optional
        Within which what comes was promised to be in 8 cases of 10.
    error : array, shape (n,), optional
        Standard errors of `realised` where it was measured; the bars are 8 in 10 intervals.
    unit : str
        Such as `EUR`.
    name : str
        Whose promises they are, for the title.

    Raises
    ------
    DataError
        E315 for columns that are empty, of different lengths or not finite, an interval whose low end is
        above its high end, or a negative error; E012 without matplotlib.

    Examples
    --------
    >>> figure = promised_realised([120, 50], [100, 55], names=["email", "tv"], unit="EUR")
    >>> figure.axes[0].get_title(loc="left")
    'Promised 10% more than was realised'
    """
    said, came = columns(promised, realised, of="promises")
    low, high = (said, said) if promise is None else interval(*promise, said)
    wide = EIGHT_IN_TEN * (np.zeros_like(came) if error is None else columns(error, came)[0])
    if wide.min() < 0:
        raise impossible("a standard error below 0")
    finding, note = _promise_title(float(said.sum()), float(came.sum())), _promise_note(said, came, unit)
    if promise is not None:
        note += f"; {int(((low <= came) & (came <= high)).sum())} of {len(said)} within what was promised"
    drawn = sheet(capitalised(f"{cut(name, LONGEST_NAME)}: {finding}" if name else finding), note)
    across, up = (low, said, high), (came - wide, came, came + wide)
    _cross(drawn.axes, across, up)
    _both_axes(drawn.axes, np.concatenate([low, high]), unit)
    legend_below(drawn.figure)
    if names is not None:
        _name_points(drawn.axes, names, across, up)
    return drawn.figure


def _name_points(axes: Axes, names: Sequence[str], across: Ends, up: Ends) -> None:
    """Write names beside points, those furthest off first."""
    said, came = across[1], up[1]
    if len(names) != len(said):
        raise impossible(f"{len(names)} names for {len(said)} promises")
    furthest = np.argsort(-np.abs(said - came), kind="stable")
    bars = [
        np.column_stack([across[0], came, across[2], came]),
        np.column_stack([said, up[0], said, up[2]]),
        np.reshape(axes.lines[-1].get_xydata(), (1, 4)),
    ]
    points = np.column_stack([said, came])[furthest]
    write_names(axes, [names[at] for at in furthest], points, np.vstack(bars).reshape(-1, 2, 2))


def _cross(axes: Axes, across: Ends, up: Ends) -> None:
    """Draw points with an interval to each side that has one."""
    x, y = across[1], up[1]
    if (across[2] > across[0]).any():
        axes.hlines(y, across[0], across[2], color=ACTUAL, lw=1.2, alpha=0.6, label="promised, 8 in 10")
    if (up[2] > up[0]).any():
        axes.vlines(x, up[0], up[2], color=GREY, lw=1.2, alpha=0.6, label="realised, 8 in 10")
    axes.plot(x, y, "o", color=ACTUAL, ms=6, mec="white", mew=0.5)


def _both_axes(axes: Axes, across: FloatArray, unit: str) -> None:
    """Draw where promises are kept, and say what the axes are."""
    bottom, top = axes.get_ylim()
    if bottom < 0 < top:
        zero_line(axes)
    identity_line(axes, across, "as promised")
    axes.xaxis.set_major_formatter(lambda value, _: axis_number(value))
    axes.locator_params(axis="x", nbins=7)
    axes.set_xlabel(short(f"promised, {unit}" if unit else "promised", LONGEST_LABEL))
    axes.set_ylabel(short(f"realised, {unit}" if unit else "realised", LONGEST_LABEL))


def _promise_title(promised: float, realised: float) -> str:
    """Say how far the totals are apart."""
    if realised <= 0 or promised <= 0:
        return f"promised {figures(promised)}, realised {figures(realised)}"
    more = promised / realised
    if abs(more - 1) < 0.005:
        return "promised what was realised"
    if more >= TWICE:
        return f"promised {figures(more)} times what was realised"
    if more <= 1 / TWICE:
        return f"realised {figures(1 / more)} times what was promised"
    return f"promised {percent(abs(more - 1))} {'more' if more > 1 else 'less'} than was realised"


def _promise_note(promised: FloatArray, realised: FloatArray, unit: str) -> str:
    totals = [figures(float(part.sum())) for part in (promised, realised)]
    return (
        " ".join(f"in total {totals[0]} promised, {totals[1]} {cut(unit, LONGEST_NAME)}".split())
        + " realised"
    )
