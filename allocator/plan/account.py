"""What a plan's rules and its caution cost: the same problem solved again without them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from allocator.plan.families import GIVEN
from allocator.plan.polish import polished
from allocator.plan.problem import Problem
from allocator.plan.refine import CARRIES, locate
from allocator.plan.risk import EXPECTED
from allocator.plan.rows import Row
from allocator.plan.safety import is_uncertain
from allocator.plan.solution import RowResult, Safety, Solution
from allocator.plan.uncertainty import worth
from allocator.response.curve import FloatArray

SMALL = 1e-6
"""Of the objective: a gain up to this is none."""


def accounted(problem: Problem, solution: Solution) -> Solution:
    """Give the solution with the cost of every rule that binds, and what its caution gives up and buys.

    A rule is all that one written limit states, so that ``each`` counts as one. Its cost is what the
    objective gains when it is left out and everything is chosen anew, whole numbers included.

    Parameters
    ----------
    problem : Problem
    solution : Solution
        Of the problem; given back as it is without a plan.
    """
    if not solution.cells:
        return solution
    costs = _costs(problem, solution)
    rows = tuple(
        replace(one, cost=costs.get(_rule(one.row)) if one.binding else None) for one in solution.rows
    )
    return replace(solution, rows=rows, safety=_safety(problem, solution))


def _rule(row: Row) -> str:
    return row.path or row.name


def _costs(problem: Problem, solution: Solution) -> Mapping[str, float]:
    before = solution.objective if solution.worth is None else solution.worth
    costs = {}
    for rule in dict.fromkeys(_rule(one.row) for one in solution.rows if _is_a_choice(one)):
        without = replace(problem, rows=tuple(row for row in problem.rows if _rule(row) != rule), then=())
        best = best_plan(without)
        if best is not None and before is not None:
            gain = best.worth - before
            size = without.size(without.quantities(best.spend))
            costs[rule] = gain if gain > SMALL * size else 0.0
    return costs


def _is_a_choice(one: RowResult) -> bool:
    return one.binding and one.row.kind not in (*GIVEN, "budget")


class Best(NamedTuple):
    """The best plan of a problem before it is rounded: spend by decision in money, and what it is worth.

    ``of_draws`` is the best objective of each draw, where regret is what counts.
    """

    spend: FloatArray
    worth: float
    of_draws: FloatArray | None


def best_plan(problem: Problem) -> Best | None:
    """Solve a problem without settling ties, rounding or pricing; None where there is no plan."""
    located = locate(problem)
    if located.answer.status not in CARRIES:
        return None
    spend = problem.within(polished(located.compiled, located.answer))
    return Best(spend, worth(problem, problem.quantities(spend), located.best), located.best)


def _safety(problem: Problem, solution: Solution) -> Safety | None:
    if not is_uncertain(problem) or solution.worth is None:
        return None
    plain = best_plan(replace(problem, risk=EXPECTED, then=()))
    safe = best_plan(replace(problem, then=()))
    if plain is None or safe is None:
        return None
    got = problem.quantities(plain.spend)
    return Safety(
        method=problem.risk.method,
        level=problem.risk.level,
        expected=problem.value(problem.quantities(np.array(solution.decision_spend))),
        worth=solution.worth,
        plain_expected=plain.worth,
        plain_worth=worth(problem, got, safe.of_draws),
    )
