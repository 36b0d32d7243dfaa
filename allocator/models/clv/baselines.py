"""Forecasts anybody could make: what was, goes on. A model that does not beat them is not needed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol

import numpy as np

from allocator.customers.past import Past, Snapshot
from allocator.customers.purchase_days import number_of
from allocator.customers.summary import DAYS_PER_WEEK
from allocator.errors import Finding
from allocator.models.base import FloatArray, impossible
from allocator.options import Options

SHORTEST_WEEKS = 365.25 / 12 / DAYS_PER_WEEK
"""A month: a younger customer's rate is taken over it, or a purchase of yesterday would recur every day."""


class Rates(Protocol):
    """What is taken to go on."""

    def purchases(self, customers: Snapshot) -> FloatArray:
        """Purchase days a week of every customer."""

    def revenue(self, customers: Snapshot) -> FloatArray:
        """Money a week of every customer."""


@dataclass(frozen=True, eq=False)
class SteadyForecast:
    """Customers who go on as they were, at one rate for ever; purchases come at random (Poisson).

    Parameters
    ----------
    rates : Rates
    warnings : tuple of Finding
    """

    rates: Rates
    warnings: tuple[Finding, ...] = ()

    def expected_purchases(
        self, customers: Snapshot, weeks: float, *, start_weeks: float = 0.0
    ) -> FloatArray:
        """Give the weekly rate times the weeks, whenever they start."""
        return np.asarray(self.rates.purchases(customers) * weeks)

    def expected_revenue(self, customers: Snapshot, weeks: float, *, start_weeks: float = 0.0) -> FloatArray:
        """Give the weekly money times the weeks."""
        return np.asarray(self.rates.revenue(customers) * weeks)

    def revenue_if_active(self, customers: Snapshot, weeks: float, *, start_weeks: float = 0.0) -> FloatArray:
        """Give the same: nobody leaves."""
        return self.expected_revenue(customers, weeks)

    def p_any_purchase(self, customers: Snapshot, weeks: float) -> FloatArray:
        """Give ``1 - exp(-expected purchases)``."""
        return np.asarray(-np.expm1(-self.expected_purchases(customers, weeks)))


@dataclass(frozen=True)
class OwnMean:
    """All that a customer bought, over the weeks since the first purchase, a month at least."""

    def purchases(self, customers: Snapshot) -> FloatArray:
        """Purchase days a week."""
        return np.asarray(customers.summary.n_days / observed_weeks(customers))

    def revenue(self, customers: Snapshot) -> FloatArray:
        """Money a week."""
        return np.asarray(customers.summary.total_value / observed_weeks(customers))


@dataclass(frozen=True)
class OwnRepeats:
    """A customer's repeat purchases a week, each worth the mean of the population's.

    Parameters
    ----------
    mean_value : float
        Money of a purchase day.
    """

    mean_value: float

    def purchases(self, customers: Snapshot) -> FloatArray:
        """Purchase days a week."""
        return np.asarray(customers.summary.frequency / observed_weeks(customers))

    def revenue(self, customers: Snapshot) -> FloatArray:
        """Money a week."""
        return self.purchases(customers) * self.mean_value


@dataclass(frozen=True)
class LastWeeks:
    """What a customer bought in the last weeks, over these.

    Parameters
    ----------
    weeks : float
    """

    weeks: float

    def purchases(self, customers: Snapshot) -> FloatArray:
        """Purchase days a week."""
        return np.asarray(customers.days.total(self._late(customers)) / self.weeks)

    def revenue(self, customers: Snapshot) -> FloatArray:
        """Money a week."""
        return np.asarray(customers.days.total(self._late(customers) * customers.days.value) / self.weeks)

    def _late(self, customers: Snapshot) -> FloatArray:
        start = customers.summary.as_of - timedelta(days=round(self.weeks * DAYS_PER_WEEK))
        return np.asarray(customers.days.day > number_of(start), dtype=np.float64)


class HistoricMean(Options):
    """Every customer's own mean goes on: all money so far over the weeks since the first purchase."""

    name: Literal["historic_mean"] = "historic_mean"

    def learn(self, past: Past, *, horizon_weeks: float) -> SteadyForecast:
        """Learn nothing of the population."""
        return SteadyForecast(OwnMean())


class RepeatRate(Options):
    """Every customer's own repeat rate, at the mean money of a purchase day of all customers."""

    name: Literal["repeat_rate"] = "repeat_rate"

    def learn(self, past: Past, *, horizon_weeks: float) -> SteadyForecast:
        """Learn the mean money of a purchase day."""
        summary = past.customers.summary
        return SteadyForecast(OwnRepeats(float(summary.total_value.sum() / summary.n_days.sum())))


class LastPeriod(Options):
    """The last period again: as many weeks as the horizon has, or as the log has."""

    name: Literal["last_period"] = "last_period"

    def learn(self, past: Past, *, horizon_weeks: float) -> SteadyForecast:
        """Learn how many weeks there are to look back.

        Raises
        ------
        DataError
            E315 for a horizon that is not above 0.
        """
        if not horizon_weeks > 0:
            raise impossible(f"there is no last period of {horizon_weeks:g} weeks")
        return SteadyForecast(LastWeeks(min(horizon_weeks, max(past.weeks, SHORTEST_WEEKS))))


def observed_weeks(customers: Snapshot) -> FloatArray:
    """Give the weeks since every customer's first purchase, a month at least."""
    return np.maximum(customers.summary.age_weeks, SHORTEST_WEEKS)
