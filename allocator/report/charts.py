"""Charts of how good a forecast is, as figures of matplotlib; they touch no global state of it.

matplotlib comes with ``pip install 'allocator[plots]'``. In a notebook a figure shows itself;
``figure.savefig("calibration.png")`` saves it.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from allocator.models.scoring import DecileTable
from allocator.quantities import count, percent
from allocator.report.sheet import (
    ACTUAL,
    FORECAST,
    GREY,
    LONGEST_LABEL,
    LONGEST_NAME,
    FloatArray,
    capitalised,
    columns,
    cut,
    impossible,
    sheet,
    short,
)
from allocator.report.sheet import interval as ends

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Time = date | np.datetime64 | str | float

COLUMNS, ROWS = 12, 16  # of a heat map
SKEWED = 4.0  # highest cell over the middle one


def decile_calibration(
    table: DecileTable,
    *,
    interval: tuple[ArrayLike, ArrayLike] | None = None,
    unit: str = "purchases",
    name: str = "",
) -> Figure:
    """Draw what was forecast and what came, in groups of customers by forecast.

    Parameters
    ----------
    table : DecileTable
        Of :func:`allocator.models.scoring.deciles`, the highest forecasts first.
    interval : (low, high), arrays of shape (groups,), optional
        Within which the actual mean of each group was expected.
    unit : str
        What is forecast, such as `purchases` or `EUR`.
    name : str
        Of the model, for the title.

    Raises
    ------
    DataError
        E315 for a table without groups; E012 without matplotlib.
    """
    actual, forecast = columns(table.actual, table.forecast)
    drawn = sheet(_total_title(float(actual @ table.n), float(forecast @ table.n), name))
    axes, place = drawn.axes, np.arange(1, len(actual) + 1)
    bars = axes.bar(place, actual, 0.7, color=ACTUAL, alpha=0.75, label="actual")
    (points,) = axes.plot(place, forecast, "o", color=FORECAST, ms=6, label="forecast")
    if interval is not None:
        low, high = ends(*interval, forecast)
        axes.errorbar(place, (low + high) / 2, (high - low) / 2, fmt="none", ecolor=FORECAST, capsize=3)
    axes.set_xticks(place)
    axes.set_xlabel(f"customers in {len(actual)} equal groups, highest forecast first")
    axes.set_ylabel(short(f"{unit} per customer", LONGEST_LABEL))
    axes.legend(handles=[bars, points], loc="upper right", frameon=False, fontsize=9)
    return drawn.figure


def _total_title(actual: float, forecast: float, name: str = "") -> str:
    """Say how far the total of a forecast is off."""
    whose = f"{cut(name, LONGEST_NAME)}: the" if name else "The"
    if actual <= 0:
        return "Nothing came of what was expected" if forecast > 0 else "Nothing was expected, nothing came"
    off = forecast / actual - 1
    if abs(off) < 0.005:
        return f"{whose} forecast total is right"
    return f"{whose} forecast total is {percent(abs(off))} too {'high' if off > 0 else 'low'}"


def cumulative_tracking(
    times: ArrayLike,
    actual: ArrayLike,
    forecast: ArrayLike,
    *,
    split: Time | None = None,
    unit: str = "purchases",
    name: str = "",
) -> Figure:
    """Draw the running totals of what came and of what was forecast.

    Parameters
    ----------
    times : array of dates or weeks, shape (n,)
    actual, forecast : array, shape (n,)
        Of each period, not summed yet.
    split : date or number, optional
        The last time the model has learned from.
    unit, name : str
        As in :func:`decile_calibration`.

    Raises
    ------
    DataError
        E315 for columns that are empty, of different lengths or not finite; E012 without matplotlib.
    """
    came, expected = columns(actual, forecast)
    at = _times(times)
    if at.shape != came.shape:
        raise impossible(f"{at.size} times for {came.size} values")
    order = np.argsort(at, kind="stable")
    at, came, expected = at[order], np.cumsum(came[order]), np.cumsum(expected[order])
    ended = None if split is None else _times([split])[0]
    learned = 0 if ended is None else int((at <= ended).sum())
    drawn = sheet(_tracking_title(came, expected, learned, name))
    axes = drawn.axes
    axes.plot(at, came, color=ACTUAL, lw=2, label="actual")
    axes.plot(at, expected, color=FORECAST, lw=2, ls="--", label="forecast")
    axes.set_ylim(bottom=min(0.0, float(came.min()), float(expected.min())))
    axes.set_ylabel(short(f"{unit} so far", LONGEST_LABEL))
    _name_lines(axes, at[-1], came[-1], expected[-1])
    if ended is not None:
        _mark(axes, ended)
    if at.dtype.kind == "M":
        _fewer_dates(axes)
    else:
        axes.set_xlabel("week")
    return drawn.figure


def _times(times: object) -> NDArray[Any]:
    """Give dates or numbers."""
    at = np.asarray(times)
    try:
        at = at.astype("datetime64[us]" if at.dtype.kind in "MOU" else np.float64)
    except (TypeError, ValueError) as fault:
        raise impossible("times that are neither dates nor numbers") from fault
    if (np.isnat(at) if at.dtype.kind == "M" else ~np.isfinite(at)).any():
        raise impossible("times that are missing")
    return at


def _tracking_title(came: FloatArray, expected: FloatArray, learned: int, name: str) -> str:
    """Say how far apart the two ended, counted from where learning ended."""
    if not 0 < learned < len(came):
        return _total_title(came[-1], expected[-1], name)
    since = _total_title(came[-1] - came[learned - 1], expected[-1] - expected[learned - 1], name)
    return f"{since} after the split"


def _name_lines(axes: Axes, last: Any, came: float, expected: float) -> None:  # noqa: ANN401 - date or number
    """Write beside its end which line is which."""
    above = came >= expected
    for text, height, color, up in (
        ("actual", came, ACTUAL, above),
        ("forecast", expected, FORECAST, not above),
    ):
        axes.annotate(
            text,
            (last, height),
            (6, 6 if up else -6),
            textcoords="offset points",
            va="center",
            color=color,
            fontweight="bold",
        )


def _mark(axes: Axes, ended: Any) -> None:  # noqa: ANN401 - date or number
    """Draw where learning ended."""
    axes.axvline(ended, color=GREY, lw=1, ls=":")
    where, beside = (ended, 0.02), axes.get_xaxis_transform()
    axes.text(*where, " learned until here", transform=beside, va="bottom", color=GREY, fontsize=8)


def _fewer_dates(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(maxticks=8)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def frequency_recency_heatmap(
    frequency: ArrayLike, recency_weeks: ArrayLike, value: ArrayLike, *, of: str = "expected purchases"
) -> Figure:
    """Draw the mean of something by how often and how lately customers bought.

    Parameters
    ----------
    frequency : array, shape (customers,)
        Repeat purchase days.
    recency_weeks : array, shape (customers,)
        Weeks from the first purchase to the last.
    value : array, shape (customers,)
        Such as the purchases expected, or the probability to be active.
    of : str
        What `value` is.

    Raises
    ------
    DataError
        E315 for columns that are empty, of different lengths or not finite; E012 without matplotlib.
    """
    x, t, v = columns(frequency, recency_weeks, value)
    if min(x.min(), t.min()) < 0:
        raise impossible("a frequency or recency below 0")
    across, up = _whole_edges(x), np.linspace(0, max(float(t.max()), 1.0), ROWS + 1)
    mean = _cell_means(across, up, x, t, v)
    names = _bin_names(across)
    highest = names[int(mean.max(axis=0).argmax())]
    drawn = sheet(f"{capitalised(of)}: highest after {_repeats(highest)}")
    axes = drawn.axes
    mesh = axes.pcolormesh(np.arange(len(across)), up, mean, cmap="cividis", norm=_scale(mean))
    axes.set_facecolor("#EFEFEF")
    axes.set_xticks(np.arange(len(names)) + 0.5, names)
    axes.tick_params(axis="x", labelsize=8)
    axes.set_xlabel("repeat purchases (grey: no customers)")
    axes.set_ylabel("weeks from first purchase to last")
    axes.grid(visible=False)
    drawn.figure.colorbar(mesh, ax=axes, label=short(f"mean of {of}", LONGEST_LABEL))
    return drawn.figure


def _cell_means(
    across: FloatArray, up: FloatArray, x: FloatArray, t: FloatArray, v: FloatArray
) -> np.ma.MaskedArray[Any, np.dtype[np.float64]]:
    """Give the mean of `v` in each cell, rows by `t`, masked where nobody is."""
    column = np.clip(np.searchsorted(across, x, side="right") - 1, 0, len(across) - 2)
    row = np.clip(np.searchsorted(up, t, side="right") - 1, 0, len(up) - 2)
    shape = (len(up) - 1, len(across) - 1)
    cell = np.ravel_multi_index((row, column), shape)
    n = np.bincount(cell, minlength=shape[0] * shape[1])
    total = np.bincount(cell, weights=v, minlength=len(n))
    return np.ma.masked_array(total / np.maximum(n, 1), mask=n == 0).reshape(shape)


def _scale(mean: np.ma.MaskedArray[Any, np.dtype[np.float64]]) -> Any:  # noqa: ANN401 - a norm of matplotlib
    """Give a scale by square roots where a few cells are far above the others."""
    from matplotlib.colors import Normalize, PowerNorm

    cells = mean.compressed()
    if cells.min() >= 0 and cells.max() > SKEWED * np.median(cells):
        return PowerNorm(0.5, vmin=0, vmax=cells.max())
    return Normalize()


def _whole_edges(x: FloatArray) -> FloatArray:
    """Give edges of bins of whole numbers, wider ones for the rare high numbers."""
    top = int(x.max()) + 1
    if top <= COLUMNS:
        return np.arange(top + 1.0)
    half = COLUMNS // 2
    return np.unique(np.concatenate([np.arange(half), np.geomspace(half, top, half + 1).round()]))


def _bin_names(edges: FloatArray) -> list[str]:
    """Write which numbers each bin holds."""
    spans = [(int(low), int(high) - 1) for low, high in pairwise(edges)]
    return [f"{low}" if low == high else f"{low}–{high}" for low, high in spans]


def _repeats(name: str) -> str:
    return f"{name} repeat{'' if name == '1' else 's'}"


class GroupMeans(NamedTuple):
    """Means of customers who bought equally often."""

    frequency: FloatArray
    n: FloatArray
    actual: FloatArray
    forecast: FloatArray


def actual_against_predicted(
    frequency: ArrayLike, actual: ArrayLike, forecast: ArrayLike, *, most: int = 7, weeks: float | None = None
) -> Figure:
    """Draw purchases made and expected in a later time, by how often customers had bought before.

    Parameters
    ----------
    frequency : array of int, shape (customers,)
        Repeat purchase days until the forecast was made.
    actual, forecast : array, shape (customers,)
        Purchases after it.
    most : int
        Customers with as many or more are one group.
    weeks : float, optional
        Length of the later time, for the label.

    Raises
    ------
    DataError
        E315 for columns that are empty, of different lengths or not finite; E012 without matplotlib.
    """
    x, came, expected = columns(frequency, actual, forecast)
    groups = _by_frequency(np.minimum(x, most), came, expected)
    drawn = sheet(_groups_title(groups, most))
    axes, place = drawn.axes, np.arange(len(groups.n))
    axes.bar(place - 0.2, groups.actual, 0.4, color=ACTUAL, label="actual")
    axes.bar(place + 0.2, groups.forecast, 0.4, color=FORECAST, label="forecast")
    labels = [f"{level:g}{'+' if level == most else ''}" for level in groups.frequency]
    axes.set_xticks(place, [f"{label}\n{count(n)}" for label, n in zip(labels, groups.n, strict=True)])
    axes.set_xlabel("repeat purchases before (below: customers)")
    axes.set_ylabel("mean purchases after" if weeks is None else f"mean purchases in {weeks:g} weeks after")
    axes.legend(loc="upper left", frameon=False, fontsize=9)
    return drawn.figure


def _by_frequency(frequency: FloatArray, actual: FloatArray, forecast: FloatArray) -> GroupMeans:
    levels, group = np.unique(frequency, return_inverse=True)
    n = np.bincount(group).astype(np.float64)
    return GroupMeans(levels, n, *(np.bincount(group, weights=part) / n for part in (actual, forecast)))


def _groups_title(groups: GroupMeans, most: int) -> str:
    """Say how far the total is off, and which customers make most of it."""
    total = _total_title(float(groups.actual @ groups.n), float(groups.forecast @ groups.n))
    off = np.abs(groups.forecast - groups.actual) * groups.n
    if off.sum() <= 0.05 * float(groups.actual @ groups.n):
        return total
    worst = groups.frequency[off.argmax()]
    return f"{total}; furthest off after {_repeats(f'{worst:g}' + ('+' if worst == most else ''))}"
