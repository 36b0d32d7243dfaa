"""What to keep in mind: warnings in a line each, and rows of tables that could not be used."""

from __future__ import annotations

from collections.abc import Mapping

from allocator.errors import Finding
from allocator.quantities import count, percent
from allocator.report.document import Advice
from allocator.report.spelling import place

ADVICE_LISTED = 3  # warnings of one code that are spelled out


def advice(findings: tuple[Finding, ...], listed_by: str = "--json") -> tuple[Advice, ...]:
    """Give warnings, a line each; of the many with one code the first few, and what lists the rest."""
    by_code: dict[str, list[Finding]] = {}
    for finding in findings:
        by_code.setdefault(finding.code, []).append(finding)
    return tuple(line for code, same in by_code.items() for line in _some(code, same, listed_by))


def unused_rows(
    rejects: Mapping[str, int], rows_read: Mapping[str, int], findings: tuple[Finding, ...]
) -> tuple[Advice, ...]:
    """Say how many rows of each table could not be used, be they ever so few; not what a warning says."""
    counted = {
        table: f"{count(rejected)} of {count(rows_read[table])} rows of "
        for table, rejected in rejects.items()
        if rejected and table in rows_read
    }
    return tuple(
        Advice("", f"{words}{table} could not be used ({percent(rejects[table] / rows_read[table], 1)})")
        for table, words in counted.items()
        if not any(finding.what.startswith(words) for finding in findings)
    )


def _some(code: str, findings: list[Finding], listed_by: str) -> list[Advice]:
    most = ADVICE_LISTED if len(findings) > ADVICE_LISTED + 1 else len(findings)
    lines = [Advice(code, _sentence(finding)) for finding in findings[:most]]
    if len(findings) > most:
        lines.append(Advice(code, f"and {len(findings) - most} more; {listed_by} lists them"))
    return lines


def _sentence(finding: Finding) -> str:
    words = f"{finding.what}; {finding.fix}" if finding.fix else finding.what
    where = place(finding.where)
    return f"{words} · {where}" if where else words
