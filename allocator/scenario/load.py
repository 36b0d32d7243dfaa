"""The only YAML reader: text with positions in, a tree of plain data out, within stated limits.

Parsing stops at events: no constructor runs, so no tag can create an object, and every scalar stays the
text its writer typed. YAML's own readings (``no`` is false, ``1:30`` is 90) never happen.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import Any

from pydantic_core import PydanticCustomError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)

from allocator.errors import ArgumentError, Finding, Origin, ScenarioError, closest
from allocator.quantities import quoted
from allocator.scenario.build import LINE_BREAK, NULLS, Span, TreeBuilder, printable
from allocator.scenario.merge import Merger
from allocator.scenario.schema import Scenario, Source, followed, inside, known_keys, near_file, read_version
from allocator.scenario.tree import Entry, Mark, Node

MAX_BYTES = 1_000_000

_PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"PAR1", b"\x89PNG", b"%PDF")
"""How files begin that people have beside a scenario: gzip, zip and workbooks, Parquet, pictures."""

_NOTHING: Mapping[str, str] = MappingProxyType({})
_MARKERS = (".git", "pyproject.toml", ".allocator")
_FILE_KEYS = ("extends", "override")
_PLAIN_WORDS = {
    "mapping values are not allowed here": "quote a text that holds a colon, or check the indentation",
    "found character '\\t' that cannot start any token": "indent with spaces",
    "could not find expected ':'": "write 'key: value'",
}


def read_text(text: str, file: str) -> tuple[Node, tuple[Finding, ...]]:
    """Give the tree of one YAML document, and faults that do not stop its reading.

    Parameters
    ----------
    text : str
    file : str
        The name findings show.

    Raises
    ------
    ScenarioError
        E003, E004, E008, E009 or E010: there is no tree.

    Examples
    --------
    >>> tree, findings = read_text("budget: {total: 1.2M}", "q1.yaml")
    >>> tree.plain(), findings
    ({'budget': {'total': '1.2M'}}, ())
    """
    builder = TreeBuilder(text, file)
    try:
        for event in _events(text):
            _take(builder, event)
    except MarkedYAMLError as error:
        raise _syntax_error(builder, error) from None
    except (YAMLError, ValueError, OverflowError) as error:
        if isinstance(error, ScenarioError):
            raise
        raise _unreadable_character(builder, text, error) from None
    if builder.root is None or not builder.root.is_mapping:
        what = (
            "the file is empty"
            if builder.root is None or builder.root.value is None
            else "the file is no mapping"
        )
        raise builder.refuse(
            builder.mark(0, 0), "E010", what, "write 'key: value' lines, the first 'version: 1'"
        )
    return builder.root, tuple(builder.findings)


def _events(text: str) -> Iterable[Any]:
    parser: Iterable[Any] = YAML(typ="safe", pure=True).parse(text)
    return parser


def _take(builder: TreeBuilder, event: Any) -> None:  # noqa: ANN401 - ruamel's events share no typed base
    """Hand one event of the parser to the builder."""
    start, end = event.start_mark, event.end_mark
    tag = getattr(event, "tag", None) if isinstance(event, NodeEvent) else None
    anchor = getattr(event, "anchor", None)
    span = Span(start.line, start.column, end.line, end.column, tag, anchor)
    if isinstance(event, DocumentStartEvent):
        builder.document(span)
    elif isinstance(event, CollectionStartEvent):
        builder.open(span, is_mapping=isinstance(event, MappingStartEvent))
    elif isinstance(event, CollectionEndEvent):
        builder.close()
    elif isinstance(event, ScalarEvent):
        builder.scalar(span, event.value, plain=event.style is None)
    elif isinstance(event, AliasEvent):
        builder.alias(span)


def _syntax_error(builder: TreeBuilder, error: MarkedYAMLError) -> ScenarioError:
    problem = str(error.problem or "the text is not YAML")
    at = error.context_mark if problem.startswith("could not find") else error.problem_mark
    at = at or error.problem_mark or error.context_mark
    mark = builder.mark(at.line, at.column) if at else builder.mark(0, 0)
    context = f" ({error.context})" if error.context else ""
    return builder.refuse(
        mark, "E003", f"{problem}{context}", _PLAIN_WORDS.get(problem, "check quotes and brackets")
    )


def _unreadable_character(builder: TreeBuilder, text: str, error: Exception) -> ScenarioError:
    position = getattr(error, "position", 0)
    before = LINE_BREAK.split(text[:position])
    mark = builder.mark(len(before) - 1, len(before[-1]))
    return builder.refuse(mark, "E003", "the file holds a character that YAML does not allow", "remove it")


def load_scenario(
    path: str | os.PathLike[str], *, allow_outside: bool = False, sets: Mapping[str, str] = _NOTHING
) -> Scenario:
    """Read a scenario file with everything it extends, and check it.

    Parameters
    ----------
    path : path
        Shown in findings as it is given.
    allow_outside : bool
        Whether `extends` and `data` paths may leave the project folder: the nearest folder above the file
        with ``.git``, ``pyproject.toml`` or ``.allocator`` in it, else the file's own.
    sets : mapping of str to str
        Dotted path to value, as ``--set`` takes them; they outrank everything else.

    Raises
    ------
    ArgumentError
        A `TypeError` as well: `path` is no path.
    ScenarioError
        With every finding; each has its file, line and column.
    """
    if not isinstance(path, str | os.PathLike):
        what = f"a scenario is read from a path, not from a value of type {type(path).__name__}"
        raise ArgumentError(Finding("E103", None, what))
    shown = os.fspath(path)
    root = None if allow_outside else project_folder(FilePath(shown))
    files = _chain(shown, root)
    findings = [finding for file in files for finding in file.findings]
    merger = Merger(known_keys, findings)
    tree: Node | None = None
    for file in reversed(files):
        inherited = _without(tree, "sweep") if tree is not None else None
        tree = merger.merge(inherited, _without(file.tree, "extends", "override"))
        if file.overrides is not None:
            tree = merger.override(tree, file.overrides)
    if tree is None:
        raise ScenarioError(findings)
    tree = merger.override(tree, _settings(sets))
    folders = {file.shown: FilePath(file.shown).parent for file in files}
    folders["--set"] = FilePath()
    return Scenario.from_tree(Source(tree, shown, folders, root), findings, merger.broken)


def project_folder(file: FilePath) -> FilePath:
    """Give the folder that the paths of a scenario may not leave."""
    folder = followed(file).parent
    marked = (
        above for above in (folder, *folder.parents) if any((above / name).exists() for name in _MARKERS)
    )
    return next(marked, folder)


@dataclass(frozen=True)
class _File:
    """One file of a chain: what it holds, and faults that did not stop its reading."""

    shown: str
    tree: Node
    findings: tuple[Finding, ...]

    @property
    def overrides(self) -> Node | None:
        """The entries of `override`."""
        return self.tree.get("override")


def _chain(shown: str, root: FilePath | None) -> list[_File]:
    """Read a file, the one it extends, and so on up."""
    files: list[_File] = []
    seen: dict[FilePath, str] = {}
    asked: Node | None = None
    while True:
        real = followed(FilePath(shown))
        seen[real] = shown
        files.append(_read_file(shown, asked))
        asked = files[-1].tree.get("extends")
        if asked is None:
            return files
        if not isinstance(asked.value, str):
            raise ScenarioError(
                asked.mark.finding("E103", "'extends' has to be a path", "write extends: base.yaml")
            )
        shown = os.path.normpath(os.path.join(os.path.dirname(shown), asked.value))
        target = FilePath(shown)
        if root is not None and not inside(target, root):
            fix = "move it there, or use --allow-outside"
            raise ScenarioError(
                asked.mark.finding("E005", f"{quoted(asked.value)} is outside the project folder", fix)
            )
        if followed(target) in seen:
            what = f"the files extend each other in a circle: {quoted(asked.value)} is already read"
            raise ScenarioError(asked.mark.finding("E007", what))


def _read_file(shown: str, asked: Node | None) -> _File:
    """Read one file; a missing parent is a fault of the file that asked for it."""
    path = FilePath(shown)
    mark = asked.mark if asked is not None else Mark(Origin(shown, 1))
    name = str(asked.value) if asked is not None else shown
    try:
        if not path.is_file():
            kind = "is no file" if path.exists() else "does not exist"
            raise ScenarioError(mark.finding("E001", f"{quoted(name, 200)} {kind}", near_file(path)))
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, ScenarioError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise ScenarioError(mark.finding("E001", f"{quoted(name, 200)} cannot be read: {reason}")) from None
    tree, findings = read_text(_decoded(data, shown), shown)
    tree, slips = _file_keys(tree)
    _refuse_newer(tree)
    return _File(shown, tree, (*findings, *slips))


def _decoded(data: bytes, shown: str) -> str:
    mark = Mark(Origin(shown, 1))
    if data.startswith(_PACKED):
        what = f"{quoted(shown, 200)} is no scenario: it holds packed data"
        raise ScenarioError(mark.finding("E002", what, "a scenario is a text in YAML"))
    if len(data) > MAX_BYTES:
        raise ScenarioError(mark.finding("E004", f"the file is larger than {MAX_BYTES:,} bytes"))
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise ScenarioError(mark.finding("E002", "the file is written in UTF-16", "save it as UTF-8"))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace").split("\n")
        line = data.decode("utf-8", "replace").split("\n")[len(before) - 1]
        mark = Mark(Origin(shown, len(before), len(before[-1]) + 1), 1, printable(line))
        what = f"the byte 0x{data[error.start]:02X} is not UTF-8"
        raise ScenarioError(mark.finding("E002", what, "save the file as UTF-8")) from None


def _file_keys(tree: Node) -> tuple[Node, list[Finding]]:
    """Put misspelt `extends` and `override` right, which are gone when the schema sees the scenario."""
    known = [*(known_keys(None, ()) or ()), *_FILE_KEYS]
    findings = []
    entries = {}
    for name, entry in tree.entries.items():
        near = closest(name, known)
        if name not in known and near in _FILE_KEYS:
            findings.append(
                entry.key.finding("E102", f"unknown key {quoted(name)}", f"did you mean {quoted(near)}?")
            )
            if near not in tree.entries:
                entries[near] = entry
        else:
            entries[name] = entry
    if "override" in entries and "extends" not in entries:
        key = entries["override"].key
        findings.append(key.finding("E113", "'override' needs 'extends'", "change the values themselves"))
    return tree.with_entries(entries), findings


def _refuse_newer(tree: Node) -> None:
    """Refuse a file of a newer version at once: its other faults would be ours."""
    node = tree.get("version")
    if node is None:
        return
    try:
        read_version(node.value)
    except PydanticCustomError as error:
        if error.type == "E112" and error.context:
            raise ScenarioError(
                node.mark.finding("E112", error.context["what"], error.context["fix"])
            ) from None


def _without(tree: Node, *keys: str) -> Node:
    return tree.with_entries({name: entry for name, entry in tree.entries.items() if name not in keys})


def _settings(sets: Mapping[str, str]) -> Node:
    """Give ``--set PATH=VALUE`` arguments as overrides whose places are the arguments themselves."""
    entries = {}
    for number, (path, text) in enumerate(sets.items(), start=1):
        line = printable(f"{path}={text}")
        path = unicodedata.normalize("NFC", path)
        key = Mark(Origin("--set", number), max(len(path), 1), line)
        mark = Mark(Origin("--set", number, len(path) + 2), max(len(text), 1), line)
        entries[path] = Entry(key, _setting(text, mark))
    return Node(entries, Mark(Origin("--set", 1)))


def _setting(text: str, mark: Mark) -> Node:
    """Give one value: lists and mappings in YAML's brackets, anything else as it stands."""
    if text.strip()[:1] in {"[", "{"}:
        try:
            node = read_text(f"value: {text}", "--set")[0].get("value")
        except ScenarioError as error:
            raise ScenarioError(mark.finding("E003", error.findings[0].what)) from None
        return _remarked(node, mark) if node is not None else Node(None, mark)
    return Node(None if text.strip() in NULLS else text.strip(), mark)


def _remarked(node: Node, mark: Mark) -> Node:
    if node.is_mapping:
        return Node(
            {key: Entry(mark, _remarked(entry.node, mark)) for key, entry in node.entries.items()}, mark
        )
    return Node(tuple(_remarked(item, mark) for item in node.items) if node.items else node.value, mark)
