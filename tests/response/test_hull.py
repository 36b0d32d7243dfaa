"""Steps up customers' hulls, and the curve and the plan made of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.errors import DataError
from allocator.response.hull import NOBODY, allocate, customer_steps, tier_curve

COST = np.array([0.2, 0.8, 2.0])


@pytest.fixture(scope="module")
def gain() -> np.ndarray:
    return np.random.default_rng(3).normal([0.3, 1.0, 1.5], 1.0, (300, 3))


class TestSteps:
    def test_a_channel_below_the_hull_is_never_given(self) -> None:
        steps = customer_steps(np.array([[1.0, 1.2, 6.0]]), np.array([1.0, 2.0, 3.0]))
        assert steps.after.tolist() == [2]

    def test_a_channel_that_costs_more_and_brings_less_comes_last(self) -> None:
        steps = customer_steps(np.array([[3.0, 1.0]]), np.array([1.0, 2.0]))
        assert steps.after.tolist() == [0, 1]
        assert steps.ratio.tolist() == [3.0, -2.0]

    def test_of_two_channels_that_cost_the_same_the_better_is_given(self) -> None:
        assert customer_steps(np.array([[2.0, 3.0]]), np.array([1.0, 1.0])).after.tolist() == [1]

    def test_channels_on_one_line_are_one_step(self) -> None:
        assert customer_steps(np.array([[2.0, 4.0]]), np.array([1.0, 2.0])).after.tolist() == [1]

    def test_the_order_of_channels_does_not_matter(self, gain: np.ndarray) -> None:
        turned = customer_steps(gain[:, ::-1], COST[::-1])
        straight = customer_steps(gain, COST)
        assert turned.customer.tolist() == straight.customer.tolist()
        assert turned.ratio == pytest.approx(straight.ratio)
        assert np.where(turned.after >= 0, 2 - turned.after, NOBODY).tolist() == straight.after.tolist()

    def test_every_customer_climbs_to_the_dearest_channel_in_order(self, gain: np.ndarray) -> None:
        steps = customer_steps(gain, COST)
        assert np.all(np.diff(steps.ratio) <= 0)
        for customer in range(len(gain)):
            own = np.flatnonzero(steps.customer == customer)
            assert steps.before[own].tolist() == [NOBODY, *steps.after[own][:-1]]
            assert steps.after[own[-1]] == 2
            assert steps.cost[own].sum() == pytest.approx(2.0)
            assert steps.gain[own].sum() == pytest.approx(gain[customer, 2])


class TestCurve:
    def test_people_a_row_stands_for_count_that_often(self, gain: np.ndarray) -> None:
        twice = tier_curve(np.vstack([gain, gain]), COST)
        weighted = tier_curve(gain, COST, 2.0)
        spend = np.linspace(0, twice.end, 50)
        assert weighted.at(spend) == pytest.approx(twice.at(spend))

    def test_it_is_the_best_margin_at_every_spend(self, gain: np.ndarray) -> None:
        curve = tier_curve(gain, COST)
        for budget in (1.0, 30.0, 100.0):
            assert float(curve.at(budget)) == pytest.approx(allocate(gain, COST, budget, least_return=0).gain)

    def test_it_may_end_at_its_peak(self, gain: np.ndarray) -> None:
        rising, whole = tier_curve(gain, COST, falling=False), tier_curve(gain, COST)
        assert rising.value[-1] == pytest.approx(whole.value.max()) == rising.value.max()
        assert rising.end < whole.end == pytest.approx(2.0 * len(gain))

    def test_customers_alike_are_one_piece(self) -> None:
        curve = tier_curve(np.full((1000, 2), [0.4, 1.0]), np.array([0.2, 0.8]))
        assert curve.spend == pytest.approx([0, 200, 800])

    def test_where_nobody_gains_there_is_no_rising_curve(self) -> None:
        with pytest.raises(DataError, match="nobody gains"):
            tier_curve(np.array([[-1.0]]), np.array([1.0]), falling=False)


class TestAllocate:
    def test_nothing_is_bought_without_a_budget(self, gain: np.ndarray) -> None:
        plan = allocate(gain, COST, 0.0)
        assert (plan.spend, plan.gain, plan.last) == (0.0, 0.0, None)
        assert set(plan.channel) == {NOBODY}

    def test_money_stays_where_it_does_not_pay(self, gain: np.ndarray) -> None:
        plan = allocate(gain, COST, 1e9)
        best = np.column_stack([np.zeros(len(gain)), gain - COST])
        assert plan.last is None
        assert (plan.channel + 1).tolist() == best.argmax(axis=1).tolist()
        assert plan.gain - plan.spend == pytest.approx(best.max(axis=1).sum())
        assert plan.price <= 1

    @settings(max_examples=40)
    @given(st.floats(0.01, 400))
    def test_channels_given_add_up_to_what_is_stated(self, gain: np.ndarray, budget: float) -> None:
        plan = allocate(gain, COST, budget)
        reached = np.flatnonzero(plan.channel >= 0)
        spend, earned = COST[plan.channel[reached]].sum(), gain[reached, plan.channel[reached]].sum()
        if plan.last is not None:
            assert 0 < plan.last.share < 1
            assert plan.channel[plan.last.customer] == plan.last.before
            worth = np.append(gain[plan.last.customer], 0.0)  # nobody, -1, is the last place
            money = np.append(COST, 0.0)
            spend += plan.last.share * (money[plan.last.after] - money[plan.last.before])
            earned += plan.last.share * (worth[plan.last.after] - worth[plan.last.before])
        assert (spend, earned) == pytest.approx((plan.spend, plan.gain))
        assert plan.spend <= budget * (1 + 1e-12)

    def test_the_price_is_what_one_more_unit_earns(self, gain: np.ndarray) -> None:
        plan, more = allocate(gain, COST, 50.0), allocate(gain, COST, 50.0 + 1e-6)
        assert (more.gain - plan.gain) / 1e-6 == pytest.approx(plan.price, rel=1e-4)


@pytest.mark.parametrize(
    ("gain", "cost", "what"),
    [
        (np.ones((2, 2)), np.ones(3), "one column a channel"),
        (np.ones((0, 2)), np.ones(2), "one row a customer"),
        (np.array([[np.nan]]), np.ones(1), "finite"),
        (np.ones((2, 1)), np.zeros(1), "not above 0"),
    ],
)
def test_numbers_that_cannot_be_are_refused(gain: np.ndarray, cost: np.ndarray, what: str) -> None:
    with pytest.raises(DataError, match=what):
        customer_steps(gain, cost)


def test_people_have_to_be_above_0() -> None:
    with pytest.raises(DataError, match="above 0"):
        tier_curve(np.ones((2, 1)), np.ones(1), np.array([1.0, 0.0]))
