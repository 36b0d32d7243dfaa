"""Sections of a scenario that no stage owns yet: horizon, channels, models, risk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    Tag,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from allocator.models.clv import NAMES as CLV_NAMES
from allocator.models.clv import ClvOptions
from allocator.models.clv.auto import Auto
from allocator.models.media.fit import MediaMix
from allocator.models.retention.activity import Activity
from allocator.models.retention.repurchase import Repurchase
from allocator.models.uplift import MODELS as UPLIFT
from allocator.models.uplift import UpliftOptions
from allocator.models.uplift.auto import Auto as UpliftAuto
from allocator.options import (
    Count,
    Duration,
    IsoDate,
    Money,
    Names,
    Number,
    Options,
    PositiveMoney,
    PositiveNumber,
    Share,
    Text,
    fault,
)
from allocator.quantities import SpellingError, parse_number, parse_ratio, percent, quoted
from allocator.response.periods import MOST_PERIODS, Period, PeriodKind, count_periods, periods_of, place_of
from allocator.response.sources import ResponseOptions

_MIX_ERROR = 1e-6
_MOST_BARE = 10  # times the mean: a larger bare number is rather meant as a percentage
_INDEX_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": 0, "maximum": _MOST_BARE},
        {"type": "string", "pattern": r"^\+?\d*(\.\d+)? ?%?$"},
    ],
    "examples": ["120%"],
}


class Horizon(Options):
    """The time a plan is for."""

    start: IsoDate
    """First day."""
    end: IsoDate
    """Last day."""
    periods: PeriodKind = "none"
    """Whether money is decided per week, month or quarter, or for the whole."""

    def all_periods(self) -> tuple[Period, ...]:
        """Give the periods in order; one named ``all`` without any.

        Examples
        --------
        >>> [p.name for p in Horizon(start="2027-01-01", end="2027-02-28", periods="month").all_periods()]
        ['2027-01', '2027-02']
        """
        return periods_of(self.start, self.end, self.periods)

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.end < self.start:
            raise fault("E106", f"the horizon ends on {self.end}, before it starts on {self.start}", at="end")
        n = count_periods(self.start, self.end, self.periods)
        if n > MOST_PERIODS:
            fix = "write longer periods, or a shorter horizon"
            raise fault(
                "E106", f"{n:,} {self.periods}s are more than {MOST_PERIODS} periods", fix, at="periods"
            )
        return self


class CurrentByTier(Options):
    """Money spent today, tier by tier."""

    by_tier: Mapping[str, Money]
    """Tier to money over the whole horizon."""


def _current_kind(value: object) -> str:
    return "by_tier" if isinstance(value, Mapping | CurrentByTier) else "money"


Current = Annotated[
    Annotated[Money, Tag("money")] | Annotated[CurrentByTier, Tag("by_tier")], Discriminator(_current_kind)
]


def _kept(value: float) -> float:
    if value >= 1:
        fix = "write the share of the effect that reaches into the next period, such as 40%"
        raise fault("E106", f"with a carry-over of {percent(value)} an effect would never end", fix)
    return value


def _index(value: object) -> float:
    """Read 120% or 1.2; a bare 120 is taken for neither."""
    in_percent = isinstance(value, str) and value.rstrip().endswith("%")
    try:
        index = parse_ratio(value) if in_percent else parse_number(value)
    except SpellingError as error:
        raise fault(error.code, error.what, error.fix) from None
    if index <= 0:
        raise fault(
            "E106", f"{quoted(value)} is not above 0", "a period without any response is not available"
        )
    if index > _MOST_BARE and not in_percent:
        fix = f"write {index:g}%, or {100 * index:g}% if that is meant"
        raise fault("E105", f"{quoted(value)} is ambiguous as an index, of which 100% is the mean", fix)
    return index


def _day_as_text(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


Index = Annotated[float, BeforeValidator(_index), WithJsonSchema(_INDEX_SCHEMA)]
"""Response relative to the mean, above 0, written 120% or 1.2."""
PeriodOrDay = Annotated[Text, BeforeValidator(_day_as_text)]
"""A period by its name, or by a day in it."""


class Span(Options):
    """Periods in a row.

    Examples
    --------
    >>> months = Horizon(start="2027-01-01", end="2027-04-30", periods="month").all_periods()
    >>> Span(**{"from": "2027-02-10", "to": "2027-03"}).names(months)
    ('2027-02', '2027-03')
    """

    from_: PeriodOrDay | None = Field(default=None, alias="from")
    """The first, by its name or a day in it; the first of the horizon where absent."""
    to: PeriodOrDay | None = None
    """The last, by its name or a day in it; the last of the horizon where absent."""

    def names(self, periods: Sequence[Period]) -> tuple[str, ...]:
        """Give the names of the periods meant, both ends included; none where an end is not among them."""
        first = 0 if self.from_ is None else place_of(periods, self.from_)
        last = len(periods) - 1 if self.to is None else place_of(periods, self.to)
        if first is None or last is None:
            return ()
        return tuple(period.name for period in periods[first : last + 1])

    @model_validator(mode="after")
    def _has_an_end(self) -> Self:
        if self.from_ is None and self.to is None:
            raise fault("E101", "neither 'from' nor 'to' is given", "add 'from: …' or 'to: …'")
        return self


def _available_kind(value: object) -> str:
    return "span" if isinstance(value, Mapping | Span) else "listed"


def _committed_kind(value: object) -> str:
    return "each_period" if isinstance(value, Mapping) else "money"


Available = Annotated[
    Annotated[Names, Tag("listed")] | Annotated[Span, Tag("span")], Discriminator(_available_kind)
]
Committed = Annotated[
    Annotated[Money, Tag("money")] | Annotated[Mapping[str, Money], Tag("each_period")],
    Discriminator(_committed_kind),
]
Later = Annotated[Any, WithJsonSchema({"description": "Not supported yet."})]


class Channel(Options):
    """A way to spend money on customers.

    Examples
    --------
    >>> Channel(current="180k", max="300k").max
    300000.0
    """

    label: Text | None = None
    """The name people read; the channel's own name where absent."""
    current: Current | None = None
    """Money spent today over the whole horizon, in total or by_tier; absent means unknown, 0 means none."""
    min: Money | None = None
    """Least money for the channel over all tiers and periods."""
    max: Money | None = None
    """Most money for the channel over all tiers and periods."""
    step: PositiveMoney | None = None
    """Money in lots of this size, in every tier and period."""
    cost_per_contact: PositiveMoney | None = None
    """Money per contact."""
    contacts_per_customer: PositiveNumber | None = None
    """Most contacts per customer and period; 1 where the population is known."""
    capacity: Count | None = None
    """Most contacts per period over all tiers."""
    carryover: Annotated[Share, AfterValidator(_kept)] | None = None
    """Share of the effect that reaches into the next period, below 100%."""
    response: ResponseOptions | None = None
    """What the channel's money earns; a curve of the channel in data.curves outranks it."""
    available: Available | None = None
    """Periods in which the channel can be used: their names, or {from, to}; all where absent."""
    season: Mapping[str, Index] | None = None
    """Response of periods relative to the mean, such as 120%; 100% where absent."""
    targeting: Literal["tier"] | None = None
    """Whether a total curve can be bought tier by tier."""
    tier_mix: Mapping[str, Share] | None = None
    """Share of each tier in the channel's money, where tiers are no choice."""
    value_mix: Mapping[str, Share] | None = None
    """Share of each tier in what the channel earns; tier_mix where absent."""
    tier_index: Mapping[str, Annotated[Number, Field(ge=0)]] | None = None
    """How much better than the mean a tier responds; 1 where absent."""
    committed: Committed | None = None
    """Money already promised, the least for the whole horizon or by period."""
    carry_in: Money | None = None
    """Effective spend per period before the horizon, of which the carry-over reaches into it."""
    reason: Text | None = None
    """Why min and max are what they are."""

    def current_total(self) -> float | None:
        """Give the money spent today over all tiers; None when unknown."""
        return sum(self.current.by_tier.values()) if isinstance(self.current, CurrentByTier) else self.current

    def available_in(self, periods: Sequence[Period]) -> tuple[str, ...]:
        """Give the names of the periods in which the channel can be used, in order."""
        if self.available is None:
            return tuple(period.name for period in periods)
        if isinstance(self.available, Span):
            return self.available.names(periods)
        return tuple(period.name for period in periods if period.name in self.available)

    @model_validator(mode="after")
    def _something_carries_over(self) -> Self:
        if self.carry_in is not None and self.carryover is None:
            raise fault("E113", "'carry_in' needs 'carryover'", "add 'carryover: 40%', say", at="carry_in")
        return self

    @model_validator(mode="after")
    def _mixes(self) -> Self:
        for key in ("tier_mix", "value_mix"):
            mix: Mapping[str, float] | None = getattr(self, key)
            if mix is not None and abs(sum(mix.values()) - 1) > _MIX_ERROR:
                raise fault(
                    "E106", f"the shares add to {100 * sum(mix.values()):g}%", "make them add to 100%", at=key
                )
        if self.tier_index is not None and self.targeting is None:
            raise fault(
                "E113", "'tier_index' needs 'targeting: tier'", "add it, or remove the index", at="tier_index"
            )
        return self


