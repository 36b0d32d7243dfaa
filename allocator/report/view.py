"""Everything a renderer needs to know about one plan, in one frozen object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from math import fsum
from typing import Literal, NamedTuple

from allocator.errors import Finding
from allocator.plan.rows import Switch, Weights
from allocator.plan.solution import CellResult, RowResult, Solution
from allocator.response.curves import ALL, Cell, Curves, Evidence, Response
from allocator.response.history import beyond_observed
from allocator.scenario.schema import Scenario

COUNTED = {"conversions": "conversions", "retained_customers": "customers"}
"""Goals that are counted rather than paid, and in what."""
MIXED = "weighted sum"


@dataclass(frozen=True)
class Amounts:
    """Money of a set of cells; ``current`` is None when unknown for one of them."""

    current: float | None
    spend: float
    margin: float

    @property
    def profit(self) -> float:
        """Incremental margin minus spend."""
        return self.margin - self.spend

    @property
    def return_per_unit(self) -> float | None:
        """Incremental margin per unit of spend; None without spend."""
        return self.margin / self.spend if self.spend > 0 else None

    @property
    def roi(self) -> float | None:
        """``(margin - spend) / spend``; None without spend."""
        return self.profit / self.spend if self.spend > 0 else None


@dataclass(frozen=True)
class TierView:
    """A tier as people see it; ``population`` in customers."""

    name: str
    label: str
    population: float | None = None


@dataclass(frozen=True)
class ChannelView:
    """A channel as people see it, and what its numbers rest on."""

    name: str
    label: str
    evidence: Evidence
    source: str
    tied: bool = False


class NextUnit(NamedTuple):
    """What the next unit of money earns in a channel, and whether a limit besides the budget stops it.

    ``earns`` is None where no curve takes more.
    """

    earns: float | None
    stopped: bool = False


@dataclass(frozen=True)
class CheckedReturn:
    """Margin of the tested channels by data that did not choose the plan, and what was promised."""

    value: float
    interval: tuple[float, float] | None
    promised: float
    method: str


@dataclass(frozen=True, eq=False)
class DataFacts:
    """What people are told of the tables a plan rests on.

    Parameters
    ----------
    sha256 : str or None
        Of all of them; None when none was read.
    rejects : mapping of str to int
        Rejected rows by table.
    rows_read : mapping of str to int
        All rows by table.
    customers : mapping of tier to float
        Customers each tier stands for, where they were counted.
    findings : tuple of Finding
        Advice on the tables and the models.
    """

    sha256: str | None = None
    rejects: Mapping[str, int] = field(default_factory=dict)
    customers: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    rows_read: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class PlanView:
    """One plan with the words of its scenario.

    Parameters
    ----------
    name, file, currency : str
        Of the scenario; `currency` is empty when none is stated.
    start, end : date or None
        Of the horizon.
    budget : float
    spend_rule : {"up_to", "exactly"}
    objective : str
        What is maximised: ``profit``, ``incremental_margin``, ``profit + conversions``; or ``least_spend``.
    tiers, channels : tuple
        In order of declaration.
    solution : Solution
    findings : tuple of Finding
        Every warning about the scenario and its data.
    data_sha256 : str or None
        Of the tables read; None when the scenario reads none.
    rejects, rows_read : mapping of str to int
        Rejected rows, and all rows, by table.
    weights : mapping of str to float
        Of the goals that are added up; empty where there is one.
    carrying : tuple of str
        Labels of the channels whose effect carries over from period to period.
    """

    name: str
    file: str
    currency: str
    start: date | None
    end: date | None
    budget: float
    spend_rule: Literal["up_to", "exactly"]
    objective: str
    tiers: tuple[TierView, ...]
    channels: tuple[ChannelView, ...]
    solution: Solution
    scenario_sha256: str = ""
    data_sha256: str | None = None
    seed: int | None = None
    findings: tuple[Finding, ...] = ()
    rejects: Mapping[str, int] = field(default_factory=dict)
    checked: CheckedReturn | None = None
    rows_read: Mapping[str, int] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    carrying: tuple[str, ...] = ()

    @property
    def has_plan(self) -> bool:
        """Whether there is a plan to show."""
        return bool(self.solution.cells)

    @property
    def periods(self) -> tuple[str, ...]:
        """The periods money goes out in, in order of time; ``all`` alone without any."""
        return tuple(sorted({result.cell.period for result in self.solution.cells}))

    @property
    def counted(self) -> str:
        """What the objective counts: ``customers``, ``conversions``, a weighted sum; empty for money."""
        units = {COUNTED.get(name, "") for name in self.objective.split(" + ")}
        return units.pop() if len(units) == 1 else MIXED

    @property
    def fines(self) -> float:
        """What missed limits cost, in the objective's unit."""
        return fsum((result.row.penalty or 0.0) * result.missed for result in self.solution.rows)

    @property
    def whole(self) -> Amounts:
        """The plan as a whole."""
        return self._amounts(self.solution.cells)

    def of_channel(self, name: str) -> Amounts:
        """One channel over all tiers and periods."""
        return self._amounts(cell for cell in self.solution.cells if cell.cell.channel == name)

    def of_tier(self, name: str) -> Amounts:
        """One tier over all channels and periods."""
        return self._amounts(cell for cell in self.solution.cells if cell.cell.tier == name)

    def of_evidence(self, kind: Evidence) -> float:
        """Spend that rests on one kind of evidence."""
        return fsum(self.of_channel(c.name).spend for c in self.channels if c.evidence is kind)

    def spend_in(self, tier: str, channel: str) -> float | None:
        """Spend of a channel in a tier; None where the channel has no curve for the tier."""
        found = [c.spend for c in self.solution.cells if (c.cell.tier, c.cell.channel) == (tier, channel)]
        return fsum(found) if found else None

    def next_unit_in(self, channel: str) -> NextUnit:
        """Give what the next unit earns in a channel: where it can be spent, else where limits stop it."""
        cells = [
            cell
            for cell in self.solution.cells
            if cell.cell.channel == channel and cell.marginal_return is not None
        ]
        spend = {cell.cell: cell.spend for cell in self.solution.cells}
        stopped = {cell.cell for cell in cells if any(_stops(row, cell, spend) for row in self.solution.rows)}
        if stopped and any(cell.tied for cell in cells):  # its tiers get more together or not at all
            stopped = {cell.cell for cell in cells}
        free = [cell for cell in cells if cell.cell not in stopped]
        earns = max((cell.marginal_return or 0.0 for cell in free or cells), default=None)
        return NextUnit(earns, stopped=bool(cells) and not free)

    @staticmethod
    def _amounts(cells: Iterable[CellResult]) -> Amounts:
        chosen = list(cells)
        known = [cell.current for cell in chosen if cell.current is not None]
        return Amounts(
            current=fsum(known) if len(known) == len(chosen) else None,
            spend=fsum(cell.spend for cell in chosen),
            margin=fsum(cell.margin for cell in chosen),
        )


