"""A forecast as plain data."""

from __future__ import annotations

import numpy as np
import pytest

from allocator.customers.past import OrderLog, Past
from allocator.models.clv.auto import Auto, ChosenForecast
from allocator.models.clv.baselines import HistoricMean
from allocator.models.clv.bg_nbd import BgNbd
from allocator.models.clv.blend import BlendedForecast
from allocator.models.clv.forecast import ClvModel, TimingForecast
from allocator.models.clv.level import Level, Levelled
from allocator.models.clv.linear import Ridge
from allocator.models.clv.record import UNLEARNED, ForecastRecord, PartRecord, timing_of
from allocator.stages.kept import as_text, from_text
from tests.models.clv.made_up_forecasts import Constant, shop


@pytest.fixture(scope="module")
def today() -> Past:
    return OrderLog(shop()).until()


@pytest.fixture(scope="module")
def timing(today: Past) -> TimingForecast:
    return BgNbd().learn(today, horizon_weeks=13)


def test_a_named_model_is_its_parameters(timing: TimingForecast) -> None:
    record = ForecastRecord.of(timing, "bg_nbd")
    assert (record.model, record.level, record.leaderboard) == ("bg_nbd", UNLEARNED, None)
    purchases, spend = record.parts
    assert (purchases.model, spend.model) == ("bg_nbd", "gamma_gamma")
    assert purchases.numbers["r"] == timing.purchases.r  # type: ignore[attr-defined]
    assert set(purchases.errors) == {"r", "alpha", "a", "b"}
    assert {"p", "q", "gamma"} <= set(spend.numbers)


@pytest.mark.parametrize(("name", "model"), [("ridge", Ridge()), ("historic_mean", HistoricMean())])
def test_other_models_go_by_their_names(today: Past, name: str, model: ClvModel) -> None:
    record = ForecastRecord.of(model.learn(today, horizon_weeks=13), name)
    assert [part.model for part in record.parts] == [name]


def test_a_chosen_one_has_its_leaderboard_and_level(today: Past) -> None:
    chosen = Auto(members=("bg_nbd", "repeat_rate")).learn(today, horizon_weeks=13)
    assert isinstance(chosen, ChosenForecast)
    record = ForecastRecord.of(chosen, "auto")
    assert record.model == chosen.leaderboard.chosen
    assert record.level == chosen.level
    assert record.leaderboard == chosen.leaderboard
    assert from_text(ForecastRecord, as_text(ForecastRecord, record)) == record


def test_parts_of_a_blend_have_their_weights(timing: TimingForecast) -> None:
    blend = BlendedForecast((timing, BlendedForecast((timing, timing), (0.5, 0.5))), (0.4, 0.6))
    record = ForecastRecord.of(blend, "blend")
    assert [part.weight for part in record.parts] == pytest.approx([0.4, 0.4, 0.3, 0.3, 0.3, 0.3])


def test_probability_models_are_found_where_there_are_any(timing: TimingForecast) -> None:
    other = Constant(np.ones(3))
    assert timing_of(timing) is timing
    assert timing_of(Levelled(BlendedForecast((other, timing), (0.5, 0.5)), Level())) is timing
    assert timing_of(other) is None
    assert timing_of(BlendedForecast((other,), (1.0,))) is None


def test_errors_that_are_open_are_read_back() -> None:
    part = PartRecord("bg_nbd", 1.0, {"r": 0.1 + 0.2}, {"r": None, "alpha": 1 / 3})
    record = ForecastRecord("bg_nbd", (part,))
    assert from_text(ForecastRecord, as_text(ForecastRecord, record)) == record
