"""Every limit a planner can state, one class a measure; each yields named rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from allocator.errors import Origin
from allocator.options import Options
from allocator.plan.rows import Row, Terms, Unit
from allocator.response.curves import Cell


@dataclass(frozen=True)
class CellFacts:
    """What limits need to know of one cell besides its curve (all money over the whole horizon)."""

    cell: Cell
    current: float | None = None
    cost_per_contact: float | None = None
    contacts_per_customer: float = 1.0
    population: float | None = None
    tied: bool = False
    has_revenue: bool = False


@dataclass(frozen=True)
class Scope:
    """The cells a scenario's limits speak of, and where each value was written."""

    cells: tuple[CellFacts, ...]
    budget: float
    origin_of: Callable[[str], Origin | None]


class Selector(Options):
    """Which cells: one name or a list for each of tier, channel, period; absent means all."""

    tier: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    period: tuple[str, ...] = ()
