"""Findings for people, programs and pull requests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from allocator.errors import Finding


def count(findings: Sequence[Finding]) -> str:
    """Give ``2 errors, 1 warning``; ``no errors`` when nothing stops a run.

    Examples
    --------
    >>> count([])
    'no errors'
    >>> count([Finding("W301", None, "limit 'floor' has no reason")])
    'no errors, 1 warning'
    """
    errors = sum(finding.severity == "error" for finding in findings)
    warnings = len(findings) - errors
    parts = [_plural(errors, "error") if errors else "no errors"]
    return ", ".join([*parts, _plural(warnings, "warning")] if warnings else parts)


def _plural(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def as_text(file: str, findings: Sequence[Finding]) -> str:
    """Give every finding with its place and excerpt, and a last line that counts them.

    Examples
    --------
    >>> print(as_text("q1.yaml", [Finding("E010", None, "the file is empty")]))
    error[E010]: the file is empty
    q1.yaml: 1 error
    """
    return "\n".join([*map(str, findings), f"{file}: {count(findings)}"])


def as_json(checked: Mapping[str, Sequence[Finding]]) -> str:
    """Give a JSON array with one object a file: ``file``, ``errors``, ``warnings``, ``findings``."""
    files = [
        {
            "file": file,
            "errors": sum(finding.severity == "error" for finding in findings),
            "warnings": sum(finding.severity == "warning" for finding in findings),
            "findings": [_fields(finding) for finding in findings],
        }
        for file, findings in checked.items()
    ]
    return json.dumps(files, indent=2, ensure_ascii=False)


def _fields(finding: Finding) -> dict[str, str | int | None]:
    where = finding.where
    return {
        "code": finding.code,
        "severity": finding.severity,
        "file": where.file if where else None,
        "line": where.line if where else None,
        "column": where.column if where else None,
        "what": finding.what,
        "fix": finding.fix,
    }


def as_github(findings: Iterable[Finding]) -> str:
    """Give one workflow command a finding, which GitHub shows as an annotation at its place.

    Examples
    --------
    >>> from allocator.errors import Origin
    >>> print(as_github([Finding("E102", Origin("q1.yaml", 3), "unknown key 'currancy'")]))
    ::error file=q1.yaml,line=3,col=1,title=E102::unknown key 'currancy'
    """
    return "\n".join(_annotation(finding) for finding in findings)


def _annotation(finding: Finding) -> str:
    where = finding.where
    place = f"file={_property(where.file)},line={where.line},col={where.column}," if where else ""
    text = f"{finding.what}: {finding.fix}" if finding.fix else finding.what
    return f"::{finding.severity} {place}title={finding.code}::{_message(text)}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
