"""Contracts that are simulated from a known truth, and the two cohorts of the textbook."""

from __future__ import annotations

import numpy as np
import pandas as pd

HIGH_END = np.array([100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1, 46.8, 44.5, 42.7, 40.9, 39.4]) / 100
REGULAR = np.array([100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1, 22.3, 20.7, 19.4, 18.3, 17.3]) / 100
FITTED_YEARS = 8  # years 0 to 7; those from 8 to 12 are forecast


def seen(survival: np.ndarray) -> np.ndarray:
    """Customers of a cohort of 1,000 in the years a fit may see."""
    return np.round(1000 * survival[:FITTED_YEARS])


def cohort(n: int, periods: int, rng: np.random.Generator, *, alpha: float, beta: float, c: float):
    """Numbers still active, each customer leaving by a discrete Weibull of their own."""
    theta = rng.beta(alpha, beta, n)[:, None]
    t = np.arange(periods + 1)
    return (rng.random((n, 1)) < (1 - theta) ** (t**c)).sum(axis=0)


def contracts(
    n: int, rng: np.random.Generator, *, effects=(0.8, -0.5), periods: int = 12, base: float = -2.0
):
    """A table, whole periods observed and whether they ended; chances are logits of two features."""
    table = pd.DataFrame({"price": rng.normal(size=n), "yearly": rng.choice(["no", "yes"], n)})
    score = base + effects[0] * table["price"] + effects[1] * (table["yearly"] == "yes")
    leaves = rng.random((n, periods)) < (1 / (1 + np.exp(-score.to_numpy())))[:, None]
    until = rng.integers(1, periods + 1, n)
    first = np.where(leaves.any(axis=1), leaves.argmax(axis=1) + 1, periods + 1)
    return table, np.minimum(first, until), first <= until
