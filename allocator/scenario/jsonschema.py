"""The JSON Schema of scenario files, for editors: generated from the option objects, their texts its help."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from allocator.scenario.schema import Scenario

Schema = dict[str, Any]
DRAFT = "http://json-schema.org/draft-07/schema#"
ANY_NAME = "[^.]+"
_NULL: Schema = {"type": "null"}
_RELATIVE: Schema = {
    "type": "string",
    "pattern": "^base( *[-+*/] *.+)?$",
    "description": "Relative to the inherited value: base - 20%, base + 100k, base * 0.5.",
}
_NOISE = {"title", "discriminator", "required"}
_UNSUPPORTED = "LaterLimit"


def scenario_schema() -> Schema:
    """Give the JSON Schema (draft 07) of a scenario file.

    Besides the sections it knows `extends`, and `override` with every dotted path. Below the top level
    nothing is required, because a file may state a part of what it inherits; `check` knows the rest.

    Examples
    --------
    >>> properties = scenario_schema()["properties"]
    >>> properties["budget"]["$ref"], "budget.total" in properties["override"]["properties"]
    ('#/definitions/Budget', True)
    """
    made = Scenario.model_json_schema(by_alias=True, ref_template="#/definitions/{model}")
    required = made["required"]
    definitions = {name: _draft7(one) for name, one in made.pop("$defs").items() if name != _UNSUPPORTED}
    properties = {name: _draft7(one) for name, one in made["properties"].items()}
    override = _override({"properties": properties}, definitions)
    properties["extends"] = {"type": "string", "description": "One parent, relative to this file."}
    properties["override"] = override
    return {
        "$schema": DRAFT,
        "title": "Scenario",
        "description": made["description"].split("\n")[0],
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "if": {"required": ["extends"]},
        "else": {"required": required},
        "definitions": definitions,
    }


def _draft7(schema: Schema) -> Schema:
    """Give a schema in the words of draft 07, in which parts of what is inherited are valid too."""
    made = {key: _converted(key, value) for key, value in schema.items() if key not in _NOISE}
    if "prefixItems" in made:
        made["items"] = made.pop("prefixItems")
    if "oneOf" in made:
        made["anyOf"] = made.pop("oneOf")
    if isinstance(made.get("additionalProperties"), dict):
        made["additionalProperties"] = {"anyOf": [made["additionalProperties"], _NULL]}
    if made.get("default", "") in (None, "", [], {}):
        made.pop("default", None)
    return made


def _converted(key: str, value: object) -> object:
    if key == "properties" and isinstance(value, dict):
        return {name: _draft7(one) for name, one in value.items()}
    if isinstance(value, dict) and key != "default":
        return _draft7(value)
    if isinstance(value, list) and key in {"anyOf", "oneOf", "prefixItems"}:
        return [_draft7(one) for one in value if not str(one.get("$ref", "")).endswith(f"/{_UNSUPPORTED}")]
    return value


def _override(root: Schema, definitions: Schema) -> Schema:
    """Give the schema of `override`: dotted paths, with a pattern where a name stands in them."""
    fixed: dict[str, list[Schema]] = {}
    patterns: dict[str, list[Schema]] = {}
    for path, schema in _paths(root, definitions):
        if ANY_NAME in path:
            pattern = r"\.".join(step if step == ANY_NAME else re.escape(step) for step in path)
            patterns.setdefault(f"^{pattern}$", []).append(schema)
        else:
            fixed.setdefault(".".join(path), []).append(schema)
    return {
        "type": "object",
        "description": "Changes to what is inherited: dotted path to value.",
        "properties": {path: _changed(schemas) for path, schemas in fixed.items()},
        "patternProperties": {pattern: _changed(schemas) for pattern, schemas in patterns.items()},
        "additionalProperties": False,
    }


def _changed(schemas: list[Schema]) -> Schema:
    """Give what may stand at a path: any of its values, a relative one, or null."""
    different = [one for position, one in enumerate(schemas) if one not in schemas[:position]]
    return {"anyOf": [*different, _RELATIVE, _NULL]}


def _paths(
    schema: Schema, definitions: Schema, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Schema]]:
    """Give every path below a schema with the schema that stands there."""
    reference = schema.get("$ref")
    if reference:
        yield from _paths(definitions[reference.rpartition("/")[2]], definitions, path)
    for branch in schema.get("anyOf", ()):
        yield from _paths(branch, definitions, path)
    below = dict(schema.get("properties", {}))
    if isinstance(schema.get("additionalProperties"), dict):
        below[ANY_NAME] = schema["additionalProperties"]
    for step, one in below.items():
        yield (*path, step), one
        yield from _paths(one, definitions, (*path, step))
