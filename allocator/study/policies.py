"""Simple plans to hold a plan against: what people do without one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from allocator.scenario.schema import Scenario
from allocator.scenario.sections import CurrentByTier
from allocator.study.halves import Half

FloatArray = NDArray[np.float64]


def simple_policies(
    scenario: Scenario, half: Half, sizes: Mapping[str, float], money: FloatArray
) -> dict[str, FloatArray]:
    """Give the probability with which simple plans contact each of the other customers, by channel.

    Parameters
    ----------
    scenario : Scenario
    half : Half
        Whose customers may be used to choose a channel.
    sizes : mapping of tier to float
    money : array, shape (n_channels,)
        What the plan spends on each channel.

    Returns
    -------
    dict of name to array, shape (n_others, n_channels)
        ``equal split``: the plan's money in equal parts, customers by lot; ``highest tier first``: the same
        contacts, the best tier until it has no customer left, and so on; ``random customers``: the plan's
        own split over channels, customers by lot; ``everybody``: all by the channel that pays best on
        average; ``nobody``; ``current plan`` where today's spend is stated.
    """
    cost = half.tested.targeting.cost
    tiers = half.tested.log.tiers
    people = np.array([sizes[name] for name in tiers])
    even = money.sum() / len(cost) / cost
    by_tier = {
        "equal split": _spread(even, people),
        "highest tier first": _best_first(even, people),
        "random customers": _spread(money / cost, people),
        "everybody": _everybody(half, people),
        "nobody": np.zeros((len(people), len(cost))),
    }
    today = _current(scenario, half, people)
    if today is not None:
        by_tier["current plan"] = today
    return {name: chance[half.others.stratum] for name, chance in by_tier.items()}


def spend_of(chance: FloatArray, half: Half, sizes: Mapping[str, float]) -> float:
    """Give what contacting the plan's population by these probabilities costs, money."""
    paid = chance @ half.tested.targeting.cost
    parts = [
        sizes[name] * float(paid[half.others.stratum == tier].mean())
        for tier, name in enumerate(half.tested.log.tiers)
    ]
    return float(sum(parts))


def _spread(contacts: FloatArray, people: FloatArray) -> FloatArray:
    """Give everybody the same chance; where there are more contacts than customers all are cut alike."""
    chance = contacts / people.sum()
    return np.tile(chance / max(float(chance.sum()), 1.0), (len(people), 1))


def _best_first(contacts: FloatArray, people: FloatArray) -> FloatArray:
    """Fill the tiers in their order with contacts in fixed proportion."""
    total = float(contacts.sum())
    before = np.concatenate([[0.0], np.cumsum(people)[:-1]])
    filled = np.clip(total - before, 0.0, people) / people
    mix = contacts / total if total else contacts
    return np.asarray(filled[:, None] * mix)


def _everybody(half: Half, people: FloatArray) -> FloatArray:
    """Contact all by the channel that earns most over its cost, by the half that is known."""
    targeting = half.tested.targeting
    effect = targeting.effect - targeting.cost
    net = [effect[targeting.tier == tier].mean(axis=0) for tier in range(len(people))]
    best = int(np.argmax(people @ np.array(net)))
    return np.tile(np.eye(len(targeting.cost))[best], (len(people), 1))


def _current(scenario: Scenario, half: Half, people: FloatArray) -> FloatArray | None:
    """Give today's contacts, tier by tier where stated, else as customers fall on tiers."""
    rows = []
    for name, cost in zip(half.tested.log.channels, half.tested.targeting.cost, strict=True):
        current = scenario.channels[name].current
        if current is None:
            return None
        if isinstance(current, CurrentByTier):
            spent = np.array([current.by_tier.get(tier, 0.0) for tier in half.tested.log.tiers])
        else:
            spent = current * people / people.sum()
        rows.append(spent / cost / people)
    chance = np.column_stack(rows)
    return np.asarray(chance / np.maximum(chance.sum(axis=1, keepdims=True), 1.0))
