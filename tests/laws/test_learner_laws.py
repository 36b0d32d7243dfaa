"""Laws every learner of effects on single customers obeys; the list of learners is the list of cases."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import allocator.models.uplift as package
from allocator.models.uplift import MODELS
from allocator.models.uplift.base import ContactTest, FloatArray
from allocator.models.uplift.crossfit import cross_fit
from allocator.models.uplift.folds import fold_codes
from allocator.models.uplift.members import CORE, LEARNERS
from allocator.models.uplift.scores import arm_scores

learners = pytest.mark.parametrize("label", LEARNERS)


@cache
def a_test(n: int = 1500, strength: float = 4.0, seed: int = 0) -> ContactTest:
    rng = np.random.default_rng(seed)
    modifiers = np.column_stack([rng.normal(size=(n, 2)), rng.integers(0, 2, n), np.ones(n)])
    arm = rng.integers(0, 3, n)
    effect = np.column_stack([np.zeros(n), 1 + strength * modifiers[:, 0], 2 - strength * modifiers[:, 2]])
    outcome = 5 + modifiers[:, 1] + effect[np.arange(n), arm] + rng.normal(size=n)
    return ContactTest(
        outcome=outcome,
        arm=arm,
        channels=("email", "phone"),
        propensity=np.full((n, 3), 1 / 3),
        modifiers=modifiers,
        names=("a", "b", "flag", "constant"),
        adjusters=rng.normal(size=(n, 1)),
        stratum=np.zeros(n, dtype=np.intp),
    )


def effects(label: str, test: ContactTest, wanted: FloatArray | None = None) -> FloatArray:
    folds = fold_codes(test, n_folds=3, repeats=1, seed=1)
    learned = LEARNERS[label].learn(test, arm_scores(test, folds), 1)
    return learned.effect(test.modifiers if wanted is None else wanted)


def test_every_learner_a_scenario_may_name_is_a_member() -> None:
    named = {name for name, model in MODELS.items() if hasattr(model, "learn") and name != "auto"}
    assert {LEARNERS[label].name for label in LEARNERS} == named | {"tier_means"}  # type: ignore[attr-defined]
    assert set(CORE) <= set(LEARNERS)


def test_every_file_with_a_learner_is_in_the_table_of_contents() -> None:
    folder = Path(str(package.__file__)).parent
    files = {path.stem for path in folder.glob("*.py") if "    name: Literal[" in path.read_text("utf-8")}
    modules = {type(one).__module__.rpartition(".")[2] for one in LEARNERS.values()}
    assert files - {"auto", "adjusted_means"} == modules


def test_members_stand_in_order_of_their_freedom() -> None:
    order = [one.complexity for one in LEARNERS.values()]
    assert order == sorted(order)
    assert len(set(order)) == len(order)


@learners
def test_what_everyone_gets_anyway_is_no_effect(label: str) -> None:
    test = a_test()
    more = replace(test, outcome=test.outcome + 100.0)
    np.testing.assert_allclose(effects(label, more), effects(label, test), atol=0.05)


@learners
def test_another_currency_changes_the_unit_only(label: str) -> None:
    test = a_test()
    dear = replace(test, outcome=8.0 * test.outcome)
    np.testing.assert_allclose(effects(label, dear), 8.0 * effects(label, test), rtol=1e-6, atol=1e-6)


@learners
def test_channels_in_another_order_are_the_same(label: str) -> None:
    test = a_test()
    turned = np.array([0, 2, 1])
    other = replace(
        test, arm=turned[test.arm], channels=test.channels[::-1], propensity=test.propensity[:, turned]
    )
    spread = effects(label, test).std() + 0.2
    # folds are drawn anew, so effects agree up to that luck
    assert np.abs(effects(label, other)[:, ::-1] - effects(label, test)).mean() < 0.35 * spread


@learners
def test_strangers_get_finite_effects(label: str) -> None:
    strangers = np.array([[0.0, 0.0, 1.0, 1.0], [50.0, -50.0, 0.0, 1.0]])
    found = effects(label, a_test(), strangers)
    assert found.shape == (2, 2)
    assert np.isfinite(found).all()
    assert effects(label, a_test(), strangers[:0]).shape == (0, 2)


@learners
def test_the_same_test_gives_the_same_bits(label: str) -> None:
    assert effects(label, a_test()).tobytes() == effects(label, a_test()).tobytes()


@learners
def test_where_all_are_alike_a_larger_test_tells_them_apart_less(label: str) -> None:
    small, large = (effects(label, a_test(n, strength=0.0)).std(axis=0).mean() for n in (600, 6000))
    assert large < max(0.85 * small, 0.1)  # noise of an outcome is 1


@pytest.mark.parametrize("label", [label for label in LEARNERS if label != "tier_means"])
def test_strong_differences_are_found_in_customers_not_seen(label: str) -> None:
    test = a_test()
    folds = fold_codes(test, n_folds=3, repeats=1, seed=1)
    fitted = cross_fit(LEARNERS[label], test, arm_scores(test, folds), folds, seed=1)
    assert np.corrcoef(fitted.out_of_fold[:, 0], test.modifiers[:, 0])[0, 1] > 0.6
    assert np.corrcoef(fitted.out_of_fold[:, 1], test.modifiers[:, 2])[0, 1] < -0.6


@learners
def test_yes_and_no_are_outcomes_too(label: str) -> None:
    test = a_test()
    bought = replace(test, outcome=(test.outcome > 6).astype(float))
    found = effects(label, bought)
    assert np.isfinite(found).all()
    assert np.abs(found).mean() < 1.0
