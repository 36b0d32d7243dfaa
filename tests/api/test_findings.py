"""Findings for people, programs and pull requests."""

from __future__ import annotations

import json

from allocator.api.findings import as_github, as_json, as_text, count
from allocator.errors import Finding, Origin

ERROR = Finding(
    "E102", Origin("q1.yaml", 3, 1), "unknown key 'currancy'", "did you mean 'currency'?", "currancy: EUR", 8
)
ADVICE = Finding("W301", Origin("q1.yaml", 9, 3), "limit 'floor' has no reason")
NOWHERE = Finding("E010", None, "the file is empty")


def test_counts_speak_of_one_and_of_several() -> None:
    assert count([]) == "no errors"
    assert count([ERROR]) == "1 error"
    assert count([ERROR, NOWHERE, ADVICE]) == "2 errors, 1 warning"
    assert count([ADVICE, ADVICE]) == "no errors, 2 warnings"


def test_text_ends_with_the_count() -> None:
    lines = as_text("q1.yaml", [ERROR, ADVICE]).splitlines()
    assert lines[0] == "q1.yaml:3:1: error[E102]: unknown key 'currancy'"
    assert lines[-2] == "q1.yaml:9:3: warning[W301]: limit 'floor' has no reason"
    assert lines[-1] == "q1.yaml: 1 error, 1 warning"


def test_json_keeps_every_field() -> None:
    (entry,) = json.loads(as_json({"q1.yaml": [ERROR, NOWHERE]}))
    assert (entry["file"], entry["errors"], entry["warnings"]) == ("q1.yaml", 2, 0)
    assert entry["findings"][0] == {
        "code": "E102",
        "severity": "error",
        "file": "q1.yaml",
        "line": 3,
        "column": 1,
        "what": "unknown key 'currancy'",
        "fix": "did you mean 'currency'?",
    }
    assert entry["findings"][1]["line"] is None


def test_an_annotation_cannot_be_forged_by_a_file_name_or_a_text() -> None:
    odd = Finding("E102", Origin("a,b:c.yaml", 3), "50% off\n::error::forged")
    assert as_github([odd]) == (
        "::error file=a%2Cb%3Ac.yaml,line=3,col=1,title=E102::50%25 off%0A::error::forged"
    )


def test_an_annotation_without_a_place_has_none() -> None:
    assert as_github([NOWHERE]) == "::error title=E010::the file is empty"
    assert as_github([]) == ""
