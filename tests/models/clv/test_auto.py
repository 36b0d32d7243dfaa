"""The model that chooses: from what was known alone, in any order of rows, and never in vain."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.customers.past import OrderLog, Past
from allocator.errors import DataError
from allocator.models.clv.auto import Auto, Blend, ChosenForecast, as_chosen, blend_weight
from allocator.models.clv.bg_nbd import BgNbd
from allocator.models.clv.members import PARTS
from tests.models.clv.made_up_forecasts import origin_of, shop, trial_of

AS_OF = date(2026, 3, 31)
WEEKS = 13.0


def learned(
    orders: pd.DataFrame, model: Auto | Blend, as_of: date | None = AS_OF
) -> tuple[Past, ChosenForecast]:
    past = OrderLog(orders).until(as_of)
    return past, model.learn(past, horizon_weeks=WEEKS)


@pytest.fixture(scope="module")
def known() -> pd.DataFrame:
    orders = shop()
    return orders[orders["ordered_on"] <= str(AS_OF)]


@pytest.fixture(scope="module")
def default(known: pd.DataFrame) -> tuple[Past, ChosenForecast]:
    return learned(known, Auto())


def test_nothing_later_and_no_order_of_rows_changes_anything(
    known: pd.DataFrame, default: tuple[Past, ChosenForecast]
) -> None:
    late = known.assign(ordered_on=pd.Timestamp("2026-04-01"), amount=9e5)
    back = known.assign(ordered_on=pd.Timestamp("2026-04-02"), amount=-known["amount"])
    poisoned = pd.concat([known, late, back]).sample(frac=1, random_state=1)
    past, found = default
    other, again = learned(poisoned, Auto())
    assert again.leaderboard == found.leaderboard
    assert (again.level, again.weights) == (found.level, found.weights)
    expected = found.expected_revenue(past.customers, WEEKS)
    assert again.expected_revenue(other.customers, WEEKS).tolist() == expected.tolist()


def test_it_tells_of_every_member(default: tuple[Past, ChosenForecast]) -> None:
    board = default[1].leaderboard
    assert {row.name for row in board.rows} == {"bg_nbd", "pareto_nbd", "boosting", "blend"}
    assert board.chosen in {row.name for row in board.rows}
    assert (len(board.origins), board.weeks) == (2, WEEKS)
    assert max(board.origins) == "2025-12-30"
    assert board.reason


def test_a_blend_is_made_of_its_parts(known: pd.DataFrame) -> None:
    past, found = learned(known, Blend(sample=150))
    assert found.leaderboard.chosen == "blend"
    assert sum(found.weights.values()) == pytest.approx(1)
    revenue = found.expected_revenue(past.customers, WEEKS)
    parts = found.forecast.parts  # type: ignore[attr-defined]
    mean = sum(
        weight * part.expected_revenue(past.customers, WEEKS)
        for part, weight in zip(parts, found.forecast.weights, strict=True)  # type: ignore[attr-defined]
    )
    assert np.allclose(revenue, found.level.factor * mean, rtol=1e-12)


@pytest.mark.parametrize(("noise", "weight"), [(0.9, 0.5), (0.05, 1.0), (30.0, 0.0)])
def test_a_blend_has_equal_weights_unless_others_are_better_beyond_noise(noise: float, weight: float) -> None:
    rng = np.random.default_rng(2)
    revenue = np.where(rng.random(400) < 0.5, rng.gamma(2, 30, 400), 0.0)
    seen = [(revenue + 5) * np.exp(spread * rng.standard_normal(400)) for spread in (1.0, noise)]
    trials = {name: trial_of(name, one) for name, one in zip(PARTS, seen, strict=True)}
    assert blend_weight(trials, (origin_of(revenue),), seed=0) == weight


def test_the_model_that_knows_more_is_chosen() -> None:
    _, found = learned(shop(customers=900), Auto(members=("last_period", "pareto_nbd")))
    assert found.leaderboard.chosen == "pareto_nbd"
    assert found.leaderboard.rows[1].behind > 2 * found.leaderboard.rows[1].noise > 0
    assert "beyond noise" in found.leaderboard.reason


def test_the_level_is_that_of_the_earlier_windows(known: pd.DataFrame) -> None:
    dear = known.assign(amount=np.where(known["ordered_on"] > "2025-12-01", 3, 1) * known["amount"])
    levels = [learned(orders, Auto(members=("bg_nbd",)))[1].level for orders in (known, dear)]
    assert levels[1].factor > 1.2 * levels[0].factor


def test_members_that_fail_are_named_and_another_is_taken(known: pd.DataFrame) -> None:
    free = known.assign(amount=known["amount"].where(known["ordered_on"] > "2025-12-30", 0.0))
    past, found = learned(free, Auto(members=("bg_nbd", "repeat_rate", "historic_mean")))
    board = found.leaderboard
    failed = [row.name for row in board.rows if row.scores is None]
    assert "bg_nbd" in failed
    assert board.chosen not in failed
    assert any(finding.what.startswith("bg_nbd: ") for finding in found.warnings)
    assert np.isfinite(found.expected_revenue(past.customers, WEEKS)).all()


def test_where_the_members_fail_the_parts_of_a_blend_are_left(known: pd.DataFrame) -> None:
    few = known.assign(customer_id="c" + (known["customer_id"].str[1:].astype(int) % 32).astype(str))
    past, found = learned(few, Auto(members=("blend",)))
    assert found.leaderboard.chosen
    assert np.isfinite(found.expected_revenue(past.customers, WEEKS)).all()


THREE = pd.DataFrame(
    {
        "customer_id": ["a", "b", "a"],
        "ordered_on": pd.to_datetime(["2026-01-01", "2026-01-03", "2026-01-09"]),
        "amount": [5.0, 6.0, 7.0],
    }
)


def test_too_few_orders_leave_the_first_member_and_a_warning() -> None:
    past, found = learned(THREE, Auto(), as_of=None)
    assert (found.leaderboard.chosen, found.leaderboard.rows) == ("bg_nbd", ())
    assert found.level.factor == 1
    assert [finding.code for finding in found.warnings if "too few orders" in finding.what] == ["W404"]
    alone = BgNbd().learn(past, horizon_weeks=WEEKS)
    expected = alone.expected_revenue(past.customers, WEEKS)
    assert found.expected_revenue(past.customers, WEEKS).tolist() == expected.tolist()


def test_a_first_member_that_needs_more_makes_room_for_the_next() -> None:
    _, found = learned(THREE, Auto(members=("boosting", "pareto_nbd")), as_of=None)
    assert found.leaderboard.chosen == "pareto_nbd"
    with pytest.raises(DataError, match="E315"):
        learned(THREE, Auto(members=("boosting",)), as_of=None)


@settings(max_examples=25)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 500), st.sampled_from([0.0, 0.01, 5.0, 1e6])),
        min_size=1,
        max_size=12,
    ),
    model=st.sampled_from([Auto(), Blend()]),
)
def test_one_purchase_of_some_value_is_enough(
    rows: list[tuple[int, int, float]], model: Auto | Blend
) -> None:
    ids, days, amounts = zip(*[*rows, (0, 100, 20.0)], strict=True)
    when = pd.Timestamp("2024-06-01") + pd.to_timedelta(np.array(days), unit="D")
    orders = pd.DataFrame({"customer_id": [f"c{i}" for i in ids], "ordered_on": when, "amount": amounts})
    past, found = learned(orders, model, as_of=None)
    revenue = found.expected_revenue(past.customers, WEEKS)
    active = found.revenue_if_active(past.customers, WEEKS)
    chance = found.p_any_purchase(past.customers, WEEKS)
    assert np.isfinite(revenue).all()
    assert np.isfinite(active).all()
    assert (revenue >= 0).all()
    assert ((chance >= 0) & (chance <= 1)).all()


def test_what_was_chosen_can_be_asked_for_again() -> None:
    assert as_chosen(Auto(seed=4), "boosting") == Auto(members=("boosting",), seed=4)
    assert as_chosen(Auto(), "") == Auto()
    assert as_chosen(BgNbd(), "boosting") == BgNbd()
