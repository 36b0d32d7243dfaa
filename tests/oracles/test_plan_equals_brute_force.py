"""The plan against the best corner of every combination of pieces, on random small problems."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from allocator.plan.optimise import optimise
from allocator.plan.solution import Status
from tests.oracles.brute_force import Amount, Inequality, best_value
from tests.oracles.random_cases import Case, drawn_case, problem_of

ACCURACY = 2e-6
WORTH = {"profit": (-1.0, 1.0), "incremental_margin": (0.0, 1.0)}
"""What one unit of spend and of margin is worth."""


def amounts_of(case: Case) -> list[Amount]:
    amounts = []
    for channel in case.channels:
        for tier, (spend, value) in channel.curves.items():
            tiers = case.tiers if tier is None else (tier,)
            shares = [channel.mix[t] if tier is None else 1.0 for t in tiers]
            amounts.append(Amount(spend, value, [(t, channel.name) for t in tiers], shares, shares))
    return amounts


def both_sides(case: Case) -> list[Inequality]:
    """Budget, channel bounds, shared customers and the drawn limits, each from its meaning."""
    total = dict.fromkeys(case.cells, 1.0)
    found = [at_most(total, case.budget)]
    found += [at_least(total, case.budget)] if case.exactly else []
    for channel in case.channels:
        own = dict.fromkeys([(tier, channel.name) for tier in case.tiers], 1.0)
        found += [at_least(own, channel.floor)] if channel.floor is not None else []
        found += [at_most(own, channel.cap)] if channel.cap is not None else []
    if case.one_per_customer:
        for tier in case.tiers:
            contacts = {(tier, channel.name): 1 / channel.cost for channel in case.channels}
            found.append(at_most(contacts, case.people[tier]))
    return found + [meaning(case, limit) for limit in case.limits]


def at_least(spend: dict[tuple[str, str], float], least: float) -> Inequality:
    return Inequality(spend, {}, least)


def at_most(spend: dict[tuple[str, str], float], most: float) -> Inequality:
    return Inequality({cell: -weight for cell, weight in spend.items()}, {}, -most)


def meaning(case: Case, limit: dict[str, Any]) -> Inequality:
    cells = case.selected(limit)
    side = at_least if "min" in limit else at_most
    stated = limit.get("min", limit.get("max"))
    number = float(stated.rstrip("%")) / 100 if isinstance(stated, str) else float(stated)
    cost = {channel.name: channel.cost for channel in case.channels}
    ones, contacts = dict.fromkeys(cells, 1.0), {cell: 1 / cost[cell[1]] for cell in cells}
    match limit["measure"]:
        case "spend":
            return side(ones, number)
        case "share_of_budget":
            return side(ones, number * case.budget)
        case "share_of_spend":
            return side({cell: (cell in cells) - number for cell in case.cells}, 0.0)
        case "change_vs_current":
            today = sum(
                channel.current * channel.mix[t]
                for channel in case.channels
                for t, c in cells
                if c == channel.name
            )
            return side(ones, (1 + number) * today)
        case "contacts":
            return side(contacts, number)
        case "contacts_per_customer":
            return side(contacts, number * sum(case.people[tier] for tier in {tier for tier, _ in cells}))
        case "roi":
            return Inequality(dict.fromkeys(cells, -(1 + number)), ones, 0.0)
        case _:
            return Inequality(dict.fromkeys(cells, -number), ones, 0.0)


def check(case: Case) -> None:
    expected = best_value(amounts_of(case), both_sides(case), WORTH[case.goal])
    plans = {engine: optimise(problem_of(case), engine) for engine in ("cbc", "highs")}
    for plan in plans.values():
        if expected is None:
            assert plan.status is Status.INFEASIBLE
            assert plan.conflict.rows
        else:
            assert plan.status is Status.OPTIMAL
            assert plan.objective == pytest.approx(expected, rel=ACCURACY, abs=ACCURACY * case.budget)
    assert plans["cbc"].decision_spend == pytest.approx(plans["highs"].decision_spend, abs=0.01)


@settings(max_examples=80)
@given(drawn_case("one tier"))
def test_one_tier(case):
    check(case)


@settings(max_examples=60)
@given(drawn_case("tied"))
def test_tied_tiers(case):
    check(case)


@settings(max_examples=60)
@given(drawn_case("untied"))
def test_untied_tiers(case):
    check(case)


@settings(max_examples=40)
@given(drawn_case("mixed"))
def test_a_tied_channel_beside_an_untied_one(case):
    check(case)


@settings(max_examples=60)
@given(drawn_case("one per customer"))
def test_one_contact_per_customer(case):
    check(case)
