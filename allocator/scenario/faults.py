"""What pydantic found, as findings with places and in the words of the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Set
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from allocator.errors import Finding, closest
from allocator.quantities import quoted
from allocator.scenario.relative import is_relative
from allocator.scenario.tree import Entry, Node, Path

Words = tuple[str, str, str]
"""Code, what is wrong, what to do."""


def findings_of(error: ValidationError, tree: Node, broken: Set[Path] = frozenset()) -> Iterator[Finding]:
    """Give one finding per fault of a validation.

    Parameters
    ----------
    error : ValidationError
    tree : Node
        What was validated.
    broken : set of Path
        Places that were emptied because of a fault already reported: nothing is missing there.
    """
    for details in error.errors(include_url=False):
        place = _placed(details["loc"], tree)
        finding = _finding(details, place)
        if finding.code != "E101" or not place.lies_above(broken):
            yield finding


class _Place(NamedTuple):
    """What a fault is about: its path and entry, and the name of the key that is missing below it."""

    path: Path
    entry: Entry
    missing: str | None

    def lies_above(self, broken: Set[Path]) -> bool:
        """Whether what is missing here is one of the broken places."""
        if self.missing is not None:
            return (*self.path, self.missing) in broken
        return any(path[:-1] == self.path for path in broken)


def _placed(loc: tuple[int | str, ...], tree: Node) -> _Place:
    place = _Place((), Entry(tree.mark, tree), None)
    for step in loc:
        entry = place.entry.node.entry(step)
        # steps that are no keys are pydantic's own: tags of unions, names of validators
        if entry is not None:
            place = _Place((*place.path, step), entry, None)
        else:
            place = place._replace(missing=str(step))
    return place


def _finding(details: ErrorDetails, place: _Place) -> Finding:
    context: Mapping[str, Any] = details.get("ctx") or {}
    at = str(context.get("at") or "")
    entry = place.entry
    if at:
        entry = entry.node.entry(*at.split(".")) or entry
    node = entry.node
    missing = place.missing if details["type"] == "missing" else None
    keys = [step for step in place.path if isinstance(step, str)]  # an item of a list goes by the list's name
    name = missing or at or (keys[-1] if keys else "the scenario")
    code, what, fix = _words(details, node, name)
    if is_relative(node.value) and code in {"E104", "E105"}:
        code, what = "E111", f"{quoted(node.value)}: relative values are read in override and sweep only"
        fix = "write the value itself"
    return (entry.key if node.is_mapping else node.mark).finding(code, what, fix)


def _words(details: ErrorDetails, node: Node, name: str) -> Words:
    kind = details["type"]
    context: Mapping[str, Any] = details.get("ctx") or {}
    if "what" in context:
        return kind, str(context["what"]), str(context.get("fix", ""))
    for family, words in _WORDS.items():
        if kind in family:
            return words(node, name, context)
    return "E103", details["msg"].removeprefix("Value error, "), ""


def _missing(_: Node, name: str, __: Mapping[str, Any]) -> Words:
    return "E101", f"missing key {quoted(name)}", f"add '{name}: …'"


def _untagged(_: Node, __: str, context: Mapping[str, Any]) -> Words:
    name = str(context["discriminator"]).strip("'")
    return "E101", f"missing key {quoted(name)}", f"add '{name}: …'"


def _unknown_key(_: Node, name: str, __: Mapping[str, Any]) -> Words:
    return "E102", f"unknown key {quoted(name)}", "remove it"


def _no_choice(node: Node, name: str, context: Mapping[str, Any]) -> Words:
    options = re.findall(r"'([^']*)'", str(context.get("expected") or context.get("expected_tags") or ""))
    near = closest(str(node.value), options) if isinstance(node.value, str) else None
    fix = f"did you mean {quoted(near)}?" if near else f"choices: {', '.join(options)}"
    return "E103", f"{_shown(node)} is no choice for {quoted(name)}", fix


def _no_mapping(node: Node, name: str, _: Mapping[str, Any]) -> Words:
    return (
        "E103",
        f"{quoted(name)} has to be a mapping, not {_shown(node)}",
        "write 'key: value' lines below it",
    )


def _no_list(node: Node, name: str, _: Mapping[str, Any]) -> Words:
    return "E103", f"{quoted(name)} has to be a list, not {_shown(node)}", "write [first, second]"


def _no_text(node: Node, name: str, _: Mapping[str, Any]) -> Words:
    return "E103", f"{quoted(name)} has to be a text, not {_shown(node)}", ""


def _too_short(_: Node, name: str, context: Mapping[str, Any]) -> Words:
    return "E103", f"{quoted(name)} needs at least {context.get('min_length', 1)}", ""


def _out_of_range(node: Node, name: str, context: Mapping[str, Any]) -> Words:
    limits = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    asked = " and ".join(f"{word} {context[key]:g}" for key, word in limits.items() if key in context)
    return "E106", f"{_shown(node)} is out of range for {quoted(name)}", f"it has to be {asked}"


_WORDS: dict[frozenset[str], Callable[[Node, str, Mapping[str, Any]], Words]] = {
    frozenset({"missing"}): _missing,
    frozenset({"union_tag_not_found"}): _untagged,
    frozenset({"extra_forbidden"}): _unknown_key,
    frozenset({"literal_error", "enum", "union_tag_invalid"}): _no_choice,
    frozenset({"model_type", "dict_type", "mapping_type", "model_attributes_type"}): _no_mapping,
    frozenset({"tuple_type", "list_type"}): _no_list,
    frozenset({"string_type"}): _no_text,
    frozenset({"too_short"}): _too_short,
    frozenset({"greater_than", "greater_than_equal", "less_than", "less_than_equal"}): _out_of_range,
}


def _shown(node: Node) -> str:
    if node.is_mapping:
        return "a mapping"
    if isinstance(node.value, tuple):
        return "a list"
    return "nothing" if node.value is None else quoted(node.value)
