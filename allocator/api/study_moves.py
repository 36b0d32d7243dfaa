"""Why a cell got what it got, and how far few changes go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from allocator.api.plans import Plan
from allocator.api.study_base import Study, header, objective_of, subtitle
from allocator.plan.explain import CellReason, Charge
from allocator.plan.moves import Step
from allocator.report.document import Advice, Column, Document, Figure, Money, Percent, Ratio, Table, Text
from allocator.response.curves import ALL, Cell, cell_name

PER = 1000.0
"""Money that prices are told for."""


@dataclass(frozen=True, eq=False)
class Moves(Study):
    """The best plans with few changed decisions: how much of the gain comes with the first ones.

    Parameters
    ----------
    plan : Plan
    steps : tuple of Step
        For 1, 2, 3, … changes.
    """

    plan: Plan
    steps: tuple[Step, ...]

    def to_frame(self) -> pd.DataFrame:
        """Give one row a number of moves: ``moves``, ``gain`` on today, its ``share``, ``changes``."""
        rows = [
            (one.moves, one.gain, one.share, ", ".join(name for name, *_ in one.changes))
            for one in self.steps
        ]
        return pd.DataFrame(rows, columns=["moves", "gain", "share", "changes"])

    def _data(self) -> dict[str, Any]:
        return header("moves", self.plan.scenario) | {
            "objective": objective_of(self.plan.scenario),
            "steps": [
                {
                    "moves": one.moves,
                    "gain": one.gain,
                    "share": one.share,
                    "changes": [{"name": name, "from": old, "to": new} for name, old, new in one.changes],
                }
                for one in self.steps
            ],
        }

    @property
    def _document(self) -> Document:
        rows = tuple(
            (Text(str(one.moves)), Money(one.gain, signed=True), Percent(one.share), Text(_listed(one)))
            for one in self.steps
        )
        columns = (Column("moves"), Column("gain"), Column("of all"), Column("what changes", "left"))
        remark = "" if rows else "today's plan cannot be improved, or today is unknown"
        return Document(
            title=self.plan.scenario.name,
            subtitle=subtitle("few moves", self.plan.scenario),
            tables=(Table(f"Best plans with few changes, by {self._goal}", columns, rows, remark=remark),),
        )

    @property
    def _goal(self) -> str:
        return objective_of(self.plan.scenario)


def _listed(step: Step) -> str:
    if step.gain is None:
        return "no plan with so few changes keeps every limit"
    return ", ".join(f"{name} {Money(old).text} to {Money(new).text}" for name, old, new in step.changes)


@dataclass(frozen=True, eq=False)
class CellExplanation(Study):
    """What the next unit of money earns in a cell, and which limits take that away.

    Parameters
    ----------
    plan : Plan
    cell : Cell
    reasons : tuple of CellReason
        One a decision behind the cell.
    """

    plan: Plan
    cell: Cell
    reasons: tuple[CellReason, ...]

    def to_frame(self) -> pd.DataFrame:
        """Give one row a charge.

        Returns
        -------
        pandas.DataFrame
            ``decision``, ``spend``, ``marginal_return``, ``limit``, ``charge`` (objective per unit of money)
            and ``reason``.
        """
        rows = [
            (one.decision, one.spend, one.marginal_return, charge.row.name, charge.amount, charge.row.reason)
            for one in self.reasons
            for charge in one.charges
        ]
        return pd.DataFrame(
            rows, columns=["decision", "spend", "marginal_return", "limit", "charge", "reason"]
        )

    def _data(self) -> dict[str, Any]:
        return header("explanation", self.plan.scenario) | {
            "cell": {"tier": self.cell.tier, "channel": self.cell.channel, "period": self.cell.period},
            "decisions": [
                {
                    "name": one.decision,
                    "spend": one.spend,
                    "marginal_return": one.marginal_return,
                    "last_return": one.last_return,
                    "charges": [
                        {"limit": charge.row.name, "amount": charge.amount, "reason": charge.row.reason}
                        for charge in one.charges
                    ],
                }
                for one in self.reasons
            ],
        }

    @property
    def _document(self) -> Document:
        tier = "" if self.cell.tier == ALL else self.cell.tier
        name = cell_name(self.cell.channel, tier, self.cell.period)
        tables = tuple(_charges(one) for one in self.reasons)
        return Document(
            title=f"{self.plan.scenario.name}: why {name} gets this",
            subtitle=subtitle("per 1k of money", self.plan.scenario),
            figures=tuple(_figure(one) for one in self.reasons),
            tables=tuple(table for table in tables if table.rows),
            advice=_ends(self.reasons, self.plan.scenario.risk.method),
        )


def _figure(one: CellReason) -> Figure:
    told: tuple[str, ...]
    if one.marginal_return is None:
        told = ("the curve takes no more", f"the last unit earns {Ratio(one.last_return).text}")
    else:
        told = (f"the next 1k earns {Money(PER * one.marginal_return).text} of margin",)
    return Figure(one.decision, Money(one.spend), told)


def _charges(one: CellReason) -> Table:
    columns = (Column("for the next 1k", "left"), Column("takes"), Column("why", "left"))
    rows: list[tuple[Text, Money, Text]] = []
    if one.money:
        rows.append((Text("the money itself"), Money(-PER * one.money), Text("the goal subtracts it")))
    rows += [
        (Text(charge.row.name), Money(PER * charge.amount), Text(charge.row.reason))
        for charge in sorted(one.charges, key=_size)
    ]
    return Table(f"What stops {one.decision}", columns, tuple(rows))


def _size(charge: Charge) -> float:
    return -abs(charge.amount)


def _ends(reasons: Sequence[CellReason], method: str) -> tuple[Advice, ...]:
    whole = any(one.marginal_return is not None and not one.charges for one in reasons)
    if not whole:
        return ()
    luck = "on average; the goal counts bad luck, where the next unit earns less than it costs"
    what = "the next unit earns less than the goal asks of money" if method == "expected" else luck
    return (Advice("W313", f"no limit stops it: {what}"),)
