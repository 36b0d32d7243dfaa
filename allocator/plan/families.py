"""Limits that are told as one: those of the segments of a tier, which no planner knows by number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from allocator.plan.rows import Row

GIVEN = ("curve_end", "one_per_customer", "marginal_return", "lots")
"""Kinds of rows that no planner can move as one number."""

Family = tuple[int, ...]


def families(rows: Sequence[Row]) -> tuple[Family, ...]:
    """Give the places of rows that are told as one; most stand alone.

    Examples
    --------
    >>> from allocator.plan.rows import Bound, Weights
    >>> from allocator.response.curves import Cell
    >>> def end(channel: str, segment: str) -> Row:
    ...     cell = Cell("low", channel, segment=segment)
    ...     name = f"curve_end[{channel}, low#{segment}]"
    ...     return Row(name, "curve_end", Bound.MAX, {cell: Weights(spend=1.0)}, rhs=9.0)
    >>> families([end("email", "1"), end("mail", "1"), end("email", "2")])
    ((0, 2), (1,))
    """
    found: dict[object, list[int]] = {}
    for place, row in enumerate(rows):
        segment = _segment(row)
        found.setdefault(_whole_name(row, segment) if segment else place, []).append(place)
    return tuple(tuple(places) for places in found.values())


def joined(rows: Sequence[Row]) -> Row:
    """Give the rows of a family as one: its limit and activity are their sums, its cells whole tiers'."""
    first = rows[0]
    terms = {cell._replace(segment=""): weights for row in rows for cell, weights in row.terms.items()}
    name = _whole_name(first, _segment(first))
    return replace(first, name=name, terms=terms, rhs=sum(row.rhs for row in rows))


def told(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Give rows as people read them, each family once."""
    return tuple(joined([rows[i] for i in family]) for family in families(rows))


def _segment(row: Row) -> str:
    """Give the segment a row is about; empty for a row about more than one, or none."""
    if row.kind not in GIVEN:
        return ""
    segments = {cell.segment for cell in row.terms}
    return segments.pop() if len(segments) == 1 else ""


def _whole_name(row: Row, segment: str) -> str:
    return row.name.replace(f"#{segment}", "", 1) if segment else row.name
