"""The rule behind a plan's choice of customers, in words."""

from __future__ import annotations

from collections.abc import Iterable

from allocator.quantities import ratio
from allocator.report.view import PlanView
from allocator.stages.targets import Price


def rule_lines(view: PlanView, prices: Iterable[Price]) -> tuple[str, ...]:
    """Say from which gain on a contact is worth its cost, tiers with the same rule together."""
    labels = {one.name: one.label for one in view.channels} | {one.name: one.label for one in view.tiers}
    alike: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for one in prices:
        rule = (one.channel, ratio(one.price_of_money), one.because)
        alike.setdefault(rule, []).append(labels.get(one.tier, one.tier))
    return tuple(
        f"{labels.get(channel, channel)}, {', '.join(tiers)}: contact when gain − {price} × cost > 0"
        + (f" ({', '.join(because)})" if because else "")
        for (channel, price, because), tiers in alike.items()
    )
