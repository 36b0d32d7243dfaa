"""Building the tree of a file from what a parser reports, within stated limits, every node with its place."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import NamedTuple

from allocator.errors import Finding, Origin, ScenarioError
from allocator.quantities import quoted
from allocator.scenario.tree import Entry, Mark, Node

MAX_NODES = 20_000
MAX_DEPTH = 30
NULLS = frozenset({"", "~", "null", "Null", "NULL"})
LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


class Span(NamedTuple):
    """Where something stands, lines and columns counted from 0, and its tag and anchor."""

    line: int
    column: int
    end_line: int
    end_column: int
    tag: str | None = None
    anchor: str | None = None


@dataclass
class _Frame:
    """A mapping or list under construction."""

    mark: Mark
    is_mapping: bool
    anchor: str | None
    entries: dict[str, Entry] = field(default_factory=dict)
    items: list[Node] = field(default_factory=list)
    key: tuple[str, Mark] | None = None
    size: int = 1
    height: int = 1


@dataclass(frozen=True)
class _Built:
    """A finished node, the number of nodes it expands to, and its depth."""

    node: Node
    size: int = 1
    height: int = 0


class TreeBuilder:
    """Builds the tree from events, counting nodes and depth as it goes."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.lines = [printable(line) for line in LINE_BREAK.split(text)]
        self.stack: list[_Frame] = []
        self.anchors: dict[str, _Built] = {}
        self.root: Node | None = None
        self.nodes = 0
        self.documents = 0
        self.findings: list[Finding] = []

    def mark(self, line: int, column: int, width: int = 1) -> Mark:
        """Give a place by line and column counted from 0."""
        text = self.lines[line] if line < len(self.lines) else ""
        return Mark(Origin(self.file, line + 1, column + 1), max(width, 1), text)

    def refuse(self, mark: Mark, code: str, what: str, fix: str = "") -> ScenarioError:
        """Give the error that ends reading, with everything found so far."""
        return ScenarioError([*self.findings, mark.finding(code, what, fix)])

    def document(self, span: Span) -> None:
        """Begin a document; there may be one."""
        self.documents += 1
        if self.documents > 1:
            mark = self.mark(span.line, span.column, 3)
            fix = "keep one scenario per file; let the second one extend the first"
            raise self.refuse(mark, "E009", "the file holds several documents", fix)

    def _marked(self, span: Span) -> Mark:
        text = self.lines[span.line] if span.line < len(self.lines) else ""
        stop = span.end_column if span.end_line == span.line else len(text)
        mark = self.mark(span.line, span.column, stop - span.column)
        if span.tag is not None:
            what = f"tags such as {quoted(span.tag)} are not read"
            raise self.refuse(mark, "E008", what, "write the plain value")
        return mark

    def open(self, span: Span, *, is_mapping: bool) -> None:
        """Begin a mapping or a list."""
        mark = self._marked(span)
        if len(self.stack) >= MAX_DEPTH:
            raise self.refuse(mark, "E004", f"the file is nested more than {MAX_DEPTH} levels deep")
        self._refuse_as_key(mark)
        self._count(1, mark)
        self.stack.append(_Frame(mark, is_mapping, span.anchor))

    def _refuse_as_key(self, mark: Mark) -> None:
        if self.stack and self.stack[-1].is_mapping and self.stack[-1].key is None:
            raise self.refuse(mark, "E003", "a key has to be plain text", "write 'key: value'")

    def close(self) -> None:
        """End the innermost mapping or list."""
        frame = self.stack.pop()
        value = frame.entries if frame.is_mapping else tuple(frame.items)
        self._place(_Built(Node(value, frame.mark), frame.size, frame.height), frame.anchor)

    def scalar(self, span: Span, text: str, *, plain: bool) -> None:
        """Take in a scalar; `plain` is one without quotes."""
        mark = self._marked(span)
        self._count(1, mark)
        if any("\ud800" <= character <= "\udfff" for character in text):
            what = "half of a surrogate pair is no character"
            raise self.refuse(mark, "E003", what, "write the character itself")
        frame = self.stack[-1] if self.stack else None
        if frame and frame.is_mapping and frame.key is None:
            name = unicodedata.normalize("NFC", text)
            if not name.strip():
                self.findings.append(mark.finding("E109", "a key is empty", "write 'key: value'"))
            frame.key = (name, mark)
        else:
            self._place(_Built(Node(None if plain and text in NULLS else text, mark)), span.anchor)

    def alias(self, span: Span) -> None:
        """Take in what an anchor above stands for."""
        name = span.anchor or ""
        mark = self.mark(span.line, span.column, len(name) + 1)
        self._refuse_as_key(mark)
        built = self.anchors.get(name)
        if built is None:
            inside = any(frame.anchor == name for frame in self.stack)
            what = f"'*{name}' contains itself" if inside else f"there is no anchor '&{name}' above"
            raise self.refuse(mark, "E003", what)
        self._count(built.size, mark)
        if len(self.stack) + built.height > MAX_DEPTH:
            raise self.refuse(mark, "E004", f"the file is nested more than {MAX_DEPTH} levels deep")
        self._place(built, None)

    def _count(self, size: int, mark: Mark) -> None:
        self.nodes += size
        if self.nodes > MAX_NODES:
            what = f"the file holds more than {MAX_NODES:,} values"
            raise self.refuse(mark, "E004", what, "every use of an alias counts as a copy")

    def _place(self, built: _Built, anchor: str | None) -> None:
        """Put a finished node where it belongs."""
        if anchor:
            self.anchors[anchor] = built
        if not self.stack:
            self.root = built.node
            return
        frame = self.stack[-1]
        frame.size += built.size
        frame.height = max(frame.height, built.height + 1)
        if not frame.is_mapping:
            frame.items.append(built.node)
        elif frame.key is not None:
            self._add(frame, *frame.key, built.node)
            frame.key = None

    def _add(self, frame: _Frame, name: str, mark: Mark, node: Node) -> None:
        first = frame.entries.get(name)
        if first is None:
            frame.entries[name] = Entry(mark, node)
            return
        line = first.key.origin.line
        self.findings.append(
            mark.finding("E006", f"{quoted(name)} is written twice; the first is on line {line}")
        )


def printable(line: str) -> str:
    """Give a line as it can be shown: as many characters, none that controls the terminal."""
    return "".join(
        c if c.isprintable() else " " if c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in line
    ).rstrip()
