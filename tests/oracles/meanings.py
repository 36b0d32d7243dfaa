"""What every limit, channel term and goal of a drawn case means: sums over cells, and choices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tests.oracles.brute_force import Amount, Best, Inequality, Place, Region, best_plan
from tests.oracles.random_cases import Case, Channel, later_share

LEAST = 0.01
"""Money that counts as some."""
WORTH: Mapping[str, Mapping[str, float]] = {
    "profit": {"spend": -1.0, "margin": 1.0},
    "incremental_margin": {"margin": 1.0},
    "incremental_revenue": {"revenue": 1.0},
    "customer_equity": {"margin": 1.0},
    "retained_customers": {"retained": 1.0},
    "conversions": {"conversions": 1.0},
    "spend": {"spend": 1.0},
    "least_spend": {"spend": -1.0},
}
"""What one unit of each thing is worth."""


def solved_by_force(case: Case, *besides: Inequality) -> Best | None:
    """Give the best plan of a case, within further inequalities; None where no plan keeps the limits."""
    return best_plan(amounts_of(case), [*always(case), *besides], worth_of(case.goal), choices_of(case))


def value_at(case: Case, goal: Mapping[str, Any], spend: Sequence[float]) -> float:
    """Give what a goal comes to at the spend of every amount, fines left out."""
    total = 0.0
    for name, weight in worth_of(goal).items():
        for amount, x in zip(amounts_of(case), spend, strict=True):
            total += weight * (x if name == "spend" else np.interp(x, amount.spend, amount.brings[name]))
    return float(total)


def reaching(case: Case, goal: Mapping[str, Any], least: float) -> Inequality:
    """Demand a value of a goal."""
    return Inequality({name: dict.fromkeys(case.cells, w) for name, w in worth_of(goal).items()}, least)


def worth_of(goal: Mapping[str, Any]) -> dict[str, float]:
    """Give what a goal counts."""
    if "minimize" in goal:
        return dict(WORTH["least_spend"])
    total: dict[str, float] = {}
    for name, weight in goal.get("weights", {goal.get("maximize"): 1.0}).items():
        for counted, times in WORTH[name].items():
            total[counted] = total.get(counted, 0.0) + weight * times
    return total


def amounts_of(case: Case) -> list[Amount]:
    """Give the amounts of money to be chosen."""
    amounts = []
    for channel in case.channels:
        for tier, points in channel.curves.items():
            tiers = case.tiers if tier is None else (tier,)
            shares = [channel.mix[t] if tier is None else 1.0 for t in tiers]
            brings = {name: values for name, values in points.items() if name != "spend"}
            cells = [(t, channel.name) for t in tiers]
            amounts.append(Amount(points["spend"], brings, cells, shares, shares))
    return amounts


def at_least(spend: Mapping[Place, float], least: float) -> Inequality:
    return Inequality({"spend": spend}, least)


def at_most(spend: Mapping[Place, float], most: float) -> Inequality:
    return at_least(spend, most).turned


def own_cells(case: Case, channel: Channel) -> dict[Place, float]:
    return dict.fromkeys([(tier, channel.name) for tier in case.tiers], 1.0)


def always(case: Case) -> list[Inequality]:
    """Budget, channel bounds, promises, contacts, and the limits that have to be kept."""
    total = dict.fromkeys(case.cells, 1.0)
    found = [at_most(total, case.budget)]
    found += [at_least(total, case.budget)] if case.exactly else []
    for channel in case.channels:
        own = own_cells(case, channel)
        found += [at_least(own, channel.floor)] if channel.floor is not None else []
        found += [at_most(own, channel.cap)] if channel.cap is not None else []
        found += [at_least(own, channel.promised)]
        found += contact_caps(case, channel)
    if case.one_per_customer:
        for tier in case.tiers:
            reached = {
                (tier, channel.name): 1 / channel.cost / (channel.per_customer or 1.0)
                for channel in case.channels
            }
            found.append(at_most(reached, case.people[tier]))
    hard = [limit for limit in case.limits if limit.get("priority") != "soft"]
    return found + [one for limit in hard for one in meaning(case, limit)]


def contact_caps(case: Case, channel: Channel) -> Iterator[Inequality]:
    """Cap contacts by customer: of all tiers together where money is one amount; a test has its own end."""
    if channel.per_customer is None or channel.tested:
        return
    for tier in channel.curves:
        tiers = case.tiers if tier is None else (tier,)
        contacts = dict.fromkeys([(t, channel.name) for t in tiers], 1 / channel.cost)
        yield at_most(contacts, channel.per_customer * sum(case.people[t] for t in tiers))


def meaning(case: Case, limit: Mapping[str, Any]) -> list[Inequality]:
    """Give what a limit demands, where that is no choice."""
    if limit["measure"] == "marginal_return":
        return list(_paying(case, limit))
    if limit["measure"] in ("active_channels", "spend_if_active"):
        return []
    return [demanded(case, limit)]


def number_of(limit: Mapping[str, Any]) -> float:
    stated = limit.get("min", limit.get("max"))
    return float(stated.rstrip("%")) / 100 if isinstance(stated, str) else float(stated)


def demanded(case: Case, limit: Mapping[str, Any]) -> Inequality:
    """Give a limit as one inequality."""
    cells, number = case.selected(dict(limit)), number_of(limit)
    counts, least = _sums(limit["measure"], case, cells, number)
    inequality = Inequality(counts, least)
    return inequality if "min" in limit or limit["measure"] == "payback_months" else inequality.turned


def _sums(
    measure: str, case: Case, cells: Sequence[Place], number: float
) -> tuple[dict[str, dict[Place, float]], float]:
    of = {channel.name: channel for channel in case.channels}
    ones = dict.fromkeys(cells, 1.0)
    less = dict.fromkeys(cells, -number)
    contacts = {cell: 1 / of[cell[1]].cost for cell in cells}
    people = sum(case.people[tier] for tier in {tier for tier, _ in cells})
    today = sum(of[c].current * of[c].mix[t] for t, c in cells)
    reached = {cell: 1 / of[cell[1]].cost / (of[cell[1]].per_customer or 1.0) for cell in cells}
    come = later_share(number)
    sums: dict[str, Callable[[], tuple[dict[str, dict[Place, float]], float]]] = {
        "spend": lambda: ({"spend": ones}, number),
        "share_of_budget": lambda: ({"spend": ones}, number * case.budget),
        "share_of_spend": lambda: ({"spend": {cell: (cell in cells) - number for cell in case.cells}}, 0.0),
        "change_vs_current": lambda: ({"spend": ones}, (1 + number) * today),
        "contacts": lambda: ({"spend": contacts}, number),
        "contacts_per_customer": lambda: ({"spend": contacts}, number * people),
        "customers_reached": lambda: ({"spend": reached}, number),
        "roi": lambda: ({"spend": dict.fromkeys(cells, -(1 + number)), "margin": ones}, 0.0),
        "return_per_unit": lambda: ({"spend": less, "margin": ones}, 0.0),
        "roas": lambda: ({"spend": less, "revenue": ones}, 0.0),
        "cpa": lambda: ({"spend": ones, "conversions": less}, 0.0),
        "payback_months": lambda: (
            {
                "spend": dict.fromkeys(cells, -1.0),
                "margin": dict.fromkeys(cells, come),
                "immediate": dict.fromkeys(cells, 1 - come),
            },
            0.0,
        ),
        "return": lambda: ({"margin": ones}, number),
        "conversions": lambda: ({"conversions": ones}, number),
        "retained_customers": lambda: ({"retained": ones}, number),
    }
    return sums[measure]()


def _paying(case: Case, limit: Mapping[str, Any]) -> Iterator[Inequality]:
    """Stop every amount that reaches into the cells where no later step of its curve pays."""
    cells = case.selected(dict(limit))
    for amount in amounts_of(case):
        if any(cell in cells for cell in amount.cells):
            x, v = amount.spend, amount.brings["margin"]
            steps = zip(x[1:], x[:-1], v[1:], v[:-1], strict=True)
            paying = [b for b, a, after, before in steps if (after - before) / (b - a) >= number_of(limit)]
            yield at_most(dict.fromkeys(amount.cells, 1.0), max(paying, default=0.0))


def choices_of(case: Case) -> list[list[Region]]:
    """Give what is a choice: numbers of lots, which channels are active, which soft limits are missed."""
    choices = [_lots(case, channel) for channel in case.channels if channel.step is not None]
    for limit in case.limits:
        soft = limit.get("priority") == "soft"
        if limit["measure"] == "active_channels":
            choices.append(list(_active(case, limit)))
        elif limit["measure"] == "spend_if_active":
            choices.append(list(_all_or_nothing(case, limit)))
        elif soft:
            choices += [
                [Region([one]), Region([one.turned], limit["penalty"])] for one in meaning(case, limit)
            ]
    return choices


def _lots(case: Case, channel: Channel) -> list[Region]:
    own, step = own_cells(case, channel), channel.step or 0.0
    end = sum(points["spend"][-1] for points in channel.curves.values())
    return [
        Region([at_least(own, k * step), at_most(own, k * step)])
        for k in range(int(min(case.budget, end) / step + 1e-9) + 1)
    ]


def _active(case: Case, limit: Mapping[str, Any]) -> Iterator[Region]:
    """Try every set of channels that get money in the cells; a soft count costs by the channel."""
    cells = case.selected(dict(limit))
    channels = list(dict.fromkeys(channel for _, channel in cells))
    for chosen in range(2 ** len(channels)):
        on = [channel for i, channel in enumerate(channels) if chosen >> i & 1]
        holds = []
        for channel in channels:
            own = dict.fromkeys([cell for cell in cells if cell[1] == channel], 1.0)
            holds.append(at_least(own, LEAST) if channel in on else at_most(own, 0.0))
        gap = number_of(limit) - len(on) if "min" in limit else len(on) - number_of(limit)
        if gap <= 0:
            yield Region(holds)
        elif limit.get("priority") == "soft":  # an empty sum whose room is the gap
            yield Region([Inequality({"spend": {}}, -gap), *holds], limit["penalty"])


def _all_or_nothing(case: Case, limit: Mapping[str, Any]) -> Iterator[Region]:
    ones, number = dict.fromkeys(case.selected(dict(limit)), 1.0), number_of(limit)
    enough = at_least(ones, number) if "min" in limit else at_most(ones, number)
    yield Region([at_most(ones, 0.0)])
    yield Region([at_least(ones, LEAST), enough])
    if limit.get("priority") == "soft":
        yield Region([enough.turned, at_least(ones, LEAST)], limit["penalty"])


def dearest_unit(case: Case) -> float:
    """Give the most one unit of money can change a plan's worth: what it brings, and the fines it moves."""
    steepest = {"spend": 1.0}
    for amount in amounts_of(case):
        for name, values in amount.brings.items():
            slopes = np.abs(np.diff(values) / np.diff(amount.spend))
            steepest[name] = max(steepest.get(name, 0.0), float(slopes.max()))
    dearest = sum(abs(weight) * steepest[name] for name, weight in worth_of(case.goal).items())
    for limit in case.limits:
        if "penalty" in limit and limit["measure"] not in ("active_channels", "spend_if_active"):
            for inequality in meaning(case, limit):
                counts = inequality.counts.items()
                unit = sum(max(map(abs, w.values()), default=0.0) * steepest[name] for name, w in counts)
                dearest += limit["penalty"] * unit
    return dearest
