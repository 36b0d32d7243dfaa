"""Orders of customers who differ in how often they buy, what they spend and when they leave."""

from __future__ import annotations

import numpy as np
import pandas as pd

START = pd.Timestamp("2025-01-01")


def simulated_orders(customers: int = 600, weeks: int = 80, seed: int = 0, joining_weeks: int = 20):
    """Buy at random until one leaves; who comes from the fair buys often and stays."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        fair = rng.random() < 0.3
        rate = rng.gamma(2.0, 0.08 if fair else 0.02)
        joined = rng.uniform(0, joining_weeks)
        left = joined + rng.exponential(120 if fair else 30)
        n = rng.poisson(rate * max(min(left, weeks) - joined, 0))
        times = np.concatenate([[joined], rng.uniform(joined, min(left, weeks), n)])
        value = rng.gamma(5, 8)
        rows += [(f"c{number:05d}", time, value * rng.gamma(4, 0.25), fair) for time in np.sort(times)]
    table = pd.DataFrame(rows, columns=["customer_id", "week", "amount", "fair"])
    days = START + pd.to_timedelta(np.floor(table["week"] * 7), unit="D")
    return pd.DataFrame(
        {
            "customer_id": table["customer_id"],
            "ordered_on": days,
            "amount": table["amount"].round(2),
            "category": rng.choice(["books", "music", "toys"], len(table)),
            "channel": np.where(table["fair"], "fair", "web"),
        }
    )
