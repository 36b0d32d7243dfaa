"""The allocation problem: decisions with their curves, rows, objective."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from allocator.errors import Finding
from allocator.plan.rows import Row, Weights
from allocator.response.curve import FloatArray, ResponseCurve
from allocator.response.curves import Cell

IntArray = NDArray[np.intp]


class Quantities(NamedTuple):
    """What every decision spends and brings, each shape (n_decisions,), in money."""

    spend: FloatArray
    margin: FloatArray
    revenue: FloatArray


class Incidence(NamedTuple):
    """Coefficients of the rows on the decisions they touch, one entry per touching pair."""

    row: IntArray
    decision: IntArray
    spend: FloatArray
    margin: FloatArray
    revenue: FloatArray


def revenue_at(curve: ResponseCurve, spend: FloatArray) -> FloatArray:
    """Give incremental revenue at `spend`; 0 where it is unknown.

    Along a smooth curve the revenue per margin is interpolated, so that it is as smooth as the margin.
    """
    if curve.revenue is None:
        return np.zeros_like(spend)
    if curve.shape is None:
        return np.asarray(np.interp(spend, curve.spend, curve.revenue))
    earning = curve.value[1:] != 0
    per_margin = curve.revenue[1:][earning] / curve.value[1:][earning]
    if not len(per_margin):
        return np.asarray(np.interp(spend, curve.spend, curve.revenue))
    return np.asarray(curve.at(spend) * np.interp(spend, curve.spend[1:][earning], per_margin))


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
    cost_per_contact : float or None
        Money per contact; None where contacts are unknown.
    """

    name: str
    cells: tuple[Cell, ...]
    spend_shares: FloatArray
    value_shares: FloatArray
    curve: ResponseCurve
    current: float | None = None
    cost_per_contact: float | None = None

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
    currency : str
    warnings : tuple of Finding
        Advice on the limits, to be shown with the plan.
    """

    decisions: tuple[Decision, ...]
    rows: tuple[Row, ...]
    objective: Weights
    budget: float
    spend_rule: Literal["up_to", "exactly"]
    currency: str
    warnings: tuple[Finding, ...] = ()

    @cached_property
    def incidence(self) -> Incidence:
        """The rows' coefficients on decisions; a tied decision's cells are added up.

        Raises
        ------
        ValueError
            When a row names a cell that no decision has, or counts revenue where none is known.
        """
        entries: dict[tuple[int, int], FloatArray] = {}
        for pair, weights in self._terms():
            entries[pair] = entries.get(pair, np.zeros(3)) + weights
        pairs = np.array(list(entries), dtype=np.intp).reshape(-1, 2)
        weights = np.array(list(entries.values())).reshape(-1, 3)
        unknown = [j for j, decision in enumerate(self.decisions) if decision.curve.revenue is None]
        lacking = np.isin(pairs[:, 1], unknown) & (weights[:, 2] != 0)
        if lacking.any() or (unknown and self.objective.revenue):
            j = int(pairs[lacking, 1][0]) if lacking.any() else unknown[0]
            raise ValueError(f"the revenue of {self.decisions[j].name} is counted but not known")
        return Incidence(pairs[:, 0], pairs[:, 1], weights[:, 0], weights[:, 1], weights[:, 2])

    def _terms(self) -> Iterator[tuple[tuple[int, int], FloatArray]]:
        place = {
            cell: (j, spend, value)
            for j, decision in enumerate(self.decisions)
            for cell, spend, value in zip(
                decision.cells, decision.spend_shares, decision.value_shares, strict=True
            )
        }
        for i, row in enumerate(self.rows):
            for cell, weights in row.terms.items():
                if cell not in place:
                    raise ValueError(f"{row.name} limits {cell}, which no decision fills")
                j, spend, value = place[cell]
                shares = np.array([spend, value, value])
                yield (i, j), np.array(weights) * shares

    def quantities(self, spend: ArrayLike) -> Quantities:
        """Recompute what `spend`, shape (n_decisions,) in money, brings by the curves themselves."""
        spend = np.asarray(spend, dtype=float)
        margin = [float(d.curve.at(s)) for d, s in zip(self.decisions, spend, strict=True)]
        revenue = [float(revenue_at(d.curve, s)) for d, s in zip(self.decisions, spend, strict=True)]
        return Quantities(spend, np.array(margin, dtype=float), np.array(revenue, dtype=float))

    def activities(self, got: Quantities) -> FloatArray:
        """Left-hand side of every row, shape (n_rows,), in the rows' own units."""
        row, at, *weights = self.incidence
        parts = sum(w * q[at] for w, q in zip(weights, got, strict=True))
        return np.asarray(np.bincount(row, parts, minlength=len(self.rows)), dtype=float)

    def scales(self, got: Quantities) -> FloatArray:
        """Sizes against which misses of the rows are judged, shape (n_rows,), in the rows' own units."""
        row, at, *weights = self.incidence
        parts = sum(np.abs(w * q[at]) for w, q in zip(weights, got, strict=True))
        used = np.asarray(np.bincount(row, parts, minlength=len(self.rows)), dtype=float)
        return used + np.abs(self.limits)

    def slacks(self, got: Quantities) -> FloatArray:
        """Room left in every row, shape (n_rows,), in the rows' own units; below 0 where one is broken."""
        signs = np.array([row.bound.sign for row in self.rows], dtype=float)
        return signs * (self.activities(got) - self.limits)

    @cached_property
    def limits(self) -> FloatArray:
        """Right-hand side of every row, shape (n_rows,), in the rows' own units."""
        return np.array([row.limit(self.budget) for row in self.rows], dtype=float)

    def value(self, got: Quantities) -> float:
        """Add up the objective, in its unit."""
        return float(sum(weight * float(q.sum()) for weight, q in zip(self.objective, got, strict=True)))

    def size(self, got: Quantities) -> float:
        """Add up the objective with every part counted positive: what errors are relative to."""
        return float(sum(abs(weight) * float(q.sum()) for weight, q in zip(self.objective, got, strict=True)))
