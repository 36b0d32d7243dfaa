from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from allocator.models.uplift.adjusted_means import AdjustedMeans, Effects
from allocator.models.uplift.covariates import FloatArray
from allocator.models.uplift.shrinkage import Shrinkage, shrink

Z80 = 1.2815515655446004


def effects_of(estimate: FloatArray, covariance: FloatArray, channels: int = 1) -> Effects:
    """Rows tier by tier."""
    k = len(estimate)
    count = np.full(k, 1000)
    tiers = tuple(f"t{row // channels}" for row in range(k))
    names = tuple(f"c{row % channels}" for row in range(k))
    return Effects(tiers, names, count, count, estimate, estimate, covariance)


@dataclass(frozen=True)
class World:
    """Effects drawn around channel means drawn around 0; channels of a tier share a control arm."""

    tiers: int
    channels: int
    mean_spread: float
    tier_spread: float
    error: float = 1.0

    def covariance(self) -> FloatArray:
        shared = 0.5 * (np.eye(self.channels) + np.ones((self.channels, self.channels)))
        return np.asarray(np.kron(np.eye(self.tiers), self.error**2 * shared))

    def draw(self, rng: np.random.Generator) -> tuple[FloatArray, Effects]:
        means = rng.normal(0, self.mean_spread, self.channels)
        truth = (means + rng.normal(0, self.tier_spread, (self.tiers, self.channels))).ravel()
        covariance = self.covariance()
        noise = np.linalg.cholesky(covariance) @ rng.standard_normal(len(truth))
        return truth, effects_of(truth + noise, covariance, self.channels)


WORLDS = [
    World(3, 3, 2, 0),
    World(3, 3, 0, 2),
    World(3, 3, 1, 1),
    World(3, 3, 1, 0.3),
    World(6, 3, 1, 1),
    World(1, 3, 1, 0),
]
REPEATS = 100


@pytest.mark.parametrize("world", WORLDS, ids=repr)
def test_shrinking_lessens_the_error_and_keeps_the_intervals_honest(world: World) -> None:
    rng = np.random.default_rng(1)
    raw, shrunk, covered = [], [], []
    for _ in range(REPEATS):
        truth, effects = world.draw(rng)
        found = shrink(effects)
        raw.append((effects.estimate - truth) ** 2)
        shrunk.append((found.mean - truth) ** 2)
        covered.append(np.abs(found.mean - truth) <= Z80 * found.standard_error)
    assert np.mean(shrunk) < 0.96 * np.mean(raw)
    assert 0.71 <= np.mean(covered) <= 0.93


def test_intervals_cover_four_in_five_over_all_worlds() -> None:
    rng = np.random.default_rng(2)
    covered = []
    for world in WORLDS:
        for _ in range(40):
            truth, effects = world.draw(rng)
            found = shrink(effects)
            covered.append(np.mean(np.abs(found.mean - truth) <= Z80 * found.standard_error))
    assert 0.74 <= np.mean(covered) <= 0.86


def chosen(effect: FloatArray, truth: FloatArray, world: World, cost: float) -> tuple[float, float]:
    """What a plan that gives every tier its best channel, if it pays, promises and what comes of it."""
    promised, true = (x.reshape(world.tiers, world.channels) for x in (effect, truth))
    best = promised.argmax(axis=1)
    rows = np.arange(world.tiers)
    pays = promised[rows, best] > cost
    return float((promised[rows, best] * pays).sum()), float((true[rows, best] * pays).sum())


@pytest.mark.parametrize("world", [World(3, 3, 2, 0), World(3, 3, 1, 1), World(6, 3, 1, 1)], ids=repr)
def test_a_plan_on_shrunk_effects_keeps_its_promise(world: World) -> None:
    rng = np.random.default_rng(3)
    sums = {"raw": np.zeros(2), "shrunk": np.zeros(2)}
    for _ in range(200):
        truth, effects = world.draw(rng)
        sums["raw"] += chosen(effects.estimate, truth, world, 0.5)
        sums["shrunk"] += chosen(shrink(effects).mean, truth, world, 0.5)
    raw, shrunk = (promised / realised for promised, realised in sums.values())
    assert raw > 1.15
    assert 0.9 <= shrunk <= 1.1
    assert sums["shrunk"][1] > 0.93 * sums["raw"][1]


