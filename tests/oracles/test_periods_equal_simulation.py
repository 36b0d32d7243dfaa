"""Plans in time: their value against a simulation day by day of carry-over, their optimum against scipy."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import TypeAdapter
from scipy.optimize import Bounds, LinearConstraint, milp, minimize

from allocator.plan.assemble import PlanTerms, assemble
from allocator.plan.constraints import Constraint
from allocator.plan.defaults import ChannelTerms
from allocator.plan.objectives import Budget, Objective
from allocator.plan.optimise import optimise
from allocator.plan.problem import Problem
from allocator.plan.solution import Status
from allocator.response.curve import ResponseCurve, Shape
from allocator.response.curves import Curves, Evidence, Response
from allocator.response.families import Log, breakpoints
from allocator.response.periods import Period, periods_of

FloatArray = NDArray[np.float64]
LIMIT: TypeAdapter[Any] = TypeAdapter(Constraint)
FADED = 1e-4
"""What is left of an effect when it is not followed any further."""
seeds = st.integers(0, 10_000)
engines = pytest.mark.parametrize("engine", ["cbc", "highs"])


@dataclass(frozen=True)
class Channel:
    """A curve for the whole horizon, and how its effect lasts."""

    curve: ResponseCurve
    keep: float
    before: float
    season: dict[str, float]
    terms: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Horizon:
    """Channels over periods under a budget."""

    channels: dict[str, Channel]
    periods: tuple[Period, ...]
    budget: Budget
    objective: Objective

    def problem(self, **limits: Any) -> Problem:
        responses = [
            Response(name, one.curve, Evidence.OPINION, "curve" if one.curve.shape else "points")
            for name, one in self.channels.items()
        ]
        terms = PlanTerms(
            {
                name: ChannelTerms(
                    name, carryover=one.keep, carry_in=one.before, season=one.season, **one.terms
                )
                for name, one in self.channels.items()
            },
            self.budget, self.objective, {name: LIMIT.validate_python(one) for name, one in limits.items()},
            periods=self.periods,
        )  # fmt: skip
        return assemble(Curves(tuple(responses)), terms)

    @property
    def shares(self) -> FloatArray:
        days = [(period.end - period.start).days + 1 for period in self.periods]
        return np.array(days) / sum(days)

    def season_of(self, channel: Channel) -> FloatArray:
        index = np.array([channel.season.get(period.name, 1.0) for period in self.periods])
        return np.asarray(index / (index @ self.shares))

    @property
    def discounts(self) -> FloatArray:
        rate = self.objective.discount_rate or 0.0
        middles = [
            (one.start - self.periods[0].start).days + ((one.end - one.start).days + 1) / 2
            for one in self.periods
        ]
        return np.asarray((1 + rate) ** (-np.array(middles) / 365.25))

    def simulated(self, spend: dict[str, FloatArray]) -> float:
        """Value of a plan: period after period, with what is left of the effect before, in, and after."""
        net = self.objective.maximize in ("profit", "npv")
        discounts = self.discounts if self.objective.maximize == "npv" else np.ones(len(self.periods))
        total = 0.0
        for name, channel in self.channels.items():
            brings, season = self._brings(channel), self.season_of(channel)
            effect, without = channel.before, channel.before
            for t in range(len(self.periods)):
                effect = channel.keep * effect + (1 - channel.keep) * spend[name][t]
                without = channel.keep * without
                earned = brings(effect, t, season) - brings(without, t, season)
                if t == len(self.periods) - 1 and channel.keep:
                    left = channel.keep
                    while left >= FADED:
                        earned += brings(left * effect, t, season) - brings(left * without, t, season)
                        left *= channel.keep
                total += discounts[t] * (earned - net * spend[name][t])
        return total

    def _brings(self, channel: Channel) -> Any:
        shape, shares = channel.curve.shape, self.shares

        def value(effect: float, t: int, season: FloatArray) -> float:
            whole = effect / shares[t]
            if shape is not None:
                return float(season[t] * shares[t] * shape.value(np.asarray(whole)))
            curve = channel.curve
            return float(season[t] * shares[t] * np.interp(whole, curve.spend, curve.value))

        return value


def drawn_horizon(seed: int, *, smooth: bool, discounted: bool = False) -> Horizon:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 5))
    periods = periods_of(date(2027, 1, int(rng.integers(1, 20))), date(2027, n, 28), "month")
    size = 1e5 * n
    channels = {}
    for name in ("email", "search")[: 2 if smooth else int(rng.integers(1, 3))]:
        keep = float(rng.choice([0.0, 0.2, 0.5, 0.8]))
        shape: Shape | None = None
        if smooth:
            shape = Log(scale=float(rng.uniform(0.3, 2)) * size, pace=float(rng.uniform(0.1, 1)) * size)
            spend = breakpoints(shape, 2 * size)
            value = shape.value(spend)
        else:
            widths = rng.integers(2, 9, size=3) / 10 * size
            slopes = -np.sort(-rng.integers(-2, 30, size=3)) / 8
            spend = np.concatenate([[0], np.cumsum(widths)])
            value = np.concatenate([[0], np.cumsum(widths * slopes)])
        season = {p.name: float(rng.uniform(0.5, 2)) for p in periods if rng.random() < 0.5}
        before = float(rng.choice([0.0, 0.1])) * float(spend[-1]) / 5 / n
        channels[name] = Channel(ResponseCurve(spend, value, shape=shape), keep, before, season)
    goal = "npv" if discounted else str(rng.choice(["profit", "incremental_margin"]))
    objective = Objective(maximize=goal, discount_rate=0.3 if discounted else None)
    return Horizon(channels, periods, Budget(total=float(rng.uniform(0.3, 2)) * size), objective)


def with_rules(horizon: Horizon, seed: int, *, lots: bool = False) -> Horizon:
    """Add budgets by period, money held back, channels that are not there, promises, bounds, and lots."""
    rng = np.random.default_rng(seed + 1)
    total, names = horizon.budget.total, [period.name for period in horizon.periods]
    budget: dict[str, Any] = {"total": total}
    if rng.random() < 0.7:
        stated = [name for name in names if rng.random() < 0.8] or names[:1]
        budget["by_period"] = {name: float(rng.uniform(0.1, 0.8)) * total for name in stated}
        budget["roll_over"] = bool(rng.random() < 0.6)
    if rng.random() < 0.3:
        budget["reserve"] = 0.3 * total
    channels = {}
    for name, channel in horizon.channels.items():
        terms: dict[str, Any] = {}
        if rng.random() < 0.4:
            terms["available"] = tuple(names[1:] if rng.random() < 0.5 else names[:-1])
        if rng.random() < 0.3:
            terms["max"] = float(rng.uniform(0.2, 0.6)) * total
        if rng.random() < 0.3 and "available" not in terms:
            terms["committed"] = {names[0]: 0.04 * total}
        if lots and rng.random() < 0.7:
            terms["step"] = 0.08 * total
            terms.pop("committed", None)
        channels[name] = replace(channel, terms=terms)
    return replace(horizon, channels=channels, budget=Budget(**budget))


def rules_of(horizon: Horizon) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What spend may be, as ``low <= matrix @ x <= high`` over channels and their periods in order."""
    names, n = list(horizon.channels), len(horizon.periods)
    every = np.arange(len(names) * n)
    rows = [(np.ones(len(every)), 0.0, horizon.budget.total - (horizon.budget.reserve or 0.0))]
    stated = horizon.budget.by_period or {}
    run: list[int] = []
    for t, period in enumerate(horizon.periods):
        run = [*run, t] if horizon.budget.roll_over else [t]
        if period.name not in stated:
            run = []
            continue
        rows.append((np.isin(every % n, run) * 1.0, 0.0, sum(stated[horizon.periods[s].name] for s in run)))
    for c, (_, channel) in enumerate(horizon.channels.items()):
        mine = (every // n == c) * 1.0
        rows.append((mine, 0.0, channel.terms.get("max", np.inf)))
        for t, period in enumerate(horizon.periods):
            there = period.name in channel.terms.get("available", [period.name])
            promised = channel.terms.get("committed", {}).get(period.name, 0.0)
            rows.append((mine * (every % n == t), promised, np.inf if there else 0.0))
    matrix, low, high = (np.array(part) for part in zip(*rows, strict=True))
    return matrix, low, high


def split(horizon: Horizon, spend: FloatArray) -> dict[str, FloatArray]:
    return dict(zip(horizon.channels, spend.reshape(len(horizon.channels), -1), strict=True))


def kept(horizon: Horizon, spend: FloatArray) -> None:
    matrix, low, high = rules_of(horizon)
    assert (matrix @ spend >= low - 0.02).all()
    assert (matrix @ spend <= high + 0.02).all()


def in_order(problem: Problem, horizon: Horizon) -> bool:
    cells = [decision.cells[0] for decision in problem.decisions]
    return [(cell.channel, cell.period) for cell in cells] == [
        (name, period.name) for name in horizon.channels for period in horizon.periods
    ]


@engines
@settings(max_examples=50)
@given(seed=seeds, smooth=st.booleans(), discounted=st.booleans())
def test_what_a_plan_states_is_what_a_simulation_gives(engine, seed, smooth, discounted):
    horizon = drawn_horizon(seed, smooth=smooth, discounted=discounted)
    problem = horizon.problem()
    assert in_order(problem, horizon)
    plan = optimise(problem, engine)
    assert plan.status is Status.OPTIMAL, plan.warnings
    simulated = horizon.simulated(split(horizon, np.array(plan.decision_spend)))
    assert plan.objective == pytest.approx(simulated, rel=1e-9, abs=1e-6)
    rng = np.random.default_rng(seed)
    tried = np.array([one.curve.end for one in problem.decisions]) * rng.uniform(
        0, 0.4, len(problem.decisions)
    )
    value = problem.value(problem.quantities(tried))
    assert value == pytest.approx(horizon.simulated(split(horizon, tried)), rel=1e-9, abs=1e-6)


@engines
@settings(max_examples=50)
@given(seed=seeds)
def test_no_local_search_finds_a_better_plan(engine, seed):
    """SLSQP from several starts on smooth curves, with the same rules."""
    horizon = with_rules(drawn_horizon(seed, smooth=True, discounted=seed % 3 == 0), seed)
    plan = optimise(horizon.problem(), engine)
    matrix, low, high = rules_of(horizon)
    assert plan.status is Status.OPTIMAL, plan.warnings
    spend = np.array(plan.decision_spend)
    kept(horizon, spend)
    total, rng = horizon.budget.total, np.random.default_rng(seed)
    finite = np.isfinite(high)
    constraint = {
        "type": "ineq",
        "fun": lambda x: np.concatenate(
            [matrix @ x - low / total, high[finite] / total - matrix[finite] @ x]
        ),
    }
    found = [
        minimize(
            lambda x: -horizon.simulated(split(horizon, np.maximum(x, 0) * total)) / total,
            start, method="SLSQP", bounds=[(0, 1)] * len(spend), constraints=[constraint],
            options={"ftol": 1e-12, "maxiter": 300},
        )
        for start in (spend / total, *rng.dirichlet(np.ones(len(spend)), 2))
    ]  # fmt: skip
    fit = [-one.fun * total for one in found if constraint["fun"](one.x).min() > -1e-9]
    best = max(fit)
    assert plan.objective >= best - 2e-6 * total
    assert plan.objective <= best + 1e-4 * total


@dataclass(frozen=True)
class Term:
    """What a period's spend brings while `left` of its effect remains."""

    curve: ResponseCurve
    share: float
    gain: float
    left: float
    before: float
    effect: FloatArray

    @property
    def constant(self) -> float:
        """What the money before the horizon brings anyway."""
        return self.gain * float(
            np.interp(self.left * self.before / self.share, self.curve.spend, self.curve.value)
        )

    @property
    def lines(self) -> list[tuple[FloatArray, float]]:
        """Coefficients on spend and right-hand sides: ``y + coefficients @ x <= side`` for every piece."""
        curve, times = self.curve, self.left / self.share
        return [
            (-slope * times * self.effect, v - slope * x + slope * times * self.before)
            for x, v, slope in zip(curve.spend, curve.value, np.diff(curve.value) / np.diff(curve.spend))  # noqa: B905
        ]


def terms_of(horizon: Horizon) -> list[Term]:
    """Everything spend brings, by channel, period and what is left of its effect."""
    n, net = len(horizon.periods), horizon.objective.maximize == "npv"
    found = []
    for c, channel in enumerate(horizon.channels.values()):
        season, keep = horizon.season_of(channel), channel.keep
        for t, share in enumerate(horizon.shares):
            effect = np.zeros(len(horizon.channels) * n)
            effect[c * n : c * n + t + 1] = (1 - keep) * keep ** np.arange(t, -1.0, -1.0)
            gain = (horizon.discounts[t] if net else 1.0) * season[t] * share
            left = 1.0
            while left >= FADED:
                found.append(Term(channel.curve, share, gain, left, channel.before * keep ** (t + 1), effect))
                left *= keep if t == n - 1 else 0.0
    return found


def by_milp(horizon: Horizon) -> float | None:
    """The best value on concave points: each term below every line of its curve."""
    terms, scale, n = terms_of(horizon), horizon.budget.total, len(horizon.periods)
    matrix, low, high = rules_of(horizon)
    steps = np.repeat([one.terms.get("step", 0.0) for one in horizon.channels.values()], n)
    stepped, n_spend = np.flatnonzero(steps), len(steps)
    price = np.tile(
        horizon.discounts if horizon.objective.maximize == "npv" else np.ones(n), len(horizon.channels)
    )
    cost = price * (horizon.objective.maximize != "incremental_margin")
    own = np.eye(len(terms))
    below = [(np.concatenate([on, own[k]]), side) for k, term in enumerate(terms) for on, side in term.lines]
    ends = [
        (np.concatenate([term.effect, 0 * own[0]]), term.curve.end * term.share - term.before)
        for term in terms
        if term.left == 1.0
    ]
    table, sides = (np.array(part) for part in zip(*below, *ends, strict=True))
    n_all = n_spend + len(terms) + len(stepped)

    def wide(part: FloatArray) -> FloatArray:
        return np.hstack([part, np.zeros((len(part), n_all - part.shape[1]))])

    lots = np.zeros((len(stepped), n_all))
    lots[np.arange(len(stepped)), stepped] = 1.0
    lots[np.arange(len(stepped)), n_spend + len(terms) + np.arange(len(stepped))] = -steps[stepped] / scale
    limits = [
        LinearConstraint(wide(table), -np.inf, sides / scale),
        LinearConstraint(wide(matrix), low / scale, high / scale),
    ]
    answer = milp(
        np.concatenate([cost, [-term.gain for term in terms], np.zeros(len(stepped))]),
        constraints=[*limits, LinearConstraint(lots, 0, 0)] if len(stepped) else limits,
        bounds=Bounds(
            np.concatenate([np.zeros(n_spend), np.full(len(terms), -np.inf), np.zeros(len(stepped))]), np.inf
        ),
        integrality=np.arange(n_all) >= n_spend + len(terms),
        options={"mip_rel_gap": 0.0},
    )
    return None if answer.x is None else -answer.fun * scale - sum(term.constant for term in terms)


@engines
@pytest.mark.parametrize("lots", [False, True], ids=["any money", "lots"])
@settings(max_examples=60)
@given(seed=seeds, discounted=st.booleans())
def test_points_over_periods_are_planned_best(engine, lots, seed, discounted):
    horizon = with_rules(drawn_horizon(seed, smooth=False, discounted=discounted), seed, lots=lots)
    best, plan = by_milp(horizon), optimise(horizon.problem(), engine)
    if best is None:
        assert plan.status is Status.INFEASIBLE
        assert plan.conflict.rows
        return
    assert plan.status is Status.OPTIMAL, plan.warnings
    kept(horizon, np.array(plan.decision_spend))
    assert plan.objective == pytest.approx(best, rel=3e-6, abs=1e-6 * horizon.budget.total)


@engines
@settings(max_examples=50)
@given(seed=seeds, smooth=st.booleans())
def test_months_add_up_to_quarters(engine, seed, smooth):
    """Without carry-over nothing is lost by spending evenly within a quarter."""
    rng = np.random.default_rng(seed)
    drawn = drawn_horizon(seed, smooth=smooth)
    channels = {name: replace(one, keep=0.0, before=0.0, season={}) for name, one in drawn.channels.items()}
    quarters, months = (
        replace(drawn, channels=channels, periods=periods_of(date(2027, 1, 1), date(2027, 6, 30), kind))
        for kind in ("quarter", "month")
    )
    most = {q: float(rng.uniform(0.1, 0.8)) * drawn.budget.total for q in ("2027-Q1", "2027-Q2")}
    by_quarter = optimise(
        replace(quarters, budget=Budget(total=drawn.budget.total, by_period=most)).problem(), engine
    )
    of_quarter = {q: [f"2027-0{3 * k + i}" for i in (1, 2, 3)] for k, q in enumerate(most)}
    by_month = optimise(
        months.problem(
            **{q: {"measure": "spend", "max": most[q], "where": {"period": of_quarter[q]}} for q in most}
        ),
        engine,
    )
    assert by_month.status is by_quarter.status is Status.OPTIMAL
    assert by_month.objective == pytest.approx(by_quarter.objective, rel=3e-6, abs=1e-6 * drawn.budget.total)
