"""Plans for bad luck: the worth of draws is concave in spend, so planes touching it from above find its top.

Kelley's cutting planes: the shares with which draws count at a plan give a plane that no plan lies above;
the program with all planes so far is solved again until plan and planes meet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from allocator.plan.compiled import Compiled
from allocator.plan.grids import Grid, drawn, rises
from allocator.plan.linear import Entries, Interval, LinearProgram
from allocator.plan.problem import Problem
from allocator.plan.program import compile_problem
from allocator.plan.risk import EXPECTED, Risk
from allocator.plan.solution import Status
from allocator.plan.solver import HotModel, RawSolution
from allocator.plan.uncertainty import count_draws
from allocator.response.curve import FloatArray, ResponseCurve

MEET = 1e-8
"""Of the objective's size: how near planes and plan have to come."""
MOST_PLANES = 2000


@dataclass(frozen=True, eq=False)
class Drawn:
    """What every column gains under every draw, shape (n_draws, n_cols), and the best each draw allows."""

    gain: FloatArray
    best: FloatArray


@dataclass(frozen=True, eq=False)
class Secured:
    """A program that maximises the worth of draws, and what each draw allows at best, in the objective."""

    compiled: Compiled
    best: FloatArray | None
    model: HotModel
    answer: RawSolution


def is_uncertain(problem: Problem) -> bool:
    """Say whether risk is more than the mean of the draws."""
    return problem.risk.method != "expected" and count_draws(problem) > 0


def secured(compiled: Compiled) -> Secured:
    """Give the program whose optimum is the plan with the highest worth.

    The column after all others is that worth; pieces have no gain of their own any more.
    """
    problem = compiled.problem
    gain = _gains(compiled)
    best = _best_of_draws(compiled, gain) if problem.risk.method in ("regret", "lower_quantile") else None
    made = Drawn(gain, np.zeros(len(gain)) if best is None else best)
    lp = _by_worth(compiled, made)
    if problem.risk.method == "lower_quantile":
        lp = _quantile(compiled, lp, made)
        model = HotModel(lp)
        answer = model.run()
    else:
        model, answer = _touching(lp, made, problem.risk)
    found = best if problem.risk.method == "regret" else None
    stated = None if found is None else found * compiled.objective_unit
    return Secured(replace(compiled, lp=model.settled()), stated, model, answer)


def _gains(compiled: Compiled) -> FloatArray:
    """Give the gain of every column under every draw, in the program's units; cost of misses left out."""
    problem, n_draws = compiled.problem, count_draws(compiled.problem)
    gain = np.zeros((n_draws, compiled.lp.n_cols))
    owned = slice(0, len(compiled.owner))
    gain[:, owned] = -compiled.lp.cost[owned]
    per_margin = problem.goal[1] * compiled.money / compiled.objective_unit
    first = 0
    for j, (decision, grid) in enumerate(zip(problem.decisions, compiled.grids, strict=True)):
        last = first + len(grid.widths)
        if decision.curve.draws is not None:
            gain[:, first:last] += per_margin[j] * (drawn(decision.curve, grid.spend) - grid.slopes)
        first = last
    return gain


def _best_of_draws(compiled: Compiled, gain: FloatArray) -> FloatArray:
    """Give the best objective each draw allows, in the program's units."""
    problem = compiled.problem
    grids = [replace(grid, ordered=grid.ordered or _rises(d.curve, grid))
             for d, grid in zip(problem.decisions, compiled.grids, strict=True)]  # fmt: skip
    if problem.risk.method == "regret" and any(grid.ordered for grid in grids):
        compiled = compile_problem(replace(problem, risk=EXPECTED), grids)
    model = HotModel(compiled.lp)
    owned, cost = len(compiled.owner), compiled.lp.cost
    best = []
    for draw in gain:
        model.charge(np.concatenate((-draw[:owned], cost[owned:])))
        best.append(-model.run().objective)
    return np.array(best)


def _rises(curve: ResponseCurve, grid: Grid) -> bool:
    """Say whether some draw of a curve bends upwards, so that pieces do not fill in order by themselves."""
    if curve.draws is None:
        return False
    return any(bool(rises(rates).any()) for rates in drawn(curve, grid.spend))


def _by_worth(compiled: Compiled, made: Drawn) -> LinearProgram:
    """Add the column of worth, and take the gain from all others."""
    owned = len(compiled.owner)
    cost = np.where(np.arange(compiled.lp.n_cols) < owned, 0.0, compiled.lp.cost)
    nothing = Entries([], [], [])
    lp = replace(compiled.lp, cost=cost).with_columns([-1.0], Interval([-np.inf], [np.inf]), nothing)
    mean = np.append(made.gain.mean(axis=0), 0.0)
    top = np.zeros(lp.n_cols)
    top[-1] = 1.0
    used = np.flatnonzero(top - mean)
    offset = float(made.best.mean()) if compiled.problem.risk.method == "regret" else 0.0
    if compiled.problem.risk.method == "lower_quantile":
        return lp
    row = Entries(np.zeros(len(used)), used, (top - mean)[used])
    return lp.with_rows(row, Interval([-np.inf], [-offset]))


def _touching(lp: LinearProgram, made: Drawn, risk: Risk) -> tuple[HotModel, RawSolution]:
    """Add planes until the plan reaches the worth they promise; the mean of all draws is the first."""
    model = HotModel(lp)
    base = made.best
    answer = model.run()
    for _ in range(MOST_PLANES):
        if answer.status not in (Status.OPTIMAL, Status.FEASIBLE_GAP):
            break
        values = made.gain @ answer.x[:-1]
        shares = risk.shares(values, base)
        reached = float(shares @ (values - base))
        if answer.x[-1] - reached <= MEET * max(
            1.0, float(np.abs(shares @ made.gain) @ np.abs(answer.x[:-1]))
        ):
            break
        plane = np.append(-(shares @ made.gain), 1.0)
        model.cut(plane, -float(shares @ base))
        answer = model.run()
    if answer.status is Status.OPTIMAL and not lp.integer.any():
        answer = replace(answer, reduced_cost=model.settled().reduced_cost(answer.row_dual))
    return model, answer


def _quantile(compiled: Compiled, lp: LinearProgram, made: Drawn) -> LinearProgram:
    """Let all but a share of the draws reach the worth: a binary for each says that it may stay below."""
    n = len(made.gain)
    spared = compiled.problem.risk.spared(n)
    most = float(np.sort(made.best)[spared])
    least = np.minimum(made.gain, 0.0).min(axis=1) * float(compiled.problem.budget or 0.0) / compiled.money
    theta = lp.n_cols - 1
    lp = replace(lp, col_upper=np.where(np.arange(lp.n_cols) == theta, most, lp.col_upper))
    lp = lp.with_columns(np.zeros(n), Interval(np.zeros(n), np.ones(n)), Entries([], [], []), integer=True)
    row, col = np.nonzero(made.gain)
    draws = np.arange(n)
    entries = Entries(
        np.concatenate((row, draws, draws)),
        np.concatenate((col, np.full(n, theta), theta + 1 + draws)),
        np.concatenate((-made.gain[row, col], np.ones(n), -np.maximum(most - least, 0.0))),
    )
    lp = lp.with_rows(entries, Interval(np.full(n, -np.inf), np.zeros(n)))
    count = Entries(np.zeros(n), theta + 1 + draws, np.ones(n))
    return lp.with_rows(count, Interval([-np.inf], [float(spared)]))
