"""What the shape of single values cannot tell: names that refer to nothing, tiers left out, reasons missing.

Runs on the tree, so that one broken field does not hide the next.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence, Set

from allocator.customers.tiers import DEFAULT_LEVELS
from allocator.errors import Finding, closest
from allocator.plan.scope import DIMENSIONS
from allocator.quantities import quoted
from allocator.response.curves import ALL
from allocator.scenario.references import data_references
from allocator.scenario.timing import no_such_period, periods_in, timing
from allocator.scenario.tree import Entry, Node, Path

_NAME = re.compile(r"[^\W\d][\w-]*")
_NAMED = ("channels.*", "constraints.*", "tiers.levels.*")
_COMPLETE = (
    "channels.*.current.by_tier",
    "channels.*.response.by_tier",
    "channels.*.tier_mix",
    "channels.*.value_mix",
)


def names_of(tree: Node) -> dict[str, tuple[str, ...]]:
    """Give the names a scenario declares; none of periods where a fault in the horizon leaves them open."""
    channels = tree.get("channels")
    levels = tree.get("tiers", "levels")
    default = tuple(DEFAULT_LEVELS) if tree.get("tiers") is not None else (ALL,)
    return {
        "channel": tuple(channels.entries) if channels is not None else (),
        "tier": tuple(levels.entries) if levels is not None and levels.entries else default,
        "period": tuple(period.name for period in periods_in(tree) or ()),
    }


def semantic(tree: Node, broken: Set[Path] = frozenset()) -> Iterator[Finding]:
    """Give every finding about names and what refers to them.

    Parameters
    ----------
    tree : Node
        With keys as the schema has them.
    broken : set of Path
        Places that were emptied because of a fault already reported.
    """
    declared = names_of(tree)
    yield from _bad_names(tree)
    yield from _references(tree, declared)
    yield from _by_tier(tree, declared["tier"])
    yield from timing(tree)
    yield from _unanswered(tree, broken)
    yield from data_references(tree, declared["channel"], broken)
    yield from _reasons(tree)


def _bad_names(tree: Node) -> Iterator[Finding]:
    for pattern in _NAMED:
        for path, entry in tree.select(pattern.split(".")):
            name = str(path[-1])
            if not _NAME.fullmatch(name):
                better = re.sub(r"[^\w-]+", "_", name).strip("_-")
                better = better if _NAME.fullmatch(better) else f"n{better}"
                fix = f"write {better}: a letter, then letters, digits, _ or -"
                yield entry.key.finding("E109", f"{quoted(name)} is no name", fix)


def _references(tree: Node, declared: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    for selector in ("where", "except"):
        for kind, code in DIMENSIONS.items():
            for _, entry in tree.select(("constraints", "*", selector, kind)):
                if declared[kind]:
                    yield from _unknown(entry.node, kind, code, declared[kind])


def _unknown(node: Node, kind: str, code: str, names: Sequence[str]) -> Iterator[Finding]:
    """Give a finding for every name at `node` that is not declared."""
    for item in node.items or (node,):
        if isinstance(item.value, str) and unicodedata.normalize("NFC", item.value) not in names:
            yield item.mark.finding(code, *_no_such(item.value, kind, names))


def _no_such(name: str, kind: str, names: Sequence[str]) -> tuple[str, str]:
    if kind == "period":
        return no_such_period(name, names)
    near = closest(name, names)
    listed = f"{kind}s in this scenario: {', '.join(names)}"
    return f"there is no {kind} {quoted(name)}", f"did you mean {quoted(near)}?" if near else listed


def _by_tier(tree: Node, tiers: Sequence[str]) -> Iterator[Finding]:
    for pattern in (*_COMPLETE, "channels.*.tier_index"):
        for _, entry in tree.select(pattern.split(".")):
            yield from _tier_names(entry, tiers, complete=pattern in _COMPLETE)


def _tier_names(entry: Entry, tiers: Sequence[str], *, complete: bool) -> Iterator[Finding]:
    """Check the keys of a mapping by tier; a misspelt tier is not reported as missing as well."""
    if not entry.node.is_mapping:
        return
    unknown = [name for name in entry.node.entries if name not in tiers]
    for name in unknown:
        yield entry.node.entries[name].key.finding("E202", *_no_such(name, "tier", tiers))
    missing = [name for name in tiers if name not in entry.node.entries][len(unknown) :]
    if complete and missing and not unknown:
        what = f"every tier has to be named; missing: {', '.join(missing)}"
        yield entry.key.finding("E210", what, f"add '{missing[0]}: …'")


def _unanswered(tree: Node, broken: Set[Path]) -> Iterator[Finding]:
    """Report channels that nothing says the response of."""
    if tree.get("data", "curves") is not None:
        return
    for path, entry in tree.select(("channels", "*")):
        stated = "response" in entry.node.entries or ("channels", *path[1:], "response") in broken
        if entry.node.is_mapping and not stated:
            what = f"nothing says what {quoted(path[-1])} earns: missing key 'response'"
            yield entry.key.finding("E101", what, "add 'response: …', or a table of curves under data")


def _reasons(tree: Node) -> Iterator[Finding]:
    for path, entry in tree.select(("constraints", "*")):
        if entry.node.is_mapping and "reason" not in entry.node.entries:
            fix = "add 'reason: …'; people see it wherever the limit binds"
            yield entry.key.finding("W301", f"{quoted(path[-1])} has no reason", fix)
