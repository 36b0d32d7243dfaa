"""Writing: every number people see is rendered here."""

from __future__ import annotations

import math
from collections.abc import Sequence

UNKNOWN = "–"


def money(value: float | None, decimals: int = 0) -> str:
    """Write an amount with commas between thousands.

    Examples
    --------
    >>> money(1_200_000), money(None)
    ('1,200,000', '–')
    """
    return UNKNOWN if value is None or not math.isfinite(value) else _unsigned_zero(f"{value:,.{decimals}f}")


def signed_money(value: float | None, decimals: int = 0) -> str:
    """Write a difference with its sign.

    Examples
    --------
    >>> signed_money(5223), signed_money(-0.2)
    ('+5,223', '±0')
    """
    text = money(value, decimals)
    if text == UNKNOWN or text.startswith("-"):
        return text
    return f"±{text}" if not text.strip("0.,") else f"+{text}"


def money_short(value: float | None) -> str:
    """Write an amount in thousands or millions.

    Examples
    --------
    >>> money_short(1_942_345), money_short(18_000), money_short(1_500), money_short(999_700)
    ('1.94M', '18k', '1.5k', '1.00M')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    size = abs(value)
    if size >= 999_500:
        return f"{value / 1e6:,.2f}M"
    if size >= 999.5:
        return f"{value / 1e3:.0f}k" if size >= 9_950 else f"{value / 1e3:.1f}".removesuffix(".0") + "k"
    return money(value)


def percent(value: float | None, decimals: int | None = 0) -> str:
    """Write a fraction as a percentage; `decimals` None gives as many as it has, at most 4.

    Examples
    --------
    >>> percent(0.61), percent(-0.125, None), percent(None)
    ('61%', '-12.5%', '–')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    text = f"{100 * value:,.{4 if decimals is None else decimals}f}"
    if decimals is None:
        text = text.rstrip("0").rstrip(".")
    return f"{_unsigned_zero(text)}%"


def ratio(value: float | None, decimals: int = 2) -> str:
    """Write a ratio.

    Examples
    --------
    >>> ratio(1.9)
    '1.90'
    """
    return money(value, decimals)


def count(value: float | None) -> str:
    """Write a number of things.

    Examples
    --------
    >>> count(400_000)
    '400,000'
    """
    return money(value)


def largest_remainder(values: Sequence[float], decimals: int = 0) -> list[float]:
    """Round `values` so that they add to their rounded total.

    Hamilton's method: all are rounded down, the missing units go to the largest remainders, earlier first.

    Examples
    --------
    >>> largest_remainder([1.4, 1.4, 1.2])
    [2.0, 1.0, 1.0]
    """
    unit = 10.0**decimals
    scaled = [value * unit for value in values]
    floors = [math.floor(value) for value in scaled]
    missing = round(math.fsum(scaled)) - sum(floors)
    by_remainder = sorted(range(len(scaled)), key=lambda i: (floors[i] - scaled[i], i))
    for position in by_remainder[:missing]:
        floors[position] += 1
    return [floor / unit for floor in floors]


def _unsigned_zero(text: str) -> str:
    """Drop the minus of a number that rounds to zero."""
    return text if text.strip("-0.,") else text.lstrip("-")
