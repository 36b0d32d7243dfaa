"""A table as it was read, and what could not be used of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from allocator.errors import Finding

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 20


@dataclass(frozen=True)
class Reject:
    """A cell, or a whole row, that cannot be used.

    Parameters
    ----------
    row : int
        Line of a CSV file, the header being line 1; row of any other table, the first being 1.
    column : str
        By the file's name; empty for a whole row.
    value : str
        As written, cut after 60 characters.
    reason : str
        Such as ``is not a number``.
    """

    row: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True, eq=False)
class Rejects:
    """What could not be used of one table.

    Parameters
    ----------
    table : str
    rows_read, rows_rejected : int
        A row with several faulty cells is rejected once.
    examples : tuple of Reject
        The first 20 by row.
    """

    table: str
    rows_read: int
    rows_rejected: int
    examples: tuple[Reject, ...] = ()

    @property
    def share(self) -> float:
        """Share of the rows that cannot be used."""
        return self.rows_rejected / self.rows_read if self.rows_read else 0.0


@dataclass(frozen=True, eq=False)
class Table:
    """A table as the models read it.

    Parameters
    ----------
    name : str
        The contract's.
    data : DataFrame
        Our columns first, then those read as written; usable rows only, in the file's order.
    rejects : Rejects
    source : str
        The file as it was named, or ``<frame>``.
    sha256 : str
        Of the file's bytes; of the cells where there is no file.
    encoding : str
        Empty where a format has none.
    columns : mapping of str to str
        Our name to the file's.
    findings : tuple of Finding
        Advice.
    """

    name: str
    data: pd.DataFrame
    rejects: Rejects
    source: str
    sha256: str
    encoding: str
    columns: Mapping[str, str]
    findings: tuple[Finding, ...] = ()
