"""Effects on single customers: the tier's mean and what is kept of the learner's differences."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from allocator.models.uplift.auto import learn_with
from allocator.models.uplift.base import ContactTest
from allocator.models.uplift.dr import DR
from allocator.models.uplift.shrinkage import ShrunkEffects
from allocator.models.uplift.tailored import Tailored

TIERS, CHANNELS = ("high", "low"), ("email", "mail")
EFFECTS = ShrunkEffects(  # rows in another order than codes
    tier=("low", "high", "high", "low"),
    channel=("mail", "mail", "email", "email"),
    mean=np.array([4.0, 3.0, 1.0, 2.0]),
    covariance=np.eye(4),
    factor={},
    mean_factor={},
    tau={},
    is_noise=(False,) * 4,
)


@cache
def contacts(slope: float = 1.0) -> ContactTest:
    rng = np.random.default_rng(5)
    n = 3000
    x, arm = rng.normal(size=(n, 1)), rng.integers(0, 3, n)
    gain = np.where(arm == 1, slope * x[:, 0], np.where(arm == 2, -slope * x[:, 0], 0.0))
    return ContactTest(
        outcome=gain + rng.normal(size=n),
        arm=arm,
        channels=CHANNELS,
        propensity=np.full((n, 3), 1 / 3),
        modifiers=x,
        names=("x",),
        adjusters=np.zeros((n, 0)),
        stratum=rng.integers(0, 2, n),
        cluster=None,
    )


@cache
def tailored(slope: float = 1.0) -> Tailored:
    return Tailored(EFFECTS, TIERS, CHANNELS, learn_with(DR(), contacts(slope)))


def test_without_a_learner_everybody_has_the_mean_of_his_tier() -> None:
    flat = Tailored(EFFECTS, TIERS, CHANNELS)
    tier = np.array([1, 0, 1])
    apart = flat.deviations(np.zeros((3, 1)), tier)
    assert not flat.tells_apart
    assert flat.effect(apart, tier).tolist() == [[2.0, 4.0], [1.0, 3.0], [2.0, 4.0]]


def test_differences_that_come_true_are_kept_around_the_mean_of_the_tier() -> None:
    one = tailored()
    x = np.array([[1.0], [-1.0]])
    effect = one.effect(one.deviations(x, np.array([0, 0])), np.array([0, 0]))
    assert (one.kept > 0.8).all()
    assert effect[0] - effect[1] == pytest.approx([2.0, -2.0], abs=0.3)
    assert effect.mean(axis=0) == pytest.approx([1.0, 3.0], abs=0.15)


def test_deviations_of_the_test_average_to_nothing_in_every_tier() -> None:
    test, one = contacts(), tailored()
    apart = one.deviations(test.modifiers, test.stratum, np.arange(len(test)))
    for tier in (0, 1):
        assert apart[test.stratum == tier].mean(axis=0) == pytest.approx([0.0, 0.0], abs=1e-9)


def test_customers_of_the_test_are_judged_by_functions_that_have_not_seen_them() -> None:
    test, one = contacts(), tailored()
    assert one.learned is not None
    at, tier = test.modifiers[:50], test.stratum[:50]
    own = one.deviations(at, tier, np.arange(50))
    strangers = one.deviations(at, tier, np.full(50, -1))
    out_of_fold = one.learned.fitted.out_of_fold[:50] - one.learned.calibration.centre[tier]
    assert own == pytest.approx(out_of_fold)
    assert strangers.tolist() == one.deviations(at, tier).tolist()
    assert np.abs(own - strangers).max() > 1e-4


def test_an_outcome_hardly_reaches_what_is_said_of_its_own_customer() -> None:
    """Functions have not seen it; only the outcome models behind the scores of others have."""
    test = contacts()
    moved = test.outcome.copy()
    moved[7] += 1000.0
    one = learn_with(DR(), test)
    other = learn_with(DR(), replace(test, outcome=moved))
    row = np.array([7])
    first, second = (learned.fitted.effect(test.modifiers[row], row) for learned in (one, other))
    stranger, shifted = (learned.fitted.effect(test.modifiers[row]) for learned in (one, other))
    assert np.abs(first - second).max() < 0.2 * np.abs(stranger - shifted).max()


def test_of_pure_noise_little_is_kept() -> None:
    assert (tailored(0.0).kept < 0.5).all()
