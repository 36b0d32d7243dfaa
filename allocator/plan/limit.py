"""What every limit of a planner has in common: the cells it speaks of, its bounds, its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Generic, Literal, TypeVar

from pydantic import Field, model_validator

from allocator import quantities
from allocator.errors import Finding, ScenarioError, raise_findings
from allocator.options import Options, PositiveNumber, Text, fault
from allocator.plan.rows import Bound, Row
from allocator.plan.scope import CellFacts, Dimension, Group, Scope, Selector, assumed_parts

LimitT = TypeVar("LimitT")


class Limit(Options, Generic[LimitT]):
    """What every limit has: a reason, the cells it speaks of, a bound or two."""

    counts_current: ClassVar[bool] = False
    """Whether today's spend matters."""
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
    penalty: PositiveNumber | None = None
    """The price of missing it by one unit: of money for limits on money, shares and ratios."""

    @model_validator(mode="after")
    def _has_a_bound(self) -> Limit[LimitT]:
        if self.min is None and self.max is None:
            raise fault("E101", "the limit has neither min nor max", "add 'min:' or 'max:'")
        return self

    @model_validator(mode="after")
    def _priced_where_soft(self) -> Limit[LimitT]:
        if self.priority == "soft" and self.penalty is None:
            what = "a soft limit needs the price of missing it by one unit"
            raise fault("E101", what, "add 'penalty: 2', or leave priority out", at="priority")
        if self.priority == "hard" and self.penalty is not None:
            what = "'penalty' means nothing for a limit that may not be missed"
            raise fault("E113", what, "add 'priority: soft', or remove it", at="penalty")
        return self

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
                        made += self.rows_of(self._draft(name, label, bound, scope), limit, group, scope)
                    except ScenarioError as error:
                        found.update(dict.fromkeys(error.findings))
        raise_findings(tuple(found), ScenarioError)
        yield from made

    def rows_of(self, draft: Row, limit: LimitT, group: Group, scope: Scope) -> Iterable[Row]:
        """Give the rows of one group and bound; most measures need one."""
        return (self.row(draft, limit, group, scope),)

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
        assumed = dict.fromkeys(
            channel
            for group in self.groups(name, scope).values()
            for channel in assumed_parts(group, scope, counts_current=self.counts_current)
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
            penalty=self.penalty,
        )
