"""The rest of a year whose first months are over: what was spent is locked, what is left is chosen anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from allocator.errors import Finding
from allocator.plan.problem import Problem
from allocator.plan.rows import Bound, Row
from allocator.plan.scope import spend_weights
from allocator.quantities import money
from allocator.response.curve import FloatArray
from allocator.response.curves import cell_name
from allocator.study.evaluate import Given, spend_of

ACTUAL = "actual"
BROKEN = 1e-9
"""Of a limit: misses up to this are rounding."""


def locked(problem: Problem, actuals: Sequence[Given]) -> Problem:
    """Give the problem with what was already spent as limits, so that only the rest is chosen.

    Every period named in `actuals` is over: cells of it that are not listed spent nothing. Limits that speak
    of such periods only are left out, as nothing can keep or break them any more, and told where broken.

    Parameters
    ----------
    problem : Problem
    actuals : sequence of Given
        In money, by channel (and tier) and period.

    Raises
    ------
    DataError
        For names that are not there and amounts that are none.
    """
    spend, _ = spend_of(problem, actuals)
    over = {one.period for one in actuals}
    done = [j for j, d in enumerate(problem.decisions) if "" in over or d.cells[0].period in over]
    cells = {cell for j in done for cell in problem.decisions[j].cells}
    kept = [row for row in problem.rows if not row.terms or not cells.issuperset(row.terms)]
    left_out = [row for row in problem.rows if row.terms and cells.issuperset(row.terms)]
    return replace(
        problem,
        rows=(*kept, *(row for j in done for row in _spent(problem, j, float(spend[j])))),
        warnings=(*problem.warnings, *_unlisted(problem, done, actuals), *_broken(problem, left_out, spend)),
    )


def _spent(problem: Problem, j: int, spend: float) -> Iterator[Row]:
    decision = problem.decisions[j]
    row = Row(
        name=f"actual[{decision.name}]",
        kind=ACTUAL,
        bound=Bound.MAX,
        terms=spend_weights(decision.cells),
        rhs=spend,
        reason="Already spent",
    )
    yield row
    yield replace(row, bound=Bound.MIN)


def _unlisted(problem: Problem, done: Sequence[int], actuals: Sequence[Given]) -> Iterator[Finding]:
    """Say which decisions of periods that are over count with no spend, as nobody listed them."""
    listed = {(one.channel, one.period) for one in actuals}
    names = [
        problem.decisions[j].name
        for j in done
        if not {(c.channel, c.period) for c in problem.decisions[j].cells} & listed
        and not {(c.channel, "") for c in problem.decisions[j].cells} & listed
    ]
    if names:
        what = f"not listed, so nothing was spent there: {', '.join(names)}"
        yield Finding("W312", None, what, "list every channel of a period that is over")


def _broken(problem: Problem, rows: Sequence[Row], spend: FloatArray) -> Iterator[Finding]:
    """Say which limits of the past were not kept."""
    alone = replace(problem, rows=tuple(rows))
    got = alone.quantities(alone.within(spend))
    for row, slack in zip(rows, alone.slacks(got), strict=True):
        if slack < -BROKEN * max(abs(row.limit(problem.budget)), 1.0) and row.kind != "curve_end":
            places = ", ".join(dict.fromkeys(cell_name(c.channel, c.tier, c.period) for c in row.terms))
            what = f"what was spent missed {row.name} by {money(-float(slack))}"
            yield Finding("W312", row.origin, what, f"it speaks of {places}, which is over")
