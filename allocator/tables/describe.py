"""A table in a few lines, for people: what was read, as what, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator

from allocator.quantities import count, percent, quoted
from allocator.tables.contracts import CONTRACTS, Kind
from allocator.tables.table import SHOWN, Table


def describe(table: Table) -> tuple[tuple[str, str], ...]:
    """Give what is worth knowing of a table, as label and text.

    Returns
    -------
    tuple of (str, str)
        File, hash, encoding, rows read, rows used, each column with its type and empty cells, and the first
        rows that cannot be used with their reason.

    Examples
    --------
    >>> import pandas as pd
    >>> from allocator.tables.contracts import CUSTOMERS
    >>> from allocator.tables.sources import read_table
    >>> table = read_table(pd.DataFrame({"customer_id": [1, 2]}), CUSTOMERS)
    >>> [text for label, text in describe(table) if label == "column"]
    ['customer_id: id']
    """
    return tuple(_rows(table))


def _rows(table: Table) -> Iterator[tuple[str, str]]:
    rejects = table.rejects
    yield "file", table.source
    yield "sha256", table.sha256
    if table.encoding:
        yield "encoding", table.encoding
    yield "rows read", count(rejects.rows_read)
    yield "rows used", count(rejects.rows_read - rejects.rows_rejected)
    yield "rows rejected", f"{count(rejects.rows_rejected)} ({percent(rejects.share)})"
    for name, theirs in table.columns.items():
        yield "column", _column(table, name, theirs)
    for reject in rejects.examples[:SHOWN]:
        place = f"row {reject.row}{f', {reject.column}' if reject.column else ''}"
        yield "rejected", f"{place}: {f'{quoted(reject.value)} ' if reject.value else ''}{reject.reason}"


def _column(table: Table, name: str, theirs: str) -> str:
    kind = CONTRACTS[table.name].column(name).kind
    shown = kind.value
    if kind is Kind.WRITTEN:
        shown = "numbers" if table.data[name].dtype.kind == "f" else "text"
    empty = int(table.data[name].isna().sum())
    source = f" (from {quoted(theirs)})" if theirs != name else ""
    return f"{name}{source}: {shown}{f', {count(empty)} empty' if empty else ''}"
