"""Laws every regression on customers obeys."""

from __future__ import annotations

import itertools
import subprocess
import sys
from functools import cache

import numpy as np
import pandas as pd
import pytest

from allocator.customers.past import OrderLog, Outcome, Past
from allocator.models.clv import SINGLE
from allocator.models.clv.boosting import Boosting
from allocator.models.clv.carried import CarriedForecast
from allocator.models.clv.linear import Lasso, Linear, Ridge
from allocator.models.clv.perceptron import Perceptron
from allocator.models.clv.regression import Regression
from allocator.models.clv.support_vector import SupportVector
from allocator.models.clv.training import Training, training
from allocator.models.clv.trees import DecisionTree, RandomForest
from allocator.options import field_texts
from tests.models.clv.simulated_orders import simulated_orders

MEMBERS: tuple[type[Regression], ...] = (
    Linear,
    Ridge,
    Lasso,
    DecisionTree,
    RandomForest,
    SupportVector,
    Boosting,
    Perceptron,
)
HORIZON = 26.0

members = pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.__name__)


def orders() -> pd.DataFrame:
    """With returns, free orders, an enormous one, and customers of the last day."""
    table = simulated_orders(250, weeks=70)
    table.loc[table.index % 23 == 0, "amount"] *= -1
    table.loc[table.index % 29 == 0, "amount"] = 0.0
    table.loc[40, "amount"] = 1e7
    last = table["ordered_on"].max()
    new = pd.DataFrame({"customer_id": ["new1", "new2"], "ordered_on": last, "amount": [5.0, 0.0]})
    return pd.concat([table, new], ignore_index=True)


def attributes() -> pd.DataFrame:
    ids = [f"c{number:05d}" for number in range(250)]
    region = [("north", "south", None)[number % 3] for number in range(250)]
    return pd.DataFrame({"customer_id": ids, "region": region, "size": np.arange(250.0) ** 2})


@cache
def past() -> Past:
    return OrderLog(orders(), attributes=attributes()).until()


@cache
def rows() -> Training:
    return training(past(), horizon_weeks=HORIZON)


@cache
def learned(member: type[Regression]) -> CarriedForecast:
    return member().learn(past(), horizon_weeks=HORIZON)


