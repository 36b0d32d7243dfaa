"""Why there is no plan: limits that contradict each other, and what would cure it."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.plan.rows import Row
from allocator.plan.solution import Conflict, Repair, Status
from allocator.report.document import Choice, Column, Refusal, Table, Text
from allocator.report.scale import Scale
from allocator.report.spelling import place, side, stands_at
from allocator.report.view import PlanView

_NO_PLAN = {
    Status.TIME_LIMIT: "the solver ran out of time before it found a plan",
    Status.UNBOUNDED: "nothing limits the spend, so there is no best plan",
    Status.ERROR: "the solver gave no answer that passes the checks",
}


def refusal(view: PlanView) -> Refusal | None:
    """Say why there is no plan and what would cure it; None where there is one."""
    solution = view.solution
    if view.has_plan:
        return None
    if solution.conflict is None:
        text = _NO_PLAN.get(solution.status, "no plan satisfies every limit")
        return Refusal("E401" if solution.status is Status.INFEASIBLE else "E402", f"{text}.")
    repairs = solution.conflict.repairs
    tail = {0: "", 1: " Smallest change that would work:"}.get(
        len(repairs), " Smallest changes that would each work:"
    )
    return Refusal("E401", f"the limits contradict each other.{tail}", tuple(map(_choice, repairs)))


def contradictions(view: PlanView, conflict: Conflict, scale: Scale) -> tuple[Table, ...]:
    """Give the limits that cannot all hold, and what still contradicts without them."""
    first = (_table("These limits cannot all hold", conflict.rows, view, scale),) if conflict.rows else ()
    further = (_table("Nor can these, without those above", rows, view, scale) for rows in conflict.further)
    return (*first, *further)


def _table(title: str, rows: Sequence[Row], view: PlanView, scale: Scale) -> Table:
    columns = (
        Column("limit", "left"),
        Column("", "left"),
        Column("at"),
        Column("why", "left", below=True),
        Column("set in", "left", below=True),
    )
    return Table(
        title,
        columns,
        tuple(
            (
                Text(row.name),
                Text(side(row)),
                stands_at(row, _limit(row, view.budget), scale),
                Text(row.reason),
                Text(place(row.origin)),
            )
            for row in rows
        ),
    )


def _limit(row: Row, budget: float) -> float:
    return row.limit(budget) if row.ratio_limit is None else row.ratio_limit


def _choice(repair: Repair) -> Choice:
    remarks = dict.fromkeys(" · ".join(filter(None, (r.reason, place(r.origin)))) for r in repair.rows)
    return Choice(repair.text, "; ".join(filter(None, remarks)))
