"""Fitting words into a width: cleaning, wrapping, joining, padding, by character cells."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

SEPARATOR = " · "


def plain(text: str) -> str:
    r"""Give text that can do nothing but be read: control and direction characters become ``�``.

    Examples
    --------
    >>> plain("Q1\x1b[31m plan")
    'Q1�[31m plan'
    """
    return "".join(_harmless(character) for character in text)


def _harmless(character: str) -> str:
    if character in "\n\r\t":
        return " "
    kind = unicodedata.category(character)
    # format characters (Cf) hide or reverse text; the joiner of emoji and scripts is harmless
    return "�" if kind in {"Cc", "Cf", "Cs", "Zl", "Zp"} and character != "\u200d" else character


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Give text in exactly `width` cells; what is too long ends with an ellipsis.

    Examples
    --------
    >>> padded("email", 8), padded("7", 3, right=True), padded("Paid search", 6)
    ('email   ', '  7', 'Paid …')
    """
    size = cell_len(text)
    if size > width:
        return set_cell_size(text, max(width - 1, 0)) + "…"
    gap = " " * (width - size)
    return gap + text if right else text + gap


def wrapped(text: str, width: int) -> list[str]:
    """Break text into lines of at most `width` cells, between words where it can.

    Examples
    --------
    >>> wrapped("one two three", 8)
    ['one two', 'three']
    """
    return _filled(text.split(" "), " ", width)


def joined(items: Sequence[str], width: int) -> list[str]:
    """Join items by middle dots into lines of at most `width` cells, broken between items where it can.

    Examples
    --------
    >>> joined(["margin", "1.90 per EUR", "likely"], 22)
    ['margin · 1.90 per EUR', 'likely']
    """
    return _filled(items, SEPARATOR, width)


def _filled(items: Sequence[str], separator: str, width: int) -> list[str]:
    lines: list[str] = []
    for item in items:
        longer = f"{lines[-1]}{separator}{item}" if lines else item
        if lines and cell_len(longer) <= width:
            lines[-1] = longer
        elif cell_len(item) <= width:
            lines.append(item)
        elif " " in item:
            lines.extend(wrapped(item, width))
        else:
            lines.extend(_cut(item, width))
    return lines or [""]


def _cut(word: str, width: int) -> list[str]:
    """Cut a word that is wider than a line."""
    pieces, piece = [], ""
    for character in word:
        if piece and cell_len(piece + character) > width:
            pieces.append(piece)
            piece = ""
        piece += character
    return [*pieces, piece]
