"""A plan under bad luck: what every draw of the curves makes of it, and what would have been better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from allocator.errors import ArgumentError, DataError, Finding
from allocator.plan.grids import drawn
from allocator.plan.problem import Problem
from allocator.plan.program import compile_problem
from allocator.plan.results import today
from allocator.plan.solution import Status
from allocator.plan.solver import HotModel
from allocator.plan.uncertainty import count_draws, margin_draws
from allocator.response.curve import FloatArray
from allocator.study.kept import brought, valued

IntArray = NDArray[np.intp]
QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
WORST = 0.1  # share of draws that count as bad luck
SHOWN = 5  # of the worst draws


class BadDraw(NamedTuple):
    """One of the worst draws: what the plan is worth in it, and the channel that falls shortest."""

    draw: int
    value: float
    channel: str
    shortfall: float


@dataclass(frozen=True, eq=False)
class Regret:
    """What the plan loses to the one that would have been best, in a sample of draws.

    Parameters
    ----------
    draws : array, shape (n_sampled,)
        Which; spread evenly from the worst draw to the best one.
    best : array, shape (n_sampled,)
        What each draw allows at most, in the objective's unit.
    loss : array, shape (n_sampled,)
        Of which the plan gets so much less.
    """

    draws: IntArray
    best: FloatArray
    loss: FloatArray

    @property
    def mean(self) -> float:
        """On average: what it would be worth to know the curves exactly."""
        return float(self.loss.mean())

    @property
    def largest(self) -> float:
        """In the worst of the draws sampled."""
        return float(self.loss.max())


@dataclass(frozen=True, eq=False)
class Stress:
    """A plan over all draws; money, outcomes in the objective's unit.

    Parameters
    ----------
    outcomes : array, shape (n_draws,)
        The objective.
    quantiles : mapping of float to float
        Of the objective.
    loss_probability : float
        Share of draws in which the plan brings less than it spends.
    beats_today : float or None
        Share of draws in which it is ahead of today's plan; None where that is not known.
    worst : tuple of BadDraw
        The worst first.
    causes : mapping of str to float
        By how much the mean of each channel's margin in the worst tenth of draws differs from what is
        expected of it; the one that falls shortest first.
    regret : Regret
    """

    outcomes: FloatArray
    quantiles: Mapping[float, float]
    loss_probability: float
    beats_today: float | None
    worst: tuple[BadDraw, ...]
    causes: Mapping[str, float]
    regret: Regret

    @property
    def expected(self) -> float:
        """Mean of the draws."""
        return float(self.outcomes.mean())


def stress(problem: Problem, spend: FloatArray, sample: int = 20) -> Stress:
    """Say how a plan does over the draws of the curves.

    Parameters
    ----------
    problem : Problem
    spend : array, shape (n_decisions,)
        In money.
    sample : int
        Draws in which the best plan is looked for.

    Raises
    ------
    ArgumentError
        For a sample of none.
    DataError
        E209 where no curve has draws.
    """
    if sample < 1:
        raise ArgumentError(Finding("E106", None, f"a sample holds at least one draw, not {sample}"))
    if not count_draws(problem):
        what = "no curve of this plan is uncertain, so there is nothing to stress"
        fix = "state estimates with a low and a high, or measure responses by a test"
        raise DataError(Finding("E209", None, what, fix))
    got = brought(problem, spend)
    draws = _draws(problem, spend)
    values = problem.value(got) + (draws - got.margin) @ problem.goal[1]
    before = today(problem, got, draws)
    rank = np.argsort(values, kind="stable")
    channels = _by_channel(problem, draws - draws.mean(axis=0))
    bad = rank[: max(1, round(WORST * len(values)))]
    means = {name: float(off[bad].mean()) for name, off in channels.items()}
    return Stress(
        outcomes=values,
        quantiles={q: float(np.quantile(values, q)) for q in QUANTILES},
        loss_probability=float(np.mean(draws.sum(axis=1) < got.spend.sum())),
        beats_today=before.beaten_in if before else None,
        worst=tuple(_bad_draw(int(d), values, channels) for d in rank[:SHOWN]),
        causes=dict(sorted(means.items(), key=lambda item: item[1])),
        regret=_regret(problem, values, rank[_spread(len(rank), sample)]),
    )


def _draws(problem: Problem, spend: FloatArray) -> FloatArray:
    """Give the margin of every decision in every draw; that there are draws is known."""
    found = margin_draws(problem, valued(problem, np.asarray(spend, dtype=float)))
    return np.zeros((0, len(problem.decisions))) if found is None else found


def _by_channel(problem: Problem, off: FloatArray) -> dict[str, FloatArray]:
    """Add up how far the margin of every channel is off in every draw."""
    found: dict[str, FloatArray] = {}
    for j, decision in enumerate(problem.decisions):
        name = decision.cells[0].channel
        found[name] = found.get(name, np.zeros(len(off))) + off[:, j]
    return found


def _bad_draw(draw: int, values: FloatArray, channels: Mapping[str, FloatArray]) -> BadDraw:
    name = min(channels, key=lambda channel: float(channels[channel][draw]))
    return BadDraw(draw, float(values[draw]), name, float(channels[name][draw]))


def _spread(n: int, sample: int) -> IntArray:
    """Give places spread evenly over `n`, both ends included."""
    return np.unique(np.linspace(0, n - 1, min(sample, n)).round().astype(np.intp))


def _regret(problem: Problem, values: FloatArray, sampled: IntArray) -> Regret:
    """Solve the sampled draws on one hot program, each with its own gains.

    A draw need not be concave: then its best plan may fill pieces out of order, and the regret is at most
    this.
    """
    compiled = compile_problem(problem)
    n_draws, pieces = len(values), slice(0, len(compiled.piece))
    off = np.concatenate(
        [
            np.zeros((n_draws, len(grid.slopes)))
            if decision.curve.draws is None
            else drawn(decision.curve, grid.spend) - grid.slopes
            for decision, grid in zip(problem.decisions, compiled.grids, strict=True)
        ],
        axis=1,
    )
    per_margin = problem.goal[1][compiled.piece] * compiled.money / compiled.objective_unit
    model = HotModel(compiled.lp)
    best = np.full(len(sampled), np.nan)
    for place, draw in enumerate(sampled):
        cost = compiled.lp.cost.copy()
        cost[pieces] -= per_margin * off[draw]
        model.charge(cost)
        answer = model.run()
        if answer.status in (Status.OPTIMAL, Status.FEASIBLE_GAP):
            best[place] = -answer.objective * compiled.objective_unit
    found = np.isfinite(best)
    return Regret(sampled[found], best[found], np.maximum(best - values[sampled], 0.0)[found])