def test_without_any_effect_little_is_left() -> None:
    rng = np.random.default_rng(4)
    world = World(3, 3, 0, 0)
    left, noise = [], []
    for _ in range(100):
        _, effects = world.draw(rng)
        found = shrink(effects)
        left.append(np.mean(found.mean**2))
        noise.append(found.is_noise)
    assert np.sqrt(np.mean(left)) < 0.5 * world.error
    assert np.mean(noise) > 0.9


def test_a_test_of_a_contact_that_does_nothing_is_called_noise() -> None:
    rng = np.random.default_rng(5)
    n = 6000
    outcome = rng.lognormal(0, 1, n)
    arm = rng.choice(["control", "email", "phone"], n)
    raw = AdjustedMeans().estimate(outcome, arm, rng.choice(["high", "low"], n))
    found = shrink(raw)
    assert all(found.is_noise)
    assert np.linalg.norm(found.mean) < 0.6 * np.linalg.norm(raw.estimate)
    assert [one.code for one in found.findings] == ["W403", "W403"]
    assert found.findings[0].what.startswith("the effect of email cannot be told from nothing in high (")


def test_a_clear_effect_stays_and_is_no_noise() -> None:
    found = shrink(effects_of(np.array([50.0, 52.0, 49.0]), np.eye(3)))
    assert found.mean == pytest.approx([50, 52, 49], abs=1.2)
    assert not any(found.is_noise)
    assert found.findings == ()
    assert found.mean_factor["c0"] > 0.98


def test_tiers_that_differ_clearly_keep_their_differences() -> None:
    found = shrink(effects_of(np.array([0.0, 20.0, 40.0]), 0.25 * np.eye(3)))
    assert found.mean == pytest.approx([0, 20, 40], abs=0.2)
    assert found.factor["c0"] > 0.98
    assert found.tau["c0"] > 10


def test_an_uncertain_tier_leans_on_the_others() -> None:
    found = shrink(effects_of(np.array([5.0, 5.2, 4.9, 9.0]), np.diag([0.01, 0.01, 0.01, 16.0])))
    assert found.mean[3] == pytest.approx(5, abs=1)
    assert found.standard_error[3] < 2


def test_a_wider_interval_calls_more_noise() -> None:
    effects = effects_of(np.array([3.0, 3.1]), np.eye(2))
    assert not any(shrink(effects).is_noise)
    assert all(shrink(effects, Shrinkage(level="99.9%")).is_noise)


def test_one_tier_has_no_deviation_to_keep() -> None:
    found = shrink(effects_of(np.array([3.0]), np.eye(1)))
    assert (found.factor["c0"], found.tau["c0"]) == (0, 0)
    assert 1 < found.mean[0] < 3


@pytest.mark.parametrize("known", [[2.0, 3.0], [0.0, 0.0], [4.0]])
def test_effects_known_exactly_stay(known: list[float]) -> None:
    found = shrink(effects_of(np.array(known), np.zeros((len(known), len(known)))))
    assert found.mean == pytest.approx(known, rel=1e-4)
    assert found.standard_error == pytest.approx(np.zeros(len(known)), abs=1e-4)
    assert found.is_noise == tuple(one == 0 for one in known)


TIERS, CHANNELS = ("high", "medium", "low"), ("letter", "email", "phone")
SPREAD = np.array([26.9, 10.3, 2.75])  # of what a tier's customers spend without a contact
CUSTOMERS = np.array([374, 613, 920])  # of an arm
PROPORTIONAL = {
    "as in the shipped sample": [[0.245, 0.089, 0.444], [0.300, 0.099, 0.106], [0.306, 0.044, 0.061]],
    "the same in every tier": [[0.25, 0.08, 0.15]] * 3,
    "only the letter works": [[0.25, 0.0, 0.0]] * 3,
    "weaker in the lower tiers": [[0.4, 0.2, 0.5], [0.25, 0.1, 0.3], [0.1, 0.05, 0.1]],
}

