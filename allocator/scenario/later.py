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
    """A path (``*`` is any name) that may not be there."""

    path: str


LATER = (Later("sweep"),)


def unsupported(tree: Node) -> Iterator[Finding]:
    """Give an E110 finding for everything in a scenario that cannot be done yet."""
    for later in LATER:
        for path, entry in tree.select(later.path.split(".")):
            yield entry.key.finding("E110", f"'{'.'.join(map(str, path))}' is not supported yet")
