"""The data reader: a file or a frame becomes a table with our names and types; what is left out is told.

The only place here that knows the engine (Ibis on DuckDB in this process). Everything is read as text first,
then converted cell by cell; a cell that does not fit rejects its row and says why.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, reduce
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from allocator.errors import DataError, Finding, raise_findings
from allocator.quantities import quoted
from allocator.tables import files, frames
from allocator.tables.checks import check_data, check_rejects, check_types
from allocator.tables.contracts import (
    AS_WRITTEN,
    Column,
    Contract,
    Kind,
    TableOptions,
    completed,
    options_for,
)
from allocator.tables.convert import Converter, Functions
from allocator.tables.files import File, Format, OriginOf
from allocator.tables.headers import check_columns, chosen_columns, header_of, no_origin
from allocator.tables.oddities import Spelled, all_numbers, mixed_column, repeated_rows, spelled
from allocator.tables.records import Broken, check_complete, line_starts, read_broken
from allocator.tables.table import SHOWN, Reject, Rejects, Table

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa

__all__ = ["Reject", "Rejects", "Table", "read_table"]

MAX_LINE = 1 << 20
"""Bytes of one row."""
MAX_SHOWN = 60
MAX_ROWS = 500_000_000
"""Rows a Parquet file may state: a few kilobytes can hold endless repetition."""


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
    """Read a table, check it, and give it our names and types.

    Parameters
    ----------
    options : TableOptions or DataFrame
        How the file is written; a frame is read as if it were a file without options.
    contract : Contract
        Which columns it has to have.
    folder : Path
        What the path is relative to.
    frame : pandas, polars or Arrow table, optional
        Read in place of the file; columns are mapped by `options`. Never changed.
    extra : tuple of str
        Further columns to read as written, by the file's names (``tiers.by``).
    currency : str
        The only one whose code or sign may stand beside an amount.
    origin_of : function
        Gives the place of an option of the table, such as ``path`` or ``columns.amount``.

    Raises
    ------
    DataError
        With every finding at once: E301 unreadable, E302 encoding, E303 missing column, E304 too many
        rejects, E305 no rows, E306 a row twice, E309 negative cost or spend, E310 headers, E311 a column
        used twice, E314 format.

    Examples
    --------
    >>> import pandas as pd
    >>> from allocator.tables.contracts import TRANSACTIONS
    >>> orders = pd.DataFrame({"customer_id": ["007"], "ordered_on": ["2026-10-31"], "amount": ["12.50"]})
    >>> read_table(orders, TRANSACTIONS).data.to_dict("records")
    [{'customer_id': '007', 'ordered_on': Timestamp('2026-10-31 00:00:00'), 'amount': 12.5}]
    """
    if not isinstance(options, TableOptions):
        options, frame = options_for(contract), options
    wanted = _Wanted(options, completed(contract, options), extra, currency, origin_of)
    if frame is not None:
        return _from_frame(frames.as_arrow(frame), wanted)
    return _from_file(files.find(options, folder, origin_of), wanted)


@dataclass(frozen=True)
class _Wanted:
    """What is to be read, and how it is written."""

    options: TableOptions
    contract: Contract
    extra: tuple[str, ...]
    currency: str
    origin_of: OriginOf

    def columns(self, header: tuple[str, ...]) -> Mapping[str, str]:
        """Give the columns to read, ours to the file's."""
        faults = check_columns(self.options, self.contract, header, self.extra, self.origin_of)
        raise_findings(faults, DataError)
        return chosen_columns(self.options, self.contract, header, self.extra)


def _from_file(file: File, wanted: _Wanted) -> Table:
    header = header_of(file)
    columns = wanted.columns(header)
    with _session(wanted) as session:
        if file.format is Format.PARQUET:
            raw, encoding = session.parquet(file, header, columns), ""
        else:
            raw, encoding = session.csv(file, header, columns)
        return session.table(raw, file.shown, files.sha256(file), encoding)


def _from_frame(arrow: pa.Table, wanted: _Wanted) -> Table:
    header = tuple(arrow.column_names)
    columns = wanted.columns(header)
    with _session(wanted) as session:
        raw = session.frame(arrow, header, columns)
        return session.table(raw, wanted.options.path, frames.sha256(arrow), "")


@dataclass(frozen=True, eq=False)
class _Raw:
    """Cells inside the engine in order of `columns`: ``w0``… as tidy text, ``c0``… where not text before."""

    cells: ir.Table
    columns: Mapping[str, str]
    broken: tuple[Broken, ...] = ()
    text: Path | None = None
    delimiter: str = ","

    def written(self, rows: list[int]) -> dict[int, dict[str, str | None]]:
        """Give the texts of rows."""
        cells: Any = self.cells
        if not rows:
            return {}
        numbered = cells.mutate(place=cells.rowid())
        found = numbered.filter(numbered.place.isin(rows)).to_pyarrow().to_pylist()
        return {row["place"]: row for row in found}

    def lines(self, rows: list[int]) -> dict[int, int]:
        """Give where rows (from 0, usable in shape) stand: lines of a CSV file, else numbers from 1."""
        if self.text is None:
            return {row: row + 1 for row in rows}
        total = int(self.cells.count().execute())
        return line_starts(self.text, self.delimiter, rows, total, self.broken)


