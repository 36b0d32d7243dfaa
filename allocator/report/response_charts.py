"""Charts of what spend brings, and of how much is known of it, as figures of matplotlib."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from allocator.report.sheet import (
    ACTUAL,
    FORECAST,
    GREY,
    LONGEST_LABEL,
    LONGEST_NAME,
    LONGEST_TITLE,
    NOTE,
    PLAN,
    SIZE,
    SMALL,
    TITLE,
    FloatArray,
    axis_number,
    columns,
    cut,
    figures,
    impossible,
    interval,
    legend_below,
    new_figure,
    plain,
    short,
    zero_line,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACROSS = 3  # charts side by side
PANEL = (3.4, 2.7)  # inches
THIN = 20  # draws that are drawn
ALMOST = 1e-9  # of the widest spend: rounding, not a change or a fault


@dataclass(frozen=True, eq=False)
class DrawnCurve:
    """What spend on one channel brings, ready to be drawn.

    Parameters
    ----------
    name : str
        Of the channel.
    spend, value : array, shape (points,)
        The mean curve, spend ascending.
    draws : array, shape (draws, points), optional
        Values of curves that are as possible.
    data : (spend, value), arrays of shape (periods,), optional
        What was observed, over the same length of time as the curve.
    observed : (low, high), optional
        Within which spend was observed; the curve is dashed outside. Without it the range of `data`.
    current, plan : float, optional
        Spend today, and of the plan.
    """

    name: str
    spend: ArrayLike
    value: ArrayLike
    draws: ArrayLike | None = None
    data: tuple[ArrayLike, ArrayLike] | None = None
    observed: tuple[float, float] | None = None
    current: float | None = None
    plan: float | None = None


class _Slope(NamedTuple):
    """What one more brings, and within what in 8 cases of 10."""

    mean: float
    low: float
    high: float


class _Curve(NamedTuple):
    """A checked curve."""

    name: str
    spend: FloatArray
    value: FloatArray
    draws: FloatArray | None
    data: tuple[FloatArray, FloatArray] | None
    observed: tuple[float, float] | None
    current: float | None
    plan: float | None

    def at(self, spend: float) -> float:
        return float(np.interp(spend, self.spend, self.value))

    def slope(self, spend: float) -> _Slope:
        """Give the slope of the piece that follows `spend`, of the last one at the end."""
        piece = int(np.searchsorted(self.spend, spend * (1 + ALMOST), side="right")) - 1
        piece = min(max(piece, 0), len(self.spend) - 2)
        width = self.spend[piece + 1] - self.spend[piece]
        mean = float(self.value[piece + 1] - self.value[piece]) / width
        if self.draws is None:
            return _Slope(mean, mean, mean)
        slopes = (self.draws[:, piece + 1] - self.draws[:, piece]) / width
        return _Slope(mean, *np.quantile(slopes, [0.1, 0.9]).tolist())

    def change(self) -> float:
        """Give by how much the plan changes spend; 0 for rounding."""
        if self.current is None or self.plan is None:
            return 0.0
        change = self.plan - self.current
        return change if abs(change) > ALMOST * self.spend[-1] else 0.0

    def plan_is_new(self) -> bool:
        """Whether nobody observed what the plan would spend."""
        if self.plan is None or self.observed is None:
            return False
        low, high = self.observed
        return not low * (1 - ALMOST) <= self.plan <= high * (1 + ALMOST)


def response_curves(
    curves: Sequence[DrawnCurve], *, unit: str = "revenue", currency: str = "", break_even: bool = True
) -> Figure:
    """Draw what spend on each channel brings, with how little or much is known of it.

    Each channel has a chart with the mean curve, dashed where spend was never observed; the band that holds
    8 of 10 draws; some of the draws; the observations; ○ at current spend and ■ at the plan; and the line
    above which a channel brings more than it costs. Above each chart stands what one more brings at the
    plan (without one, at current spend): the slope of the piece of the curve that follows.

    Parameters
    ----------
    curves : sequence of DrawnCurve
    unit : str
        Of the value.
    currency : str
        Of the spend.
    break_even : bool
        Whether value and spend are both money, so that they can be compared.

    Raises
    ------
    DataError
        E315 for no curves, columns of different lengths or not finite, a curve of fewer than two points or
        whose spend does not ascend, or a current or planned spend off its curve; E012 without matplotlib.

    Examples
    --------
    >>> spend = [0, 50, 100]
    >>> figure = response_curves([DrawnCurve("email", spend, [0, 90, 120], current=50, plan=100),
    ...                           DrawnCurve("tv", spend, [0, 60, 90], current=80, plan=30)])
    >>> figure.get_suptitle()
    'The plan spends more on email, less on tv'
    """
    ready = [_checked(curve) for curve in curves]
    if not ready:
        raise impossible("no curves")
    across = min(len(ready), ACROSS)
    down = -(-len(ready) // across)
    width = max(SIZE[0], PANEL[0] * across)
    figure = new_figure(width, SIZE[1] if len(ready) == 1 else PANEL[1] * down + 1.0)
    title = _curves_title(ready, int(LONGEST_TITLE * width / SIZE[0]), break_even=break_even)
    figure.suptitle(title, x=0.01, ha="left", fontsize=TITLE)
    for place, curve in enumerate(ready):
        axes = figure.add_subplot(down, across, place + 1)
        _draw_curve(axes, curve, break_even=break_even)
        _write_panel(axes, curve)
        if place >= len(ready) - across:
            axes.set_xlabel(
                short(f"spend in {currency}" if currency else "spend", LONGEST_LABEL), fontsize=NOTE
            )
    figure.supylabel(short(unit, LONGEST_LABEL), fontsize=NOTE)
    legend_below(figure)
    return figure


def _checked(curve: DrawnCurve) -> _Curve:
    """Give a curve that can be drawn."""
    spend, value = columns(curve.spend, curve.value, of="points of a curve")
    if len(spend) < 2 or (np.diff(spend) <= 0).any():
        raise impossible(f"a curve of {curve.name} whose spend does not ascend")
    draws = None if curve.draws is None else np.atleast_2d(np.asarray(curve.draws, dtype=np.float64))
    if draws is not None and (
        not draws.size or draws.shape[1:] != spend.shape or not np.isfinite(draws).all()
    ):
        raise impossible(f"draws of {curve.name} that do not fit its {len(spend)} points")
    data = None if curve.data is None else tuple(columns(*curve.data, of="observations"))
    observed = curve.observed
    if observed is None and data is not None:
        observed = (float(data[0].min()), float(data[0].max()))
    if observed is not None:
        interval([observed[0]], [observed[1]], np.zeros(1))
    marks = [_on_curve(curve.name, spend, mark) for mark in (curve.current, curve.plan)]
    return _Curve(curve.name, spend, value, draws, data, observed, *marks)  # type: ignore[arg-type]


def _on_curve(name: str, spend: FloatArray, mark: float | None) -> float | None:
    """Refuse a spend of which the curve says nothing."""
    if mark is None:
        return None
    slack = ALMOST * float(np.abs(spend).max())
    if not spend[0] - slack <= mark <= spend[-1] + slack:
        raise impossible(
            f"a spend of {figures(mark)} on {name}, whose curve ends at {figures(float(spend[-1]))}"
        )
    return float(mark)


def _draw_curve(axes: Axes, curve: _Curve, *, break_even: bool) -> None:
    """Draw everything of one channel, what matters most on top."""
    if curve.draws is not None:
        low, high = np.quantile(curve.draws, [0.1, 0.9], axis=0)
        axes.fill_between(curve.spend, low, high, color=ACTUAL, alpha=0.2, lw=0, label="8 in 10")
        for number, draw in enumerate(_some(curve.draws)):
            axes.plot(curve.spend, draw, color=ACTUAL, lw=0.5, alpha=0.35, label="" if number else "possible")
    if curve.data is not None:
        axes.plot(*curve.data, ".", color=GREY, ms=4, alpha=0.7, label="observed")
    _draw_mean(axes, curve)
    if curve.current is not None:
        style: dict[str, Any] = {"mfc": "white", "mec": "black", "mew": 1.5, "ms": 8, "zorder": 4}
        axes.plot(curve.current, curve.at(curve.current), "o", **style, label="current")
    if curve.plan is not None:
        style = {"mfc": PLAN, "mec": "white", "mew": 0.5, "ms": 5, "zorder": 5}
        axes.plot(curve.plan, curve.at(curve.plan), "s", **style, label="plan")
    zero_line(axes)
    if break_even:
        _draw_break_even(axes, curve)


def _some(draws: FloatArray) -> FloatArray:
    """Give some of the draws, spread evenly from those that end low to those that end high."""
    order = np.argsort(draws[:, -1], kind="stable")
    at = (np.arange(THIN) + 0.5) / THIN * len(order)
    some: FloatArray = draws[order[np.unique(at.astype(int))]]
    return some


def _draw_mean(axes: Axes, curve: _Curve) -> None:
    """Draw the mean, dashed where spend was never observed."""
    ends = np.array(curve.observed if curve.observed is not None else (curve.spend[0], curve.spend[-1]))
    low, high = np.clip(ends, curve.spend[0], curve.spend[-1])
    grid = np.union1d(curve.spend, [low, high])
    mean = np.interp(grid, curve.spend, curve.value)
    label = "never observed"
    for part in (grid <= low, grid >= high):
        if part.sum() > 1:
            axes.plot(grid[part], mean[part], color=ACTUAL, lw=2, ls=(0, (2, 1.5)), label=label)
            label = ""
    inside = (grid >= low) & (grid <= high)
    axes.plot(grid[inside], mean[inside], color=ACTUAL, lw=2, label="mean")


def _draw_break_even(axes: Axes, curve: _Curve) -> None:
    """Draw where value equals spend, without letting a steep line flatten the curve."""
    bottom, top = axes.get_ylim()
    left, right = axes.get_xlim()
    ends = [max(left, min(0.0, float(curve.spend[0]))), right]
    axes.plot(ends, ends, color=FORECAST, lw=1.2, ls="--", label="value equals spend", zorder=1)
    axes.set_ylim(bottom, top)
    axes.set_xlim(left, right)


def _write_panel(axes: Axes, curve: _Curve) -> None:
    """Write whose chart it is, and what one more brings."""
    plain(axes)
    axes.tick_params(labelsize=SMALL)
    axes.locator_params(axis="x", nbins=5)
    axes.xaxis.set_major_formatter(lambda value, _: axis_number(value))
    axes.set_title(short(curve.name, LONGEST_NAME), fontsize=NOTE, fontweight="bold", loc="left", pad=16)
    mark = curve.plan if curve.plan is not None else curve.current
    if mark is None:
        return
    slope = curve.slope(mark)
    within = "" if curve.draws is None else f" ({figures(slope.low)} to {figures(slope.high)})"
    text = f"one more at {'○' if curve.plan is None else '■'} brings {figures(slope.mean)}{within}"
    above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
    axes.annotate(text, (0, 1), (0, 5), **above, color=GREY, fontsize=SMALL)


def _curves_title(curves: Sequence[_Curve], longest: int, *, break_even: bool) -> str:
    """Say what the plan changes, or else where one more pays back; and what nobody has tried."""
    if any(curve.plan is not None and curve.current is not None for curve in curves):
        finding = _moves(curves)
    elif break_even and any(curve.current is not None for curve in curves):
        finding = _paying(curves)
    else:
        finding = "What spend brings"
    lines = [short(finding, longest)]
    if new := [curve.name for curve in curves if curve.plan_is_new()]:
        lines.append(short(f"The plan spends what was never observed on {_listed(new)}", longest))
    return "\n".join(lines)


def _moves(curves: Sequence[_Curve]) -> str:
    by_size = sorted(curves, key=lambda curve: -abs(curve.change()))
    more = _listed(curve.name for curve in by_size if curve.change() > 0)
    less = _listed(curve.name for curve in by_size if curve.change() < 0)
    parts = [f"{word} on {names}" for word, names in (("more", more), ("less", less)) if names]
    return f"The plan spends {', '.join(parts)}" if parts else "The plan leaves spend as it is"


def _paying(curves: Iterable[_Curve]) -> str:
    """Say where one more brings more than it costs in 9 cases of 10."""
    known = [(curve.name, curve.slope(curve.current)) for curve in curves if curve.current is not None]
    paying = [name for name, slope in known if slope.low > 1]
    if not paying:
        return "Nowhere is it sure that spending more pays"
    if len(paying) == len(known) > 1:
        return "Spending more pays everywhere"
    return f"Spending more pays for {_listed(paying)}"


def _listed(names: Iterable[str]) -> str:
    """Give the first names, and how many others there are."""
    texts = [cut(name, LONGEST_NAME // 2) for name in names]
    if len(texts) > 2:
        texts = [texts[0], f"{len(texts) - 1} others"]
    return " and ".join(texts)
