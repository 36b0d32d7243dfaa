"""What could not be used of a table."""

from __future__ import annotations

from dataclasses import dataclass

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