@contextmanager
def _session(wanted: _Wanted) -> Iterator[_Session]:
    """Start an engine of its own, with a folder for what does not fit into memory."""
    import ibis

    with TemporaryDirectory(prefix="allocator-", ignore_cleanup_errors=True) as scratch:
        backend = ibis.duckdb.connect(
            temp_directory=scratch,
            autoinstall_known_extensions=False,
            autoload_known_extensions=False,
        )
        try:
            yield _Session(backend, Path(scratch), wanted)
        finally:
            backend.disconnect()


@dataclass(frozen=True, eq=False)
class _Session:
    """An engine at work on one table."""

    backend: Any
    scratch: Path
    wanted: _Wanted

    def csv(self, file: File, header: tuple[str, ...], columns: Mapping[str, str]) -> tuple[_Raw, str]:
        """Read a CSV file: first as plain UTF-8 text, then every cell as it is written."""
        text = self.scratch / "table.csv"
        encoding = files.copy_text(file, text)
        with self._trouble(file.shown):
            written = self.backend.read_csv(
                str(text),
                columns={f"h{index}": "VARCHAR" for index in range(len(header))},
                header=True,
                auto_detect=False,
                delim=file.delimiter,
                quote='"',
                escape='"',
                new_line="\\n",
                nullstr="",
                max_line_size=MAX_LINE,
                parallel=False,  # side by side, an open quote makes it lose rows in silence
                store_rejects=True,
            )
            cells = self._cells(written, header, columns)
        found = self.backend.raw_sql(
            "select line_byte_position, error_type, csv_line from reject_errors order by all"
        ).fetchall()
        broken = read_broken(file, text, found)
        check_complete(file, text, int(cells.count().execute()), broken)
        return _Raw(cells, columns, broken, text, file.delimiter), encoding

    def parquet(self, file: File, header: tuple[str, ...], columns: Mapping[str, str]) -> _Raw:
        """Read a Parquet file by its own types."""
        with self._trouble(file.shown):
            written = self.backend.read_parquet(files.literal(file.path))
            rows = int(written.count().execute())
            if rows > MAX_ROWS:
                raise file.error("E314", f"{file.name} states {rows:,} rows; {MAX_ROWS:,} are the limit")
            return _Raw(self._cells(written, header, columns), columns)

    def frame(self, arrow: pa.Table, header: tuple[str, ...], columns: Mapping[str, str]) -> _Raw:
        """Read a frame by its own types."""
        import ibis

        unnamed = arrow.rename_columns([f"h{index}" for index in range(len(header))])
        with self._trouble(self.wanted.options.path):
            return _Raw(self._cells(ibis.memtable(unnamed), header, columns), columns)

    def _cells(self, written: ir.Table, header: tuple[str, ...], columns: Mapping[str, str]) -> ir.Table:
        """Keep the columns that are read, under names that cannot clash (the engine ignores case)."""
        chosen = [written[header.index(theirs)] for theirs in columns.values()]
        types = {theirs: column.type() for theirs, column in zip(columns.values(), chosen, strict=True)}
        raise_findings(list(check_types(types, self.wanted.options.path)), DataError)
        tidied = self.converter.tidied
        named = {f"w{index}": tidied(column) for index, column in enumerate(chosen)}
        named |= {f"c{i}": column for i, column in enumerate(chosen) if not column.type().is_string()}
        return self.backend.create_table("cells", written.select(**named), temp=True)

    @contextmanager
    def _trouble(self, shown: str) -> Iterator[None]:
        """Turn what the engine refuses into a finding."""
        import duckdb

        try:
            yield
        except duckdb.OutOfMemoryException:
            what = f"{quoted(shown, 200)} does not fit into memory"
            raise DataError(Finding("E314", self.wanted.origin_of("path"), what)) from None
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            what = f"{quoted(shown, 200)} cannot be read: {reason}"
            raise DataError(Finding("E314", self.wanted.origin_of("path"), what)) from None

    def table(self, raw: _Raw, source: str, sha256: str, encoding: str) -> Table:
        """Convert, reject and check; give what is left."""
        contract = self.wanted.contract
        kinds = [contract.column(name) for name in raw.columns]
        self._check_date_format()
        with self._trouble(source):
            converted = self._converted(raw.cells, kinds)
            rejects = _rejects(converted, raw, self.wanted.contract.name)
            good = converted.filter(~_faulty(converted))
            written = [i for i, column in enumerate(kinds) if column.kind is Kind.WRITTEN]
            spellings = spelled(good, written)
            arrow = _usable(converted, kinds, spellings)
            odd = [
                *_mixed(raw, spellings, kinds, source),
                *repeated_rows(contract.name, good, list(raw.columns), self.wanted.origin_of("path")),
            ]
        rows = arrow.column(0).to_numpy()
        data = arrow.drop_columns(["place"]).to_pandas()

        def lines(chosen: list[int]) -> list[int]:
            at = [int(rows[one]) for one in chosen]
            known = raw.lines(at)
            return [known[one] for one in at]

        findings = [
            *check_rejects(rejects, self.wanted.options.max_rejects, source, list(raw.columns.values())),
            *check_data(data, contract, source, lines),
            *odd,
        ]
        raise_findings(findings, DataError)
        return Table(contract.name, data, rejects, source, sha256, encoding, raw.columns, tuple(findings))

    def _check_date_format(self) -> None:
        form = self.wanted.options.date_format
        if form is None:
            return
        import duckdb
        import ibis

        try:
            self.backend.execute(_functions().read_time(ibis.literal("2026-12-31"), form))
        except duckdb.Error:
            what = f"date_format {quoted(form)} is not understood"
            where = self.wanted.origin_of("date_format")
            raise DataError(
                Finding("E103", where, what, "write it like %d.%m.%Y or %Y-%m-%d %H:%M")
            ) from None

    @cached_property
    def converter(self) -> Converter:
        """What reads cells as this table spells them."""
        return Converter(self.wanted.options, _functions(), self.wanted.currency)

    def _converted(self, cells: Any, kinds: list[Column]) -> Any:  # noqa: ANN401
        """Give values ``v0``… and faults ``f0``…, one row a row read; ``place`` is where in `cells`."""
        made: dict[str, ir.Value] = {"place": cells.rowid()}
        for index, column in enumerate(kinds):
            text = cells[f"w{index}"]
            typed = cells[f"c{index}"] if f"c{index}" in cells.columns else text
            read = self.converter.cells(typed, text, column.kind, filled=column.filled)
            made |= {f"v{index}": read.value, f"f{index}": read.fault}
            if column.kind is Kind.WRITTEN:
                made[f"n{index}"], made[f"a{index}"] = self.converter.written_number(text)
        return self.backend.create_table("converted", cells.select(**made), temp=True)


