"""What limits speak of: the cells of a plan, what is known of each, and how they are selected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from allocator import quantities
from allocator.errors import Finding, Origin, ScenarioError, closest, raise_findings
from allocator.options import Names, Options
from allocator.plan.rows import Row, Terms, Weights
from allocator.response.curve import FloatArray, ResponseCurve
from allocator.response.curves import Cell, Response

Dimension = Literal["tier", "channel", "period"]
DIMENSIONS: Mapping[Dimension, str] = {"channel": "E201", "tier": "E202", "period": "E203"}
"""What a selector can name, and the error code of a name that is not there."""


@dataclass(frozen=True)
class CellFacts:
    """What limits need to know of one cell besides its curve (all money over the whole horizon).

    Parameters
    ----------
    cell : Cell
    current : float or None
        Money spent today; None when unknown.
    cost_per_contact : float or None
    contacts_per_customer : float
        How often a customer can be contacted through the channel.
    population : float or None
        Customers of the cell.
    tied : bool
        Whether the cell's part of its channel is assumed rather than chosen.
    current_assumed : bool
        Whether `current` is an assumed part of the channel's.
    known : frozenset of str
        Which outcomes besides the margin its curve tells.
    """

    cell: Cell
    current: float | None = None
    cost_per_contact: float | None = None
    contacts_per_customer: float = 1.0
    population: float | None = None
    tied: bool = False
    current_assumed: bool = False
    known: frozenset[str] = frozenset()


Group = tuple[CellFacts, ...]


@dataclass(frozen=True, eq=False)
class Part:
    """One decision in the making: a response, the cells it pays for and how it falls on them.

    ``share`` is the period's part of the horizon; ``effective`` gives what the curve is about as money of
    cells: its own, and what carries over from periods before.
    """

    response: Response
    cells: Group
    spend_shares: FloatArray
    value_shares: FloatArray
    share: float = 1.0
    carried: Terms = field(default_factory=dict)

    @property
    def effective(self) -> Terms:
        """What the curve is about, as money of cells."""
        return self.carried or spend_terms(self.cells)


@dataclass(frozen=True)
class Scope:
    """The cells a scenario's limits speak of, and where each value was written."""

    cells: Group
    budget: float
    origin_of: Callable[[str], Origin | None]
    parts: tuple[Part, ...] = ()
    one_per_customer: bool = False
    later_share: Callable[[float], float] = lambda months: 1.0

    def labels(self, dimension: Dimension) -> tuple[str, ...]:
        """Give the names along one dimension, in order of declaration."""
        return tuple(dict.fromkeys(getattr(facts.cell, dimension) for facts in self.cells))

    def refuse(self, code: str, path: str, what: str, fix: str = "") -> ScenarioError:
        """Give the error for a value of the scenario."""
        return ScenarioError(Finding(code, self.origin_of(path), what, fix))


class Selector(Options):
    """Which cells: one name or a list for each of tier, channel, period; absent means all."""

    tier: Names = ()
    """Tiers."""
    channel: Names = ()
    """Channels."""
    period: Names = ()
    """Periods."""

    def matches(self, cell: Cell) -> bool:
        """Whether every dimension the selector names holds the cell.

        Examples
        --------
        >>> Selector(channel="email").matches(Cell("low", "email"))
        True
        """
        return all(getattr(cell, at) in getattr(self, at) for at in DIMENSIONS if getattr(self, at))

    def unknown(self, path: str, scope: Scope) -> Iterator[Finding]:
        """Give a finding for every name that no cell bears."""
        for dimension, code in DIMENSIONS.items():
            labels = scope.labels(dimension)
            for name in getattr(self, dimension):
                if name not in labels:
                    match = closest(name, labels)
                    listed = f"{dimension}s in this scenario: {', '.join(labels)}"
                    yield Finding(
                        code,
                        scope.origin_of(f"{path}.{dimension}"),
                        f"there is no {dimension} {quantities.quoted(name)}",
                        f"did you mean '{match}'?" if match else listed,
                    )


def assumed_parts(group: Group, scope: Scope, *, counts_current: bool) -> Iterator[str]:
    """Give the channels of which the group holds only a part, and that part is assumed."""
    inside = {facts.cell for facts in group}
    for channel in dict.fromkeys(facts.cell.channel for facts in group):
        whole = [facts for facts in scope.cells if facts.cell.channel == channel]
        assumed = any(facts.tied or (counts_current and facts.current_assumed) for facts in whole)
        if assumed and not all(facts.cell in inside for facts in whole):
            yield channel


def spend_terms(group: Group) -> Terms:
    """Give terms that add up the money of the cells."""
    return spend_weights(facts.cell for facts in group)


