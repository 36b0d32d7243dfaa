"""The stage that measures contacts: from a contact log to the shrunk effect of a contact, in money."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from allocator.errors import DataError, Finding, closest, raise_findings
from allocator.models.uplift.adjusted_means import Effects
from allocator.models.uplift.checks import Arms, check_experiment
from allocator.models.uplift.outcome import Worth, money_value
from allocator.models.uplift.shrinkage import ShrunkEffects, shrink
from allocator.quantities import count, quoted, ratio
from allocator.response.curve import FloatArray
from allocator.response.curves import Response
from allocator.response.experiment import ContactTerms, Uncertainty, experiment_responses, untested_contacts
from allocator.response.sources import ExperimentResponse
from allocator.scenario.schema import Scenario
from allocator.stages.customers import Customers
from allocator.stages.history import History, history
from allocator.stages.outcomes import outcome_findings
from allocator.stages.places import placed
from allocator.stages.reading import Tables

if TYPE_CHECKING:
    import pandas as pd

CONTROL = "control group"  # a blank: no channel can be called so
COST_ERROR = 0.1  # of the planned cost: by how much a test may have cost more or less without a word


@dataclass(frozen=True, eq=False)
class Tested:
    """What a contact log says of the channels it tested.

    Parameters
    ----------
    effects : Effects
        Of one contact on margin in money, per tier and channel, as measured.
    shrunk : ShrunkEffects
        The same as a plan may use them.
    revenue : ShrunkEffects or None
        Of one contact on revenue, where it was measured.
    findings : tuple of Finding
        Advice on the test and its effects.
    """

    effects: Effects
    shrunk: ShrunkEffects
    revenue: ShrunkEffects | None = None
    findings: tuple[Finding, ...] = ()


def tested_channels(scenario: Scenario) -> tuple[str, ...]:
    """Give the channels whose response comes from an experiment."""
    return tuple(
        name for name, one in scenario.channels.items() if isinstance(one.response, ExperimentResponse)
    )


def measure_effects(scenario: Scenario, tables: Tables, customers: Customers) -> Tested | None:
    """Estimate what a contact earns per tier and channel, and pull it in as far as it is noise.

    Returns
    -------
    Tested or None
        None for a scenario without a channel that was tested.

    Raises
    ------
    DataError
        When the log lacks an arm or an outcome, or cannot be joined with customers.
    """
    channels = tested_channels(scenario)
    if not channels or tables.experiments is None:
        return None
    origin = scenario.origin_of("data.experiments.path")
    raise_findings(list(outcome_findings(scenario, tables.experiments.data.columns)), DataError)
    try:
        log, others = _of_arms(scenario, tables.experiments.data, channels)
        known = history(scenario, tables, customers, log)
        return _estimated(scenario, log, known, [*others, *known.findings])
    except DataError as error:
        raise DataError(placed(error, origin)) from None


def tested_responses(scenario: Scenario, tested: Tested, sizes: Mapping[str, float]) -> tuple[Response, ...]:
    """Give the curves of the tested channels: a contact's effect until a tier has no customer left."""
    rng = np.random.default_rng([scenario.risk.seed, zlib.crc32(b"experiment")])
    return experiment_responses(
        tested.shrunk,
        _contact_terms(scenario),
        {tier: sizes[tier] for tier in scenario.tier_names},
        revenue=tested.revenue,
        uncertainty=Uncertainty(scenario.risk.draws, rng),
    )


def _contact_terms(scenario: Scenario) -> dict[str, ContactTerms]:
    return {
        name: ContactTerms(
            scenario.channels[name].cost_per_contact, scenario.channels[name].contacts_per_customer or 1.0
        )
        for name in tested_channels(scenario)
    }


def _of_arms(
    scenario: Scenario, table: pd.DataFrame, channels: tuple[str, ...]
) -> tuple[pd.DataFrame, list[Finding]]:
    """Give the rows of control and the channels' arms, `arm` naming the channel; count all other rows."""
    options = scenario.data.experiments
    stated = options.arms if options else {}
    control = options.control if options else ""
    arms = {control: CONTROL, **{stated.get(name, name): name for name in channels}}
    raise_findings(list(_absent_arms(scenario, arms, tuple(table["arm"].unique()))), DataError)
    named = table["arm"].map(arms)
    log = table.assign(arm=named)[named.notna()].reset_index(drop=True)
    return log, list(_unused(table["arm"][named.isna()]))


