"""Conflicts among all minimal ones, found by trying every set of limits; repairs tried, and smaller ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations

import pytest
from hypothesis import given, settings

from allocator.plan.conflict import explain_conflict
from allocator.plan.rows import Row, Unit
from allocator.plan.solver import solve_program
from tests.oracles.brute_force import Amount, Inequality, Region, is_possible
from tests.oracles.meanings import (
    amounts_of,
    at_least,
    at_most,
    choices_of,
    contact_caps,
    meaning,
    number_of,
    own_cells,
)
from tests.oracles.random_cases import LINEAR, UNIT, Case, Channel, Rich, drawn_case, problem_of

FAR = 1000 * UNIT
"""Money past the end of a curve that can be spent where the end is no limit."""
MOST_IN_LOTS = 30 * UNIT
"""More than any limit drawn with lots asks for."""
Choice = Sequence[Region]
Limits = dict[str, list[Choice]]
STEPS = {Unit.SHARE: 1e-4, Unit.RATIO: 0.01, Unit.CONTACTS: 1.0, Unit.COUNT: 1.0, Unit.MONTHS: 0.1}


def further(case: Case) -> list[Amount]:
    """Give the amounts with curves that go on past their ends."""
    found = []
    for amount in amounts_of(case):
        x = amount.spend
        brings = {
            name: [*v[:-1], v[-1] + (v[-1] - v[-2]) / (x[-1] - x[-2]) * FAR]
            for name, v in amount.brings.items()
        }
        found.append(replace(amount, spend=[*x[:-1], x[-1] + FAR], brings=brings))
    return found


def simply(*inequalities: Inequality) -> list[Choice]:
    return [[Region(list(inequalities))]]


def limits_of(case: Case) -> Limits:
    """Give everything a plan has to keep, by the name it is reported under."""
    total = dict.fromkeys(case.cells, 1.0)
    found: Limits = {"budget.total max": simply(at_most(total, case.budget))}
    if case.exactly:
        found["budget.total min"] = simply(at_least(total, case.budget))
    for channel in case.channels:
        found |= own_limits(case, channel)
    for i, limit in enumerate(case.limits):
        alone = replace(case, channels=[replace(one, step=None) for one in case.channels], limits=[limit])
        always = [[Region([one])] for one in meaning(case, limit)]
        found[f"limit{i}"] = [*always, *choices_of(alone)]
    return found


def own_limits(case: Case, channel: Channel) -> Limits:
    """Give a channel's own limits and the end of its curve."""
    own, path = own_cells(case, channel), f"channels.{channel.name}"
    (points,) = channel.curves.values()
    stated = {
        "min": None if channel.floor is None else at_least(own, channel.floor),
        "max": None if channel.cap is None else at_most(own, channel.cap),
        "committed": at_least(own, channel.promised) if channel.promised else None,
        "contacts_per_customer": next(contact_caps(case, channel), None),
    }
    found = {f"{path}.{key}": simply(one) for key, one in stated.items() if one is not None}
    found[f"curve_end[{channel.name}]"] = simply(at_most(own, points["spend"][-1]))
    if channel.step is not None:
        lots = [k * channel.step for k in range(int(MOST_IN_LOTS / channel.step))]
        found[f"{path}.step"] = [[Region([at_least(own, m), at_most(own, m)]) for m in lots]]
    return found


def told(row: Row) -> str:
    return f"{row.name} {row.bound}" if row.kind == "budget" else row.name


def possible(case: Case) -> bool:
    limits = limits_of(case)
    return is_possible(further(case), [choice for choices in limits.values() for choice in choices])


def minimal_conflicts(case: Case) -> list[frozenset[str]]:
    """Give every set of limits that cannot be kept together although all but any one of them can."""
    amounts, limits = further(case), limits_of(case)
    found: list[frozenset[str]] = []
    for size in range(1, len(limits) + 1):
        for chosen in map(frozenset, combinations(limits, size)):
            if any(known <= chosen for known in found):
                continue
            if not is_possible(amounts, [choice for name in chosen for choice in limits[name]]):
                found.append(chosen)
    return found


def without_ends(names: Collection[str]) -> frozenset[str]:
    return frozenset(name for name in names if not name.startswith("curve_end"))


