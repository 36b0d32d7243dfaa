"""The linear language: a limit is a row over what cells spend and bring, and over switches and lots."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from allocator import quantities
from allocator.errors import Origin
from allocator.response.curves import Cell


class Bound(StrEnum):
    """Which side a row limits."""

    MIN = "min"
    MAX = "max"

    @property
    def sign(self) -> int:
        """1 where more activity is safer (min), -1 where less is (max)."""
        return 1 if self is Bound.MIN else -1


class Unit(StrEnum):
    """What a row's activity, limit and price are counted in."""

    MONEY = "money"
    SHARE = "share"
    RATIO = "ratio"
    CONTACTS = "contacts"
    CONTACTS_PER_CUSTOMER = "contacts per customer"
    COUNT = "count"
    MONTHS = "months"


class Weights(NamedTuple):
    """Coefficients on what one cell spends and brings; also the amounts themselves.

    ``spend``, ``margin``, ``revenue`` and ``immediate`` (the margin that arises within the window of the
    effect) in money, ``conversions`` and ``retained`` (customers kept) as counts.
    """

    spend: float = 0.0
    margin: float = 0.0
    revenue: float = 0.0
    conversions: float = 0.0
    retained: float = 0.0
    immediate: float = 0.0

    def dot(self, other: Weights) -> float:
        """Coefficients times amounts.

        Examples
        --------
        >>> Weights(spend=-1, margin=1).dot(Weights(spend=100, margin=150))
        50.0
        """
        return float(sum(mine * theirs for mine, theirs in zip(self, other, strict=True)))

    def plus(self, other: Weights, times: float = 1.0) -> Weights:
        """Give ``self + times * other``."""
        return Weights(*(mine + times * theirs for mine, theirs in zip(self, other, strict=True)))


Terms = Mapping[Cell, Weights]
Amounts = Mapping[Cell, Weights]
HALF_A_CENT = 0.005


@dataclass(frozen=True)
class Switch:
    """1 where the money of some cells together is not at `base`, else 0.

    Examples
    --------
    >>> Switch("email", (Cell("all", "email"),)).at(100.0)
    1.0
    """

    name: str
    cells: tuple[Cell, ...]
    base: float = 0.0

    def at(self, spend: float) -> float:
        """Give its value at what its cells spend, in money."""
        return float(abs(spend - self.base) > HALF_A_CENT)


@dataclass(frozen=True)
class Lots:
    """How many lots of one `size`, in money, some cells buy together.

    Examples
    --------
    >>> Lots("email", (Cell("all", "email"),), 250.0).at(500.0)
    2.0
    """

    name: str
    cells: tuple[Cell, ...]
    size: float

    def at(self, spend: float) -> float:
        """Give the whole number of lots nearest to what its cells spend, in money."""
        return float(round(spend / self.size))


Whole = Switch | Lots
Wholes = Mapping[Whole, float]


def counted(wholes: Wholes, amounts: Amounts) -> float:
    """Add up switches and lots at what their cells spend."""
    return math.fsum(
        coefficient * whole.at(math.fsum(amounts.get(cell, Weights()).spend for cell in whole.cells))
        for whole, coefficient in wholes.items()
    )


def total(terms: Terms, amounts: Amounts) -> float:
    """Add up ``terms . amounts`` over the cells of `terms`; a cell without an amount counts 0."""
    return math.fsum(weights.dot(amounts.get(cell, Weights())) for cell, weights in terms.items())


@dataclass(frozen=True)
class Quotient:
    """A limit on ``top / bottom + offset``; its row is ``top - (limit - offset) * bottom``.

    The bottom is what cells spend and bring, or a switch.
    """

    top: Terms
    bottom: Terms
    offset: float = 0.0
    switches: Wholes = field(default_factory=dict)

    def terms(self, limit: float) -> Terms:
        """Give the row's terms at a limit on the ratio."""
        terms: dict[Cell, Weights] = dict(self.top)
        for cell, weights in self.bottom.items():
            terms[cell] = terms.get(cell, Weights()).plus(weights, self.offset - limit)
        return terms

    def wholes(self, limit: float) -> Wholes:
        """Give the row's coefficients on switches at a limit on the ratio."""
        return {whole: (self.offset - limit) * weight for whole, weight in self.switches.items()}

    def at(self, amounts: Amounts) -> float | None:
        """Give the ratio itself; None where the bottom is 0.

        Examples
        --------
        >>> email = Cell("all", "email")
        >>> roi = Quotient({email: Weights(margin=1)}, {email: Weights(spend=1)}, offset=-1)
        >>> roi.at({email: Weights(spend=100, margin=150)})
        0.5
        """
        bottom = total(self.bottom, amounts) + counted(self.switches, amounts)
        return total(self.top, amounts) / bottom + self.offset if bottom > 0 else None


