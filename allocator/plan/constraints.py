"""Every limit a planner can state, one class a measure; each yields named rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Generic, Literal

from pydantic import Field, ValidationInfo, field_validator

from allocator import quantities
from allocator.errors import Finding
from allocator.options import Change, Count, Money, Number, Ratio, Share, fault
from allocator.plan.limit import Limit, LimitT
from allocator.plan.rows import Bound, Quotient, Row, Switch, Terms, Unit, Weights, Wholes, ratio_row
from allocator.plan.scope import (
    CellFacts,
    Group,
    Scope,
    contact_terms,
    counted_terms,
    customers,
    least_paying,
    spend_terms,
)

Positive = Annotated[Number, Field(ge=0)]


class SpendLimit(Limit[Money]):
    """Money spent in the cells together."""

    measure: Literal["spend"] = "spend"

    def row(self, draft: Row, limit: float, group: Group, scope: Scope) -> Row:
        """``sum x >= a``."""
        return replace(draft, terms=spend_terms(group), rhs=limit)


class ShareOfBudgetLimit(Limit[Share]):
    """Money spent in the cells as a share of ``budget.total``, whether or not that is all spent."""

    measure: Literal["share_of_budget"] = "share_of_budget"

    def row(self, draft: Row, limit: float, group: Group, scope: Scope) -> Row:
        """``sum x >= a * budget``."""
        return replace(
            draft, terms=spend_terms(group), rhs_per_budget=limit, unit=Unit.SHARE, scale=scope.budget
        )


class ShareOfSpendLimit(Limit[Share]):
    """Money spent in the cells as a share of what the plan spends."""

    measure: Literal["share_of_spend"] = "share_of_spend"

    def row(self, draft: Row, limit: float, group: Group, scope: Scope) -> Row:
        """``sum x - a * (sum of all x) >= 0``."""
        share = Quotient(spend_terms(group), spend_terms(scope.cells))
        return ratio_row(replace(draft, unit=Unit.SHARE), share, limit)


class ChangeVsCurrentLimit(Limit[Change]):
    """Change of the money spent in the cells together, against today: a share of it or an amount."""

    counts_current: ClassVar[bool] = True
    measure: Literal["change_vs_current"] = "change_vs_current"

    def row(self, draft: Row, limit: quantities.Change, group: Group, scope: Scope) -> Row:
        """``sum x >= (1 + a) * today``, or ``sum x >= today + a`` where a is money."""
        today = self._today(draft, limit, group, scope)
        draft = replace(draft, terms=spend_terms(group))
        if limit.kind == "money":
            return replace(draft, rhs=today + limit.value, shift=today)
        return replace(draft, rhs=(1 + limit.value) * today, unit=Unit.SHARE, scale=today, shift=1.0)

    @staticmethod
    def _today(draft: Row, limit: quantities.Change, group: Group, scope: Scope) -> float:
        unknown = ", ".join(dict.fromkeys(facts.cell.channel for facts in group if facts.current is None))
        if unknown:
            raise scope.refuse(
                "E207",
                draft.path,
                f"{draft.name} limits a change, but what {unknown} spends today is unknown",
                f"state current there, or leave it out by 'except: {{channel: [{unknown}]}}'",
            )
        today = sum(facts.current or 0.0 for facts in group)
        if limit.kind == "share" and today <= 0:
            channels = ", ".join(dict.fromkeys(facts.cell.channel for facts in group))
            raise scope.refuse(
                "E207",
                draft.path,
                f"{draft.name} limits a share of what {channels} spends today, which is nothing",
                f"leave it out by 'except: {{channel: [{channels}]}}', or give the change as money",
            )
        return today


class _OneSided(Limit[LimitT], Generic[LimitT]):
    """A measure that has one bound only."""

    meant: ClassVar[str]

    @field_validator("min", "max", check_fields=False)
    @classmethod
    def _only(cls, value: object, info: ValidationInfo) -> object:
        if value is not None and info.field_name != cls.meant:
            what = f"this measure has no '{info.field_name}'"
            raise fault("E113", what, f"write '{cls.meant}:'")
        return value


class _ReturnLimit(_OneSided[LimitT], Generic[LimitT]):
    """A floor under what the cells' money earns; a cap would ask the plan to waste money."""

    meant: ClassVar[str] = "min"


class RoiLimit(_ReturnLimit[Ratio]):
    """(Incremental margin - spend) / spend of the cells together."""

    measure: Literal["roi"] = "roi"

    def row(self, draft: Row, limit: float, group: Group, scope: Scope) -> Row:
        """``sum m - (1 + a) * sum x >= 0``."""
        return ratio_row(replace(draft, unit=Unit.RATIO), _margin_per_spend(group, offset=-1.0), limit)


