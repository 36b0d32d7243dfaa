"""Plans side by side."""

from __future__ import annotations

import pytest

from allocator import pipeline
from allocator.errors import ArgumentError
from allocator.plan.optimise import optimise
from allocator.scenario.schema import Scenario
from allocator.study.compare import compare

STATED = {
    "version": 1,
    "name": "Base",
    "budget": {"total": "100k"},
    "channels": {
        "email": {"response": {"source": "points", "points": [["50k", "120k"], ["90k", "180k"]]}},
        "search": {"response": {"source": "points", "points": [["80k", "140k"]]}},
    },
}


@pytest.fixture(scope="module")
def plans():
    base = Scenario.from_dict(STATED)
    curves = pipeline.forecast(base).curves
    others = [
        base,
        base.override({"budget.total": "base + 20%"}, name="More"),
        base.override({"channels.email.min": "200k"}, name="Base"),
    ]
    return [(one, optimise(pipeline.problem(one, curves), "highs")) for one in others]


def test_inputs_that_differ_are_listed_as_they_are_written(plans):
    found = compare(plans)
    assert found.names == ("Base", "More", "Base (3)")
    values = {one.path: one.written for one in found.inputs}
    assert set(values) == {"budget.total", "channels.email.min"}
    assert values["budget.total"][0] == "100k"
    assert values["budget.total"][1] != "100k"
    assert values["channels.email.min"] == (None, None, "200k")


def test_outputs_are_those_of_the_plans(plans):
    found = compare(plans)
    for place, (_, solution) in enumerate(plans[:2]):
        spend = sum(cell.spend for cell in solution.cells)
        margin = sum(cell.margin for cell in solution.cells)
        assert found.outputs["spend"][place] == pytest.approx(spend)
        assert found.outputs["profit"][place] == pytest.approx(margin - spend)
        assert found.outputs["roi"][place] == pytest.approx(margin / spend - 1)
        assert sum(found.channels[name][place] for name in ("email", "search")) == pytest.approx(spend)


def test_a_plan_that_is_none_keeps_its_column_and_says_why(plans):
    found = compare(plans)
    assert found.outputs["return"][2] is None
    assert found.channels["email"][2] is None
    assert found.reasons[:2] == ("", "")
    assert "channels.email.min" in found.reasons[2]


def test_one_plan_is_no_comparison(plans):
    with pytest.raises(ArgumentError):
        compare(plans[:1])
