"""Smooth curves under one budget, against equal marginal returns (found by their price)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from allocator.plan.assemble import PlanTerms, assemble
from allocator.plan.defaults import ChannelTerms
from allocator.plan.objectives import Budget, Objective
from allocator.plan.optimise import optimise
from allocator.response.curve import ResponseCurve
from allocator.response.curves import Curves, Evidence, Response
from allocator.response.families import Log, breakpoints

logs = st.lists(st.builds(Log, scale=st.floats(2e4, 3e5), pace=st.floats(5e3, 2e5)), min_size=2, max_size=5)


def spend_at(price: float, families: list[Log]) -> np.ndarray:
    """Spend at which a log curve's marginal return, scale / (pace + s), is the price."""
    return np.array([max(0.0, family.scale / price - family.pace) for family in families])


def plan_for(families: list[Log], budget: float, goal: str, engine: str):
    names = [f"channel{i}" for i in range(len(families))]
    responses = []
    for name, family in zip(names, families, strict=True):
        spend = breakpoints(family, budget)
        curve = ResponseCurve(spend, family.value(spend), shape=family)
        responses.append(Response(name, curve, Evidence.OPINION, "curve"))
    channels = {name: ChannelTerms(name) for name in names}
    terms = PlanTerms(channels, Budget(total=budget), Objective(maximize=goal))
    return optimise(assemble(Curves(tuple(responses)), terms), engine)


@pytest.mark.parametrize("engine", ["cbc", "highs"])
@settings(max_examples=15)
@given(families=logs, budget=st.floats(2e4, 1e6))
def test_the_whole_budget_goes_where_marginal_returns_are_equal(families, budget, engine):
    steepest = max(family.scale / family.pace for family in families)
    price = brentq(lambda p: spend_at(p, families).sum() - budget, 1e-6, steepest, xtol=1e-15, rtol=1e-14)
    best = sum(float(f.value(np.array(s))) for f, s in zip(families, spend_at(price, families), strict=True))
    plan = plan_for(families, budget, "incremental_margin", engine)
    assert plan.objective == pytest.approx(best, rel=1e-6)
    assert plan.rows[0].next_unit == pytest.approx(price, abs=0.01)


@settings(max_examples=15)
@given(families=logs, budget=st.floats(2e4, 1e6))
def test_profit_stops_at_break_even(families, budget):
    free = spend_at(1.0, families)
    plan = plan_for(families, budget, "profit", "highs")
    if free.sum() <= budget:
        best = sum(float(f.value(np.array(s))) - s for f, s in zip(families, free, strict=True))
        assert plan.objective == pytest.approx(best, rel=1e-6, abs=1)
        assert sum(plan.decision_spend) == pytest.approx(free.sum(), abs=2e-3 * budget)
    else:
        assert sum(plan.decision_spend) == pytest.approx(budget, abs=0.05)
