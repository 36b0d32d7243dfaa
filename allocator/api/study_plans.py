"""Studies of plans: side by side, and made by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from allocator.api.plans import Plan
from allocator.api.study_base import Study, header, objective_of, subtitle
from allocator.plan.solution import CellResult
from allocator.quantities import UNKNOWN, money, money_short
from allocator.report.document import Advice, Column, Document, Entry, Figure, Money, Table, Text
from allocator.scenario.schema import Scenario
from allocator.study.compare import Comparison as Compared
from allocator.study.evaluate import Evaluation as Evaluated
from allocator.study.outputs import channel_spend, spelled, totals


@dataclass(frozen=True, eq=False)
class Comparison(Study):
    """Plans side by side; the first is the reference.

    Parameters
    ----------
    plans : tuple of Plan
    result : allocator.study.compare.Comparison
    """

    plans: tuple[Plan, ...]
    result: Compared

    def to_frame(self) -> pd.DataFrame:
        """Give one row an output or channel, one column a plan, ``kind`` and ``name`` first.

        Returns
        -------
        pandas.DataFrame
            ``kind`` is ``output`` or ``channel`` (its spend); the columns after ``name`` are the plans'.
        """
        rows = [
            {"kind": kind, "name": name, **dict(zip(self.result.names, values, strict=True))}
            for kind, entries in (("output", self.result.outputs), ("channel", self.result.channels))
            for name, values in entries.items()
        ]
        return pd.DataFrame(rows, columns=["kind", "name", *self.result.names])

    def inputs(self) -> pd.DataFrame:
        """Give one row a path at which the scenarios differ, one column a plan, as it is written."""
        rows = [(one.path, *one.written) for one in self.result.inputs]
        return pd.DataFrame(rows, columns=["path", *self.result.names])

    def _data(self) -> dict[str, Any]:
        found = self.result
        return {
            "schema": "allocator.comparison/1",
            "plans": [
                {"name": name, "reason": why or None}
                for name, why in zip(found.names, found.reasons, strict=True)
            ],
            "inputs": [{"path": one.path, "written": list(one.written)} for one in found.inputs],
            "outputs": {name: list(values) for name, values in found.outputs.items()},
            "channels": {name: list(values) for name, values in found.channels.items()},
        }

    @property
    def _document(self) -> Document:
        found = self.result
        heads = tuple(Column(name) for name in found.names)
        asked = tuple(
            (Text(one.path), *(Text(_short(value)) for value in one.written)) for one in found.inputs
        )
        come = tuple(
            (Text(_OUTPUT_HEADS.get(name, name.replace("_", " "))), *_beside(name, values))
            for name, values in found.outputs.items()
            if any(value is not None for value in values)
        )
        spent = tuple((Text(name), *_beside("spend", values)) for name, values in found.channels.items())
        tables = (
            Table("What was asked, where it differs", (Column("input", "left"), *heads), asked),
            Table(
                "What comes out; in brackets the difference to the first", (Column("", "left"), *heads), come
            ),
            Table("Where the money goes", (Column("channel", "left"), *heads), spent),
        )
        scenario = self.plans[0].scenario
        return Document(
            " · ".join(found.names),
            subtitle("comparison", scenario),
            tables=tuple(table for table in tables if table.rows),
            advice=tuple(
                Advice("", f"{name}: {why}")
                for name, why in zip(found.names, found.reasons, strict=True)
                if why
            ),
        )


def _short(value: str | None) -> str:
    """Write a value of a scenario so that a path and two of them fit in a line."""
    if value is None:
        return UNKNOWN
    return value if len(value) <= LONGEST else value[: LONGEST - 1] + "…"


LONGEST = 28
_OUTPUT_HEADS = {"roi": "ROI", "marginal_return": "next 1 earns"}


def _beside(name: str, values: Sequence[float | None]) -> Iterator[Entry]:
    """Write values with their difference to the first."""
    first = values[0]
    for place, value in enumerate(values):
        text = spelled(name, value)
        if place and value is not None and first is not None:
            more = spelled(name, value - first)
            text += f" ({more if value < first else '+' + more})" if value != first else " (=)"
        yield Text(text)


@dataclass(frozen=True, eq=False)
class Evaluation(Study):
    """A manual plan in the terms of an optimised one.

    Parameters
    ----------
    scenario : Scenario
    result : allocator.study.evaluate.Evaluation
    """

    scenario: Scenario
    result: Evaluated

    @property
    def gap(self) -> float | None:
        """What the best plan gains over this one, in the objective's unit; None where there is no best."""
        return self.result.gap

    @property
    def keeps_limits(self) -> bool:
        """Whether every limit is kept."""
        return not self.result.violations

    def to_frame(self) -> pd.DataFrame:
        """Give one row a cell.

        Returns
        -------
        pandas.DataFrame
            ``tier``, ``channel``, ``period``, ``spend``, ``return``, ``conversions``, ``marginal_return``,
            ``contacts``, ``tied``, ``best_spend`` and ``best_return`` of the best plan.
        """
        best = {cell.cell: cell for cell in self.result.optimum.cells}
        return pd.DataFrame(
            [_cell_row(cell, best.get(cell.cell)) for cell in self.result.cells], columns=_CELL_COLUMNS
        )

    def violations(self) -> pd.DataFrame:
        """Give one row a limit broken: ``name``, ``limit``, ``value``, ``missing``, ``reason``.

        ``limit`` and ``value`` as its writer states them, ``missing`` in the unit of the limit's own row.
        """
        rows = [
            (one.row.name, one.limit, one.value, one.missing, one.row.reason)
            for one in self.result.violations
        ]
        return pd.DataFrame(rows, columns=["name", "limit", "value", "missing", "reason"])

    def _data(self) -> dict[str, Any]:
        found = self.result
        return header("evaluation", self.scenario) | {
            **totals(found.cells),
            "objective": found.objective,
            "best_objective": found.optimum.objective,
            "gap": found.gap,
            "return_interval": None if found.margin_interval is None else list(found.margin_interval),
            "cells": self.to_frame().astype(object).where(self.to_frame().notna(), None).to_dict("records"),
            "violations": [
                {"name": one.row.name, "limit": one.limit, "value": one.value, "missing": one.missing,
                 "text": one.text, "reason": one.row.reason}
                for one in found.violations
            ],
            "notes": list(found.notes),
        }  # fmt: skip

    @property
    def _document(self) -> Document:
        mine, best = channel_spend(self.result.cells), channel_spend(self.result.optimum.cells)
        columns = (Column("channel", "left"), Column("this plan"), Column("best plan"), Column("difference"))
        rows = tuple(
            (
                Text(name),
                Money(spend),
                Money(best.get(name)),
                Money(best[name] - spend if name in best else None, signed=True),
            )
            for name, spend in mine.items()
        )
        broken = tuple(Advice("", one.text) for one in self.result.violations)
        return Document(
            self.scenario.name,
            subtitle("manual plan", self.scenario),
            figures=tuple(self._figures()),
            tables=(Table("Money by channel", columns, rows),),
            advice=(*broken, *(Advice("", note) for note in self.result.notes)),
        )

    def _figures(self) -> Iterator[Figure]:
        found = self.result
        sums = totals(found.cells)
        yield Figure("Spend", Money(sums["spend"]))
        likely: tuple[str, ...] = ()
        if found.margin_interval:
            low, high = map(money_short, found.margin_interval)
            likely = (f"likely {low} to {high} (8 in 10)",)
        yield Figure("Return", Money(sums["return"]), ("margin", *likely))
        what = objective_of(self.scenario)
        if found.gap is None:
            yield Figure("Best", Text(UNKNOWN), ("no plan satisfies every limit",))
        else:
            word = "behind the best plan" if found.gap >= 0 else "ahead of the best plan, by breaking limits"
            yield Figure("Gap", Money(abs(found.gap)), (f"{what} {word}", f"{money(found.objective)} here"))
        n = len(found.violations)
        kept = "all kept" if not n else f"{n} broken, listed below"
        yield Figure("Limits", Text(kept))


_CELL_COLUMNS = [
    "tier", "channel", "period", "spend", "return", "conversions", "marginal_return", "contacts", "tied",
    "best_spend", "best_return",
]  # fmt: skip


def _cell_row(cell: CellResult, best: CellResult | None) -> tuple[object, ...]:
    name = cell.cell
    return (
        name.tier, name.channel, name.period, cell.spend, cell.margin, cell.conversions, cell.marginal_return,
        cell.contacts, cell.tied, best.spend if best else None, best.margin if best else None,
    )  # fmt: skip
