"""Writing files: all of one or nothing of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from allocator.errors import DataError, Finding

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet would run."""


def guard(folder: Path, name: str, text: str, *, force: bool = False) -> None:
    """Refuse to replace a file of other content.

    Parameters
    ----------
    folder : Path
    name, text : str
    force : bool
        Whether it may be replaced all the same.

    Raises
    ------
    DataError
        E011 where it may not, or cannot be looked at.
    """
    target = folder / name
    try:
        differs = not force and target.exists() and target.read_bytes() != text.encode()
    except OSError as error:
        what = f"{target}: {error.strerror or error}; nothing was written"
        raise DataError(Finding("E011", None, what)) from error
    if differs:
        what = f"{target} exists and differs; nothing was written"
        raise DataError(Finding("E011", None, what, "choose another folder, or use --force"))


def write_whole(folder: Path, name: str, text: str, *, force: bool = False) -> Path:
    """Write a file beside its place and move it there, so that nobody ever sees half of it.

    Parameters
    ----------
    folder : Path
        Made when it does not exist.
    name, text : str
    force : bool
        Whether a file of other content may be replaced.

    Raises
    ------
    DataError
        E011 when it cannot be written; what stood there before stays.
    """
    target = folder / name
    guard(folder, name, text, force=force)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".allocator-") as waiting:
            draft = Path(waiting) / name
            draft.write_text(text, encoding="utf-8", newline="")
            os.replace(draft, target)
    except OSError as error:
        what = f"{target}: {error.strerror or error}; nothing was written"
        raise DataError(Finding("E011", None, what)) from error
    return target


def harmless(text: str) -> str:
    """Give a cell that no spreadsheet takes for a formula; all others stay as they are.

    Examples
    --------
    >>> harmless("=1+1"), harmless("-12"), harmless("C001")
    ("'=1+1", '-12', 'C001')
    """
    number = text[1:].replace(".", "", 1).isdigit()
    return f"'{text}" if text[:1] in FORMULA and not number else text
