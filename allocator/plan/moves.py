"""The way from today's plan to the best one in few moves: at most m decisions differ from today."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from allocator.plan.account import best_plan
from allocator.plan.problem import Problem
from allocator.plan.rows import Bound, Row, Switch, Unit, Wholes
from allocator.plan.snap import snapped
from allocator.plan.solution import Solution
from allocator.plan.uncertainty import worth
from allocator.response.curve import FloatArray

ENOUGH = 0.999
"""Share of the gain from which more moves are not asked for."""


@dataclass(frozen=True)
class Step:
    """The best plan with at most `moves` decisions changed.

    ``gain`` is the objective's gain on today, ``share`` its part of the gain of the best plan; both None
    where no plan with so few changes keeps every limit. ``changes`` names every changed decision with its
    spend today and then, in money.
    """

    moves: int
    gain: float | None
    share: float | None
    changes: tuple[tuple[str, float, float], ...] = ()


def few_moves(problem: Problem, solution: Solution, most: int = 10) -> tuple[Step, ...]:
    """Give the best plans with at most 1, 2, 3, … changed decisions, until they gain what the best one does.

    Channels whose split over tiers is tied count as one decision; a current spend that is unknown counts
    as 0. Every plan is the optimum of the same problem with a switch for each change.

    Parameters
    ----------
    problem : Problem
    solution : Solution
        The best plan.
    most : int
        Moves that are tried at most.

    Returns
    -------
    tuple of Step
        Empty without a plan, or where nothing is to be gained.
    """
    if not solution.cells or solution.worth is None:
        return ()
    current = np.array([decision.current or 0.0 for decision in problem.decisions])
    today = worth(problem, problem.quantities(problem.within(current))) - _past_the_end(problem, current)
    whole = solution.worth - today
    steps: list[Step] = []
    for moves in range(1, min(most, len(problem.decisions)) + 1):
        steps.append(_step(problem, current, moves, (today, whole)))
        share = steps[-1].share
        if share is not None and share >= ENOUGH:
            break
    return tuple(steps)


def _past_the_end(problem: Problem, current: FloatArray) -> float:
    """Give what money past the ends of curves costs the objective: it is spent and brings nothing."""
    past = current - problem.within(current)
    return float(-problem.goal[0] @ past)


def _step(problem: Problem, current: FloatArray, moves: int, worths: tuple[float, float]) -> Step:
    limited = with_moves(problem, moves)
    best = best_plan(limited)
    if best is None:
        return Step(moves, None, None)
    spend = snapped(problem, best.spend, np.zeros(len(problem.rows), dtype=bool))
    gain = best.worth - worths[0]
    changes = tuple(
        (decision.name, float(before), float(after))
        for decision, before, after in zip(problem.decisions, current, spend, strict=True)
        if abs(after - before) > 0.01
    )
    return Step(moves, gain, gain / worths[1] if worths[1] > 0 else None, changes)


def with_moves(problem: Problem, moves: int) -> Problem:
    """Give the problem in which at most so many decisions may differ from today."""
    switches: Wholes = {
        Switch(f"moved[{decision.name}]", decision.cells, decision.current or 0.0): 1.0
        for decision in problem.decisions
    }
    row = Row(
        name="moves",
        kind="moves",
        bound=Bound.MAX,
        terms={},
        rhs=float(moves),
        unit=Unit.COUNT,
        wholes=switches,
        reason="As few changes as possible",
    )
    return replace(problem, rows=(*problem.rows, row), then=())
