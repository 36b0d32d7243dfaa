"""From the table of a spend history to the panels that models of media learn from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from allocator.errors import DataError, Finding, raise_findings
from allocator.models.media import MediaPanel
from allocator.quantities import count, quoted
from allocator.response.curve import FloatArray
from allocator.tables.contracts import CONTROL, SPEND
from allocator.tables.table import Table

if TYPE_CHECKING:
    import pandas as pd

Days = NDArray[np.datetime64]

WHOLE = "all"
NOTHING = ("", "na", "n/a", "none", "null", "nan", "-", "no")
"""Texts of a control that say that nothing was going on."""
MONTH_DAYS = 365.25 / 12
FEW = 12  # values of a control that is text
LISTED = 5


def panel_of(table: Table, rows: pd.DataFrame | None = None) -> MediaPanel:
    """Give the panel of a table, or of some of its rows: one group where it names none.

    Parameters
    ----------
    table : Table
        Of the contract ``spend_history``.
    rows : DataFrame, optional
        The rows of its data to use.

    Returns
    -------
    MediaPanel
        With groups in order of appearance. A control that is text becomes one indicator a value, but for the
        value that says that nothing was going on, else the most frequent.

    Raises
    ------
    DataError
        E315 for a group without some periods, gaps, periods of different length, a control with empty cells
        or with too many texts, and what :class:`MediaPanel` refuses.
    """
    data = table.data if rows is None else rows
    days = data["date"].to_numpy().astype("datetime64[D]")
    group = data["group"].astype(str).to_numpy() if "group" in data else np.full(len(data), WHOLE, object)
    groups = tuple(dict.fromkeys(group.tolist()))
    starts = np.unique(days)
    raise_findings([*_twice(days, group), *_holes(days, group, starts, groups, table)], DataError)
    period_days = period_length(starts, table)
    order = np.lexsort((days, np.array([groups.index(name) for name in group])))
    data = data.iloc[order]
    spend = {name: data[name].to_numpy(np.float64) for name in map(str, data) if name.startswith(SPEND)}
    controls = _controls(data, days[order])
    shape = (len(groups), len(starts))
    return MediaPanel(
        outcome=data["outcome"].to_numpy(np.float64).reshape(shape),
        spend=_stacked(spend, shape),
        channels=tuple(name.removeprefix(SPEND) for name in spend),
        controls=_stacked(controls, shape),
        control_names=tuple(controls),
        groups=groups,
        period_days=period_days,
        starts=starts,
    )


def period_length(starts: Days, table: Table) -> float:
    """Give the days of a period: of equal steps, or of whole months.

    Parameters
    ----------
    starts : array of datetime64[D], shape (t,)
        Rising.
    table : Table
        Whose unusable rows may explain a gap.

    Raises
    ------
    DataError
        E315 naming the periods that are missing, or the first that is longer or shorter than the others.
    """
    if len(starts) < 2:
        return MONTH_DAYS  # too short to fit, which the panel says
    steps = np.diff(starts).astype(int)
    months = np.diff(starts.astype("datetime64[M]")).astype(int)
    monthly = _same_day_of_month(starts)
    step = months if monthly else steps
    usual = int(np.bincount(step).argmax())
    if (step == usual).all():
        return usual * MONTH_DAYS if monthly else float(usual)
    raise DataError(_uneven(starts, step, usual, (table, monthly)))


def _same_day_of_month(starts: Days) -> bool:
    """Whether every start is the same day of its month, or its last, and no two are of one month."""
    months = starts.astype("datetime64[M]")
    day = (starts - months.astype("datetime64[D]")).astype(int)
    last = (starts + 1).astype("datetime64[M]") > months
    apart = np.diff(months).astype(int)
    return bool(((day == day[0]).all() or last.all()) and (apart > 0).all())


def _uneven(starts: Days, step: NDArray[np.int_], usual: int, told: tuple[Table, bool]) -> Finding:
    """Name the periods that are missing, else the first of another length."""
    table, monthly = told
    unit = "months" if monthly else "days"
    if (step % usual == 0).all():
        at = np.flatnonzero(step != usual)
        missing = [
            day for place in at for day in _between(starts[place], int(step[place]), usual, monthly=monthly)
        ]
        what = f"the spend history has no row for {_some(missing)}, among periods of {usual} {unit}"
        return Finding("E315", None, what, _why(table))
    odd = int(np.flatnonzero(step != usual)[0])
    what = f"the periods of the spend history differ: most are {usual} {unit},"
    what += f" {starts[odd]} to {starts[odd + 1]} are {step[odd]}"
    return Finding("E315", None, what, "give every period the same length, such as a week from Monday")


def _between(start: np.datetime64, step: int, usual: int, *, monthly: bool) -> Iterator[str]:
    for ahead in range(usual, step, usual):
        yield str(start.astype("datetime64[M]") + ahead if monthly else start + ahead)


def _why(table: Table) -> str:
    """Give the first row that cannot be used: it may be the one that is missing."""
    if not table.rejects.examples:
        return "add a row for every period; where nothing was spent, write 0"
    one = table.rejects.examples[0]
    return f"row {one.row} cannot be used: {one.column} {quoted(one.value)} {one.reason}"


def _twice(days: Days, group: NDArray[np.object_]) -> Iterator[Finding]:
    """Find a day that has several rows, at other hours."""
    seen: set[tuple[str, str]] = set()
    for key in zip(group.tolist(), map(str, days), strict=True):
        if key in seen:
            yield Finding(
                "E315", None, f"the spend history has several rows for {key[1]}", "one row a period"
            )
            return
        seen.add(key)


def _holes(
    days: Days, group: NDArray[np.object_], starts: Days, groups: Sequence[str], table: Table
) -> Iterator[Finding]:
    """Find groups without a row for a period that others have."""
    for name in groups:
        missing = np.setdiff1d(starts, days[group == name])
        if len(missing):
            what = f"the group {quoted(name)} of the spend history has no row for {_some(_days(missing))}"
            yield Finding("E315", None, what, _why(table))


def _days(days: Days) -> list[str]:
    return [str(day) for day in days]


def _some(names: Sequence[str]) -> str:
    more = len(names) - LISTED
    return f"{', '.join(names[:LISTED])}{f' and {count(more)} more' if more > 0 else ''}"


def _stacked(columns: Mapping[str, FloatArray], shape: tuple[int, int]) -> FloatArray:
    """Give columns as the last axis of an array of groups and periods."""
    parts = [column.reshape(shape) for column in columns.values()]
    return np.stack(parts, axis=-1) if parts else np.zeros((*shape, 0))


def _controls(data: pd.DataFrame, days: Days) -> dict[str, FloatArray]:
    found: dict[str, FloatArray] = {}
    for column in (name for name in map(str, data) if name.startswith(CONTROL)):
        name = column.removeprefix(CONTROL)
        cells = data[column]
        if cells.dtype.kind != "f":
            found |= _indicators(name, cells)
        elif cells.isna().any():
            empty = [str(day) for day in np.unique(days[cells.isna().to_numpy()])]
            what = f"the control {quoted(name)} of the spend history is empty on {_some(empty)}"
            raise DataError(Finding("E315", None, what, "write 0 where there was nothing"))
        else:
            found[name] = cells.to_numpy(np.float64)
    return found


def _indicators(name: str, cells: pd.Series) -> dict[str, FloatArray]:
    """Give one column of 0 and 1 for each text, but for the one that is usual."""
    texts = cells.fillna("").astype(str)
    quiet = texts.str.lower().isin(NOTHING)
    usual = "" if quiet.any() else str(texts.mode().iloc[0])
    texts = texts.mask(quiet, "")
    values = sorted(set(texts) - {usual})
    if len(values) > FEW:
        what = f"the control {quoted(name)} of the spend history is text with {count(len(set(texts)))} values"
        fix = f"a control is a number, or a text of at most {FEW} values; first are {_some(values)}"
        raise DataError(Finding("E315", None, what, fix))
    return {f"{name}={value}": np.asarray(texts == value, np.float64) for value in values}
