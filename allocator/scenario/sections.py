"""Sections of a scenario that no stage owns yet: horizon, channels, models, risk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
from allocator.options import Count, Duration, IsoDate, Money, Number, Options, Share, Text, fault
from allocator.response.sources import ResponseOptions

_MIX_ERROR = 1e-6


def _above_zero(value: float) -> float:
    if value <= 0:
        raise fault("E106", f"{value:g} is not above 0")
    return value


PositiveMoney = Annotated[Money, AfterValidator(_above_zero)]
PositiveNumber = Annotated[Number, AfterValidator(_above_zero)]


class Horizon(Options):
    """The time a plan is for."""

    start: IsoDate
    """First day."""
    end: IsoDate
    """Last day."""
    periods: Literal["none", "week", "month", "quarter"] = "none"
    """Whether money is decided per week, month or quarter, or for the whole."""

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.end < self.start:
            raise fault("E106", f"the horizon ends on {self.end}, before it starts on {self.start}", at="end")
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
    step: Later = None
    """Money in lots of this size."""
    cost_per_contact: PositiveMoney | None = None
    """Money per contact."""
    contacts_per_customer: PositiveNumber | None = None
    """Most contacts per customer and period; 1 where the population is known."""
    capacity: Count | None = None
    """Most contacts per period over all tiers."""
    carryover: Later = None
    """Share of the effect that reaches into the next period."""
    response: ResponseOptions | None = None
    """What the channel's money earns; a curve of the channel in data.curves outranks it."""
    available: Later = None
    """Periods in which the channel can be used."""
    targeting: Literal["tier"] | None = None
    """Whether a total curve can be bought tier by tier."""
    tier_mix: Mapping[str, Share] | None = None
    """Share of each tier in the channel's money, where tiers are no choice."""
    value_mix: Mapping[str, Share] | None = None
    """Share of each tier in what the channel earns; tier_mix where absent."""
    tier_index: Mapping[str, Annotated[Number, Field(ge=0)]] | None = None
    """How much better than the mean a tier responds; 1 where absent."""
    committed: Later = None
    """Money already promised."""
    carry_in: Later = None
    """Effect of money spent before the horizon."""
    reason: Text | None = None
    """Why min and max are what they are."""

    def current_total(self) -> float | None:
        """Give the money spent today over all tiers; None when unknown."""
        return sum(self.current.by_tier.values()) if isinstance(self.current, CurrentByTier) else self.current

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


class Risk(Options):
    """How uncertainty counts."""

    method: Literal["expected", "lower_quantile", "cvar", "worst_case", "regret"] = "expected"
    """What of the distribution of outcomes is maximised."""
    level: Share | None = None
    """Quantile, for the methods that need one."""
    draws: Annotated[Count, Field(ge=1, le=10_000)] = 500
    """How many draws of the uncertainty are taken."""
    seed: Count = 0
    """Same seed, same draws."""

    @model_validator(mode="after")
    def _level_fits(self) -> Self:
        if self.level is not None and self.method == "expected":
            raise fault("E113", "'level' means nothing with method expected", "remove it", at="level")
        return self


class Rate(Options):
    """Value of one unit of a foreign currency in the scenario's."""

    rate: PositiveNumber
    """Such as 0.92."""
    on: IsoDate
    """The day the rate is from."""
