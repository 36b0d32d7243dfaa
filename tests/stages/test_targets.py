"""Who gets which contact: as many as the plan pays for, and those who gain most."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from allocator import pipeline
from allocator.models.uplift.shrinkage import ShrunkEffects
from allocator.models.uplift.tailored import Tailored
from allocator.pipeline import Forecasted
from allocator.plan.optimise import optimise
from allocator.plan.problem import Problem
from allocator.plan.solution import Solution
from allocator.response.curves import Cell
from allocator.response.segments import Segments
from allocator.scenario.schema import Scenario
from allocator.stages.reading import Tables
from allocator.stages.targeting import Targeting
from allocator.stages.targets import chosen, rounded, rules
from allocator.study.halves import contacts_of
from allocator.study.known_truth import scenario_of
from allocator.tables.sample.worlds import ContactWorld, simulate_world
from allocator.tables.table import Rejects, Table
from tests.plan.made_up_problems import decision, limit, points
from tests.plan.made_up_problems import problem as problem_of

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


def of_one_segment(effect: np.ndarray, cost: list[float]) -> Targeting:
    """Customers of one tier, all in one segment."""
    n, channels = effect.shape
    names = ("letter", "email")[:channels]
    known = ShrunkEffects(
        ("all",) * channels, names, np.zeros(channels), np.eye(channels), {}, {}, {}, (False,) * channels
    )
    learned = Tailored(known, ("all",), names)
    nobody = np.zeros(n, dtype=np.intp)
    ids = np.array([f"c{i}" for i in range(n)], dtype=object)
    whole = (Segments(1, np.array(cost)),)
    return Targeting(learned, np.array(cost), ids, nobody, effect, whole, nobody)


@pytest.mark.parametrize(
    ("letters", "emails", "most"),
    [(10, 10, {"letter": 2.0, "email": 2.0}), (10, 5, {"letter": 2.0}), (5, 15, {"email": 3.0})],
)
def test_channels_that_contact_often_leave_customers_to_the_others(
    letters: int, emails: int, most: dict[str, float]
) -> None:
    targeting = of_one_segment(np.zeros((10, 2)), [0.9, 0.1])
    wanted = {Cell("all", "letter"): float(letters), Cell("all", "email"): float(emails)}
    table = chosen(targeting, wanted, 1.0, once=True, most=most)
    assert table["channel"].value_counts().to_dict() == {"letter": letters, "email": emails}
    assert len(table.drop_duplicates(["customer_id", "channel"])) == len(set(table["customer_id"]))
    for channel, rows in table.groupby("channel"):
        assert rows["customer_id"].value_counts().max() <= most.get(str(channel), 1.0)


def test_channels_that_add_up_may_share_customers() -> None:
    targeting = of_one_segment(np.zeros((10, 2)), [0.9, 0.1])
    wanted = {Cell("all", "letter"): 10.0, Cell("all", "email"): 10.0}
    table = chosen(targeting, wanted, 1.0, once=False)
    assert len(table) == 20
    assert not table.duplicated(["customer_id", "channel"]).any()


@pytest.mark.parametrize("share_of_budget", [True, False])
def test_a_price_counts_no_limit_twice_that_is_a_share_of_the_budget(share_of_budget: bool) -> None:
    email, mail = decision("low/email", points((200, 600))), decision("low/mail", points((200, 400)))
    cap = limit("cap", email.cells, most=0.5 if share_of_budget else 50.0, share_of_budget=share_of_budget)
    solution = optimise(problem_of([email, mail], 100.0, cap), "highs")
    prices = {one.channel: one for one in rules(solution, ("email", "mail"), profit=True)}
    assert prices["email"].price_of_money == pytest.approx(3.0)  # both in part: each at its own slope
    assert prices["mail"].price_of_money == pytest.approx(2.0)
    assert prices["email"].because == ("budget.total", "cap")


def test_a_floor_makes_contacts_cheap_that_would_not_pay() -> None:
    email, tv = decision("low/email", points((200, 600))), decision("low/tv", points((200, 100)))
    floor = limit("floor", tv.cells, least=0.2, share_of_budget=True)
    solution = optimise(problem_of([email, tv], 100.0, floor), "highs")
    prices = {one.channel: one.price_of_money for one in rules(solution, ("email", "tv"), profit=True)}
    assert prices == pytest.approx({"email": 3.0, "tv": 0.5})


def test_contacts_worth_more_than_their_price_are_all_made_and_no_others() -> None:
    _, found, problem, solution = planned()
    assert found.tested is not None
    price = {
        (p.tier, p.channel): p.price_of_money for p in rules(solution, tuple(world().channels), profit=True)
    }
    contacts = contacts_of(problem, solution)
    table = found.tested.targeting.table()
    mean = found.tested.targeting.tailored.effects.mean
    rows = found.tested.targeting.tailored.rows()
    tiers, channels = found.tested.targeting.tailored.tiers, found.tested.targeting.tailored.channels
    split = 0
    for tier, name, share, deviation in zip(
        table.tier, table.name, table.share, table.deviation, strict=True
    ):
        gain = mean[rows[tiers.index(tier)]] + table.kept * deviation
        net = gain - [price[tier, channel] for channel in channels] * found.tested.targeting.cost
        people = share * found.customers.sizes[tier]
        made = np.array([contacts[Cell(tier, channel, segment=name)] for channel in channels])
        if abs(net.max()) < 1e-6 or np.sum(net > net.max() - 1e-6) > 1:
            split += 1
        elif net.max() > 0:
            assert made[net.argmax()] == pytest.approx(people, abs=0.2)
        else:
            assert made.sum() == pytest.approx(0.0, abs=0.2)
    assert split <= 1
