"""What holds the plan back, what is missed, and what leaves room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from allocator.plan.rows import Row, Unit
from allocator.plan.solution import RowResult
from allocator.report.document import Column, Entry, Money, Table, Text
from allocator.report.purpose import bad_luck, first_goal, priced_in
from allocator.report.scale import Scale
from allocator.report.spelling import MADE_UP, amount, place, reached, side, stands_at
from allocator.report.view import PlanView

FAMILY = 4  # so many limits of one name with room are told by the nearest
SAME_PRICE = 1e-3  # next and last unit differ when further apart, relative to the larger
BUDGET = "budget.total"
HALF_A_CENT = 0.005  # what is missed by less is kept
MANY = 100  # customers or conversions from which parts do not matter
SAME_ACTIVE = "prices with the same channels active"

_TITLE = "What holds the plan back"
_NONE_BINDS = "No limit binds. Not binding:"


class Priced(NamedTuple):
    """How prices are shown: the units of the plan, the decimals and the unit of the objective."""

    scale: Scale
    decimals: int
    step_decimals: int
    unit: str

    def text(self, value: float) -> str:
        """Write an amount of the objective without its sign."""
        return f"{Money(value, decimals=self.decimals_of(value)).text} {self.unit}".strip()

    def decimals_of(self, value: float | None) -> int:
        """Decimals of an amount: of few customers parts are told."""
        return 0 if self.unit and abs(value or 0.0) >= MANY else self.decimals


def binding(view: PlanView, scale: Scale) -> Table:
    """Give the limits that bind or are missed, with what loosening earns; below them those with room."""
    stated = [result for result in view.solution.rows if result.row.kind not in MADE_UP]
    found = sorted((result for result in stated if _holds(result)), key=_importance)
    priced = _priced(view, scale)
    columns = [
        Column("limit", "left"),
        Column("", "left"),
        Column("at"),
        Column("missed", "left", below=True),
        Column(f"{scale.step_name} looser earns"),
        Column(f"{scale.step_name} tighter costs", drop=1),
        Column("without it", drop=2),
        Column("why", "left", below=True),
        Column("set in", "left", below=True),
    ]
    wanted = {3: any(map(_is_missed, found)), 5: any(map(_kink, found)), 6: _first_of_rule(found) != set()}
    keep = [i for i in range(len(columns)) if wanted.get(i, True)]
    telling = _first_of_rule(found)
    met = any(result.binding for result in stated)
    rows = [_entries(result, priced, tells_cost=i in telling) for i, result in enumerate(found)]
    return Table(
        _title(view, scale),
        tuple(columns[i] for i in keep),
        tuple(tuple(row[i] for i in keep) for row in rows),
        remark=_hold_for(view) if rows else "",
        footer_label="Not binding:" if rows else "No limit has a price. Not binding:" if met else _NONE_BINDS,
        footer=_spare([result for result in stated if not _holds(result)], stated),
    )


def _hold_for(view: PlanView) -> str:
    """Say for which whole numbers prices hold: of a quantile one of them is which draws it leaves out."""
    safety = view.solution.safety
    if not view.solution.whole:
        return ""
    return f"{SAME_ACTIVE}{' and draws left out' if safety and safety.method == 'lower_quantile' else ''}"


def _holds(result: RowResult) -> bool:
    """Whether a limit is told of by itself: it is missed, has a price, or costs something as a whole."""
    if result.row.kind == "budget" or _is_missed(result) or result.cost:
        return result.binding or result.row.kind != "budget"
    return result.binding and not _is_idle(result)


def _is_idle(result: RowResult) -> bool:
    """Whether the plan is at a limit that costs nothing; of whole numbers alone only their cost can tell."""
    priced = result.cost is not None or not _counts_only(result.row)
    return priced and not (result.cost or result.next_unit or result.last_unit)


def _counts_only(row: Row) -> bool:
    return bool(row.wholes) and not row.terms


def _is_missed(result: RowResult) -> bool:
    return result.missed > HALF_A_CENT


def _first_of_rule(found: Sequence[RowResult]) -> set[int]:
    """Give the places where a cost is told: a limit with one row for each channel has one for all of them."""
    first: dict[str, int] = {}
    for i, result in enumerate(found):
        if result.cost is not None:
            first.setdefault(result.row.path or result.row.name, i)
    return set(first.values())


def _priced(view: PlanView, scale: Scale) -> Priced:
    unit = view.counted
    return Priced(scale, 2 if unit else scale.decimals, 2 if unit else scale.price_decimals, unit)


def _title(view: PlanView, scale: Scale) -> str:
    """Title that says what prices are counted in, where that is not the return people read above."""
    words = priced_in(view.objective)
    if view.counted:
        words = f"{view.counted} per {scale.step_name}"
    safety = view.solution.safety
    if safety:
        judged = f"{words or first_goal(view)} {bad_luck(safety)}"
        words = "regret avoided" if safety.method == "regret" else judged
    if view.solution.goals:
        words = f"{words or first_goal(view)}, the first goal"
    return f"{_TITLE} (prices in {words})" if words else _TITLE


def _importance(result: RowResult) -> tuple[bool, float]:
    """Order: the budget, then the dearest limits; sorting keeps the declared order of equals."""
    return result.row.name != BUDGET, -(result.next_unit or 0.0)


def _entries(result: RowResult, priced: Priced, *, tells_cost: bool) -> tuple[Entry, ...]:
    cost = Money(result.cost, decimals=priced.decimals_of(result.cost), signed=True)
    return (
        Text(result.row.name),
        Text(side(result.row)),
        stands_at(result.row, result.limit, priced.scale),
        Text(_missed(result, priced)),
        _price(result, result.next_unit, priced, sign=1),
        _price(result, result.last_unit, priced, sign=-1),
        cost if tells_cost else Text(""),
        Text(result.row.reason),
        Text(place(result.row.origin)),
    )


def _missed(result: RowResult, priced: Priced) -> str:
    """Say by how much a soft limit is missed and what that costs; of a ratio what is reached instead."""
    if not _is_missed(result):
        return ""
    row = result.row
    decimals = priced.scale.decimals
    by = f"missed by {amount(row, result.missed, short=False, decimals=decimals)}"
    far = f"reaches {reached(result)}" if row.quotient else by
    return f"{far} (costs {priced.text((row.penalty or 0.0) * result.missed)})"


def _price(result: RowResult, price: float | None, priced: Priced, *, sign: int) -> Entry:
    """Give a price a step of the limit, of a count one of it; a limit on whole numbers alone has none."""
    if price is None or _counts_only(result.row):
        return Money(None)
    if result.row.unit is Unit.COUNT:
        one = Money(sign * price, decimals=priced.decimals_of(price) if priced.unit else 2, signed=True)
        return Text(f"{one.text} for 1")
    return Money(sign * price * priced.scale.step, decimals=priced.step_decimals, signed=True)


def _kink(result: RowResult) -> bool:
    """Whether the last unit is worth something else than the next one."""
    if result.next_unit is None or result.last_unit is None:
        return result.next_unit is not result.last_unit
    largest = max(abs(result.next_unit), abs(result.last_unit))
    return abs(result.next_unit - result.last_unit) > SAME_PRICE * max(largest, SAME_PRICE)


def _spare(roomy: Sequence[RowResult], stated: Sequence[RowResult]) -> tuple[str, ...]:
    """Name the limits with room: many of one name by the nearest, ends of curves by their number."""
    families: dict[str, list[RowResult]] = {}
    held = {result.row.name for result in stated if result.binding and result.row.kind == "budget"}
    for result in roomy:
        # of a budget to be spent exactly one side binds, the other has no room either
        if result.row.name not in held:
            families.setdefault(result.row.name.partition("[")[0], []).append(result)
    ends = len(families.pop("curve_end", ()))
    bounds = Counter(result.row.name for result in stated)
    items = [item for family in families.values() for item in _rooms(family, bounds)]
    if ends:
        items.append(f"{ends} {'end of a curve' if ends == 1 else 'ends of curves'}")
    return tuple(items)


def _rooms(family: list[RowResult], bounds: Counter[str]) -> list[str]:
    met = [result for result in family if result.binding]
    if met and len(met) < len(family):
        roomy = [result for result in family if not result.binding]
        return [*_rooms(met, bounds), *_rooms(roomy, bounds)]
    if len(family) < FAMILY or family[0].row.quotient is not None:
        return [_room(result, twin=bounds[result.row.name] > 1) for result in family]
    name = family[0].row.name.partition("[")[0]
    if met:
        return [f"{name} ({len(family)} limits met exactly, at no cost)"]
    nearest = min(family, key=lambda result: result.slack)
    return [f"{name} ({len(family)} limits; nearest {_label(nearest.row)}, {_slack(nearest)} spare)"]


def _label(row: Row) -> str:
    """Give which of a family a limit is: ``search min``."""
    return f"{row.name.partition('[')[2].rstrip(']')} {side(row)}".strip()


def _room(result: RowResult, *, twin: bool) -> str:
    """Give a limit and its room; `twin` when its side has to be said."""
    row = result.row
    name = f"{row.name} {side(row)}" if twin else row.name
    if result.binding:
        return f"{name} (met exactly, at no cost)"
    if row.quotient is not None:
        return f"{name} ({reached(result)} against {side(row)} {row.spell(result.limit)})"
    return f"{name} ({_slack(result)} spare)"


def _slack(result: RowResult) -> str:
    return amount(result.row, result.slack)
