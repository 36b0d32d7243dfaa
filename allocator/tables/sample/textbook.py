"""The textbook case: from an equal split to the best plan, with curves that are known and no noise.

Three tiers and three channels share 900,000, today 100,000 each. The best plan moves money from customers who
are reached enough to those who are not: more conversions among the best customers, a fifth less cost for the
low tier, and 8 % more return from the same budget.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.tables.sample.chance import FloatArray

TIERS = ("high", "medium", "low")
CHANNELS = ("email", "direct_mail", "phone")
CUSTOMERS = np.array([200_000.0, 300_000.0, 500_000.0])
BUDGET = 900_000.0
CONVERSION_VALUE = 40.0  # margin of one conversion
CEILING = np.array([[350e3, 980e3, 750e3], [260e3, 710e3, 200e3], [210e3, 700e3, 180e3]])
HALF_SATURATION = np.array([40e3, 150e3, 40e3])
HALVINGS = 200


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a division of the budget brings.

    Parameters
    ----------
    spend, margin : array, shape (n_tiers, n_channels)
        Money; margin is incremental and gross of spend.
    """

    spend: FloatArray
    margin: FloatArray

    @property
    def total_return(self) -> float:
        """Incremental margin of the whole plan, money."""
        return float(self.margin.sum())

    def cost(self, tier: str) -> float:
        """Money spent on a tier."""
        return float(self.spend[TIERS.index(tier)].sum())

    def conversion(self, tier: str) -> float:
        """Incremental conversions per customer of a tier."""
        row = TIERS.index(tier)
        return float(self.margin[row].sum() / CONVERSION_VALUE / CUSTOMERS[row])


def outcome(spend: FloatArray) -> Outcome:
    """Give what a division of money brings: ``ceiling * s / (half_saturation + s)`` in every cell.

    Parameters
    ----------
    spend : array, shape (n_tiers, n_channels)
        Money.
    """
    spend = np.asarray(spend, dtype=np.float64)
    return Outcome(spend, CEILING * spend / (HALF_SATURATION + spend))


def equal_split() -> Outcome:
    """Give today's plan: the same money for every tier and channel.

    Examples
    --------
    >>> today = equal_split()
    >>> round(today.cost("low")), round(today.conversion("high"), 3)
    (300000, 0.147)
    """
    return outcome(np.full(CEILING.shape, BUDGET / CEILING.size))


def best_split() -> Outcome:
    """Give the most profitable plan within the budget: all cells earn the same on their next unit of money.

    That return is halved in upon, not below 1, where money no longer pays.

    Examples
    --------
    >>> today, best = equal_split(), best_split()
    >>> round(best.cost("low") / today.cost("low") - 1, 2)
    -0.2
    >>> round(best.total_return / today.total_return - 1, 2)
    0.08
    >>> round(best.conversion("high"), 3)
    0.17
    """
    low, high = 1.0, float((CEILING / HALF_SATURATION).max())
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _demand(middle).sum() > BUDGET else (low, middle)
    return outcome(_demand(high))


def textbook_scenario() -> dict[str, object]:
    """Give the case as a scenario: what a scenario file would say, with the equal split as today's plan.

    Examples
    --------
    >>> list(textbook_scenario()["channels"])
    ['email', 'direct_mail', 'phone']
    """
    high, medium = (f"{part:.0%}" for part in CUSTOMERS[:2] / CUSTOMERS.sum())
    shares = dict(zip(TIERS, (f"top {high}", f"next {medium}", "rest"), strict=True))
    return {
        "version": 1,
        "name": "Textbook case",
        "currency": "EUR",
        "budget": {"total": BUDGET, "spend": "up_to"},
        "tiers": {
            "by": "predicted_clv",
            "levels": {tier: {"share": share} for tier, share in shares.items()},
        },
        "channels": {channel: _channel(column) for column, channel in enumerate(CHANNELS)},
    }


def _demand(price: float) -> FloatArray:
    """Money at which each cell's next unit earns `price`: ``ceiling * half / (half + s)**2 == price``."""
    return np.asarray(np.maximum(np.sqrt(CEILING * HALF_SATURATION / price) - HALF_SATURATION, 0.0))


def _channel(column: int) -> dict[str, object]:
    half = float(HALF_SATURATION[column])
    curves = {
        tier: {"family": "hill", "ceiling": float(CEILING[row, column]), "half_saturation": half}
        for row, tier in enumerate(TIERS)
    }
    today = dict.fromkeys(TIERS, BUDGET / CEILING.size)
    return {"current": {"by_tier": today}, "response": {"source": "curve", "by_tier": curves}}