def _by_name(value: object) -> object:
    """Read a model's name as the model with its own defaults; auto is the first of its kind."""
    options = {"name": value} if isinstance(value, str) else value
    if isinstance(options, Mapping) and options.get("name") == "auto":
        return {key: one for key, one in options.items() if key != "name"}
    return options


def _named(value: object) -> object:
    """Read a model's name as the model with its own defaults, and options without a name as auto's."""
    if isinstance(value, str):
        return {"name": value}
    return {"name": "auto", **value} if isinstance(value, Mapping) else value


def _retention(value: object) -> object:
    """Read auto as the score of the model that values customers."""
    named = _named(value)
    auto = isinstance(named, Mapping) and named.get("name") == "auto"
    return {**named, "name": "activity"} if isinstance(named, Mapping) and auto else named


RETENTION = ("activity", "logit", "boosting")


@dataclass(frozen=True)
class _OrName:
    """States in the schema that a name may stand in place of options."""

    names: tuple[str, ...]

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            "anyOf": [
                {"type": "string", "enum": list(dict.fromkeys(["auto", *self.names]))},
                handler(core_schema),
            ]
        }


class Models(Options):
    """Which models turn data into forecasts."""

    as_of: IsoDate | None = None
    """Last day of data the models see; the last order's day where absent."""
    holdout: Duration | None = None
    """Time at the end that is kept for judging models."""
    clv: Annotated[ClvOptions, BeforeValidator(_named), _OrName(CLV_NAMES)] = Auto()
    """Customer lifetime value."""
    retention: Annotated[
        Activity | Repurchase, Discriminator("name"), BeforeValidator(_retention), _OrName(RETENTION)
    ] = Activity()
    """Probability of at least one purchase."""
    uplift: Annotated[UpliftOptions, BeforeValidator(_named), _OrName(tuple(UPLIFT))] = UpliftAuto()
    """Effect of a contact, and on whom it is larger."""
    history: Annotated[MediaMix, BeforeValidator(_by_name), _OrName(("media_mix",))] = MediaMix()
    """Response curves from spend history."""


