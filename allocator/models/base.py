"""What every model shares: how a fit reports trouble, and what the stages below may ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from allocator.errors import DataError, Finding
from allocator.options import Number

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer[Any]]

Penalty = Annotated[Number, Field(ge=0)]
"""Weight of ``-1/2 * sum(log(parameter) ** 2)`` in what a fit maximises, 0 or more."""

REGULARISED = 0.1  # log(parameter) within about 3.2 of 0 in two of three cases


class PurchaseForecast(Protocol):
    """What a fitted model of purchase timing tells, row by row.

    `frequency`, `recency` and `age` are a customer's repeat purchase days, and the weeks from the first
    purchase to the last one and to the as-of day.
    """

    def expected_purchases(
        self,
        weeks: ArrayLike,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
        start_weeks: ArrayLike = 0.0,
    ) -> FloatArray:
        """Purchase days expected in the `weeks` after `start_weeks` from the as-of day."""

    def expected_if_active(
        self,
        weeks: ArrayLike,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
        start_weeks: ArrayLike = 0.0,
    ) -> FloatArray:
        """Give the same for a customer known to be active when they begin."""

    def p_any_purchase(
        self, weeks: ArrayLike, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> FloatArray:
        """Probability of at least one purchase in the next `weeks`."""

    def p_active(
        self, weeks: ArrayLike, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> FloatArray:
        """Probability that a customer is still active `weeks` after the as-of day."""

    def draw_purchases(
        self,
        weeks: ArrayLike,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
        rng: np.random.Generator,
    ) -> FloatArray:
        """Draw the purchase days of the next `weeks`: chance only, the parameters are taken as known."""

    @property
    def standard_errors(self) -> Mapping[str, float | None]:
        """Standard error of every parameter by its name; None where the data leave one of them open."""

    def parameter_draws(self, n: int, rng: np.random.Generator) -> tuple[Self, ...]:
        """Give the model `n` times, with parameters as uncertain as the estimate."""


class ValueForecast(Protocol):
    """What a fitted model of spend tells, row by row."""

    def expected_value(self, n: ArrayLike, mean_value: ArrayLike) -> FloatArray:
        """Money of a future purchase day after `n` of them worth `mean_value` on average."""

    def draw_value(
        self, purchases: ArrayLike, n: ArrayLike, mean_value: ArrayLike, rng: np.random.Generator
    ) -> FloatArray:
        """Draw the money of `purchases` future purchase days together: chance only."""

    @property
    def standard_errors(self) -> Mapping[str, float | None]:
        """Standard error of every parameter by its name; None where the data leave one of them open."""

    def parameter_draws(self, n: int, rng: np.random.Generator) -> tuple[Self, ...]:
        """Give the model `n` times, with parameters as uncertain as the estimate."""


def fit_warning(what: str, fix: str = "") -> Finding:
    """Give the advice of a fit whose numbers need care.

    Examples
    --------
    >>> print(fit_warning("bg_nbd: no customer bought twice"))
    warning[W404]: bg_nbd: no customer bought twice
    """
    return Finding("W404", None, what, fix)


def impossible(what: str) -> DataError:
    """Give the error of customer histories that cannot be.

    Examples
    --------
    >>> print(impossible("a frequency is negative"))
    error[E315]: a frequency is negative
    """
    return DataError(Finding("E315", None, what))
