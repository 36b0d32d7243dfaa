"""The rows every plan has: the budget, each channel's own limits, ends of curves, shared customers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from allocator.plan.objectives import Budget
from allocator.plan.rows import Bound, Row, Unit, Weights
from allocator.plan.scope import Group, Part, Scope, contact_terms, customers, spend_terms
from allocator.response.curves import ALL, Curves

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


def channel_rows(
    channel: str, terms: ChannelTerms, parts: Sequence[Part], scope: Scope
) -> Sequence[RowSource]:
    """Give the sources of one channel's own rows: min, max, capacity, contacts per customer."""
    return (
        partial(_spend_rows, channel, terms, parts, scope),
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


def _capacity_rows(channel: str, terms: ChannelTerms, parts: Sequence[Part], scope: Scope) -> Iterator[Row]:
    if terms.capacity is None:
        return
    draft = _own(channel, "capacity", terms.reason or f"Capacity of {terms.label}", scope)
    by_period: dict[str, list[Part]] = {}
    for part in parts:
        by_period.setdefault(part.response.period, []).append(part)
    for period, group in by_period.items():
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
                terms=spend_terms(part.cells),
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
        rhs=most * customers(cells, "data.experiments", scope),
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
