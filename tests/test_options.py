"""The value types of options: what they accept, convert and refuse, and what editors are told of them."""

import re

import jsonschema
import pytest
from pydantic import ValidationError

from allocator.options import (
    Change,
    Count,
    Currency,
    Duration,
    Flag,
    IsoDate,
    Money,
    Names,
    Number,
    Options,
    Ratio,
    Share,
    SignedMoney,
    SignedShare,
    Text,
)


class Everything(Options):
    """One field of every type."""

    money: Money = 0.0
    """An amount."""
    signed: SignedMoney = 0.0
    share: Share = 0.0
    signed_share: SignedShare = 0.0
    ratio: Ratio = 0.0
    number: Number = 0.0
    count: Count = 0
    change: Change | None = None
    duration: Duration | None = None
    day: IsoDate | None = None
    currency: Currency = "EUR"
    names: Names = ()
    flag: Flag = False
    text: Text = "x"


ACCEPTED = {
    "money": ["250k", "1.2M", "250_000", "250,000", "EUR 250k", 250000, 0.5],
    "signed": ["-250k", -3],
    "share": ["20%", 0.2, "0.2"],
    "signed_share": ["-40%", "+150%"],
    "ratio": ["20%", -0.1],
    "number": ["1.2", "1e-3", 5],
    "count": ["500", "400k", 3],
    "change": ["-40%", "+50k", "EUR 20"],
    "duration": ["12 months", "1 year"],
    "day": ["2027-01-31"],
    "currency": ["USD"],
    "names": ["email", ["email", "tv"]],
    "flag": ["true", False],
    "text": ["hello"],
}


@pytest.mark.parametrize("field", ACCEPTED)
def test_accepted_values_satisfy_the_schema(field: str) -> None:
    schema = Everything.model_json_schema()
    for value in ACCEPTED[field]:
        Everything.model_validate({field: value}, context={"currency": "EUR"})
        if isinstance(value, bool | int | float | list) or value not in ("true", "false"):
            jsonschema.validate({field: value}, schema)


REFUSED = [
    ("money", -5, "E106"),
    ("money", True, "E104"),
    ("money", "{x}", "E104"),
    ("money", None, "E104"),
    ("money", "USD 5", "E114"),
    ("share", 20, "E105"),
    ("number", "20%", "E104"),
    ("number", float("inf"), "E104"),
    ("count", 1.5, "E106"),
    ("change", "20", "E105"),
    ("duration", "12", "E108"),
    ("day", "1.1.2027", "E107"),
    ("currency", "EURO", "E114"),
    ("names", [], "E103"),
    ("names", ["a", "a"], "E103"),
    ("names", [1], "E103"),
    ("flag", "yes", "E103"),
    ("text", " ", "E103"),
    ("text", 5, "E103"),
]


@pytest.mark.parametrize(("field", "value", "code"), REFUSED)
def test_refusals_carry_code_and_fix(field: str, value: object, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Everything.model_validate({field: value})
    (error,) = caught.value.errors()
    assert error["type"] == code
    assert error["msg"] == error["ctx"]["what"]
    assert "fix" in error["ctx"]


def test_foreign_money_is_converted_by_the_stated_rate() -> None:
    context = {"currency": "EUR", "fx": {"USD": 0.92}}
    assert Everything.model_validate({"money": "USD 50k"}, context=context).money == 46_000
    change = Everything.model_validate({"change": "USD -50k"}, context=context).change
    assert change is not None
    assert (change.kind, change.value) == ("money", -46_000)


def test_names_are_normalised() -> None:
    assert Everything(names="cafe\u0301").names == ("caf\u00e9",)


def test_options_are_frozen_and_strict() -> None:
    options = Everything()
    with pytest.raises(ValidationError, match="frozen"):
        options.money = 5.0
    with pytest.raises(ValidationError, match=re.escape("Extra inputs are not permitted")):
        Everything.model_validate({"monney": 5})


def test_the_text_under_a_field_is_its_help() -> None:
    assert Everything.model_json_schema()["properties"]["money"]["description"] == "An amount."
