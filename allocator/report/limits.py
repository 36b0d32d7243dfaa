"""What holds the plan back, what does not, and what contradicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from allocator.errors import Finding, Origin
from allocator.plan.rows import Row, Unit
from allocator.plan.solution import Conflict, Repair, RowResult, Solution, Status
from allocator.quantities import count, money, money_short, percent
from allocator.report.document import Advice, Choice, Column, Entry, Money, Refusal, Table, Text
from allocator.report.scale import Scale
from allocator.report.view import PlanView

FAMILY = 4  # so many limits of one name with room are told by the nearest
SAME_PRICE = 1e-3  # next and last unit differ when further apart, relative to the larger
ADVICE_LISTED = 3  # warnings of one code that are spelled out
BUDGET = "budget.total"

_TITLE = "What holds the plan back"
_COUNTED = {Unit.CONTACTS: "contacts", Unit.CONTACTS_PER_CUSTOMER: "contacts"}
_NO_PLAN = {
    Status.TIME_LIMIT: "the solver ran out of time before it found a plan",
    Status.UNBOUNDED: "nothing limits the spend, so there is no best plan",
    Status.ERROR: "the solver gave no answer that passes the checks",
}


def binding(view: PlanView, scale: Scale) -> Table:
    """Give the binding limits with what loosening earns; below them the limits with room."""
    found = sorted((row for row in view.solution.rows if row.binding), key=_importance)
    one_sided = any(_kink(row) for row in found)
    columns = [
        Column("limit", "left"),
        Column("", "left"),
        Column("at"),
        Column(f"{scale.step_name} looser earns"),
        Column(f"{scale.step_name} tighter costs", drop=1),
        Column("why", "left", below=True),
        Column("set in", "left", below=True),
    ]
    keep = [i for i in range(len(columns)) if one_sided or i != 4]
    rows = [_binding_entries(row, scale) for row in found]
    return Table(
        _priced_in(view),
        tuple(columns[i] for i in keep),
        tuple(tuple(row[i] for i in keep) for row in rows),
        footer_label="Not binding:" if rows else "No limit binds. Not binding:",
        footer=_spare(view.solution),
    )


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


def contradiction(view: PlanView, conflict: Conflict, scale: Scale) -> Table:
    """Give the limits that cannot all hold."""
    columns = (
        Column("limit", "left"),
        Column("", "left"),
        Column("at"),
        Column("why", "left", below=True),
        Column("set in", "left", below=True),
    )
    rows = tuple(
        (
            Text(row.name),
            Text(row.bound.value),
            _at(row, row.written(view.budget) if row.quotient else row.limit(view.budget), scale),
            Text(row.reason),
            Text(_place(row.origin)),
        )
        for row in conflict.rows
    )
    return Table("These limits cannot all hold", columns, rows)


def advice(findings: tuple[Finding, ...], listed_by: str = "--json") -> tuple[Advice, ...]:
    """Give warnings, a line each; of the many with one code the first few, and what lists the rest."""
    by_code: dict[str, list[Finding]] = {}
    for finding in findings:
        by_code.setdefault(finding.code, []).append(finding)
    return tuple(line for code, same in by_code.items() for line in _some(code, same, listed_by))


def unused_rows(
    rejects: Mapping[str, int], rows_read: Mapping[str, int], findings: tuple[Finding, ...]
) -> tuple[Advice, ...]:
    """Say how many rows of each table could not be used, be they ever so few; not what a warning says."""
    counted = {
        table: f"{count(rejected)} of {count(rows_read[table])} rows of "
        for table, rejected in rejects.items()
        if rejected and table in rows_read
    }
    return tuple(
        Advice("", f"{words}{table} could not be used ({percent(rejects[table] / rows_read[table], 1)})")
        for table, words in counted.items()
        if not any(finding.what.startswith(words) for finding in findings)
    )


def _some(code: str, findings: list[Finding], listed_by: str) -> list[Advice]:
    most = ADVICE_LISTED if len(findings) > ADVICE_LISTED + 1 else len(findings)
    lines = [Advice(code, _sentence(finding)) for finding in findings[:most]]
    if len(findings) > most:
        lines.append(Advice(code, f"and {len(findings) - most} more; {listed_by} lists them"))
    return lines


def _sentence(finding: Finding) -> str:
    words = f"{finding.what}; {finding.fix}" if finding.fix else finding.what
    place = _place(finding.where)
    return f"{words} · {place}" if place else words


def _priced_in(view: PlanView) -> str:
    """Title that says what prices are counted in, where that is not the return people read above."""
    words = view.objective.replace("_", " ")
    return _TITLE if view.objective in ("", "profit") else f"{_TITLE} (prices in {words})"


def _importance(result: RowResult) -> tuple[bool, float]:
    """Order: the budget, then the dearest limits; sorting keeps the declared order of equals."""
    return result.row.name != BUDGET, -(result.next_unit or 0.0)


def _binding_entries(result: RowResult, scale: Scale) -> tuple[Entry, ...]:
    return (
        Text(result.row.name),
        Text(result.row.bound.value),
        _at(result.row, result.limit, scale),
        _price(result.next_unit, scale, sign=1),
        _price(result.last_unit, scale, sign=-1),
        Text(result.row.reason),
        Text(_place(result.row.origin)),
    )


def _at(row: Row, limit: float, scale: Scale) -> Entry:
    """Give a limit in money or contacts, as the plan meets it; ratios as they are written."""
    if row.quotient is not None:
        return Text(row.spell(limit))
    return Money(limit, decimals=0 if row.unit in _COUNTED else scale.decimals)


def _price(price: float | None, scale: Scale, *, sign: int) -> Money:
    value = None if price is None else sign * price * scale.step
    return Money(value, decimals=scale.price_decimals, signed=True)


def _kink(result: RowResult) -> bool:
    """Whether the last unit is worth something else than the next one."""
    if result.next_unit is None or result.last_unit is None:
        return result.next_unit is not result.last_unit
    largest = max(abs(result.next_unit), abs(result.last_unit))
    return abs(result.next_unit - result.last_unit) > SAME_PRICE * max(largest, SAME_PRICE)


def _spare(solution: Solution) -> tuple[str, ...]:
    """Name the limits with room: many of one name by the nearest, ends of curves by their number."""
    families: dict[str, list[RowResult]] = {}
    held = {result.row.name for result in solution.rows if result.binding and result.row.kind == "budget"}
    for result in solution.rows:
        # of a budget to be spent exactly one side binds, the other has no room either
        if not result.binding and result.row.name not in held:
            families.setdefault(result.row.name.partition("[")[0], []).append(result)
    ends = len(families.pop("curve_end", ()))
    bounds = Counter(result.row.name for result in solution.rows)
    items = [item for family in families.values() for item in _rooms(family, bounds)]
    if ends:
        items.append(f"{ends} {'end of a curve' if ends == 1 else 'ends of curves'}")
    return tuple(items)


def _rooms(family: list[RowResult], bounds: Counter[str]) -> list[str]:
    if len(family) < FAMILY or family[0].row.quotient is not None:
        return [_room(result, twin=bounds[result.row.name] > 1) for result in family]
    nearest = min(family, key=lambda result: result.slack)
    name = nearest.row.name.partition("[")[0]
    return [f"{name} ({len(family)} limits; nearest {_side(nearest)}, {_slack(nearest)} spare)"]


def _side(result: RowResult) -> str:
    """Give which of a family a limit is: ``search min``."""
    return f"{result.row.name.partition('[')[2].rstrip(']')} {result.row.bound.value}".strip()


def _room(result: RowResult, *, twin: bool) -> str:
    """Give a limit and its room; `twin` when its side has to be said."""
    row = result.row
    name = f"{row.name} {row.bound.value}" if twin else row.name
    if row.quotient is not None:
        reached = row.spell(round(result.value, 2))
        return f"{name} ({reached} against {row.bound.value} {row.spell(result.limit)})"
    return f"{name} ({_slack(result)} spare)"


def _slack(result: RowResult) -> str:
    if result.row.unit in _COUNTED:
        return f"{count(result.slack)} {_COUNTED[result.row.unit]}"
    return money_short(result.slack) if result.slack >= 1 else money(result.slack, 2)


def _choice(repair: Repair) -> Choice:
    remarks = dict.fromkeys(" · ".join(filter(None, (r.reason, _place(r.origin)))) for r in repair.rows)
    return Choice(repair.text, "; ".join(filter(None, remarks)))


def _place(origin: Origin | None) -> str:
    """Give file and line, without the folder."""
    if origin is None:
        return ""
    return f"{origin.file.replace(chr(92), '/').rpartition('/')[2]}:{origin.line}"
