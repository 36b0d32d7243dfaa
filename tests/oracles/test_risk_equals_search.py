"""Risk against its definitions, and plans for bad luck against a search over a lattice of splits."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from allocator.plan.assemble import PlanTerms, assemble
from allocator.plan.defaults import ChannelTerms
from allocator.plan.objectives import Budget, Objective
from allocator.plan.optimise import optimise
from allocator.plan.risk import Risk
from allocator.plan.solution import Status
from allocator.response.curve import ResponseCurve
from allocator.response.curves import Curves, Evidence, Response

FloatArray = NDArray[np.float64]
UNIT = 1000.0
METHODS = ("cvar", "lower_quantile", "worst_case", "regret")
draws_of = st.lists(st.integers(-50, 50).map(float), min_size=3, max_size=30).map(np.array)
levels = st.sampled_from([0.05, 0.1, 0.25, 1 / 3, 0.5, 0.9])


@given(draws=draws_of, level=levels, weight=st.sampled_from([0.0, 0.25, 1.0]))
def test_cvar_is_the_mean_of_the_worst_share(draws, level, weight):
    """By Rockafellar and Uryasev: the largest ``t - mean(max(t - d, 0)) / level``, reached at a draw."""
    worst = max(t - np.maximum(t - draws, 0).mean() / level for t in draws)
    expected = weight * worst + (1 - weight) * draws.mean()
    assert Risk("cvar", level, weight).of(draws) == pytest.approx(expected, abs=1e-9)


@given(draws=draws_of, level=levels)
def test_the_lower_quantile_is_what_all_but_a_share_reach(draws, level):
    reached = max(d for d in draws if (draws < d).mean() <= level + 1e-12)
    assert Risk("lower_quantile", level).of(draws) == reached


@given(draws=draws_of, level=levels, more=st.lists(st.integers(0, 9), min_size=30, max_size=30))
def test_the_worst_case_and_regret_are_of_single_draws(draws, level, more):
    best = draws + np.array(more[: len(draws)])
    assert Risk("worst_case", level).of(draws) == draws.min()
    assert Risk("regret", level).of(draws, best) == -(best - draws).max()


@given(draws=draws_of, level=levels, method=st.sampled_from(METHODS), shift=st.integers(-9, 9))
def test_shares_are_a_distribution_under_which_the_draws_have_that_mean(draws, level, method, shift):
    risk = Risk(method, level)
    shares = risk.shares(draws)
    assert (shares >= 0).all()
    assert shares.sum() == pytest.approx(1)
    assert shares @ draws == pytest.approx(risk.of(draws))
    assert risk.of(draws + shift) == pytest.approx(risk.of(draws) + shift)
    assert risk.of(2 * draws) == pytest.approx(2 * risk.of(draws))


@dataclass(frozen=True)
class Gamble:
    """Curves under draws, shape (n_draws, n_breakpoints) each, a budget, bounds and a goal."""

    spend: list[FloatArray]
    draws: list[FloatArray]
    budget: float
    exactly: bool
    net: bool
    floor: float
    risk: Risk

    @classmethod
    def drawn(cls, seed: int, risk: Risk, *, concave: bool) -> Gamble:
        rng = np.random.default_rng(seed)
        n, n_draws = int(rng.integers(2, 4)), int(rng.integers(3, 31))
        spend, draws = [], []
        for _ in range(n):
            widths = rng.integers(2, 9, size=2 if n == 3 else 3).astype(float)
            slopes = rng.integers(-1, 25, size=(n_draws, len(widths))) / 8.0
            slopes = -np.sort(-slopes, axis=1) if concave else slopes
            spend.append(np.concatenate([[0], np.cumsum(widths)]) * UNIT)
            draws.append(np.column_stack([np.zeros(n_draws), np.cumsum(slopes * widths, axis=1)]) * UNIT)
        return cls(
            spend, draws, float(rng.integers(3, 18)) * UNIT, bool(rng.integers(2)), bool(rng.integers(2)),
            float(rng.integers(0, 2)) * UNIT, risk,
        )  # fmt: skip

    def plan(self, engine: Any) -> Any:
        names = [f"c{j}" for j in range(len(self.spend))]
        responses = [
            Response(name, ResponseCurve(x, v.mean(axis=0), draws=v), Evidence.MODELLED, "history")
            for name, x, v in zip(names, self.spend, self.draws, strict=True)
        ]
        channels = {name: ChannelTerms(name, min=self.floor) for name in names}
        terms = PlanTerms(
            channels, Budget(total=self.budget, spend="exactly" if self.exactly else "up_to"),
            Objective(maximize="profit" if self.net else "incremental_margin"), risk=self.risk,
        )  # fmt: skip
        return optimise(assemble(Curves(tuple(responses)), terms), engine)

    def outcomes(self, splits: FloatArray) -> FloatArray:
        """The goal under every draw, shape (n_draws, n_splits)."""
        total = np.tile(-splits.sum(axis=1) if self.net else np.zeros(len(splits)), (len(self.draws[0]), 1))
        for j, (x, draws) in enumerate(zip(self.spend, self.draws, strict=True)):
            total += np.array([np.interp(splits[:, j], x, draw) for draw in draws])
        return total

    def judged(self, outcomes: FloatArray, best: FloatArray) -> FloatArray:
        """The worth of splits by the definitions, in numpy."""
        ordered = np.sort(outcomes, axis=0)
        n = len(ordered)
        match self.risk.method:
            case "worst_case":
                return ordered[0]
            case "regret":
                return -(best[:, None] - outcomes).max(axis=0)
            case "lower_quantile":
                return ordered[int(np.floor(self.risk.level * n + 1e-9))]
        worst = [
            ordered[i] - np.maximum(ordered[i] - ordered, 0).mean(axis=0) / self.risk.level for i in range(n)
        ]
        return self.risk.weight * np.max(worst, axis=0) + (1 - self.risk.weight) * outcomes.mean(axis=0)

    def allowed(self, splits: FloatArray) -> FloatArray:
        ends = np.array([x[-1] for x in self.spend])
        total = splits.sum(axis=1)
        kept = ((splits >= self.floor - 1e-9) & (splits <= ends + 1e-9)).all(axis=1)
        kept &= total <= self.budget + 1e-6
        return splits[kept & (total >= self.budget - 1e-6) if self.exactly else kept]

    def lattice(self, step: float, around: FloatArray | None = None, reach: int = 0) -> FloatArray:
        """Splits in steps: everywhere, or `reach` steps around a plan; the last takes the rest if it must."""
        n = len(self.spend)
        if around is None:
            axes = [np.arange(0.0, min(x[-1], self.budget) + step / 2, step) for x in self.spend]
        else:
            axes = [x + step * np.arange(-reach, reach + 1) for x in around]
        points = np.array(list(product(*(axes[: n - 1] if self.exactly else axes))))
        if self.exactly:
            points = np.column_stack([points, self.budget - points.sum(axis=1)])
        return self.allowed(points)


def checked(gamble: Gamble, engine: Any) -> None:
    """Hold a plan for bad luck against all splits in whole units, and against finer ones around it."""
    splits = gamble.lattice(UNIT / 2)
    plan = gamble.plan(engine)
    if not len(splits):
        assert plan.status is Status.INFEASIBLE
        return
    assert plan.status is Status.OPTIMAL, plan.warnings
    spend = np.array(plan.decision_spend)
    assert len(gamble.allowed(np.round(spend, 2)[None])) == 1
    outcomes = gamble.outcomes(splits)
    # bends, bounds and budgets lie on whole units: each draw alone has its best at one of these splits
    best = outcomes.max(axis=1)
    mine = gamble.judged(gamble.outcomes(spend[None]), best)[0]
    assert plan.worth == pytest.approx(mine, abs=1e-5 * gamble.budget)
    steepest = max(
        float(np.abs(np.diff(v) / np.diff(x)).max()) for x, v in zip(gamble.spend, gamble.draws, strict=True)
    )
    worths = gamble.judged(outcomes, best)
    assert mine >= worths.max() - 1e-5 * gamble.budget
    assert mine <= worths.max() + UNIT / 2 * len(spend) * (steepest + gamble.net)
    for step in (UNIT / 40, UNIT / 2000):
        near = gamble.lattice(step, spend, reach=6)
        if len(near):
            assert mine >= gamble.judged(gamble.outcomes(near), best).max() - 1e-5 * gamble.budget


@pytest.mark.parametrize("engine", ["cbc", "highs"])
@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=50)
@given(seed=st.integers(0, 10_000), level=levels, weight=st.sampled_from([0.5, 1.0]))
def test_a_plan_for_bad_luck_beats_every_split(engine, method, seed, level, weight):
    risk = Risk(method, level, weight if method == "cvar" else 1.0)
    checked(Gamble.drawn(seed, risk, concave=True), engine)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=50)
@given(seed=st.integers(0, 10_000), level=levels)
def test_draws_may_bend_as_they_like(method, seed, level):
    checked(Gamble.drawn(seed, Risk(method, level), concave=False), "cbc")
