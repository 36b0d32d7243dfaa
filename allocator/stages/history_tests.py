"""Experiments on channels whose curves come from history: what a fit is corrected by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from allocator.errors import Finding
from allocator.models.uplift.adjusted_means import Effects
from allocator.response.history import ContactTest
from allocator.scenario.schema import Scenario
from allocator.stages.contact_log import history_channels, read_log
from allocator.stages.customers import Customers
from allocator.stages.effects import tier_effects
from allocator.stages.reading import Tables

TestsOfTiers = Mapping[str | None, ContactTest]
"""What an experiment says of a channel: by tier, and under None of all customers."""


@dataclass(frozen=True)
class HistoryTests:
    """What experiments say of channels whose curves come from history.

    Parameters
    ----------
    by_channel : mapping of channel to mapping
    findings : tuple of Finding
        Advice on the experiment.
    """

    by_channel: Mapping[str, TestsOfTiers] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def history_tests(scenario: Scenario, tables: Tables, customers: Customers) -> HistoryTests:
    """Measure the channels with ``source: history`` that the experiment tested, too.

    Parameters
    ----------
    scenario : Scenario
    tables : Tables
    customers : Customers
        Each gets a contact in what the experiment stands for.

    Returns
    -------
    HistoryTests
        Nothing of a channel without an arm in the experiment, or without a cost per contact.

    Raises
    ------
    DataError
        When the log has no control, or an arm is too small to be measured.
    """
    channels = _tested_beside(scenario, tables)
    if not channels or not customers.sizes:
        return HistoryTests()
    log = read_log(scenario, tables, customers, channels)
    effects = tier_effects(scenario, log, log.worth)
    found = {name: _of_channel(scenario, effects, name, customers.sizes) for name in channels}
    return HistoryTests(found, (*log.findings, *effects.findings))


def _tested_beside(scenario: Scenario, tables: Tables) -> tuple[str, ...]:
    """Give the channels of history that have an arm and a price of a contact."""
    options, table = scenario.data.experiments, tables.experiments
    if options is None or table is None:
        return ()
    arms = set(table.data["arm"].unique())
    return tuple(name for name in history_channels(scenario) if options.arms.get(name, name) in arms)


def _of_channel(
    scenario: Scenario, effects: Effects, channel: str, sizes: Mapping[str, float]
) -> TestsOfTiers:
    """Give the effect of a contact in every tier, and in all by their sizes."""
    cost = scenario.channels[channel].cost_per_contact or 0.0
    rows = [row for row, name in enumerate(effects.channel) if name == channel]
    people = np.array([sizes[effects.tier[row]] for row in rows])
    share = people / people.sum()
    covariance = effects.covariance[np.ix_(rows, rows)]
    error = float(np.sqrt(share @ covariance @ share))
    found: dict[str | None, ContactTest] = {
        None: ContactTest(float(share @ effects.estimate[rows]), error, cost, float(people.sum()))
    }
    for place, row in enumerate(rows):
        own = float(np.sqrt(covariance[place, place]))
        found[effects.tier[row]] = ContactTest(float(effects.estimate[row]), own, cost, float(people[place]))
    return found
