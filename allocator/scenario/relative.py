"""Relative values: ``base - 20%``, ``base + 100k``, ``base * 0.5``, where base is the inherited value."""

from __future__ import annotations

import re
from decimal import Decimal, DivisionByZero, InvalidOperation
from typing import NamedTuple

from allocator.errors import Finding
from allocator.quantities import SpellingError, parse_money, parse_signed_share, quoted
from allocator.scenario.tree import Mark, Scalar

_EXPRESSION = re.compile(r"base(?:\s*([-+*/−])\s*(.+))?")
_LOOKS_RELATIVE = re.compile(r"base\s*[-+*/−×÷^].*")
HOW = "write base - 20%, base + 100k or base * 0.5"


class _Operand(NamedTuple):
    """A number, how it was written, and its foreign currency, if any."""

    value: Decimal
    percent: bool = False
    currency: str | None = None


def is_relative(value: object) -> bool:
    """Whether a value is meant to be relative to the inherited one.

    Examples
    --------
    >>> is_relative("base - 20%"), is_relative("base plan")
    (True, False)
    """
    return isinstance(value, str) and (value.strip() == "base" or bool(_LOOKS_RELATIVE.match(value.strip())))


def evaluate(expression: str, base: Scalar, mark: Mark, *, currency: str | None = None) -> Scalar | Finding:
    """Give the value an expression stands for, or the E111 finding why it stands for none.

    Parameters
    ----------
    expression : str
        ``base``, followed by an operation or not.
    base : scalar
        The inherited value as it was written.
    mark : Mark
        Of the expression.
    currency : str or None
        The scenario's.

    Examples
    --------
    >>> from allocator.errors import Origin
    >>> evaluate("base - 20%", "1.2M", Mark(Origin("q1.yaml", 3)))
    '960000'
    """
    match = _EXPRESSION.fullmatch(expression.strip())
    if match is None:
        return mark.finding("E111", f"{quoted(expression)} is no expression of base", HOW)
    sign, text = match.groups()
    if sign is None:
        return base
    try:
        return _spelled(*_apply(sign.replace("−", "-"), _operand(base, currency), _operand(text, currency)))
    except SpellingError as error:
        return mark.finding("E111", f"{quoted(expression)}: {error.what}", error.fix or HOW)
    except (DivisionByZero, InvalidOperation):
        return mark.finding("E111", f"{quoted(expression)} has no finite value", HOW)


def _operand(value: Scalar, currency: str | None) -> _Operand:
    if value is None:
        raise SpellingError("there is no inherited value")
    if isinstance(value, str) and value.strip().endswith("%"):
        return _Operand(Decimal(repr(parse_signed_share(value))), percent=True)
    amount = parse_money(value)
    foreign = amount.currency if amount.currency != currency else None
    return _Operand(Decimal(repr(amount.value)), currency=foreign)


def _apply(sign: str, base: _Operand, by: _Operand) -> tuple[Decimal, _Operand]:
    """Give the result, and the operand whose spelling it takes."""
    if sign in "*/":
        if by.currency:
            raise SpellingError("money times money is no amount", HOW)
        return (base.value * by.value if sign == "*" else base.value / by.value), base
    change = by.value if sign == "+" else -by.value
    if by.percent:
        if base.percent or abs(base.value) <= 1:
            what = "a percentage of a share could mean points or a part of it"
            raise SpellingError(what, f"write base * {1 + change}, or the value itself")
        return base.value * (1 + change), base
    if base.percent:
        raise SpellingError("the inherited value is a share", "write base * 0.5, or the value itself")
    if base.currency != by.currency:
        raise SpellingError("the amounts are in different currencies", "write the amount itself")
    return base.value + change, base


def _spelled(value: Decimal, like: _Operand) -> str:
    """Write a result so that it is read back as the same number."""
    number = float(100 * value if like.percent else value)
    text = repr(number).removesuffix(".0")
    if re.fullmatch(r"-?\d+\.\d{3}", text):
        text += "0"  # three decimals alone could be thousands
    if like.percent:
        return f"{text}%"
    return f"{like.currency} {text}" if like.currency else text
