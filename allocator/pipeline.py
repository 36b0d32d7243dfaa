"""The whole way from a scenario to the problem, one function per stage: read this first.

    scenario ──curves──► Curves ──problem──► Problem ──optimise──► Solution ──view, build──► the five answers

Each stage can be used alone: curves can come from a table a planner edited, and a problem can be handed
to `allocator.plan.optimise.optimise` as it is. Nothing here loads a solver, so that ``check`` can go all the
way to the problem and find everything that would stop a run.
"""

from __future__ import annotations

from allocator.plan.problem import Problem
from allocator.response.curves import Curves
from allocator.scenario.schema import Scenario
from allocator.stages.placeholders import placeholders, sizes
from allocator.stages.responses import Evidenced, all_responses
from allocator.stages.terms import Sizes, state_problem


def curves(scenario: Scenario) -> Curves:
    """Give the response of every channel, per tier where there is evidence on tiers."""
    return all_responses(scenario, Evidenced(), {})


def problem(scenario: Scenario, curves: Curves, sizes: Sizes | None = None) -> Problem:
    """Give decisions with their curves, every limit as rows, the objective."""
    return state_problem(scenario, curves, sizes or {})


def rehearse(scenario: Scenario) -> Problem:
    """Give the problem with placeholders for the curves that only data can tell."""
    counted = sizes(scenario)
    return state_problem(scenario, all_responses(scenario, placeholders(scenario), counted), counted)
