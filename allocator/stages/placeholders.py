"""Curves in place of those that only data can tell, so that a check needs not read a row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.response.curve import ResponseCurve
from allocator.response.curves import Evidence, Response
from allocator.response.fit import Measured
from allocator.response.sources import ExperimentResponse
from allocator.scenario.schema import Scenario
from allocator.scenario.sections import Channel
from allocator.stages.media import Observed, resting_on_history
from allocator.stages.responses import Evidenced

CUSTOMERS = 1000.0
"""As many in every tier: which limits can be stated does not depend on it."""


def placeholders(scenario: Scenario) -> Evidenced:
    """Give a straight curve for every channel whose response comes from a table."""
    return Evidenced(
        tested={
            name: tuple(_cell(name, tier, channel) for tier in scenario.tier_names)
            for name, channel in scenario.channels.items()
            if isinstance(channel.response, ExperimentResponse)
        },
        observed=_observed(scenario),
        read={
            name: (_total(name),) for name, channel in scenario.channels.items() if channel.response is None
        },
        combine=(scenario.data.experiments and scenario.data.experiments.combine) or "one_per_customer",
    )


def _observed(scenario: Scenario) -> Observed:
    table = scenario.data.spend_history
    listed = tuple(table.spend) if table and resting_on_history(scenario) else ()
    straight = _straight(CUSTOMERS)
    return Observed(
        {name: (Response(name, straight, Evidence.MODELLED, "history"),) for name in listed},
        dict.fromkeys(listed, straight),
        dict.fromkeys(listed, Measured(CUSTOMERS, CUSTOMERS)),
    )


def placeholder_sizes(scenario: Scenario) -> dict[str, float]:
    """Give customers of every tier, where a table counts them."""
    data = scenario.data
    counted = data.transactions or data.customers or data.experiments or data.curves
    return dict.fromkeys(scenario.tier_names, CUSTOMERS) if counted else {}


def _cell(name: str, tier: str, channel: Channel) -> Response:
    end = CUSTOMERS * (channel.contacts_per_customer or 1.0) * (channel.cost_per_contact or 1.0)
    return Response(name, _telling(end), Evidence.TESTED, "experiment", tier, population=CUSTOMERS)


def _total(name: str) -> Response:
    return Response(name, _telling(CUSTOMERS), Evidence.OPINION, "table")


def _telling(end: float) -> ResponseCurve:
    """Give a curve that tells every outcome: which ones a table has is not known before it is read."""
    known = _straight(end)
    return replace(known, revenue=known.value, conversions=known.value, retained=known.value)


def _straight(end: float) -> ResponseCurve:
    return ResponseCurve(np.array([0.0, end]), np.array([0.0, end]))
