"""A blend: the weighted mean of forecasts that err in different ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from allocator.customers.past import Snapshot
from allocator.errors import Finding
from allocator.models.base import FloatArray
from allocator.models.clv.forecast import CustomerForecast
from allocator.models.clv.judgement import Prediction


@dataclass(frozen=True, eq=False)
class BlendedForecast:
    """The weighted mean of forecasts.

    Parameters
    ----------
    parts : tuple of CustomerForecast
    weights : tuple of float
        Of each part; they add to 1.
    """

    parts: tuple[CustomerForecast, ...]
    weights: tuple[float, ...]

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Those of all parts."""
        return tuple(dict.fromkeys(warning for part in self.parts for warning in part.warnings))

    def expected_purchases(
        self, customers: Snapshot, weeks: float, *, start_weeks: float = 0.0
    ) -> FloatArray:
        """Purchase days expected."""
        return self._mean(lambda one: one.expected_purchases(customers, weeks, start_weeks=start_weeks))

    def expected_revenue(self, customers: Snapshot, weeks: float, *, start_weeks: float = 0.0) -> FloatArray:
        """Money expected."""
        return self._mean(lambda one: one.expected_revenue(customers, weeks, start_weeks=start_weeks))

    def revenue_if_active(self, customers: Snapshot, weeks: float, *, start_weeks: float = 0.0) -> FloatArray:
        """Money expected of active customers."""
        return self._mean(lambda one: one.revenue_if_active(customers, weeks, start_weeks=start_weeks))

    def p_any_purchase(self, customers: Snapshot, weeks: float) -> FloatArray:
        """Probability of at least one purchase."""
        return self._mean(lambda one: one.p_any_purchase(customers, weeks))

    def _mean(self, ask: Callable[[CustomerForecast], FloatArray]) -> FloatArray:
        return weighted([ask(part) for part in self.parts], self.weights)


def blended(predictions: Sequence[Prediction], weights: Sequence[float]) -> Prediction:
    """Give the weighted mean of what several forecasts predict of the same customers."""
    return Prediction(
        weighted([one.revenue for one in predictions], weights),
        weighted([one.p_any_purchase for one in predictions], weights),
    )


def weighted(arrays: Sequence[FloatArray], weights: Sequence[float]) -> FloatArray:
    """Give the weighted mean of arrays.

    Examples
    --------
    >>> weighted([np.array([1.0, 2.0]), np.array([3.0, 6.0])], [0.5, 0.5]).tolist()
    [2.0, 4.0]
    """
    return np.asarray(np.tensordot(np.asarray(weights), np.stack(list(arrays)), axes=1))
