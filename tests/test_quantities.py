"""Spellings are read as written or refused with the right one; what is written can be read back."""

import math
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator import quantities
from allocator.quantities import Amount, Change, Duration, SpellingError

MONEY = [
    ("250k", 250_000),
    ("1.2M", 1_200_000),
    ("250000", 250_000),
    ("250_000", 250_000),
    ("250,000", 250_000),
    ("1,200,000.50", 1_200_000.5),
    ("1_200_000.5", 1_200_000.5),
    (" 250 k ", 250_000),
    ("1.250M", 1_250_000),
    ("0.125", 0.125),
    ("1234.567", 1234.567),
    ("12.50", 12.5),
    ("1e6", 1_000_000),
    ("1.2e6", 1_200_000),
    ("-40k", -40_000),
    ("−40k", -40_000),
    ("+5", 5),
    (".5", 0.5),
    ("5.", 5),
    (0, 0),
    (1.5, 1.5),
    (np.int64(3), 3),
    (np.float64(3.5), 3.5),
    (Decimal("3.5"), 3.5),
]


@pytest.mark.parametrize(("text", "value"), MONEY)
def test_money_is_read(text: object, value: float) -> None:
    assert quantities.parse_money(text) == Amount(value)


def test_money_with_its_currency() -> None:
    assert quantities.parse_money("EUR 250k") == Amount(250_000, "EUR")
    assert quantities.parse_money("USD -1,000") == Amount(-1000, "USD")


NO_MONEY = [
    ("1.200.000", "ambiguous: dots as thousand separators are not read", 'write 1_200_000 or "1,200,000"'),
    ("1.200,50", "ambiguous: dots as thousand separators are not read", 'write 1_200.50 or "1,200.50"'),
    ("250,50", "ambiguous: a comma is no decimal point", "write 250.50"),
    ("250.000", "ambiguous: 250 or 250,000?", "write 250 or 250_000"),
    ("1.125", "ambiguous: 1.1250 or 1,125?", "write 1.1250 or 1_125"),
    ("1.120", "ambiguous: 1.12 or 1,120?", "write 1.12 or 1_120"),
    ("1 200 000", "spaces or apostrophes between thousands are not read", 'write 1_200_000 or "1,200,000"'),
    ("1'200'000", "spaces or apostrophes between thousands are not read", 'write 1_200_000 or "1,200,000"'),
    ("1.2m", "not an amount of money", "write 1.2M"),
    ("1.2 Mio", "not an amount of money", "write 1.2M"),
    ("€ 250", "not an amount of money", "write the currency as a code: EUR 250"),
    ("20%", "a share where an amount of money is expected", "write 250k or 1.2M"),
    ("12,00,000", "not an amount of money", "write 250k, 1.2M, 250_000 or EUR 250k"),
    ("nan", "not a finite number", "write an amount such as 250k"),
    (".inf", "not a finite number", "write an amount such as 250k"),
    ("1e400", "not a finite number", ""),
    (math.nan, "not a finite number", ""),
    (10**400, "not a finite number", ""),
    ("", "not an amount of money", "write 250k, 1.2M, 250_000 or EUR 250k"),
    ("k", "not an amount of money", "write 250k, 1.2M, 250_000 or EUR 250k"),
    ("1" * 1000, "too long to be a value", ""),
    ("1" + " " * 100_000 + "1", "too long to be a value", ""),
    ("--5", "not an amount of money", "write 250k, 1.2M, 250_000 or EUR 250k"),
    ("0x10", "not an amount of money", "write 250k, 1.2M, 250_000 or EUR 250k"),
    ("٢٥٠", "not an amount of money", "write 250k, 1.2M, 250_000 or EUR 250k"),
    (True, "True where a number is expected", ""),
    (None, "nothing where a number is expected", ""),
    ([1], "a list where a number is expected", ""),
]


@pytest.mark.parametrize(("text", "what", "fix"), NO_MONEY)
def test_money_is_refused_with_the_right_spelling(text: object, what: str, fix: str) -> None:
    with pytest.raises(SpellingError) as caught:
        quantities.parse_money(text)
    assert what in caught.value.what
    assert caught.value.fix == fix
    assert caught.value.code == "E104"


