"""From a plan to the document people read: the five answers, in one order, for every renderer."""

from __future__ import annotations

from allocator.report import allocation, contradiction, headline, limits
from allocator.report.advice import advice, unused_rows
from allocator.report.document import Document, Table
from allocator.report.periods import by_period
from allocator.report.scale import scale_of
from allocator.report.view import PlanView


def build(view: PlanView) -> Document:
    """Give the document of a plan, or of the reason why there is none.

    The order is the same everywhere: what goes out, what comes back and how sure, against today, the next
    unit of money; where the money goes, and when; what holds the plan back; what to keep in mind.
    """
    refusal = contradiction.refusal(view)
    return Document(
        title=view.name,
        subtitle=headline.subtitle(view),
        refusal=refusal,
        figures=() if refusal else headline.figures(view, scale_of(view)),
        tables=_plan_tables(view) if refusal is None else _conflict_tables(view),
        advice=(
            *advice(view.findings),
            *unused_rows(view.rejects, view.rows_read, view.findings),
        ),
    )


def _plan_tables(view: PlanView) -> tuple[Table, ...]:
    scale = scale_of(view)
    by_tier = (allocation.by_tier(view, scale),) if len(view.tiers) > 1 else ()
    over_time = (by_period(view, scale),) if len(view.periods) > 1 else ()
    return (allocation.by_channel(view, scale), *by_tier, *over_time, limits.binding(view, scale))


def _conflict_tables(view: PlanView) -> tuple[Table, ...]:
    conflict = view.solution.conflict
    return contradiction.contradictions(view, conflict, scale_of(view)) if conflict else ()