class ReturnPerUnitLimit(_ReturnLimit[Positive]):
    """Incremental margin / spend of the cells together; 1 is break-even."""

    measure: Literal["return_per_unit"] = "return_per_unit"

    def row(self, draft: Row, limit: float, group: Group, scope: Scope) -> Row:
        """``sum m - a * sum x >= 0``."""
        return ratio_row(replace(draft, unit=Unit.RATIO), _margin_per_spend(group), limit)


def _margin_per_spend(group: Group, offset: float = 0.0) -> Quotient:
    margin = {facts.cell: Weights(margin=1.0) for facts in group}
    return Quotient(margin, spend_terms(group), offset)


class ContactsLimit(Limit[Count]):
    """Contacts made in the cells together."""

    measure: Literal["contacts"] = "contacts"

    def row(self, draft: Row, limit: int, group: Group, scope: Scope) -> Row:
        """``sum x / cost_per_contact >= a``."""
        return replace(
            draft, terms=contact_terms(group, draft.path, scope), rhs=float(limit), unit=Unit.CONTACTS
        )


class ContactsPerCustomerLimit(Limit[Positive]):
    """Contacts made in the cells together, per customer of their tiers."""

    measure: Literal["contacts_per_customer"] = "contacts_per_customer"

    def row(self, draft: Row, limit: float, group: Group, scope: Scope) -> Row:
        """``sum x / cost_per_contact >= a * customers``."""
        people = customers(group, draft.path, scope)
        return replace(
            draft,
            terms=contact_terms(group, draft.path, scope),
            rhs=limit * people,
            unit=Unit.CONTACTS_PER_CUSTOMER,
            scale=people,
        )


class RoasLimit(_ReturnLimit[Positive]):
    """Incremental revenue / spend of the cells together."""

    measure: Literal["roas"] = "roas"

    def row(self, draft: Row, limit: float, group: Group, scope: Scope) -> Row:
        """``sum revenue - a * sum x >= 0``."""
        revenue = counted_terms("revenue", group, draft.path, scope)
        return ratio_row(replace(draft, unit=Unit.RATIO), Quotient(revenue, spend_terms(group)), limit)


class CpaLimit(_OneSided[Money]):
    """Spend per incremental conversion of the cells together."""

    meant: ClassVar[str] = "max"
    measure: Literal["cpa"] = "cpa"

    def row(self, draft: Row, limit: float, group: Group, scope: Scope) -> Row:
        """``sum x - a * sum conversions <= 0``."""
        conversions = counted_terms("conversions", group, draft.path, scope)
        return ratio_row(draft, Quotient(spend_terms(group), conversions), limit)


class PaybackLimit(_OneSided[Positive]):
    """Months until the cells' margin has brought back their money."""

    meant: ClassVar[str] = "max"
    measure: Literal["payback_months"] = "payback_months"

    def row(self, draft: Row, limit: float, group: Group, scope: Scope) -> Row:
        """``sum (margin until month a) - sum x >= 0``.

        Margin of customers kept arises evenly from the end of the effect's window to the end of the value
        window; all other margin within the window.
        """
        return replace(
            draft, bound=Bound.MIN, unit=Unit.MONTHS, terms=_until(scope.later_share(limit), group),
            ratio_limit=limit, at_limit=lambda months: _until(scope.later_share(months), group),
        )  # fmt: skip


def _until(share: float, group: Group) -> Terms:
    """Give terms for margin with so much of what comes later, less spend."""
    return {facts.cell: Weights(spend=-1.0, margin=share, immediate=1.0 - share) for facts in group}


class MarginalReturnLimit(_ReturnLimit[Positive]):
    """What every unit of money bought in a cell has to earn in margin."""

    measure: Literal["marginal_return"] = "marginal_return"

    def rows_of(self, draft: Row, limit: float, group: Group, scope: Scope) -> Iterable[Row]:
        """Give one row a curve: spend up to where the next unit earns less than ``a``."""
        for part in scope.parts:
            if any(facts in group for facts in part.cells):
                yield replace(
                    draft,
                    name=f"{draft.name}[{part.response}]",
                    bound=Bound.MAX,
                    terms=part.effective,
                    rhs=least_paying(part.response.curve, limit),
                    unit=Unit.RATIO,
                    ratio_limit=limit,
                )


class _SumLimit(Limit[LimitT], Generic[LimitT]):
    """An amount of something that spend brings."""

    counted: ClassVar[str]
    unit: ClassVar[Unit] = Unit.COUNT

    def row(self, draft: Row, limit: float, group: Group, scope: Scope) -> Row:  # type: ignore[override]
        """``sum outcome >= a``."""
        terms = counted_terms(self.counted, group, draft.path, scope)
        return replace(draft, terms=terms, rhs=float(limit), unit=self.unit)


