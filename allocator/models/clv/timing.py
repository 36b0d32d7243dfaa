"""What turns a model of purchase timing into a forecast of customers: the value of a purchase beside it."""

from __future__ import annotations

from typing import Protocol

from allocator.customers.past import Past
from allocator.customers.summary import Patterns
from allocator.errors import Finding
from allocator.models.base import Penalty, PurchaseForecast, impossible
from allocator.models.clv.forecast import TimingForecast
from allocator.models.clv.gamma_gamma import GammaGamma
from allocator.options import Options


class FittedTiming(PurchaseForecast, Protocol):
    """A fitted model of purchase timing, with what needs care."""

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Of the fit."""


class TimingModel(Options):
    """A model of purchase timing, with Gamma-Gamma for the value of a purchase."""

    name: str
    penalty: Penalty = 0.0
    """Pull of the logs of the parameters of both towards 0; 0 is maximum likelihood."""

    def fit(self, patterns: Patterns) -> FittedTiming:
        """Fit the timing to patterns of customers."""
        raise NotImplementedError

    def learn(self, past: Past, *, horizon_weeks: float) -> TimingForecast:
        """Fit both models to the customers of a past.

        Timing is fitted to the patterns of frequency, recency and age; value to the means of all purchase
        days, the first included, which ranks customers better than repeats alone.

        Raises
        ------
        DataError
            E315 where no customer has a purchase of positive value, or all bought for the first time today.
        """
        summary = past.customers.summary
        if not summary.age_days.any():
            raise impossible(
                "all customers bought on the last day alone, so nothing tells how often they buy again"
            )
        purchases = self.fit(summary.patterns())
        value = GammaGamma(penalty=self.penalty).fit(summary.n_days, summary.mean_value)
        return TimingForecast(purchases, value, (*purchases.warnings, *value.warnings))