@given(st.decimals("-1e9", "1e9", places=2), st.sampled_from(["plain", "_", ","]))
def test_money_written_any_allowed_way_is_the_same(number: Decimal, style: str) -> None:
    text = f"{number:f}" if style == "plain" else f"{number:,.2f}".replace(",", style)
    assert quantities.parse_money(text).value == float(number)


PARSERS = [
    quantities.parse_money,
    quantities.parse_number,
    quantities.parse_share,
    quantities.parse_ratio,
    quantities.parse_change,
    quantities.parse_count,
]


@pytest.mark.parametrize("parse", PARSERS)
@given(st.text(max_size=12) | st.from_regex(r"[-+.,_0-9kMe% ]{1,8}", fullmatch=True))
def test_any_text_is_a_finite_value_or_a_spelling_error(parse, text: str) -> None:
    try:
        value = parse(text)
    except SpellingError:
        return
    assert math.isfinite(getattr(value, "value", value))


SHARES = [
    ("20%", 0.2),
    ("0.2", 0.2),
    ("12.5 %", 0.125),
    ("0", 0),
    ("100%", 1),
    ("8.1%", 0.081),
    (0.3, 0.3),
    (1, 1),
]


@pytest.mark.parametrize(("text", "value"), SHARES)
def test_shares_are_read(text: object, value: float) -> None:
    assert quantities.parse_share(text) == value


NO_SHARES = [
    ("20", "E105", "did you mean 20% ?"),
    (20, "E105", "did you mean 20% ?"),
    ("1.5", "E105", "did you mean 1.5% ?"),
    ("120%", "E106", ""),
    ("-5%", "E106", ""),
    ("12,5%", "E105", "write 12.5%"),
    ("a fifth", "E105", "write 20% or 0.2"),
    ("20k", "E105", "write 20% or 0.2"),
]


@pytest.mark.parametrize(("text", "code", "fix"), NO_SHARES)
def test_shares_are_refused(text: object, code: str, fix: str) -> None:
    with pytest.raises(SpellingError) as caught:
        quantities.parse_share(text)
    assert (caught.value.code, caught.value.fix) == (code, fix)


def test_signed_shares_and_ratios() -> None:
    assert quantities.parse_signed_share("-40%") == -0.4
    assert quantities.parse_signed_share("150%") == 1.5
    assert quantities.parse_ratio("250%") == 2.5
    with pytest.raises(SpellingError) as caught:
        quantities.parse_ratio("2.5")
    assert caught.value.fix == "write 2.5% or 250%"


def test_changes() -> None:
    assert quantities.parse_change("-40%") == Change("share", -0.4)
    assert quantities.parse_change("0.2") == Change("share", 0.2)
    assert quantities.parse_change("-50k") == Change("money", -50_000)
    assert quantities.parse_change("5000") == Change("money", 5000)
    assert quantities.parse_change("EUR 20") == Change("money", 20, "EUR")
    with pytest.raises(SpellingError, match=r"write 20% or EUR 20"):
        quantities.parse_change("20")


def test_counts() -> None:
    assert [quantities.parse_count(text) for text in ("500", "1_200_000", "400k", 3, "1.5k")] == [
        500, 1_200_000, 400_000, 3, 1500,
    ]  # fmt: skip
    for text in ("1.5", "-3", -3):
        with pytest.raises(SpellingError, match="whole number"):
            quantities.parse_count(text)


def test_durations() -> None:
    assert quantities.parse_duration("12 months") == Duration(12, "months")
    assert quantities.parse_duration("1 week").days == 7
    assert quantities.parse_duration("12 months").days == quantities.parse_duration("1 year").days == 365.25
    assert quantities.parse_duration("2 years").months == 24
    assert str(quantities.parse_duration("1 weeks")) == "1 week"


NO_DURATIONS = [
    ("12", "E108", "did you mean 12 months?"),
    ("12 moths", "E108", "did you mean 12 months?"),
    ("a year", "E108", "write 12 months, 6 weeks, 30 days or 1 year"),
    ("1.5 years", "E108", "write 12 months, 6 weeks, 30 days or 1 year"),
    ("0 days", "E106", ""),
    ("1000000 days", "E106", ""),
    ("3 fortnights", "E108", "units: days, weeks, months, years"),
    (12, "E108", "did you mean 12 months?"),
    (None, "E108", "write 12 months, 6 weeks, 30 days or 1 year"),
]


