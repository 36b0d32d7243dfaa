"""A table as lines of text that fit a width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len
from rich.text import Text as Line

from allocator.report.document import Bar, Entry, Table
from allocator.report.render.layout import joined, padded, plain, wrapped

BAR = 10
NARROW_LABEL = 8
_EIGHTHS = " ▏▎▍▌▋▊▉"


@dataclass(frozen=True)
class Fit:
    """Which columns stand side by side, which go below their row, and how wide they are."""

    table: Table
    beside: tuple[int, ...]
    below: tuple[int, ...]
    widths: tuple[int, ...]
    gap: int

    @property
    def width(self) -> int:
        """Cells a row needs."""
        return 1 + sum(self.widths[i] for i in self.beside) + self.gap * (len(self.beside) - 1)


def table_lines(table: Table, width: int, *, blocks: bool) -> Iterator[Line]:
    """Give a table as lines; where it does not fit it is turned, its words go below, columns are left out.

    Parameters
    ----------
    table : Table
    width : int
    blocks : bool
        Whether bars may be drawn with block characters.
    """
    yield from _title(table, width)
    if table.rows:
        fit = _fitted(table, width)
        yield _row([column.head for column in fit.table.columns], fit, "dim")
        for row in fit.table.rows:
            yield from _body(row, fit, width, blocks=blocks)
        if fit.table.totals:
            yield Line(" " + "─" * (fit.width - 1), "dim")
        for row in fit.table.totals:
            yield from _body(row, fit, width, blocks=blocks, style="bold")
    if table.footer:
        items = [*(f"{plain(item)}," for item in table.footer[:-1]), plain(table.footer[-1])]
        yield from _footer(plain(table.footer_label), items, width)


def _title(table: Table, width: int) -> Iterator[Line]:
    title, remark = plain(table.title), plain(table.remark)
    if cell_len(title) + 3 + cell_len(remark) <= width:
        yield Line(title, "bold").append(f"   {remark}" if remark else "", "not bold dim")
        return
    yield Line(title, "bold")
    yield from (Line(f" {part}", "dim") for part in wrapped(remark, width - 1))


def _footer(label: str, items: Sequence[str], width: int) -> Iterator[Line]:
    start = 3 + len(label)
    room = max(width - start, 20)
    lines: list[str] = []
    for item in items:
        if lines and cell_len(lines[-1]) + 1 + cell_len(item) <= room:
            lines[-1] += f" {item}"
        else:
            lines.extend(wrapped(item, room))
    for i, line in enumerate(lines):
        yield Line(f"  {label} " if i == 0 else " " * start).append(line, "dim")


def _fitted(table: Table, width: int) -> Fit:
    """Choose the fullest layout that fits; where none does, the labels are cut as well."""
    fits = list(_layouts(table))
    return next((fit for fit in fits if fit.width <= width), _short_labels(fits[-1], width))


def _layouts(table: Table) -> Iterator[Fit]:
    """Give layouts from the fullest: side by side, turned, words below, ever fewer columns."""
    tables = [table, table.turned] if table.turned else [table]
    for choice in tables:
        yield from _spacings(choice, range(len(choice.columns)))
    last = tables[-1].columns
    beside = [i for i, column in enumerate(last) if not column.below]
    yield from _spacings(tables[-1], beside)
    for least in sorted({column.drop for column in last} - {0}, reverse=True):
        yield from _spacings(tables[-1], [i for i in beside if last[i].drop < least])


def _spacings(table: Table, beside: Sequence[int]) -> Iterator[Fit]:
    below = tuple(i for i, column in enumerate(table.columns) if column.below and i not in beside)
    widths = tuple(_column_width(table, i) for i in range(len(table.columns)))
    for gap in (3, 2):
        yield Fit(table, tuple(beside), below, widths, gap)


def _column_width(table: Table, index: int) -> int:
    entries = [row[index] for row in (*table.rows, *table.totals)]
    widths = [BAR if isinstance(entry, Bar) else cell_len(plain(entry.text)) for entry in entries]
    return max([cell_len(plain(table.columns[index].head)), *widths])


def _short_labels(fit: Fit, width: int) -> Fit:
    label = max(fit.widths[0] - (fit.width - width), min(NARROW_LABEL, fit.widths[0]))
    return replace(fit, widths=(label, *fit.widths[1:]))


def _body(row: Sequence[Entry], fit: Fit, width: int, *, blocks: bool, style: str = "") -> Iterator[Line]:
    """Give a row, and its words below it where they do not fit beside."""
    yield _row([_shown(entry, blocks=blocks) for entry in row], fit, style)
    words = [text for i in fit.below if (text := plain(row[i].text))]
    yield from (Line(f"     {part}", "dim") for part in (joined(words, width - 5) if words else ()))


def _row(texts: Sequence[str], fit: Fit, style: str = "") -> Line:
    line = Line(" ", style)
    for position, i in enumerate(fit.beside):
        column = fit.table.columns[i]
        text = padded(plain(texts[i]), fit.widths[i], right=column.align == "right")
        line.append(" " * fit.gap if position else "").append(text, "cyan" if _is_bar(fit.table, i) else "")
    return line


def _is_bar(table: Table, index: int) -> bool:
    return any(isinstance(row[index], Bar) for row in table.rows)


def _shown(entry: Entry, *, blocks: bool) -> str:
    if not isinstance(entry, Bar):
        return entry.text
    if entry.value is None:
        return ""
    if not blocks:
        return "#" * round(BAR * entry.value)
    eighths = round(8 * BAR * entry.value)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
