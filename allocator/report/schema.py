"""The published schema of a result."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def result_schema() -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of ``allocator.result/1``: one plan, or an array of plans.

    Examples
    --------
    >>> result_schema()["title"]
    'allocator.result/1'
    """
    text = files("allocator.report").joinpath("result.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
