"""The data reader: a file or a frame becomes a table with our names and types, and an account of its rejects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.errors import Finding, Origin
from allocator.tables.contracts import Contract, TableOptions

if TYPE_CHECKING:
    import pandas as pd

OriginOf = Callable[[str], Origin | None]


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
    warnings : tuple of Finding
    """

    name: str
    data: pd.DataFrame
    rejects: Rejects
    source: str
    sha256: str
    encoding: str
    columns: Mapping[str, str]
    warnings: tuple[Finding, ...] = ()


def no_origin(path: str) -> Origin | None:  # noqa: ARG001
    """Say that options were not written in a file."""
    return None


def read_table(
    options: TableOptions | pd.DataFrame,
    contract: Contract,
    *,
    folder: Path = Path(),
    frame: Any = None,  # noqa: ANN401 - a pandas, polars or Arrow table
    extra: tuple[str, ...] = (),
    currency: str = "",
    origin_of: OriginOf = no_origin,
) -> Table:
    """Read a table, check it, and give it our names and types."""
    raise NotImplementedError