OFF_THE_PRIOR = {"weaker in the lower tiers"}  # every effect clear and none in proportion: a little is lost


def redraws(share: list[list[float]], n: int, seed: int) -> tuple[FloatArray, list[Effects]]:
    """Tests of the same true effects, in shares of the tiers' spreads, that differ by luck alone."""
    rng = np.random.default_rng(seed)
    scale = np.asarray(np.repeat(SPREAD, 3), dtype=np.float64)
    truth = scale * np.array(share).ravel()
    block = np.eye(3) + np.ones((3, 3))
    covariance: FloatArray = np.asarray(np.kron(np.diag(SPREAD**2 / CUSTOMERS), block), dtype=np.float64)
    root = np.linalg.cholesky(covariance)
    tiers, count = tuple(tier for tier in TIERS for _ in CHANNELS), np.repeat(CUSTOMERS, 3)

    def one() -> Effects:
        estimate = truth + root @ rng.standard_normal(9)
        return Effects(tiers, CHANNELS * 3, count, count, estimate, estimate, covariance, scale=scale)

    return truth, [one() for _ in range(n)]


@pytest.mark.parametrize("world", PROPORTIONAL)
def test_tiers_of_other_worth_keep_honest_intervals_and_lose_error(world: str) -> None:
    """Shrinking in absolute money pulled valuable tiers to the worthless: more error than without."""
    truth, drawn = redraws(PROPORTIONAL[world], 200, 6)
    found = [shrink(one) for one in drawn]
    squares = np.array(
        [(one.mean - truth) / raw.standard_error for one, raw in zip(found, drawn, strict=True)]
    )
    raw_squares = np.array([(raw.estimate - truth) / raw.standard_error for raw in drawn])
    covered = np.array([np.abs(one.mean - truth) <= Z80 * one.standard_error for one in found])
    error = covered.mean(axis=1).std() / np.sqrt(len(found))
    assert 0.74 - 2 * error <= covered.mean() <= 0.86 + 2 * error
    assert error < 0.02
    most = 1.15 if world in OFF_THE_PRIOR else 1.0
    assert np.mean(squares**2) <= most * np.mean(raw_squares**2)


@pytest.mark.parametrize("world", ["as in the shipped sample", "the same in every tier"])
def test_the_promise_is_kept_where_tiers_differ_in_worth(world: str) -> None:
    truth, drawn = redraws(PROPORTIONAL[world], 200, 7)
    cost, people = np.array([1.8, 0.2, 6.5]), np.array([2.0, 3.0, 5.0])
    sums = np.zeros(2)
    for effects in drawn:
        promised, true = (x.reshape(3, 3) for x in (shrink(effects).mean, truth))
        rows, best = np.arange(3), (promised - cost).argmax(axis=1)
        weight = people * (promised[rows, best] > cost[best])
        sums += (weight @ promised[rows, best], weight @ true[rows, best])
    assert 0.9 <= sums[0] / sums[1] <= 1.1


def test_without_any_effect_little_is_left_of_tiers_of_other_worth() -> None:
    _, drawn = redraws([[0.0] * 3] * 3, 100, 8)
    left = [np.mean((shrink(one).mean / one.standard_error) ** 2) for one in drawn]
    assert np.mean(left) < 0.25


def test_one_clear_effect_out_of_line_is_hardly_pulled() -> None:
    found = shrink(effects_of(np.array([1.0, 0.5, 30.0, 0.8, 1.1, 0.9]), np.eye(6), 3))
    assert found.mean[2] == pytest.approx(30, abs=0.5)
    assert np.all(np.abs(found.mean[[0, 1, 3, 4, 5]]) < 1)
