"""What the stages found, as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from allocator.response.curves import ALL
from allocator.stages.customers import Customers
from allocator.stages.effects import Tested
from allocator.stages.outlook import Outlook
from allocator.stages.predictions import looked_up

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]

LIKELY = NormalDist().inv_cdf(0.9)  # 8 in 10 lie within so many standard errors

CUSTOMER_COLUMNS = (
    "customer_id", "tier", "frequency", "recency_weeks", "age_weeks", "mean_value", "p_any_purchase", "clv",
    "clv_if_active",
)  # fmt: skip


@dataclass(frozen=True)
class TierRow:
    """A tier with its customers.

    Parameters
    ----------
    tier : str
    customers, share : float
        Those it stands for, and their share of all.
    in_data : int
        Those in the tables.
    lowest, mean : float
        Of what customers are sorted by; NaN where they are not.
    """

    tier: str
    customers: float
    share: float
    in_data: int
    lowest: float
    mean: float


@dataclass(frozen=True)
class EffectRow:
    """The effect of one contact on margin, in money.

    Parameters
    ----------
    tier, channel : str
    treated, control : int
        Customers of the two arms.
    raw : float
        Difference of the means.
    adjusted, standard_error : float
        The same adjusted for covariates, and its error.
    effect, low, high : float
        As the plan uses it: shrunk; 8 in 10 lie between.
    is_noise : bool
        Whether it cannot be told from nothing.
    """

    tier: str
    channel: str
    treated: int
    control: int
    raw: float
    adjusted: float
    standard_error: float
    effect: float
    low: float
    high: float
    is_noise: bool


def customer_frame(customers: Customers, outlook: Outlook | None = None) -> pd.DataFrame:
    """Give one row a customer of the population, 0 for those without an order.

    Parameters
    ----------
    customers : Customers
    outlook : Outlook, optional
        Adds how sure the value is, and the revenue expected within some weeks.
    """
    import pandas as pd

    made = customers.predictions
    if made is None:
        return pd.DataFrame(columns=list(CUSTOMER_COLUMNS))
    summary = made.summary
    columns: dict[str, FloatArray] = {
        "frequency": summary.frequency.astype(np.float64),
        "recency_weeks": summary.recency_weeks,
        "age_weeks": summary.age_weeks,
        "mean_value": summary.mean_value,
        "p_any_purchase": made.p_any_purchase,
        "clv": made.clv,
        "clv_if_active": made.clv_if_active,
    }
    if outlook is not None:
        columns |= {"clv_low": outlook.mean.low, "clv_high": outlook.mean.high}
        columns |= {"outcome_low": outlook.outcome.low, "outcome_high": outlook.outcome.high}
        columns |= {f"expected_{weeks}_weeks": values for weeks, values in outlook.expected.items()}
    ids, known = customers.customer_id, made.customer_id
    tier = customers.assignment.tier if customers.assignment else np.full(len(ids), ALL, dtype=object)
    table = {name: looked_up(ids, known, values) for name, values in columns.items()}
    return pd.DataFrame({"customer_id": ids, "tier": tier, **table}).astype({"frequency": np.int64})


def tier_rows(customers: Customers) -> tuple[TierRow, ...]:
    """Give a tier's customers and what they are sorted by, best first; nothing where none are counted."""
    assignment, values = customers.assignment, customers.value
    rows = []
    for tier, people in customers.sizes.items():
        inside = np.ones(len(customers.customer_id), dtype=bool)
        if assignment is not None:
            inside = assignment.tier == tier
        own = values[inside] if values is not None else np.array([np.nan])
        share = people / customers.population
        rows.append(TierRow(tier, people, share, int(inside.sum()), float(own.min()), float(own.mean())))
    return tuple(rows)


def effect_rows(tested: Tested | None) -> tuple[EffectRow, ...]:
    """Give the effect of one contact per tier and channel; nothing where nothing was tested."""
    if tested is None:
        return ()
    raw, shrunk = tested.effects, tested.shrunk
    width = LIKELY * shrunk.standard_error
    columns = (
        raw.tier, raw.channel, raw.n_treated.tolist(), raw.n_control.tolist(), raw.raw.tolist(),
        raw.estimate.tolist(), raw.standard_error.tolist(), shrunk.mean.tolist(),
        (shrunk.mean - width).tolist(), (shrunk.mean + width).tolist(), shrunk.is_noise,
    )  # fmt: skip
    return tuple(EffectRow(*values) for values in zip(*columns, strict=True))


def frame_of(rows: Sequence[TierRow] | Sequence[EffectRow], kind: type[TierRow | EffectRow]) -> pd.DataFrame:
    """Give rows as a table with one column a field."""
    import pandas as pd

    return pd.DataFrame([asdict(row) for row in rows], columns=[field.name for field in fields(kind)])