def spend_weights(cells: Iterable[Cell]) -> Terms:
    """Give terms that add up the money of cells by name."""
    return dict.fromkeys(cells, Weights(spend=1.0))


def contact_terms(group: Group, path: str, scope: Scope) -> Terms:
    """Give terms that count contacts: money divided by its cost per contact.

    Raises
    ------
    ScenarioError
        E206, for every channel of the group that states none.
    """
    missing = dict.fromkeys(facts.cell.channel for facts in group if not facts.cost_per_contact)
    raise_findings(
        [
            Finding(
                "E206",
                scope.origin_of(path),
                f"contacts of {quantities.quoted(channel)} cannot be counted without its cost per contact",
                f"add channels.{channel}.cost_per_contact, above 0, or leave the channel out",
            )
            for channel in missing
        ],
        ScenarioError,
    )
    return {facts.cell: Weights(spend=1.0 / (facts.cost_per_contact or 1.0)) for facts in group}


def counted_terms(outcome: str, group: Group, path: str, scope: Scope) -> Terms:
    """Give terms that add up what spend in the cells brings.

    Raises
    ------
    ScenarioError
        E211, naming every channel whose curve does not tell it.
    """
    lacking = dict.fromkeys(
        facts.cell.channel for facts in group if outcome != "margin" and outcome not in facts.known
    )
    if lacking:
        what = f"the {outcome} of {', '.join(lacking)} cannot be counted: the curves do not tell them"
        raise scope.refuse("E211", path, what, MISSING.get(outcome, ""))
    return {facts.cell: Weights(**{outcome: 1.0}) for facts in group}


MISSING = {
    "revenue": "state objective.margin, above 0, so that revenue is margin / objective.margin",
    "conversions": "map 'converted' in data.experiments, or add a column conversions to the curves",
    "retained": "map 'retained' in data.experiments, or add a column retained to the curves",
}


def least_paying(curve: ResponseCurve, earns: float) -> float:
    """Give the largest spend of which the last unit still earns so much, in money; 0 where none does.

    Along a smooth curve found by bisection to 1e-9 of its reach.

    Examples
    --------
    >>> import numpy as np
    >>> least_paying(ResponseCurve(np.array([0.0, 100.0, 300.0]), np.array([0.0, 250.0, 450.0])), 1.5)
    100.0
    """
    if curve.shape is None:
        paying = [place for place, slope in zip(curve.spend[1:], curve.slopes, strict=True) if slope >= earns]
        return float(max(paying, default=0.0))
    low, high = 0.0, curve.end * 8.0
    if float(curve.shape.marginal(np.asarray(high))) >= earns:
        return high
    fine = np.linspace(high, 0.0, 4097)
    enough = np.flatnonzero(curve.shape.marginal(fine) >= earns)
    if not len(enough):
        return 0.0
    low, high = float(fine[enough[0]]), float(fine[max(enough[0] - 1, 0)])
    while high - low > 1e-9 * curve.end:
        middle = (low + high) / 2
        pays = float(curve.shape.marginal(np.asarray(middle))) >= earns
        low, high = (middle, high) if pays else (low, middle)
    return low


def customers(group: Group, path: str, scope: Scope) -> float:
    """Count the customers of the group's tiers, each once however many channels reach them.

    Raises
    ------
    ScenarioError
        E208, where no cell of a tier knows its population.
    """
    by_tier: dict[str, dict[tuple[str, str], float]] = {}
    for facts in group:
        by_channel = by_tier.setdefault(facts.cell.tier, {})
        key = (facts.cell.channel, facts.cell.period)
        by_channel[key] = by_channel.get(key, 0.0) + (facts.population or 0.0)
    counts = {tier: max(by_channel.values()) for tier, by_channel in by_tier.items()}
    empty = [tier for tier, people in counts.items() if people <= 0]
    if empty:
        names = ", ".join(map(quantities.quoted, empty))
        fix = "give the curves a population, or limit contacts in total"
        raise scope.refuse("E208", path, f"the number of customers of tier {names} is unknown", fix)
    return sum(counts.values())


def gather(sources: Iterable[Callable[[], Iterable[Row]]]) -> tuple[Row, ...]:
    """Give the rows of every source, in order.

    Raises
    ------
    ScenarioError
        With the findings of all sources together.
    """
    rows: list[Row] = []
    findings: dict[Finding, None] = {}
    for source in sources:
        try:
            rows.extend(source())
        except ScenarioError as error:
            findings.update(dict.fromkeys(error.findings))
    raise_findings(tuple(findings), ScenarioError)
    return tuple(rows)
