"""What is wrong with a table as a whole: every finding of it, for one raise."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from allocator.errors import Finding, Origin
from allocator.quantities import percent, quoted
from allocator.tables.contracts import Contract
from allocator.tables.table import Reject, Rejects

if TYPE_CHECKING:
    import pandas as pd

WARN_ABOVE = 0.01
_LISTED = 5

_NO_NUMBER, _NO_DATE = "is not a number", "is not a date written 2026-12-31"
SPELLINGS = (
    (r"^[+-]?\d{1,3}(\.\d{3})+(,\d*)?$", _NO_NUMBER, 'decimal: "," and thousands: "."'),
    (r"^[+-]?\d+,\d{1,2}$", _NO_NUMBER, 'decimal: ","'),
    (r"^\d{1,2}\.\d{1,2}\.\d{4}$", _NO_DATE, 'date_format: "%d.%m.%Y"'),
    (r"^\d{1,2}\.\d{1,2}\.\d{4} \d{1,2}:\d{2}$", _NO_DATE, 'date_format: "%d.%m.%Y %H:%M"'),
)
"""What cells look like, why they cannot be read, and the options that would read them."""

Lines = Callable[[list[int]], list[int]]
"""Gives the lines of rows of the data."""


def check_types(types: Mapping[str, Any], source: str) -> Iterator[Finding]:
    """Yield the columns of a typed table whose type holds no plain values."""
    for column, kind in types.items():
        if kind.is_timestamp() and kind.timezone is not None:
            what = f"{quoted(column)} of {quoted(source, 200)} holds times with a time zone"
            yield Finding(
                "E314", None, f"{what}, which is not supported yet", "write local times without one"
            )
        elif kind.is_nested() or kind.is_binary() or kind.is_interval():
            what = f"{quoted(column)} of {quoted(source, 200)} holds no plain values"
            yield Finding("E314", None, what, "write plain numbers, texts or dates")


def check_rejects(rejects: Rejects, limit: float, source: str, columns: Sequence[str]) -> Iterator[Finding]:
    """Yield what is to be said of rows that cannot be used: E305 no row is left, E304 too many, W405 some."""
    name = quoted(source, 200)
    if not rejects.rows_read:
        yield Finding("E305", Origin(source, 1), f"{name} has a header and no rows")
        return
    if not rejects.rows_rejected:
        return
    first = rejects.examples[0]
    column = columns.index(first.column) + 1 if first.column in columns else 1
    where = Origin(source, first.row, column)
    counted = f"{rejects.rows_rejected:,} of {rejects.rows_read:,} rows of {name} cannot be used"
    told = [_told(one) for one in rejects.examples[:_LISTED]]
    shown = "; ".join([*_spellings(rejects.examples), *told])
    if rejects.rows_rejected == rejects.rows_read:
        yield Finding("E305", where, f"no row of {name} can be used", shown)
    elif rejects.share > limit:
        what = f"{counted} ({percent(rejects.share)}), more than max_rejects ({percent(limit)})"
        yield Finding("E304", where, what, shown)
    elif rejects.share > WARN_ABOVE:
        yield Finding("W405", where, f"{counted} ({percent(rejects.share)})", shown)


def _spellings(examples: Sequence[Reject]) -> Iterator[str]:
    """Propose the options under which cells that look like it could be read."""
    for spelling, reason, option in SPELLINGS:
        if any(one.reason == reason and re.match(spelling, one.value) for one in examples):
            yield f"write {option}"


def _told(reject: Reject) -> str:
    value = f" {quoted(reject.value)}" if reject.value else ""
    return f"row {reject.row}: {reject.column or 'the row'}{value} {reject.reason}"


def check_data(data: pd.DataFrame, contract: Contract, source: str, lines: Lines) -> Iterator[Finding]:
    """Yield what usable rows do wrong together: E306 a row twice, E309 a negative cost or spend."""
    name = quoted(source, 200)
    unique = [column for column in contract.unique if column in data]
    again = data.duplicated(unique).to_numpy() if unique else np.zeros(len(data), dtype=bool)
    if again.any():
        first = ", ".join(quoted(_shown(value)) for value in data[unique].iloc[int(again.argmax())])
        what = f"a {' and '.join(unique)} is repeated in {name}, such as {first}"
        yield _at(again, lines, source, "E306", what)
    for column in contract.at_least_zero:
        below = (data[column] < 0).to_numpy() if column in data else np.zeros(len(data), dtype=bool)
        if below.any():
            yield _at(below, lines, source, "E309", f"{column} is negative in {name}")


def _shown(value: object) -> object:
    """Give a day without its hours."""
    return str(value).removesuffix(" 00:00:00") if isinstance(value, datetime) else value


def _at(bad: NDArray[np.bool_], lines: Lines, source: str, code: str, what: str) -> Finding:
    shown = lines([int(row) for row in bad.nonzero()[0][:_LISTED]])
    more = int(bad.sum()) - len(shown)
    rows = f"row{'s' if len(shown) > 1 else ''} {', '.join(str(line) for line in shown)}"
    return Finding(code, Origin(source, shown[0]), what, f"see {rows}{f' and {more:,} more' if more else ''}")
