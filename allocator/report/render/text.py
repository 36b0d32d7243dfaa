"""A document as text for a terminal, a log or ``print``."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text as Line

from allocator.report.document import Advice, Document, Figure, Refusal
from allocator.report.render.layout import joined, plain, wrapped
from allocator.report.render.table import table_lines

PIPE_WIDTH = 120  # where no terminal tells its width, output must not depend on chance

# one cell for one cell, so that columns stay aligned
_ASCII = {"·": "|", "–": "-", "±": "+", "…": ".", "─": "-", "’": "'", "−": "-", "°": "^"}


@dataclass(frozen=True)
class Terminal:
    """Where text is going.

    Parameters
    ----------
    width : int
        In character cells.
    color : bool
        Whether styles may be used.
    encoding : str
        What the place can show; characters outside it are replaced by ASCII.
    """

    width: int = PIPE_WIDTH
    color: bool = False
    encoding: str = "utf-8"

    @classmethod
    def of(cls, stream: TextIO, environ: Mapping[str, str] = os.environ) -> Terminal:
        """Find out what a stream can show: its width, ``NO_COLOR``, its encoding."""
        console = Console(file=stream, _environ=dict(environ))
        plain_only = bool(environ.get("NO_COLOR")) or console.legacy_windows or console.is_dumb_terminal
        width = console.width if console.is_terminal or environ.get("COLUMNS") else PIPE_WIDTH
        return cls(
            width=width,
            color=console.is_terminal and not plain_only,
            encoding=getattr(stream, "encoding", None) or "utf-8",
        )


def render_text(document: Document, terminal: Terminal | None = None) -> str:
    """Give a document as text, ending with a line break.

    Parameters
    ----------
    document : Document
    terminal : Terminal, optional
        Default: 120 columns, no colour, any character.
    """
    terminal = terminal or Terminal()
    lines = list(_lines(document, terminal.width, terminal.encoding))
    text = _styled(lines) if terminal.color else "".join(f"{line.plain.rstrip()}\n" for line in lines)
    return encodable(text, terminal.encoding)


def encodable(text: str, encoding: str) -> str:
    """Replace what an encoding cannot hold: our signs by ASCII ones, other characters by ``?`` a cell.

    Examples
    --------
    >>> encodable("1 · 2 – 图", "cp437"), encodable("1 · 2", "ascii")
    ('1 · 2 - ??', '1 | 2')
    """
    return "".join(c if _holds(encoding, c) else _ASCII.get(c, "?" * cell_len(c)) for c in text)


def _holds(encoding: str, character: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _styled(lines: Sequence[Line]) -> str:
    """Give lines with terminal codes."""
    console = Console(
        file=io.StringIO(),
        force_terminal=True,
        color_system="standard",
        no_color=False,
        legacy_windows=False,
        width=10_000,
        _environ={},
    )
    with console.capture() as capture:
        for line in lines:
            line.rstrip()
            console.print(line, soft_wrap=True, highlight=False)
    return capture.get()


def _lines(document: Document, width: int, encoding: str) -> Iterator[Line]:
    if document.refusal is None:
        yield from _title(document, width)
        if document.figures:
            yield Line()
            yield from _figures(document.figures, width)
    else:
        yield from _refusal(document.refusal, width)
    blocks = _holds(encoding, "█▏")
    for table in document.tables:
        yield Line()
        yield from table_lines(table, width, blocks=blocks)
    if document.advice:
        yield Line()
        yield Line("Keep in mind", "bold")
        for advice in document.advice:
            yield from _advice(advice, width)


def _title(document: Document, width: int) -> Iterator[Line]:
    title, rest = plain(document.title), [plain(item) for item in document.subtitle]
    one = Line(title, "bold").append("   " + " · ".join(rest), "not bold dim")
    if one.cell_len <= width:
        yield one
        return
    yield from (Line(line, "bold") for line in wrapped(title, width))
    yield from (Line(f"  {line}", "dim") for line in joined(rest, width - 2))


def _figures(figures: Sequence[Figure], width: int) -> Iterator[Line]:
    labels = [plain(figure.label) for figure in figures]
    values = [figure.value.text for figure in figures]
    wide, far = max(map(len, labels)), max(map(len, values))
    start = 2 + wide + 3 + far + 3
    for figure, label, value in zip(figures, labels, values, strict=True):
        head = Line(f"  {label:<{wide}}   ").append(f"{value:>{far}}", "bold").append("   ")
        for i, remarks in enumerate(joined([plain(r) for r in figure.remarks], max(width - start, 20))):
            yield (head if i == 0 else Line(" " * start)).append(remarks)


def _refusal(refusal: Refusal, width: int) -> Iterator[Line]:
    for i, line in enumerate(wrapped(f"no plan[{refusal.code}]: {plain(refusal.text)}", width)):
        yield Line(line, "bold red" if i == 0 else "bold")
    texts = [f"{'or ' if i else ''}{plain(choice.text)}" for i, choice in enumerate(refusal.choices)]
    column = max((len(text) for text in texts), default=0)
    for text, choice in zip(texts, refusal.choices, strict=True):
        remark = plain(choice.remark)
        if 2 + column + 3 + len(remark) <= width:
            yield Line(f"  {text:<{column}}   ").append(remark, "dim")
        else:
            first, *more = wrapped(text, width - 4)
            yield from (Line(part) for part in (f"  {first}", *(f"    {part}" for part in more)))
            yield from (Line(f"      {part}", "dim") for part in wrapped(remark, width - 6))


def _advice(advice: Advice, width: int) -> Iterator[Line]:
    mark = f"{advice.code}  " if advice.code else ""
    start = 1 + len(mark)
    for i, part in enumerate(wrapped(plain(advice.text), max(width - start, 20))):
        lead = Line(" ").append(mark, "yellow") if i == 0 else Line(" " * start)
        yield lead.append(part)
