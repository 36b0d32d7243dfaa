"""The header of a file against a contract; light enough for ``check``: no pandas, no engine."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from allocator.errors import Finding, Origin, closest
from allocator.quantities import quoted
from allocator.tables.contracts import (
    Contract,
    CustomersTable,
    TableOptions,
    columns_as_written,
    completed,
    named_columns,
)
from allocator.tables.files import File, Format, OriginOf, find, text_start

MAX_COLUMNS = 10_000
_LISTED = 12
_MARKS = {";": ";", "\t": "\\t", "|": "|", ",": ","}


def no_origin(path: str) -> Origin | None:
    """Say that options were not written in a file."""
    return None


def read_header(
    options: TableOptions, folder: Path = Path(), origin_of: OriginOf = no_origin
) -> tuple[str, ...]:
    """Give the names of a file's columns, in NFC and without spaces around them.

    Parameters
    ----------
    options : TableOptions
    folder : Path
        What the path is relative to.
    origin_of : function
        Gives the place of an option, such as ``columns.amount``.

    Raises
    ------
    DataError
        E301 unreadable, E302 not in its encoding, E305 empty, E314 not a table.
    """
    return header_of(find(options, folder, origin_of))


def header_of(file: File) -> tuple[str, ...]:
    """Give the header of a file that was found."""
    names = _parquet_header(file) if file.format is Format.PARQUET else _csv_header(file)
    if len(names) > MAX_COLUMNS:
        raise file.error("E314", f"{file.name} has {len(names):,} columns; {MAX_COLUMNS:,} are the limit")
    return tuple(tidy(name) for name in names)


def tidy(name: str) -> str:
    """Give a column's name in NFC, without spaces around it."""
    return unicodedata.normalize("NFC", name).strip()


def _csv_header(file: File) -> Sequence[str]:
    text, _ = text_start(file)
    if not text.strip():
        raise file.error("E305", f"{file.name} is empty: there is not even a header")
    try:
        header = next(csv.reader(io.StringIO(text), delimiter=file.delimiter))
    except (csv.Error, StopIteration):
        raise file.error("E314", f"{file.name} does not begin with a header", line=1) from None
    if not any(name.strip() for name in header):
        raise file.error("E314", f"line 1 of {file.name} is empty where the header has to be", line=1)
    return header


def _parquet_header(file: File) -> Sequence[str]:
    import pyarrow as pa
    import pyarrow.parquet

    try:
        return [str(name) for name in pa.parquet.read_schema(file.path).names]
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise file.error("E314", f"{file.name} is no Parquet file that can be read: {reason}") from None


def check_columns(
    options: TableOptions,
    contract: Contract,
    header: Sequence[str],
    extra: Sequence[str] = (),
    origin_of: OriginOf = no_origin,
) -> list[Finding]:
    """Give every fault of a header: nothing when the table can be read.

    Parameters
    ----------
    options : TableOptions
    contract : Contract
    header : sequence of str
        From `read_header`.
    extra : sequence of str
        Further columns the scenario needs, by the file's names (``tiers.by``).
    origin_of : function
        Gives the place of an option, such as ``columns.amount``.

    Returns
    -------
    list of Finding
        E102 for a name that is not ours, E303 missing, E310 written twice, E311 used twice.

    Examples
    --------
    >>> from allocator.tables.contracts import TRANSACTIONS, TransactionsTable
    >>> orders = TransactionsTable(path="orders.csv", columns={"amount": "value"})
    >>> for finding in check_columns(orders, TRANSACTIONS, ["customer_id", "ordered_on", "Value"]):
    ...     print(finding)
    error[E303]: 'orders.csv' has no column 'value' (amount)
      did you mean 'Value'?
    """
    contract = completed(contract, options)
    mark = _other_delimiter(header, _theirs(options, contract.names[0]))
    if mark is not None:
        what = f"the header of {quoted(options.path, 200)} is one column only: {quoted(header[0])}"
        return [Finding("E303", origin_of("path"), what, f'write delimiter: "{mark}"')]
    guessed = {closest(name, contract.names) for name in options.columns if name not in contract.names}
    wanted = [one for one in _wanted(options, contract, extra) if one.ours not in guessed]
    return [
        *_unknown_names(options, contract, origin_of),
        *_twice(options, header),
        *(_missing(one, options, header, origin_of) for one in wanted if one.theirs not in header),
        *_none_of(options, contract, header, guessed, origin_of),
        *_overlaps(options, contract, header, origin_of),
    ]


def _other_delimiter(header: Sequence[str], first: str) -> str | None:
    """Give the mark that seems to stand between columns of a header read as one."""
    if len(header) != 1 or header[0] == first:
        return None
    return next((shown for mark, shown in _MARKS.items() if mark in header[0]), None)


