"""Charts of effects of contacts, as figures of matplotlib: whether targeting pays, and effects come true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from allocator.models.uplift.board import CLEAR
from allocator.report.sheet import (
    ACTUAL,
    EIGHT_IN_TEN,
    FORECAST,
    LONGEST_LABEL,
    LONGEST_NAME,
    TOLD_APART,
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
    from matplotlib.figure import Figure


def qini_chart(
    share: ArrayLike,
    gain: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    area: tuple[float, float],
    name: str = "customers",
    unit: str = "outcome",
) -> Figure:
    """Draw what contacting more and more customers gains, the most promising ones first.

    Parameters
    ----------
    share : array, shape (n,)
        Of the customers who are contacted, up to 1: everybody.
    gain : array, shape (n,)
        Over contacting nobody, per head of all customers.
    low, high : array, shape (n,)
        Within which the gain lies in 8 cases of 10.
    area : (float, float)
        Between the curve and the one of random contact, and its standard error. Beyond 2.33 of them
        the title says that targeting beats random contact.
    name : str
        What is targeted, such as `e-mail`.
    unit : str
        What is gained, such as `visits` or `EUR`.

    Raises
    ------
    DataError
        E315 for columns that are empty, of different lengths or not finite, shares outside 0 to 1 or
        without everybody, or a negative error; E012 without matplotlib.

    Examples
    --------
    >>> figure = qini_chart([0, 0.5, 1], [0, 0.04, 0.05], [0, 0.03, 0.03], [0, 0.05, 0.07],
    ...                     area=(0.008, 0.001), name="e-mail", unit="visits")
    >>> figure.axes[0].get_title(loc="left")
    'Targeting e-mail beats random contact'
    """
    at, gained, below, above = _from_nobody(share, gain, low, high)
    size, error = _estimate(*area)
    note = f"area between the two lines {figures(size)}, standard error {figures(error)}"
    drawn = sheet(_targeting_title(size, CLEAR * error, name), note)
    axes = drawn.axes
    axes.fill_between(at, below, above, color=ACTUAL, alpha=0.2, lw=0, label="8 in 10")
    axes.plot(at, gained, color=ACTUAL, lw=2, label="best first")
    axes.plot([0, 1], [0, gained[-1]], color=FORECAST, lw=2, ls="--", label="random contact")
    zero_line(axes)
    axes.set_xlim(0, 1.02)
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
    axes.set_xlabel("share of customers contacted, most promising first")
    axes.set_ylabel(short(f"gain in {unit} per customer", LONGEST_LABEL))
    legend_below(drawn.figure)
    return drawn.figure


def _from_nobody(share: ArrayLike, *parts: ArrayLike) -> list[FloatArray]:
    """Give shares in order and what belongs to them, beginning with nobody, who gains nothing."""
    at, gained, low, high = columns(share, *parts)
    interval(low, high, gained)
    if at.min() < 0 or at.max() > 1 + 1e-9:
        raise impossible("a share below 0 or above 1")
    if at.max() < 1 - 1e-9:
        raise impossible("gains that do not end with everybody contacted")
    order = np.argsort(at, kind="stable")
    ordered = [part[order] for part in (at, gained, low, high)]
    return [np.concatenate([[0.0], part]) for part in ordered] if at.min() > 0 else ordered


def _targeting_title(area: float, reach: float, name: str) -> str:
    """Say whether choosing whom to contact is better than chance."""
    whom = f"Targeting {cut(name, LONGEST_NAME)}"
    if abs(area) <= reach or area == 0:
        return f"{whom} cannot be told from random"
    return f"{whom} beats random contact" if area > 0 else f"{whom} does worse than random"


def uplift_calibration(
    predicted: ArrayLike,
    measured: ArrayLike,
    error: ArrayLike,
    *,
    slope: tuple[float, float],
    name: str = "",
    unit: str = "outcome",
) -> Figure:
    """Draw the effects predicted for groups of customers against those measured.

    Parameters
    ----------
    predicted, measured : array, shape (groups,)
        Mean effect per customer, measured on customers the prediction did not see.
    error : array, shape (groups,)
        Standard errors of `measured`; the bars are 8 in 10 intervals.
    slope : (float, float)
        Of measured on predicted effects, and its standard error: 1 where effects differ as predicted, 0 where
        the prediction does not tell customers apart. Not a number where there are too few groups for it.
    name : str
        Of the channel or model, for the title.
    unit : str
        Of the effects, such as `visits` or `EUR`.

    Raises
    ------
    DataError
        E315 for columns that are empty, of different lengths or not finite, or a negative error; E012
        without matplotlib.

    Examples
    --------
    >>> figure = uplift_calibration([0.01, 0.05], [0.012, 0.047], [0.004, 0.004],
    ...                             slope=(0.9, 0.15), name="e-mail")
    >>> figure.axes[0].get_title(loc="left")
    'E-mail: effects differ as predicted'
    """
    expected, came, wide = columns(predicted, measured, error, of="groups")
    if wide.min() < 0:
        raise impossible("a standard error below 0")
    finding, note = _slope_title(*slope)
    drawn = sheet(capitalised(f"{cut(name, LONGEST_NAME)}: {finding}" if name else finding), note)
    axes = drawn.axes
    bars: dict[str, Any] = {"fmt": "o", "color": ACTUAL, "ms": 6, "capsize": 3, "label": "measured, 8 in 10"}
    axes.errorbar(expected, came, EIGHT_IN_TEN * wide, **bars)
    zero_line(axes)
    identity_line(axes, expected, "as predicted")
    axes.xaxis.set_major_formatter(lambda value, _: axis_number(value))
    axes.set_xlabel(short(f"predicted effect in {unit}", LONGEST_LABEL))
    axes.set_ylabel(short(f"measured effect in {unit}", LONGEST_LABEL))
    legend_below(drawn.figure)
    return drawn.figure


def _slope_title(slope: float, error: float) -> tuple[str, str]:
    """Say what the slope means, and give it in figures."""
    if not np.isfinite([slope, error]).all():
        return "too few groups for a slope", ""
    size, error = _estimate(slope, error)
    note = f"slope {size:.2f}, standard error {error:.2f}; 1 is right, 0 is chance"
    if abs(size) <= TOLD_APART * error or size == 0:
        return "predicted differences may be chance", note
    if size < 0:
        return "effects run against the prediction", note
    if abs(size - 1) <= TOLD_APART * error:
        return "effects differ as predicted", note
    return f"effects differ {'less' if size < 1 else 'more'} than predicted", note


def _estimate(value: float, error: float) -> tuple[float, float]:
    """Give an estimate and its error, or refuse those which say nothing."""
    if not np.isfinite([value, error]).all() or error < 0:
        raise impossible("an estimate without a standard error of at least 0")
    return float(value), float(error)
