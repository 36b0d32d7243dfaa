"""Who buys again by a classifier: calibrated, carried to any horizon, and blind to what came later."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from allocator.customers.past import OrderLog
from allocator.models.clv.pareto_nbd import ParetoNbd
from allocator.models.retention.activity import Activity
from allocator.models.retention.repurchase import Repurchase

TODAY = date(2026, 9, 30)


def orders(n: int = 1200, seed: int = 5) -> pd.DataFrame:
    """Customers of different rhythm, some of whom leave, watched for two years."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        rate, leaves = rng.gamma(0.7, 1 / 40), rng.exponential(500)
        day, first = float(rng.integers(0, 200)), True
        while day < 730 and (first or day < leaves):
            rows.append((f"c{number:04}", pd.Timestamp("2025-01-01") + pd.Timedelta(days=int(day)), 20.0))
            day, first = day + rng.exponential(1 / max(rate, 1e-3)), False
    return pd.DataFrame(rows, columns=["customer_id", "ordered_on", "amount"])


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return orders()


@pytest.mark.parametrize("name", ["logit", "boosting"])
def test_probabilities_hold_on_days_not_seen(table: pd.DataFrame, name: str) -> None:
    log = OrderLog(table)
    past = log.until(TODAY)
    came = log.until().outcome_of(past.customers)
    timing = ParetoNbd().learn(past, horizon_weeks=came.weeks)
    found = Repurchase(name=name).score(timing, past.customers, weeks=came.weeks)
    bought = came.purchase_days > 0
    assert found.chance.mean() == pytest.approx(bought.mean(), abs=0.06)
    assert found.chance[bought].mean() > found.chance[~bought].mean() + 0.2
    assert 0.7 < found.scores["slope"] < 1.4
    assert found.scores["auc"] > 0.75


def test_nothing_later_is_seen(table: pd.DataFrame) -> None:
    late = table["ordered_on"] > pd.Timestamp(TODAY)
    shuffled = table.assign(amount=np.where(late, 9e6, table["amount"]))
    chances = []
    for one in (table, shuffled, table[~late]):
        past = OrderLog(one).until(TODAY)
        timing = ParetoNbd().learn(past, horizon_weeks=12)
        chances.append(Repurchase(name="logit").score(timing, past.customers, weeks=12).chance)
    assert np.array_equal(chances[0], chances[1])
    assert np.array_equal(chances[0], chances[2])


def test_more_weeks_make_a_purchase_likelier(table: pd.DataFrame) -> None:
    past = OrderLog(table).until(TODAY)
    timing = ParetoNbd().learn(past, horizon_weeks=26)
    short, long = (
        Repurchase(name="boosting").score(timing, past.customers, weeks=weeks).chance for weeks in (26, 60)
    )
    assert short.mean() < long.mean()
    assert ((long >= 0) & (long <= 1)).all()


def test_activity_is_the_chance_of_the_model_that_values_customers(table: pd.DataFrame) -> None:
    past = OrderLog(table).until(TODAY)
    timing = ParetoNbd().learn(past, horizon_weeks=26)
    found = Activity().score(timing, past.customers, weeks=26)
    assert np.array_equal(found.chance, timing.p_any_purchase(past.customers, 26))
    assert found.scores == {}
