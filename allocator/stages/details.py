"""What a forecast says beyond one number a customer: how sure it is, who stays, what keeping one is worth."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.models.base import IntArray
from allocator.models.clv.auto import ChosenForecast
from allocator.models.clv.forecast import TimingForecast
from allocator.models.clv.intervals import Expected, Range, intervals
from allocator.models.clv.pareto_nbd import ParetoNbd
from allocator.models.clv.record import timing_of
from allocator.response.curves import ALL
from allocator.scenario.schema import Scenario
from allocator.stages.customers import Customers
from allocator.stages.predictions import Learned, looked_up

FloatArray = NDArray[np.float64]

MONTHS = 12
WEEKS_PER_MONTH = 365.25 / 12 / 7


@dataclass(frozen=True)
class TierOutlook:
    """What is expected of a tier's customers with orders; money a head.

    Parameters
    ----------
    tier : str
    customers : int
        With orders, in the tables.
    clv, low, high : float
        Mean value over the horizon; 8 in 10 for what is not known of the model.
    outcome_low, outcome_high : float
        8 in 10 for what will come: model and chance.
    kept : float
        What a customer known to be active is worth: ``E[CLV | active] - E[CLV | lost]``.
    p_any_purchase : float
        Share expected to buy within the horizon.
    survival : tuple of float
        Share expected to be active now and after 1 to 12 months.
    """

    tier: str
    customers: int
    clv: float
    low: float
    high: float
    outcome_low: float
    outcome_high: float
    kept: float
    p_any_purchase: float
    survival: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Details:
    """How sure a forecast is.

    Parameters
    ----------
    tiers : tuple of TierOutlook
    mean, outcome : Range, shape (customers with orders,)
        Of every customer's value, as in :class:`TierOutlook`.
    """

    tiers: tuple[TierOutlook, ...]
    mean: Range
    outcome: Range


def detail(scenario: Scenario, customers: Customers, learned: Learned) -> Details | None:
    """Draw what customers may bring, and follow each tier over a year.

    Parameters
    ----------
    scenario : Scenario
    customers : Customers
    learned : Learned
        The forecast the customers were valued by.

    Returns
    -------
    Details or None
        None without orders.
    """
    made = customers.predictions
    if made is None:
        return None
    names, group = _groups(scenario, customers)
    timing = timing_of(learned.forecast) or ParetoNbd().learn(
        learned.customers.past, horizon_weeks=learned.terms.horizon_weeks
    )
    level = learned.forecast.level.log_error if isinstance(learned.forecast, ChosenForecast) else 0.0
    expected = Expected(made.clv, learned.terms.horizon_weeks, level)
    rng = np.random.default_rng([scenario.risk.seed, zlib.crc32(b"customers")])
    drawn = intervals(timing, learned.customers, expected, group=group, rng=rng)
    survival = _survival(timing, learned)
    columns = np.stack([made.clv, made.clv_if_active, made.p_any_purchase])
    rows = tuple(
        TierOutlook(
            name,
            int(own.sum()),
            float(columns[0, own].mean()),
            float(drawn.group_mean.low[number]),
            float(drawn.group_mean.high[number]),
            float(drawn.group_outcome.low[number]),
            float(drawn.group_outcome.high[number]),
            float(columns[1, own].mean()),
            float(columns[2, own].mean()),
            tuple(survival[:, own].mean(axis=1).tolist()),
        )
        for number, name in enumerate(names)
        if (own := group == number).any()
    )
    return Details(rows, drawn.mean, drawn.outcome)


def _groups(scenario: Scenario, customers: Customers) -> tuple[tuple[str, ...], IntArray]:
    """Give the tiers and that of every customer with orders."""
    made = customers.predictions
    ids = made.customer_id if made else np.array([], dtype=object)
    if customers.assignment is None:
        return (ALL,), np.zeros(len(ids), dtype=np.int64)
    order = np.argsort(customers.customer_id.astype(str), kind="stable")
    places = customers.assignment.position[order].astype(np.float64)
    return scenario.tier_names, looked_up(ids, customers.customer_id[order], places).astype(np.int64)


def _survival(timing: TimingForecast, learned: Learned) -> FloatArray:
    """Give the chance of every customer to be active now and after each month, shape (13, customers)."""
    patterns = learned.customers.summary.patterns()
    history = patterns.frequency, patterns.recency_weeks, patterns.age_weeks
    months = np.arange(MONTHS + 1) * WEEKS_PER_MONTH
    return np.stack([timing.purchases.p_active(weeks, *history)[patterns.inverse] for weeks in months])
