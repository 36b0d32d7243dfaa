"""Rows of a CSV file that are broken in shape, and the lines on which rows stand."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from allocator.errors import DataError, Finding, Origin
from allocator.tables.files import CHUNK, File

_REASONS = {
    "MISSING COLUMNS": "has too few fields",
    "TOO MANY COLUMNS": "has too many fields",
    "UNQUOTED VALUE": "has a quote out of place",
    "INVALID ENCODING": "is no text",
}
_OPEN = "look for a quote that is never closed"
_TOO_LONG = "LINE SIZE OVER MAXIMUM"


@dataclass(frozen=True)
class Broken:
    """A row that cannot be split into cells.

    Parameters
    ----------
    line : int
        Where it begins.
    text : str
    reason : str
    lines : int
        How many it takes.
    """

    line: int
    text: str
    reason: str
    lines: int = 1


def read_broken(file: File, text: Path, found: Iterable[tuple[int, str, str]]) -> tuple[Broken, ...]:
    """Give the broken rows the engine reports as (first byte from 1, kind, text), in order.

    Raises
    ------
    DataError
        E314 when a quote that is never closed, or a row without end, swallows what follows.
    """
    rows = [next(group) for _, group in groupby(sorted(found), key=lambda one: one[0])]
    rows = [row for row in rows if row[2].strip() or row[1] == _TOO_LONG]
    lines = _lines_at(text, [byte - 1 for byte, _, _ in rows])
    broken = []
    for (_, kind, held), line in zip(rows, lines, strict=True):
        begin = line + len(held) - len(held.lstrip("\n"))
        held = held.strip("\n")
        if kind == _TOO_LONG or (kind == "UNQUOTED VALUE" and "\n" in held):
            what = f"the row that begins in line {begin} of {file.name} does not end"
            where = Origin(file.shown, begin)
            raise DataError(Finding("E314", where, what, _OPEN))
        broken.append(Broken(begin, held, _REASONS.get(kind, "cannot be read"), held.count("\n") + 1))
    return tuple(broken)


def _lines_at(text: Path, places: Sequence[int]) -> list[int]:
    """Give the line numbers of rising byte positions."""
    lines: list[int] = []
    line, start = 1, 0
    with text.open("rb") as stream:
        while len(lines) < len(places) and (chunk := stream.read(CHUNK)):
            at = 0
            while len(lines) < len(places) and places[len(lines)] < start + len(chunk):
                until = places[len(lines)] - start
                line += chunk.count(b"\n", at, until)
                lines.append(line)
                at = until
            line += chunk.count(b"\n", at)
            start += len(chunk)
    return lines + [line] * (len(places) - len(lines))


def check_complete(file: File, text: Path, total: int, broken: Sequence[Broken]) -> None:
    """Compare the rows the engine read with the lines there are, and where they differ count independently.

    An engine may drop a row without a word when a quote is open at the end of the file.

    Raises
    ------
    DataError
        E314 when rows are neither read nor known to be broken.
    """
    if _line_count(text) == 1 + total + sum(one.lines for one in broken):
        return
    try:
        lines = list(_begins(text, file.delimiter))
        complete, last = len(lines) == total + len(broken), lines[-1] if lines else 1
    except csv.Error as error:
        complete, last = False, int(str(error))
    if not complete:
        what = f"the row that begins in line {last} of {file.name} does not end, or one before it"
        raise DataError(Finding("E314", Origin(file.shown, last), what, _OPEN))


def line_starts(
    text: Path, delimiter: str, rows: Sequence[int], total: int, broken: Sequence[Broken]
) -> dict[int, int]:
    """Give the first line of rows, counted from 0 among the `total` ones that are not broken."""
    if not rows:
        return {}
    if _line_count(text) == 1 + total + len(broken):  # nothing takes two lines, none is blank
        return {row: _shifted(row + 2, broken) for row in rows}
    wanted, last = set(rows), max(rows)
    found: dict[int, int] = {}
    for row, line in enumerate(_sound(text, delimiter, {one.line for one in broken})):
        if row > last:
            break
        if row in wanted:
            found[row] = line
    return {row: found.get(row, row + 2) for row in rows}


def _line_count(text: Path) -> int:
    lines, last = 0, b"\n"
    with text.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            lines, last = lines + chunk.count(b"\n"), chunk
    return lines + (not last.endswith(b"\n"))


def _shifted(line: int, broken: Sequence[Broken]) -> int:
    """Give a line counted without the broken ones, in the file."""
    for one in broken:
        if one.line > line:
            break
        line += 1
    return line


def _sound(text: Path, delimiter: str, broken: Set[int]) -> Iterator[int]:
    """Give the lines on which rows begin that are not broken."""
    try:
        yield from (line for line in _begins(text, delimiter) if line not in broken)
    except csv.Error:  # a field longer than the reader takes: rows behind it are counted
        return


def _begins(text: Path, delimiter: str) -> Iterator[int]:
    """Give the lines on which rows begin, the header and blank lines left out.

    Raises
    ------
    csv.Error
        With the line on which a row begins that holds a longer field than the reader takes.
    """
    with text.open(encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream, delimiter=delimiter)
        width, before = len(next(reader, [])), reader.line_num
        try:
            for record in reader:
                begin, before = before + 1, reader.line_num
                if width == 1 or len(record) > 1 or any(cell.strip() for cell in record):
                    yield begin
        except csv.Error:
            raise csv.Error(before + 1) from None
