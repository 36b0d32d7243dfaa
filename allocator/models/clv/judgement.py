"""How a forecast of customers compares with what they then bought."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.customers.past import Outcome, Snapshot
from allocator.models import scoring
from allocator.models.base import FloatArray
from allocator.models.clv.forecast import CustomerForecast


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a forecast says of customers for a time to come; arrays are aligned with them.

    Parameters
    ----------
    revenue : array, shape (customers,)
        In money.
    p_any_purchase : array, shape (customers,)
        Probability of at least one purchase.
    """

    revenue: FloatArray
    p_any_purchase: FloatArray

    @classmethod
    def of(cls, forecast: CustomerForecast, customers: Snapshot, weeks: float) -> Prediction:
        """Give what a forecast says of the next `weeks`."""
        return cls(forecast.expected_revenue(customers, weeks), forecast.p_any_purchase(customers, weeks))

    def scaled(self, factor: float) -> Prediction:
        """Give the same with another level of revenue; order and probabilities stay."""
        return Prediction(factor * self.revenue, self.p_any_purchase)


@dataclass(frozen=True)
class Scores:
    """How good a prediction was.

    Parameters
    ----------
    mae, rmse : float
        Of a customer's revenue, in money.
    r2 : float
        Share of the variance of revenue that is explained; below 0 where the mean would do better.
    total_error : float
        Error of the total as a share of it.
    spearman, normalised_gini : float
        Of the order of customers by revenue; 1 is perfect, 0 is chance.
    decile_mape : float
        Mean error of the means of ten groups by forecast, as a share.
    top_tenth : float
        Share of the revenue with the tenth of the customers forecast highest.
    auc, brier : float
        Of the probability to buy at all.
    """

    mae: float
    rmse: float
    r2: float
    total_error: float
    spearman: float
    normalised_gini: float
    decile_mape: float
    top_tenth: float
    auc: float
    brier: float


def score(predicted: Prediction, came: Outcome) -> Scores:
    """Compare a prediction with what came.

    Raises
    ------
    DataError
        E315 where a prediction is not a finite number.
    """
    actual, forecast = came.revenue, predicted.revenue
    bought = (came.purchase_days > 0).astype(np.float64)
    return Scores(
        mae=scoring.mae(actual, forecast),
        rmse=scoring.rmse(actual, forecast),
        r2=scoring.r2(actual, forecast),
        total_error=scoring.total_error(actual, forecast),
        spearman=scoring.spearman(actual, forecast),
        normalised_gini=scoring.normalised_gini(actual, forecast),
        decile_mape=scoring.deciles(actual, forecast).mape,
        top_tenth=scoring.top_capture(actual, forecast),
        auc=scoring.auc(bought, predicted.p_any_purchase),
        brier=scoring.brier(bought, predicted.p_any_purchase),
    )
