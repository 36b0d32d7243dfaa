"""Base of every option object, and the value types its fields are made of.

Each type accepts the text a scenario file holds as well as Python values, and refuses with a
:func:`fault`, which carries the code and the fix of a :class:`allocator.errors.Finding`.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from allocator import quantities
from allocator.quantities import Amount, SpellingError, quoted


class Options(BaseModel):
    """Frozen, strict about unknown keys; changing one gives a new object.

    The text under a field is its documentation, in the JSON schema as well.
    """

    # a class is built when first used: most commands use few of them
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Give the schema with the texts under the fields as their descriptions."""
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, text in field_texts(cls).items():
            field = cls.model_fields[name]
            properties.get(field.alias or name, {}).setdefault("description", text)
        return schema


def field_texts(model: type[BaseModel]) -> dict[str, str]:
    """Give the text under each field of an option class, inherited ones included.

    Read from the source when asked for: pydantic's own reading of it makes every import slower.
    """
    texts: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if not issubclass(kind, BaseModel) or kind.__module__.startswith("pydantic"):
            continue
        try:
            (body,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
        except (OSError, TypeError):  # made at run time: its source is that of its parents
            continue
        statements = body.body if isinstance(body, ast.ClassDef) else []
        for field, text in itertools.pairwise(statements):
            if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
                continue
            if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
                texts[field.target.id] = inspect.cleandoc(str(text.value.value))
    return {name: text for name, text in texts.items() if name in model.model_fields}


def fault(code: str, what: str, fix: str = "", *, at: str = "") -> PydanticCustomError:
    """Give the exception a validator raises to refuse a value.

    Parameters
    ----------
    code, what, fix : str
        As in :class:`allocator.errors.Finding`.
    at : str
        In a validator of a whole model: the key the fault is about (dotted below the model).

    Examples
    --------
    >>> raise fault("E110", "priority 'soft' is not supported yet", at="priority")
    Traceback (most recent call last):
        ...
    pydantic_core._pydantic_core.PydanticCustomError: priority 'soft' is not supported yet
    """
    # the template is a mere placeholder: braces in user text must not be read as one
    return PydanticCustomError(code, "{what}", {"what": what, "fix": fix, "at": at})


def _spelled(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Turn a parser's SpellingError into a fault."""

    def read(value: Any) -> Any:  # noqa: ANN401 - what a file holds
        try:
            return parse(value)
        except SpellingError as error:
            raise fault(error.code, error.what, error.fix) from None

    return read


def _in_scenario_currency(value: float, currency: str | None, info: ValidationInfo) -> float:
    """Convert a foreign amount by the scenario's rates, given as validation context."""
    context: Mapping[str, Any] = info.context or {}
    own = context.get("currency")
    if currency is None or currency == own:
        return value
    if own is None:
        raise fault(
            "E114",
            f"an amount in {currency}, but the scenario names no currency",
            f"add 'currency: {currency}'",
        )
    rates: Mapping[str, float] = context.get("fx") or {}
    if currency not in rates:
        example = f"fx: {{{currency}: {{rate: 0.92, on: 2026-11-20}}}}"
        raise fault(
            "E114", f"an amount in {currency}, but the scenario is in {own}", f"add its rate: {example}"
        )
    return value * rates[currency]


def _signed_money(value: Any, info: ValidationInfo) -> float:  # noqa: ANN401
    amount: Amount = _spelled(quantities.parse_money)(value)
    return _in_scenario_currency(amount.value, amount.currency, info)


def _money(value: Any, info: ValidationInfo) -> float:  # noqa: ANN401
    amount = _signed_money(value, info)
    if amount < 0:
        raise fault("E106", f"{quoted(value)} is negative", "an amount of 0 or more is expected")
    return amount


def _change(value: Any, info: ValidationInfo) -> quantities.Change:  # noqa: ANN401
    change: quantities.Change = _spelled(quantities.parse_change)(value)
    converted = _in_scenario_currency(change.value, change.currency, info)
    return quantities.Change(change.kind, converted)


def _names(value: Any) -> tuple[str, ...]:  # noqa: ANN401
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise fault("E103", "a name or a list of names is expected", "write one name, or [first, second]")
    if names == []:
        raise fault(
            "E103", "an empty list selects nothing", "name at least one, or leave the key out for all"
        )
    names = [unicodedata.normalize("NFC", name) for name in names]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise fault("E103", f"{quoted(twice)} is listed twice")
    return tuple(names)


def _flag(value: Any) -> bool:  # noqa: ANN401
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise fault("E103", f"{quoted(value)} is neither true nor false", "write true or false")


def _text(value: Any) -> str:  # noqa: ANN401
    if not isinstance(value, str) or not value.strip():
        raise fault("E103", "a text is expected" if not isinstance(value, str) else "the text is empty")
    return unicodedata.normalize("NFC", value)


def above_zero(value: float) -> float:
    """Give a number back that is above 0.

    Raises
    ------
    PydanticCustomError
        E106 for any other.
    """
    if value <= 0:
        raise fault("E106", f"{value:g} is not above 0")
    return value


def _schema(kind: str, pattern: str, example: str, **limits: float) -> WithJsonSchema:
    """Give the schema of a value that is a number or a text of its own spelling."""
    text = {"type": "string", "pattern": pattern}
    return WithJsonSchema({"anyOf": [{"type": kind, **limits}, text], "examples": [example]})


_NUMERAL = r"(\d{1,3}(_\d{3})+|\d{1,3}(,\d{3})+|\d+)?(\.\d+)?([eE][+-]?\d+)?"
_MONEY = rf"^([A-Z]{{3}} ?)?\+?{_NUMERAL} ?[kKM]?$"
_SIGNED_MONEY = rf"^([A-Z]{{3}} ?)?[+-]?{_NUMERAL} ?[kKM]?$"
_SHARE = rf"^[+-]?{_NUMERAL} ?%?$"
_name_schema = {"type": "string"}

Money = Annotated[float, BeforeValidator(_money), _schema("number", _MONEY, "1.2M", minimum=0)]
"""An amount of money of 0 or more, in the scenario's currency."""
SignedMoney = Annotated[float, BeforeValidator(_signed_money), _schema("number", _SIGNED_MONEY, "-50k")]
"""An amount of money of any sign."""
Share = Annotated[
    float,
    BeforeValidator(_spelled(quantities.parse_share)),
    _schema("number", _SHARE, "20%", minimum=0, maximum=1),
]
"""A fraction between 0 and 1, written 20% or 0.2."""
SignedShare = Annotated[
    float, BeforeValidator(_spelled(quantities.parse_signed_share)), _schema("number", _SHARE, "-40%")
]
"""A fraction of any sign, written -40% or -0.4."""
Ratio = Annotated[float, BeforeValidator(_spelled(quantities.parse_ratio)), _schema("number", _SHARE, "20%")]
"""A ratio such as roi, of any sign, written 20% or 0.2."""
Number = Annotated[
    float, BeforeValidator(_spelled(quantities.parse_number)), _schema("number", rf"^[+-]?{_NUMERAL}$", "1.2")
]
"""A plain finite number."""
PositiveMoney = Annotated[Money, AfterValidator(above_zero)]
"""An amount of money above 0."""
PositiveNumber = Annotated[Number, AfterValidator(above_zero)]
"""A plain finite number above 0."""
Count = Annotated[
    int,
    BeforeValidator(_spelled(quantities.parse_count)),
    _schema("integer", rf"^{_NUMERAL}[kKM]?$", "500", minimum=0),
]
"""A whole number of 0 or more."""
Change = Annotated[
    quantities.Change,
    PlainValidator(_change),
    PlainSerializer(str),
    _schema("number", rf"{_SIGNED_MONEY}|{_SHARE}", "-40%"),
]
"""A change against today: a share, or an amount of money."""
Duration = Annotated[
    quantities.Duration,
    PlainValidator(_spelled(quantities.parse_duration)),
    PlainSerializer(str),
    WithJsonSchema(
        {"type": "string", "pattern": r"^\d+ ?(day|week|month|year)s?$", "examples": ["12 months"]}
    ),
]
"""A whole number of days, weeks, months or years."""
IsoDate = Annotated[
    date,
    PlainValidator(_spelled(quantities.parse_date)),
    PlainSerializer(date.isoformat, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2027-01-31"]}),
]
"""A day, written 2027-01-31."""
Currency = Annotated[
    str,
    BeforeValidator(_spelled(quantities.parse_currency)),
    WithJsonSchema({"type": "string", "enum": sorted(quantities.CURRENCIES)}),
]
"""An ISO 4217 currency code."""
Names = Annotated[
    tuple[str, ...],
    BeforeValidator(_names),
    WithJsonSchema({"anyOf": [_name_schema, {"type": "array", "items": _name_schema, "minItems": 1}]}),
]
"""One name or a list of names."""
Flag = Annotated[
    bool,
    BeforeValidator(_flag),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["true", "false"]}]}),
]
"""True or false."""
Text = Annotated[str, BeforeValidator(_text), WithJsonSchema({"type": "string", "minLength": 1})]
"""A text that is not empty."""