class ReturnLimit(_SumLimit[Money]):
    """Incremental margin of the cells together, gross of spend."""

    counted: ClassVar[str] = "margin"
    unit: ClassVar[Unit] = Unit.MONEY
    measure: Literal["return"] = "return"


class ConversionsLimit(_SumLimit[Positive]):
    """Incremental conversions of the cells together."""

    counted: ClassVar[str] = "conversions"
    measure: Literal["conversions"] = "conversions"


class RetainedCustomersLimit(_SumLimit[Positive]):
    """Customers kept who would have left, in the cells together."""

    counted: ClassVar[str] = "retained"
    measure: Literal["retained_customers"] = "retained_customers"


class CustomersReachedLimit(Limit[Count]):
    """Customers contacted in the cells together."""

    measure: Literal["customers_reached"] = "customers_reached"

    def row(self, draft: Row, limit: int, group: Group, scope: Scope) -> Row:
        """``sum contacts / contacts_per_customer >= a``."""
        contacts = contact_terms(group, draft.path, scope)
        terms = {
            facts.cell: Weights(spend=contacts[facts.cell].spend / facts.contacts_per_customer)
            for facts in group
        }
        return replace(draft, terms=terms, rhs=float(limit), unit=Unit.COUNT)

    def advice(self, name: str, scope: Scope) -> Iterator[Finding]:
        """Warn where a person may be counted twice."""
        yield from super().advice(name, scope)
        for group in self.groups(name, scope).values():
            channels = dict.fromkeys(facts.cell.channel for facts in group)
            periods = dict.fromkeys(facts.cell.period for facts in group)
            if len(periods) > 1 or (len(channels) > 1 and not scope.one_per_customer):
                what = f"limit {quantities.quoted(name)} may count a customer more than once"
                fix = f"{', '.join(channels)} can reach the same customer"
                yield Finding("W311", scope.origin_of(f"constraints.{name}"), what, fix)
                return


class ActiveChannelsLimit(Limit[Count]):
    """How many channels get money in the cells together."""

    measure: Literal["active_channels"] = "active_channels"

    def row(self, draft: Row, limit: int, group: Group, scope: Scope) -> Row:
        """``sum z_c >= a`` with a switch z for every channel."""
        channels = dict.fromkeys(facts.cell.channel for facts in group)
        wholes: Wholes = {
            _switch(channel, [f for f in group if f.cell.channel == channel]): 1.0 for channel in channels
        }
        return replace(draft, wholes=wholes, rhs=float(limit), unit=Unit.COUNT)


class SpendIfActiveLimit(Limit[Money]):
    """Money spent in the cells together, unless nothing is spent there at all."""

    measure: Literal["spend_if_active"] = "spend_if_active"

    def row(self, draft: Row, limit: float, group: Group, scope: Scope) -> Row:
        """``sum x - a z >= 0`` with one switch z for the cells."""
        quotient = Quotient(spend_terms(group), {}, switches={_switch(draft.name, group): 1.0})
        return ratio_row(draft, quotient, limit)


def _switch(name: str, group: Sequence[CellFacts]) -> Switch:
    return Switch(name, tuple(facts.cell for facts in group))


MEASURES: Mapping[str, type[Limit[Any]]] = {
    "spend": SpendLimit,
    "share_of_budget": ShareOfBudgetLimit,
    "share_of_spend": ShareOfSpendLimit,
    "change_vs_current": ChangeVsCurrentLimit,
    "roi": RoiLimit,
    "return_per_unit": ReturnPerUnitLimit,
    "roas": RoasLimit,
    "cpa": CpaLimit,
    "payback_months": PaybackLimit,
    "marginal_return": MarginalReturnLimit,
    "return": ReturnLimit,
    "conversions": ConversionsLimit,
    "retained_customers": RetainedCustomersLimit,
    "contacts": ContactsLimit,
    "contacts_per_customer": ContactsPerCustomerLimit,
    "customers_reached": CustomersReachedLimit,
    "active_channels": ActiveChannelsLimit,
    "spend_if_active": SpendIfActiveLimit,
}
"""The measures a limit can have."""

Constraint = Annotated[
    SpendLimit
    | ShareOfBudgetLimit
    | ShareOfSpendLimit
    | ChangeVsCurrentLimit
    | RoiLimit
    | ReturnPerUnitLimit
    | RoasLimit
    | CpaLimit
    | PaybackLimit
    | MarginalReturnLimit
    | ReturnLimit
    | ConversionsLimit
    | RetainedCustomersLimit
    | ContactsLimit
    | ContactsPerCustomerLimit
    | CustomersReachedLimit
    | ActiveChannelsLimit
    | SpendIfActiveLimit,
    Field(discriminator="measure"),
]
"""One limit of a scenario."""
