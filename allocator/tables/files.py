"""Files before they are tables: found, opened, decoded; what cannot be read is one finding that says why.

Standard library only, so that ``check`` can look at headers without loading an engine.
"""

from __future__ import annotations

import codecs
import glob
import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from allocator.errors import DataError, Finding, Origin, closest
from allocator.quantities import quoted
from allocator.tables.contracts import TableOptions

OriginOf = Callable[[str], Origin | None]
"""Gives the place of an option of the table, such as ``path`` or ``columns.amount``."""

CHUNK = 1 << 20
MAX_TEXT = 2 << 30
"""Characters a compressed file may unfold to: a few kilobytes can hold endless zeros."""
_SAMPLE = 1 << 16
_SHOWN = 100
_PLAUSIBLE = ("cp1252", "gb18030", "big5", "shift_jis", "euc_kr", "cp1251", "utf-16-le", "utf-16-be")
_KNOWN = ("utf-8", "latin-1", "cp1250", "iso-8859-15", "utf-16", "gbk", *_PLAUSIBLE)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SIGNS = (
    (b"\x1f\x8b", "a gzip file", ".csv.gz"),
    (b"PAR1", "a Parquet file", ".parquet"),
    (b"PK\x03\x04", "a workbook or zip file", ".xlsx"),
    (b"\xd0\xcf\x11\xe0", "an old workbook", ".xls"),
    (b"%PDF", "a PDF file", ".pdf"),
    (b"SQLite format 3\x00", "a database file", ".sqlite"),
)


class Format(Enum):
    """How a file holds its table; told by the end of its name and checked against its first bytes."""

    CSV = "CSV"
    GZIP = "gzip"
    PARQUET = "Parquet"


@dataclass(frozen=True)
class File:
    """A file that is there and looks like what its name says.

    Parameters
    ----------
    path : Path
    shown : str
        As the user named it.
    format : Format
    options : TableOptions
    origin_of : function
    """

    path: Path
    shown: str
    format: Format
    options: TableOptions
    origin_of: OriginOf

    def error(self, code: str, what: str, fix: str = "", line: int = 0, option: str = "path") -> DataError:
        """Give the error of one finding: in a line of the file, else where the option was written."""
        where = Origin(self.shown, line) if line else self.origin_of(option)
        return DataError(Finding(code, where, what, fix))

    @property
    def name(self) -> str:
        """The file in quotes, for messages."""
        return quoted(self.shown, 200)

    @property
    def delimiter(self) -> str:
        """What stands between columns: as declared, else a tab in .tsv files, else a comma."""
        tabs = self.shown.lower().removesuffix(".gz").endswith((".tsv", ".tab"))
        return self.options.delimiter or ("\t" if tabs else ",")


def find(options: TableOptions, folder: Path, origin_of: OriginOf) -> File:
    """Give the file a table is read from.

    Raises
    ------
    DataError
        E301 when it cannot be opened, E314 when it is not what its name says, or of a kind not read yet.
    """
    file = File(folder / options.path, options.path, _format(options.path), options, origin_of)
    if options.time_zone is not None:
        raise file.error("E110", "time_zone is not supported yet", "write local times", option="time_zone")
    if options.sheet is not None:
        raise file.error("E110", "workbooks are not supported yet", "save the sheet as CSV", option="sheet")
    _check_there(file)
    _check_start(file)
    return file


def _check_there(file: File) -> None:
    try:
        if file.path.is_file():
            return
        found = file.path.exists()
    except (OSError, ValueError) as error:
        raise file.error("E301", f"{file.name} cannot be opened: {_reason(error)}") from None
    if file.path.is_dir():
        raise file.error("E301", f"{file.name} is a folder", "name the file in it")
    if found:
        raise file.error("E301", f"{file.name} is not a regular file")
    raise file.error("E301", f"there is no file {file.name}", _beside(file.path))


def _beside(path: Path) -> str:
    """Give the file beside a missing one that is most alike, as a suggestion."""
    try:
        near = closest(path.name, [entry.name for entry in path.parent.iterdir()])
    except OSError:
        return f"there is no folder {quoted(path.parent.name)} either"
    return f"did you mean {quoted(near)}?" if near else "check the path"


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _format(shown: str) -> Format:
    name = shown.lower()
    if name.endswith((".gz", ".gzip")):
        return Format.GZIP
    return Format.PARQUET if name.endswith((".parquet", ".pq")) else Format.CSV


def _check_start(file: File) -> None:
    """Refuse a file whose first bytes contradict its name."""
    try:
        with file.path.open("rb") as stream:
            start = stream.read(16)
    except (OSError, ValueError) as error:
        raise file.error("E301", f"{file.name} cannot be opened: {_reason(error)}") from None
    if not start:
        raise file.error("E305", f"{file.name} is empty: there is not even a header")
    expected = {Format.GZIP: b"\x1f\x8b", Format.PARQUET: b"PAR1"}.get(file.format)
    if expected is not None and not start.startswith(expected):
        what = f"{file.name} is no {file.format.value} file by its content"
        raise file.error("E314", what, "give it the name that fits")
    seen = next((sign for sign in _SIGNS if start.startswith(sign[0])), None)
    if expected is None and seen is not None:
        better = f"name it {seen[2]}" if seen[2] in {".csv.gz", ".parquet"} else "save the table as CSV"
        raise file.error("E314", f"{file.name} is {seen[1]} by its content", better)


