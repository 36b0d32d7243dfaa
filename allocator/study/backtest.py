"""Would the plan have kept its promise? Fitted on what was known, judged by what was not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from allocator.models.media.holdout import Holdout
from allocator.models.uplift.base import Estimated
from allocator.pipeline import Forecasted, judge
from allocator.scenario.schema import Scenario
from allocator.stages.judge import Judged
from allocator.study.halves import Half, HalfPlan, planned, valued
from allocator.study.policies import simple_policies, spend_of

FloatArray = NDArray[np.float64]
LIKELY = NormalDist().inv_cdf(0.9)
PLAN = "plan"


@dataclass(frozen=True)
class PolicyRow:
    """One way to contact customers, valued by customers who did not choose it; money of the population.

    Parameters
    ----------
    name : str
        ``plan`` or a simple plan.
    spend, margin, margin_error : float
        Margin is incremental, gross of spend.
    behind, behind_error : float
        Profit of the plan less that of this one, and its standard error, paired by customer.
    """

    name: str
    spend: float
    margin: float
    margin_error: float
    behind: float
    behind_error: float

    @property
    def profit(self) -> float:
        """Margin less spend."""
        return self.margin - self.spend

    @property
    def is_level(self) -> bool:
        """Whether it cannot be told from the plan, 8 in 10."""
        return abs(self.behind) <= LIKELY * self.behind_error


@dataclass(frozen=True)
class KeptPromise:
    """What a plan made on one half of a test promised, and what it brings on the other.

    Parameters
    ----------
    promised, came, error : float
        Incremental margin of the tested channels, money of the population; `error` is the standard error of
        what came.
    """

    promised: float
    came: float
    error: float


@dataclass(frozen=True)
class Backtest:
    """What a plan of the past would have been worth.

    Parameters
    ----------
    policies : tuple of PolicyRow
        The plan first, then by profit.
    kept : tuple of KeptPromise
        One a half of the test.
    judged : Judged or None
        The forecast of customers against what they then bought.
    media : tuple of Holdout
        The media mix against periods it was not shown.
    """

    policies: tuple[PolicyRow, ...]
    kept: tuple[KeptPromise, ...] = ()
    judged: Judged | None = None
    media: tuple[Holdout, ...] = ()

    @property
    def promised(self) -> float | None:
        """Margin that plans made on half of the test promised, on average; None without a test."""
        return float(np.mean([one.promised for one in self.kept])) if self.kept else None


def backtest(scenario: Scenario, found: Forecasted, halves: Sequence[Half]) -> Backtest:
    """Plan on half of the test and judge by the other half, beside simple plans; hold out orders and periods.

    Parameters
    ----------
    scenario : Scenario
    found : Forecasted
    halves : sequence of Half
        Of :func:`allocator.study.halves.halves_of`; none where no channel was tested.
    """
    plans = [(half, planned(scenario, found, half)) for half in halves]
    made = [(half, plan) for half, plan in plans if plan is not None]
    on_halves = [_on_half(scenario, found, half, plan) for half, plan in made]
    fits = found.modelled.fits.values() if found.modelled else ()
    return Backtest(
        policies=tuple(_rows(on_halves)) if on_halves else (),
        kept=tuple(
            _kept(plan, values[PLAN].margin) for (_, plan), values in zip(made, on_halves, strict=True)
        ),
        judged=judge(scenario, found.tables) if found.tables.transactions else None,
        media=tuple(fit.holdout for fit in fits if fit.holdout is not None),
    )


def _kept(plan: HalfPlan, came: Estimated) -> KeptPromise:
    return KeptPromise(plan.promised, came.value, came.standard_error)


@dataclass(frozen=True)
class _Valued:
    """A policy on one half."""

    spend: float
    margin: Estimated
    profit: float
    ahead: Estimated


def _rows(halves: Sequence[dict[str, _Valued]]) -> Iterator[PolicyRow]:
    rows = [_row(name, [half[name] for half in halves]) for name in halves[0]]
    yield from sorted(rows, key=lambda row: (row.name != PLAN, -row.profit))


def _on_half(scenario: Scenario, found: Forecasted, half: Half, plan: HalfPlan) -> dict[str, _Valued]:
    sizes = found.customers.sizes
    own = plan.chance(half, sizes)
    cost = half.tested.targeting.cost
    channels = half.tested.log.channels
    money = np.array(
        [
            sum(n for cell, n in plan.contacts.items() if cell.channel == name) * price
            for name, price in zip(channels, cost, strict=True)
        ]
    )
    every = {PLAN: own, **simple_policies(scenario, half, sizes, money)}
    spends = {name: spend_of(chance, half, sizes) for name, chance in every.items()}
    found_values = {}
    for name, chance in every.items():
        margin = valued(chance, half, sizes)
        gap = valued(own - chance, half, sizes)
        ahead = Estimated(gap.value - spends[PLAN] + spends[name], gap.standard_error)
        found_values[name] = _Valued(spends[name], margin, margin.value - spends[name], ahead)
    return found_values


def _row(name: str, halves: Sequence[_Valued]) -> PolicyRow:
    """Average the halves, whose errors are independent."""

    def mean(parts: Sequence[Estimated]) -> tuple[float, float]:
        error = np.sqrt(sum(one.standard_error**2 for one in parts)) / len(parts)
        return float(np.mean([one.value for one in parts])), float(error)

    margin, behind = mean([one.margin for one in halves]), mean([one.ahead for one in halves])
    spend = float(np.mean([one.spend for one in halves]))
    return PolicyRow(name, spend, *margin, *behind)
