"""Who buys again, by a classifier of features that learned at an earlier day, calibrated out of fold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from allocator.customers.past import Snapshot
from allocator.models.base import FloatArray
from allocator.models.clv.training import training
from allocator.models.retention.activity import PurchaseChance, RetentionScore
from allocator.models.retention.boosting import Boosting
from allocator.models.retention.calibration import Classifier, Method, calibrated
from allocator.models.retention.logit import Logit
from allocator.options import Options

LARGEST_CHANCE = 1 - 1e-9


class Repurchase(Options):
    """Probability of at least one purchase, by logistic regression or boosted trees on features.

    It learns from the customers of the latest day whose next weeks are known, and is calibrated out of fold.
    From those weeks to the horizon it is carried by the model that values customers: with p its chance and h
    the weeks learned, ``1 - (1 - f) ** (log(1 - p(H)) / log(1 - p(h)))``.

    Examples
    --------
    >>> Repurchase(name="boosting", calibration="isotonic").classifier().name
    'boosting'
    """

    name: Literal["logit", "boosting"]
    """The classifier."""
    calibration: Method = "platt"
    """How probabilities are put right by those of customers left out; isotonic needs 1,000 of them."""

    def classifier(self) -> Classifier:
        """Give the classifier."""
        return Logit() if self.name == "logit" else Boosting()

    def score(self, forecast: PurchaseChance, customers: Snapshot, *, weeks: float) -> RetentionScore:
        """Give every customer's probability of at least one purchase in the next `weeks`.

        Parameters
        ----------
        forecast : forecast of customers
        customers : Snapshot
            What it learns lies before their day.
        weeks : float

        Raises
        ------
        DataError
            E315 where the log is too short to learn from.
        """
        rows = training(customers.past, horizon_weeks=weeks, cut_offs=1)
        columns = rows.lasting(customers.features)
        learned = calibrated(
            self.classifier(), rows.table[columns], rows.purchases > 0, method=self.calibration
        )
        chance = learned.probability(customers.features[columns])
        carried = _carried(chance, forecast, customers, (rows.weeks, weeks))
        scores = learned.scores
        return RetentionScore(
            carried,
            self.name,
            learned.warnings,
            _known(scores.means if scores else {}),
            _known(scores.spreads if scores else {}),
        )


def _known(figures: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in figures.items() if value is not None}


def _carried(
    chance: FloatArray, forecast: PurchaseChance, customers: Snapshot, weeks: tuple[float, float]
) -> FloatArray:
    """Carry a chance from the weeks learned to those wanted."""
    learned, wanted = (
        -np.log1p(-np.minimum(forecast.p_any_purchase(customers, span), LARGEST_CHANCE)) for span in weeks
    )
    overall = wanted.sum() / learned.sum() if learned.sum() > 0 else 1.0
    power = np.divide(wanted, learned, out=np.full(len(chance), overall), where=learned > 0)
    return np.asarray(-np.expm1(power * np.log1p(-np.minimum(chance, LARGEST_CHANCE))))