def chosen_columns(
    options: TableOptions, contract: Contract, header: Sequence[str], extra: Sequence[str] = ()
) -> Mapping[str, str]:
    """Give the columns that are read, our name to the file's; those read as written keep theirs."""
    ours = {name: _theirs(options, name) for name in completed(contract, options).names}
    chosen = {name: theirs for name, theirs in ours.items() if theirs in header}
    for name in map(tidy, (*columns_as_written(options), *extra, *(header if contract.whole else ()))):
        if name and name in header and name not in chosen:
            chosen[name] = name
    return chosen


@dataclass(frozen=True)
class _Wanted:
    """A column that has to be there, and the option that says so."""

    ours: str
    theirs: str
    option: str


def _theirs(options: TableOptions, ours: str) -> str:
    named = named_columns(options).get(ours)
    return tidy(named.theirs if named else ours)


def _wanted(options: TableOptions, contract: Contract, extra: Sequence[str]) -> Iterator[_Wanted]:
    named = named_columns(options)
    for column in contract.columns:
        if column.required or column.name in named:
            option = named[column.name].option if column.name in named else "path"
            yield _Wanted(column.name, _theirs(options, column.name), option)
    key = "attributes" if isinstance(options, CustomersTable) else "covariates"
    written = columns_as_written(options)
    yield from (_Wanted("", tidy(name), key) for name in written)
    yield from (
        _Wanted("", tidy(name), "path")
        for name in extra
        if name not in written and name not in contract.names
    )


def _unknown_names(options: TableOptions, contract: Contract, origin_of: OriginOf) -> Iterator[Finding]:
    for name in options.columns:
        if name not in contract.names:
            near = closest(name, contract.names)
            fix = f"did you mean {near!r}?" if near else f"our names: {', '.join(contract.names)}"
            what = f"{quoted(name)} is no column of {contract.name}"
            yield Finding("E102", origin_of(f"columns.{name}"), what, fix)


def _twice(options: TableOptions, header: Sequence[str]) -> Iterator[Finding]:
    for name in dict.fromkeys(name for name in header if name and header.count(name) > 1):
        second = header.index(name, header.index(name) + 1) + 1
        what = f"{header.count(name)} columns of {quoted(options.path, 200)} are named {quoted(name)}"
        yield Finding("E310", Origin(options.path, 1, second), what, "rename all but one")


def _missing(one: _Wanted, options: TableOptions, header: Sequence[str], origin_of: OriginOf) -> Finding:
    ours = f" ({one.ours})" if one.ours and one.ours != one.theirs else ""
    what = f"{quoted(options.path, 200)} has no column {quoted(one.theirs)}{ours}"
    return Finding("E303", origin_of(one.option), what, _advice(one, header))


def _advice(one: _Wanted, header: Sequence[str]) -> str:
    """Give the closest header; else what can be written, with the headers there are."""
    near = closest(one.theirs, header, 0.6) or closest(one.theirs.lower(), header, 0.6)
    mapped = one.option == "path" or one.option.startswith("columns.")
    if near is not None and (not mapped or one.ours == "" or one.ours != one.theirs):
        return f"did you mean {quoted(near)}?"
    listed = ", ".join(quoted(name) for name in header[:_LISTED]) + (", …" if len(header) > _LISTED else "")
    if one.ours and mapped:
        example = near or "the file's name"
        return f"write columns: {{{one.ours}: {example}}}; columns found: {listed}"
    return f"columns found: {listed}"


def _none_of(
    options: TableOptions,
    contract: Contract,
    header: Sequence[str],
    guessed: Set[str | None],
    origin_of: OriginOf,
) -> Iterator[Finding]:
    """Report that there is none of the columns of which one has to be there."""
    names = contract.any_of
    named = {name for name in names if _theirs(options, name) in header}
    if names and not named and not guessed & set(names) and not set(options.columns) & set(names):
        what = f"{quoted(options.path, 200)} has none of the columns {', '.join(names)}"
        yield Finding("E303", origin_of("path"), what, f"write columns: {{{names[0]}: the file's name}}")


def _overlaps(
    options: TableOptions, contract: Contract, header: Sequence[str], origin_of: OriginOf
) -> Iterator[Finding]:
    """Report columns of the file that would be read as two things at once."""
    key = "attributes" if isinstance(options, CustomersTable) else "covariates"
    used: dict[str, str] = {}
    named = named_columns(options)
    for ours in contract.names:
        theirs = _theirs(options, ours)
        if theirs in header and theirs in used:
            what = f"{quoted(theirs)} is read as {used[theirs]} and as {ours}"
            option = named[ours].option if ours in named else f"columns.{ours}"
            yield Finding("E311", origin_of(option), what, "each column is one thing")
        elif theirs in header:
            used[theirs] = ours
    for name in map(tidy, columns_as_written(options)):
        if name in used or name in used.values():
            ours = used.get(name, name)
            what = f"{quoted(name)} is read as {ours} and listed under {key}"
            yield Finding("E311", origin_of(key), what, "take it out there")
