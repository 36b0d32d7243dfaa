"""What version 1 knows and this release cannot do yet: refused with its place, never ignored.

Lifting a restriction is taking its line out. Measures, objectives and budget keys are refused by their own
option objects in the plan layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from allocator.errors import Finding
from allocator.scenario.tree import Node


class Later(NamedTuple):
    """A path (``*`` is any name) that may not be there, or may not hold the `refused` values."""

    path: str
    refused: frozenset[str] = frozenset()


LATER = (
    Later("sweep"),
    Later("horizon.periods", refused=frozenset({"week", "month", "quarter"})),
    Later("risk.method", refused=frozenset({"lower_quantile", "cvar", "worst_case", "regret"})),
    Later("channels.*.step"),
    Later("channels.*.available"),
    Later("channels.*.carryover"),
    Later("channels.*.committed"),
    Later("channels.*.carry_in"),
)


def unsupported(tree: Node) -> Iterator[Finding]:
    """Give an E110 finding for everything in a scenario that cannot be done yet."""
    for later in LATER:
        for path, entry in tree.select(later.path.split(".")):
            value = entry.node.value
            if later.refused and not (isinstance(value, str) and value in later.refused):
                continue  # a word that is no choice at all is told by the schema
            if later.refused:
                what = f"{path[-1]}: {value} is not supported yet"
                yield entry.node.mark.finding("E110", what)
            else:
                yield entry.key.finding("E110", f"'{'.'.join(map(str, path))}' is not supported yet")
