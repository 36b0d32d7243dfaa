"""Search for hyperparameters: what is tried, on which rows, and what is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allocator.customers.past import OrderLog, Outcome
from allocator.errors import DataError
from allocator.models.clv.boosting import Boosting
from allocator.models.clv.linear import Ridge
from allocator.models.clv.search import Plan, best, trials
from allocator.models.clv.training import rolling_origins
from tests.models.clv.simulated_orders import simulated_orders

PAST = OrderLog(simulated_orders(300)).until()
ORIGINS = rolling_origins(PAST, horizon_weeks=20)


@dataclass
class Recorder:
    """Options that forecast a column times a sign, and remember the rows they were fitted to."""

    sign: float = 1.0
    seen: list[pd.DataFrame] = field(default_factory=list)

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Recorder:
        return Recorder(**{"sign": self.sign, "seen": self.seen, **(update or {})})

    def fit(self, table: pd.DataFrame, outcome: Outcome) -> Recorder:
        self.seen.append(table)
        return self

    def predict(self, table: pd.DataFrame) -> np.ndarray:
        return self.sign * table["value_per_week"].fillna(0).to_numpy()


def test_no_later_origin_is_learned_from() -> None:
    recorder = Recorder()
    trials(recorder, [{}], ORIGINS)
    assert [len(table) for table in recorder.seen] == [
        len(ORIGINS[0]),
        len(ORIGINS[0]) + len(ORIGINS[1]),
    ]
    money = [table["total_value"].sum() for table in recorder.seen]
    first, second = (origin.table["total_value"].sum() for origin in ORIGINS[:2])
    assert money == pytest.approx([first, first + second])


def test_the_choice_of_least_error_wins() -> None:
    plan = Plan({"sign": (-1.0, 0.0, 1.0)}, "grid")
    assert best(Recorder(), plan, PAST, horizon_weeks=20).sign == 1.0


def test_the_first_of_equals_wins() -> None:
    plan = Plan({"sign": (2.0, 1.0, 3.0)}, "grid")
    assert best(Recorder(), plan, PAST, horizon_weeks=20).sign == 2.0


def test_errors_are_of_ranks() -> None:
    right, none, wrong = trials(Recorder(), [{"sign": 1.0}, {"sign": 0.0}, {"sign": -1.0}], ORIGINS)
    assert none.error == pytest.approx(1.0)
    assert right.error < none.error < wrong.error


def test_one_origin_is_too_few() -> None:
    with pytest.raises(DataError, match="two days"):
        trials(Recorder(), [{}], ORIGINS[:1])


def test_a_random_search_tries_different_choices_of_the_grid() -> None:
    grid = {"a": (1, 2, 3), "b": (4, 5, 6)}
    drawn = Plan(grid, "random", rounds=4, seed=1).choices()
    assert drawn == Plan(grid, "random", rounds=4, seed=1).choices()
    assert drawn != Plan(grid, "random", rounds=4, seed=2).choices()
    assert len({tuple(choice.values()) for choice in drawn}) == 4
    assert all(choice in Plan(grid, "grid").choices() for choice in drawn)


def test_a_search_for_more_than_the_grid_has_tries_all() -> None:
    assert len(Plan({"a": (1, 2)}, "random", rounds=9).choices()) == 2


@pytest.mark.parametrize("how", ["grid", "random"])
def test_a_member_learns_with_what_was_found(how: str) -> None:
    ridge = Ridge(search=how, rounds=3, penalty=1e9)
    one, other = (ridge.learn(PAST, horizon_weeks=20) for _ in range(2))
    forecasts = [forecast.expected_revenue(PAST.customers, 20) for forecast in (one, other)]
    assert forecasts[0].tolist() == forecasts[1].tolist()
    unsearched = Ridge(penalty=1e9).learn(PAST, horizon_weeks=20).expected_revenue(PAST.customers, 20)
    assert forecasts[0].std() > 2 * unsearched.std()


def test_the_default_is_the_first_of_every_grid() -> None:
    for options in (Boosting(), Ridge()):
        assert all(getattr(options, name) == values[0] for name, values in options.grid.items())
