"""What was fitted, for people: customers and tiers, how good the forecast was, effects, curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from allocator.errors import Finding
from allocator.models.drift import DriftReport
from allocator.quantities import count, ratio
from allocator.report.advice import advice, unused_rows
from allocator.report.document import Column, Document, Entry, Figure, Money, Percent, Ratio, Table, Text
from allocator.report.evidence import history_figures, targeting_figure, uplift_table
from allocator.report.forecasting import (
    drift_figure,
    holdout_figure,
    leaderboard_table,
    model_figures,
    retention_figure,
    trend_figure,
)
from allocator.report.record import FitRecord, OutlookRecord
from allocator.response.curves import Curves, Response
from allocator.response.whole_tiers import whole_tiers
from allocator.scenario.schema import Scenario
from allocator.stages.frames import EffectRow
from allocator.stages.outlook import TierOutlook


@dataclass(frozen=True, eq=False)
class FitView:
    """A forecast with the words of its scenario.

    Parameters
    ----------
    scenario : Scenario
    record : FitRecord
    curves : Curves
    outlook : OutlookRecord
    drift : DriftReport or None
        Whether an earlier forecast has aged, where one was given.
    """

    scenario: Scenario
    record: FitRecord
    curves: Curves
    outlook: OutlookRecord
    drift: DriftReport | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Advice on the scenario, its tables and the models."""
        aged = self.drift.findings if self.drift else ()
        return (*self.scenario.warnings, *self.record.findings, *self.outlook.findings, *aged)

    def channel(self, name: str) -> str:
        """Give a channel's label."""
        known = self.scenario.channels.get(name)
        return (known.label if known else None) or name

    def tier(self, name: str | None) -> str:
        """Give a tier's label."""
        levels = self.scenario.tiers.levels if self.scenario.tiers else {}
        level = levels.get(name or "")
        return (level.label if level else None) or name or "all tiers"


def build_fit(view: FitView) -> Document:
    """Give the document of a forecast: customers, models, holdout, tiers, effects, curves."""
    record = view.record.clv
    parts = (
        leaderboard_table(record.forecast if record else None),
        _tiers(view),
        _outlook(view),
        _effects(view),
        uplift_table(view.record.uplift, view.channel),
        _curves(view),
    )
    return Document(
        title=view.scenario.name,
        subtitle=tuple(item for item in ("forecast", view.scenario.currency) if item),
        figures=tuple(_figures(view)),
        tables=tuple(table for table in parts if table.rows),
        advice=(
            *advice(view.findings, listed_by="allocator fit --json"),
            *unused_rows(view.record.rejects, view.record.rows_read, view.findings),
        ),
    )


def _figures(view: FitView) -> Iterator[Figure]:
    record = view.record
    if record.listed:
        known = f"{count(record.listed)} of them in the tables"
        by = f"sorted by {view.scenario.tiers.by}" if view.scenario.tiers else "one tier"
        yield Figure("Customers", Money(record.population), (known, by))
    if record.clv is not None:
        yield Figure("Orders", Money(record.clv.orders), (f"until {record.clv.as_of}", record.clv.rows))
        yield from model_figures(record.clv.forecast)
        if record.clv.retention.scores:
            yield retention_figure(record.clv.retention)
    if view.outlook.judged is not None:
        yield holdout_figure(view.outlook.judged)
    if record.uplift is not None:
        yield targeting_figure(record.uplift, view.channel)
    yield from history_figures(record.history, view.tier)
    if view.outlook.trend is not None:
        yield trend_figure(view.outlook.trend)
    if view.drift is not None:
        yield drift_figure(view.drift)


def _tiers(view: FitView) -> Table:
    columns = (
        Column("tier", "left"), Column("customers"), Column("share"), Column("in data"), Column("from"),
        Column("mean"),
    )  # fmt: skip
    rows = tuple(
        (
            Text(view.tier(row.tier)),
            Money(row.customers),
            Percent(row.share),
            Money(row.in_data),
            Money(row.lowest, decimals=2),
            Money(row.mean, decimals=2),
        )
        for row in view.record.tiers
    )
    by = view.scenario.tiers.by if view.scenario.tiers else ""
    return Table(f"Tiers by {by}", columns, rows if by else ())


def _outlook(view: FitView) -> Table:
    """Give how sure each tier's value is, what keeping a customer is worth, and who stays."""
    columns = (
        Column("tier", "left"), Column("with orders", drop=3), Column("value"),
        Column("likely (8 in 10)", "left"), Column("if kept"), Column("buys again"),
        Column("active now", drop=4), Column("in 6 months", drop=5), Column("in 12", drop=2),
    )  # fmt: skip
    rows = tuple(_tier_outlook(view.tier(row.tier), row) for row in view.outlook.tiers)
    return Table(
        "Value of a customer with orders (likely: the mean, by what the model leaves open)", columns, rows
    )


def _tier_outlook(label: str, row: TierOutlook) -> tuple[Entry, ...]:
    return (
        Text(label),
        Money(row.customers),
        Money(row.clv, decimals=2),
        Text(f"{ratio(row.low)} to {ratio(row.high)}"),
        Money(row.kept, decimals=2),
        Percent(row.p_any_purchase),
        Percent(row.survival[0]),
        Percent(row.survival[6]),
        Percent(row.survival[12]),
    )


def _effects(view: FitView) -> Table:
    columns = (
        Column("channel", "left"), Column("tier", "left"), Column("contacted", drop=4),
        Column("control", drop=4), Column("measured", drop=3), Column("± error", drop=3), Column("used"),
        Column("likely (8 in 10)", "left", drop=1), Column("cost", drop=2), Column("per 1"),
        Column("", "left"),
    )  # fmt: skip
    channels, tiers = list(view.scenario.channels), list(view.scenario.tier_names)
    rows = sorted(
        view.record.effects,
        key=lambda row: (channels.index(row.channel), tiers.index(row.tier)),
    )
    return Table(
        "What one contact brings (margin; used: shrunk towards what is alike)",
        columns,
        tuple(_effect(view, row) for row in rows),
    )


def _effect(view: FitView, row: EffectRow) -> tuple[Entry, ...]:
    cost = view.scenario.channels[row.channel].cost_per_contact
    return (
        Text(view.channel(row.channel)),
        Text(view.tier(row.tier)),
        Money(row.treated),
        Money(row.control),
        Money(row.adjusted, decimals=3),
        Money(row.standard_error, decimals=3),
        Money(row.effect, decimals=3),
        Text(f"{ratio(row.low, 3)} to {ratio(row.high, 3)}"),
        Money(cost, decimals=2),
        Ratio(row.effect / cost if cost else None),
        Text("may be nothing" if row.is_noise else ""),
    )


def _curves(view: FitView) -> Table:
    columns = (
        Column("channel", "left"), Column("tier", "left"), Column("ends at"), Column("brings there"),
        Column("first 1"), Column("last 1"), Column("evidence", "left"), Column("source", "left", drop=1),
    )  # fmt: skip
    return Table("Response curves", columns, tuple(_curve(view, one) for one in whole_tiers(view.curves)))


def _curve(view: FitView, response: Response) -> tuple[Entry, ...]:
    curve = response.curve
    slopes: Sequence[float] = [float(curve.slopes[0]), float(curve.slopes[-1])]
    return (
        Text(view.channel(response.channel)),
        Text(view.tier(response.tier)),
        Money(curve.end if curve.bounded else None),
        Money(float(curve.value[-1]) if curve.bounded else None),
        Ratio(slopes[0]),
        Ratio(slopes[1]),
        Text(response.evidence.value),
        Text(response.source),
    )
