"""A plan somebody keeps to, whatever the curves and limits say of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from allocator.plan.families import families, told
from allocator.plan.problem import Problem, Quantities
from allocator.plan.results import amounts
from allocator.plan.rows import Bound, Row
from allocator.response.curve import FloatArray

MISSED = 1e-6  # of a row's scale: less is rounding


class Violation(NamedTuple):
    """A limit that a plan breaks: by how much in the row's own unit, limit and value in its writer's.

    ``value`` is None for a ratio over nothing; ``text`` says it in words.
    """

    row: Row
    missing: float
    limit: float
    value: float | None
    text: str


def valued(problem: Problem, spend: FloatArray) -> FloatArray:
    """Give the part of a plan's money that the curves know: nothing past their ends."""
    most = np.array([d.curve.end if d.curve.bounded else np.inf for d in problem.decisions])
    effective = problem.effective(spend)
    share = np.ones(len(spend))
    past = effective > most
    share[past] = most[past] / effective[past]
    return spend * share


def brought(problem: Problem, spend: FloatArray) -> Quantities:
    """Recompute what a plan brings; money past the end of a curve brings no more than the end."""
    spend = np.asarray(spend, dtype=float)
    return problem.quantities(valued(problem, spend))._replace(spend=spend)


def violations(problem: Problem, got: Quantities) -> tuple[Violation, ...]:
    """Give every limit a plan breaks, segments of a tier as one."""
    scales = np.maximum(problem.scales(got), 1.0)
    broken = problem.slacks(got) < -MISSED * scales
    if not broken.any():
        return ()
    reached, activity = amounts(problem, got), problem.activities(got)
    missing = np.where(broken, -problem.slacks(got), 0.0)
    found = []
    for family in families(problem.rows):
        mine = [i for i in family if broken[i]]
        if not mine:
            continue
        rows = [problem.rows[i] for i in mine]
        row = told(rows)[0] if len(family) > 1 else rows[0]
        limit, value = row.written(problem.budget), rows[0].measured(reached, problem.budget)
        if len(family) > 1:
            limit, value = float(problem.limits[mine].sum()), float(activity[mine].sum())
        text = _in_words(problem, row, limit, value)
        found.append(Violation(row, float(missing[mine].sum()), limit, value, text))
    return tuple(found)


def _in_words(problem: Problem, row: Row, limit: float, value: float | None) -> str:
    word = "at least" if row.bound is Bound.MIN else "at most"
    asked = f"{row.name} asks for {word} {row.spell(limit, problem.currency)}"
    return asked if value is None else f"{asked}, the plan has {row.spell(value, problem.currency)}"