def _absent_arms(scenario: Scenario, arms: Mapping[str, str], found: tuple[str, ...]) -> Iterator[Finding]:
    """Find arms that no row of the log has."""
    for arm, channel in arms.items():
        if arm in found:
            continue
        near = closest(arm, found)
        listed = f"arms in the file: {', '.join(map(str, found[:10]))}"
        key = "control" if channel == CONTROL else f"arms.{channel}"
        role = "the control arm" if channel == CONTROL else f"channel {quoted(channel)}"
        what = f"no row of the experiment has the arm {quoted(arm)} of {role}"
        fix = f"did you mean {quoted(near)}?" if near else listed
        yield Finding("E307", scenario.origin_of(f"data.experiments.{key}"), what, fix)


def _unused(arms: pd.Series[str]) -> Iterator[Finding]:
    for arm, rows in arms.value_counts(sort=False).items():
        what = f"{count(int(rows))} rows of the arm {quoted(str(arm))} belong to no channel and are not used"
        yield Finding("W405", None, what, "name its channel under data.experiments.arms")


def _estimated(scenario: Scenario, log: pd.DataFrame, known: History, found: list[Finding]) -> Tested:
    """Check the test, value every customer's outcome, estimate, shrink."""
    options = scenario.data.experiments
    covariates = log[list(options.covariates)] if options and options.covariates else None
    cluster = _clusters(log)
    propensity = log.get("propensity")
    arms = Arms(
        log["arm"],
        known.tier,
        tested_channels(scenario),
        scenario.tier_names,
        CONTROL,
        cluster,
        propensity=propensity,
    )
    checked = check_experiment(arms, covariates)
    raise_findings(checked, DataError)
    estimate = partial(
        scenario.models.uplift.estimate,
        arm=log["arm"].to_numpy(),
        tier=known.tier,
        covariates=covariates,
        control=CONTROL,
        cluster=cluster,
        propensity=propensity,
    )
    effects = estimate(_worth(scenario, log, known))
    shrunk = shrink(effects)
    revenue = shrink(estimate(log["revenue"].to_numpy())) if "revenue" in log else None
    findings = (*found, *checked, *_assumed(scenario, log), *effects.findings, *shrunk.findings)
    return Tested(effects, shrunk, revenue, findings)


def _worth(scenario: Scenario, log: pd.DataFrame, known: History) -> FloatArray:
    """Give what every customer of the log earned within the window, in money of margin."""
    objective = scenario.objective
    price = objective.value_per_conversion
    worth = Worth(objective.margin, price.amount if price else None, bool(price and price.beyond_revenue))
    measured = {name: log[name].to_numpy() for name in ("revenue", "converted", "retained") if name in log}
    return money_value(
        worth,
        revenue=measured.get("revenue"),
        converted=measured.get("converted"),
        retained=measured.get("retained"),
        value_if_retained=known.residual if "retained" in measured else 0.0,
    )


def _clusters(log: pd.DataFrame) -> NDArray[np.object_] | None:
    """Give who was assigned together: as the log says, else the rows of a customer who was tested twice."""
    if "cluster_id" in log:
        return log["cluster_id"].to_numpy()
    if "customer_id" in log and log["customer_id"].duplicated().any():
        return log["customer_id"].to_numpy()
    return None


def _assumed(scenario: Scenario, log: pd.DataFrame) -> Iterator[Finding]:
    """Say what the plan takes for granted though the test tells otherwise, or not at all."""
    yield from untested_contacts(_contact_terms(scenario))
    options = scenario.data.experiments
    if options is not None and options.combine == "add":
        what = "effects of several channels on one customer are added up, which no test has shown"
        yield Finding(
            "W408", scenario.origin_of("data.experiments.combine"), what, "one_per_customer is safe"
        )
    if "cost" not in log:
        return
    costs = log.groupby("arm")["cost"].mean()
    for name in tested_channels(scenario):
        paid, stated = float(costs[name]), scenario.channels[name].cost_per_contact or 0.0
        if abs(paid - stated) > COST_ERROR * stated:
            what = f"a contact by {quoted(name)} cost {ratio(paid)} in the test, {ratio(stated)} is planned"
            yield Finding("W409", scenario.origin_of(f"channels.{name}.cost_per_contact"), what)
