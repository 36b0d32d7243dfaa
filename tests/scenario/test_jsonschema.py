"""The schema editors use agrees with what the reader accepts."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from allocator.scenario.jsonschema import scenario_schema
from allocator.scenario.load import read_text
from tests.scenario.samples import SAMPLE, TIMED, changed


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft7Validator:
    schema = scenario_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def as_an_editor_reads(text: str) -> Any:
    """Give the data with whole numbers as numbers, as YAML 1.2 has them."""

    def read(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: read(item) for key, item in value.items()}
        if isinstance(value, list):
            return [read(item) for item in value]
        return int(value) if isinstance(value, str) and value.isdecimal() else value

    return read(read_text(text, "q1.yaml")[0].plain())


def test_the_sample_and_the_shipped_scenarios_satisfy_it(validator, project_root: Path) -> None:
    texts = [
        SAMPLE,
        TIMED,
        *(path.read_text(encoding="utf-8") for path in (project_root / "scenarios").glob("*.yaml")),
    ]
    for text in texts:
        assert [error.message for error in validator.iter_errors(as_an_editor_reads(text))] == []


GOOD_CHILDREN = [
    "name: Child",
    "override: {budget.total: base - 20%, constraints.no_shock.min: -60%, channels.tv.max: ~}",
    "override: {channels.tv: ~, tiers.levels.low.label: Low, objective.margin: 30%}",
    "constraints: {no_shock: {min: -60%}, hurdle: ~}",
    "channels: {email: {max: ~, current: 5k}}",
]


@pytest.mark.parametrize("line", GOOD_CHILDREN)
def test_files_that_extend_may_state_parts(line: str, validator) -> None:
    text = f"version: 1\nextends: base.yaml\n{line}\n"
    assert [error.message for error in validator.iter_errors(as_an_editor_reads(text))] == []


BAD = [
    ("currency: EUR", "currancy: EUR"),
    ("currency: EUR", "currency: EURO"),
    ("total: 1.2M", "total: 1.200.000"),
    ("total: 1.2M", "total: 250,50"),
    ("total: 1.2M", "total: -5"),
    ("spend: up_to", "spend: upto"),
    ("where: {tier", "where: {teir"),
    ("measure: roi", "measure: ori"),
    ("measure: roi", "measure: cpa"),
    ("source: expert", "source: exprt"),
    ("family: hill", "family: hil"),
    ("low: 320k", "lo: 320k"),
    ("name: Sample\n", ""),
    ("version: 1", "version: 2"),
]


@pytest.mark.parametrize(("old", "new"), BAD)
def test_slips_are_seen_while_typing(old: str, new: str, validator) -> None:
    assert list(validator.iter_errors(as_an_editor_reads(changed(old, new))))


@pytest.mark.parametrize("path", ["budget.totl", "channels.tv.maxx", "channel.tv.max", "constraints.a.b.min"])
def test_override_paths_are_known(path: str, validator) -> None:
    text = f"version: 1\nextends: base.yaml\noverride: {{{path}: 5k}}\n"
    assert list(validator.iter_errors(as_an_editor_reads(text)))


def test_field_texts_are_its_help() -> None:
    schema = scenario_schema()
    assert (
        schema["definitions"]["Budget"]["properties"]["total"]["description"]
        == "Money for the whole horizon."
    )
    for name, definition in schema["definitions"].items():
        for key, field in definition.get("properties", {}).items():
            assert "description" in field or "const" in field or "$ref" in field, f"{name}.{key} has no help"
