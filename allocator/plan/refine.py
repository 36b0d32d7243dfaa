"""Breakpoints where they matter: smooth curves are cut ever finer around the optimum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from allocator.plan.compiled import Compiled
from allocator.plan.grids import Grid, first_grids
from allocator.plan.linear import Entries, IntArray, Interval, LinearProgram
from allocator.plan.problem import Decision, Problem, Quantities
from allocator.plan.program import SIZE, compile_problem
from allocator.plan.safety import is_uncertain, secured
from allocator.plan.solution import Status
from allocator.plan.solver import GAPS, HotModel, RawSolution
from allocator.plan.uncertainty import worth
from allocator.response.curve import FloatArray, Shape

FINE = 1e-5  # largest change of the marginal return over a piece next to the optimum, relative
PARTS = 8  # a piece that is too coarse is cut into
ROUNDS = 16
ROUNDS_OF_WHOLES = 5  # the same where every round chooses whole numbers anew
NARROWEST = 1e-9  # of the budget; no piece is cut below
FROM_ZERO = 1e-6  # of the budget: the same where the first unit earns without limit
CENTS = 0.1  # pieces at least this wide are cut at whole cents
MISSING = 1e4  # cost of a unit by which a limit on returns is missed, while coarse curves may cause it
NEARBY = (0, 1, 2, 3, 4, 6, 9, 13, 19, 28, 42, 63, 94, 141, 211, 316)  # places kept around the optimum
CHEATED = 1e-7  # of the objective's size, or of a row's scale: more is claimed than the curves give
FULL = 1e-7  # of a unit of the program: pieces this close to full, or to empty, are

CARRIES = (Status.OPTIMAL, Status.FEASIBLE_GAP)


@dataclass(frozen=True, eq=False)
class Located:
    """The program on its final breakpoints with whole numbers held, its model and the model's answer.

    Parameters
    ----------
    compiled : Compiled
    model : HotModel
    answer : RawSolution
        Of the program with whole numbers held.
    whole : LinearProgram
        The program before whole numbers were held.
    gap : float
        Relative gap left by the choice of whole numbers.
    bound : float
        No plan on these breakpoints is worth more, in the objective's unit; infinite without whole numbers,
        where duals tell.
    best : array, shape (n_draws,), or None
        The best objective of each draw, for regret.
    """

    compiled: Compiled
    model: HotModel
    answer: RawSolution
    whole: LinearProgram
    gap: float = 0.0
    bound: float = np.inf
    best: FloatArray | None = None


def locate(problem: Problem) -> Located:
    """Solve a problem with HiGHS, cutting smooth curves around the optimum until the cut costs nothing.

    Every round keeps the optimum's pieces and cuts those next to it into `PARTS`; the breakpoints far away
    are thinned out, which a concave curve allows. A limit on returns that only the coarse curves break is
    found by solving with that limit at a high price. Where the program claims more than the curves give,
    because it fills pieces out of order, these curves are filled in order by binaries and all is repeated.
    """
    ordered: frozenset[int] = frozenset()
    while True:
        located = _refined(problem, ordered)
        found = disordered(located) - ordered if located.answer.status in CARRIES else frozenset()
        if not found:
            return located
        ordered |= found


def _refined(problem: Problem, ordered: frozenset[int]) -> Located:
    grids = [
        replace(grid, ordered=grid.ordered or j in ordered) for j, grid in enumerate(first_grids(problem))
    ]
    places = [grid.spend for grid in grids]
    located = _solved(compile_problem(problem, grids))
    for _ in range(ROUNDS_OF_WHOLES if located.whole.integer.any() else ROUNDS):
        spend = _spend(located)
        coarse = None if spend is None else _coarse(located.compiled, spend)
        if spend is None or coarse is None or not any(map(len, coarse)):
            break
        places = [_merged(old, new) for old, new in zip(places, coarse, strict=True)]
        grids = [
            old if decision.curve.shape is None else _near(decision, old, place, at)
            for old, decision, place, at in zip(
                located.compiled.grids, problem.decisions, places, spend, strict=True
            )
        ]
        located = _solved(compile_problem(problem, grids))
    return located


def _solved(compiled: Compiled) -> Located:
    """Solve; choose whole numbers first and hold them, so that the answer has duals."""
    best = None
    if is_uncertain(compiled.problem):
        safe = secured(compiled)
        compiled, best, model, answer = safe.compiled, safe.best, safe.model, safe.answer
    else:
        model = HotModel(compiled.lp)
        answer = model.run()
    if answer.status not in CARRIES or not compiled.lp.integer.any():
        return Located(compiled, model, answer, compiled.lp, best=best)
    held = compiled.fixed(answer.x)
    model = HotModel(held)
    return Located(
        replace(compiled, lp=held),
        model,
        model.run(),
        compiled.lp,
        gap=max(0.0, answer.gap) if np.isfinite(answer.gap) else 0.0,
        bound=-answer.bound * compiled.objective_unit,
        best=best,
    )


def is_settled(located: Located) -> bool:
    """Say whether whole numbers were chosen to the gap that is asked for."""
    return located.gap <= GAPS[1] * (1 + 1e-6)


def disordered(located: Located) -> frozenset[int]:
    """Give the decisions whose pieces are filled out of order, if the program claims too much by that."""
    compiled, x = located.compiled, located.answer.x
    problem = compiled.problem
    claimed = _claimed(compiled, x)
    got = problem.quantities(problem.within(compiled.spend(x)))
    room = problem.room(got) + CHEATED * np.maximum(problem.scales(got), 1.0)
    value = -located.answer.objective * compiled.objective_unit
    size = max(problem.size(got), compiled.money * 1e-6)
    if (room >= 0).all() and value - worth(problem, got, located.best) <= CHEATED * size:
        return frozenset()
    full = compiled.lp.col_upper[: len(compiled.piece)] - x[: len(compiled.piece)] <= FULL
    filled = x[: len(compiled.piece)] > FULL
    same = compiled.piece[1:] == compiled.piece[:-1]
    skipping = np.flatnonzero(same & ~full[:-1] & filled[1:])
    differs = np.abs(np.array(claimed) - np.array(got)).max(axis=0) > 0
    if is_uncertain(problem):  # what is the same in the mean may not be so under every draw
        differs |= [decision.curve.draws is not None for decision in problem.decisions]
    return frozenset(int(j) for j in compiled.piece[skipping] if differs[j])


def _claimed(compiled: Compiled, x: FloatArray) -> Quantities:
    """Give what the program takes spend to bring."""
    n, owned = len(compiled.problem.decisions), x[: len(compiled.owner)]
    sums = [np.bincount(compiled.owner, rate * owned, minlength=n) for rate in compiled.rate]
    return Quantities(*(np.asarray(compiled.money * one, dtype=float) for one in sums))


def _spend(located: Located) -> FloatArray | None:
    """Give the optimum's effective spend, or where limits on returns are missed least; None without."""
    compiled = located.compiled
    problem = compiled.problem
    if located.answer.status in CARRIES:
        return problem.effective(compiled.spend(located.answer.x))
    earned = problem.incidence.row[problem.incidence.earned]
    smooth = any(decision.curve.shape is not None for decision in problem.decisions)
    if located.answer.status is not Status.INFEASIBLE or not (smooth and len(earned)):
        return None
    rows = np.unique(earned)
    slack = Interval(np.zeros(len(rows)), np.full(len(rows), np.inf))
    columns = Entries(rows, np.arange(len(rows)), problem.signs[rows])
    eased = HotModel(compiled.lp.with_columns(np.full(len(rows), MISSING), slack, columns)).run()
    return problem.effective(compiled.spend(eased.x)) if eased.status in CARRIES else None


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
    if abs(first - last) <= FINE * max(abs(last), level) or width <= least:
        return np.zeros(0)
    cuts = np.linspace(ends[0], ends[1], PARTS + 1)[1:-1]
    return np.asarray(np.round(cuts, 2) if width / PARTS >= CENTS else cuts, dtype=float)


def _merged(old: FloatArray, new: FloatArray) -> FloatArray:
    return np.union1d(old, new) if len(new) else old


def _near(decision: Decision, old: Grid, places: FloatArray, at: float) -> Grid:
    """Thin out places, the more the further from `at`; the first and the last stay, and all of an S-shape."""
    if decision.curve.concave:
        centre = int(np.argmin(np.abs(places - at)))
        steps = np.array(NEARBY, dtype=np.intp)
        near = np.concatenate((centre - steps, centre + steps))
        kept: IntArray = np.unique(np.clip(near, 0, len(places) - 1))
        places = places[np.union1d(kept, np.array([0, len(places) - 1], dtype=np.intp))]
    return old.at(decision.curve, places)
