from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from allocator.models.uplift.base import CrossFitted
from allocator.models.uplift.board import Board, Judge, compare, fix

COMPLEXITY = {"tier_means": 0, "simple": 1, "rich": 5}


def judged(seed: int, strength: dict[str, float], n: int = 6000, steady: str = "") -> tuple[Judge, Board]:
    """Two channels; every learner sees the true differences, mixed with noise of its own."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(n, 2)) * 0.1
    gains = true + rng.normal(size=(n, 2))
    folds = np.array([rng.permutation(n) % 5, rng.permutation(n) % 5])
    judge = Judge(gains, ("email", "phone"), np.zeros(n, dtype=np.intp), folds)
    effects = {
        name: share * true + (1 - share) * 0.1 * rng.normal(size=(n, 2)) for name, share in strength.items()
    }
    every = {"tier_means": np.full((n, 2), 0.3), **effects}
    fitted = {name: CrossFitted(folds, (), np.stack([one, one])) for name, one in every.items()}
    return judge, compare(judge, fitted, COMPLEXITY, steady)


def test_the_learner_that_knows_more_is_taken() -> None:
    _, board = judged(1, {"simple": 0.1, "rich": 1.0})
    assert board.chosen == "rich"
    best = board.rows[0]
    assert (best.label, best.behind, best.noise) == ("rich", 0.0, 0.0)
    assert best.loss < 0
    assert board.row("tier_means").behind == pytest.approx(-best.loss)


def test_the_means_of_the_tiers_lose_nothing_on_themselves() -> None:
    judge, board = judged(2, {"rich": 1.0})
    flat = board.row("tier_means")
    assert flat.loss == 0.0
    assert not judge.losses(np.full((6000, 2), 0.3)).any()
    assert [(one.slope, one.slope_error, one.qini, one.kept) for one in flat.channels] == [
        (None, None, 0.0, 0.0)
    ] * 2


def test_of_two_that_are_level_the_simpler_one_is_taken() -> None:
    boards = [judged(seed, {"simple": 0.8, "rich": 0.8})[1] for seed in range(12)]
    for board in boards:
        assert board.chosen == ("simple" if board.row("simple").is_level else "rich")
    # it happens also where the other is ahead by luck
    assert any(board.chosen == "simple" and board.rows[0].label == "rich" for board in boards)


def test_the_mean_of_several_is_taken_unless_another_is_clearly_better() -> None:
    strength = {"simple": 0.6, "rich": 0.72}
    alone = [judged(seed, strength)[1].chosen for seed in range(12)]
    steady = [judged(seed, strength, steady="simple")[1].chosen for seed in range(12)]
    assert steady.count("simple") > alone.count("simple")
    clear = judged(1, {"simple": 0.1, "rich": 1.0}, steady="simple")[1]
    assert clear.chosen == "rich"


def test_the_loss_is_of_the_effects_as_they_are_used() -> None:
    """A learner that exaggerates ten times is shrunk and does no worse than one that does not."""
    judge, _ = judged(4, {"rich": 1.0})
    rng = np.random.default_rng(0)
    effects = judge.gains * 0.1 + 0.5 * rng.normal(size=judge.gains.shape)
    assert judge.losses(10 * effects).mean() == pytest.approx(judge.losses(effects).mean(), rel=0.05)


def test_a_named_learner_is_used_whatever_the_board_says() -> None:
    _, board = judged(5, {"simple": 0.1, "rich": 1.0})
    fixed = fix(board, "simple")
    assert (fixed.chosen, fixed.rows) == ("simple", board.rows)


def test_a_board_is_plain_data() -> None:
    _, board = judged(6, {"simple": 0.5, "rich": 1.0})
    read = json.loads(json.dumps(asdict(board), allow_nan=False))
    assert read["chosen"] == board.chosen
    assert read["rows"][0]["channels"][1]["channel"] == "phone"
    with pytest.raises(KeyError):
        board.row("unheard of")
