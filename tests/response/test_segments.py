"""Segments: few, alike in what they want, and costing a plan next to nothing."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from allocator.response.hull import allocate
from allocator.response.segments import cut, prices

COST = np.array([0.2, 0.8, 2.0])


def effects(n: int = 6000) -> NDArray[np.float64]:
    rng = np.random.default_rng(4)
    part = rng.normal(size=(n, 3))
    return np.column_stack(
        [0.3 + 0.5 * part[:, 0], 1.0 + part[:, 1] + 0.3 * part[:, 0], 1.5 + 2.0 * part[:, 2]]
    )


def value_in_segments(effect: NDArray[np.float64], segment: NDArray[np.intp], budget: float) -> float:
    """The best profit when a segment's customers cannot be told apart, by an independent solver."""
    from scipy.optimize import linprog

    size = np.bincount(segment)
    mean = np.array([effect[segment == code].mean(axis=0) for code in range(len(size))])
    share = np.kron(np.eye(len(size)), np.ones(3))
    limits = np.vstack([share, np.tile(COST, len(size))])
    found = linprog(-(mean - COST).ravel(), A_ub=limits, b_ub=[*size, budget], bounds=(0, None))
    return float(-found.fun)


@pytest.mark.parametrize("part", [0.1, 0.25, 0.5])
def test_twenty_segments_lose_little_against_choosing_every_customer(part: float) -> None:
    effect = effects()
    budget = part * 0.8 * len(effect)
    rule = cut(effect, COST, prices(effect, COST, budget))
    assert 2 <= rule.count <= 20
    best = allocate(effect, COST, budget)
    lost = 1 - value_in_segments(effect, rule.of(effect), budget) / (best.gain - best.spend)
    assert (
        -1e-9 < lost < 0.04
    )  # effects of three channels that have nothing to do with each other: the hardest case


def test_of_one_channel_next_to_nothing_is_lost() -> None:
    effect = effects()[:, 1:2]
    budget = 0.25 * 0.8 * len(effect)
    cost = COST[1:2]
    rule = cut(effect, cost, prices(effect, cost, budget))
    segment = rule.of(effect)
    order = [effect[segment == code].mean() for code in range(rule.count)]
    assert order == sorted(order, reverse=True)
    best = allocate(effect, cost, budget)
    size = np.bincount(segment)
    left, gain = budget, 0.0
    for people, mean in zip(size, order, strict=True):
        bought = min(left / 0.8, people) if mean > 0.8 else 0.0
        gain, left = gain + bought * (mean - 0.8), left - bought * 0.8
    assert gain > 0.998 * (best.gain - best.spend)


def test_customers_who_are_all_alike_are_one_segment() -> None:
    same = np.tile([0.5, 1.0, 2.0], (100, 1))
    assert cut(same, COST, np.array([1.0])).count == 1


def test_strangers_fall_into_the_segments_too() -> None:
    effect = effects()
    rule = cut(effect, COST, prices(effect, COST, 1000.0))
    far = np.array([[50.0, 0.0, 0.0], [-50.0, -50.0, -50.0]])
    assert rule.of(far)[0] < rule.of(far)[1] <= rule.count - 1


def test_prices_fall_with_money_and_end_where_it_no_longer_pays() -> None:
    found = prices(effects(), COST, 2000.0)
    assert found.min() == 1.0
    assert (np.diff(found) > 0).all()
    assert prices(effects(), COST, 0.0).tolist() == [1.0]
