"""How sure a forecast is: ranges that hold what comes as often as they say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from allocator.customers.past import OrderLog, Outcome, Snapshot
from allocator.models.clv import intervals as under_test
from allocator.models.clv.bg_nbd import FittedBgNbd
from allocator.models.clv.forecast import TimingForecast
from allocator.models.clv.gamma_gamma import FittedGammaGamma
from allocator.models.clv.intervals import Expected, Intervals, Range, intervals
from allocator.models.clv.pareto_nbd import ParetoNbd
from tests.models.clv.made_up_customers import summary_of
from tests.models.clv.made_up_forecasts import START, past_of

WATCHED, AHEAD = 365, 182
WEEKS = AHEAD / 7
KNOWN = TimingForecast(FittedBgNbd(0.8, 8.0, 0.8, 2.5), FittedGammaGamma(6.25, 3.74, 15.44))


def pareto_shop(seed: int, customers: int = 1200) -> pd.DataFrame:
    """Customers who buy, leave and spend as Pareto/NBD with Gamma-Gamma says."""
    rng = np.random.default_rng(seed)
    joined = rng.integers(0, 180, customers)
    rate = rng.gamma(0.8, 1 / 70, customers)
    left = np.minimum(
        joined + rng.exponential(1, customers) / rng.gamma(0.7, 1 / 90, customers), WATCHED + AHEAD
    )
    again = rng.poisson(rate * (left - joined))
    who = np.concatenate([np.arange(customers), np.repeat(np.arange(customers), again)])
    later = rng.uniform(np.repeat(joined, again), np.repeat(left, again))
    worth = rng.gamma(3.74, 1 / 15.44, customers)
    return pd.DataFrame(
        {
            "customer_id": [f"c{number:05d}" for number in who],
            "ordered_on": START + np.ceil(np.concatenate([joined, later])).astype(int),
            "amount": rng.gamma(6.25, 1 / worth[who]),
        }
    )


@dataclass(frozen=True)
class Case:
    """What was drawn for a simulated shop, and what came."""

    customers: Snapshot
    timing: TimingForecast
    found: Intervals
    came: Outcome
    group: np.ndarray


def case(seed: int) -> Case:
    log = OrderLog(pareto_shop(seed))
    split = START.astype(object) + timedelta(days=WATCHED)
    past = log.until(split)
    customers, timing = past.customers, ParetoNbd().learn(past, horizon_weeks=WEEKS)
    expected = Expected(timing.expected_revenue(customers, WEEKS), WEEKS)
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 40, len(customers))
    found = intervals(timing, customers, expected, group=group, rng=rng)
    came = log.until(split + timedelta(days=AHEAD)).outcome_of(customers)
    return Case(customers, timing, found, came, group)


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [case(seed) for seed in range(5)]


def test_8_in_10_groups_come_within_their_range(cases: list[Case]) -> None:
    inside = []
    for one in cases:
        mean = np.bincount(one.group, weights=one.came.revenue) / np.bincount(one.group)
        inside.append(one.found.group_outcome.covers(mean))
    assert 0.72 < np.mean(inside) < 0.88


def test_at_least_8_in_10_customers_do(cases: list[Case]) -> None:
    inside = np.concatenate([one.found.outcome.covers(one.came.revenue) for one in cases])
    assert 0.8 < inside.mean() < 0.95
    above = np.concatenate([one.came.revenue > one.found.outcome.high for one in cases])
    assert 0.04 < above.mean() < 0.11  # less than a tenth where most buy nothing


def test_chance_is_more_than_the_model_leaves_open(cases: list[Case]) -> None:
    found = cases[0].found
    expected = cases[0].timing.expected_revenue(cases[0].customers, WEEKS)
    assert (found.mean.low <= found.mean.high).all()
    assert found.mean.covers(expected).mean() > 0.9
    width = found.group_mean.high - found.group_mean.low
    assert (found.group_outcome.high - found.group_outcome.low > width).all()


def few(n: int = 40) -> Snapshot:
    rng = np.random.default_rng(6)
    x = rng.poisson(1.5, n)
    recency = np.where(x > 0, rng.integers(20, 200, n), 0)
    summary = summary_of(x.tolist(), recency.tolist(), [250] * n, rng.gamma(5, 8, n).tolist())
    return Snapshot(summary, past_of(1))


def drawn(customers: Snapshot, expected: Expected, group: np.ndarray, seed: int = 0) -> Intervals:
    return intervals(KNOWN, customers, expected, group=group, rng=np.random.default_rng(seed))


def test_a_group_of_one_is_the_customer() -> None:
    customers = few()
    expected = Expected(KNOWN.expected_revenue(customers, 26.0), 26.0, 0.2)
    found = drawn(customers, expected, np.arange(len(customers)))
    assert found.group_mean.low.tolist() == found.mean.low.tolist()
    assert found.group_outcome.high.tolist() == found.outcome.high.tolist()


def test_parts_at_once_give_the_same_ranges_of_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    customers = few()
    expected = Expected(KNOWN.expected_revenue(customers, 26.0), 26.0, 0.2)
    group = np.arange(len(customers)) % 3
    whole = drawn(customers, expected, group)
    monkeypatch.setattr(under_test, "AT_ONCE", 7)
    parts = drawn(customers, expected, group)
    assert parts.mean.low.tolist() == whole.mean.low.tolist()
    assert np.allclose(parts.group_mean.high, whole.group_mean.high, rtol=1e-12)
    assert parts.outcome.low.shape == whole.outcome.low.shape
    assert np.allclose(parts.group_outcome.high, whole.group_outcome.high, rtol=0.35)


def test_ranges_go_with_the_value_and_its_level() -> None:
    customers = few()
    base = KNOWN.expected_revenue(customers, 26.0)
    everybody = np.zeros(len(customers), dtype=int)
    plain, half, open_ = (
        drawn(customers, Expected(revenue, 26.0, error), everybody)
        for revenue, error in ((base, 0.0), (base / 2, 0.0), (base, 0.3))
    )
    assert np.allclose(half.outcome.high, plain.outcome.high / 2, rtol=1e-9)
    # parameters are known, so that nothing of the mean is open
    assert np.allclose(plain.mean.low, base)
    assert np.allclose(plain.mean.high, base)
    assert np.allclose(plain.group_mean.low, base.mean())
    ratio = float(open_.group_mean.high[0] / open_.group_mean.low[0])
    assert ratio == pytest.approx(np.exp(2 * 1.2816 * 0.3), rel=0.35)


def test_chance_lies_around_what_is_expected() -> None:
    customers = few(3000)
    base = KNOWN.expected_revenue(customers, 26.0)
    everybody = np.zeros(len(customers), dtype=int)
    found = drawn(customers, Expected(base, 26.0), everybody).group_outcome
    assert found.low[0] < base.mean() < found.high[0]
    assert found.high[0] - found.low[0] < 0.15 * base.mean()
    wide = drawn(customers, Expected(base, 26.0, 1.0), everybody).group_mean
    # the mean of the levels is 1, so their median exp(-1/2)
    assert 0.4 < np.sqrt(wide.low[0] * wide.high[0]) / base.mean() < 0.85


def test_customers_long_gone_have_numbers_too() -> None:
    summary = summary_of([0, 900, 300], [0, 1000, 365], [9000, 9000, 9000], [10.0, 20.0, 30.0])
    customers = Snapshot(summary, past_of(1))
    expected = Expected(np.array([3.0, 5.0, 0.0]), 52.0, 0.1)
    found = drawn(customers, expected, np.array([0, 1, 1]))
    for one in (found.mean, found.outcome, found.group_mean, found.group_outcome):
        assert np.isfinite(one.low).all()
        assert np.isfinite(one.high).all()
    assert found.outcome.high[2] == 0


def test_the_ends_of_a_range_are_in_it() -> None:
    draws = np.arange(101.0)[:, None]
    found = Range.of(draws)
    assert (found.low[0], found.high[0]) == pytest.approx((10, 90), rel=1e-12)
    assert Range.of(draws, 0.5).high[0] == pytest.approx(75, rel=1e-12)
    ends = Range(np.array([10.0, 10.0, 10.0]), np.array([90.0, 90.0, 90.0]))
    assert ends.covers(np.array([10.0, 90.0, 90.5])).tolist() == [1.0, 1.0, 0.0]
