"""Breakpoints and the exact optimum between them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.plan.polish import polished
from allocator.plan.refine import locate
from tests.plan import made_up_problems as made


def test_pieces_next_to_the_optimum_become_fine_and_few_remain():
    decisions = [made.decision("a", made.log(3e5, 5e4)), made.decision("b", made.hill(9e5, 3e5))]
    located = locate(made.problem(decisions, 4e5))
    spend = located.compiled.spend(located.answer.x)
    for decision, grid, at in zip(decisions, located.compiled.grids, spend, strict=True):
        k = int(np.argmin(np.abs(grid.spend - at)))
        near = decision.curve.shape.marginal(grid.spend[k - 1 : k + 2])
        assert np.diff(near) == pytest.approx(0, abs=3e-5)
        assert len(grid.spend) < 60


def test_breakpoint_curves_keep_their_breakpoints():
    problem = made.problem([made.decision("a", made.slopes((100, 3), (200, 1.5)))], 150.0)
    assert locate(problem).compiled.grids[0].spend.tolist() == [0, 100, 300]


@given(seed=st.integers(0, 10_000))
@settings(max_examples=60)
def test_the_exact_optimum_is_no_worse_and_keeps_every_limit(seed):
    problem = made.random_problem(seed)
    located = locate(problem)
    if located.answer.status != "optimal":
        return
    before = problem.quantities(located.compiled.spend(located.answer.x))
    after = problem.quantities(polished(located.compiled, located.answer))
    assert problem.value(after) >= problem.value(before) - 1e-9 * problem.size(before)
    assert (problem.slacks(after) >= -1e-7 * np.maximum(problem.scales(after), 1)).all()


def test_marginal_returns_are_equal_to_the_last_digits():
    decisions = [
        made.decision(f"c{j}", made.hill(c, h))
        for j, (c, h) in enumerate([(9e5, 3e5), (5e5, 1e5), (2e5, 4e4)])
    ]
    located = locate(made.problem(decisions, 3e5))
    spend = polished(located.compiled, located.answer)
    marginal = [d.curve.marginal(s) for d, s in zip(decisions, spend, strict=True)]
    assert marginal == pytest.approx([marginal[0]] * 3, rel=1e-10)
    assert spend.sum() == pytest.approx(3e5, rel=1e-12)