@dataclass(frozen=True)
class Row:
    """One limit of the plan: ``sum(terms) >= rhs`` (min) or ``<= rhs`` (max).

    Parameters
    ----------
    name : str
        As people see it: ``budget.total``, ``channels.search.min``, ``no_shock[email]``,
        ``curve_end[email, low]``, ``one_per_customer[low]``.
    kind : str
        The measure (``spend``, ``roi``, ...), or ``budget``, ``channel``, ``curve_end``,
        ``one_per_customer``.
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
    wholes : mapping of Switch or Lots to float
        Coefficients on whole numbers.
    at_limit : callable or None
        Gives the row's terms at another written limit, where that limit is in them in a way of its own.
    penalty : float or None
        Price in the objective of missing the row by one unit of its own; None where it may not be missed.
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
    wholes: Wholes = field(default_factory=dict)
    at_limit: Callable[[float], Terms] | None = None
    penalty: float | None = None

    def limit(self, budget: float) -> float:
        """Right-hand side in the row's own unit at a given budget."""
        return self.rhs + self.rhs_per_budget * budget

    def written(self, budget: float) -> float:
        """Give the limit as its writer states it: a ratio, a share, money, contacts.

        Examples
        --------
        >>> cell = Cell("all", "email")
        >>> Row("no_shock", "change_vs_current", Bound.MIN, {cell: Weights(spend=1)}, rhs=60.0,
        ...     unit=Unit.SHARE, scale=100.0, shift=1.0).written(budget=500.0)
        -0.4
        """
        if self.ratio_limit is not None:
            return self.ratio_limit
        if self._is_share_of_budget:
            return self.rhs_per_budget
        return self.limit(budget) / self.scale - self.shift

    def with_limit(self, written: float, budget: float) -> Row:
        """Give the same row at another limit, in its writer's unit.

        Parameters
        ----------
        written : float
            Such as -0.6 for a change of -60 %.
        budget : float
            The budget at which the row is read; it matters for ``budget.total`` only.

        Examples
        --------
        >>> cell = Cell("all", "email")
        >>> row = Row("no_shock", "change_vs_current", Bound.MIN, {cell: Weights(spend=1)}, rhs=60.0,
        ...           unit=Unit.SHARE, scale=100.0, shift=1.0)
        >>> row.with_limit(-0.5, budget=500.0).rhs
        50.0
        """
        if self.quotient is not None:
            terms, wholes = self.quotient.terms(written), self.quotient.wholes(written)
            return replace(self, terms=terms, wholes=wholes, ratio_limit=written)
        if self.at_limit is not None:
            return replace(self, terms=self.at_limit(written), ratio_limit=written)
        if self._is_share_of_budget:
            return replace(self, rhs_per_budget=written)
        if self.rhs_per_budget and self.rhs:
            return replace(self, rhs=(written + self.shift) * self.scale - self.rhs_per_budget * budget)
        if self.rhs_per_budget:
            return replace(self, rhs_per_budget=(written + self.shift) * self.scale / budget)
        return replace(self, rhs=(written + self.shift) * self.scale)

    def activity(self, amounts: Amounts) -> float:
        """Left-hand side in the row's own unit at what each cell spends and brings."""
        return total(self.terms, amounts) + counted(self.wholes, amounts)

    def measured(self, amounts: Amounts, budget: float) -> float | None:
        """Give what the plan reaches, in the writer's unit; None for a ratio over nothing."""
        if self.quotient is not None:
            return self.quotient.at(amounts)
        if self.ratio_limit is not None:
            return None
        per_unit = budget if self._is_share_of_budget else self.scale
        return self.activity(amounts) / per_unit - self.shift if per_unit else None

    def violation(self, amounts: Amounts, budget: float) -> float:
        """Give by how much the plan misses the limit, in the row's own unit; 0 where it is kept."""
        return max(0.0, self.bound.sign * (self.limit(budget) - self.activity(amounts)))

    def spelled(self, budget: float, currency: str = "") -> str:
        """Write the limit as people do: ``120,000``, ``-40%``, ``1.90 per EUR``.

        Examples
        --------
        >>> Row("budget.total", "budget", Bound.MAX, {}, rhs=0.0, rhs_per_budget=1.0).spelled(120_000.0)
        '120,000'
        """
        return self.spell(self.written(budget), currency)

    def spell(self, written: float, currency: str = "") -> str:
        """Write any value of this row's measure as its writer would."""
        if self.unit is Unit.SHARE or self.kind == "roi":
            return quantities.percent(written, None)
        if self.unit is Unit.RATIO:
            return quantities.ratio(written) + (f" per {currency}" if currency else "")
        if self.unit is Unit.MONTHS:
            return f"{written:g} months"
        whole = self.unit is not Unit.CONTACTS_PER_CUSTOMER and math.isclose(
            written, round(written), abs_tol=5e-3
        )
        return quantities.money(written, 0 if whole else 2)

    @property
    def _is_share_of_budget(self) -> bool:
        return self.kind == "share_of_budget"


def ratio_row(row: Row, quotient: Quotient, limit: float) -> Row:
    """Give `row` as a limit on a ratio: ``top - (limit - offset) * bottom`` against 0.

    Parameters
    ----------
    row : Row
        Name, kind, bound, unit, path, reason and origin; its terms and right-hand side are replaced.
    quotient : Quotient
    limit : float
        The ratio, as its writer states it (``0.2`` for an ROI of 20 %).

    Examples
    --------
    >>> email = Cell("all", "email")
    >>> roi = Quotient({email: Weights(margin=1)}, {email: Weights(spend=1)}, offset=-1)
    >>> ratio_row(Row("earn", "roi", Bound.MIN, {}, 0.0, unit=Unit.RATIO), roi, 0.5).terms[email].spend
    -1.5
    """
    return replace(row, quotient=quotient, rhs=0.0, rhs_per_budget=0.0).with_limit(limit, 0.0)
