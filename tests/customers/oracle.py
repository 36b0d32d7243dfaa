"""The customer summary written a second time, slowly, in plain Python and in pandas; and made-up orders."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from allocator.customers.summary import CustomerSummary


def made_up_orders(seed: int, rows: int = 400, customers: int = 40, *, returns: float = 0.0) -> pd.DataFrame:
    """Orders in any order, several a day, with times of the day and a share of returns."""
    rng = np.random.default_rng(seed)
    seconds = rng.integers(0, 200 * 86_400, rows)
    amount = np.round(rng.lognormal(3, 1, rows), 2)
    amount[rng.random(rows) < 0.05] = 0.0
    back = rng.random(rows) < returns
    amount[back] = -amount[rng.permutation(rows)][back]
    return pd.DataFrame(
        {
            "customer_id": [f"{number:03d}" for number in rng.integers(0, customers, rows)],
            "ordered_on": pd.Timestamp("2026-01-01") + pd.to_timedelta(seconds, unit="s"),
            "amount": amount,
        }
    )


def pandas_summary(orders: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """One row a customer, for orders without returns."""
    used = orders[orders["ordered_on"] < pd.Timestamp(as_of) + pd.Timedelta(days=1)]
    days = used.groupby(["customer_id", used["ordered_on"].dt.normalize()])["amount"].sum().reset_index()
    by_customer = days.sort_values("ordered_on").groupby("customer_id")
    return pd.DataFrame(
        {
            "n_days": by_customer.size(),
            "first_on": by_customer["ordered_on"].min(),
            "last_on": by_customer["ordered_on"].max(),
            "total_value": by_customer["amount"].sum(),
            "first_value": by_customer["amount"].first(),
        }
    ).sort_index()


def frame_of(summary: CustomerSummary) -> pd.DataFrame:
    """The columns of a summary, to compare."""
    names = ("n_days", "first_on", "last_on", "total_value", "first_value")
    index = pd.Index(summary.customer_id, name="customer_id")
    return pd.DataFrame({name: getattr(summary, name) for name in names}, index=index)


def settled_by_hand(rows: list[tuple[str, int, float]], rule: str) -> list[float | None]:
    """What is left of every purchase; None for returns and for purchases taken back entirely.

    Amounts are whole numbers, and a day never holds two amounts of one customer.
    """
    left: list[float | None] = [amount if amount >= 0 else None for _, _, amount in rows]
    debts = sorted((day, i) for i, (_, day, amount) in enumerate(rows) if amount < 0)
    if rule == "drop":
        return left
    owed = {i: -rows[i][2] for _, i in debts}
    if rule == "match":
        for day, i in debts:
            same = [
                (rows[j][1], j)
                for j, value in enumerate(left)
                if rows[j][0] == rows[i][0] and value == -rows[i][2] and rows[j][1] <= day
            ]
            if same:
                left[max(same)[1]], owed[i] = None, 0
    for day, i in debts:
        while owed[i] > 0:
            before = [
                (rows[j][1], j)
                for j, value in enumerate(left)
                if rows[j][0] == rows[i][0] and value and rows[j][1] <= day
            ]
            if not before:
                break
            latest = max(before)[1]
            paid = min(left[latest] or 0, owed[i])
            owed[i] -= paid
            left[latest] = (left[latest] or 0) - paid or None
    return left
