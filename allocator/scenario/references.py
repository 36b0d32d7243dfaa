"""What a scenario needs of its data: tables not given, arms of no channel, contacts without a cost.

Runs on the tree, like every check that joins sections.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence, Set
from contextlib import suppress

from allocator.errors import Finding, closest
from allocator.quantities import SpellingError, parse_share, quoted
from allocator.scenario.tree import Entry, Node, Path

PREDICTED = "predicted_clv"
COUNTED = ("customers", "experiments")
_HISTORY = (("data",), ("data", "spend_history"), ("data", "spend_history", "spend"))


def data_references(
    tree: Node, channels: Sequence[str], broken: Set[Path] = frozenset()
) -> Iterator[Finding]:
    """Give every finding about what channels, tiers and tables ask of each other.

    Parameters
    ----------
    tree : Node
        With keys as the schema has them.
    channels : sequence of str
        The channels the scenario declares.
    broken : set of Path
        Places that were emptied because of a fault already reported.
    """
    yield from _arms(tree, channels)
    yield from _tested(tree, broken)
    yield from _observed(tree, channels, broken)
    yield from _tiers(tree, broken)


def channels_from(tree: Node, source: str) -> dict[str, Entry]:
    """Give the channels whose response comes from an experiment or from history, with what says so."""
    found = tree.select(("channels", "*", "response", "source"))
    return {str(path[1]): entry for path, entry in found if entry.node.value == source}


def _arms(tree: Node, channels: Sequence[str]) -> Iterator[Finding]:
    """Find arms of channels that are not there, and two channels that claim one arm."""
    arms = tree.get("data", "experiments", "arms")
    control = tree.get("data", "experiments", "control")
    taken: dict[str, str] = {"control" if control is None else str(control.value): "the control group"}
    for name, entry in (arms.entries if arms is not None else {}).items():
        if unicodedata.normalize("NFC", name) not in channels:
            yield _no_channel(name, entry, channels)
        arm = str(entry.node.value)
        if arm in taken:
            what = f"the arm {quoted(arm)} is given to {quoted(taken[arm])} and to {quoted(name)}"
            yield entry.node.mark.finding("E113", what, "one arm tests one channel")
        taken[arm] = name


def _no_channel(name: str, entry: Entry, channels: Sequence[str]) -> Finding:
    near = closest(name, channels)
    listed = f"channels in this scenario: {', '.join(channels)}"
    fix = f"did you mean {quoted(near)}?" if near else listed
    return entry.key.finding("E201", f"there is no channel {quoted(name)}", fix)


def _tested(tree: Node, broken: Set[Path]) -> Iterator[Finding]:
    experiments = tree.get("data", "experiments")
    for channel, entry in channels_from(tree, "experiment").items():
        if experiments is None and ("data", "experiments") not in broken and ("data",) not in broken:
            what = f"the response of {quoted(channel)} comes from an experiment, but no table of one is given"
            yield entry.node.mark.finding("E209", what, "add data.experiments: {path: …}")
        stated = tree.get("channels", channel, "cost_per_contact") is not None
        if not stated and ("channels", channel, "cost_per_contact") not in broken:
            what = f"what a contact by {quoted(channel)} costs is not stated"
            fix = f"add channels.{channel}.cost_per_contact: the test tells what contacts bring only"
            yield entry.node.mark.finding("E206", what, fix)


def _observed(tree: Node, channels: Sequence[str], broken: Set[Path]) -> Iterator[Finding]:
    """Find spend of no channel, and channels whose history is not there or cannot be valued."""
    spend = tree.get("data", "spend_history", "spend")
    for name, entry in (spend.entries if spend is not None else {}).items():
        if unicodedata.normalize("NFC", name) not in channels:
            yield _no_channel(name, entry, channels)
    if any(path in broken for path in _HISTORY):
        return
    resting = channels_from(tree, "history")
    for channel, entry in resting.items():
        if spend is None:
            what = f"the response of {quoted(channel)} comes from history, but no table of one is given"
            yield entry.node.mark.finding("E209", what, "add data.spend_history: {path: …}")
        elif channel not in spend.entries:
            what = f"the spend history has no column for {quoted(channel)}"
            fix = f"add data.spend_history.spend.{channel}: the column with its spend"
            yield entry.node.mark.finding("E209", what, fix)
    if spend is not None and (resting or any(name in spend.entries for name in _doubted(tree))):
        yield from _valued(tree)


def _doubted(tree: Node) -> Iterator[str]:
    """Give the channels whose expert is not trusted fully."""
    for channel in channels_from(tree, "expert"):
        trust = tree.get("channels", channel, "response", "trust")
        with suppress(SpellingError):  # reported where the value is read
            if trust is not None and parse_share(trust.value) < 1:
                yield channel


def _valued(tree: Node) -> Iterator[Finding]:
    """Find what turns a history of periods into margin of the horizon, where it is not stated."""
    table = tree.entry("data", "spend_history")
    outcome = tree.get("data", "spend_history", "outcome")
    if table is None:
        return
    if outcome is not None and not outcome.is_mapping and tree.get("objective", "margin") is None:
        place = tree.entry("objective") or table
        what = "the spend history tells revenue, but what revenue earns is not stated"
        yield place.key.finding("E101", what, "add objective.margin, such as 35%")
    if tree.get("horizon") is None:
        what = "the spend history tells what a period brings, but not stated is how long the plan is for"
        yield table.key.finding("E101", what, "add horizon: {start: …, end: …}")


def _tiers(tree: Node, broken: Set[Path]) -> Iterator[Finding]:
    """Find tiers by predicted value where customers have to be told apart, but no orders are given."""
    tiers = tree.entry("tiers")
    if tiers is None or ("data", "transactions") in broken or ("data",) in broken:
        return
    by = tiers.node.get("by")
    place = by.mark if by is not None else tiers.key
    if by is not None and by.value != PREDICTED:
        if not any(tree.get("data", table) is not None for table in COUNTED):
            what = f"no table has the column {quoted(by.value)}"
            yield place.finding("E209", what, "add data.customers or data.experiments with this column")
        return
    if tree.get("data", "transactions") is None:
        needing = [table for table in COUNTED if tree.get("data", table) is not None]
        if needing or (_ranged(tiers.node) and tree.get("data", "curves") is None):
            what = "no orders are given to predict the value of customers from"
            yield place.finding(
                "E209", what, "add data.transactions: {path: …}, or sort customers by a column"
            )


def _ranged(tiers: Node) -> bool:
    """Whether all tiers are ranges of the value, so that only data tell how many customers they hold."""
    levels = [entry.node.entries for _, entry in tiers.select(("levels", "*"))]
    return bool(levels) and all({"from", "to"} & set(level) and "share" not in level for level in levels)
