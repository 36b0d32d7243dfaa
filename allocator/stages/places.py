"""Findings of stages that know no scenario get the place that is to blame in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from allocator.errors import AllocatorError, Finding, Origin


def placed(error: AllocatorError, origin: Origin | None) -> Iterator[Finding]:
    """Give the findings of an error; those that know no place get `origin`."""
    for finding in error.findings:
        yield finding if finding.where else replace(finding, where=origin)
