"""Which of several equally good plans: least spend, then least change, then order of declaration.

All plans of one value form a face of the program: columns with a reduced cost stay at their bound, rows with
a dual stay at their limit. Each further wish is a program on the face of the one before, so no row has to
guard the value and no curve can be cheated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from allocator.plan.compiled import Compiled
from allocator.plan.linear import Entries, Interval, LinearProgram
from allocator.plan.polish import curved, polished
from allocator.plan.problem import IntArray, Problem
from allocator.plan.solution import Status
from allocator.plan.solver import HotModel, RawSolution
from allocator.response.curve import FloatArray

TIE = 1e-8  # reduced costs and duals up to this, where costs are about 1, are no difference
MOVES = 5e-3  # money; a decision that can move less is settled


@dataclass(frozen=True, eq=False)
class Settled:
    """The chosen plan among the best ones.

    ``spend`` in money, shape (n_decisions,). ``interchangeable`` names groups of decisions between which
    money can move without loss.
    """

    spend: FloatArray
    interchangeable: tuple[tuple[str, ...], ...] = ()


def settle(compiled: Compiled, best: RawSolution) -> Settled:
    """Choose among all plans as good as `best`, once smooth curves are at their exact optimum.

    In this order: least spend (where the budget need not be used up), smallest largest deviation of a
    decision that can still move from its current spend (unknown counts as 0), then as much as possible for
    the decision declared first, and so on.
    """
    problem, at = compiled.problem, best
    spend = polished(compiled, best)
    face = _held(compiled, face_of(compiled.lp, best), spend)
    if is_point(face):
        return Settled(spend)
    if problem.spend_rule == "up_to":
        face, at = _best_on(replace(face, cost=_paid(compiled)), at)
    if is_point(face):
        return Settled(compiled.spend(at.x))
    corners = _corners(compiled, face)
    moving = np.flatnonzero(np.ptp(corners, axis=0) > MOVES)
    if not len(moving):
        return Settled(compiled.spend(at.x))
    face, at = _best_on(_deviation(compiled, face, moving), at)
    for j in moving:
        if is_point(face):
            break
        face, at = _best_on(replace(face, cost=-_count(compiled, int(j), face.n_cols)), at)
    return Settled(compiled.spend(at.x), interchangeable(problem, corners))


def face_of(lp: LinearProgram, best: RawSolution) -> LinearProgram:
    """Give the program of all solutions as good as `best`: what has a price stays where it is."""
    up, down = best.reduced_cost > TIE, best.reduced_cost < -TIE
    low, high = best.row_dual > TIE, best.row_dual < -TIE
    return replace(
        lp,
        col_lower=np.where(down & np.isfinite(lp.col_upper), lp.col_upper, lp.col_lower),
        col_upper=np.where(up, lp.col_lower, lp.col_upper),
        row_lower=np.where(high, lp.row_upper, lp.row_lower),
        row_upper=np.where(low, lp.row_lower, lp.row_upper),
    )


def is_point(face: LinearProgram) -> bool:
    """Say whether the rows held at their limit alone determine every free column."""
    free = np.flatnonzero(face.col_lower < face.col_upper)
    held = np.flatnonzero(face.row_lower == face.row_upper)
    if len(free) > len(held):
        return False
    if not len(free):
        return True
    row, col = np.full(face.n_rows, -1), np.full(face.n_cols, -1)
    row[held], col[free] = np.arange(len(held)), np.arange(len(free))
    used = (row[face.entry_rows] >= 0) & (col[face.index] >= 0)
    matrix = np.zeros((len(held), len(free)))
    matrix[row[face.entry_rows[used]], col[face.index[used]]] = face.coef[used]
    return int(np.linalg.matrix_rank(matrix)) == len(free)


def interchangeable(problem: Problem, corners: FloatArray) -> tuple[tuple[str, ...], ...]:
    """Group the decisions whose spends move together between `corners`, shape (n_corners, n_decisions).

    Two decisions belong together when no exchange of the one can be undone without the other: the
    connected parts of the reduced echelon form of the directions between corners.
    """
    directions = _echelon(corners - corners[0])
    groups: list[set[int]] = []
    for direction in directions:
        found = set(np.flatnonzero(direction).tolist())
        joined = [group for group in groups if group & found]
        groups = [group for group in groups if not group & found] + [found.union(*joined)]
    names = [decision.name for decision in problem.decisions]
    return tuple(tuple(names[j] for j in sorted(group)) for group in sorted(groups, key=min))


def _held(compiled: Compiled, face: LinearProgram, spend: FloatArray) -> LinearProgram:
    """Hold decisions whose marginal return falls where they are: no money can move there without loss."""
    problem, n = compiled.problem, len(compiled.piece)
    effective = problem.effective(spend)
    decision = (curved(compiled, effective) & ~problem.carried)[compiled.piece]
    starts = np.concatenate([grid.spend[:-1] for grid in compiled.grids])
    lower, upper = face.col_lower.copy(), face.col_upper.copy()
    filled = np.clip((effective[compiled.piece] - starts) / compiled.money, 0.0, compiled.lp.col_upper[:n])
    lower[:n], upper[:n] = np.where(decision, filled, lower[:n]), np.where(decision, filled, upper[:n])
    return replace(face, col_lower=lower, col_upper=upper)


def _best_on(lp: LinearProgram, before: RawSolution) -> tuple[LinearProgram, RawSolution]:
    """Minimise on a face; where rounding leaves the face empty, stay at `before`."""
    found = HotModel(lp).run()
    return (face_of(lp, found), found) if found.status is Status.OPTIMAL else (lp, before)


def _paid(compiled: Compiled) -> FloatArray:
    """Give what a unit of every column spends."""
    paid = np.zeros(compiled.lp.n_cols)
    paid[: len(compiled.owner)] = compiled.rate[0]
    return paid


def _count(compiled: Compiled, decision: int, n_cols: int) -> FloatArray:
    """Give what a unit of every column spends in one decision, of a program of `n_cols` columns."""
    cost = np.zeros(n_cols)
    cost[: compiled.lp.n_cols] = compiled.spend_terms(decision)
    return cost


def _corners(compiled: Compiled, face: LinearProgram) -> FloatArray:
    """Give plans of the face in which decisions get their least and their most, shape (n_corners, n)."""
    owned = slice(0, len(compiled.owner))
    moving = (face.col_lower < face.col_upper)[owned] & (compiled.rate[0] != 0)
    free = np.unique(compiled.owner[moving])
    model = HotModel(face)
    found = []
    for j in free:
        for sign in (1.0, -1.0):
            model.charge(sign * _count(compiled, int(j), face.n_cols))
            answer = model.run()
            if answer.status is Status.OPTIMAL:
                found.append(compiled.spend(answer.x))
    return np.array(found).reshape(-1, len(compiled.problem.decisions))


def _deviation(compiled: Compiled, face: LinearProgram, moving: IntArray) -> LinearProgram:
    """Give the program with the least ``u >= |spend - current|`` of every moving decision."""
    u = face.n_cols
    lp = face.with_columns([1.0], Interval([0.0], [np.inf]), Entries([], [], []))
    lp = replace(lp, cost=np.append(np.zeros(u), 1.0))
    rows: list[int] = []
    cols: list[int] = []
    coefs: list[float] = []
    limits: list[float] = []
    for j in moving:
        pieces = np.flatnonzero(compiled.spend_terms(int(j)))
        current = (compiled.problem.decisions[j].current or 0.0) / compiled.money
        for sign in (1.0, -1.0):
            rows += [len(limits)] * (len(pieces) + 1)
            cols += [*pieces.tolist(), u]
            coefs += [sign] * len(pieces) + [-1.0]
            limits.append(sign * current)
    return lp.with_rows(Entries(rows, cols, coefs), Interval(np.full(len(limits), -np.inf), limits))


def _echelon(rows: FloatArray) -> FloatArray:
    """Reduced row echelon form; entries below `MOVES` of money are nothing."""
    rows = np.where(np.abs(rows) > MOVES, rows, 0.0)
    scale = float(np.abs(rows).max(initial=0.0)) or 1.0
    rows, done = rows / scale, 0
    for col in range(rows.shape[1]):
        pivot = done + int(np.argmax(np.abs(rows[done:, col]))) if done < len(rows) else 0
        if done >= len(rows) or abs(rows[pivot, col]) < 1e-7:
            continue
        rows[[done, pivot]] = rows[[pivot, done]]
        rows[done] /= rows[done, col]
        others = np.arange(len(rows)) != done
        rows[others] -= np.outer(rows[others, col], rows[done])
        rows[np.abs(rows) < 1e-7] = 0.0
        done += 1
    return rows[:done]
