"""A forecast of a few weeks carried on to any time by a model of purchase timing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from allocator.customers.past import Snapshot
from allocator.errors import Finding
from allocator.models.base import FloatArray
from allocator.models.clv.forecast import TimingForecast

if TYPE_CHECKING:
    import pandas as pd

LARGEST_CHANCE = 1 - 1e-9


class WeeksForecast(Protocol):
    """What is told of the next `weeks`, of rows of features."""

    @property
    def weeks(self) -> float:
        """How far ahead it tells."""

    def predict(self, table: pd.DataFrame) -> FloatArray:
        """Money of every row."""

    def p_any_purchase(self, table: pd.DataFrame) -> FloatArray | None:
        """Probability of a purchase, or None where it is not learned."""


@dataclass(frozen=True, eq=False)
class CarriedForecast:
    """A regression for the level of every customer, and a timing model for how it changes over time.

    With h the weeks of the regression, f its forecast, N and p the money and the chance of a purchase by
    the timing model::

        revenue(H, from s) = f * N(H, from s) / N(h)
        p_any(H)           = 1 - (1 - f_p) ** (log(1 - p(H)) / log(1 - p(h)))

    Customers do not buy more often as time goes on, so the ratio is at most H / h, or 1. Where the timing
    model expects nothing of a customer, the ratio is that of all customers together.

    Parameters
    ----------
    fitted : WeeksForecast
    base : TimingForecast
        Of the same past.
    warnings : tuple of Finding
    """

    fitted: WeeksForecast
    base: TimingForecast
    warnings: tuple[Finding, ...] = ()

    def expected_revenue(self, customers: Snapshot, weeks: float, *, start_weeks: float = 0.0) -> FloatArray:
        """Give the money expected of every customer, 0 or more."""
        return np.asarray(
            self.fitted.predict(customers.features) * self._ratio(customers, weeks, start_weeks)
        )

    def expected_purchases(
        self, customers: Snapshot, weeks: float, *, start_weeks: float = 0.0
    ) -> FloatArray:
        """Give the money over that of a purchase by the base; the base's own number where that is 0."""
        money = self.expected_revenue(customers, weeks, start_weeks=start_weeks)
        value = self.base.value_per_purchase(customers)
        own = self.base.expected_purchases(customers, weeks, start_weeks=start_weeks)
        return np.asarray(np.divide(money, value, out=own.copy(), where=value > 0))

    def revenue_if_active(self, customers: Snapshot, weeks: float, *, start_weeks: float = 0.0) -> FloatArray:
        """Give the base's, which alone knows what activity means; no less than what is expected anyway."""
        known = self.base.revenue_if_active(customers, weeks, start_weeks=start_weeks)
        return np.maximum(known, self.expected_revenue(customers, weeks, start_weeks=start_weeks))

    def p_any_purchase(self, customers: Snapshot, weeks: float) -> FloatArray:
        """Give the learned chance carried on; the base's where none is learned."""
        base = self.base.p_any_purchase(customers, weeks)
        own = self.fitted.p_any_purchase(customers.features)
        if own is None:
            return base
        learned = self.base.p_any_purchase(customers, self.fitted.weeks)
        none, none_then = (-np.log1p(-np.minimum(p, LARGEST_CHANCE)) for p in (base, learned))
        power = _bounded(none, none_then, max(weeks / self.fitted.weeks, 1.0))
        return np.asarray(-np.expm1(power * np.log1p(-np.minimum(own, LARGEST_CHANCE))))

    def _ratio(self, customers: Snapshot, weeks: float, start_weeks: float) -> FloatArray:
        then = self.base.expected_purchases(customers, weeks, start_weeks=start_weeks)
        learned = self.base.expected_purchases(customers, self.fitted.weeks)
        return _bounded(then, learned, max(weeks / self.fitted.weeks, 1.0))


def _bounded(part: FloatArray, whole: FloatArray, most: float) -> FloatArray:
    """Give a ratio of 0 to `most`; that of the sums where the whole is 0."""
    total = whole.sum()
    overall = part.sum() / total if total > 0 else 0.0
    ratio = np.divide(part, whole, out=np.full(len(part), overall), where=whole > 0)
    return np.asarray(np.clip(ratio, 0.0, most))
