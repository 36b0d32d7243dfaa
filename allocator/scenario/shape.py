"""The schema as a map: which keys may stand where, and a tree with its slips put right.

A misspelt key is one error. It is reported, then put right, so that it causes no second one and what stands
below it is still checked.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from allocator.errors import Finding, closest
from allocator.quantities import quoted
from allocator.scenario.tree import Entry, Node, Path

Model = type[BaseModel]


def alternatives(annotation: object) -> Iterator[Any]:
    """Give the types an annotation allows, without wrappers and unions."""
    if get_origin(annotation) is Annotated:
        yield from alternatives(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for argument in get_args(annotation):
            yield from alternatives(argument)
    else:
        yield annotation


def models(annotation: object) -> list[Model]:
    """Give the option objects an annotation allows."""
    return [
        kind for kind in alternatives(annotation) if isinstance(kind, type) and issubclass(kind, BaseModel)
    ]


def fields(model: Model) -> dict[str, FieldInfo]:
    """Give the fields of an option object by the key a file uses."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def tag_of(kinds: Sequence[Model]) -> str | None:
    """Give the key whose value says which of several option objects is meant, such as ``measure``."""
    if len(kinds) < 2:
        return None
    shared = set.intersection(*(set(fields(kind)) for kind in kinds))
    tags = (key for key in fields(kinds[0]) if key in shared and all(_choices(fields(k)[key]) for k in kinds))
    return next(tags, None)


def _choices(info: FieldInfo) -> tuple[str, ...]:
    return get_args(info.annotation) if get_origin(info.annotation) is Literal else ()


def narrowed(kinds: Sequence[Model], node: Node | None) -> list[Model]:
    """Give the option objects that the tag of `node` leaves, all of them where it has none."""
    tag = tag_of(kinds)
    chosen = node.get(tag) if node is not None and tag else None
    if tag is None or chosen is None:
        return list(kinds)
    return [kind for kind in kinds if chosen.value in _choices(fields(kind)[tag])]


def below(annotation: object, step: str | int, node: Node | None = None) -> object:
    """Give the annotation of what stands at `step` below a value of `annotation`; None where nothing may."""
    for kind in narrowed(models(annotation), node):
        if step in fields(kind):
            return _with_metadata(fields(kind)[str(step)])
    for kind in alternatives(annotation):
        arguments = get_args(kind)
        if _is_mapping(kind):
            return arguments[1]
        if isinstance(step, int) and get_origin(kind) in (tuple, list):
            return (
                arguments[0]
                if len(arguments) < 2 or arguments[1] is ...
                else arguments[step % len(arguments)]
            )
    return None


def _with_metadata(info: FieldInfo) -> object:
    return info.annotation


def _is_mapping(kind: object) -> bool:
    origin = get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def keys_at(root: Model, tree: Node | None, path: Path) -> tuple[str, ...] | None:
    """Give the keys that may stand at `path`; None where names are free.

    Parameters
    ----------
    root : option class
        Of the whole.
    tree : Node or None
        What is there, to tell kinds of option objects apart.
    path : tuple
    """
    annotation: object = root
    for position, step in enumerate(path):
        here = tree.get(*path[:position]) if tree is not None else None
        annotation = below(annotation, step, here)
    if any(kind is Any or _is_mapping(kind) for kind in alternatives(annotation)):
        return None
    here = tree.get(*path) if tree is not None else None
    return tuple(dict.fromkeys(key for kind in narrowed(models(annotation), here) for key in fields(kind)))


@dataclass
class Straightener:
    """Reports unknown keys and unknown kinds, and puts right what can be.

    Parameters
    ----------
    findings : list of Finding
        Grows.
    broken : set of Path
        Places that were taken out because nothing sensible could be put there.
    """

    findings: list[Finding] = field(default_factory=list)
    broken: set[Path] = field(default_factory=set)

    def straighten(self, node: Node, annotation: object, path: Path = ()) -> Node:
        """Give `node` with keys as `annotation` has them."""
        if node.items:
            items = tuple(
                self.straighten(item, below(annotation, i), (*path, i)) for i, item in enumerate(node.items)
            )
            return replace(node, value=items)
        if not node.is_mapping:
            return node
        kinds = models(annotation)
        if kinds:
            node = self._right_keys(node, kinds, path)
            node = self._right_tag(node, kinds, path)
        entries = {}
        for name, entry in node.entries.items():
            place = (*path, name)
            fixed = self.straighten(entry.node, below(annotation, name, node), place)
            if place not in self.broken:
                entries[name] = Entry(entry.key, fixed)
        return node.with_entries(entries)

    def _right_keys(self, node: Node, kinds: Sequence[Model], path: Path) -> Node:
        candidates = narrowed(kinds, node) or kinds
        if any(kind.model_config.get("extra") == "allow" for kind in candidates) and len(candidates) == 1:
            return node
        known = list(dict.fromkeys(key for kind in candidates for key in fields(kind)))
        entries: dict[str, Entry] = {}
        for name, entry in node.entries.items():
            if name in known:
                entries[name] = entry
                continue
            absent = [key for key in known if key not in node.entries]
            near = closest(name, absent) or closest(name, known)
            fix = f"did you mean {quoted(near)}?" if near else f"keys here: {', '.join(known)}"
            self.findings.append(entry.key.finding("E102", f"unknown key {quoted(name)}", fix))
            meant = closest(name, absent, cutoff=0.6) or slip(name, absent)
            if meant and meant not in entries:
                entries[meant] = entry
        return node.with_entries(entries)

    def _right_tag(self, node: Node, kinds: Sequence[Model], path: Path) -> Node:
        """Report a kind that does not exist, and read it as the closest one."""
        tag = tag_of(kinds)
        entry = node.entry(tag) if tag else None
        if tag is None or entry is None or narrowed(kinds, node):
            return node
        choices = [choice for kind in kinds for choice in _choices(fields(kind)[tag])]
        written = str(entry.node.value) if isinstance(entry.node.value, str) else "this"
        near = closest(written, choices)
        fix = f"did you mean {quoted(near)}?" if near else f"choices: {', '.join(choices)}"
        what = f"{quoted(written)} is no {tag}" if written != "this" else f"a text is expected for {tag}"
        self.findings.append(entry.node.mark.finding("E103", what, fix))
        meant = near or slip(written, choices)
        if meant is None:
            self.broken.add(path)
            return node
        return node.with_entries({**node.entries, tag: Entry(entry.key, replace(entry.node, value=meant))})


def slip(name: str, options: Sequence[str]) -> str | None:
    """Give the only option one slip away from `name`: a letter more, less, other or swapped.

    Examples
    --------
    >>> slip("mni", ["min", "max"])
    'min'
    """
    near = [option for option in options if _one_slip(name, option)]
    return near[0] if len(near) == 1 else None


def _one_slip(left: str, right: str) -> bool:
    start = next(
        (i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right))
    )
    left, right = left[start:], right[start:]
    swapped = left[1:2] + left[:1] + left[2:]
    return left[1:] == right[1:] or left[1:] == right or left == right[1:] or swapped == right
