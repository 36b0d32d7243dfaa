"""One split of one modifier."""

import re

import numpy as np
import pytest

from allocator.models.uplift.base import ContactTest
from allocator.models.uplift.rule import Rule


def planted(n=4000, seed=0):
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=n), rng.integers(0, 2, n), np.ones(n)])
    arm = rng.integers(0, 3, n)
    test = ContactTest(
        outcome=np.zeros(n),
        arm=arm,
        channels=("mail", "call"),
        propensity=np.full((n, 3), 1 / 3),
        modifiers=x,
        names=("age", "flag", "same"),
        adjusters=np.zeros((n, 0)),
        stratum=np.zeros(n, dtype=int),
    )
    scores = rng.normal(scale=0.2, size=(n, 3))
    scores[:, 1] += 1 + 2 * x[:, 1]
    scores[:, 2] += np.where(x[:, 0] > 0, 3, 0)
    return test, scores


def test_each_channel_has_its_own_rule_in_words():
    found = Rule().learn(*planted(), seed=0)
    assert found.names == ("flag", "age")
    assert re.match(r"mail: flag > 0\.5: \+3, else \+(0\.9\d|1); call: age > ", found.text)


def test_effects_are_those_planted_also_for_strangers():
    found = Rule().learn(*planted(), seed=0)
    effect = found.effect(np.array([[5.0, 0, 1], [-5.0, 1, 9]]))
    assert effect == pytest.approx(np.array([[1, 3], [3, 0]]), abs=0.5)


def test_a_flag_nearly_all_have_can_be_split():
    test, scores = planted()
    flag = (np.arange(len(test)) % 20 > 0).astype(float)
    scores[:, 1] += 10 * flag
    test.modifiers[:, 2] = flag
    assert Rule().learn(test, scores, seed=0).names[0] == "same"


def test_nothing_to_split_by_leaves_the_mean():
    test, scores = planted()
    test.modifiers[:] = 1
    found = Rule().learn(test, scores, seed=0)
    assert found.effect(test.modifiers[:3]) == pytest.approx(
        np.tile((scores[:, 1:] - scores[:, :1]).mean(0), (3, 1))
    )
    assert found.text.count("for all") == 2
