"""Who gets which contact: as many as the plan pays for, and those who gain most."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from allocator import pipeline
from allocator.pipeline import Forecasted
from allocator.plan.optimise import optimise
from allocator.plan.problem import Problem
from allocator.plan.solution import Solution
from allocator.scenario.schema import Scenario
from allocator.stages.reading import Tables
from allocator.stages.targets import chosen, rounded, rules
from allocator.study.halves import contacts_of
from allocator.study.known_truth import scenario_of
from allocator.tables.sample.worlds import ContactWorld, simulate_world
from allocator.tables.table import Rejects, Table

BUDGET = 1200.0


@cache
def world() -> ContactWorld:
    return simulate_world("heterogeneous", 5000, n_customers=6000)


@cache
def planned() -> tuple[Scenario, Forecasted, Problem, Solution]:
    contacts = world().contacts.assign(customer_id=world().contacts["customer_id"].astype(str))
    table = Table("experiments", contacts, Rejects("experiments", 6000, 0), "<frame>", "", "", {})
    scenario = scenario_of(world()).override(
        {"budget.total": BUDGET, "models": {"uplift": {"name": "dr", "base": "linear"}}}
    )
    found = pipeline.forecast_from(scenario, Tables(experiments=table))
    problem = pipeline.problem(scenario, found.curves, found.customers.sizes)
    return scenario, found, problem, optimise(problem, "highs")


def listed(scale: float = 1.0) -> pd.DataFrame:
    _, found, problem, solution = planned()
    assert found.tested is not None
    return chosen(found.tested.targeting, contacts_of(problem, solution), scale, once=True)


def test_tiers_are_cut_into_at_most_twenty_segments_that_add_up() -> None:
    _, found, _, _ = planned()
    assert found.tested is not None
    table = found.tested.targeting.table()
    sizes = pd.Series(table.share).groupby(pd.Series(table.tier)).agg(["size", "sum"])
    assert sizes["size"].between(2, 20).all()
    np.testing.assert_allclose(sizes["sum"], 1.0)


def test_the_list_costs_what_the_plan_spends_and_no_more() -> None:
    *_, solution = planned()
    spend = sum(cell.spend for cell in solution.cells)
    cost = listed()["cost"].sum()
    assert cost <= spend + 1e-6
    assert cost > spend - 3 * 3 * 2.0  # a contact of each tier and channel at most is rounded away


def test_every_cell_gets_its_contacts_rounded_down() -> None:
    *_, solution = planned()
    counts = listed().groupby(["tier", "channel"]).size()
    for cell in solution.cells:
        wanted = np.floor((cell.contacts or 0.0) + 1e-6)
        assert counts.get((cell.cell.tier, cell.cell.channel), 0) == wanted


def test_a_part_of_the_population_gets_its_part_of_the_contacts() -> None:
    assert len(listed(0.5)) == pytest.approx(len(listed()) / 2, abs=9)


def test_nobody_is_contacted_twice() -> None:
    assert listed()["customer_id"].is_unique


def test_those_who_gain_most_for_their_cost_come_first() -> None:
    assert listed()["gain_per_cost"].is_monotonic_decreasing
    mean = world().effects.to_numpy().mean()
    truth = world().effects.set_axis(world().contacts["customer_id"].astype(str))
    got = [truth.loc[who, channel] for who, channel in listed()[["customer_id", "channel"]].to_numpy()]
    assert np.mean(got) > 0.8 * mean  # cheap contacts are in the list, dear ones in the mean of all


def test_the_price_of_money_is_what_the_budget_would_earn_elsewhere() -> None:
    _, _, _, solution = planned()
    prices = rules(solution, tuple(world().channels), profit=True)
    budget = next(row for row in solution.rows if row.row.name == "budget.total")
    assert len(prices) == 9
    for one in prices:
        assert one.price_of_money == pytest.approx(1 + (budget.next_unit or 0.0))
        assert one.because == ("budget.total",)


def test_rounding_keeps_totals_and_sizes() -> None:
    rng = np.random.default_rng(1)
    exact = rng.uniform(0, 3, (12, 3))
    size = np.ceil(exact.sum(axis=1)).astype(np.int64)
    whole = rounded(exact, size)
    assert (whole.sum(axis=1) <= size).all()
    assert (whole.sum(axis=0) <= np.floor(exact.sum(axis=0) + 1e-9)).all()
    assert (np.abs(whole - exact) <= 1).all()
