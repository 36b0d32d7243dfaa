"""A plan over draws: known distributions, the channel to blame, and what knowing the draw is worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.errors import ArgumentError, DataError
from allocator.plan.optimise import optimise
from allocator.response.curve import ResponseCurve
from allocator.study.stress import stress
from tests.plan.made_up_problems import decision, fifteen_cells, problem

N = 200


def line(slope_draws, width=1000.0):
    """A straight curve whose slope is uncertain."""
    ends = np.array([[0.0, width]])
    draws = np.array(slope_draws)[:, None] * ends
    return ResponseCurve(ends[0], draws.mean(axis=0), draws=draws)


@pytest.fixture
def one():
    """E-mail earns 2 for sure; search 1.5 to 3.5, evenly."""
    search = np.linspace(1.5, 3.5, N)
    return problem(
        [
            decision("email", line(np.full(N, 2.0)), current=100.0),
            decision("search", line(search), current=0.0),
        ],
        100.0,
    )


def test_values_and_quantiles_of_a_known_distribution(one):
    found = stress(one, np.array([0.0, 100.0]))
    assert found.outcomes == pytest.approx(100 * np.linspace(0.5, 2.5, N))
    assert found.expected == pytest.approx(150)
    assert found.quantiles[0.5] == pytest.approx(150)
    assert found.quantiles[0.1] == pytest.approx(70)
    assert found.loss_probability == 0.0
    # ahead of 100 of e-mail where search earns more than 2
    assert found.beats_today == pytest.approx(0.75, abs=0.01)


def test_the_worst_draws_and_their_cause(one):
    found = stress(one, np.array([50.0, 50.0]))
    assert [bad.draw for bad in found.worst] == [0, 1, 2, 3, 4]
    assert {bad.channel for bad in found.worst} == {"search"}
    assert found.worst[0].shortfall == pytest.approx(-50.0)
    assert list(found.causes) == ["search", "email"]
    assert found.causes["email"] == pytest.approx(0)
    # the worst tenth of the slopes lies 0.9 below the mean
    assert found.causes["search"] == pytest.approx(-45, rel=0.01)


def test_regret_against_the_best_plan_of_each_draw(one):
    found = stress(one, np.array([0.0, 100.0]), sample=N)
    slopes = np.linspace(1.5, 3.5, N)
    assert found.regret.loss == pytest.approx(100 * np.maximum(2 - slopes, 0), abs=1e-6)
    assert found.regret.largest == pytest.approx(50)
    assert found.regret.mean == pytest.approx(100 * np.maximum(2 - slopes, 0).mean())


def test_a_sample_of_draws_covers_the_worst_and_the_best(one):
    found = stress(one, np.array([0.0, 100.0]), sample=5)
    assert len(found.regret.draws) == 5
    assert {0, N - 1} <= set(found.regret.draws.tolist())


def test_a_plan_that_loses_says_how_often():
    one = problem([decision("email", line(np.linspace(0.5, 2.5, N)))], 100.0)
    assert stress(one, np.array([100.0])).loss_probability == pytest.approx(0.25)


def test_the_best_plan_of_every_draw_beats_the_plan_and_is_a_solve_of_its_own():
    rng = np.random.default_rng(5)
    base = fifteen_cells()
    decisions = []
    for d in base.decisions:
        level = rng.lognormal(0, 0.3, 50)
        draws = (level / level.mean())[:, None] * d.curve.value
        curve = ResponseCurve(d.curve.spend, d.curve.value, draws=draws)
        decisions.append(replace(d, curve=curve))
    one = replace(base, decisions=tuple(decisions))
    plan = optimise(one, "highs")
    found = stress(one, np.array(plan.decision_spend), sample=4)
    for draw, best in zip(found.regret.draws, found.regret.best, strict=True):
        known = tuple(
            replace(d, curve=ResponseCurve(d.curve.spend, d.curve.draws[draw])) for d in one.decisions
        )
        alone = optimise(replace(one, decisions=known), "highs")
        if alone.objective is not None:
            assert best >= alone.objective - 1.0
    assert (found.regret.loss >= 0).all()


def test_without_uncertainty_there_is_nothing_to_stress():
    with pytest.raises(DataError, match="uncertain"):
        stress(fifteen_cells(), np.zeros(15))


def test_an_empty_sample_is_refused(one):
    with pytest.raises(ArgumentError):
        stress(one, np.array([0.0, 100.0]), sample=0)
