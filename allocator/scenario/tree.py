"""A scenario as it was written: plain data in which every key and value knows its place."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from numbers import Integral, Real
from typing import NamedTuple

from allocator.errors import Finding, Origin

Scalar = str | int | float | None
Path = tuple[str | int, ...]
WIDEST_EXCERPT = 160


@dataclass(frozen=True)
class Mark:
    """A place in a source: where, how many characters, and the line they stand in."""

    origin: Origin
    width: int = 1
    line: str = ""

    def finding(self, code: str, what: str, fix: str = "") -> Finding:
        """Give the finding about this place."""
        end = self.origin.column - 1 + self.width
        excerpt = self.line if end <= WIDEST_EXCERPT else ""
        return Finding(code, self.origin, what, fix, excerpt[:WIDEST_EXCERPT], self.width)


class Entry(NamedTuple):
    """A key of a mapping, and its value."""

    key: Mark
    node: Node


@dataclass(frozen=True, eq=False)
class Node:
    """A scalar, a list of nodes, or a mapping of names to entries."""

    value: Scalar | tuple[Node, ...] | Mapping[str, Entry]
    mark: Mark

    @property
    def entries(self) -> Mapping[str, Entry]:
        """The entries of a mapping; none for anything else."""
        return self.value if isinstance(self.value, Mapping) else {}

    @property
    def items(self) -> tuple[Node, ...]:
        """The items of a list; none for anything else."""
        return self.value if isinstance(self.value, tuple) else ()

    @property
    def is_mapping(self) -> bool:
        """Whether this is a mapping, an empty one included."""
        return isinstance(self.value, Mapping)

    def get(self, *path: str | int) -> Node | None:
        """Give the node at a path below this one."""
        entry = self.entry(*path)
        return entry.node if entry else None

    def entry(self, *path: str | int) -> Entry | None:
        """Give key and node at a path below this one; an item of a list is its own key."""
        found = Entry(self.mark, self)
        for step in path:
            below = found.node.entries.get(str(step)) if found.node.is_mapping else None
            if below is None and isinstance(step, int) and 0 <= step < len(found.node.items):
                item = found.node.items[step]
                below = Entry(item.mark, item)
            if below is None:
                return None
            found = below
        return found

    def select(self, pattern: Sequence[str]) -> Iterator[tuple[Path, Entry]]:
        """Give every entry at a path in which ``*`` stands for any name."""
        head, *rest = pattern
        for name in self.entries if head == "*" else [head]:
            entry = self.entries.get(name)
            if entry is None:
                continue
            if not rest:
                yield (name,), entry
            else:
                yield from (((name, *path), below) for path, below in entry.node.select(rest))

    def walk(self, path: Path = ()) -> Iterator[tuple[Path, Entry]]:
        """Give everything below this node with its path, parents first."""
        below: list[tuple[str | int, Entry]] = [*self.entries.items()]
        below += ((i, Entry(item.mark, item)) for i, item in enumerate(self.items))
        for step, entry in below:
            yield (*path, step), entry
            yield from entry.node.walk((*path, step))

    def with_entries(self, entries: Mapping[str, Entry]) -> Node:
        """Give the same mapping with other entries."""
        return replace(self, value=dict(entries))

    def plain(self) -> object:
        """Give the data without its places."""
        if isinstance(self.value, Mapping):
            return {name: entry.node.plain() for name, entry in self.value.items()}
        return [item.plain() for item in self.value] if isinstance(self.value, tuple) else self.value


def origins(tree: Node) -> dict[str, Origin]:
    """Give the place of everything by dotted path: of a mapping its key, of anything else the value."""
    return {
        ".".join(map(str, path)): (entry.key if entry.node.is_mapping else entry.node.mark).origin
        for path, entry in tree.walk()
    }


def from_python(data: Mapping[str, object], file: str) -> Node:
    """Give Python data as a tree; its places are the lines it would have as text.

    Parameters
    ----------
    data : mapping
        Of texts, numbers, dates, None, lists and mappings.
    file : str
        The name findings show, such as ``<override>``.

    Raises
    ------
    TypeError
        For data a scenario cannot hold.

    Examples
    --------
    >>> tree = from_python({"budget": {"total": 5}}, "<dict>")
    >>> print(tree.get("budget", "total").mark.finding("E104", "too little", "write more"))
    <dict>:2:10: error[E104]: too little
       2 |   total: 5
         |          ^ write more
    """
    try:
        return _PythonTree(file).mapping(data, indent=0)
    except RecursionError:
        raise TypeError("a scenario cannot hold data that are nested without end") from None


class _PythonTree:
    """Counts lines while it builds."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.line = 0

    def mapping(self, data: Mapping[str, object], indent: int) -> Node:
        start = Mark(Origin(self.file, max(self.line, 1)))
        names = {unicodedata.normalize("NFC", str(key)): value for key, value in data.items()}
        return Node({name: self._entry(name, value, indent) for name, value in names.items()}, start)

    def _entry(self, key: str, value: object, indent: int) -> Entry:
        self.line += 1
        head = f"{' ' * indent}{key}:"
        if isinstance(value, Mapping):
            mark = Mark(Origin(self.file, self.line, indent + 1), len(key), head)
            return Entry(mark, replace(self.mapping(value, indent + 2), mark=mark))
        data = _data(value)
        text = " ".join(str(data).split()) if data is not None else "null"
        line = f"{head} {text}"
        key_mark = Mark(Origin(self.file, self.line, indent + 1), len(key), line)
        mark = Mark(Origin(self.file, self.line, len(head) + 2), max(len(text), 1), line)
        return Entry(key_mark, _node(data, mark))


def _data(value: object) -> object:
    """Give Python data as a scalar, list or mapping of a tree."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _data(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_data(item) for item in value]
    raise TypeError(f"a scenario cannot hold a {type(value).__name__}: {value!r}")


def _node(data: object, mark: Mark) -> Node:
    """Give plain data as a node of which every part has the same mark."""
    if isinstance(data, dict):
        return Node({key: Entry(mark, _node(item, mark)) for key, item in data.items()}, mark)
    if isinstance(data, list):
        return Node(tuple(_node(item, mark) for item in data), mark)
    return Node(data if isinstance(data, str | int | float) else None, mark)
