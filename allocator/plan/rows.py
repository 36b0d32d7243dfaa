"""The linear language: a limit is a row over the spend, margin and revenue of cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from allocator.errors import Origin
from allocator.response.curves import Cell


class Bound(StrEnum):
    """Which side a row limits."""

    MIN = "min"
    MAX = "max"


class Unit(StrEnum):
    """What a row's activity, limit and price are counted in."""

    MONEY = "money"
    SHARE = "share"
    RATIO = "ratio"
    CONTACTS = "contacts"
    CONTACTS_PER_CUSTOMER = "contacts per customer"


class Weights(NamedTuple):
    """Coefficients on what one cell spends and brings."""

    spend: float = 0.0
    margin: float = 0.0
    revenue: float = 0.0


Terms = Mapping[Cell, Weights]


@dataclass(frozen=True)
class Quotient:
    """A limit on ``top / bottom + offset``; its row is ``top - (limit - offset) * bottom``."""

    top: Terms
    bottom: Terms
    offset: float = 0.0


@dataclass(frozen=True)
class Row:
    """One limit of the plan: ``sum(terms) >= rhs`` (min) or ``<= rhs`` (max).

    Parameters
    ----------
    name : str
        As people see it: ``budget.total``, ``channels.search.min``, ``no_shock[email]``,
        ``curve_end[email, low]``, ``one_per_customer[low]``.
    kind : str
        The measure (``spend``, ``roi``, ...), or ``budget``, ``channel``, ``curve_end``, ``one_per_customer``.
    bound : Bound
    terms : mapping of Cell to Weights
    rhs : float
        The part of the right-hand side that stands still.
    rhs_per_budget : float
        The part that moves with the budget: the row's limit is ``rhs + rhs_per_budget * budget``.
    unit : Unit
        Unit of the limit as its writer spells it.
    scale, shift : float
        The writer's limit is ``(rhs + rhs_per_budget * budget) / scale - shift``.
    quotient : Quotient or None
        Set for limits on a ratio; the writer's limit is then the ratio.
    ratio_limit : float or None
        The ratio, where `quotient` is set.
    path : str
        Dotted path of the limit in the scenario, for repairs: ``constraints.no_shock.min``.
    reason : str
    origin : Origin or None
    """

    name: str
    kind: str
    bound: Bound
    terms: Terms
    rhs: float
    rhs_per_budget: float = 0.0
    unit: Unit = Unit.MONEY
    scale: float = 1.0
    shift: float = 0.0
    quotient: Quotient | None = None
    ratio_limit: float | None = None
    path: str = ""
    reason: str = ""
    origin: Origin | None = None

    def limit(self, budget: float) -> float:
        """Right-hand side in the row's own unit at a given budget."""
        return self.rhs + self.rhs_per_budget * budget


# also here: `ratio_row(...)` builder, `Row.with_limit(user_limit, budget)` -> Row with another limit in the
# writer's unit (ratio rows rebuild their terms from the quotient), `Row.written(budget)` -> the writer's limit as a float,
# `Row.spelled(budget, currency)` -> text such as "-40%" or "120,000".
