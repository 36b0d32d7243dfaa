"""Who buys again: probability of at least one purchase in a time to come.

Where nobody announces leaving, being retained means buying again. The score is the probability of at least
one purchase in the horizon, not the probability of being alive: that one is 1 for everybody who bought once
and nothing since, and so ranks customers worse than chance.
"""

from __future__ import annotations

from typing import Literal

from allocator.customers.summary import CustomerSummary
from allocator.models.base import FloatArray, PurchaseForecast
from allocator.options import Options


class Activity(Options):
    """The retention score of a fitted model of purchase timing.

    Examples
    --------
    >>> from datetime import date
    >>> import pandas as pd
    >>> from allocator.customers.summary import summarise
    >>> from allocator.models.clv.bg_nbd import FittedBgNbd
    >>> orders = pd.DataFrame({"customer_id": ["anna", "anna", "ben"], "amount": [20.0, 30.0, 25.0],
    ...     "ordered_on": pd.to_datetime(["2026-01-01", "2026-06-01", "2026-01-01"])})
    >>> summary = summarise(orders, as_of=date(2026, 6, 30))
    >>> timing = FittedBgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426, log_likelihood=0.0, n_customers=2)
    >>> Activity().score(timing, summary, weeks=13).round(2).tolist()
    [0.26, 0.08]
    """

    name: Literal["activity"] = "activity"
    """Its name in a scenario."""

    def score(self, purchases: PurchaseForecast, summary: CustomerSummary, *, weeks: float) -> FloatArray:
        """Give every customer's probability of at least one purchase in the next `weeks`.

        Parameters
        ----------
        purchases : fitted model of purchase timing
        summary : CustomerSummary
        weeks : float
            From the as-of day on, above 0.

        Returns
        -------
        array, shape (customers,)
            Aligned with ``summary.customer_id``; computed once for each pattern.
        """
        patterns = summary.patterns()
        chances = purchases.p_any_purchase(
            weeks, patterns.frequency, patterns.recency_weeks, patterns.age_weeks
        )
        return chances[patterns.inverse]
