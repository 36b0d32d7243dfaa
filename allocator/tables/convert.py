"""Cells to values: one expression a kind of column, run by the engine; a cell that does not fit says why.

Only methods of the expressions are used; the engine is named in `sources` alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from allocator.tables.contracts import Kind, TableOptions
from allocator.tables.oddities import NEEDLESS_ZERO

Expression: TypeAlias = Any
"""Of the engine, which only `sources` names."""
Faults: TypeAlias = list[tuple[Expression, Expression | str]]
"""Conditions that make a cell unusable, and what each says of it."""

UNUSUAL = r"[^\x21-\x7e]"  # anything but plain characters: only these cells need tidying
EDGES = r"^[\pZ\pC\s]+|[\pZ\pC\s]+$"
ISO = r"^\d{4}-\d{2}-\d{2}([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d([.,]\d{1,9})?)?)?$"
OFFSET = r"^\d{4}-\d{2}-\d{2}[T ].*(Z|[+-]\d{2}(:?\d{2})?)$"
ENDLESS = r"(?i)^[+-]?(nan|inf|infinity)$"
ABSENT = r"(?i)^(na|n/a|nan|null|none|#n/a|-)$"
FIRST_YEAR, LAST_YEAR = 1900, 2199
SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "CNY": "¥", "INR": "₹", "KRW": "₩"}


@dataclass(frozen=True)
class Functions:
    """Functions of the engine that expressions have no method for."""

    nfc: Callable[[Expression], Expression]
    read_time: Callable[[Expression, str], Expression]


@dataclass(frozen=True)
class Cells:
    """What the cells of a column become.

    Parameters
    ----------
    value : expression
        Ours; of no meaning where there is a fault.
    fault : string expression
        Why the cell cannot be used; null where it can.
    """

    value: Expression
    fault: Expression


@dataclass(frozen=True)
class Converter:
    """Reads cells by the spelling a table declares.

    Parameters
    ----------
    options : TableOptions
    functions : Functions
    currency : str
        The only one whose code or sign may stand beside an amount.
    """

    options: TableOptions
    functions: Functions
    currency: str = ""

    def tidied(self, column: Expression) -> Expression:
        """Give a column as text in NFC without spaces around it; empty cells and NaN are null."""
        kind = column.type()
        if kind.is_string():
            unusual = column.re_search(UNUSUAL)
            clean = self.functions.nfc(column.re_replace(EDGES, ""))
            return unusual.ifelse(clean, column).nullif("")
        written = column.cast("string")
        if not kind.is_floating():
            return written
        whole = (column % 1 == 0) & (column.abs() < 2**53)
        written = whole.ifelse(whole.ifelse(column, 0.0).cast("int64").cast("string"), written)
        return column.isnan().ifelse(written.nullif(written), written)

    def cells(self, column: Expression, text: Expression, kind: Kind, *, filled: bool) -> Cells:
        """Give what the cells of a column become; `filled` makes an empty one a fault.

        Parameters
        ----------
        column, text : expression
            As it was read, and tidied.
        kind : Kind
        """
        convert = {
            Kind.ID: self._label,
            Kind.TEXT: self._label,
            Kind.DATE: self._date,
            Kind.AMOUNT: self._amount,
            Kind.SHARE: self._share,
            Kind.FLAG: self._flag,
            Kind.WRITTEN: self._as_written,
        }[kind]
        value, faults = convert(column, text)
        nothing = text.nullif(text)
        fault = nothing
        for bad, reason in reversed(faults):
            fault = bad.ifelse(reason, fault)
        return Cells(value, text.isnull().ifelse("is empty" if filled else nothing, fault))

    def _label(self, _: Expression, text: Expression) -> tuple[Expression, Faults]:
        return text, [(text.contains("\n"), "holds a line break")]

    def _number(self, text: Expression) -> Expression:
        """Give finite numbers; null for everything else."""
        point, between = re.escape(self.options.decimal or "."), self.options.thousands
        whole = rf"(\d{{1,3}}({re.escape(between)}\d{{3}})+|\d+)" if between else r"\d+"
        numeral = rf"^[+-]?({whole}({point}\d*)?|{point}\d+)([eE][+-]?\d+)?$"
        plain = self._without_currency(text)
        if between == " ":
            plain = plain.re_replace(r"\pZ", " ")
        digits = plain.re_search(numeral).ifelse(plain, plain.nullif(plain))
        if between:
            digits = digits.replace(between, "")
        if self.options.decimal == ",":
            digits = digits.replace(",", ".")
        number = digits.try_cast("float64")
        return number.isinf().ifelse(number.nullif(number), number)

    def _without_currency(self, text: Expression) -> Expression:
        if not self.currency:
            return text
        names = "|".join(re.escape(name) for name in (self.currency, SIGNS.get(self.currency, "")) if name)
        leading = text.re_replace(rf"^([+-]?)({names})\s*", r"\1")
        return leading.re_replace(rf"\s*({names})$", "")

    def _amount(self, column: Expression, text: Expression) -> tuple[Expression, Faults]:
        kind = column.type()
        if kind.is_numeric() and not kind.is_boolean():
            number = column.cast("float64")
            number = number.isinf().ifelse(number.nullif(number), number)
        else:
            number = self._number(text)
        # the dearer question is put to cells that are no number only
        reason = text.re_search(ENDLESS).ifelse("is not a finite number", "is not a number")
        return number, [(number.isnull(), reason)]

    def _share(self, column: Expression, text: Expression) -> tuple[Expression, Faults]:
        percent = text.endswith("%")
        bare = percent.ifelse(text.re_replace(r"\s*%$", ""), text)
        number, faults = self._amount(column, bare)
        share = percent.ifelse(number / 100, number)
        return share, [*faults, ((share < 0) | (share > 1), "is not between 0 and 1")]

    def _flag(self, _: Expression, text: Expression) -> tuple[Expression, Faults]:
        word = text.lower()
        yes, no = word.isin(["1", "true", "yes", "1.0"]), word.isin(["0", "false", "no", "0.0"])
        flag = yes.ifelse(1.0, no.ifelse(0.0, word.nullif(word).cast("float64")))
        return flag, [(~yes & ~no, "is neither 1 nor 0")]

    def _date(self, column: Expression, text: Expression) -> tuple[Expression, Faults]:
        kind, form = column.type(), self.options.date_format
        faults: Faults = []
        if kind.is_temporal():
            time = column.cast("timestamp")
        elif form is not None:
            time = self.functions.read_time(text, form)
            faults = [(time.isnull(), f"is not a date written {form}")]
        else:
            time = text.re_search(ISO).ifelse(text, text.nullif(text)).try_cast("timestamp")
            reason = text.re_search(OFFSET).ifelse(
                "has an offset from UTC, which is not supported yet", "is not a date written 2026-12-31"
            )
            faults = [(time.isnull(), reason)]
        far = (time.year() < FIRST_YEAR) | (time.year() > LAST_YEAR)
        return time, [*faults, (far, f"is not between {FIRST_YEAR} and {LAST_YEAR}")]

    def _as_written(self, column: Expression, text: Expression) -> tuple[Expression, Faults]:
        endless = text.re_search(r"(?i)^[+-]?inf(inity)?$") if column.type().is_floating() else text.isnull()
        return text, [(endless, "is not a finite number")]

    def written_number(self, text: Expression) -> tuple[Expression, Expression]:
        """Give a text cell as a number, null where it is none, and whether it stands for nothing.

        A number that begins with a needless 0 is a code, such as 01234.
        """
        code = text.re_search(NEEDLESS_ZERO)
        number = self._number(code.ifelse(text.nullif(text), text))
        return number, text.isnull() | text.re_search(ABSENT)
