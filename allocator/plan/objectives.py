"""What a plan may spend and what it maximises, as weights on the spend, margin and revenue of cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from allocator.options import Duration, Flag, Money, Names, Number, Options, Share, Text, fault
from allocator.plan.rows import Weights
from allocator.quantities import money

Maximize = Literal[
    "profit",
    "incremental_margin",
    "incremental_revenue",
    "customer_equity",
    "retained_customers",
    "conversions",
    "npv",
    "spend",
]

WEIGHTS: Mapping[str, Weights] = {
    "profit": Weights(spend=-1.0, margin=1.0),
    "incremental_margin": Weights(margin=1.0),
    "incremental_revenue": Weights(revenue=1.0),
}
"""The objectives a plan can be made for."""


def _later(value: object, what: str) -> object:
    if value is not None:
        raise fault("E110", f"{what} is not supported yet")
    return value


class Budget(Options):
    """How much money there is, and whether all of it has to go out."""

    total: Money
    """Money for the whole horizon."""
    spend: Literal["up_to", "exactly"] = "up_to"
    """Whether money may be left over."""
    by_period: Mapping[str, Money] | None = None
    """Most money for a period, by its name; no limit of its own where absent."""
    roll_over: Flag = False
    """Whether money a period leaves may be used later."""
    reserve: Money | None = None
    """Money held back of the total."""
    reason: Text = "Budget for the horizon"
    """Why this much."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.roll_over and self.by_period is None:
            fix = "add by_period, or remove roll_over: the money of the horizon can go out at any time"
            raise fault("E113", "'roll_over' needs 'by_period'", fix, at="roll_over")
        if self.reserve is not None and self.reserve > self.total:
            what = f"{money(self.reserve)} cannot be held back of {money(self.total)}"
            raise fault("E106", what, at="reserve")
        return self


class ConversionValue(Options):
    """What one conversion is worth in margin."""

    amount: Money
    """Money per conversion."""
    beyond_revenue: Flag = False
    """Whether it comes on top of revenue that is counted as well."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return value if isinstance(value, Mapping | ConversionValue) else {"amount": value}


class Objective(Options):
    """What the plan is for.

    Examples
    --------
    >>> Objective(maximize="profit").weights()
    Weights(spend=-1.0, margin=1.0, revenue=0.0)
    """

    maximize: Maximize = "profit"
    """What counts; profit is incremental margin minus spend."""
    minimize: Literal["spend"] | None = None
    """The least budget that keeps every limit."""
    value_window: Duration | None = None
    """How far ahead value is counted."""
    discount_rate: Share | None = None
    """Effective annual rate at which later value is discounted."""
    margin: Share | None = None
    """Margin per unit of revenue."""
    value_per_conversion: ConversionValue | None = None
    """What a conversion is worth, where no revenue is known."""
    then: Names | None = None
    """Further goals, in order."""
    goal_weights: Mapping[str, Number] | None = Field(default=None, alias="weights")
    """Weights of several goals."""

    def weights(self) -> Weights:
        """Give the value of one unit of spend, margin and revenue.

        Returns
        -------
        Weights
            In the objective's unit per unit of money.
        """
        return WEIGHTS[self.maximize]

    @field_validator("maximize")
    @classmethod
    def _known_goal(cls, value: str) -> str:
        if value not in WEIGHTS:
            raise fault("E110", f"maximize: {value} is not supported yet", f"supported: {', '.join(WEIGHTS)}")
        return value

    @field_validator("minimize", "then", "goal_weights")
    @classmethod
    def _not_yet(cls, value: object, info: ValidationInfo) -> object:
        return _later(value, f"objective.{str(info.field_name).removeprefix('goal_')}")
