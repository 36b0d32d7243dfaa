"""What a plan may spend and what it maximises, as weights on the spend, margin and revenue of cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from allocator.errors import closest
from allocator.options import Duration, Flag, Money, Names, Number, Options, Share, Text, fault
from allocator.plan.rows import Weights
from allocator.quantities import money, quoted

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

GOALS: Mapping[str, Weights] = {
    "profit": Weights(spend=-1.0, margin=1.0),
    "incremental_margin": Weights(margin=1.0),
    "incremental_revenue": Weights(revenue=1.0),
    "customer_equity": Weights(margin=1.0),
    "retained_customers": Weights(retained=1.0),
    "conversions": Weights(conversions=1.0),
    "npv": Weights(),
    "spend": Weights(spend=1.0),
}
"""What every goal counts, undiscounted."""
DISCOUNTED: Mapping[str, Weights] = {"npv": Weights(spend=-1.0, margin=1.0)}
"""What a goal counts discounted to the start of the horizon."""
LEAST_SPEND = Weights(spend=-1.0)
GIVEN_UP = 0.001


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
    >>> Objective(maximize="profit").weights()[:2]
    (-1.0, 1.0)
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

    given_up: Share = Field(default=GIVEN_UP, alias="tolerance")
    """How much of each goal may be given up for those after it."""

    @property
    def name(self) -> str:
        """What the plan is for, in one word: the goal, several of them, or the least spend."""
        if self.minimize is not None:
            return "least_spend"
        return " + ".join(self.goal_weights) if self.goal_weights else self.maximize

    def weights(self) -> Weights:
        """Give the value of one unit of every measure, undiscounted.

        Returns
        -------
        Weights
            In the objective's unit per unit of money or count.
        """
        return self._counted(GOALS) if self.minimize is None else LEAST_SPEND

    def discounted(self) -> Weights:
        """Give the same of what counts discounted to the start of the horizon."""
        return self._counted(DISCOUNTED) if self.minimize is None else Weights()

    def _counted(self, goals: Mapping[str, Weights]) -> Weights:
        total = Weights()
        for name, weight in (self.goal_weights or {self.maximize: 1.0}).items():
            total = total.plus(goals.get(name, Weights()), weight)
        return total

    def further(self) -> Mapping[str, Objective]:
        """Give the goals that follow this one, each as an objective of its own, by name, in order."""
        alone = {"then": None, "goal_weights": None, "minimize": None}
        return {
            name: self.model_copy(
                update={**alone, "minimize": "spend"}
                if name == "least_spend"
                else {**alone, "maximize": name}
            )
            for name in self.then or ()
        }

    @field_validator("then", "goal_weights")
    @classmethod
    def _known_goals(cls, value: Iterable[str] | None) -> object:
        for name in value or ():
            if name not in (*GOALS, "least_spend"):
                near = closest(name, GOALS)
                fix = f"did you mean '{near}'?" if near else f"goals: {', '.join(GOALS)}, least_spend"
                raise fault("E103", f"there is no goal {quoted(name)}", fix)
        return value

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if self.minimize is not None and "maximize" in self.model_fields_set:
            raise fault("E113", "'maximize' and 'minimize' exclude each other", "keep one", at="minimize")
        if self.goal_weights is not None and "maximize" in self.model_fields_set:
            fix = "put it among the weights, or remove one of the two"
            raise fault("E113", "'maximize' and 'weights' exclude each other", fix, at="weights")
        if any(self.discounted()) and self.discount_rate is None:
            raise fault("E101", "npv needs the rate at which later money counts", "add 'discount_rate: 8%'")
        return self
