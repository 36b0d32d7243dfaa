"""Forecasts that say what a test wants, and simulated shops to learn from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
import pandas as pd

from allocator.customers.past import OrderLog, Outcome, Past, Snapshot
from allocator.errors import Finding
from allocator.models.clv.judgement import Prediction
from allocator.models.clv.origins import Origin, Trial

START = np.datetime64("2025-01-01")
END = date(2026, 6, 30)


@dataclass(frozen=True, eq=False)
class Constant:
    """So much money and as many purchases a week of every customer, twice as much of one who is active."""

    rate: np.ndarray
    warnings: tuple[Finding, ...] = ()

    def expected_purchases(
        self, customers: Snapshot, weeks: float, *, start_weeks: float = 0.0
    ) -> np.ndarray:
        return self.rate * weeks

    def expected_revenue(self, customers: Snapshot, weeks: float, *, start_weeks: float = 0.0) -> np.ndarray:
        return self.rate * weeks

    def revenue_if_active(self, customers: Snapshot, weeks: float, *, start_weeks: float = 0.0) -> np.ndarray:
        return 2 * self.rate * weeks

    def p_any_purchase(self, customers: Snapshot, weeks: float) -> np.ndarray:
        return -np.expm1(-self.rate * weeks)


def snapshot_of(n: int) -> Snapshot:
    """So many customers who bought once."""
    return past_of(n).customers


@cache
def past_of(n: int) -> Past:
    """The same at the end of their log."""
    days = START + np.arange(n) % 300
    ids = [f"c{i:04}" for i in range(n)]
    return OrderLog(pd.DataFrame({"customer_id": ids, "ordered_on": days, "amount": 10.0})).until(END)


def origin_of(revenue: np.ndarray, first: int = 0) -> Origin:
    """An origin whose customers, numbered from `first`, then bought for so much."""
    n = len(revenue)
    past = past_of(first + n)
    customers = Snapshot(past.customers.summary.part(slice(first, None)), past)
    return Origin(past, customers, Outcome((revenue > 0).astype(float), revenue, 13.0))


def trial_of(name: str, *revenues: np.ndarray) -> Trial:
    """What a model predicted at each origin."""
    return Trial(name, tuple(Prediction(one, one / (1 + one.max())) for one in revenues))


@cache
def shop(customers: int = 300, weeks: int = 78, seed: int = 1) -> pd.DataFrame:
    """Orders of customers who buy at random at a rate of their own until they leave."""
    rng = np.random.default_rng(seed)
    joined = rng.integers(0, weeks * 7 // 2, customers)
    left = np.minimum(joined + rng.exponential(400, customers), weeks * 7 - 1)
    rate, worth = rng.gamma(1, 1 / 40, customers), rng.gamma(5, 8, customers)
    again = rng.poisson(rate * np.maximum(left - joined, 0))
    who = np.concatenate([np.arange(customers), np.repeat(np.arange(customers), again)])
    later = rng.uniform(np.repeat(joined, again), np.repeat(left, again)).astype(int)
    day = np.concatenate([joined, later])
    table = pd.DataFrame(
        {
            "customer_id": [f"c{number:05d}" for number in who],
            "ordered_on": START + day,
            "amount": (worth[who] * rng.gamma(4, 0.25, len(who)) + 0.01).round(2),
        }
    )
    return table.sort_values(["ordered_on", "customer_id"], ignore_index=True)
