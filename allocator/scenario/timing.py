"""What a scenario says of periods: whether the horizon has any, and whether they are its own.

Runs on the tree, like every check that joins sections.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from typing import get_args

from allocator.errors import Finding, closest
from allocator.quantities import SpellingError, parse_date, quoted
from allocator.response.curves import ALL
from allocator.response.periods import (
    MOST_PERIODS,
    Period,
    PeriodKind,
    count_periods,
    periods_of,
    place_of,
)
from allocator.scenario.tree import Entry, Node

KINDS: tuple[PeriodKind, ...] = get_args(PeriodKind)
WITHOUT_HORIZON = Period(ALL, date.min, date.max, 1.0)
_NEED_PERIODS = (
    "budget.by_period",
    "channels.*.carryover",
    "channels.*.carry_in",
    "channels.*.available",
    "channels.*.season",
)
_BY_PERIOD = ("budget.by_period", "channels.*.season", "channels.*.committed")
_FEW = 12  # names that are listed when none of them is like the wrong one


def periods_in(tree: Node) -> tuple[Period, ...] | None:
    """Give the periods of a scenario's horizon; None where a fault in it leaves them open.

    Parameters
    ----------
    tree : Node
        With keys as the schema has them.
    """
    horizon = tree.get("horizon")
    if horizon is None or horizon.value is None:
        return (WITHOUT_HORIZON,)
    written = horizon.get("periods")
    kind = next((kind for kind in KINDS if kind == ("none" if written is None else written.value)), None)
    start, end = _day(horizon.get("start")), _day(horizon.get("end"))
    if kind is None or start is None or end is None or end < start:
        return None
    return periods_of(start, end, kind) if count_periods(start, end, kind) <= MOST_PERIODS else None


def timing(tree: Node) -> Iterator[Finding]:
    """Give every finding about what refers to periods, but for the selectors of limits.

    Parameters
    ----------
    tree : Node
        With keys as the schema has them.
    """
    periods = periods_in(tree)
    if periods is None:
        return
    if [period.name for period in periods] == [ALL]:
        yield from _without_periods(tree)
        return
    for pattern in _BY_PERIOD:
        for _, entry in tree.select(pattern.split(".")):
            yield from _names(entry, periods)
    for _, entry in tree.select(("channels", "*", "available")):
        yield from _span(entry.node, periods) if entry.node.is_mapping else _listed(entry.node, periods)


def no_such_period(name: str, periods: Sequence[str]) -> tuple[str, str]:
    """Say that a period is not one of the horizon, and which is meant.

    Parameters
    ----------
    name : str
    periods : sequence of str
        Names in order, at least one.

    Examples
    --------
    >>> no_such_period("2027-13", ["2027-11", "2027-12"])
    ("there is no period '2027-13'", "did you mean '2027-12'?")
    """
    near = closest(name, periods)
    listed = ", ".join(periods) if len(periods) <= _FEW else f"{periods[0]} to {periods[-1]}"
    fix = f"did you mean {quoted(near)}?" if near else f"periods in this scenario: {listed}"
    return f"there is no period {quoted(name)}", fix


def _day(node: Node | None) -> date | None:
    with suppress(SpellingError):
        return None if node is None or not isinstance(node.value, str) else parse_date(node.value)
    return None


def _without_periods(tree: Node) -> Iterator[Finding]:
    fix = "add horizon.periods: month"
    if tree.get("horizon") is None:
        fix = "add 'horizon: {start: …, end: …, periods: month}'"
    for pattern in _NEED_PERIODS:
        for path, entry in tree.select(pattern.split(".")):
            yield entry.key.finding("E113", f"{quoted(path[-1])} needs a horizon in periods", fix)
    for _, entry in tree.select(("channels", "*", "committed")):
        if entry.node.is_mapping:
            yield entry.key.finding("E113", "'committed' by period needs a horizon in periods", fix)
    for _, entry in tree.select(("constraints", "*", "each")):
        if entry.node.value == "period":
            yield entry.node.mark.finding("E113", "'each: period' needs a horizon in periods", fix)


def _names(entry: Entry, periods: Sequence[Period]) -> Iterator[Finding]:
    """Check the keys of a mapping by period."""
    known = [period.name for period in periods]
    for name, below in entry.node.entries.items():
        if name not in known:
            yield below.key.finding("E203", *no_such_period(name, known))


def _listed(node: Node, periods: Sequence[Period]) -> Iterator[Finding]:
    known = [period.name for period in periods]
    for item in node.items or (node,):
        if isinstance(item.value, str) and unicodedata.normalize("NFC", item.value) not in known:
            yield item.mark.finding("E203", *no_such_period(item.value, known))


def _span(node: Node, periods: Sequence[Period]) -> Iterator[Finding]:
    """Check the ends of a span: each a period or a day of the horizon, the first before the last."""
    places: dict[str, int] = {}
    for key in ("from", "to"):
        end = node.get(key)
        if end is None or not isinstance(end.value, str):
            continue
        place = place_of(periods, end.value)
        if place is None:
            yield end.mark.finding(*_no_end(end.value, periods))
        else:
            places[key] = place
    start, to = node.get("from"), node.get("to")
    if start and to and len(places) == 2 and places["to"] < places["from"]:
        yield to.mark.finding("E106", f"{quoted(to.value)} lies before {quoted(start.value)}", "swap the two")


def _no_end(text: str, periods: Sequence[Period]) -> tuple[str, str, str]:
    """Say why a text is neither a period nor a day of the horizon: code, what, fix."""
    try:
        parse_date(text)
    except SpellingError as error:
        if text.count("-") == 2:  # meant as a day
            return "E107", error.what, error.fix
        return "E203", *no_such_period(text, [period.name for period in periods])
    what = f"{quoted(text)} lies outside the horizon"
    return "E203", what, f"it runs from {periods[0].start} to {periods[-1].end}"
