from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.errors import Finding, Origin
from allocator.plan.solution import GoalResult, Safety, Solution, Status
from allocator.report.render.json import to_dict, to_json
from allocator.report.schema import result_schema
from allocator.report.view import CheckedReturn
from tests.report import made_up_plans as plans

KEYS = [
    "schema", "scenario", "scenario_sha256", "data_sha256", "allocator_version", "solver", "seed", "status",
    "optimality", "objective", "goals", "safety", "units", "currency", "tiers", "channels", "population",
    "evidence", "checked_return", "budget", "spend", "return", "profit", "roi", "return_per_unit",
    "return_interval", "marginal_return", "current", "cells", "binding", "not_binding", "conflict",
    "warnings", "rejects",
]  # fmt: skip

VALIDATOR = jsonschema.Draft202012Validator(result_schema())


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(result_schema())


@pytest.mark.parametrize(
    "view",
    [
        plans.view(),
        plans.contradiction(),
        plans.view(checked=CheckedReturn(2.1e6, (1.8e6, 2.4e6), 2.3e6, "halves"), data_sha256="a" * 64),
        plans.view(solution=Solution(Status.UNBOUNDED, "highs"), currency="", seed=None),
        plans.view(solution=replace(plans.solution(), today=None), rejects={"orders": 3}),
        plans.view(solution=plans.in_periods()),
        plans.view(
            solution=replace(
                plans.with_rules(),
                goals=(GoalResult("", 1.0, 2.0), GoalResult("conversions", 1.0, 1.0)),
                safety=Safety("regret", 0.1, 1.0, -2.0, 1.5, -3.0),
                worth=1.0,
            )
        ),
    ],
    ids=["plan", "contradiction", "checked", "unbounded", "rejects", "periods", "rules"],
)
def test_results_obey_the_published_schema(view):
    VALIDATOR.validate(json.loads(to_json([view])))
    assert list(to_dict(view)) == KEYS


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("status",), "fine"),
        (("spend",), "1200000"),
        (("cells", 0, "spend"), None),
        (("binding", 0, "surplus"), 1),
        (("return_interval",), [1.0]),
        (("rejects",), {"orders": -1}),
    ],
)
def test_the_schema_refuses_what_is_wrong(path, wrong):
    data = json.loads(to_json([plans.view()]))
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = wrong
    assert not VALIDATOR.is_valid(data)


@pytest.mark.parametrize("key", KEYS)
def test_the_schema_misses_every_key_that_is_absent(key):
    data = to_dict(plans.view())
    del data[key]
    assert not VALIDATOR.is_valid(data)


def test_totals_are_the_sums_of_the_cells():
    data = to_dict(plans.view())
    assert data["spend"] == pytest.approx(sum(cell["spend"] for cell in data["cells"]), abs=1e-6)
    assert data["return"] == pytest.approx(sum(cell["return"] for cell in data["cells"]), abs=1e-6)
    assert data["profit"] == data["return"] - data["spend"]
    assert data["roi"] == pytest.approx(data["return_per_unit"] - 1)
    assert sum(entry["share_of_spend"] for entry in data["evidence"]) == pytest.approx(1)


def test_numbers_are_not_rounded():
    email = next(cell for cell in to_dict(plans.view())["cells"] if cell["channel"] == "email")
    assert email["return"] == 712_687.77 * 0.5123
    assert email["contacts"] == 252_000 * 0.5123 / 0.12


def test_what_binds_says_where_it_is_written():
    bound = to_dict(plans.view())["binding"][1]
    assert (bound["file"], bound["line"]) == ("scenarios/q1_base.yaml", 50)
    assert bound["source"] == "constraints.no_shock.max"
    assert bound["reason"] == "Agencies need 8 weeks' notice"
    assert bound["shadow_price"] == bound["next_unit"] == 0.1321
    assert bound["range"] == [251_000.0, None]


def test_without_a_plan_there_is_no_money():
    data = to_dict(plans.contradiction())
    for key in ("spend", "return", "profit", "roi", "return_per_unit", "return_interval", "marginal_return"):
        assert data[key] is None
    assert data["objective"]["value"] is None
    assert data["cells"] == []
    assert [row["name"] for row in data["conflict"]["rows"]] == ["budget.total", "channels.search.min"]
    assert data["conflict"]["repairs"][0]["changes"] == [
        {"name": "budget.total", "source": "budget.total", "limit": 1_320_000.0}
    ]


def test_warnings_of_scenario_and_solve_are_listed_with_their_place():
    found = (Finding("W301", Origin("a.yaml", 3, 5), "no reason is given", "say why"),)
    assert to_dict(plans.view(findings=found))["warnings"] == [
        {"code": "W301", "what": "no reason is given", "fix": "say why", "file": "a.yaml", "line": 3}
    ]


@given(st.sampled_from([float("nan"), float("inf"), float("-inf"), np.float64("nan")]))
def test_what_is_not_a_number_is_null(number):
    view = plans.view(solution=replace(plans.solution(), marginal_return=number))
    assert json.loads(to_json([view]))["marginal_return"] is None


def test_numpy_numbers_become_plain_ones():
    solution = replace(plans.solution(), marginal_return=np.float64(1.5))
    assert type(to_dict(plans.view(solution=solution))["marginal_return"]) is float


def test_several_plans_are_an_array():
    data = json.loads(to_json([plans.view(), plans.contradiction()]))
    assert [plan["status"] for plan in data] == ["optimal", "infeasible"]
    VALIDATOR.validate(data)
    assert isinstance(json.loads(to_json([plans.view()], many=True)), list)


def test_text_stays_readable_and_lines_are_those_of_json():
    text = to_json([plans.view(name="客户 \x1b[31m")])
    assert "客户" in text
    assert "\x1b" not in text
    assert text == to_json([plans.view(name="客户 \x1b[31m")])
