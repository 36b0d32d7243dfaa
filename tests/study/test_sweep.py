"""A sweep: the plans of separate solves, each at its place, failed ones included."""

from __future__ import annotations

from functools import partial

import pytest

from allocator import pipeline
from allocator.errors import ArgumentError, ScenarioError
from allocator.plan.optimise import optimise
from allocator.scenario.schema import Scenario
from allocator.study.sweep import sweep

STATED = {
    "version": 1,
    "name": "Two channels",
    "budget": {"total": "100k"},
    "channels": {
        "email": {"response": {"source": "points", "points": [["50k", "120k"], ["90k", "180k"]]}},
        "search": {"min": "10k", "response": {"source": "points", "points": [["80k", "140k"]]}},
    },
    "constraints": {
        "email_cap": {
            "reason": "Inboxes",
            "where": {"channel": "email"},
            "measure": "share_of_budget",
            "max": "60%",
        }
    },
}


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return Scenario.from_dict(STATED)


@pytest.fixture(scope="module")
def make(scenario):
    curves = pipeline.forecast(scenario).curves
    return lambda changed: pipeline.problem(changed, curves)


def test_every_point_is_the_plan_of_its_own_scenario(scenario, make):
    points = sweep(scenario, {"budget.total": ["base - 40%", "base", 130_000]}, make)
    assert [point.scenario.budget.total for point in points] == [60e3, 100e3, 130e3]
    for point in points:
        alone = optimise(make(scenario.override(point.tried)), "highs")
        assert point.solution.objective == pytest.approx(alone.objective, rel=1e-12)
        assert point.reason == ""


def test_two_paths_make_a_grid_with_the_last_one_fastest(scenario, make):
    over = {"budget.total": ["80k", "100k"], "constraints.email_cap.max": ["50%", "70%", "90%"]}
    points = sweep(scenario, over, make)
    assert [tuple(point.tried.values()) for point in points] == [
        (budget, cap) for budget in over["budget.total"] for cap in over["constraints.email_cap.max"]
    ]
    values = [point.solution.objective for point in points]
    assert values[0] <= values[1] <= values[2]


def test_a_point_that_fails_keeps_its_place_and_says_why(scenario, make):
    points = sweep(scenario, {"channels.search.min": ["20k", "120k", "blue", "30k"]}, make)
    assert [bool(point.reason) for point in points] == [False, True, True, False]
    assert points[1].solution is not None
    assert "contradict" in points[1].reason
    assert "channels.search.min" in points[1].reason
    assert points[2].solution is None
    assert "blue" in points[2].reason


@pytest.mark.parametrize(
    "path",
    [
        "data.transactions.path",
        "models.as_of",
        "tiers.by",
        "channels.email.response.points",
        "objective.margin",
        "risk.seed",
    ],
)
def test_what_a_forecast_rests_on_is_refused(scenario, make, path):
    with pytest.raises(ScenarioError, match="scenario of its own"):
        sweep(scenario, {path: ["a"]}, make)


@pytest.mark.parametrize(
    "over", [{}, {"budget.total": []}, {path: ["1k"] for path in ("budget.total", "a.b", "c.d")}]
)
def test_sweeps_over_nothing_or_too_much_are_refused(scenario, make, over):
    with pytest.raises(ArgumentError):
        sweep(scenario, over, make)


def test_too_many_points_are_refused_before_the_first_is_solved(scenario):
    grid = {"budget.total": range(1, 1001), "channels.search.min": range(1, 1001)}
    with pytest.raises(ArgumentError, match="1,000,000"):
        sweep(scenario, grid, partial(pytest.fail, "a point was solved"))
