"""The stage that measures contacts: from a contact log to what a contact does to every customer, in money."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from allocator.errors import DataError, Finding
from allocator.models.uplift.adjusted_means import AdjustedMeans, Effects
from allocator.models.uplift.auto import Auto, LearnedUplift, learn_with
from allocator.models.uplift.base import ContactTest, FloatArray
from allocator.models.uplift.shrinkage import ShrunkEffects, shrink
from allocator.models.uplift.tailored import Tailored
from allocator.response.curves import Response
from allocator.response.experiment import Outcomes, Uncertainty, experiment_responses
from allocator.scenario.schema import Scenario
from allocator.stages.contact_log import CONTROL, ContactLog, contact_terms, read_log, tested_channels
from allocator.stages.customers import Customers
from allocator.stages.places import placed
from allocator.stages.reading import Tables
from allocator.stages.targeting import People, Targeting

ENOUGH = 100  # customers (clusters) of every arm, before a test can tell customers apart


@dataclass(frozen=True, eq=False)
class Tested:
    """What a contact log says of the channels it tested.

    Parameters
    ----------
    log : ContactLog
    effects : Effects
        Of one contact on margin in money, per tier and channel, as measured.
    shrunk : ShrunkEffects
        The same as a plan may use them.
    targeting : Targeting
        What a contact does to each customer of the plan.
    outcomes : mapping of outcome to ShrunkEffects
        Of one contact on what was measured besides, by the names curves have for it.
    """

    log: ContactLog
    effects: Effects
    shrunk: ShrunkEffects
    targeting: Targeting
    outcomes: Outcomes = field(default_factory=dict)

    @property
    def learned(self) -> LearnedUplift | None:
        """Who responds more; None where the scenario or the size of the test leaves that open."""
        return self.targeting.tailored.learned

    def cut_for(self, scenario: Scenario) -> Tested:
        """Give the same effects with customers in segments that suit the budget of a scenario."""
        money = self.log.known.share_in_tables * scenario.budget.total
        return replace(self, targeting=self.targeting.cut_for(money))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Advice on the test and its effects."""
        learned = self.learned.findings if self.learned else ()
        return (*self.log.findings, *self.effects.findings, *self.shrunk.findings, *learned)


def measure_effects(scenario: Scenario, tables: Tables, customers: Customers) -> Tested | None:
    """Estimate what a contact earns, per tier and channel and per customer, pulled in as far as it is noise.

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
    log = read_log(scenario, tables, customers, channels)
    try:
        return estimated(scenario, log)
    except DataError as error:
        raise DataError(placed(error, scenario.origin_of("data.experiments.path"))) from None


def estimated(scenario: Scenario, log: ContactLog, whole: LearnedUplift | None = None) -> Tested:
    """Estimate the means of tiers, shrink them, tell customers apart.

    Parameters
    ----------
    scenario : Scenario
    log : ContactLog
    whole : LearnedUplift or None
        What was learned from a log this one is a part of: slow learners that were not taken there are not
        tried again.
    """
    estimate = partial(tier_effects, scenario, log)
    effects = estimate(log.worth)
    shrunk = shrink(effects)
    outcomes = {
        name: shrink(estimate(outcome)) if np.ptp(outcome) else _unmoved(shrunk)
        for name, outcome in log.outcomes.items()
    }
    learned = _learned(scenario, log.test, whole)
    return Tested(log, effects, shrunk, _targeting(scenario, shrunk, log, learned), outcomes)


def tier_effects(scenario: Scenario, log: ContactLog, outcome: FloatArray) -> Effects:
    """Estimate what one contact by each channel does to an outcome, tier by tier, as measured.

    Parameters
    ----------
    scenario : Scenario
    log : ContactLog
    outcome : array, shape (n_rows,)
    """
    model = scenario.models.uplift
    means = AdjustedMeans(covariates=not isinstance(model, AdjustedMeans) or model.covariates)
    return means.estimate(
        outcome,
        arm=log.rows["arm"].to_numpy(),
        tier=log.tier,
        covariates=log.before,
        control=CONTROL,
        cluster=log.cluster,
        propensity=log.got,
    )


def _unmoved(effects: ShrunkEffects) -> ShrunkEffects:
    """Give the effects on what is the same for everybody, as what is immediate where all comes later: 0."""
    mean, covariance = np.zeros_like(effects.mean), np.zeros_like(effects.covariance)
    return replace(effects, mean=mean, covariance=covariance, findings=())


def _targeting(
    scenario: Scenario, shrunk: ShrunkEffects, log: ContactLog, learned: LearnedUplift | None
) -> Targeting:
    """Give the effect of every contact on the customers of the plan, and who of them are alike."""
    known = log.known
    tailored = Tailored(shrunk, log.tiers, log.channels, learned)
    cost = np.array([scenario.channels[name].cost_per_contact or 1.0 for name in log.channels])
    deviation = tailored.deviations(known.planned, known.tier, known.row)
    people = People(known.customer_id, known.tier, deviation)
    return Targeting.of(tailored, cost, people, known.share_in_tables * scenario.budget.total)


def _learned(
    scenario: Scenario, test: ContactTest, whole: LearnedUplift | None = None
) -> LearnedUplift | None:
    """Learn who responds more; None where the scenario or the size of the test leaves that open."""
    model = scenario.models.uplift
    units = np.arange(len(test)) if test.cluster is None else test.cluster
    smallest = min(len(np.unique(units[test.arm == arm])) for arm in range(test.n_arms))
    if isinstance(model, AdjustedMeans) or smallest < ENOUGH or not test.names:
        return None
    if isinstance(model, Auto):
        model = model if whole is None else model.quick(whole.model)
        return model.learn(test, seed=scenario.risk.seed)
    return learn_with(model, test, seed=scenario.risk.seed)


def tested_responses(scenario: Scenario, tested: Tested, sizes: Mapping[str, float]) -> tuple[Response, ...]:
    """Give the curves of the tested channels: a contact's effect until a segment has no customer left."""
    rng = np.random.default_rng([scenario.risk.seed, zlib.crc32(b"experiment")])
    objective, log = scenario.objective, tested.log
    price = objective.value_per_conversion
    segments = tested.targeting.table(objective.margin if log.only_revenue else None)
    return experiment_responses(
        tested.shrunk,
        contact_terms(scenario),
        {tier: sizes[tier] for tier in scenario.tier_names},
        outcomes=tested.outcomes,
        uncertainty=Uncertainty(scenario.risk.draws, rng),
        segments=replace(segments, per_conversion=price.amount if price and log.only_conversions else None),
    )