def odd_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Histories nobody had: empty, enormous, of unknown texts."""
    numbers = table.select_dtypes("number").columns
    odd = table.iloc[:4].copy()
    odd[numbers] = odd[numbers].astype(float)
    odd.loc[odd.index[0], numbers] = np.nan
    odd.loc[odd.index[1], numbers] = 1e12
    odd.loc[odd.index[2], numbers] = -1e12
    texts = [name for name in table if name not in numbers]
    return odd.assign(**dict.fromkeys(texts, "never seen before"))


def test_every_member_has_its_laws() -> None:
    subclasses = set(Regression.__subclasses__())
    assert {kind for kind in subclasses if kind.__module__.startswith("allocator.")} == set(MEMBERS)
    assert {member().name for member in MEMBERS} <= set(SINGLE)


def test_options_load_no_scientific_library() -> None:
    modules = sorted({member.__module__ for member in MEMBERS} | {"allocator.models.clv.baselines"})
    program = f"import sys, {', '.join(modules)}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"scipy", "pandas", "statsmodels", "sklearn"} & set(done.stdout.split()) == set()


@members
def test_every_option_is_explained(member: type[Regression]) -> None:
    assert set(field_texts(member)) == set(member.model_fields) - {"name"}


@members
def test_every_value_of_the_grid_is_an_option(member: type[Regression]) -> None:
    assert member.grid
    for name, values in member.grid.items():
        for value in values:
            assert getattr(member.model_validate({name: value}), name) == value


@members
def test_money_is_never_negative_and_always_finite(member: type[Regression]) -> None:
    forecast, customers = learned(member), past().customers
    for weeks, start in [(0.0, 0.0), (1.0, 0.0), (HORIZON, 0.0), (520.0, 0.0), (52.0, 104.0)]:
        for tell in (forecast.expected_revenue, forecast.expected_purchases, forecast.revenue_if_active):
            told = tell(customers, weeks, start_weeks=start)
            assert told.shape == (len(customers),)
            assert np.isfinite(told).all()
            assert (told >= 0).all()


@members
def test_chances_are_chances_and_grow(member: type[Regression]) -> None:
    forecast, customers = learned(member), past().customers
    chances = [forecast.p_any_purchase(customers, weeks) for weeks in (0.0, 1.0, HORIZON, 520.0)]
    assert chances[0].tolist() == [0.0] * len(customers)
    for fewer, more in itertools.pairwise(chances):
        assert (fewer <= more * (1 + 1e-12)).all()
    assert (chances[-1] <= 1).all()


@members
def test_spans_of_time_add_up(member: type[Regression]) -> None:
    forecast, customers = learned(member), past().customers
    for first, then in ((10.0, 16.0), (1.0, 3.0), (40.0, 60.0)):
        parts = forecast.expected_revenue(customers, first)
        parts = parts + forecast.expected_revenue(customers, then, start_weeks=first)
        assert parts == pytest.approx(forecast.expected_revenue(customers, first + then), rel=1e-6)


@members
def test_it_fits_the_same_twice(member: type[Regression]) -> None:
    table, outcome = rows().table, rows().outcome
    one, other = (member().fit(table, outcome) for _ in range(2))
    assert np.array_equal(one.predict(table), other.predict(table))


def test_what_is_learned_hangs_on_no_order_of_orders() -> None:
    """One member tells it of all: the rows that all learn from are the same bit for bit."""
    again, known = (table.sample(frac=1, random_state=3) for table in (orders(), attributes()))
    today = OrderLog(again, attributes=known).until()
    pd.testing.assert_frame_equal(
        training(today, horizon_weeks=HORIZON).table, rows().table, check_exact=True
    )
    one, other = learned(Boosting), Boosting().learn(today, horizon_weeks=HORIZON)
    for weeks in (HORIZON, 100.0):
        assert np.array_equal(*(f.expected_revenue(past().customers, weeks) for f in (one, other)))
        assert np.array_equal(*(f.p_any_purchase(past().customers, weeks) for f in (one, other)))


@members
def test_the_order_of_rows_does_not_matter(member: type[Regression]) -> None:
    table, outcome = rows().table, rows().outcome
    order = np.random.default_rng(0).permutation(len(table))
    mixed = type(outcome)(outcome.purchase_days[order], outcome.revenue[order], outcome.weeks)
    one, other = member().fit(table, outcome), member().fit(table.iloc[order], mixed)
    assert np.array_equal(one.predict(table), other.predict(table))


@members
def test_a_customer_is_told_the_same_in_any_company(member: type[Regression]) -> None:
    customers = past().customers
    everybody = learned(member).expected_revenue(customers, HORIZON)
    some = past().of(customers.customer_id[10:20])
    assert learned(member).expected_revenue(some, HORIZON) == pytest.approx(everybody[10:20], rel=1e-9)


@members
def test_odd_histories_and_unknown_texts_are_forecast(member: type[Regression]) -> None:
    fitted = member().fit(rows().table, rows().outcome)
    odd = fitted.predict(odd_rows(rows().table))
    assert np.isfinite(odd).all()
    assert (odd >= 0).all()
    # extremes count as the most extreme of what was learned from
    assert odd.max() <= 1e7


@members
def test_an_unknown_text_counts_as_a_missing_or_a_rare_one(member: type[Regression]) -> None:
    fitted = member().fit(rows().table, rows().outcome)
    table = rows().table.iloc[:5]
    one, other = (fitted.predict(table.assign(main_channel=text)) for text in ("carrier pigeon", "telex"))
    assert one.tolist() == other.tolist()


@members
def test_nothing_is_written_into_the_rows(member: type[Regression]) -> None:
    table, before = rows().table, rows().table.copy(deep=True)
    money = rows().revenue.copy()
    member().fit(table, rows().outcome).predict(table)
    pd.testing.assert_frame_equal(table, before)
    assert np.array_equal(rows().revenue, money)


@cache
def earlier() -> tuple[Training, pd.DataFrame, Outcome]:
    """What could be learned 20 weeks before, of whom, and what they then bought."""
    today = OrderLog(simulated_orders(400, weeks=80, seed=9)).until()
    then = today.earlier(20)
    return training(then, horizon_weeks=15), then.customers.features, today.outcome_of(then.customers)


@members
def test_it_ranks_customers_better_than_chance(member: type[Regression]) -> None:
    data, customers, outcome = earlier()
    columns = data.lasting(customers)
    fitted = member().fit(data.table[columns], data.outcome)
    assert fitted.evaluate(customers, outcome)["normalised_gini"] > 0.4


@cache
def small() -> Past:
    return OrderLog(simulated_orders(30, weeks=40, seed=1, joining_weeks=5)).until()


@members
def test_small_logs_are_learned_from(member: type[Regression]) -> None:
    told = member().learn(small(), horizon_weeks=52).expected_revenue(small().customers, 52)
    assert np.isfinite(told).all()
    assert told.sum() > 0