def moved(case: Case, row: Row, limit: float) -> Case:
    """Give the case with another written limit, in the scenario's own terms."""
    first, key = row.path.split(".")[0], row.path.split(".")[-1]
    if first == "budget":
        return replace(case, budget=limit)
    if first == "channels":
        name = {
            "min": "floor",
            "max": "cap",
            "committed": "promised",
            "contacts_per_customer": "per_customer",
        }
        channels = [
            replace(one, **{name[key]: limit}) if f".{one.name}." in row.path else one
            for one in case.channels
        ]
        return replace(case, channels=channels)
    place = int(row.path.split(".")[1].removeprefix("limit"))
    limits = [{**one, key: limit} if i == place else one for i, one in enumerate(case.limits)]
    return replace(case, limits=limits)


def written(case: Case, row: Row) -> float:
    """Give the limit as it stands in the case."""
    if row.path.startswith("constraints"):
        return number_of(case.limits[int(row.path.split(".")[1].removeprefix("limit"))])
    if row.path.startswith("budget"):
        return case.budget
    key = {"min": "floor", "max": "cap", "committed": "promised", "contacts_per_customer": "per_customer"}
    (channel,) = [one for one in case.channels if f".{one.name}." in row.path]
    return float(getattr(channel, key[row.path.split(".")[-1]]))


def step_of(row: Row, limit: float) -> float:
    """Give how finely a new limit is stated."""
    if row.kind == "roi":
        return 1e-4
    return STEPS.get(row.unit, 1.0 if row.unit is Unit.MONEY and abs(limit) >= UNIT else 0.01)


def check_repair(case: Case, moves: Mapping[str, tuple[Row, float]]) -> None:
    """Hold a repair to working, and a single move to being the smallest."""
    repaired = case
    for row, limit in moves.values():
        repaired = moved(repaired, row, limit)
    assert possible(repaired), moves
    if len(moves) == 1:
        ((row, limit),) = moves.values()
        before = written(case, row)
        less = 1 if row.kind == "active_channels" else 2
        nearer = limit - less * step_of(row, limit) * (1 if limit > before else -1)
        if (nearer - before) * (limit - before) > 0:
            smaller = moved(case, row, nearer)
            assert not possible(smaller), (moves, nearer)


def ends_may_go_unsaid(case: Case) -> bool:
    """Whether whole numbers may hold a plan within a curve's end: of lots, switches and orders of filling."""
    plain = all(limit["measure"] in LINEAR for limit in case.limits)
    return not plain or any(channel.step is not None for channel in case.channels)


def check(case: Case, engine: str) -> bool:
    """Check the conflict of a case; False where it has a plan."""
    if possible(case):
        return False
    conflict = explain_conflict(problem_of(case), partial(solve_program, engine=engine))
    every = minimal_conflicts(case)
    for rows in (conflict.rows, *conflict.further):
        found = frozenset(map(told, rows))
        if ends_may_go_unsaid(case):
            assert without_ends(found) in [without_ends(one) for one in every]
        else:
            assert found in every
    assert len(conflict.repairs) <= 3
    for repair in conflict.repairs:
        moves = {row.path: (row, limit) for row, limit in zip(repair.rows, repair.limits, strict=True)}
        check_repair(case, moves)
    return True


OUTCOMES = (
    "roas",
    "cpa",
    "return",
    "conversions",
    "retained_customers",
    "customers_reached",
    "payback_months",
)
KINDS = {
    "sums": Rich(LINEAR),
    "outcomes": Rich(OUTCOMES, counting=True),
    "bent": Rich((*OUTCOMES, "roi", "spend"), counting=True, bending=True),
    "switches": Rich(("active_channels", "spend_if_active", "spend", "share_of_spend")),
    "lots": Rich(("spend", "share_of_spend", "active_channels"), channels=True),
}


EXAMPLES = {"sums": 100, "bent": 150}


@pytest.mark.parametrize("engine", ["cbc", "highs"])
@pytest.mark.parametrize("kind", list(KINDS))
def test_a_conflict_is_one_of_all_minimal_ones_and_its_repairs_are_the_smallest(kind, engine):
    met = 0

    @settings(max_examples=EXAMPLES.get(kind, 50))
    @given(drawn_case("two channels", KINDS[kind]))
    def every(case):
        nonlocal met
        met += check(case, engine)

    every()
    assert met >= 5
