"""Customers whose truth is known, and the public ones with published fits."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from allocator.customers.summary import CustomerSummary, Patterns

CALIBRATION_END = pd.Timestamp("1997-09-30")


History = tuple[np.ndarray, np.ndarray, np.ndarray]


def beta_geometric_history(
    n: int, r: float, alpha: float, a: float, b: float, seed: int = 0, first_chance: int = 0
) -> History:
    """Frequency, recency and age of customers who leave at purchases only, in days.

    Observed for one to two years, to the day; parameters may be arrays, one value a customer.
    """
    rng = np.random.default_rng(seed)
    age = rng.integers(365, 730, n)
    rate = np.maximum(rng.gamma(r, 1 / (7 * alpha), n), 1e-12)
    leaves = rng.beta(a, b, n)
    active = rng.random(n) >= leaves if first_chance else np.ones(n, dtype=bool)
    clock, x, last = np.zeros(n), np.zeros(n, dtype=int), np.zeros(n, dtype=int)
    while active.any():
        clock[active] += rng.exponential(1, int(active.sum())) / rate[active]
        active &= clock < age
        day = np.maximum(np.ceil(clock).astype(int), 1)
        again = active & (day > last)
        x[again] += 1
        last[again] = day[again]
        active &= rng.random(n) >= leaves
    return x, last, age


def bg_nbd_patterns(n: int, r: float, alpha: float, a: float, b: float, seed: int = 0) -> Patterns:
    """Customers who buy and leave as BG/NBD says."""
    return Patterns.of(*beta_geometric_history(n, r, alpha, a, b, seed))


def mbg_nbd_patterns(n: int, r: float, alpha: float, a: float, b: float, seed: int = 0) -> Patterns:
    """Customers who buy and leave as MBG/NBD says."""
    return Patterns.of(*beta_geometric_history(n, r, alpha, a, b, seed, first_chance=1))


def pareto_nbd_patterns(n: int, r: float, alpha: float, s: float, beta: float, seed: int = 0) -> Patterns:
    """Customers who buy and leave as Pareto/NBD says."""
    rng = np.random.default_rng(seed)
    age = rng.integers(365, 730, n)
    rate = np.maximum(rng.gamma(r, 1 / (7 * alpha), n), 1e-12)
    end = np.minimum(rng.exponential(1, n) / np.maximum(rng.gamma(s, 1 / (7 * beta), n), 1e-12), age)
    clock, x, last = np.zeros(n), np.zeros(n, dtype=int), np.zeros(n, dtype=int)
    while (clock < end).any():
        clock += rng.exponential(1, n) / rate
        day = np.minimum(np.maximum(np.ceil(clock), 1), age).astype(int)
        again = (clock < end) & (day > last)
        x[again] += 1
        last[again] = day[again]
    return Patterns.of(x, last, age)


def gamma_gamma_values(
    n: int, p: float, q: float, gamma: float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Purchases and mean values of customers who spend as Gamma-Gamma says."""
    rng = np.random.default_rng(seed)
    purchases = rng.geometric(0.3, n)
    rate = rng.gamma(q, 1 / gamma, n)
    return purchases, rng.gamma(p * purchases, 1 / rate) / purchases


def summary_of(frequency: list[int], recency_days: list[int], age_days: list[int], mean: list[float]):
    """A summary as of the last day of 2026."""
    as_of = date(2026, 12, 31)
    first = np.datetime64(as_of, "D") - np.array(age_days)
    n_days = np.array(frequency) + 1
    return CustomerSummary(
        customer_id=np.array([f"c{i:04}" for i in range(len(frequency))], dtype=object),
        n_days=n_days,
        first_on=first,
        last_on=first + np.array(recency_days),
        total_value=np.array(mean) * n_days,
        first_value=np.array(mean, dtype=float),
        as_of=as_of,
    )


def cdnow_days(shared_data: Path) -> pd.DataFrame:
    """One row a customer and purchase day of the CDNOW sample, with the day's amount."""
    path = shared_data / "cdnow_sample.csv.gz"
    orders = pd.read_csv(path, parse_dates=["date"])
    return orders.groupby(["customer_id", "date"], as_index=False)["amount_usd"].sum()


def cdnow_patterns(days: pd.DataFrame) -> Patterns:
    """Patterns of the first 39 weeks."""
    dates = days[days["date"] <= CALIBRATION_END].groupby("customer_id")["date"]
    first, last = dates.min(), dates.max()
    recency, age = (last - first).dt.days, (CALIBRATION_END - first).dt.days
    return Patterns.of((dates.size() - 1).to_numpy(), recency.to_numpy(), age.to_numpy())
