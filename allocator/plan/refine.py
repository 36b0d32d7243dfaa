"""Breakpoints where they matter: smooth curves are cut ever finer around the optimum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from allocator.plan.problem import IntArray, Problem
from allocator.plan.program import SIZE, Compiled, Entries, Interval, compile_problem, first_grids, grid_at
from allocator.plan.solution import Status
from allocator.plan.solver import HotModel, RawSolution
from allocator.response.curve import FloatArray, Shape

FINE = 1e-5  # largest fall of the marginal return over a piece next to the optimum, relative
PARTS = 8  # a piece that is too coarse is cut into
ROUNDS = 16
NARROWEST = 1e-9  # of the budget; no piece is cut below
FROM_ZERO = 1e-6  # of the budget: the same where the first unit earns without limit
CENTS = 0.1  # pieces at least this wide are cut at whole cents
MISSING = 1e4  # cost of a unit by which a limit on returns is missed, while coarse curves may cause it
NEARBY = (0, 1, 2, 3, 4, 6, 9, 13, 19, 28, 42, 63, 94, 141, 211, 316)  # places kept around the optimum


@dataclass(frozen=True, eq=False)
class Located:
    """The program on its final breakpoints, its model and the model's answer."""

    compiled: Compiled
    model: HotModel
    answer: RawSolution


def locate(problem: Problem) -> Located:
    """Solve a problem with HiGHS, cutting smooth curves around the optimum until the cut costs nothing.

    Every round keeps the optimum's pieces and cuts those next to it into `PARTS`; the breakpoints far away
    are thinned out, which a concave curve allows. A limit on returns that only the coarse curves break is
    found by solving with that limit at a high price.
    """
    places = [grid.spend for grid in first_grids(problem)]
    located = _solved(compile_problem(problem))
    for _ in range(ROUNDS):
        spend = _spend(located)
        coarse = None if spend is None else _coarse(located.compiled, spend)
        if spend is None or coarse is None or not any(map(len, coarse)):
            break
        places = [_merged(old, new) for old, new in zip(places, coarse, strict=True)]
        grids = [
            old if decision.curve.shape is None else grid_at(decision, _near(place, at), open_end=True)
            for old, decision, place, at in zip(
                located.compiled.grids, problem.decisions, places, spend, strict=True
            )
        ]
        located = _solved(compile_problem(problem, grids))
    return located


def _solved(compiled: Compiled) -> Located:
    model = HotModel(compiled.lp)
    return Located(compiled, model, model.run())


def _spend(located: Located) -> FloatArray | None:
    """Give the optimum's spend, or where the limits on returns are missed least; None when neither exists."""
    compiled = located.compiled
    if located.answer.status is Status.OPTIMAL:
        return compiled.spend(located.answer.x)
    problem = compiled.problem
    earned = problem.incidence.row[problem.incidence.margin != 0]
    smooth = any(decision.curve.shape is not None for decision in problem.decisions)
    if located.answer.status is not Status.INFEASIBLE or not (smooth and len(earned)):
        return None
    rows = np.unique(earned)
    signs = [float(problem.rows[i].bound.sign) for i in rows]
    slack = Interval(np.zeros(len(rows)), np.full(len(rows), np.inf))
    columns = Entries(rows, np.arange(len(rows)), signs)
    eased = HotModel(compiled.lp.with_columns(np.full(len(rows), MISSING), slack, columns)).run()
    return compiled.spend(eased.x) if eased.status is Status.OPTIMAL else None


def _coarse(compiled: Compiled, spend: FloatArray) -> list[FloatArray]:
    """Give, per decision, the places at which to cut the pieces next to the optimum; none where fine."""
    level = compiled.objective_unit / compiled.money
    size = compiled.problem.budget or compiled.money * SIZE  # without a budget nothing else ends the cutting
    cuts = []
    for decision, grid, at in zip(compiled.problem.decisions, compiled.grids, spend, strict=True):
        shape = decision.curve.shape
        pieces = () if shape is None else _beside(grid.spend, float(at))
        found = [_cuts(shape, grid.spend[k : k + 2], level, size) for k in pieces if shape]
        cuts.append(np.concatenate(found) if found else np.zeros(0))
    return cuts


def _beside(places: FloatArray, at: float) -> Sequence[int]:
    """Give the pieces that touch `at`, and their neighbours where it lies inside a piece."""
    last = len(places) - 2
    k = int(np.clip(np.searchsorted(places, at, side="right") - 1, 0, last))
    width = places[k + 1] - places[k]
    inside = (at - places[k]) / width
    if inside < 1e-6:
        pieces = range(k - 1, k + 1)
    elif inside > 1 - 1e-6:
        pieces = range(k, k + 2)
    else:
        pieces = range(k - 1, k + 2)
    return [piece for piece in pieces if 0 <= piece <= last]


def _cuts(shape: Shape, ends: FloatArray, level: float, size: float) -> FloatArray:
    first, last = shape.marginal(ends)
    width = float(ends[1] - ends[0])
    least = (NARROWEST if np.isfinite(first) else FROM_ZERO) * size
    if first - last <= FINE * max(abs(last), level) or width <= least:
        return np.zeros(0)
    cuts = np.linspace(ends[0], ends[1], PARTS + 1)[1:-1]
    return np.asarray(np.round(cuts, 2) if width / PARTS >= CENTS else cuts, dtype=float)


def _merged(old: FloatArray, new: FloatArray) -> FloatArray:
    return np.union1d(old, new) if len(new) else old


def _near(places: FloatArray, at: float) -> FloatArray:
    """Thin out places, the more the further from `at`; the first and the last stay."""
    centre = int(np.argmin(np.abs(places - at)))
    steps = np.array(NEARBY, dtype=np.intp)
    kept: IntArray = np.unique(np.clip(np.concatenate((centre - steps, centre + steps)), 0, len(places) - 1))
    ends = np.array([0, len(places) - 1], dtype=np.intp)
    return places[np.union1d(kept, ends)]
