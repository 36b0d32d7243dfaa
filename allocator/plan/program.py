"""The linear program of a problem: pieces of curves as columns, limits as rows, scaled for solvers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from allocator.plan.compiled import Compiled
from allocator.plan.grids import Grid, first_grids
from allocator.plan.linear import Entries, IntArray, Interval, LinearProgram
from allocator.plan.problem import N_MEASURES, Problem
from allocator.plan.rows import Bound
from allocator.plan.structure import structured
from allocator.response.curve import FloatArray

SIZE = 512.0  # the budget in the program's unit of money, between SIZE and 2 * SIZE


def compile_problem(problem: Problem, grids: Sequence[Grid] | None = None) -> Compiled:
    """Write a problem as a program on `grids` (default: the curves' own breakpoints).

    A curve with breakpoints ``b`` and slopes ``s`` becomes pieces ``0 <= d_k <= b_k+1 - b_k`` with spend
    ``sum(d)`` and value ``sum(s * d)``: exact for concave curves as long as value is rewarded, and with the
    order of filling kept by binaries for all others. Money, costs and rows are divided by powers of two,
    which loses no digit and keeps solver tolerances meaningful.
    """
    grids = tuple(grids) if grids is not None else first_grids(problem)
    money = _power_of_two((problem.budget or _reach(grids)) / SIZE)
    piece = np.repeat(np.arange(len(grids)), [len(grid.widths) for grid in grids])
    carried = np.flatnonzero(problem.carried)
    owner = np.concatenate((piece, carried)).astype(np.intp)
    rate = _rates(problem, grids, piece, len(carried))
    gain = (problem.goal[:, owner] * rate).sum(axis=0)
    unit = _power_of_two(_usual_gain(problem, grids))
    row, col, coef = _entries(problem, owner, rate)
    factor = _row_factors(row, coef, len(problem.rows))
    row_unit = np.where(np.bincount(row, minlength=len(problem.rows)) > 0, money * factor, 1.0)
    lp = LinearProgram.build(
        -gain / unit,
        Interval(np.zeros(len(owner)), np.append(_uppers(grids) / money, np.full(len(carried), np.inf))),
        Entries(row, col, coef / factor[row]),
        _sides(problem, row_unit),
    )
    compiled = Compiled(
        problem, lp, grids, piece, owner, rate, money, money * unit, row_unit, np.zeros(0, dtype=np.intp)
    )
    return structured(compiled)


def _rates(problem: Problem, grids: Sequence[Grid], piece: IntArray, n_carried: int) -> FloatArray:
    """Give what a unit of every owned column spends and brings; pieces of carried money spend nothing."""
    rate = np.zeros((N_MEASURES, len(piece) + n_carried))
    rate[0, : len(piece)] = ~problem.carried[piece]
    rate[0, len(piece) :] = 1.0
    if len(piece):
        rate[1:, : len(piece)] = np.concatenate([grid.rates for grid in grids], axis=1)
    return rate


def _reach(grids: Sequence[Grid]) -> float:
    """Give the far end of the longest curve: the size of money where there is no budget to take it from."""
    return max((float(grid.spend[-1]) for grid in grids), default=0.0)


def _entries(problem: Problem, owner: IntArray, rate: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Spread every (row, decision) coefficient over the decision's columns."""
    touch = problem.incidence
    order = np.argsort(owner, kind="stable")
    sizes = np.bincount(owner, minlength=len(problem.decisions))
    first = np.concatenate(([0], np.cumsum(sizes)))[:-1]
    repeat = sizes[touch.decision]
    entry = np.repeat(np.arange(len(repeat)), repeat)
    within = np.arange(len(entry)) - np.repeat(np.cumsum(repeat) - repeat, repeat)
    col = order[first[touch.decision][entry] + within]
    coef = np.zeros(len(col))
    for weights, per_unit in zip(touch.weights, rate, strict=True):
        if weights.any():
            coef += weights[entry] * per_unit[col]
    used = coef != 0
    return touch.row[entry][used], col[used], coef[used]


def _uppers(grids: Sequence[Grid]) -> FloatArray:
    uppers = [np.zeros(0)]
    for grid in grids:
        widths = grid.widths.copy()
        if grid.open_end:
            widths[-1] = np.inf
        uppers.append(widths)
    return np.concatenate(uppers)


def _sides(problem: Problem, unit: FloatArray) -> Interval:
    limits = problem.limits / unit
    is_min = np.array([row.bound is Bound.MIN for row in problem.rows], dtype=bool)
    return Interval(np.where(is_min, limits, -np.inf), np.where(is_min, np.inf, limits))


def _usual_gain(problem: Problem, grids: Sequence[Grid]) -> float:
    """Give what a unit of spend counts for on average; the first unit of a steep curve may count far more."""
    per_unit = []
    for j, grid in enumerate(grids):
        last = min(float(grid.spend[-1]), problem.budget) or float(grid.spend[-1])
        got = np.array([last, *(float(np.interp(last, grid.spend, brought)) for brought in grid.brought)])
        per_unit.append(float(np.abs(problem.goal[:, j]) @ np.abs(got)) / last)
    return max(per_unit, default=0.0)


def _row_factors(row: IntArray, coef: FloatArray, n_rows: int) -> FloatArray:
    """Give the power of two nearest to a row's usual coefficient (the geometric mean)."""
    count = np.maximum(np.bincount(row, minlength=n_rows), 1)
    logs = np.bincount(row, np.log2(np.abs(coef)), minlength=n_rows) / count
    return np.asarray(2.0 ** np.round(logs), dtype=float)


def _power_of_two(size: float) -> float:
    """Largest power of two up to `size`; 1 for 0."""
    return float(2.0 ** np.floor(np.log2(size))) if size > 0 else 1.0
