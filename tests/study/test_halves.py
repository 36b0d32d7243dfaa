"""A plan judged by customers who did not choose it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from allocator import pipeline
from allocator.pipeline import Forecasted
from allocator.scenario.schema import Scenario
from allocator.stages.reading import Tables
from allocator.study.backtest import PLAN, backtest
from allocator.study.halves import Half, checked_by_halves, halves_of
from allocator.study.known_truth import Outcome, replicate, scenario_of, summarised
from allocator.tables.sample.worlds import simulate_world
from allocator.tables.table import Rejects, Table


@cache
def a_project(*, nothing: bool) -> tuple[Scenario, Forecasted, tuple[Half, ...]]:
    world = simulate_world("heterogeneous", 5001, n_customers=6000)
    contacts = world.contacts.assign(customer_id=world.contacts["customer_id"].astype(str))
    if nothing:
        arm = np.random.default_rng(3).permutation(contacts["arm"].to_numpy())
        contacts = contacts.assign(arm=arm)
    table = Table("experiments", contacts, Rejects("experiments", 6000, 0), "<frame>", "", "", {})
    scenario = scenario_of(world).override(
        {"budget.total": 1200, "models": {"uplift": {"name": "dr", "base": "linear"}}}
    )
    found = pipeline.forecast_from(scenario, Tables(experiments=table))
    assert found.tested is not None
    return scenario, found, halves_of(scenario, found.tested)


def test_halves_share_no_customer() -> None:
    _, found, halves = a_project(nothing=False)
    assert found.tested is not None
    assert len(halves) == 2
    assert sum(len(half.others) for half in halves) == len(found.tested.log)
    for half in halves:
        assert len(half.tested.log) + len(half.others) == len(found.tested.log)


def test_what_was_promised_comes_within_chance() -> None:
    scenario, found, halves = a_project(nothing=False)
    checked = checked_by_halves(scenario, found, halves)
    assert checked is not None
    assert abs(checked.value - checked.promised) < 3 * checked.standard_error
    low, high = checked.interval
    assert low < checked.value < high


def test_where_contacts_do_nothing_nothing_is_found() -> None:
    scenario, found, halves = a_project(nothing=True)
    checked = checked_by_halves(scenario, found, halves)
    assert checked is not None
    assert abs(checked.value) < 3 * checked.standard_error + 1.0


def test_simple_plans_stand_beside_the_plan() -> None:
    scenario, found, halves = a_project(nothing=False)
    rows = {row.name: row for row in backtest(scenario, found, halves).policies}
    assert {PLAN, "equal split", "random customers", "highest tier first", "everybody", "nobody"} == set(rows)
    assert rows["nobody"].margin == rows["nobody"].spend == 0
    assert rows[PLAN].behind == 0
    assert rows["nobody"].behind == pytest.approx(rows[PLAN].profit)
    for row in rows.values():
        assert row.behind == pytest.approx(rows[PLAN].profit - row.profit)


def test_a_known_world_tells_what_came_true() -> None:
    outcomes = replicate(simulate_world("homogeneous", 5002, n_customers=4000), 1)
    kept = summarised([outcomes])
    assert len(outcomes) == 3
    assert kept.promised_realised == pytest.approx(
        sum(one.promised for one in outcomes) / sum(one.realised for one in outcomes)
    )
    assert all(one.spend <= one.budget + 1e-6 for one in outcomes)
    assert kept.realised_best <= 1.0 + 1e-9


def test_regret_coverage_and_loss_are_counted() -> None:
    good = Outcome(0.1, 100, 100, promised=220, low=150, high=250, realised=200, learnable=120, best=200)
    bad = Outcome(0.1, 100, 100, promised=90, low=80, high=100, realised=60, learnable=40, best=50)
    kept = summarised([(good,), (bad,)])
    assert kept.promised_realised == pytest.approx(310 / 260)
    assert kept.coverage == 0.5
    assert kept.realised_learnable == pytest.approx(60 / 160)
    assert kept.lost == 0
    assert summarised([(bad,)]).lost == pytest.approx(0.4)
