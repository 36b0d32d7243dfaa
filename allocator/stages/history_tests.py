"""Experiments on channels whose curves come from history: what a fit is corrected by."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from allocator.models.uplift.adjusted_means import AdjustedMeans, Effects
from allocator.response.history import ContactTest
from allocator.response.sources import HistoryResponse
from allocator.scenario.schema import Scenario
from allocator.stages.contact_log import CONTROL, read_log
from allocator.stages.customers import Customers
from allocator.stages.reading import Tables

TestsOfTiers = Mapping[str | None, ContactTest]
"""What an experiment says of a channel: by tier, and under None of all customers."""


def history_tests(scenario: Scenario, tables: Tables, customers: Customers) -> dict[str, TestsOfTiers]:
    """Measure the channels with ``source: history`` that the experiment tested, too.

    Parameters
    ----------
    scenario : Scenario
    tables : Tables
    customers : Customers
        Each gets a contact in what the experiment stands for.

    Returns
    -------
    dict of channel to mapping
        Nothing for a channel without an arm in the experiment, or without a cost per contact.

    Raises
    ------
    DataError
        When the log has no control, or an arm is too small to be measured.
    """
    channels = tuple(_tested_beside(scenario, tables))
    if not channels or not customers.sizes:
        return {}
    log = read_log(scenario, tables, customers, channels)
    effects = AdjustedMeans().estimate(
        log.worth,
        arm=log.rows["arm"].to_numpy(),
        tier=log.tier,
        covariates=log.before,
        control=CONTROL,
        cluster=log.cluster,
        propensity=log.got,
    )
    return {name: _of_channel(scenario, effects, name, customers.sizes) for name in channels}


def _tested_beside(scenario: Scenario, tables: Tables) -> list[str]:
    """Give the channels of history that have an arm and a price of a contact."""
    options, table = scenario.data.experiments, tables.experiments
    if options is None or table is None:
        return []
    arms = set(table.data["arm"].unique())
    return [
        name
        for name, one in scenario.channels.items()
        if isinstance(one.response, HistoryResponse)
        and one.cost_per_contact
        and options.arms.get(name, name) in arms
    ]


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
