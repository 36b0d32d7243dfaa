"""Limits in a planner's words: their side, where they stand, the room they leave, where they are written."""

from __future__ import annotations

from allocator.errors import Origin
from allocator.plan.rows import Row, Unit
from allocator.plan.solution import RowResult
from allocator.quantities import count, money, money_short
from allocator.report.document import Entry, Money, Text
from allocator.report.scale import Scale

MADE_UP = ("lots", "kept_goal")
"""Kinds of rows that state a choice of the plan and not a limit somebody set."""

_CONTACTS = (Unit.CONTACTS, Unit.CONTACTS_PER_CUSTOMER)
_COUNTED = {
    "active_channels": ("channel", "channels"),
    "conversions": ("conversion", "conversions"),
    "retained_customers": ("customer kept", "customers kept"),
    "customers_reached": ("customer", "customers"),
}
# limits that the program holds from the other side
_OTHER_SIDE = {"marginal_return": "min", "payback_months": "max", "reserve": "min"}


def side(row: Row) -> str:
    """Give the side as its writer sees it: a reserve is a least amount, though it caps the spend."""
    return _OTHER_SIDE.get(row.kind, row.bound.value)


def stands_at(row: Row, limit: float, scale: Scale) -> Entry:
    """Give a limit in money, contacts or counts, as the plan meets it; ratios as they are written.

    Parameters
    ----------
    row : Row
    limit : float
        The ratio where the row is one, else its right-hand side in its own unit.
    scale : Scale
    """
    if row.ratio_limit is not None:
        return Text(row.spell(limit) + (" or none" if row.kind == "spend_if_active" else ""))
    if row.unit is Unit.COUNT:
        return Text(_things(row, limit))
    if row.kind == "reserve":
        return Money(limit / row.scale - row.shift, decimals=scale.decimals)
    return Money(limit, decimals=0 if row.unit in _CONTACTS else scale.decimals)


def amount(row: Row, value: float, *, short: bool = True, decimals: int = 0) -> str:
    """Write an amount of the row's own unit: ``18k`` (or ``18,000``), ``8,000 contacts``, ``2 channels``."""
    if row.unit in _CONTACTS:
        return f"{count(value)} contacts"
    if row.unit is Unit.COUNT:
        return _things(row, value)
    if value < 1:
        return money(value, 2)
    return money_short(value) if short else money(value, decimals)


def _things(row: Row, value: float) -> str:
    one, many = _COUNTED.get(row.kind, ("", ""))
    return f"{count(value)} {one if count(value) == '1' else many}".strip()


def reached(result: RowResult) -> str:
    """Write what a plan reaches of a ratio."""
    return result.row.spell(round(result.value, 2))


def place(origin: Origin | None) -> str:
    """Give file and line, without the folder."""
    if origin is None:
        return ""
    return f"{origin.file.replace(chr(92), '/').rpartition('/')[2]}:{origin.line}"
