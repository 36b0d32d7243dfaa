"""Who buys again: probability of at least one purchase in a time to come.

Where nobody announces leaving, being retained means buying again. The score is the probability of at least
one purchase in the horizon, not the probability of being alive: that one is 1 for everybody who bought once
and nothing since, and so ranks customers worse than chance.
"""

from __future__ import annotations

from typing import Literal, Protocol

from allocator.customers.past import Snapshot
from allocator.models.base import FloatArray
from allocator.options import Options


class PurchaseChance(Protocol):
    """A forecast of customers that tells whether they buy."""

    def p_any_purchase(self, customers: Snapshot, weeks: float) -> FloatArray:
        """Probability of at least one purchase in the next `weeks`."""


class Activity(Options):
    """The retention score of the model that values customers.

    Examples
    --------
    >>> Activity().name
    'activity'
    """

    name: Literal["activity"] = "activity"
    """Its name in a scenario."""

    def score(self, forecast: PurchaseChance, customers: Snapshot, *, weeks: float) -> FloatArray:
        """Give every customer's probability of at least one purchase in the next `weeks`.

        Parameters
        ----------
        forecast : forecast of customers
        customers : Snapshot
        weeks : float
            From the snapshot's day on, above 0.

        Returns
        -------
        array, shape (customers,)
            Aligned with ``customers.customer_id``.
        """
        return forecast.p_any_purchase(customers, weeks)