@contextmanager
def opened(file: File) -> Iterator[BinaryIO]:
    """Open a file's bytes, unpacked; trouble while reading becomes a DataError."""
    try:
        with file.path.open("rb") as raw:
            if file.format is Format.GZIP:
                with gzip.GzipFile(fileobj=raw) as unpacked:
                    yield unpacked  # type: ignore[misc]
            else:
                yield raw
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        reason = "it ends too early" if isinstance(error, EOFError) else "its content is damaged"
        raise file.error("E314", f"{file.name} cannot be unpacked: {reason}", "copy it again") from None
    except OSError as error:
        raise file.error("E301", f"{file.name} cannot be read: {_reason(error)}") from None


def sha256(file: File) -> str:
    """Give the hash of a file's bytes, in hex."""
    digest = hashlib.sha256()
    with opened(replace(file, format=Format.CSV)) as raw:  # packed bytes as they are
        while chunk := raw.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def encoding_of(file: File, start: bytes) -> str:
    """Give the encoding a file declares, or its byte order mark does, else UTF-8; nothing is ever guessed.

    Raises
    ------
    DataError
        E302 for an unknown encoding, or for null bytes, which UTF-8 tables do not hold.
    """
    marked = next((name for mark, name in _BOMS if start.startswith(mark)), None)
    declared = file.options.encoding
    if declared is None and marked is None and b"\0" in start:
        what = f"{file.name} holds null bytes, as UTF-16 text and binary files do"
        raise file.error("E302", what, _choices(start, start), line=1)
    if declared is None or (marked == "utf-8-sig" and _codec(declared) == "utf-8"):
        return marked or "utf-8"
    if _codec(declared) is None:
        near = closest(declared, _KNOWN, 0.6)
        what = f"there is no encoding {quoted(declared)}"
        raise file.error("E302", what, f"did you mean {near!r}?" if near else "", option="encoding")
    return declared


def _codec(name: str) -> str | None:
    """Give the registered name of a text encoding; None for others, some of which unpack or run things."""
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    return info.name if getattr(info, "_is_text_encoding", False) and "escape" not in info.name else None


def text_start(file: File) -> tuple[str, str]:
    """Give the first characters of a CSV file, with line ends as one character, and its encoding."""
    with opened(file) as stream:
        start = stream.read(CHUNK)
    encoding = encoding_of(file, start)
    return _Decoder(file, encoding).text(start, final=len(start) < CHUNK), encoding


def copy_text(file: File, target: Path) -> str:
    """Write a CSV file's text as plain UTF-8 with one kind of line end, and give its encoding.

    Raises
    ------
    DataError
        E302 where bytes are no text in the encoding; E314 when a packed file unfolds without end.
    """
    with opened(file) as stream, target.open("w", encoding="utf-8", newline="") as out:
        chunk = stream.read(CHUNK)
        decoder = _Decoder(file, encoding_of(file, chunk))
        while chunk:
            following = stream.read(CHUNK)
            out.write(decoder.text(chunk, final=not following))
            if decoder.read > MAX_TEXT and file.format is Format.GZIP:
                what = f"{file.name} unfolds to more than {MAX_TEXT >> 30} GB of text"
                raise file.error("E314", what, "unpack it, or save it as Parquet")
            chunk = following
    return decoder.encoding


class _Decoder:
    """Bytes to text, strictly; counts what it read, so that a fault can name its line."""

    def __init__(self, file: File, encoding: str) -> None:
        self.file, self.encoding = file, encoding
        self.read = self.lines = 0
        self._decode = io.IncrementalNewlineDecoder(
            codecs.getincrementaldecoder(encoding)("strict"), translate=True
        ).decode

    def text(self, chunk: bytes, *, final: bool) -> str:
        """Give the text of the next bytes."""
        try:
            text = self._decode(chunk, final=final)
        except UnicodeDecodeError as error:
            raise self._undecodable(error) from None
        except UnicodeError:  # codecs that are not meant for files
            what = f"{self.file.name} is not {self.encoding}"
            raise self.file.error("E302", what, option="encoding") from None
        if not final and "\n" not in text:
            line, limit = self.lines + 1, f"{CHUNK >> 20} MB"
            what = f"line {line} of {self.file.name} is longer than {limit}"
            raise self.file.error("E314", what, "no table has such rows", line=line)
        if "\0" in text:
            line = self.lines + text[: text.index("\0")].count("\n") + 1
            what = f"{self.file.name} holds a null character, which no table does"
            raise self.file.error("E302", what, "save it as text", line=line)
        text = text if self.read else text.removeprefix("\ufeff")
        self.read += len(text)
        self.lines += text.count("\n")
        return text

    def _undecodable(self, error: UnicodeDecodeError) -> DataError:
        """Give the error about bytes that are no text, with what they would be elsewhere."""
        held = error.object
        line = self.lines + held[: error.start].count(b"\n") + 1
        first = held[held.rfind(b"\n", 0, error.start) + 1 :]
        what = (
            f"{self.file.name} is not {self.encoding}: line {line} holds the byte 0x{held[error.start]:02x}"
        )
        return self.file.error("E302", what, _choices(first, held), line=line)


def _choices(line: bytes, held: bytes) -> str:
    """Show a line as it reads in each plausible encoding, with what to write for it."""
    readings = []
    for name in _PLAUSIBLE:
        wide = name.startswith("utf-16")
        end = "\n".encode(name)
        try:
            text = line.split(end)[0].removesuffix("\r".encode(name))[:_SHOWN].decode(name, "ignore")
            held[:_SAMPLE].decode(name, "strict" if wide or len(held) < _SAMPLE else "ignore")
        except UnicodeDecodeError:
            continue
        if wide == (b"\0" in line) and text.isprintable() and text:
            readings.append(f"encoding: {name:<10} {text}")
    if not readings:
        return "save it as UTF-8"
    return "\n  ".join(["write the line under the table's path that reads right:", *readings])


def literal(path: Path) -> str:
    """Give a path whose stars and brackets the engine does not read as patterns."""
    return glob.escape(str(path.resolve()))
