"""A plan's answer as content: figures, tables and remarks, without a renderer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from allocator import quantities


@dataclass(frozen=True)
class Text:
    """Words."""

    words: str

    @property
    def text(self) -> str:
        """As shown."""
        return self.words


@dataclass(frozen=True)
class Money:
    """An amount of money, or a count.

    Parameters
    ----------
    value : float or None
        Unrounded, in the scenario's currency; None when unknown.
    shown : float or None
        What is displayed: rounded so that rows add to totals, perhaps in thousands. None: `value`.
    decimals : int
    signed : bool
        Whether a plus is written.
    """

    value: float | None
    shown: float | None = None
    decimals: int = 0
    signed: bool = False

    @property
    def text(self) -> str:
        """As shown."""
        number = self.value if self.shown is None else self.shown
        if self.signed:
            return quantities.signed_money(number, self.decimals)
        return quantities.money(number, self.decimals)


@dataclass(frozen=True)
class Ratio:
    """Money per money, such as the return per unit; `mark` is a sign that a remark explains."""

    value: float | None
    mark: str = ""

    @property
    def text(self) -> str:
        """As shown."""
        return quantities.ratio(self.value) + self.mark


@dataclass(frozen=True)
class Percent:
    """A share of one; `shown` is the rounded share where rows add to a total."""

    value: float | None
    shown: float | None = None

    @property
    def text(self) -> str:
        """As shown."""
        return quantities.percent(self.value if self.shown is None else self.shown)


@dataclass(frozen=True)
class Bar:
    """A bar whose length is a share of the longest one's; None leaves the place empty."""

    value: float | None

    @property
    def text(self) -> str:
        """A bar has no words."""
        return ""


Entry = Text | Money | Ratio | Percent | Bar


@dataclass(frozen=True)
class Figure:
    """One headline figure with what there is to say about it."""

    label: str
    value: Entry
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    head : str
    align : {"left", "right"}
    drop : int
        0 stays at any width; where room is short the highest goes first.
    below : bool
        Whether its words may move to a line of their own under the row where room is short.
    """

    head: str
    align: Literal["left", "right"] = "right"
    drop: int = 0
    below: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of entries, one per column, and the totals they add to (below a rule).

    ``turned`` is the same table with rows and columns exchanged, for narrow places; ``remark`` explains a
    mark used in it; ``footer`` are items that belong below it, after ``footer_label``.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Entry, ...], ...]
    totals: tuple[tuple[Entry, ...], ...] = ()
    remark: str = ""
    turned: Table | None = None
    footer_label: str = ""
    footer: tuple[str, ...] = ()


@dataclass(frozen=True)
class Choice:
    """One way out of a contradiction, and whose limit it touches."""

    text: str
    remark: str


@dataclass(frozen=True)
class Refusal:
    """Why there is no plan."""

    code: str
    text: str
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Advice:
    """A warning in one line, or a remark without a code."""

    code: str
    text: str


@dataclass(frozen=True)
class Document:
    """Everything people are told about one plan, in the order they should read it."""

    title: str
    subtitle: tuple[str, ...]
    refusal: Refusal | None = None
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    advice: tuple[Advice, ...] = ()
