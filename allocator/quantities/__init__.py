"""Money, shares, durations, dates: the one place that reads their spellings and the one that renders them."""

from allocator.quantities.currencies import CURRENCIES
from allocator.quantities.parse import (
    Amount,
    Change,
    SpellingError,
    parse_change,
    parse_count,
    parse_currency,
    parse_money,
    parse_number,
    parse_ratio,
    parse_share,
    parse_signed_share,
    quoted,
)
from allocator.quantities.render import (
    UNKNOWN,
    count,
    largest_remainder,
    money,
    money_short,
    percent,
    ratio,
    signed_money,
)
from allocator.quantities.times import Duration, parse_date, parse_duration

__all__ = [
    "CURRENCIES",
    "UNKNOWN",
    "Amount",
    "Change",
    "Duration",
    "SpellingError",
    "count",
    "largest_remainder",
    "money",
    "money_short",
    "parse_change",
    "parse_count",
    "parse_currency",
    "parse_date",
    "parse_duration",
    "parse_money",
    "parse_number",
    "parse_ratio",
    "parse_share",
    "parse_signed_share",
    "percent",
    "quoted",
    "ratio",
    "signed_money",
]