@pytest.mark.parametrize(("text", "code", "fix"), NO_DURATIONS)
def test_durations_are_refused(text: object, code: str, fix: str) -> None:
    with pytest.raises(SpellingError) as caught:
        quantities.parse_duration(text)
    assert (caught.value.code, caught.value.fix) == (code, fix)


def test_dates() -> None:
    assert quantities.parse_date("2028-02-29") == date(2028, 2, 29)
    assert quantities.parse_date(date(2027, 1, 1)) == date(2027, 1, 1)
    for text in (
        "2027-1-1",
        "01.02.2027",
        "2027-13-01",
        "2027-02-29",
        "2027-00-10",
        "0000-01-01",
        datetime(2027, 1, 1),
    ):
        with pytest.raises(SpellingError) as caught:
            quantities.parse_date(text)
        assert caught.value.code == "E107"


def test_currencies() -> None:
    assert quantities.parse_currency("CNY") == "CNY"
    for text, fix in (
        ("eur", "did you mean EUR?"),
        ("USDD", "did you mean USD?"),
        ("123", "write a code such as EUR, USD or CNY"),
    ):
        with pytest.raises(SpellingError) as caught:
            quantities.parse_currency(text)
        assert (caught.value.code, caught.value.fix) == ("E114", fix)


def test_text_in_messages_is_one_harmless_line() -> None:
    assert quantities.quoted("a\x1b[31m\nb") == "'a\ufffd[31m\ufffdb'"
    assert len(quantities.quoted("x" * 1000)) == 42


RENDERED = [
    (quantities.money(1_200_000), "1,200,000"),
    (quantities.money(-0.4), "0"),
    (quantities.money(1234.567, 2), "1,234.57"),
    (quantities.money(math.nan), "–"),
    (quantities.money(None), "–"),
    (quantities.money(-math.inf), "–"),
    (quantities.signed_money(5223), "+5,223"),
    (quantities.signed_money(-5223), "-5,223"),
    (quantities.signed_money(0.2), "±0"),
    (quantities.signed_money(None), "–"),
    (quantities.money_short(1_940_000), "1.94M"),
    (quantities.money_short(18_000), "18k"),
    (quantities.money_short(-18_400), "-18k"),
    (quantities.money_short(999_499), "999k"),
    (quantities.money_short(999_500), "1.00M"),
    (quantities.money_short(9_949), "9.9k"),
    (quantities.money_short(9_950), "10k"),
    (quantities.money_short(1000), "1k"),
    (quantities.money_short(999.6), "1k"),
    (quantities.money_short(12), "12"),
    (quantities.money_short(None), "–"),
    (quantities.percent(0.61), "61%"),
    (quantities.percent(-0.004), "0%"),
    (quantities.percent(0.125, 1), "12.5%"),
    (quantities.percent(0.125, None), "12.5%"),
    (quantities.percent(-0.4, None), "-40%"),
    (quantities.percent(2, None), "200%"),
    (quantities.percent(None), "–"),
    (quantities.ratio(1.9), "1.90"),
    (quantities.count(400_000), "400,000"),
]


@pytest.mark.parametrize(("text", "expected"), RENDERED)
def test_rendering(text: str, expected: str) -> None:
    assert text == expected


@given(st.floats(-1e12, 1e12), st.integers(0, 2))
def test_rendered_money_is_read_back(value: float, decimals: int) -> None:
    text = quantities.money(value, decimals)
    assert quantities.parse_money(text).value == pytest.approx(round(value, decimals), abs=1e-3)


@given(st.lists(st.floats(-1e9, 1e9), max_size=20), st.integers(0, 2))
def test_largest_remainder_adds_up_and_stays_close(values: list[float], decimals: int) -> None:
    rounded = quantities.largest_remainder(values, decimals)
    unit = 10.0**-decimals
    assert math.isclose(math.fsum(rounded), round(math.fsum(values), decimals), abs_tol=unit / 2 + 1e-6)
    assert all(abs(a - b) <= unit * (1 + 1e-6) for a, b in zip(values, rounded, strict=True))


def test_largest_remainder_gives_the_missing_unit_to_the_largest() -> None:
    assert quantities.largest_remainder([0.3, 0.3, 0.4]) == [0, 0, 1]
    assert quantities.largest_remainder([0.5, 0.5]) == [1, 0]
    assert quantities.largest_remainder([-1.4, 2.4]) == [-1, 2]
    assert quantities.largest_remainder([]) == []
