"""Sections of a scenario that no stage owns yet: horizon, tiers, channels, models, risk."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    PlainValidator,
    Tag,
    WithJsonSchema,
    model_validator,
)

from allocator.options import Count, Duration, IsoDate, Money, Number, Options, Share, Text, fault
from allocator.quantities import SpellingError, parse_share, percent, quoted
from allocator.response.sources import ResponseOptions

_TIER_SHARE = re.compile(r"(top|next)\s+(\S.*)")
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


@dataclass(frozen=True)
class TierShare:
    """Share of customers in a tier: the top ones, the next ones, or the rest (`share` is None)."""

    kind: Literal["top", "next", "rest"]
    share: float | None = None

    def __str__(self) -> str:
        return self.kind if self.share is None else f"{self.kind} {percent(self.share, None)}"


def _tier_share(value: object) -> TierShare:
    if isinstance(value, TierShare):
        return value
    text = str(value).strip()
    if text == "rest":
        return TierShare("rest")
    match = _TIER_SHARE.fullmatch(text)
    fix = "write top 20%, next 30% or rest"
    if match is None:
        raise fault("E105", f"{quoted(text)} is no share of a tier", fix)
    try:
        share = parse_share(match[2])
    except SpellingError as error:
        raise fault(error.code, error.what, error.fix or fix) from None
    if not 0 < share < 1:
        raise fault("E106", f"{quoted(text)} leaves a tier without customers")
    return TierShare("top" if match[1] == "top" else "next", share)


class Level(Options):
    """One tier: its share of customers, or its range of the value they are sorted by."""

    label: Text | None = None
    """The name people read; the tier's own name where absent."""
    share: (
        Annotated[
            TierShare,
            PlainValidator(_tier_share),
            PlainSerializer(str),
            WithJsonSchema(
                {"type": "string", "pattern": r"^(rest|(top|next) +[\d.]+ ?%?)$", "examples": ["top 20%"]}
            ),
        ]
        | None
    ) = None
    """Top 20%, next 30%, rest."""
    from_: Number | None = Field(default=None, alias="from")
    """Lowest value that belongs to the tier."""
    to: Number | None = None
    """Value from which on the next tier begins."""

    @model_validator(mode="after")
    def _share_or_range(self) -> Self:
        ranged = self.from_ is not None or self.to is not None
        if self.share is not None and ranged:
            raise fault("E113", "'share' and 'from'/'to' exclude each other", "keep one of them", at="share")
        if self.share is None and not ranged:
            raise fault("E101", "the tier has neither 'share' nor 'from'/'to'", "write share: top 20%")
        if self.from_ is not None and self.to is not None and self.from_ >= self.to:
            raise fault("E106", f"from {self.from_:g} is not below to {self.to:g}", at="from")
        return self


DEFAULT_LEVELS = {"high": "top 20%", "medium": "next 30%", "low": "rest"}


def _default_levels() -> dict[str, Level]:
    return {name: Level(share=share) for name, share in DEFAULT_LEVELS.items()}


class Tiers(Options):
    """How customers are grouped; the first level holds the most valuable ones.

    Examples
    --------
    >>> Tiers().shares()
    {'high': 0.2, 'medium': 0.3, 'low': 0.5}
    """

    by: Text = "predicted_clv"
    """What customers are sorted by: predicted_clv or a column."""
    levels: Annotated[Mapping[str, Level], Field(min_length=1)] = Field(default_factory=_default_levels)
    """The tiers by name, from the top."""

    def shares(self) -> dict[str, float] | None:
        """Give each tier's share of customers; None where tiers are ranges, whose size only data tell."""
        stated = {name: level.share for name, level in self.levels.items() if level.share is not None}
        if len(stated) < len(self.levels):
            return None
        rest = 1.0 - sum(share.share or 0.0 for share in stated.values())
        return {name: round(rest, 12) if s.share is None else s.share for name, s in stated.items()}

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        given = [(name, level.share) for name, level in self.levels.items() if level.share is not None]
        if given and len(given) < len(self.levels):
            raise fault(
                "E113", "some tiers have a share, others a range", "use one of both for all", at="levels"
            )
        for position, (name, share) in enumerate(given):
            kind = "top" if position == 0 else "rest" if share.kind == "rest" else "next"
            if share.kind != kind and not (share.kind == "rest" and len(given) == 1):
                fix = "write top for the first tier, next for those below it"
                raise fault(
                    "E103",
                    f"{quoted(name)} is tier {position + 1} and cannot be '{share.kind}'",
                    fix,
                    at=f"levels.{name}.share",
                )
            if share.kind == "rest" and position < len(given) - 1:
                raise fault(
                    "E103",
                    f"no tier can follow {quoted(name)}, which takes the rest",
                    at=f"levels.{name}.share",
                )
        self._check_total(given)
        return self

    @staticmethod
    def _check_total(given: list[tuple[str, TierShare]]) -> None:
        if not given:
            return
        total = sum(share.share or 0.0 for _, share in given)
        has_rest = given[-1][1].kind == "rest"
        if total > 1 + _MIX_ERROR or (has_rest and total > 1 - _MIX_ERROR):
            raise fault(
                "E106",
                f"the tiers take {100 * total:g}% of the customers",
                "together at most 100%",
                at="levels",
            )
        if not has_rest and total < 1 - _MIX_ERROR:
            what = f"the tiers take {100 * total:g}% of the customers"
            raise fault("E106", what, "write 'share: rest' for the last one", at="levels")


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
    """What the channel's money earns; absent where data.curves tells."""
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


class ModelChoice(Options):
    """A model by name, with options."""

    model_config = ConfigDict(extra="allow")

    name: Text
    """Such as bg_nbd."""


def _choice_kind(value: object) -> str:
    return "options" if isinstance(value, Mapping | ModelChoice) else "name"


Model = Annotated[
    Annotated[Text, Tag("name")] | Annotated[ModelChoice, Tag("options")], Discriminator(_choice_kind)
]


class Models(Options):
    """Which models turn data into forecasts."""

    as_of: IsoDate | None = None
    """Last day of data the models see; the last order's day where absent."""
    holdout: Duration | None = None
    """Time at the end that is kept for judging models."""
    clv: Model = "auto"
    """Customer lifetime value."""
    retention: Model = "auto"
    """Probability of at least one purchase."""
    uplift: Model = "auto"
    """Effect of a contact."""


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
