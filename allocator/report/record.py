"""What was fitted, as plain data: what a report tells, and what is saved and read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from allocator.errors import Finding
from allocator.models.clv.record import ForecastRecord
from allocator.models.media.holdout import Holdout
from allocator.models.uplift.board import Board
from allocator.pipeline import Forecasted
from allocator.scenario.schema import Scenario
from allocator.stages.effects import Tested
from allocator.stages.frames import EffectRow, TierRow, effect_rows, tier_rows
from allocator.stages.judge import Judged
from allocator.stages.kept import RetentionRecord
from allocator.stages.media import Modelled
from allocator.stages.outlook import TierOutlook, TierSeason, Trend
from allocator.stages.predictions import Predictions


@dataclass(frozen=True)
class ClvRecord:
    """How customers were valued.

    Parameters
    ----------
    as_of : date
    customers, orders : int
        Customers with an order, and orders that were used.
    rows : str
        What became of all orders.
    horizon_weeks, margin, discount_rate : float
        What turned purchases into value.
    forecast : ForecastRecord
        The models behind it.
    retention : RetentionRecord
        How the probability to buy again was told.
    """

    as_of: date
    customers: int
    orders: int
    rows: str
    horizon_weeks: float
    margin: float
    discount_rate: float
    forecast: ForecastRecord
    retention: RetentionRecord


@dataclass(frozen=True)
class UpliftRecord:
    """Who responds more, and how that was judged.

    Parameters
    ----------
    customers : int
        Of the test.
    told_by : tuple of str
        What effects may depend on.
    board : Board
        How the learners did on customers they had not seen.
    segments : mapping of tier to int
        Parts of alike customers the plan may choose among.
    """

    customers: int
    told_by: tuple[str, ...]
    board: Board
    segments: Mapping[str, int]


@dataclass(frozen=True)
class HistoryRecord:
    """How well the media mix tells periods it was not shown, and what is left open.

    Parameters
    ----------
    tier : str or None
        None where one fit covers all tiers.
    channels : tuple of str
    decay : tuple of float
        Share of a period's pressure that carries over to the next.
    holdout : MediaHoldout or None
    """

    tier: str | None
    channels: tuple[str, ...]
    decay: tuple[float, ...]
    holdout: Holdout | None


@dataclass(frozen=True)
class FitRecord:
    """What a forecast rests on and what it found.

    Parameters
    ----------
    scenario_sha256, data_sha256 : str
        Of the scenario and of all files that were read; the latter None without any.
    rejects, rows_read : mapping of str to int
        Rows by table.
    sizes : mapping of tier to float
        Customers each tier stands for; empty where nothing counted them.
    population : float
        Customers of the plan.
    listed : int
        Those in the tables.
    tiers : tuple of TierRow
    effects : tuple of EffectRow
    uplift : UpliftRecord or None
        None where nobody of a tier is told apart.
    history : tuple of HistoryRecord
    clv : ClvRecord or None
        None without orders.
    findings : tuple of Finding
        Advice of all stages.
    """

    scenario_sha256: str = ""
    data_sha256: str | None = None
    rejects: Mapping[str, int] = field(default_factory=dict)
    rows_read: Mapping[str, int] = field(default_factory=dict)
    sizes: Mapping[str, float] = field(default_factory=dict)
    population: float = 0.0
    listed: int = 0
    tiers: tuple[TierRow, ...] = ()
    effects: tuple[EffectRow, ...] = ()
    uplift: UpliftRecord | None = None
    history: tuple[HistoryRecord, ...] = ()
    clv: ClvRecord | None = None
    findings: tuple[Finding, ...] = ()


def record_of(scenario: Scenario, found: Forecasted) -> FitRecord:
    """Give what all stages found as plain data."""
    customers, tables = found.customers, found.tables
    made = customers.predictions
    return FitRecord(
        scenario_sha256=scenario.sha256,
        data_sha256=tables.sha256,
        rejects=tables.rejects,
        rows_read={table.name: table.rejects.rows_read for table in tables},
        sizes=dict(customers.sizes),
        population=customers.population,
        listed=len(customers.customer_id),
        tiers=tier_rows(customers),
        effects=effect_rows(found.tested),
        uplift=_uplift(found.tested) if found.tested else None,
        history=_history(found.modelled) if found.modelled else (),
        clv=_clv(made) if made is not None else None,
        findings=found.findings,
    )


def _uplift(tested: Tested) -> UpliftRecord | None:
    learned = tested.learned
    if learned is None:
        return None
    counts = {tier: rule.count for tier, rule in zip(tested.log.tiers, tested.targeting.rules, strict=True)}
    return UpliftRecord(len(tested.log), tested.log.known.names, learned.board, counts)


def _history(modelled: Modelled) -> tuple[HistoryRecord, ...]:
    return tuple(
        HistoryRecord(tier, fit.channels, tuple(fit.decay.tolist()), fit.holdout)
        for tier, fit in modelled.fits.items()
    )


def _clv(made: Predictions) -> ClvRecord:
    summary, terms = made.summary, made.valued.terms
    return ClvRecord(
        as_of=summary.as_of,
        customers=len(summary),
        orders=summary.rows.used,
        rows=str(summary.rows),
        horizon_weeks=terms.horizon_weeks,
        margin=terms.margin,
        discount_rate=terms.discount_rate,
        forecast=made.valued.forecast,
        retention=made.valued.retention,
    )


@dataclass(frozen=True)
class OutlookRecord:
    """What a forecast says of its own quality and of time.

    Parameters
    ----------
    judged : Judged or None
        How the models did on days they had not seen; None without orders.
    tiers : tuple of TierOutlook
    seasons : tuple of TierSeason
    trend : Trend or None
    findings : tuple of Finding
    """

    judged: Judged | None = None
    tiers: tuple[TierOutlook, ...] = ()
    seasons: tuple[TierSeason, ...] = ()
    trend: Trend | None = None
    findings: tuple[Finding, ...] = ()
