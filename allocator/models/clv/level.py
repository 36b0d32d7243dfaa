"""The level of a forecast: by how much its total was wrong on an earlier window, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from allocator.customers.past import Outcome, Snapshot
from allocator.errors import Finding
from allocator.models.base import FloatArray
from allocator.models.clv.forecast import CustomerForecast
from allocator.models.clv.judgement import Prediction

USUAL_ERROR = 0.2
"""Standard deviation of the log of actual over forecast totals that is taken for usual before looking."""


@dataclass(frozen=True)
class Level:
    """A factor for the totals of a forecast.

    Parameters
    ----------
    factor : float
        Above 1 where earlier forecasts were too low.
    log_error : float
        Standard deviation of its log over a time as long as the windows it was learned on: what is left open.
    weeks : float
        Length of these windows; 0 where it was not learned.
    """

    factor: float = 1.0
    log_error: float = USUAL_ERROR
    weeks: float = 0.0

    def error_over(self, weeks: float) -> float:
        """Give the standard deviation of its log over other `weeks`.

        Further ahead than the windows errors add up as those of a random walk do: by the square root of time.
        """
        longer = weeks / self.weeks if self.weeks else 1.0
        return self.log_error * float(np.sqrt(max(longer, 1.0)))

    @classmethod
    def learned(cls, earlier: Iterable[tuple[Prediction, Outcome]]) -> Level:
        """Learn the level from earlier forecasts and what came.

        The mean of ``log(actual / forecast)`` over the windows, pulled to 0 by what of it may be luck: the
        spread over customers, and the spread between windows, which share most of their customers.
        A window without revenue, or forecast to have none, tells nothing.
        """
        logs, errors, weeks = [], [], 0.0
        for predicted, came in earlier:
            actual, forecast = float(came.revenue.sum()), float(predicted.revenue.sum())
            if actual > 0 and forecast > 0:
                logs.append(np.log(actual / forecast))
                errors.append(_relative_error(came.revenue, predicted.revenue))
                weeks = came.weeks
        if not logs:
            return cls()
        between = float(np.var(logs, ddof=1)) if len(logs) > 1 else 0.0
        noise = float(np.mean(np.square(errors))) + between / len(logs)
        kept = USUAL_ERROR**2 / (USUAL_ERROR**2 + noise)
        return cls(float(np.exp(kept * np.mean(logs))), float(np.sqrt(kept * noise + between)), weeks)


def _relative_error(actual: FloatArray, forecast: FloatArray) -> float:
    """Give the standard error of actual over forecast total, over customers, as a share of it."""
    ratio = actual.sum() / forecast.sum()
    off = actual - ratio * forecast
    return float(np.sqrt(off @ off) / actual.sum())


@dataclass(frozen=True, eq=False)
class Levelled:
    """A forecast at a learned level; who buys is untouched, what they bring is scaled.

    Parameters
    ----------
    forecast : CustomerForecast
    level : Level
    warnings : tuple of Finding
        Those of the forecast, and further ones.
    """

    forecast: CustomerForecast
    level: Level
    more_warnings: tuple[Finding, ...] = field(default=())

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What needs care."""
        return (*self.forecast.warnings, *self.more_warnings)

    def expected_purchases(
        self, customers: Snapshot, weeks: float, *, start_weeks: float = 0.0
    ) -> FloatArray:
        """Purchase days expected, as the forecast says."""
        return self.forecast.expected_purchases(customers, weeks, start_weeks=start_weeks)

    def expected_revenue(self, customers: Snapshot, weeks: float, *, start_weeks: float = 0.0) -> FloatArray:
        """Money expected, at the learned level."""
        earned = self.forecast.expected_revenue(customers, weeks, start_weeks=start_weeks)
        return np.asarray(self.level.factor * earned)

    def revenue_if_active(self, customers: Snapshot, weeks: float, *, start_weeks: float = 0.0) -> FloatArray:
        """Money expected of active customers, at the learned level."""
        earned = self.forecast.revenue_if_active(customers, weeks, start_weeks=start_weeks)
        return np.asarray(self.level.factor * earned)

    def p_any_purchase(self, customers: Snapshot, weeks: float) -> FloatArray:
        """Probability of at least one purchase, as the forecast says."""
        return self.forecast.p_any_purchase(customers, weeks)
