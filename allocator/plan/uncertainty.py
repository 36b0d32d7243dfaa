"""A plan under every draw of the curves: what it brings, what it is worth, what would have been best."""

from __future__ import annotations

import numpy as np

from allocator.plan.problem import Problem, Quantities
from allocator.response.curve import FloatArray


def margin_draws(problem: Problem, spend: FloatArray) -> FloatArray | None:
    """Give each decision's incremental margin under every draw, shape (n_draws, n_decisions).

    A decision without draws counts with its expected margin; None when none has draws. Draws belong together
    across decisions by their place.

    Parameters
    ----------
    problem : Problem
    spend : array, shape (n_decisions,)
        In money.

    Raises
    ------
    ValueError
        When decisions have different numbers of draws.
    """
    spend = problem.effective(np.asarray(spend, dtype=float))
    parts = [d.curve.draws_at(float(s)) for d, s in zip(problem.decisions, spend, strict=True)]
    n_draws = count_draws(problem)
    if not n_draws:
        return None
    columns = [
        np.full(n_draws, float(d.curve.at(s))) if part is None else part
        for part, d, s in zip(parts, problem.decisions, spend, strict=True)
    ]
    return np.column_stack(columns)


def count_draws(problem: Problem) -> int:
    """Count the draws of the curves; 0 where none is uncertain.

    Raises
    ------
    ValueError
        When decisions have different numbers of draws.
    """
    counts = {len(d.curve.draws) for d in problem.decisions if d.curve.draws is not None}
    if len(counts) > 1:
        raise ValueError(f"decisions have different numbers of draws: {sorted(counts)}")
    return counts.pop() if counts else 0


def value_draws(problem: Problem, got: Quantities) -> FloatArray | None:
    """Give the objective under every draw, shape (n_draws,), fines left out; None without draws."""
    draws = margin_draws(problem, got.spend)
    if draws is None:
        return None
    expected = problem.value(got) + problem.fines(got)
    return np.asarray(expected + (draws - got.margin) @ problem.goal[1])


def worth(problem: Problem, got: Quantities, best: FloatArray | None = None) -> float:
    """Judge what spend brings as the problem does: the objective, or what its risk makes of the draws.

    Parameters
    ----------
    problem : Problem
    got : Quantities
    best : array, shape (n_draws,), optional
        The best objective of each draw, for regret.
    """
    draws = None if problem.risk.method == "expected" else value_draws(problem, got)
    if draws is None:
        return problem.value(got)
    return problem.risk.of(draws, best) - problem.fines(got)
