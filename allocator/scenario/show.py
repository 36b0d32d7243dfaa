"""The resolved scenario as plain rows: every value and who wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from pydantic import BaseModel

from allocator.customers.tiers import TierShare
from allocator.errors import Origin
from allocator.quantities import Change, Duration
from allocator.scenario.schema import Scenario
from allocator.scenario.shape import fields
from allocator.scenario.tree import Node, Path


@dataclass(frozen=True)
class Resolved:
    """One value of a scenario.

    Parameters
    ----------
    path : str
        Dotted.
    value : str
        As it was written; of a default as it would be.
    origin : Origin or None
        None for a default.
    """

    path: str
    value: str
    origin: Origin | None


@dataclass(frozen=True)
class Difference:
    """One path at which two scenarios differ; None where one has nothing there."""

    path: str
    left: Resolved | None
    right: Resolved | None


def resolved(scenario: Scenario, *, defaults: bool = True) -> tuple[Resolved, ...]:
    """Give every value of a scenario in order of writing, then the defaults that apply.

    Parameters
    ----------
    scenario : Scenario
    defaults : bool
        Whether values nobody wrote are given as well.

    Examples
    --------
    >>> scenario = Scenario.from_dict({
    ...     "version": 1, "name": "One channel", "budget": {"total": "100k"},
    ...     "channels": {"email": {"response": {"source": "points", "points": [["50k", "90k"]]}}},
    ... })
    >>> for row in resolved(scenario, defaults=False)[2:]:
    ...     print(row.path, row.value, row.origin)
    budget.total 100k <dict>:4:10
    channels.email.response.source points <dict>:8:15
    channels.email.response.points [[50k, 90k]] <dict>:9:15
    """
    written = [
        Resolved(_dotted(path), _spelled(node), node.mark.origin) for path, node in _leaves(scenario.tree)
    ]
    if not defaults:
        return tuple(written)
    known = {row.path for row in written}
    above = {".".join(path.split(".")[:length]) for path in known for length in range(1, path.count(".") + 1)}
    rows = (Resolved(path, value, None) for path, value in _defaults(scenario, ""))
    return (*written, *(row for row in rows if row.path not in known | above))


def differences(left: Scenario, right: Scenario) -> tuple[Difference, ...]:
    """Give the paths at which two scenarios have different values, in order of the left one.

    Examples
    --------
    >>> base = Scenario.from_dict({
    ...     "version": 1, "name": "Base", "budget": {"total": "100k"},
    ...     "channels": {"email": {"response": {"source": "points", "points": [["50k", "90k"]]}}},
    ... })
    >>> [change.path for change in differences(base, base.override({"budget.total": "base + 10%"}))]
    ['budget.total']
    """
    ours = {row.path: row for row in resolved(left)}
    theirs = {row.path: row for row in resolved(right)}
    paths = dict.fromkeys([*ours, *theirs])
    pairs = ((path, ours.get(path), theirs.get(path)) for path in paths)
    return tuple(Difference(*pair) for pair in pairs if _value(pair[1]) != _value(pair[2]))


def _value(row: Resolved | None) -> str | None:
    return row.value if row else None


def _leaves(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Give everything that is no mapping; lists stay whole."""
    if not node.entries:
        if path:
            yield path, node
        return
    for name, entry in node.entries.items():
        yield from _leaves(entry.node, (*path, name))


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))


def _spelled(node: Node) -> str:
    if node.is_mapping:
        return f"{{{', '.join(f'{name}: {_spelled(entry.node)}' for name, entry in node.entries.items())}}}"
    if isinstance(node.value, tuple):
        return f"[{', '.join(map(_spelled, node.items))}]"
    return "null" if node.value is None else str(node.value)


def _defaults(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Give every value of option objects by path, as text."""
    if isinstance(value, BaseModel):
        for key, info in fields(type(value)).items():
            name = (info.alias and next(n for n, f in type(value).model_fields.items() if f is info)) or key
            yield from _defaults(getattr(value, name), f"{path}.{key}".lstrip("."))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _defaults(item, f"{path}.{key}")
    elif value is not None and value not in ("", ()):
        yield path, _default_text(value)


def _default_text(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_default_text, value))}]"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(value) if isinstance(value, str | int | date | Duration | Change | TierShare) else repr(value)
