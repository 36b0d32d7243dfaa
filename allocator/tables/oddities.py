"""What is odd in rows that can be used: numbers among which stands text, and rows that are there again.

Only methods of the engine's expressions are used; the engine is named in `sources` alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from allocator.errors import Finding, Origin
from allocator.quantities import count, percent, quoted

Rows: TypeAlias = Any
"""A table of the engine, which only `sources` names."""
NEEDLESS_ZERO = r"^[+-]?0\d"  # begins a code, not a number
MOSTLY = 0.5  # of the filled cells that are numbers: from here on a column was meant to hold numbers
OUTCOMES = ("revenue", "converted", "retained")
CONTACT = ("customer_id", "arm", "contacted_on")
ORDER = ("customer_id", "ordered_on", "amount")
ORDERS_ALIKE = 0.2
"""Share of orders that may agree in customer, time and amount by chance, where they have no id."""
LINES_ALIKE = 0.01
"""Share of order lines that may agree in everything: the same article twice on an order."""


@dataclass(frozen=True)
class Spelled:
    """How the cells of a column that is read as written are spelled.

    Parameters
    ----------
    numbers, texts, codes, absent : int
        Cells that are a number, that are none, such of the latter that are codes (01234), and those that
        say in words that there is nothing.
    first : int or None
        Place of the first cell that is no number.
    """

    numbers: int
    texts: int
    codes: int
    absent: int
    first: int | None

    @property
    def mixed(self) -> bool:
        """Whether numbers were meant and some cells are none."""
        filled = self.numbers + self.texts
        return self.texts > 0 and not self.codes and self.numbers >= MOSTLY * filled


def spelled(good: Rows, written: Iterable[int]) -> dict[int, Spelled]:
    """Count how the cells of columns are spelled: ``v`` as text, ``n`` as number, ``a`` where absent."""
    asked: dict[str, Any] = {}
    wanted = sorted(written)
    for i in wanted:
        value, number, absent = good[f"v{i}"], good[f"n{i}"], good[f"a{i}"]
        text = ~absent & number.isnull()
        asked |= {
            f"numbers{i}": number.notnull().sum(),
            f"texts{i}": text.sum(),
            f"codes{i}": (text & value.re_search(NEEDLESS_ZERO)).sum(),
            f"absent{i}": (absent & value.notnull()).sum(),
            f"first{i}": good["place"].min(where=text),
        }
    if not asked:
        return {}
    found = good.aggregate(**asked).to_pyarrow().to_pylist()[0]
    return {
        i: Spelled(
            found[f"numbers{i}"] or 0,
            found[f"texts{i}"] or 0,
            found[f"codes{i}"] or 0,
            found[f"absent{i}"] or 0,
            found[f"first{i}"],
        )
        for i in wanted
    }


def mixed_column(column: str, cells: Spelled, source: str, row: int, value: str) -> Finding:
    """Say that a column of numbers holds text; it is read as text.

    Parameters
    ----------
    column : str
        By the file's name.
    cells : Spelled
    source : str
    row : int
        Where the first text stands, and
    value : str
        what it is.
    """
    filled = count(cells.numbers + cells.texts)
    what = f"{quoted(column)} of {quoted(source, 200)} is read as text, every value a level of its own:"
    what += f" {count(cells.texts)} of {filled} filled cells are no number"
    fix = f"row {row}: {column} {quoted(value)}; write numbers, or state decimal and thousands"
    return Finding("W413", Origin(source, row), what, fix)


def repeated_rows(
    table: str, usable: Rows, columns: Sequence[str], where: Origin | None
) -> Iterator[Finding]:
    """Find rows that look as if they were loaded twice.

    Parameters
    ----------
    table : str
        The contract's name.
    usable : table
        With ``v0``… in order of `columns`.
    columns : sequence of str
        Our names.
    where : Origin or None
    """
    place = {name: f"v{i}" for i, name in enumerate(columns)}
    if "customer_id" not in place:
        return
    if table == "experiments":
        alike, limit = [*CONTACT, *OUTCOMES], 0.0
    elif table == "transactions":
        alike, limit = (list(columns), LINES_ALIKE) if "order_id" in place else (list(ORDER), ORDERS_ALIKE)
    else:
        return
    rows, again = _again(usable, [place[name] for name in alike if name in place], place["customer_id"])
    if again > limit * rows:
        what = f"{count(again)} of {count(rows)} rows of {table} ({percent(again / rows)}) are there before"
        told = ", ".join(name for name in alike if name in place)
        yield Finding("W414", where, f"{what}: loaded twice?", f"they agree in {told}; leave them out")


def _again(usable: Rows, alike: Sequence[str], customer: str) -> tuple[int, int]:
    """Count the rows of named customers, and those of them that repeat another."""
    known = usable.filter(usable[customer].notnull())
    rows = int(known.count().execute())
    return rows, rows - int(known.select(*alike).distinct().count().execute())


def all_numbers(spellings: Mapping[int, Spelled]) -> set[int]:
    """Give the columns in which every cell that says something is a number."""
    return {i for i, cells in spellings.items() if not cells.texts}
