"""The rows every plan has: the budget, each channel's own limits, ends of curves, shared customers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from allocator.plan.objectives import Budget
from allocator.plan.rows import Bound, Lots, Row, Unit, Weights
from allocator.plan.scope import CellFacts, Group, Part, Scope, contact_terms, customers, spend_terms
from allocator.response.curves import ALL, Curves
from allocator.response.periods import Period

RowSource = Callable[[], Iterator[Row]]
EXPERIMENT = "experiment"


@dataclass(frozen=True)
class ChannelTerms:
    """What a scenario says of a channel besides its response.

    Parameters
    ----------
    label : str
        The name people read.
    current : float, mapping of tier to float, or None
        Money spent today over the whole horizon; None when unknown.
    min, max : float or None
        Bounds of the channel's money over all tiers and periods.
    capacity : float or None
        Contacts per period over all tiers.
    cost_per_contact : float or None
        Money per contact.
    contacts_per_customer : float or None
        Cap per customer and period.
    step : float or None
        Money comes in lots of this size, per period.
    carryover : float
        Share of the effect that reaches into the next period.
    carry_in : float
        Effective spend left from before the horizon, in money per period.
    available : tuple of str or None
        Periods in which the channel can be used; None means all.
    committed : float or mapping of period to float
        Money already promised.
    season : mapping of period to float
        Response of a period relative to the others; 1 where absent.
    tier_mix, value_mix : mapping of tier to share, or None
        How the money and the value of a curve without tiers fall on the tiers.
    reason : str
        Why the channel's own limits are what they are.
    """

    label: str
    current: float | Mapping[str, float] | None = None
    min: float | None = None
    max: float | None = None
    capacity: float | None = None
    cost_per_contact: float | None = None
    contacts_per_customer: float | None = None
    tier_mix: Mapping[str, float] | None = None
    value_mix: Mapping[str, float] | None = None
    reason: str = ""
    step: float | None = None
    carryover: float = 0.0
    carry_in: float = 0.0
    available: tuple[str, ...] | None = None
    committed: float | Mapping[str, float] = 0.0
    season: Mapping[str, float] = field(default_factory=dict)


def budget_rows(budget: Budget, scope: Scope) -> Iterator[Row]:
    """Give ``budget.total``, as a lower limit too where all of it has to go out."""
    row = Row(
        name="budget.total",
        kind="budget",
        bound=Bound.MAX,
        terms=spend_terms(scope.cells),
        rhs=0.0,
        rhs_per_budget=1.0,
        path="budget.total",
        reason=budget.reason,
        origin=scope.origin_of("budget.total"),
    )
    yield row
    if budget.spend == "exactly":
        yield replace(row, bound=Bound.MIN)
    if budget.reserve:
        yield replace(
            row,
            name="budget.reserve",
            kind="reserve",
            rhs=-budget.reserve,
            scale=-1.0,
            shift=-budget.total,
            path="budget.reserve",
            reason="Money held back",
            origin=scope.origin_of("budget.reserve"),
        )


def period_budget_rows(budget: Budget, periods: Sequence[Period], scope: Scope) -> Iterator[Row]:
    """Limit the spend of every period that has a budget of its own; what is left may go on to the next."""
    stated = budget.by_period or {}
    open_cells: list[CellFacts] = []
    left = 0.0
    for period in periods:
        mine = [facts for facts in scope.cells if facts.cell.period == period.name]
        open_cells = [*open_cells, *mine] if budget.roll_over and left >= 0 and open_cells else mine
        if period.name not in stated:
            open_cells, left = [], 0.0
            continue
        left = left + stated[period.name] if budget.roll_over else stated[period.name]
        path = f"budget.by_period.{period.name}"
        earlier = left - stated[period.name] if budget.roll_over else 0.0
        yield Row(
            name=f"budget.by_period[{period.name}]",
            kind="budget_period",
            bound=Bound.MAX,
            terms=spend_terms(tuple(open_cells)),
            rhs=left,
            shift=earlier,
            path=path,
            reason=f"Budget of {period.name}" + (", with what is left from before" if earlier else ""),
            origin=scope.origin_of(path),
        )


def channel_rows(
    channel: str, terms: ChannelTerms, parts: Sequence[Part], scope: Scope
) -> Sequence[RowSource]:
    """Give the sources of one channel's own rows: money, periods, lots, capacity, contacts per customer."""
    return (
        partial(_spend_rows, channel, terms, parts, scope),
        partial(_promised_rows, channel, terms, parts, scope),
        partial(_closed_rows, channel, terms, parts, scope),
        partial(_lot_rows, channel, terms, parts, scope),
        partial(_capacity_rows, channel, terms, parts, scope),
        partial(_contact_rows, channel, terms, parts, scope),
    )


