"""The stage that learns from history: from a panel of spend and outcome to what a channel's money brings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from allocator.errors import DataError, Finding
from allocator.models.media import MediaFit, MediaPanel
from allocator.models.media.curves import Calibration
from allocator.quantities import quoted
from allocator.response.curve import ResponseCurve
from allocator.response.curves import Response
from allocator.response.fit import Measured
from allocator.response.history import HistoryTerms, corrected, history_response, straightened, summed
from allocator.response.sources import ExpertResponse, HistoryResponse
from allocator.scenario.schema import Scenario
from allocator.stages.history_tests import HistoryTests
from allocator.stages.panel import panel_of
from allocator.stages.places import placed
from allocator.stages.reading import Tables
from allocator.tables.contracts import ConversionOutcome
from allocator.tables.table import Table

ROOM = 2.0  # times the budget: how far curves reach, so that a larger budget can be tried without a new fit


@dataclass(frozen=True)
class Observed:
    """What history says of channels, whether a plan rests on it or not; everything over the horizon.

    Parameters
    ----------
    responses : mapping of channel to responses
        One a tier where the groups are the tiers, else the channel's total.
    totals : mapping of channel to ResponseCurve
        Of all tiers, its money falling on them as it did.
    usual : mapping of channel to Measured
        What is spent today, as stated, else as in the last year of the history, and earned by it.
    """

    responses: Mapping[str, tuple[Response, ...]] = field(default_factory=dict)
    totals: Mapping[str, ResponseCurve] = field(default_factory=dict)
    usual: Mapping[str, Measured] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Modelled:
    """What a model of media learned from the spend history.

    Parameters
    ----------
    fits : mapping of tier to MediaFit
        One a tier where the groups of the history are the tiers; else one, under None. How each fit tells
        the periods it was not shown is its ``holdout``.
    observed : Observed
    findings : tuple of Finding
        Advice: what the history cannot tell apart, and where a plan sees a simpler curve.
    """

    fits: Mapping[str | None, MediaFit]
    observed: Observed
    findings: tuple[Finding, ...] = ()


def resting_on_history(scenario: Scenario) -> tuple[str, ...]:
    """Give the channels whose curve needs a fit of history: by source, or to temper an expert."""
    table = scenario.data.spend_history
    listed = table.spend if table else {}
    return tuple(
        name
        for name, channel in scenario.channels.items()
        if isinstance(channel.response, HistoryResponse)
        or (isinstance(channel.response, ExpertResponse) and channel.response.trust < 1 and name in listed)
    )


def fit_media(scenario: Scenario, tables: Tables, tests: HistoryTests | None = None) -> Modelled | None:
    """Learn what each channel of the spend history brings, corrected by what experiments say of it.

    Parameters
    ----------
    scenario : Scenario
    tables : Tables
    tests : HistoryTests, optional

    Returns
    -------
    Modelled or None
        None where no channel rests on history.

    Raises
    ------
    DataError
        When the history has gaps, or a model cannot use it.
    """
    if tables.spend_history is None or not resting_on_history(scenario):
        return None
    origin = scenario.origin_of("data.spend_history.path")
    try:
        panels, advice = _panels(scenario, tables.spend_history)
        fits = {
            tier: scenario.models.history.fit(
                panel, draws=scenario.risk.draws, seed=scenario.risk.seed + number
            )
            for number, (tier, panel) in enumerate(panels.items())
        }
    except DataError as error:
        raise DataError(placed(error, origin)) from None
    terms = _terms(scenario, next(iter(panels.values())))
    tests = tests or HistoryTests()
    fits = {tier: _corrected(fit, tier, terms, tests) for tier, fit in fits.items()}
    found = [*advice, *tests.findings, *_advice(fits)]
    findings = tuple(one if one.where else replace(one, where=origin) for one in found)
    return Modelled(fits, _observed(scenario, fits, terms), findings)


def _corrected(fit: MediaFit, tier: str | None, terms: HistoryTerms, tests: HistoryTests) -> MediaFit:
    """Move every channel that was tested, too, to what history and experiment say together."""
    for name, of_tiers in tests.by_channel.items():
        if name in fit.channels and tier in of_tiers and terms.worth > 0:
            fit = corrected(fit, name, terms, of_tiers[tier])
    return fit


def _panels(scenario: Scenario, table: Table) -> tuple[dict[str | None, MediaPanel], list[Finding]]:
    """Give a panel a tier where the groups are exactly the tiers, else one of all groups."""
    whole = panel_of(table)
    tiers = scenario.tier_names if scenario.tiers else ()
    if set(whole.groups) == set(tiers):
        rows = table.data["group"].astype(str)
        return {tier: panel_of(table, table.data[rows == tier]) for tier in tiers}, []
    alike = [name for name in whole.groups if name in tiers]
    if not alike:
        return {None: whole}, []
    what = f"the groups of the spend history ({', '.join(map(quoted, whole.groups[:6]))}) are not the tiers"
    fix = f"curves are of the whole channel; for one a tier the groups have to be {', '.join(tiers)}"
    return {None: whole}, [Finding("W428", None, what, fix)]


def _terms(scenario: Scenario, panel: MediaPanel) -> HistoryTerms:
    """Say how many periods the horizon has, and what the outcome is worth; both were checked to be stated."""
    horizon, table = scenario.horizon, scenario.data.spend_history
    days = (horizon.end - horizon.start).days + 1 if horizon else panel.period_days
    outcome = table.outcome if table else ""
    counted = isinstance(outcome, ConversionOutcome)
    worth = (
        outcome.value_per_conversion if isinstance(outcome, ConversionOutcome) else scenario.objective.margin
    )
    current = [channel.current_total() or 0.0 for channel in scenario.channels.values()]
    reach = max(ROOM * scenario.budget.total, *current, 1.0)
    return HistoryTerms(days / panel.period_days, worth or 0.0, reach, in_revenue=not counted)


def _advice(fits: Mapping[str | None, MediaFit]) -> Iterator[Finding]:
    for tier, fit in fits.items():
        told = [
            *fit.findings,
            *(one for name in fit.channels for one in straightened(fit, name)),
            *map(_told, fit.calibrations),
        ]
        for one in told:
            yield one if tier is None else replace(one, what=f"{tier}: {one.what}")


def _told(one: Calibration) -> Finding:
    """Say (W431) that a curve is not what history alone says."""
    what = (
        f"the history of {quoted(one.channel)} was corrected by its experiment: at"
        f" {one.spend_per_period:,.0f} per period it brings {one.combined:,.0f}, by history alone"
        f" {one.history:,.0f}, by the experiment {one.experiment:,.0f} (error {one.experiment_error:,.0f})"
    )
    fix = f"without channels.{one.channel}.cost_per_contact it rests on history alone"
    return Finding("W431", None, what, fix)


def _observed(scenario: Scenario, fits: Mapping[str | None, MediaFit], terms: HistoryTerms) -> Observed:
    channels = next(iter(fits.values())).channels
    responses = {
        name: tuple(history_response(one, name, terms, tier) for tier, one in fits.items())
        for name in channels
    }
    totals, usual = {}, {}
    for at, name in enumerate(channels):
        spent = {tier: float(fit.current[at]) * terms.periods for tier, fit in fits.items()}
        totals[name] = _total(responses[name], spent)
        channel = scenario.channels.get(name)
        stated = channel.current_total() if channel else None
        current = sum(spent.values()) if stated is None else stated
        usual[name] = Measured(current, float(totals[name].at(min(current, totals[name].end))))
    return Observed(responses, totals, usual)


def _total(responses: tuple[Response, ...], spent: Mapping[str | None, float]) -> ResponseCurve:
    """Give the curve of all tiers; in equal shares where nothing was spent of late."""
    if len(responses) == 1:
        return responses[0].curve
    whole = sum(spent.values())
    share = {tier or "": money / whole if whole else 1 / len(spent) for tier, money in spent.items()}
    return summed({one.tier or "": one for one in responses}, share)
