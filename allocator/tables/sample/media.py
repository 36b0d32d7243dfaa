"""Weekly spend and revenue of four media, with carry-over and saturation that are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from allocator.tables.sample.chance import Chance, FloatArray
from allocator.tables.sample.shoppers import START, season

if TYPE_CHECKING:
    from pandas import DataFrame

WEEKS = 104
FIRST_WEEK = np.datetime64("2024-10-28")
BASE_REVENUE = 1_050_000  # EUR a week without media, of the whole population
NOISE = 0.02


@dataclass(frozen=True)
class Medium:
    """A medium and what it truly brings.

    Parameters
    ----------
    name : str
    weekly : float
        Usual spend, EUR a week.
    on_air : float
        Share of weeks with any spend.
    decay : float
        Share of the pressure that carries over to the next week.
    ceiling, half_saturation : float
        Most revenue a week, and the weekly spend that brings half of it, EUR.
    """

    name: str
    weekly: float
    on_air: float
    decay: float
    ceiling: float
    half_saturation: float

    def revenue(self, spend: FloatArray) -> FloatArray:
        """Give the revenue each week's pressure brings, EUR; shape (n_weeks,).

        Pressure is spend with geometric carry-over, scaled so that steady spend is its own pressure.
        """
        pressure = np.empty(len(spend))
        level = spend[0]
        for week, money in enumerate(spend):
            level = self.decay * level + (1 - self.decay) * money
            pressure[week] = level
        return self.ceiling * pressure / (self.half_saturation + pressure)

    def steady_revenue(self, spend: float, weeks: int = 13) -> float:
        """Give the revenue of spending `spend` evenly over `weeks` weeks, EUR."""
        return weeks * self.ceiling * spend / (weeks * self.half_saturation + spend)


MEDIA = (
    Medium("tv", 22_000, 0.45, 0.6, 90_000, 20_000),
    Medium("search", 9_000, 1.0, 0.1, 110_000, 13_000),
    Medium("social", 5_500, 0.9, 0.3, 48_000, 9_000),
    Medium("display", 3_000, 0.85, 0.2, 6_000, 3_000),
)


def spend_history(chance: Chance) -> DataFrame:
    """Give the weekly panel: `week`, `revenue`, the spend of each medium and weeks with a `promotion`."""
    import pandas as pd

    weeks = FIRST_WEEK + 7 * np.arange(WEEKS)
    busy = season((weeks - START).astype(int) + 3)
    promotion = (chance.uniform(WEEKS) < 0.12).astype(int)
    spends = {medium.name: _spend(medium, busy, chance) for medium in MEDIA}
    base = BASE_REVENUE * busy * (1 + 0.0006 * np.arange(WEEKS)) * (1 + 0.06 * promotion)
    brought = sum((medium.revenue(spends[medium.name]) for medium in MEDIA), np.zeros(WEEKS))
    revenue = base * np.exp(NOISE * chance.normal(WEEKS)) + brought
    return pd.DataFrame({"week": weeks, "revenue": revenue.round(), **spends, "promotion": promotion})


def _spend(medium: Medium, busy: FloatArray, chance: Chance) -> FloatArray:
    """Plan a medium's weeks: partly by season, in flights of four weeks, with some chance."""
    flights = np.repeat(chance.uniform(WEEKS // 4) < medium.on_air, 4)
    level = np.repeat(np.exp(0.35 * chance.normal(WEEKS // 4)), 4)
    money = medium.weekly * busy**0.5 * level * np.exp(0.15 * chance.normal(WEEKS))
    return np.where(flights, money, 0.0).round(-1)
