"""Who gets which channel: the tier plan, the hull, the price of money and enumeration have to agree."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from allocator.plan.assemble import PlanTerms, assemble
from allocator.plan.defaults import ChannelTerms
from allocator.plan.objectives import Budget
from allocator.plan.optimise import optimise
from allocator.plan.solution import Status
from allocator.response.curves import Curves, Evidence, Response
from allocator.response.hull import allocate, tier_curve
from allocator.tables.sample.optimum import best_margin, best_plan
from allocator.tables.sample.worlds import ContactWorld, simulate_world

TIERS = ("high", "medium", "low")


@pytest.fixture(scope="module")
def world() -> ContactWorld:
    return simulate_world("heterogeneous", seed=5)


@pytest.fixture(scope="module")
def curves(world: ContactWorld) -> Curves:
    """One curve a tier of everything its customers may get, every breakpoint kept."""
    rank = world.contacts["value"].rank(ascending=False, pct=True).to_numpy()
    tier = np.searchsorted([0.2, 0.5], rank)
    effects = world.effects.to_numpy()
    return Curves(
        tuple(
            Response("contacts", tier_curve(effects[tier == k], world.costs), Evidence.TESTED, "table", name)
            for k, name in enumerate(TIERS)
        )
    )


def test_every_breakpoint_is_kept(world, curves):
    assert sum(len(one.curve.widths) for one in curves) > 1.5 * world.population


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_the_tier_plan_is_the_best_for_every_customer(world, curves, share):
    budget = world.budgets()[share]
    terms = PlanTerms({"contacts": ChannelTerms("Contacts")}, Budget(total=budget), tiers=TIERS)
    plan = optimise(assemble(curves, terms), "highs")
    best = world.best(budget)
    assert plan.status is Status.OPTIMAL
    assert plan.objective == pytest.approx(best.profit, rel=1e-6)
    assert sum(plan.decision_spend) == pytest.approx(best.spend, rel=1e-6)


@pytest.mark.parametrize("name", ["heterogeneous", "sleeping_dogs", "tier_saturation"])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.25, 0.5, 10.0])
def test_the_hull_is_the_price_of_money(name, share):
    world = simulate_world(name, seed=6)
    budget = world.budgets()[0.1] * share / 0.1
    plan = allocate(world.effects.to_numpy(), world.costs, budget)
    spend, margin = best_margin(world.effects.to_numpy(), world.costs, budget)
    assert plan.spend == pytest.approx(spend, rel=1e-9)
    assert plan.gain == pytest.approx(margin, rel=1e-9)


def enumerated(gain: np.ndarray, cost: np.ndarray, budget: float) -> float:
    """Best profit of a linear program with one row a customer, solved by scipy."""
    n, k = gain.shape
    rows = np.vstack([np.kron(np.eye(n), np.ones(k)), np.tile(cost, n)])
    found = linprog(-(gain - cost).ravel(), rows, np.append(np.ones(n), budget), bounds=(0, 1))
    return -float(found.fun)


def whole_contacts(gain: np.ndarray, cost: np.ndarray, budget: float) -> float:
    """Best profit of all ways to give each customer one channel or none, by trying every one."""
    gains, costs = np.column_stack([np.zeros(len(gain)), gain]), np.append(0.0, cost)
    best = 0.0
    for chosen in product(range(len(costs)), repeat=len(gain)):
        spent = costs[list(chosen)].sum()
        if spent <= budget:
            best = max(best, gains[np.arange(len(gain)), list(chosen)].sum() - spent)
    return best


small = st.tuples(
    st.integers(1, 6), st.integers(1, 3), st.integers(0, 10**6), st.booleans(), st.floats(0, 12)
)


@settings(max_examples=80)
@given(small)
def test_few_customers_against_a_solver_and_every_way(case):
    n, k, seed, tied, budget = case
    rng = np.random.default_rng(seed)
    gain, cost = rng.uniform(-1, 5, (n, k)), rng.uniform(0.2, 3, k)
    if tied:  # round numbers: equal costs, equal ratios, points on a line
        gain, cost = np.round(gain), np.ceil(cost)
    best = best_plan(gain, cost, budget)
    plan = allocate(gain, cost, budget)
    assert best.profit == pytest.approx(enumerated(gain, cost, budget), abs=1e-9)
    assert plan.gain - plan.spend == pytest.approx(best.profit, abs=1e-9)
    worth = best.profit - whole_contacts(gain, cost, budget)
    most = max(0.0, float((gain - cost).max()))
    assert -1e-9 <= worth <= most + 1e-9  # at most one customer is contacted in part
