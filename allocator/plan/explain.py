"""Why a cell got what it got: what its next unit earns, and which limits take that away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.plan.problem import Problem
from allocator.plan.results import marginal_returns
from allocator.plan.rows import Row, Weights
from allocator.plan.solution import RowResult, Solution
from allocator.response.curves import Cell

NOTHING = 1e-9


@dataclass(frozen=True)
class Charge:
    """What one limit takes from (or adds to) the next unit of money in a cell, in the objective's unit."""

    row: Row
    amount: float


@dataclass(frozen=True)
class CellReason:
    """One decision behind a cell.

    Parameters
    ----------
    decision : str
    spend : float
        In money.
    marginal_return : float or None
        Incremental margin of the next unit of money; None at the end of the curve.
    last_return : float
        The same of the last unit; nan where nothing is spent.
    money : float
        What the objective takes for a unit of money itself: -1 for profit.
    charges : tuple of Charge
        At a plan inside its curve ``weight * marginal_return + money`` equals their sum: between that of the
        next and the last unit at a kink.
    """

    decision: str
    spend: float
    marginal_return: float | None
    last_return: float
    money: float
    charges: tuple[Charge, ...]


def reasons(problem: Problem, solution: Solution, cell: Cell) -> tuple[CellReason, ...]:
    """Say what stops the next unit of money in the decisions that fill a cell.

    Stationarity: the gain of a unit equals what the binding limits charge for it, price times coefficient.

    Parameters
    ----------
    problem : Problem
    solution : Solution
        Its plan.
    cell : Cell
        Without a segment: all of its segments.

    Returns
    -------
    tuple of CellReason
        One a decision (segment, or tied channel); empty where no decision fills the cell.
    """
    spend = np.array(solution.decision_spend)
    following = marginal_returns(problem, spend)
    effective = problem.effective(spend)
    found = []
    for j, decision in enumerate(problem.decisions):
        if not any(part._replace(segment="") == cell for part in decision.cells):
            continue
        brings = Weights(1.0, *_per_unit(problem, j, following[j]))
        charges = [
            Charge(one.row, _charge(one.row, problem, j, brings) * price) for one, price in _prices(solution)
        ]
        found.append(
            CellReason(
                decision=decision.name,
                spend=float(spend[j]),
                marginal_return=following[j],
                last_return=decision.curve.marginal(float(effective[j]), "last"),
                money=float(problem.goal[0, j]),
                charges=tuple(charge for charge in charges if abs(charge.amount) > NOTHING),
            )
        )
    return tuple(found)


def _prices(solution: Solution) -> list[tuple[RowResult, float]]:
    """Give every binding limit with its own price: of the budget without the shares of it that move along."""
    binding = [(one, one.next_unit or 0.0) for one in solution.rows if one.binding]
    along = sum(
        one.row.bound.sign * one.row.rhs_per_budget * price
        for one, price in binding
        if one.row.kind != "budget"
    )
    return [(one, price + along if one.row.kind == "budget" else price) for one, price in binding]


def _per_unit(problem: Problem, j: int, margin: float | None) -> tuple[float, float]:
    """Give margin and revenue of the next unit of a decision."""
    if margin is None:
        return 0.0, 0.0
    curve = problem.decisions[j].curve
    ratio = (
        0.0 if curve.revenue is None or not curve.value[-1] else float(curve.revenue[-1] / curve.value[-1])
    )
    return margin, ratio * margin


def _charge(row: Row, problem: Problem, j: int, brings: Weights) -> float:
    """Give how much of a row's room the next unit of a decision takes."""
    shares = {part._replace(segment=""): (s, v) for part, s, v in _parts(problem, j)}
    used = 0.0
    for cell, weights in row.terms.items():
        if cell in shares or cell._replace(segment="") in shares:
            paid, earned = shares[cell._replace(segment="")]
            used += weights.spend * paid + earned * Weights(0.0, *weights[1:]).dot(brings)
    return -row.bound.sign * used


def _parts(problem: Problem, j: int) -> list[tuple[Cell, float, float]]:
    decision = problem.decisions[j]
    return [
        (cell, float(spend), float(value))
        for cell, spend, value in zip(
            decision.cells, decision.spend_shares, decision.value_shares, strict=True
        )
    ]
