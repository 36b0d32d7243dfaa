"""A spend history so small that it is fitted in a moment, of channels whose curves are known."""

from __future__ import annotations

import numpy as np

from tests.small_project import Project

SCENARIO = """\
version: 1
name: Small history
currency: EUR
horizon: {start: 2027-01-04, end: 2027-03-28}
budget: {total: 40k, reason: Test}
objective: {maximize: profit, margin: 40%}
data:
  spend_history:
    path: weekly.csv
    date: week
    outcome: revenue
    spend: {tv: tv_S, search: search_S}
    controls: [promotion]
    group: region
models:
  history: {name: media_mix, refits: 20, harmonics: 0}
channels:
  tv: {response: {source: history}}
  search: {response: {source: history}}
risk: {draws: 40, seed: 3}
"""

WEEKS = 60
CEILING = {"tv": 4000.0, "search": 6000.0}
"""Revenue a week over all groups that no spend exceeds, and"""
HALF = {"tv": 1500.0, "search": 1000.0}
"""the weekly spend over all groups that brings half of it; no carry-over."""
LEVEL = 20_000.0
PROMOTION = 0.1
"""What a promotion adds, over the level."""


def revenue(channel: str, weekly: float) -> float:
    """Give what a channel truly brings in a week of an even spend over all groups."""
    return CEILING[channel] * weekly / (HALF[channel] + weekly)


def rows(groups: tuple[str, ...], seed: int = 5, weeks: int = WEEKS) -> list[str]:
    """Give the lines of the file: every group as large as the others."""
    rng = np.random.default_rng(seed)
    share = 1 / len(groups)
    lines = ["week,region,revenue,tv_S,search_S,promotion"]
    for group in groups:
        spend = {name: share * half * rng.lognormal(0, 0.8, weeks).round(3) for name, half in HALF.items()}
        promotion = rng.uniform(size=weeks) < 0.2
        brought = sum(share * np.array([revenue(c, x / share) for x in own]) for c, own in spend.items())
        outcome = share * LEVEL * (1 + PROMOTION * promotion) * rng.normal(1, 0.01, weeks) + brought
        for week in range(weeks):
            cells = (outcome[week], spend["tv"][week], spend["search"][week])
            numbers = ",".join(f"{cell:.2f}" for cell in cells)
            lines.append(f"{np.datetime64('2025-01-06') + 7 * week},{group},{numbers},{int(promotion[week])}")
    return lines


def history_project(groups: tuple[str, ...] = ("north", "east", "south", "west")) -> Project:
    """Give the scenario with its file."""
    return Project(SCENARIO, {"weekly.csv": ("\n".join(rows(groups)) + "\n").encode()})
