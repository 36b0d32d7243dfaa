"""Every limit a planner can state, one class a measure; each yields named rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import ConfigDict, Field, field_validator, model_validator

from allocator import quantities
from allocator.errors import Finding, ScenarioError, raise_findings
from allocator.options import Change, Count, Money, Number, Options, Ratio, Share, Text, fault
from allocator.plan.rows import Bound, Quotient, Row, Unit, Weights, ratio_row
from allocator.plan.scope import (
    CellFacts,
    Dimension,
    Group,
    Scope,
    Selector,
    assumed_parts,
    contact_terms,
    customers,
    spend_terms,
)

LimitT = TypeVar("LimitT")


class Limit(Options, Generic[LimitT]):
    """What every limit has: a reason, the cells it speaks of, a bound or two."""

    measure: str
    """What is limited."""
    reason: Text = ""
    """Why; shown wherever the limit binds."""
    where: Selector = Selector()
    """The cells; absent means all."""
    each: Dimension | None = None
    """One row for each tier, channel or period instead of one for all of them together."""
    except_: Selector | None = Field(default=None, alias="except")
    """Cells the limit does not speak of."""
    min: LimitT | None = None
    """Lower limit."""
    max: LimitT | None = None
    """Upper limit."""
    priority: Literal["hard", "soft"] = "hard"
    """Whether the limit may be missed at a price."""
    penalty: Money | None = None
    """The price of missing it by one unit."""

    @model_validator(mode="after")
    def _has_a_bound(self) -> Limit[LimitT]:
        if self.min is None and self.max is None:
            raise fault("E101", "the limit has neither min nor max", "add 'min:' or 'max:'")
        return self

    @field_validator("priority", "penalty")
    @classmethod
    def _hard_only(cls, value: object) -> object:
        if value not in ("hard", None):
            raise fault("E110", "a limit that may be missed at a price is not supported yet")
        return value

    def rows(self, name: str, scope: Scope) -> Iterator[Row]:
        """Give one row per group and bound; rows of one group share their name.

        Parameters
        ----------
        name : str
            The limit's name in the scenario; with `each`, rows are called ``name[label]``.
        scope : Scope

        Raises
        ------
        ScenarioError
            With every finding of this limit: a selector that selects nothing or names what is not
            there, a contact limit without cost per contact, a change of an unknown current spend.
        """
        found: dict[Finding, None] = {}
        made: list[Row] = []
        for label, group in self.groups(name, scope).items():
            for bound in Bound:
                limit = self.min if bound is Bound.MIN else self.max
                if limit is not None:
                    try:
                        made.append(self.row(self._draft(name, label, bound, scope), limit, group, scope))
                    except ScenarioError as error:
                        found.update(dict.fromkeys(error.findings))
        raise_findings(tuple(found), ScenarioError)
        yield from made

    def groups(self, name: str, scope: Scope) -> dict[str, Group]:
        """Give the selected cells by label of `each`; one group labelled ``""`` without it."""
        path = f"constraints.{name}"
        findings = list(self.where.unknown(f"{path}.where", scope))
        findings += self.except_.unknown(f"{path}.except", scope) if self.except_ else ()
        raise_findings(findings, ScenarioError)
        groups: dict[str, list[CellFacts]] = {}
        for facts in scope.cells:
            if self.where.matches(facts.cell) and not (self.except_ and self.except_.matches(facts.cell)):
                groups.setdefault(getattr(facts.cell, self.each) if self.each else "", []).append(facts)
        if not groups:
            raise scope.refuse(
                "E205", f"{path}.where", f"limit {quantities.quoted(name)} selects no cell of the plan"
            )
        return {label: tuple(group) for label, group in groups.items()}

    def row(self, draft: Row, limit: LimitT, group: Group, scope: Scope) -> Row:
        """Complete `draft` (name, kind, bound, path, reason, origin) for one group of cells."""
        raise NotImplementedError

    def advice(self, name: str, scope: Scope) -> Iterator[Finding]:
        """Warn where the limit counts an assumed part of a channel."""
        counts_current = isinstance(self, ChangeVsCurrentLimit)
        assumed = dict.fromkeys(
            channel
            for group in self.groups(name, scope).values()
            for channel in assumed_parts(group, scope, counts_current=counts_current)
        )
        if assumed:
            yield Finding(
                "W302",
                scope.origin_of(f"constraints.{name}"),
                f"limit {quantities.quoted(name)} counts an assumed part of {', '.join(assumed)}",
                "their curve or current spend is given for all tiers together; state tier_mix, or by_tier",
            )

    def _draft(self, name: str, label: str, bound: Bound, scope: Scope) -> Row:
        path = f"constraints.{name}.{bound}"
        return Row(
            name=f"{name}[{label}]" if label else name,
            kind=self.measure,
            bound=bound,
            terms={},
            rhs=0.0,
            path=path,
            reason=self.reason,
            origin=scope.origin_of(path),
        )


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


class _ReturnLimit(Limit[LimitT], Generic[LimitT]):
    """A floor under what the cells' money earns."""

    @field_validator("max", check_fields=False)
    @classmethod
    def _no_cap(cls, value: object) -> object:
        if value is not None:
            raise fault(
                "E110",
                "an upper limit on a return is not supported yet",
                "the plan would have to leave value unclaimed; limit the spend instead",
            )
        return value


class RoiLimit(_ReturnLimit[Ratio]):
    """(Incremental margin - spend) / spend of the cells together."""

    measure: Literal["roi"] = "roi"

    def row(self, draft: Row, limit: float, group: Group, scope: Scope) -> Row:
        """``sum m - (1 + a) * sum x >= 0``."""
        return ratio_row(replace(draft, unit=Unit.RATIO), _margin_per_spend(group, offset=-1.0), limit)


class ReturnPerUnitLimit(_ReturnLimit[Annotated[Number, Field(ge=0)]]):
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


class ContactsPerCustomerLimit(Limit[Annotated[Number, Field(ge=0)]]):
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


class LaterLimit(Options):
    """Measures that are known and not supported yet."""

    model_config = ConfigDict(extra="allow")

    measure: Literal[
        "roas",
        "cpa",
        "payback_months",
        "marginal_return",
        "return",
        "conversions",
        "retained_customers",
        "customers_reached",
        "active_channels",
        "spend_if_active",
    ]

    @field_validator("measure")
    @classmethod
    def _refuse(cls, value: str) -> str:
        raise fault("E110", f"measure: {value} is not supported yet", f"supported: {', '.join(MEASURES)}")


MEASURES: Mapping[str, type[Limit[Any]]] = {
    "spend": SpendLimit,
    "share_of_budget": ShareOfBudgetLimit,
    "share_of_spend": ShareOfSpendLimit,
    "change_vs_current": ChangeVsCurrentLimit,
    "roi": RoiLimit,
    "return_per_unit": ReturnPerUnitLimit,
    "contacts": ContactsLimit,
    "contacts_per_customer": ContactsPerCustomerLimit,
}
"""The measures a limit can have."""

Constraint = Annotated[
    SpendLimit
    | ShareOfBudgetLimit
    | ShareOfSpendLimit
    | ChangeVsCurrentLimit
    | RoiLimit
    | ReturnPerUnitLimit
    | ContactsLimit
    | ContactsPerCustomerLimit
    | LaterLimit,
    Field(discriminator="measure"),
]
"""One limit of a scenario."""
