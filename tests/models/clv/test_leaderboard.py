"""The leaderboard: who is first, by how much, and whether that may be luck."""

from __future__ import annotations

import numpy as np
import pytest

from allocator.models import scoring
from allocator.models.clv.leaderboard import Leaderboard, concentration, rank, resampled_ginis
from allocator.models.clv.origins import Origin, Trial
from allocator.stages.kept import as_text, from_text
from tests.models.clv.made_up_forecasts import origin_of, trial_of


def money(n: int, rng: np.random.Generator) -> np.ndarray:
    return np.where(rng.random(n) < 0.4, rng.gamma(2, 30, n), 0.0)


def noisy(actual: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    return np.maximum(actual, 1) * np.exp(noise * rng.standard_normal(len(actual)))


@pytest.fixture(scope="module")
def origins() -> tuple[Origin, Origin]:
    rng = np.random.default_rng(8)
    return origin_of(money(300, rng)), origin_of(money(260, rng), first=40)


def trials_of(origins: tuple[Origin, ...], noise: dict[str, float], seed: int = 1) -> dict[str, Trial]:
    rng = np.random.default_rng(seed)
    return {
        name: trial_of(name, *(noisy(one.came.revenue, amount, rng) for one in origins))
        for name, amount in noise.items()
    }


def test_a_concentration_is_that_of_rows_written_as_often_as_they_count() -> None:
    rng = np.random.default_rng(3)
    actual = rng.gamma(1, 10, 60)
    order = rng.integers(0, 9, 60).astype(float)  # many are equal
    weights = rng.poisson(1.0, (5, 60)).astype(float)
    found = concentration(actual, order, weights)
    perfect = concentration(actual, actual, weights)
    for draw in range(5):
        times = weights[draw].astype(int)
        rows, forecast = np.repeat(actual, times), np.repeat(order, times)
        ranked = scoring.ranks(forecast) - (len(rows) + 1) / 2
        assert found[draw] == pytest.approx(float(rows @ ranked), rel=1e-9)
        assert found[draw] / perfect[draw] == pytest.approx(scoring.normalised_gini(rows, forecast), rel=1e-9)


def test_all_draws_are_paired_over_models_and_origins(origins: tuple[Origin, Origin]) -> None:
    trial = trials_of(origins, {"one": 1.0})["one"]
    found = resampled_ginis({"one": trial.predicted, "same": trial.predicted}, origins, seed=4)
    assert found["one"].tolist() == found["same"].tolist()
    assert found["one"].std() > 0
    plain = np.mean(
        [
            scoring.normalised_gini(origin.came.revenue, made.revenue)
            for origin, made in zip(origins, trial.predicted, strict=True)
        ]
    )
    assert found["one"].mean() == pytest.approx(plain, abs=0.02)


def test_few_buyers_leave_a_noise_that_is_a_number() -> None:
    revenue = np.zeros(40)
    revenue[7] = 50.0
    origins = (origin_of(revenue),)
    rising = np.arange(40.0) + 1
    trials = {"up": trial_of("up", rising), "blend": trial_of("blend", rising[::-1])}
    board = rank(trials, origins, prefer="blend")
    assert all(np.isfinite([row.noise for row in board.rows]))


def test_rows_come_best_first_and_failures_last(origins: tuple[Origin, Origin]) -> None:
    trials = {
        "lost": Trial("lost", (), "it broke"),
        **trials_of(origins, {"bad": 4.0, "good": 0.1, "fair": 1.0}),
    }
    board = rank(trials, origins, prefer="blend")
    assert [row.name for row in board.rows] == ["good", "fair", "bad", "lost"]
    assert (board.chosen, board.customers, board.weeks) == ("good", 300, 13.0)
    assert "beyond noise" in board.reason
    good, fair, bad, lost = board.rows
    assert good.behind == good.noise == 0
    assert 0 < fair.behind < bad.behind
    assert good.scores is not None
    assert bad.scores is not None
    assert bad.behind == pytest.approx(good.scores.normalised_gini - bad.scores.normalised_gini, rel=1e-12)
    assert lost.scores is None
    assert lost.note == "it broke"


def test_the_best_of_two_that_cannot_be_told_apart_is_not_called_sure(origins: tuple[Origin, Origin]) -> None:
    trials = trials_of(origins, {"one": 1.0, "two": 1.0})
    board = rank(trials, origins, prefer="blend")
    assert board.rows[1].is_level
    assert board.chosen == board.rows[0].name
    assert "beyond noise" not in board.reason


def test_noise_is_how_far_luck_carries(origins: tuple[Origin, Origin]) -> None:
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        one = origin_of(money(200, rng))
        trials = trials_of((one,), {"left": 1.0, "right": 1.0}, seed=seed)
        rows = {row.name: row for row in rank(trials, (one,), prefer="left", seed=seed).rows}
        noise = max(row.noise for row in rows.values())
        found.append((rows["left"].behind - rows["right"].behind) / noise)
    assert 0.7 < np.std(found) < 1.3


@pytest.mark.parametrize(("noise", "chosen"), [(1.02, "blend"), (3.0, "one")])
def test_the_preferred_model_is_taken_only_where_no_other_is_better(
    origins: tuple[Origin, Origin], noise: float, chosen: str
) -> None:
    board = rank(trials_of(origins, {"one": 1.0, "blend": noise}, seed=5), origins, prefer="blend")
    assert board.rows[0].name == "one"
    assert board.chosen == chosen
    assert ("within noise" in board.reason) == (chosen == "blend")
    assert board.rows[1].is_level == (chosen == "blend")


def test_equal_models_keep_their_places(origins: tuple[Origin, Origin]) -> None:
    trial = trials_of(origins, {"a": 1.0})["a"]
    same = {name: Trial(name, trial.predicted) for name in ("z", "a", "m")}
    board = rank(same, origins, prefer="blend")
    assert [row.name for row in board.rows] == ["z", "a", "m"]
    assert board.chosen == "z"
    assert [row.behind for row in board.rows] == [0, 0, 0]


def test_a_single_model_needs_no_proof(origins: tuple[Origin, Origin]) -> None:
    board = rank(trials_of(origins, {"one": 2.0}), origins, prefer="blend")
    assert board.reason == "the only model that could learn from these orders"


def test_it_is_read_back_as_it_was_written(origins: tuple[Origin, Origin]) -> None:
    trials = {"lost": Trial("lost", (), "it broke"), **trials_of(origins, {"good": 0.1, "fair": 1.0})}
    board = rank(trials, origins, prefer="blend")
    assert from_text(Leaderboard, as_text(Leaderboard, board)) == board
    with pytest.raises(ValueError, match="rows"):
        from_text(Leaderboard, '{"rows": 3}')
