"""The allocation problem: decisions with their curves, rows, objective; and its linear program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from allocator.plan.rows import Row, Weights
from allocator.response.curve import FloatArray, ResponseCurve
from allocator.response.curves import Cell


@dataclass(frozen=True, eq=False)
class Decision:
    """One amount of money to be chosen: a cell, or a whole channel whose tiers are tied.

    Parameters
    ----------
    name : str
        ``email`` for a tied channel, ``low/email`` for a cell, ``low/email#2`` for a segment.
    cells : tuple of Cell
        One cell, or one per tier when tied.
    spend_shares, value_shares : array, shape (len(cells),)
        How the decision's spend and value fall on its cells; each adds to 1.
    curve : ResponseCurve
        Of the decision as a whole.
    current : float or None
        Money spent today; None when unknown.
    """

    name: str
    cells: tuple[Cell, ...]
    spend_shares: FloatArray
    value_shares: FloatArray
    curve: ResponseCurve
    current: float | None = None

    @property
    def tied(self) -> bool:
        """Whether the split over tiers is assumed rather than chosen."""
        return len(self.cells) > 1


@dataclass(frozen=True, eq=False)
class Problem:
    """Choose the spend of every decision to maximise ``sum(objective . quantities)`` within the rows.

    Parameters
    ----------
    decisions : tuple of Decision
        In order of declaration.
    rows : tuple of Row
        ``budget.total`` first.
    objective : Weights
        Profit is ``Weights(spend=-1, margin=1)``.
    budget : float
    spend_rule : {"up_to", "exactly"}
    """

    decisions: tuple[Decision, ...]
    rows: tuple[Row, ...]
    objective: Weights
    budget: float
    spend_rule: Literal["up_to", "exactly"]
    currency: str