def _functions() -> Functions:
    """Give the engine's own functions that expressions have no method for."""
    from ibis import udf

    def nfc_normalize(text: object) -> None: ...

    def try_strptime(text: object, form: str) -> None: ...

    return Functions(
        nfc=udf.scalar.builtin(nfc_normalize, signature=(("string",), "string")),
        read_time=udf.scalar.builtin(try_strptime, signature=(("string", "string"), "timestamp")),
    )


def _faulty(converted: ir.Table) -> ir.BooleanValue:
    return _any(converted[name].notnull() for name in converted.columns if name.startswith("f"))


def _any(conditions: Iterable[ir.BooleanValue]) -> ir.BooleanValue:
    return reduce(operator.or_, conditions)


def _rejects(converted: ir.Table, raw: _Raw, name: str) -> Rejects:
    """Count the rows that cannot be used, and show the first ones."""
    bad = converted.filter(_faulty(converted))
    read, faulty = int(converted.count().execute()), int(bad.count().execute())
    shown = bad.order_by("place").limit(SHOWN).to_pyarrow().to_pylist()
    places = [row["place"] for row in shown]
    at, written = raw.lines(places), raw.written(places)
    theirs = list(raw.columns.values())
    cells = [
        Reject(
            at[row["place"]], column, (written[row["place"]][f"w{index}"] or "")[:MAX_SHOWN], row[f"f{index}"]
        )
        for row in shown
        for index, column in enumerate(theirs)
        if row[f"f{index}"] is not None
    ]
    whole = [Reject(one.line, "", one.text[:MAX_SHOWN], one.reason) for one in raw.broken[:SHOWN]]
    lost = sum(one.lines for one in raw.broken)
    examples = sorted([*cells, *whole], key=lambda one: one.row)[:SHOWN]
    return Rejects(name, read + lost, faulty + lost, tuple(examples))


def _mixed(
    raw: _Raw, spellings: Mapping[int, Spelled], kinds: list[Column], source: str
) -> Iterator[Finding]:
    """Find columns, read as they are written, in which text stands among numbers."""
    for i, cells in spellings.items():
        known = kinds[i].meaning != AS_WRITTEN
        if cells.mixed and cells.first is not None and not known:
            value = str(raw.written([cells.first])[cells.first][f"w{i}"])[:MAX_SHOWN]
            theirs = raw.columns[kinds[i].name]
            yield mixed_column(theirs, cells, source, raw.lines([cells.first])[cells.first], value)


def _usable(converted: ir.Table, kinds: list[Column], spellings: Mapping[int, Spelled]) -> pa.Table:
    """Give the rows without fault by our names, and first where each was."""
    good: Any = converted.filter(~_faulty(converted))
    numbers = all_numbers(spellings)
    chosen = {column.name: good[f"n{i}" if i in numbers else f"v{i}"] for i, column in enumerate(kinds)}
    for i, column in enumerate(kinds):
        # a required number is not left empty by a word: what was written is for a later check to name
        if column.required and i in spellings and spellings[i].texts + spellings[i].absent:
            chosen[column.name] = good[f"n{i}"].cast("string").fill_null(good[f"v{i}"])
    arrow = good.select(good.place, *chosen.values()).to_pyarrow()
    return arrow.rename_columns(["place", *chosen])
