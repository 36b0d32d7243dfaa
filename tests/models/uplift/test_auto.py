from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from pydantic import ValidationError

from allocator.models.uplift.auto import Auto, LearnedUplift, learn_with
from allocator.models.uplift.base import ContactTest
from allocator.models.uplift.members import LEARNERS
from allocator.models.uplift.policy import contact_best, policy_value

QUICK = Auto(candidates=("tier_means", "dr_linear"), repeats=1)


def a_test(seed: int, difference: float, n: int = 3000) -> tuple[ContactTest, np.ndarray]:
    """Two channels: what the first does depends on whether a customer is known, the second is all alike."""
    rng = np.random.default_rng(seed)
    known, x = (rng.random(n) < 0.5).astype(float), rng.normal(size=(n, 2))
    effect = np.column_stack([0.5 + difference * (known - 0.5), np.full(n, 0.4)])
    arm = rng.integers(0, 3, n)
    got = np.column_stack([np.zeros(n), effect])[np.arange(n), arm]
    test = ContactTest(
        outcome=x[:, 0] + got + rng.normal(size=n),
        arm=arm,
        channels=("email", "phone"),
        propensity=np.full((n, 3), 1 / 3),
        modifiers=np.column_stack([known, x]),
        names=("known", "a", "b"),
        adjusters=np.empty((n, 0)),
        stratum=rng.integers(0, 2, n),
    )
    return test, effect


def test_where_customers_do_not_differ_mostly_nobody_is_told_apart() -> None:
    chosen = Counter(QUICK.learn(a_test(seed, 0.0)[0], seed).model for seed in range(10))
    assert chosen["tier_means"] >= 6


def test_where_customers_differ_clearly_they_are_told_apart() -> None:
    for seed in range(5):
        test, effect = a_test(seed, 1.0)
        learned = QUICK.learn(test, seed)
        assert learned.model != "tier_means"
        assert learned.calibration.kept[0] == pytest.approx(1.0, abs=0.25)
        shrunk = learned.calibration.shrunk(learned.fitted.out_of_fold, test.stratum)
        assert np.corrcoef(shrunk[:, 0], effect[:, 0])[0, 1] > 0.9


def told(learned: LearnedUplift) -> list[str]:
    assert {finding.code for finding in learned.findings} <= {"W418"}
    return [finding.what for finding in learned.findings]


def test_the_channel_that_cannot_be_targeted_is_named() -> None:
    (what,) = told(QUICK.learn(a_test(2, 1.5)[0]))
    assert what.startswith("targeting by phone is not distinguishable from random")
    assert "Qini area of" in what
    assert "standard error of" in what


def test_the_means_of_the_tiers_are_always_on_the_board() -> None:
    learned = Auto(candidates=("dr_linear",), repeats=1).learn(a_test(3, 1.0)[0])
    assert {row.label for row in learned.board.rows} == {"tier_means", "dr_linear"}


def test_a_named_learner_is_kept_also_where_it_finds_nothing() -> None:
    test, _ = a_test(4, 0.0)
    learned = learn_with(LEARNERS["dr_linear"], test, repeats=1)
    assert (learned.model, learned.board.chosen) == ("dr_linear", "dr_linear")
    assert {row.label for row in learned.board.rows} == {"tier_means", "dr_linear"}
    alone = learn_with(LEARNERS["tier_means"], test, repeats=1)
    assert not alone.calibration.kept.any()
    assert len(told(alone)) == 2


def test_scores_value_policies_honestly() -> None:
    test, effect = a_test(5, 1.0)
    learned = QUICK.learn(test)
    best = contact_best(learned.fitted.out_of_fold, 0.5)
    nobody = np.tile([1.0, 0.0, 0.0], (len(test), 1))
    found = policy_value(learned.scores, best - nobody)
    assert abs(found.value - (best[:, 1:] * effect).sum() / len(test)) < 3 * found.standard_error
    np.testing.assert_allclose(learned.gains, learned.scores[:, 1:] - learned.scores[:, [0]])


def test_the_same_seed_gives_the_same_bits() -> None:
    test, _ = a_test(6, 0.5)
    first, second = QUICK.learn(test, 7), QUICK.learn(test, 7)
    np.testing.assert_array_equal(first.fitted.out_of_fold, second.fitted.out_of_fold)
    assert first.board == second.board


def test_a_learner_nobody_knows_is_refused_with_the_closest() -> None:
    with pytest.raises(ValidationError, match="there is no learner 'dr_liner'"):
        Auto(candidates=("dr_liner",))
    with pytest.raises(ValidationError, match="no learner is named"):
        Auto(candidates=())
