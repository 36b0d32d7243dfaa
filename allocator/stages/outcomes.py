"""What a scenario has to state so that the outcomes of an experiment are worth money."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from allocator.errors import Finding
from allocator.scenario.schema import Scenario


def outcome_findings(scenario: Scenario, columns: Collection[str]) -> Iterator[Finding]:
    """Find outcomes of an experiment that nothing gives a price.

    Parameters
    ----------
    scenario : Scenario
    columns : collection of str
        Our names of the columns the table has.
    """
    objective = scenario.objective
    place = scenario.origin_of("objective") or scenario.origin_of("data.experiments")
    if "revenue" in columns:
        if objective.margin is None:
            what = "the experiment measured revenue, but what revenue earns is not stated"
            yield Finding("E101", place, what, "add objective.margin, such as 35%")
    elif "converted" in columns and objective.value_per_conversion is None and "retained" not in columns:
        what = "the experiment measured conversions, but what one earns is not stated"
        yield Finding("E101", place, what, "add objective.value_per_conversion")
    if "retained" in columns and scenario.data.transactions is None:
        what = "the experiment measured who stayed, but no orders tell what a customer who stays is worth"
        place = scenario.origin_of("data.experiments")
        yield Finding("E209", place, what, "add data.transactions, or leave the column 'retained' out")
    experiments = scenario.data.experiments
    if "retained" in columns and experiments is not None and experiments.window is None:
        what = "the experiment measured who stayed, but not stated is for how long it counted outcomes"
        fix = "add data.experiments.window: what a customer is worth counts from its end"
        yield Finding("E101", scenario.origin_of("data.experiments"), what, fix)
