"""Putting scenarios on top of each other: parent, file, overrides; the later outranks the earlier.

Mappings are merged by name, everything else is replaced, ``null`` removes. A mapping whose `source` or
`family` changes is replaced as a whole, because its other keys belong to what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from allocator.errors import Finding, closest
from allocator.quantities import quoted
from allocator.scenario.relative import evaluate, is_relative
from allocator.scenario.tree import Entry, Node, Path

KINDS = ("source", "family")
MAY_BE_EMPTY = {"constraints", "meta", "override", "sweep", "data"}

KnownKeys = Callable[[Node | None, Path], tuple[str, ...] | None]
"""Gives the keys that may stand at a path of a tree; None where names are free."""


@dataclass
class Merger:
    """Merges trees, collecting what is wrong.

    Parameters
    ----------
    known : callable
        The schema's keys by path.
    findings : list of Finding
        Grows while merging.
    broken : set of Path
        Places left empty because what was written there is at fault.
    currency : object
        The scenario's, as it was written.
    """

    known: KnownKeys
    findings: list[Finding] = field(default_factory=list)
    broken: set[Path] = field(default_factory=set)
    currency: object = None

    def merge(self, base: Node | None, over: Node, path: Path = (), *, relative: bool = False) -> Node:
        """Give `over` on top of `base`; `relative` allows values such as ``base - 20%``.

        Parameters
        ----------
        base : Node or None
            None where nothing is inherited.
        over : Node
        path : tuple
            Where in the scenario both stand.
        relative : bool
        """
        if not over.is_mapping:
            return self._scalar(base, over, relative=relative)
        below = base if base is not None and base.is_mapping and not _changes_kind(base, over) else None
        entries = dict(below.entries) if below else {}
        for name, entry in over.entries.items():
            inherited = entries.get(name)
            if entry.node.value is not None:
                beneath = inherited.node if inherited else None
                node = self.merge(beneath, entry.node, (*path, name), relative=relative)
                entries[name] = Entry(entry.key, node)
            elif base is None or below is not None or name not in base.entries:
                self._remove(entries, name, entry, path)
        return over.with_entries(entries)

    def _scalar(self, base: Node | None, over: Node, *, relative: bool) -> Node:
        value = over.value
        if not (relative and isinstance(value, str) and is_relative(value)):
            return over
        inherited = base.value if base is not None else None
        if isinstance(inherited, Mapping | tuple):
            what = f"{quoted(value)}: the inherited value is no number"
            self.findings.append(over.mark.finding("E111", what))
            return base or over
        currency = self.currency if isinstance(self.currency, str) else None
        result = evaluate(value, inherited, over.mark, currency=currency)
        if isinstance(result, Finding):
            self.findings.append(result)
            return base if base is not None else over
        return replace(over, value=result)

    def _remove(self, entries: dict[str, Entry], name: str, entry: Entry, path: Path) -> None:
        """Take out what is inherited; a key without a value is a fault where nothing is."""
        if name in entries:
            del entries[name]
        elif not path and name in MAY_BE_EMPTY:
            entries[name] = Entry(entry.key, entry.node.with_entries({}))
        else:
            near = closest(name, entries)
            fix = f"did you mean {quoted(near)}?" if near else "write a value, or remove the key"
            what = f"{quoted(name)} has no value, and none is inherited"
            self.findings.append(entry.key.finding("E103", what, fix))
            self.broken.add((*path, name))

    def override(self, tree: Node, changes: Node) -> Node:
        """Give a tree with changes by dotted path on top."""
        currency = tree.get("currency")
        self.currency = currency.value if currency else None
        for dotted, entry in changes.entries.items():
            steps = self._steps(tree, dotted, entry)
            if steps is not None:
                tree = self._set(tree, steps, entry, ())
        return tree

    def _steps(self, tree: Node, dotted: str, entry: Entry) -> Path | None:
        """Give a dotted path as steps; None, with a finding, where it leads nowhere."""
        steps: Path = ()
        names = dotted.split(".")
        for position, name in enumerate(names):
            here = tree.get(*steps)
            if here is not None and here.items and name.isdigit() and int(name) < len(here.items):
                steps = (*steps, int(name))
                continue
            known = self.known(tree, steps)
            may_be_new = name in known if known is not None else position == len(names) - 1
            removes = position == len(names) - 1 and entry.node.value is None
            exists = here is not None and name in here.entries
            if not exists and (removes or not may_be_new):
                self._unknown(dotted, steps, name, entry, tree)
                return None
            steps = (*steps, name)
        return steps

    def _unknown(self, dotted: str, steps: Path, name: str, entry: Entry, tree: Node) -> None:
        here = tree.get(*steps)
        names = list(here.entries) if here else []
        near = closest(name, [*names, *(self.known(tree, steps) or ())])
        where = ".".join(map(str, steps)) or "the scenario"
        listed = f"{where} has: {', '.join(names)}" if names else f"{where} has no entries"
        fix = f"did you mean {quoted('.'.join([*map(str, steps), near]))}?" if near else listed
        finding = entry.key.finding("E204", f"there is no {quoted(dotted)} in this scenario", fix)
        self.findings.append(finding)

    def _set(self, node: Node | None, steps: Path, entry: Entry, path: Path) -> Node:
        """Give `node` with the change made at the path `steps` below it."""
        if not steps:
            return self.merge(node, entry.node, path, relative=True)
        step, *rest = steps
        if isinstance(step, int) and node is not None:
            items = list(node.items)
            items[step] = self._set(items[step], tuple(rest), entry, (*path, step))
            return replace(node, value=tuple(items))
        name = str(step)
        entries = dict(node.entries) if node is not None else {}
        below = entries.get(name)
        if not rest and entry.node.value is None:
            del entries[name]
        else:
            changed = self._set(below.node if below else None, tuple(rest), entry, (*path, name))
            entries[name] = Entry(below.key if below and rest else entry.key, changed)
        return Node(entries, node.mark if node is not None else entry.key)


def _changes_kind(base: Node, over: Node) -> bool:
    """Whether `over` states another source or family than `base`."""
    pairs = ((base.get(kind), over.get(kind)) for kind in KINDS)
    return any(old is not None and new is not None and old.value != new.value for old, new in pairs)
