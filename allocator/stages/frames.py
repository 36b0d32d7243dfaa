"""What the stages found, as tables for people."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from allocator.response.curves import ALL
from allocator.stages.customers import Customers
from allocator.stages.effects import Tested
from allocator.stages.predictions import looked_up

if TYPE_CHECKING:
    import pandas as pd

LIKELY = NormalDist().inv_cdf(0.9)  # 8 in 10 lie within so many standard errors

CUSTOMER_COLUMNS = (
    "customer_id", "tier", "frequency", "recency_weeks", "age_weeks", "mean_value", "p_any_purchase", "clv",
)  # fmt: skip
TIER_COLUMNS = ("tier", "customers", "share", "in_data", "lowest", "mean")
EFFECT_COLUMNS = (
    "tier", "channel", "treated", "control", "raw", "adjusted", "standard_error", "effect", "low", "high",
    "is_noise",
)  # fmt: skip


def customer_frame(customers: Customers) -> pd.DataFrame:
    """Give one row a customer of the population, 0 for those without an order."""
    import pandas as pd

    made = customers.predictions
    if made is None:
        return pd.DataFrame(columns=list(CUSTOMER_COLUMNS))
    ids, known = customers.customer_id, made.customer_id
    summary = made.summary
    columns = {
        "frequency": summary.frequency,
        "recency_weeks": summary.recency_weeks,
        "age_weeks": summary.age_weeks,
        "mean_value": summary.mean_value,
        "p_any_purchase": made.p_any_purchase,
        "clv": made.clv,
    }
    tier = customers.assignment.tier if customers.assignment else np.full(len(ids), ALL, dtype=object)
    table = {name: looked_up(ids, known, np.asarray(values, np.float64)) for name, values in columns.items()}
    return pd.DataFrame({"customer_id": ids, "tier": tier, **table}).astype({"frequency": np.int64})


def tier_frame(customers: Customers) -> pd.DataFrame:
    """Give one row a tier with the customers it stands for."""
    import pandas as pd

    assignment, values = customers.assignment, customers.value
    rows = []
    for tier, people in customers.sizes.items():
        inside = np.ones(len(customers.customer_id), dtype=bool)
        if assignment is not None:
            inside = assignment.tier == tier
        own = values[inside] if values is not None else np.array([np.nan])
        share = people / customers.population
        rows.append((tier, people, share, int(inside.sum()), float(own.min()), float(own.mean())))
    return pd.DataFrame(rows, columns=list(TIER_COLUMNS))


def effect_frame(tested: Tested | None) -> pd.DataFrame:
    """Give one row a tier and channel with the effect of one contact on margin, in money."""
    import pandas as pd

    if tested is None:
        return pd.DataFrame(columns=list(EFFECT_COLUMNS))
    raw, shrunk = tested.effects, tested.shrunk
    width = LIKELY * shrunk.standard_error
    columns = (
        raw.tier, raw.channel, raw.n_treated, raw.n_control, raw.raw, raw.estimate, raw.standard_error,
        shrunk.mean, shrunk.mean - width, shrunk.mean + width, shrunk.is_noise,
    )  # fmt: skip
    return pd.DataFrame(dict(zip(EFFECT_COLUMNS, columns, strict=True)))
