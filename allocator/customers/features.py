"""What models learn from, of every customer, as it was known on a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allocator.customers.returns import ReturnsRule
from allocator.customers.summary import CustomerSummary

if TYPE_CHECKING:
    import pandas as pd

    from allocator.customers.engines import Transactions


def features(
    summary: CustomerSummary,
    transactions: Transactions,
    *,
    returns: ReturnsRule = "match",
    attributes: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Give one row a customer of a summary, from orders until its as-of day alone."""
    import pandas as pd

    return pd.DataFrame(
        {
            "frequency": summary.frequency,
            "recency_weeks": summary.recency_weeks,
            "age_weeks": summary.age_weeks,
            "mean_value": summary.mean_value,
        },
        index=pd.Index(summary.customer_id, name="customer_id"),
    )
