"""Reading: how money, shares and ratios may be spelled in text."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Literal

from allocator.errors import closest
from allocator.quantities.currencies import CURRENCIES

_DIGITS = re.compile(r"\d+(\.\d*)?|\.\d+", re.ASCII)
_EXPONENT = re.compile(r"(\d+(\.\d*)?|\.\d+)[eE][+-]?\d{1,3}", re.ASCII)
_GROUPED = re.compile(r"\d{1,3}((_\d{3})+|(,\d{3})+)(\.\d+)?", re.ASCII)
_DOTTED = re.compile(r"\d{1,3}(\.\d{3}){2,}(,\d+)?|\d{1,3}(\.\d{3})+,\d+", re.ASCII)
_SPACED = re.compile(r"\d{1,3}([ '’\u00a0\u202f]\d{3})+([.,]\d+)?", re.ASCII)
_COMMA = re.compile(r"\d+,\d+", re.ASCII)
_THREE_DECIMALS = re.compile(r"([1-9]\d{0,2})\.(\d{3})", re.ASCII)
_MONEY = re.compile(r"(?:(?P<currency>[A-Z]{3})\s*)?(?P<sign>[+-]?)\s*(?P<body>.*?)\s*(?P<suffix>[kKM]?)")
_SCALE = {"": 0, "k": 3, "K": 3, "M": 6}


LONGEST_VALUE = 200
_FREQUENT = ("EUR", "USD", "GBP", "CHF", "CNY", "JPY")


class SpellingError(ValueError):
    """A value is written in a way that is not read: what is wrong, and the right spelling.

    Parameters
    ----------
    what, fix : str
        As in :class:`allocator.errors.Finding`.
    code : str
        ``E104`` numbers and money, ``E105`` shares, ``E106`` range, ``E107`` dates, ``E108`` durations,
        ``E114`` currencies.
    """

    def __init__(self, what: str, fix: str = "", code: str = "E104") -> None:
        self.what, self.fix, self.code = what, fix, code
        super().__init__(f"{what}: {fix}" if fix else what)


@dataclass(frozen=True)
class Amount:
    """An amount of money; `currency` is None where none is written."""

    value: float
    currency: str | None = None


@dataclass(frozen=True)
class Change:
    """A change against today: a share of it, or an amount of money (in `currency`, where written)."""

    kind: Literal["share", "money"]
    value: float
    currency: str | None = None

    def __str__(self) -> str:
        if self.kind == "share":
            return f"{Decimal(repr(self.value)).scaleb(2):+f}%"
        return f"{self.currency or ''} {self.value:+.15g}".strip()


def quoted(text: object, limit: int = 40) -> str:
    """Give `text` in quotes for a message: one line, no control characters, not too long.

    Examples
    --------
    >>> quoted("1.200.000")
    "'1.200.000'"
    """
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(text))
    return f"'{line if len(line) <= limit else line[: limit - 1] + '…'}'"


def parse_money(value: object) -> Amount:
    """Read an amount of money: ``250k``, ``1.2M``, ``250_000``, ``"250,000"``, ``EUR 250k`` or a number.

    Raises
    ------
    SpellingError
        For anything that could be read in two ways (``1.200.000``, ``250,50``, ``250.000``) or not at all.

    Examples
    --------
    >>> parse_money("1.2M"), parse_money("EUR 250k")
    (Amount(value=1200000.0, currency=None), Amount(value=250000.0, currency='EUR'))
    """
    number = _python_number(value)
    if number is not None:
        return Amount(number)
    text = plain_text(value)
    match = _MONEY.fullmatch(text)
    body = match["body"] if match else text
    if match is None or not body or (not body[0].isdigit() and body[0] != "."):
        raise _not_money(text)
    if text.endswith("%"):
        raise SpellingError(
            f"{quoted(text)} is a share where an amount of money is expected", "write 250k or 1.2M"
        )
    if not match["suffix"]:
        _refuse_three_decimals(text, body)
    amount = _numeral(body, text, "money").scaleb(_SCALE[match["suffix"]])
    return Amount(_finite(-amount if match["sign"] == "-" else amount, text), match["currency"])


def parse_number(value: object) -> float:
    """Read a plain finite number: ``0.5``, ``1_200_000``, ``1e-3``.

    Examples
    --------
    >>> parse_number("1_200_000"), parse_number("-1e-3")
    (1200000.0, -0.001)
    """
    number = _python_number(value)
    if number is not None:
        return number
    text = plain_text(value)
    body = text.lstrip("+-") if text[:2].count("-") + text[:2].count("+") < 2 else text
    if text.endswith("%"):
        raise SpellingError(
            f"{quoted(text)} is a percentage where a plain number is expected", _as_fraction(text)
        )
    amount = _numeral(body, text, "number")
    return _finite(-amount if text.startswith("-") else amount, text)


def parse_count(value: object) -> int:
    """Read a whole number, not negative: ``500``, ``1_200_000``, ``400k``.

    Examples
    --------
    >>> parse_count("400k")
    400000
    """
    if isinstance(value, str) and not value.strip()[-1:].isalpha():
        number = parse_number(value)
    else:
        number = parse_money(value).value
    if number < 0 or number != int(number):
        raise SpellingError(f"{quoted(value)} is not a whole number of 0 or more", code="E106")
    return int(number)


def parse_signed_share(value: object) -> float:
    """Read a share of any sign: ``-40%`` or ``-0.4``; a bare number above 1 is refused.

    Examples
    --------
    >>> parse_signed_share("-40%"), parse_signed_share("+150%")
    (-0.4, 1.5)
    """
    number, percent = _number_or_percent(value)
    if not percent and abs(number) > 1:
        raise SpellingError(f"{quoted(value)} is not a share", f"did you mean {number:.15g}% ?", "E105")
    return number


def parse_share(value: object) -> float:
    """Read a share between 0 and 1: ``20%`` or ``0.2``; a bare ``20`` is refused.

    Examples
    --------
    >>> parse_share("20%"), parse_share(0.2)
    (0.2, 0.2)
    """
    share = parse_signed_share(value)
    if not 0 <= share <= 1:
        raise SpellingError(f"{quoted(value)} is not between 0% and 100%", code="E106")
    return share


def parse_ratio(value: object) -> float:
    """Read a ratio such as roi: ``20%`` or ``0.2``; a bare number above 1 is refused, both readings offered.

    Examples
    --------
    >>> parse_ratio("20%"), parse_ratio("-0.1")
    (0.2, -0.1)
    """
    number, percent = _number_or_percent(value)
    if not percent and abs(number) > 1:
        low, high = f"{number:.15g}%", f"{100 * number:.15g}%"
        raise SpellingError(f"{quoted(value)} is ambiguous as a ratio", f"write {low} or {high}", "E105")
    return number


def parse_change(value: object) -> Change:
    """Read a change against today: ``-40%`` or ``0.2`` is a share, ``+50k`` or ``EUR 50`` is money.

    A bare number between 1 and 1,000 could be either and is refused.

    Examples
    --------
    >>> parse_change("-40%"), parse_change("+50k")
    (Change(kind='share', value=-0.4, currency=None), Change(kind='money', value=50000.0, currency=None))
    """
    if isinstance(value, Change):
        return value
    if isinstance(value, str) and value.strip().endswith("%"):
        return Change("share", parse_signed_share(value))
    amount = parse_money(value)
    unmistakable = amount.currency or (isinstance(value, str) and value.strip()[-1:] in "kKM")
    if unmistakable or abs(amount.value) >= 1000:
        return Change("money", amount.value, amount.currency)
    if abs(amount.value) > 1:
        number = f"{amount.value:.15g}"
        raise SpellingError(
            f"{quoted(value)} is ambiguous: a share or money?", f"write {number}% or EUR {number}", "E105"
        )
    return Change("share", amount.value)


def parse_currency(value: object) -> str:
    """Read an ISO 4217 code: ``EUR``.

    Examples
    --------
    >>> parse_currency("EUR")
    'EUR'
    """
    text = plain_text(value)
    if text in CURRENCIES:
        return text
    near = closest(text.upper(), _FREQUENT, cutoff=0.6) or closest(
        text.upper(), sorted(CURRENCIES), cutoff=0.6
    )
    fix = f"did you mean {near}?" if near else "write a code such as EUR, USD or CNY"
    raise SpellingError(f"{quoted(text)} is not an ISO 4217 currency code", fix, "E114")


def _python_number(value: object) -> float | None:
    """Give a finite Python or numpy number as a float; None for text."""
    if isinstance(value, bool) or not isinstance(value, Real | Decimal | str):
        kinds = {list: "a list", tuple: "a list", dict: "a mapping", type(None): "nothing"}
        kind = kinds.get(type(value), str(value))
        raise SpellingError(f"{kind} where a number is expected")
    if isinstance(value, str):
        return None
    return _finite(value, str(value))


def plain_text(value: object) -> str:
    """Give `value` as trimmed text with an ASCII minus; refuse what is too long to be a value."""
    text = "" if value is None else str(value).strip().replace("\N{MINUS SIGN}", "-")
    if len(text) > LONGEST_VALUE:
        raise SpellingError(f"{quoted(text)} is too long to be a value")
    return text


def _finite(value: Decimal | Real, text: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise SpellingError(f"{quoted(text)} is not a finite number")
    return number + 0.0


def _numeral(body: str, text: str, kind: Literal["money", "number"]) -> Decimal:
    """Read an unsigned numeral, or say why it cannot be read without guessing."""
    if _DIGITS.fullmatch(body) or _EXPONENT.fullmatch(body):
        return Decimal(body)
    if _GROUPED.fullmatch(body):
        return Decimal(body.replace("_", "").replace(",", ""))
    if _DOTTED.fullmatch(body):
        fix = _grouped_both(body.replace(".", "").replace(",", "."))
        raise SpellingError(f"{quoted(text)} is ambiguous: dots as thousand separators are not read", fix)
    if _SPACED.fullmatch(body):
        fix = _grouped_both(re.sub(r"[^\d.,]", "", body).replace(",", "."))
        raise SpellingError(f"{quoted(text)}: spaces or apostrophes between thousands are not read", fix)
    if _COMMA.fullmatch(body):
        raise SpellingError(
            f"{quoted(text)} is ambiguous: a comma is no decimal point", f"write {body.replace(',', '.')}"
        )
    raise _not_money(text) if kind == "money" else SpellingError(f"{quoted(text)} is not a number")


def _grouped_both(digits: str) -> str:
    whole, _, decimals = digits.partition(".")
    tail = f".{decimals}" if decimals else ""
    number = int(whole)
    return f'write {number:_}{tail} or "{number:,}{tail}"'


def _refuse_three_decimals(text: str, body: str) -> None:
    """Refuse ``250.000``: half of Europe reads 250 thousand."""
    match = _THREE_DECIMALS.fullmatch(body)
    if match is None:
        return
    whole, decimals = match.groups()
    small = f"{whole}.{decimals.rstrip('0')}" if decimals.strip("0") else whole
    small = f"{small}0" if len(small) - len(whole) == 4 else small
    fix = f"write {small} or {whole}_{decimals}"
    raise SpellingError(f"{quoted(text)} is ambiguous: {small} or {whole},{decimals}?", fix)


def _not_money(text: str) -> SpellingError:
    number = re.match(r"[^\d.+-]*(\d[\d_.]*)\s*(\D*)$", text, re.ASCII)
    suffix = number[2].strip().lower() if number else ""
    if text.lower().strip("+-.") in {"nan", "inf", "infinity"}:
        return SpellingError(f"{quoted(text)} is not a finite number", "write an amount such as 250k")
    if number and suffix in {"m", "mio", "mn", "million", "t", "tsd", "thousand"}:
        fix = f"write {number[1]}{'M' if suffix.startswith('m') else 'k'}"
    elif number and not suffix:
        fix = f"write the currency as a code: EUR {number[1]}"
    else:
        fix = "write 250k, 1.2M, 250_000 or EUR 250k"
    return SpellingError(f"{quoted(text)} is not an amount of money", fix)


def _as_fraction(text: str) -> str:
    try:
        return f"write {parse_ratio(text):.15g}"
    except SpellingError:
        return ""


def _number_or_percent(value: object) -> tuple[float, bool]:
    """Give the number and whether it was written with a percent sign."""
    number = _python_number(value)
    if number is not None:
        return number, False
    text = plain_text(value)
    body = text.removesuffix("%").rstrip()
    sign, digits = (body[0], body[1:].lstrip()) if body[:1] in {"+", "-"} else ("", body)
    if not (_DIGITS.fullmatch(digits) or _EXPONENT.fullmatch(digits) or _GROUPED.fullmatch(digits)):
        fix = f"write {digits.replace(',', '.')}%" if _COMMA.fullmatch(digits) else "write 20% or 0.2"
        raise SpellingError(f"{quoted(text)} is not a share", fix, "E105")
    amount = Decimal(digits.replace("_", "").replace(",", ""))
    amount = -amount if sign == "-" else amount
    return (_finite(amount.scaleb(-2), text), True) if text.endswith("%") else (_finite(amount, text), False)
