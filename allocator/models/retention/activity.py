"""Who buys again: probability of at least one purchase in a time to come.

Where nobody announces leaving, being retained means buying again. The score is the probability of at least
one purchase in the horizon, not the probability of being alive: that one is 1 for everybody who bought once
and nothing since, and so ranks customers worse than chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from allocator.customers.past import Snapshot
from allocator.errors import Finding
from allocator.models.base import FloatArray
from allocator.options import Options


class PurchaseChance(Protocol):
    """A forecast of customers that tells whether they buy."""

    def p_any_purchase(self, customers: Snapshot, weeks: float) -> FloatArray:
        """Probability of at least one purchase in the next `weeks`."""


@dataclass(frozen=True, eq=False)
class RetentionScore:
    """Probability of every customer to buy again, and how good such probabilities were.

    Parameters
    ----------
    chance : array, shape (customers,)
    model : str
    warnings : tuple of Finding
    scores, spreads : mapping of str to float
        ``auc``, ``brier`` and ``slope`` of calibration on customers left out: mean and standard deviation
        over folds; empty where nothing was learned for it.
    """

    chance: FloatArray
    model: str
    warnings: tuple[Finding, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    spreads: Mapping[str, float] = field(default_factory=dict)


class Activity(Options):
    """The retention score of the model that values customers.

    Examples
    --------
    >>> Activity().name
    'activity'
    """

    name: Literal["activity"] = "activity"
    """Its name in a scenario."""

    def score(self, forecast: PurchaseChance, customers: Snapshot, *, weeks: float) -> RetentionScore:
        """Give every customer's probability of at least one purchase in the next `weeks`.

        Parameters
        ----------
        forecast : forecast of customers
        customers : Snapshot
        weeks : float
            From the snapshot's day on, above 0.

        Returns
        -------
        RetentionScore
            Aligned with ``customers.customer_id``.
        """
        return RetentionScore(forecast.p_any_purchase(customers, weeks), self.name)