def _own(channel: str, key: str, reason: str, scope: Scope) -> Row:
    """Start a row of a channel's own limit `key`; terms and right-hand side follow."""
    path = f"channels.{channel}.{key}"
    return Row(path, "channel", Bound.MAX, {}, 0.0, path=path, reason=reason, origin=scope.origin_of(path))


def _spend_rows(channel: str, terms: ChannelTerms, parts: Sequence[Part], scope: Scope) -> Iterator[Row]:
    cells = spend_terms(_all_cells(parts))
    limits = ((Bound.MIN, terms.min, "Lower"), (Bound.MAX, terms.max, "Upper"))
    for bound, limit, word in limits:
        if limit is not None:
            draft = _own(channel, bound.value, terms.reason or f"{word} limit of {terms.label}", scope)
            yield replace(draft, bound=bound, terms=cells, rhs=limit)


def _promised_rows(channel: str, terms: ChannelTerms, parts: Sequence[Part], scope: Scope) -> Iterator[Row]:
    by_period = terms.committed if isinstance(terms.committed, Mapping) else {ALL: terms.committed}
    for period, money in by_period.items():
        if money:
            mine = [part for part in parts if period in (ALL, part.response.period)]
            draft = _own(channel, "committed", terms.reason or f"Promised to {terms.label}", scope)
            name, cells = _named(draft.name, period), spend_terms(_all_cells(mine))
            yield replace(draft, name=name, bound=Bound.MIN, terms=cells, rhs=money)


def _closed_rows(channel: str, terms: ChannelTerms, parts: Sequence[Part], scope: Scope) -> Iterator[Row]:
    for period, mine in _by_period(parts).items():
        if terms.available is not None and period not in terms.available:
            draft = _own(channel, "available", terms.reason or f"{terms.label} is not available", scope)
            yield replace(draft, name=_named(draft.name, period), terms=spend_terms(_all_cells(mine)))


def _lot_rows(channel: str, terms: ChannelTerms, parts: Sequence[Part], scope: Scope) -> Iterator[Row]:
    """Let the money of a channel and period be a whole number of lots."""
    if not terms.step:
        return
    draft = _own(channel, "step", terms.reason or f"{terms.label} is bought in lots", scope)
    for period, mine in _by_period(parts).items():
        cells = _all_cells(mine)
        name = _named(draft.name, period)
        lots = Lots(name, tuple(facts.cell for facts in cells), terms.step)
        row = replace(draft, name=name, kind="lots", terms=spend_terms(cells), wholes={lots: -terms.step})
        yield row
        yield replace(row, bound=Bound.MIN)


def _by_period(parts: Sequence[Part]) -> dict[str, list[Part]]:
    found: dict[str, list[Part]] = {}
    for part in parts:
        found.setdefault(part.response.period, []).append(part)
    return found


def _capacity_rows(channel: str, terms: ChannelTerms, parts: Sequence[Part], scope: Scope) -> Iterator[Row]:
    if terms.capacity is None:
        return
    draft = _own(channel, "capacity", terms.reason or f"Capacity of {terms.label}", scope)
    for period, group in _by_period(parts).items():
        counted = contact_terms(_all_cells(group), draft.path, scope)
        yield replace(
            draft, name=_named(draft.name, period), terms=counted, rhs=terms.capacity, unit=Unit.CONTACTS
        )


