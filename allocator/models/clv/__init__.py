"""Models of customer lifetime value: when customers buy, what a purchase is worth, and both together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from allocator.customers.summary import CustomerSummary
from allocator.errors import Finding
from allocator.models.base import FloatArray, Penalty, PurchaseForecast, ValueForecast
from allocator.models.clv import value as money
from allocator.models.clv.bg_nbd import BgNbd, FittedBgNbd
from allocator.models.clv.gamma_gamma import FittedGammaGamma, GammaGamma
from allocator.models.clv.mbg_nbd import MbgNbd
from allocator.models.clv.pareto_nbd import ParetoNbd
from allocator.options import Options

PURCHASE_MODELS: tuple[type[BgNbd | MbgNbd | ParetoNbd], ...] = (BgNbd, MbgNbd, ParetoNbd)
VALUE_MODELS: tuple[type[GammaGamma], ...] = (GammaGamma,)
MODELS = (*PURCHASE_MODELS, *VALUE_MODELS)


class ClvOptions(Options):
    """Which models forecast customer lifetime value.

    Examples
    --------
    >>> ClvOptions(name="bg_nbd", penalty=0.1).purchases()
    BgNbd(name='bg_nbd', penalty=0.1)
    """

    name: Literal["auto", "bg_nbd"] = "auto"
    """Model of purchase timing; auto is bg_nbd. The value of a purchase is gamma_gamma's."""
    penalty: Penalty = 0.0
    """Pull of the logs of the parameters of both towards 0; 0 is maximum likelihood."""

    def purchases(self) -> BgNbd:
        """Give the model of purchase timing."""
        return BgNbd(penalty=self.penalty)

    def value(self) -> GammaGamma:
        """Give the model of the value of a purchase."""
        return GammaGamma(penalty=self.penalty)


@dataclass(frozen=True, eq=False)
class ClvForecast:
    """Fitted models of purchase timing and value; they apply to any customers, not only the fitted ones.

    Parameters
    ----------
    purchases : PurchaseForecast
    spend : ValueForecast
    warnings : tuple of Finding
        Of both fits.
    """

    purchases: PurchaseForecast
    spend: ValueForecast
    warnings: tuple[Finding, ...] = ()

    def clv(
        self,
        summary: CustomerSummary,
        *,
        horizon_weeks: float,
        margin: float = 1.0,
        discount_rate: float = 0.0,
        start_weeks: float = 0.0,
    ) -> FloatArray:
        """Give every customer's value over a horizon: :func:`allocator.models.clv.value.clv`."""
        return money.clv(
            self.purchases,
            self.spend,
            summary,
            horizon_weeks=horizon_weeks,
            margin=margin,
            discount_rate=discount_rate,
            start_weeks=start_weeks,
        )

    def residual_value_if_active(
        self,
        summary: CustomerSummary,
        *,
        horizon_weeks: float,
        margin: float = 1.0,
        discount_rate: float = 0.0,
        start_weeks: float = 0.0,
    ) -> FloatArray:
        """Give it for active customers: :func:`allocator.models.clv.value.residual_value_if_active`."""
        return money.residual_value_if_active(
            self.purchases,
            self.spend,
            summary,
            horizon_weeks=horizon_weeks,
            margin=margin,
            discount_rate=discount_rate,
            start_weeks=start_weeks,
        )

    def p_any_purchase(self, summary: CustomerSummary, weeks: float) -> FloatArray:
        """Give every customer's probability of at least one purchase in the next `weeks`."""
        patterns = summary.patterns()
        x, t, age = patterns.frequency, patterns.recency_weeks, patterns.age_weeks
        return self.purchases.p_any_purchase(weeks, x, t, age)[patterns.inverse]


def fit_clv(options: ClvOptions, summary: CustomerSummary) -> ClvForecast:
    """Fit the models of customer lifetime value to customers.

    Purchase timing is fitted to the patterns of frequency, recency and age; value to the means of all
    purchase days, the first included, which ranks customers better than repeats alone.

    Raises
    ------
    DataError
        E315 where no customer has a purchase of positive value.
    """
    purchases: FittedBgNbd = options.purchases().fit(summary.patterns())
    value: FittedGammaGamma = options.value().fit(summary.n_days, summary.mean_value)
    return ClvForecast(purchases, value, (*purchases.warnings, *value.warnings))
