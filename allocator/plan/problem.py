"""The allocation problem: decisions with their curves, rows, objective."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from allocator.errors import Finding
from allocator.plan.risk import EXPECTED, Risk
from allocator.plan.rows import Row, Weights, Whole
from allocator.response.curve import FloatArray, ResponseCurve, outcome_at
from allocator.response.curves import Cell

IntArray = NDArray[np.intp]
BROUGHT = Weights._fields[1:]
"""What spend brings, in the order of `Weights`; the margin first."""
NOTHING = Weights()
N_MEASURES = len(Weights._fields)


class Quantities(NamedTuple):
    """What every decision spends and brings, each shape (n_decisions,); units as in `Weights`."""

    spend: FloatArray
    margin: FloatArray
    revenue: FloatArray
    conversions: FloatArray
    retained: FloatArray
    immediate: FloatArray


class Incidence(NamedTuple):
    """Coefficients of the rows on the decisions they touch, one entry per touching pair.

    ``weights`` has shape (n_measures, n_entries).
    """

    row: IntArray
    decision: IntArray
    weights: FloatArray

    @property
    def earned(self) -> NDArray[np.bool_]:
        """Which entries count what spend brings, shape (n_entries,)."""
        return np.asarray((self.weights[1:] != 0).any(axis=0))


class Pairs(NamedTuple):
    """Entries of a sparse matrix: place in rows, place in columns, coefficient."""

    row: IntArray
    col: IntArray
    coef: FloatArray

    def times(self, vector: FloatArray, n_rows: int) -> FloatArray:
        """Multiply with a vector over the columns."""
        counted = np.bincount(self.row, self.coef * vector[self.col], minlength=n_rows)
        return np.asarray(counted, dtype=float)

    @classmethod
    def of(cls, entries: list[tuple[int, int, float]]) -> Pairs:
        """Collect entries."""
        table = np.array(entries, dtype=float).reshape(-1, 3)
        return cls(table[:, 0].astype(np.intp), table[:, 1].astype(np.intp), table[:, 2])


def brought_at(curve: ResponseCurve, spend: FloatArray) -> FloatArray:
    """Give what `spend`, shape (n,), brings by a curve, shape (n_measures - 1, n); 0 where it is unknown."""
    found = np.zeros((len(BROUGHT), *np.shape(spend)))
    found[0] = curve.at(spend)
    for place, name in enumerate(BROUGHT[1:], start=1):
        if curve.outcome(name) is not None:
            found[place] = outcome_at(curve, name, spend)
        elif name == "immediate":
            found[place] = found[0]
    return found


@dataclass(frozen=True, eq=False)
class Decision:
    """One amount of money to be chosen: a cell, or a whole channel whose tiers are tied.

    Parameters
    ----------
    name : str
        ``email`` for a tied channel, ``low/email`` for a cell, ``low/email#2`` for a segment,
        ``low/email@2027-01`` for a period.
    cells : tuple of Cell
        One cell, or one per tier when tied.
    spend_shares, value_shares : array, shape (len(cells),)
        How the decision's spend and value fall on its cells; each adds to 1.
    curve : ResponseCurve
        Of the decision as a whole; of its effective spend, where money carries over.
    current : float or None
        Money spent today; None when unknown.
    cost_per_contact : float or None
        Money per contact; None where contacts are unknown.
    discount : float
        Factor that brings what is spent and earned here to the start of the horizon.
    """

    name: str
    cells: tuple[Cell, ...]
    spend_shares: FloatArray
    value_shares: FloatArray
    curve: ResponseCurve
    current: float | None = None
    cost_per_contact: float | None = None
    discount: float = 1.0

    @property
    def tied(self) -> bool:
        """Whether the split over tiers is assumed rather than chosen."""
        return len(self.cells) > 1


@dataclass(frozen=True)
class Goal:
    """A further goal: what it counts, discounted or not, and how much of it those after it may cost."""

    name: str
    objective: Weights
    discounted: Weights = NOTHING
    given_up: float = 0.0


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
    carry : Pairs or None
        Effective spend of every decision as a sum over spends, ``e = carry @ x``; None where e = x.
    discounted : Weights
        A further objective, of which every decision's part counts times its discount.
    risk : Risk
        What of the draws of the objective is maximised.
    then : tuple of Goal
        What is maximised next, each as far as the goals before it allow.
    given_up : float
        Share of the objective that may be given up for the goals in `then`.
    """

    decisions: tuple[Decision, ...]
    rows: tuple[Row, ...]
    objective: Weights
    budget: float
    spend_rule: Literal["up_to", "exactly"]
    currency: str
    warnings: tuple[Finding, ...] = ()
    carry: Pairs | None = None
    discounted: Weights = NOTHING
    risk: Risk = field(default=EXPECTED)
    then: tuple[Goal, ...] = ()
    given_up: float = 0.0

    @cached_property
    def goal(self) -> FloatArray:
        """The value of one unit of each measure in each decision, shape (n_measures, n_decisions)."""
        discount = np.array([decision.discount for decision in self.decisions])
        return np.asarray(np.array(self.objective)[:, None] + np.outer(self.discounted, discount))

    @property
    def counts(self) -> Weights:
        """The objective without regard to discounts."""
        return self.objective.plus(self.discounted)

    @cached_property
    def incidence(self) -> Incidence:
        """The rows' coefficients on decisions; a tied decision's cells are added up.

        Raises
        ------
        ValueError
            When a row names a cell that no decision has, or counts what is not known of one.
        """
        pairs, weights = self._terms()
        row, decision = pairs.T
        place, group = np.unique(row * len(self.decisions) + decision, return_inverse=True)
        added = np.zeros((N_MEASURES, len(place)))
        for measure, coefs in enumerate(weights.T):
            if coefs.any():
                added[measure] = np.bincount(group, coefs, minlength=len(place))
        row, decision = np.divmod(place, max(len(self.decisions), 1))
        touch = Incidence(row, decision, added)
        self._refuse_unknown(touch)
        return touch

    def _refuse_unknown(self, touch: Incidence) -> None:
        for place, name in enumerate(BROUGHT[1:-1], start=2):
            lacking = [j for j, decision in enumerate(self.decisions) if decision.curve.outcome(name) is None]
            counted = touch.decision[touch.weights[place] != 0]
            missing = lacking if self.counts[place] else [j for j in lacking if j in counted]
            if missing:
                raise ValueError(f"the {name} of {self.decisions[missing[0]].name} is counted but not known")

    @cached_property
    def place_of(self) -> dict[Cell, tuple[int, float, float]]:
        """Decision of every cell, with the cell's shares in its spend and its value."""
        return {
            cell: (j, float(spend), float(value))
            for j, decision in enumerate(self.decisions)
            for cell, spend, value in zip(
                decision.cells, decision.spend_shares, decision.value_shares, strict=True
            )
        }

    def _terms(self) -> tuple[IntArray, FloatArray]:
        """Give (row, decision) and the weights of every term, a tied cell's by its share."""
        place = self.place_of
        pairs, shares, weights = [], [], []
        for i, row in enumerate(self.rows):
            for cell, weight in row.terms.items():
                if cell not in place:
                    raise ValueError(f"{row.name} limits {cell}, which no decision fills")
                j, spend, value = place[cell]
                pairs.append((i, j))
                shares.append((spend, value))
                weights.append(weight)
        table = np.array(weights, dtype=float).reshape(-1, N_MEASURES)
        share = np.array(shares, dtype=float).reshape(-1, 2)
        table[:, 0] *= share[:, 0]
        table[:, 1:] *= share[:, 1:]
        return np.array(pairs, dtype=np.intp).reshape(-1, 2), table

    @cached_property
    def wholes(self) -> tuple[Whole, ...]:
        """Switches and lots of all rows, in order."""
        return tuple(dict.fromkeys(whole for row in self.rows for whole in row.wholes))

    @cached_property
    def whole_spend(self) -> Pairs:
        """What every whole number looks at, as a sum over decisions' spends."""
        return Pairs.of(
            [(w, *self.place_of[cell][:2]) for w, whole in enumerate(self.wholes) for cell in whole.cells]
        )

    @cached_property
    def whole_rows(self) -> Pairs:
        """The rows' coefficients on whole numbers."""
        place = {whole: w for w, whole in enumerate(self.wholes)}
        entries = [(i, place[w], c) for i, row in enumerate(self.rows) for w, c in row.wholes.items()]
        return Pairs.of(entries)

    @property
    def has_integers(self) -> bool:
        """Whether a choice of the plan is one of whole numbers: switches, lots, curves that bend upwards."""
        return bool(self.wholes) or not all(decision.curve.concave for decision in self.decisions)

    @cached_property
    def counted(self) -> tuple[int, ...]:
        """Places in `BROUGHT` of what the objective or some row counts; the margin always."""
        used = (self.goal[1:] != 0).any(axis=1) | (self.incidence.weights[1:] != 0).any(axis=1)
        used[0] = True
        return tuple(np.flatnonzero(used).tolist())

    @cached_property
    def capped(self) -> IntArray:
        """Decisions of which some row wants spend to bring less, such as an upper limit on the return."""
        row, at, weights = self.incidence
        unwelcome = (weights[1:] * self.signs[row] < 0).any(axis=0)
        return np.unique(at[unwelcome])

    @cached_property
    def soft(self) -> NDArray[np.bool_]:
        """Which rows may be missed at a price, shape (n_rows,)."""
        return np.array([row.penalty is not None for row in self.rows], dtype=bool)

    def effective(self, spend: FloatArray) -> FloatArray:
        """Give the effective spend of every decision: of its own money and what carries over to it."""
        return spend if self.carry is None else self.carry.times(spend, len(self.decisions))

    @cached_property
    def carried(self) -> NDArray[np.bool_]:
        """Which decisions have an effective spend that is not their own, shape (n_decisions,)."""
        found = np.zeros(len(self.decisions), dtype=bool)
        if self.carry is not None:
            mixed = (self.carry.row != self.carry.col) | (self.carry.coef != 1.0)
            found[self.carry.row[mixed]] = found[self.carry.col[mixed]] = True
        return found

    def within(self, spend: FloatArray) -> FloatArray:
        """Cut spend off where its curve ends, as a program may go past it where no row says so."""
        ends = [d.curve.end if d.curve.bounded else np.inf for d in self.decisions]
        return np.where(self.carried, spend, np.minimum(spend, ends))

    def quantities(self, spend: ArrayLike) -> Quantities:
        """Recompute what `spend`, shape (n_decisions,) in money, brings by the curves themselves."""
        spend = np.asarray(spend, dtype=float)
        known = self._recent.get(spend.tobytes())
        if known is None:
            effective = self.effective(spend)
            brought = [
                brought_at(d.curve, np.asarray(e)) for d, e in zip(self.decisions, effective, strict=True)
            ]
            known = Quantities(spend, *np.array(brought, dtype=float).reshape(-1, len(BROUGHT)).T)
            self._recent.clear()  # a plan is looked at from several sides, one after the other
            self._recent[spend.tobytes()] = known
        return known

    @cached_property
    def _recent(self) -> dict[bytes, Quantities]:
        return {}

    def activities(self, got: Quantities) -> FloatArray:
        """Left-hand side of every row, shape (n_rows,), in the rows' own units."""
        row, at, weights = self.incidence
        parts = sum(w * q[at] for w, q in zip(weights, got, strict=True) if w.any())
        every = np.broadcast_to(parts, row.shape)
        counted = np.asarray(np.bincount(row, every, minlength=len(self.rows)), dtype=float)
        if self.wholes:
            counted = counted + self.whole_rows.times(self.whole_values(got.spend), len(self.rows))
        return counted

    def whole_values(self, spend: FloatArray) -> FloatArray:
        """Give every switch and number of lots at a spend."""
        money = self.whole_spend.times(spend, len(self.wholes))
        return np.array([whole.at(float(m)) for whole, m in zip(self.wholes, money, strict=True)])

    def scales(self, got: Quantities) -> FloatArray:
        """Sizes against which misses of the rows are judged, shape (n_rows,), in the rows' own units."""
        row, at, weights = self.incidence
        parts = sum(np.abs(w * q[at]) for w, q in zip(weights, got, strict=True) if w.any())
        used = np.bincount(row, np.broadcast_to(parts, row.shape), minlength=len(self.rows))
        return np.asarray(used + np.abs(self.limits), dtype=float)

    def slacks(self, got: Quantities) -> FloatArray:
        """Room left in every row, shape (n_rows,), in the rows' own units; below 0 where one is broken."""
        return self.signs * (self.activities(got) - self.limits)

    def room(self, got: Quantities) -> FloatArray:
        """Give `slacks`, but no less than 0 where a row may be missed at a price."""
        slacks = self.slacks(got)
        return np.where(self.soft, np.maximum(slacks, 0.0), slacks)

    @cached_property
    def signs(self) -> FloatArray:
        """1 for rows with a lower limit, -1 for those with an upper one."""
        return np.array([row.bound.sign for row in self.rows], dtype=float)

    @cached_property
    def limits(self) -> FloatArray:
        """Right-hand side of every row, shape (n_rows,), in the rows' own units."""
        return np.array([row.limit(self.budget) for row in self.rows], dtype=float)

    def value(self, got: Quantities) -> float:
        """Add up the objective, in its unit, less what missed limits cost."""
        return float((self.goal * np.array(got)).sum()) - self.fines(got)

    def fines(self, got: Quantities) -> float:
        """Add up what missed limits cost, in the objective's unit."""
        if not self.soft.any():
            return 0.0
        prices = np.array([row.penalty or 0.0 for row in self.rows])
        return float(prices @ np.maximum(0.0, -self.slacks(got)))

    def size(self, got: Quantities) -> float:
        """Add up the objective with every part counted positive: what errors are relative to."""
        return float((np.abs(self.goal) * np.array(got)).sum()) + self.fines(got)
