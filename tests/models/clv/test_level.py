"""The level of a forecast: what earlier windows tell of its total."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from allocator.customers.past import Outcome
from allocator.models.clv.judgement import Prediction
from allocator.models.clv.level import USUAL_ERROR, Level, Levelled
from tests.models.clv.made_up_forecasts import Constant, snapshot_of

Window = tuple[Prediction, Outcome]


def window(n: int, factor: float, rng: np.random.Generator, spread: float = 1.0) -> Window:
    """A forecast right for every customer but for a factor, and what chance made of it."""
    expected = rng.gamma(2, 20, n)
    bought = rng.poisson(1.5, n)
    money = expected / 1.5 * bought * np.exp(spread * rng.standard_normal(n) - spread**2 / 2)
    return Prediction(expected / factor, np.full(n, 0.7)), Outcome(bought.astype(float), money, 13.0)


def learned(windows: Iterable[Window]) -> Level:
    return Level.learned(windows)


@pytest.mark.parametrize("factor", [0.7, 1.0, 1.3])
def test_many_customers_tell_the_truth(factor: float) -> None:
    rng = np.random.default_rng(1)
    found = learned(window(20_000, factor, rng) for _ in range(2))
    assert found.factor == pytest.approx(factor, rel=0.03)
    assert 0 < found.log_error < 0.05


def test_its_error_is_what_it_is_wrong_by() -> None:
    rng = np.random.default_rng(2)
    truths = np.exp(USUAL_ERROR * rng.standard_normal(300))
    found = [learned([window(300, factor, rng, spread=0.5)]) for factor in truths]
    off = np.log([level.factor for level in found]) - np.log(truths)
    assert np.std(off / [level.log_error for level in found]) == pytest.approx(1, abs=0.12)
    assert np.std(off) < USUAL_ERROR


def test_few_customers_are_hardly_believed() -> None:
    rng = np.random.default_rng(3)
    found = [learned([window(n, 1.5, rng, spread=2.0)]) for n in (5, 50_000)]
    assert 1 <= found[0].factor < 1.25
    assert found[1].factor > 1.4


def test_windows_that_contradict_each_other_are_believed_less() -> None:
    rng = np.random.default_rng(4)
    agree = learned([window(20_000, 1.3, rng), window(20_000, 1.3, rng)])
    apart = learned([window(20_000, 1.0, rng), window(20_000, 1.69, rng)])
    assert 1 < apart.factor < agree.factor
    assert apart.log_error > 3 * agree.log_error


def test_a_window_without_revenue_tells_nothing() -> None:
    some = window(1000, 1.2, np.random.default_rng(5))
    nothing_came = Prediction(np.ones(3), np.ones(3)), Outcome(np.zeros(3), np.zeros(3), 13.0)
    nothing_expected = Prediction(np.zeros(3), np.zeros(3)), Outcome(np.ones(3), np.ones(3), 13.0)
    assert learned([nothing_came, some, nothing_expected]) == learned([some])
    assert learned([nothing_came]) == learned([]) == Level(1.0, USUAL_ERROR)


def test_revenue_is_scaled_and_who_buys_is_not() -> None:
    customers = snapshot_of(3)
    plain = Constant(np.array([1.0, 2.0, 3.0]))
    found = Levelled(plain, Level(1.5, 0.1))
    assert found.expected_revenue(customers, 8.0).tolist() == [12.0, 24.0, 36.0]
    assert found.revenue_if_active(customers, 8.0).tolist() == [24.0, 48.0, 72.0]
    assert found.expected_purchases(customers, 8.0).tolist() == [8.0, 16.0, 24.0]
    assert (found.p_any_purchase(customers, 8.0) == plain.p_any_purchase(customers, 8.0)).all()