def _contact_rows(channel: str, terms: ChannelTerms, parts: Sequence[Part], scope: Scope) -> Iterator[Row]:
    """Cap the contacts per customer; an experiment's curve ends there by itself."""
    if terms.contacts_per_customer is None:
        return
    reason = terms.reason or f"Contacts per customer of {terms.label}"
    draft = _own(channel, "contacts_per_customer", reason, scope)
    groups: dict[tuple[str, str], list[Part]] = {}
    for part in parts:
        if part.response.source != EXPERIMENT and all(facts.population for facts in part.cells):
            groups.setdefault((part.response.tier or "", part.response.period), []).append(part)
    for (tier, period), group in groups.items():
        cells = _all_cells(group)
        people = customers(cells, draft.path, scope)
        yield replace(
            draft,
            name=_named(draft.name, tier, period),
            terms=contact_terms(cells, draft.path, scope),
            rhs=terms.contacts_per_customer * people,
            unit=Unit.CONTACTS_PER_CUSTOMER,
            scale=people,
        )


def curve_end_rows(
    parts: Sequence[Part], channels: Mapping[str, ChannelTerms], scope: Scope
) -> Iterator[Row]:
    """Limit each decision to the last breakpoint of its curve; a smooth family has no end."""
    several_tiers = len(scope.labels("tier")) > 1
    for part in parts:
        response = part.response
        if response.curve.bounded:
            tier = response.tier if several_tiers and response.tier else ""
            place = f"{tier}#{response.segment}" if response.segment else tier
            yield Row(
                name=_named("curve_end", response.channel, place, response.period),
                kind="curve_end",
                bound=Bound.MAX,
                terms=part.effective,
                rhs=response.curve.end,
                reason=f"End of the {channels[response.channel].label} curve",
                origin=scope.origin_of(f"channels.{response.channel}.response"),
            )


def one_per_customer_rows(curves: Curves, parts: Sequence[Part], scope: Scope) -> Iterator[Row]:
    """Let the tested channels of a tier (segment) share its customers: a contact by one is none by another.

    ``sum over channels of (m / m_c) * contacts_c <= m * customers`` with m_c the contacts per customer of a
    channel and m the largest of them; with equal m_c simply ``contacts <= m * customers``.
    """
    if curves.combine != "one_per_customer":
        return
    groups: dict[tuple[str, str, str], list[Part]] = {}
    for part in parts:
        if part.response.source == EXPERIMENT and part.response.tier is not None:
            key = (part.response.tier, part.response.segment, part.response.period)
            groups.setdefault(key, []).append(part)
    for (tier, segment, period), group in groups.items():
        if len(group) > 1:
            place = f"{tier}#{segment}" if segment else tier
            yield _shared_customers(_named("one_per_customer", place, period), group, scope)


def _shared_customers(name: str, group: Sequence[Part], scope: Scope) -> Row:
    cells = _all_cells(group)
    most = max(facts.contacts_per_customer for facts in cells)
    counted = contact_terms(cells, "data.experiments", scope)
    return Row(
        name=name,
        kind="one_per_customer",
        bound=Bound.MAX,
        terms={
            facts.cell: Weights(spend=counted[facts.cell].spend * most / facts.contacts_per_customer)
            for facts in cells
        },
        rhs=most * group[0].share * customers(cells, "data.experiments", scope),
        unit=Unit.CONTACTS,
        reason="A customer is contacted by one channel: the test never combined them",
        origin=scope.origin_of("data.experiments"),
    )


def _all_cells(parts: Sequence[Part]) -> Group:
    return tuple(facts for part in parts for facts in part.cells)


def _named(name: str, *labels: str) -> str:
    """Give ``name[label, label]`` without labels that tell nothing."""
    telling = [label for label in labels if label not in ("", ALL)]
    return f"{name}[{', '.join(telling)}]" if telling else name
