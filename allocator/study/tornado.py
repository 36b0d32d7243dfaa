"""Which input matters: each one moved a little both ways, with and without making the plan anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from allocator.errors import ArgumentError, Finding, NoPlanError
from allocator.plan.families import GIVEN
from allocator.plan.optimise import optimise
from allocator.plan.problem import Decision, Problem
from allocator.plan.rows import Row, Unit
from allocator.plan.solution import Solution
from allocator.plan.solver import Engine
from allocator.quantities import percent
from allocator.response.curve import FloatArray
from allocator.study.hot import certain
from allocator.study.kept import brought, violations
from allocator.study.sweep import why_not

Kind = Literal["budget", "limit", "response", "cost"]
_CONTACTS = (Unit.CONTACTS, Unit.CONTACTS_PER_CUSTOMER)
_UNMOVED = ("budget", "lots", "marginal_return", *GIVEN)
"""Rows that are moved as something else, follow from the curves, or that nobody wrote."""


@dataclass(frozen=True)
class Swing:
    """What happens when one input is another one.

    Parameters
    ----------
    factor : float
        On the input.
    objective : float or None
        Of the plan made anew; None where there is none.
    kept : float
        Of the plan made before; what it brings as things then are, also where it breaks a limit.
    breaks : tuple of str
        Limits the plan made before breaks then.
    """

    factor: float
    objective: float | None
    kept: float
    breaks: tuple[str, ...]

    @property
    def regret(self) -> float | None:
        """What not making the plan anew loses; None where the old plan, or any, is not allowed."""
        return None if self.objective is None or self.breaks else self.objective - self.kept


@dataclass(frozen=True)
class Bar:
    """One input moved both ways.

    ``value`` is what it is now, in money or its writer's unit; None for responses and costs.
    """

    name: str
    kind: Kind
    value: float | None
    low: Swing
    high: Swing

    def width(self, base: float) -> float:
        """Give the distance between the best and the worst of both sides and the base plan."""
        known = [base, *(one.objective for one in (self.low, self.high) if one.objective is not None)]
        return max(known) - min(known)


@dataclass(frozen=True, eq=False)
class Tornado:
    """All inputs, the one that matters most first.

    Parameters
    ----------
    base : Solution
    by : float
        Share by which each input was moved.
    bars : tuple of Bar
    """

    base: Solution
    by: float
    bars: tuple[Bar, ...]

    @property
    def objective(self) -> float:
        """Of the base plan."""
        return self.base.objective or 0.0


def tornado(problem: Problem, by: float = 0.1, engine: Engine = "highs") -> Tornado:
    """Move the budget, every written limit, and every channel's response and cost, one at a time.

    Parameters
    ----------
    problem : Problem
    by : float
        Share by which each is raised and lowered, between 0 and 1.
    engine : {"highs", "cbc"}

    Returns
    -------
    Tornado
        Sorted by width, inputs without any last.

    Raises
    ------
    ArgumentError
        For a share out of its range.
    NoPlanError
        When there is no plan to begin with.
    """
    if not 0 < by < 1:
        what = f"inputs are moved by a share between 0% and 100%, not by {percent(by, None)}"
        raise ArgumentError(Finding("E106", None, what))
    problem = certain(problem)
    base = optimise(problem, engine)
    if not base.cells:
        raise NoPlanError(Finding("E401", None, why_not(base)))
    spend = np.array(base.decision_spend)
    bars = [
        Bar(
            name,
            kind,
            value,
            _swing(change(1 - by), spend, 1 - by, engine),
            _swing(change(1 + by), spend, 1 + by, engine),
        )
        for name, kind, value, change in _inputs(problem)
    ]
    bars.sort(key=lambda bar: -bar.width(base.objective or 0.0))
    return Tornado(base, by, tuple(bars))


def _swing(problem: Problem, spend: FloatArray, factor: float, engine: Engine) -> Swing:
    got = brought(problem, spend)
    broken = tuple(one.row.name for one in violations(problem, got))
    return Swing(factor, optimise(problem, engine).objective, problem.value(got), broken)


Change = Callable[[float], Problem]


def _inputs(problem: Problem) -> Iterator[tuple[str, Kind, float | None, Change]]:
    """Give what can be moved: its name, kind, value now, and the problem with a factor on it."""
    if problem.budget:
        yield (
            "budget.total", "budget", problem.budget,
            lambda factor: replace(problem, budget=problem.budget * factor),
        )  # fmt: skip
    for path, written in _limits(problem).items():
        yield path, "limit", written, _limit_change(problem, path)
    for channel in dict.fromkeys(cell.channel for d in problem.decisions for cell in d.cells):
        yield f"response of {channel}", "response", None, _response_change(problem, channel)
    for channel in dict.fromkeys(cell.channel for d in problem.decisions for cell in d.cells):
        yield f"cost of {channel}", "cost", None, _cost_change(problem, channel)


def _limits(problem: Problem) -> dict[str, float]:
    """Give every limit somebody wrote, once, in its writer's unit; 0 has no share to be moved by."""
    found: dict[str, float] = {}
    for row in problem.rows:
        written = row.written(problem.budget) if _is_moved(row) else 0.0
        if written and np.isfinite(written):
            found.setdefault(_key(row), float(written))
    return found


def _is_moved(row: Row) -> bool:
    counts_switches = bool(row.wholes) and row.unit is Unit.COUNT  # a tenth of a channel is none
    return row.kind not in _UNMOVED and not counts_switches


def _key(row: Row) -> str:
    """Name a limit by where it is written; one that is not, by its row."""
    return row.path or row.name


def _limit_change(problem: Problem, path: str) -> Change:
    def change(factor: float) -> Problem:
        rows = (
            row.with_limit(row.written(problem.budget) * factor, problem.budget)
            if _is_moved(row) and _key(row) == path
            else row
            for row in problem.rows
        )
        return replace(problem, rows=tuple(rows))

    return change


def _response_change(problem: Problem, channel: str) -> Change:
    """Let the same money bring more or less."""

    def change(factor: float) -> Problem:
        def scaled(decision: Decision) -> Decision:
            return replace(decision, curve=decision.curve.scaled(spend=1.0, value=factor))

        return replace(problem, decisions=_of(channel, problem, scaled))

    return change


def _cost_change(problem: Problem, channel: str) -> Change:
    """Let the same contacts cost more or less: every curve is drawn out along its spend."""

    def change(factor: float) -> Problem:
        def scaled(decision: Decision) -> Decision:
            cost = None if decision.cost_per_contact is None else decision.cost_per_contact * factor
            curve = decision.curve.scaled(spend=factor, value=1.0)
            return replace(decision, curve=curve, cost_per_contact=cost)

        rows = tuple(_at_cost(row, channel, factor) for row in problem.rows)
        return replace(problem, decisions=_of(channel, problem, scaled), rows=rows)

    return change


def _of(channel: str, problem: Problem, change: Callable[[Decision], Decision]) -> tuple[Decision, ...]:
    return tuple(change(d) if d.cells[0].channel == channel else d for d in problem.decisions)


def _at_cost(row: Row, channel: str, factor: float) -> Row:
    """Give a row where a channel's contacts cost more: ends of curves move, money buys fewer contacts."""
    mine = {cell for cell in row.terms if cell.channel == channel}
    if not mine:
        return row
    if row.kind == "curve_end":
        return replace(row, rhs=row.rhs * factor)
    if row.unit in _CONTACTS or row.kind == "customers_reached":
        terms = {
            cell: weights._replace(spend=weights.spend / factor) if cell in mine else weights
            for cell, weights in row.terms.items()
        }
        return replace(row, terms=terms)
    return row