def _stops(result: RowResult, cell: CellResult, spend: Mapping[Cell, float]) -> bool:
    """Whether a binding limit other than the budget is broken by one more unit of money in a cell."""
    row = result.row
    if not result.binding or row.kind in ("budget", "reserve"):
        return False
    turned_on = fsum(
        coefficient
        for whole, coefficient in row.wholes.items()
        if isinstance(whole, Switch) and cell.cell in whole.cells and not any(map(spend.get, whole.cells))
    )
    weights = row.terms.get(cell.cell, Weights())
    margin = cell.marginal_return or 0.0
    # what comes with margin goes along with it
    along = margin / cell.margin if cell.margin > 0 else 0.0
    revenue, conversions, retained = (
        along * (known or 0.0) for known in (cell.revenue, cell.conversions, cell.retained)
    )
    brings = Weights(1.0, margin, revenue, conversions, retained, immediate=margin)
    return row.bound.sign * (weights.dot(brings) + turned_on) < 0


def plan_view(
    scenario: Scenario,
    curves: Curves,
    solution: Solution,
    *,
    read: DataFacts | None = None,
    checked: CheckedReturn | None = None,
) -> PlanView:
    """Gather what people are told about a plan.

    Parameters
    ----------
    scenario : Scenario
    curves : Curves
        Those the plan was made from.
    solution : Solution
    read : DataFacts, optional
        What is known of the tables behind the curves.
    checked : CheckedReturn, optional
        The plan's value by data that did not choose it.
    """
    horizon = scenario.horizon
    read = read or DataFacts()
    return PlanView(
        name=scenario.name,
        file=scenario.file,
        currency=scenario.currency,
        start=horizon.start if horizon else None,
        end=horizon.end if horizon else None,
        budget=scenario.budget.total,
        spend_rule=scenario.budget.spend,
        objective=scenario.objective.name,
        tiers=_tiers(scenario, curves, read.customers),
        channels=_channels(scenario, curves),
        solution=solution,
        scenario_sha256=scenario.sha256,
        data_sha256=read.sha256,
        seed=scenario.risk.seed,
        findings=(*scenario.warnings, *read.findings, *solution.warnings, *_guesses(curves, solution)),
        rejects=dict(read.rejects),
        checked=checked,
        rows_read=dict(read.rows_read),
        weights=dict(scenario.objective.goal_weights or {}),
        carrying=_carrying(scenario, solution),
    )


def _carrying(scenario: Scenario, solution: Solution) -> tuple[str, ...]:
    """Name the channels of a plan in time whose effect goes on."""
    several = len({result.cell.period for result in solution.cells}) > 1
    return tuple(
        channel.label or name for name, channel in scenario.channels.items() if several and channel.carryover
    )


def _guesses(curves: Curves, solution: Solution) -> tuple[Finding, ...]:
    """Say where the plan goes past what a history has seen."""
    spend: dict[str, float] = {}
    for cell in solution.cells:
        spend[cell.cell.channel] = spend.get(cell.cell.channel, 0.0) + cell.spend
    return beyond_observed(curves, spend)


def package_version() -> str:
    """Version of this package, as installed."""
    try:
        return version("allocator")
    except PackageNotFoundError:
        return "0+unknown"


def _tiers(scenario: Scenario, curves: Curves, counted: Mapping[str, float]) -> tuple[TierView, ...]:
    if scenario.tiers is None:
        return (TierView(ALL, "All customers", counted.get(ALL, _population(curves.responses))),)
    return tuple(
        TierView(
            name,
            level.label or name,
            counted.get(name, _population(r for r in curves.responses if r.tier == name)),
        )
        for name, level in scenario.tiers.levels.items()
    )


def _population(responses: Iterable[Response]) -> float | None:
    """Give the customers of a tier: the segments of its first channel that knows them."""
    by_channel: dict[tuple[str, str], list[float]] = {}
    for response in responses:
        if response.population is not None:
            by_channel.setdefault((response.channel, response.period), []).append(response.population)
    return next((fsum(sizes) for sizes in by_channel.values()), None)


def _channels(scenario: Scenario, curves: Curves) -> tuple[ChannelView, ...]:
    first: dict[str, Response] = {}
    for response in curves.responses:
        first.setdefault(response.channel, response)
    return tuple(
        ChannelView(
            name=name,
            label=channel.label or name,
            evidence=first[name].evidence,
            source=first[name].source,
            tied=first[name].tier is None and len(scenario.tier_names) > 1,
        )
        for name, channel in scenario.channels.items()
        if name in first
    )