BY_LEVEL = ("lower_quantile", "cvar")
"""Methods that look at a share of bad cases."""
WORST_TENTH = 0.1


def _bad_cases(value: float) -> float:
    if not 0 < value <= 0.5:
        what = f"{percent(value, None)} is not above 0% and at most 50%: level is the share of bad cases"
        raise fault("E106", what, "write 10% for the worst tenth")
    return value


class Risk(Options):
    """How uncertainty counts.

    Examples
    --------
    >>> Risk(method="cvar").level, Risk(method="worst_case").level
    (0.1, None)
    """

    method: Literal["expected", "lower_quantile", "cvar", "worst_case", "regret"] = "expected"
    """What of the distribution of outcomes is maximised."""
    level: Annotated[Share, AfterValidator(_bad_cases)] | None = None
    """Share of bad cases, above 0% and at most 50%, for lower_quantile and cvar; 10% where absent."""
    weight: Share = 1.0
    """Weight of the bad cases against the mean, for cvar."""
    draws: Annotated[Count, Field(ge=1, le=10_000)] = 500
    """How many draws of the uncertainty are taken."""
    seed: Count = 0
    """Same seed, same draws."""

    @model_validator(mode="before")
    @classmethod
    def _worst_tenth(cls, value: object) -> object:
        if isinstance(value, Mapping) and value.get("method") in BY_LEVEL and value.get("level") is None:
            return {**value, "level": WORST_TENTH}
        return value

    @model_validator(mode="after")
    def _keys_mean_something(self) -> Self:
        method = self.method
        if self.level is not None and method not in BY_LEVEL:
            fix = f"remove it, or choose {' or '.join(BY_LEVEL)}"
            raise fault("E113", f"'level' means nothing with method {method}", fix, at="level")
        if "weight" in self.model_fields_set and method != "cvar":
            fix = "remove it, or choose cvar"
            raise fault("E113", f"'weight' means nothing with method {method}", fix, at="weight")
        return self


class Rate(Options):
    """Value of one unit of a foreign currency in the scenario's."""

    rate: PositiveNumber
    """Such as 0.92."""
    on: IsoDate
    """The day the rate is from."""
