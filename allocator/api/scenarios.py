"""Reading, validating and showing scenarios; imports nothing that solves."""

from __future__ import annotations

import os
from collections.abc import Sequence

from rich.cells import cell_len

from allocator import pipeline
from allocator.errors import AllocatorError, Finding
from allocator.report.render.layout import plain
from allocator.scenario.load import load_scenario
from allocator.scenario.schema import Scenario, ordered
from allocator.scenario.show import Difference, Resolved, differences, resolved

__all__ = ["Scenario", "check", "load_scenario", "show"]


def check(
    path: str | os.PathLike[str], *, data: bool = True, allow_outside: bool = False
) -> tuple[Finding, ...]:
    """Give every error and warning about a scenario; empty when there is nothing to say.

    Everything that would stop a run is found, up to the solver.

    Parameters
    ----------
    path : path
    data : bool
        Whether to look at the data files.
    allow_outside : bool
        Whether `extends` and `data` paths may leave the project folder.

    Examples
    --------
    >>> check("scenarios/q1_base.yaml")
    ()
    """
    try:
        scenario = load_scenario(path, allow_outside=allow_outside)
    except AllocatorError as error:
        return error.findings
    found = [*scenario.warnings, *(pipeline.look(scenario) if data else ())]
    try:
        pipeline.rehearse(scenario)
    except AllocatorError as error:
        found += error.findings
    return tuple(ordered(found))


def show(scenario: Scenario, other: Scenario | None = None) -> str:
    """Give every value of a scenario with the place that wrote it, or what differs from another one.

    Parameters
    ----------
    scenario : Scenario
    other : Scenario, optional
        When given, only the values that differ, `scenario` first.

    Examples
    --------
    >>> base = load_scenario("scenarios/q1_base.yaml")
    >>> [line.split()[1:] for line in show(base).splitlines()[5:7]]
    [['horizon.start', '2027-01-01'], ['horizon.end', '2027-03-31']]
    >>> print(show(base, base.override({"budget.spend": "exactly"})))
    budget.spend
      up_to    scenarios/q1_base.yaml:19
      exactly  <override>:1
    """
    if other is None:
        return _columns([(_place(row), row.path, row.value) for row in resolved(scenario)])
    return "\n".join(_change(change) for change in differences(scenario, other))


def _change(change: Difference) -> str:
    sides = [(row.value, _place(row)) if row else ("nothing", "") for row in (change.left, change.right)]
    return "\n  ".join([plain(change.path), *_columns(sides).splitlines()])


def _place(row: Resolved) -> str:
    return f"{row.origin.file}:{row.origin.line}" if row.origin else "default"


def _columns(rows: Sequence[tuple[str, ...]]) -> str:
    """Align texts in columns, the last one of free length."""
    safe = [[plain(text) for text in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*safe, strict=True)]
    padded = (
        [text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True)]
        for row in safe
    )
    return "\n".join("  ".join(row).rstrip() for row in padded)
