"""What a program needs beyond pieces and limits: carry-over, misses, switches, lots, filling order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.plan.compiled import Compiled
from allocator.plan.linear import Entries, IntArray, Interval, LinearProgram
from allocator.plan.problem import Problem
from allocator.plan.rows import Switch
from allocator.response.curve import FloatArray

ROOM = 8.0
"""Times the budget: what a switch allows at most, so that a larger budget can be tried."""
LEAST = 1e-6
"""Of the budget: what is spent at least where a switch is on; a cent if that is more."""
CENT = 0.01
FORGOTTEN = 1e-12
"""Of an effective spend: what carries over less is left out."""


def structured(compiled: Compiled) -> Compiled:
    """Add columns and rows for everything that is not a limit on sums of pieces.

    In this order: rows that make effective spend of money, columns for missed limits, columns for switches
    and lots with the rows that tie them to spend, binaries that keep the order of filling.
    """
    lp = _carried(compiled, compiled.lp)
    lp = _softened(compiled, lp)
    lp, switched = _wholes(compiled, lp)
    lp, waiting = _filled_in_order(compiled, lp)
    return replace(compiled, lp=lp, switched=np.concatenate((switched, waiting)).astype(np.intp))


def _carried(compiled: Compiled, lp: LinearProgram) -> LinearProgram:
    """Let the pieces of a decision add up to the effective spend that money now and before leaves."""
    problem = compiled.problem
    if problem.carry is None or not problem.carried.any():
        return lp
    at = np.full(len(problem.decisions), -1)
    carried = np.flatnonzero(problem.carried)
    at[carried] = np.arange(len(carried))
    pieces = np.flatnonzero(problem.carried[compiled.piece])
    row, col, coef = [at[compiled.piece[pieces]]], [pieces], [np.ones(len(pieces))]
    used = (at[problem.carry.row] >= 0) & (np.abs(problem.carry.coef) > FORGOTTEN)
    row.append(at[problem.carry.row[used]])
    col.append(len(compiled.piece) + at[problem.carry.col[used]])
    coef.append(-problem.carry.coef[used])
    level = np.zeros(len(carried))
    entries = Entries(np.concatenate(row), np.concatenate(col), np.concatenate(coef))
    return lp.with_rows(entries, Interval(level, level))


def _softened(compiled: Compiled, lp: LinearProgram) -> LinearProgram:
    """Let soft rows be missed at their penalty."""
    problem = compiled.problem
    soft = np.flatnonzero(problem.soft)
    if not len(soft):
        return lp
    penalty = np.array([problem.rows[i].penalty or 0.0 for i in soft])
    cost = penalty * compiled.row_unit[soft] / compiled.objective_unit
    bounds = Interval(np.zeros(len(soft)), np.full(len(soft), np.inf))
    return lp.with_columns(cost, bounds, Entries(soft, np.arange(len(soft)), problem.signs[soft]))


def _wholes(compiled: Compiled, lp: LinearProgram) -> tuple[LinearProgram, IntArray]:
    """Add switches and lots; of every switch the rows that tie it to the spend of its cells."""
    problem = compiled.problem
    if not problem.wholes:
        return lp, np.zeros(0, dtype=np.intp)
    first, (row, col, coef) = lp.n_cols, problem.whole_rows
    most = _most(problem)
    upper = [
        1.0 if isinstance(whole, Switch) else np.floor(m / whole.size + LEAST)
        for whole, m in zip(problem.wholes, most, strict=True)
    ]
    bounds = Interval(np.zeros(len(upper)), np.array(upper))
    entries = Entries(row, col, coef / compiled.row_unit[row])
    lp = lp.with_columns(np.zeros(len(upper)), bounds, entries, integer=True)
    switched: list[int] = []
    for w, whole in enumerate(problem.wholes):
        if isinstance(whole, Switch):
            switched.append(lp.n_rows)
            lp = _tied(compiled, lp, w, (first + w, float(most[w])))
    return lp, np.array(switched, dtype=np.intp)


def _tied(compiled: Compiled, lp: LinearProgram, place: int, column: tuple[int, float]) -> LinearProgram:
    """Tie one switch to its spend S: ``S - most z <= base`` and ``S >= least z`` or ``S >= base (1 - z)``."""
    problem, (z, most) = compiled.problem, column
    whole, money = problem.wholes[place], compiled.money
    base = whole.base / money if isinstance(whole, Switch) else 0.0
    mine = problem.whole_spend.row == place
    share = np.zeros(len(problem.decisions))
    np.add.at(share, problem.whole_spend.col[mine], problem.whole_spend.coef[mine])
    spend = share[compiled.owner] * compiled.rate[0]
    paid = np.flatnonzero(spend)
    least = -base if base else max(LEAST * problem.budget, CENT) / money
    row = np.repeat([0, 1], len(paid) + 1)
    col = np.tile(np.append(paid, z), 2)
    coef = np.concatenate((spend[paid], [-most / money], spend[paid], [-least]))
    return lp.with_rows(Entries(row, col, coef), Interval([-np.inf, base], [base, np.inf]))


def _most(problem: Problem) -> FloatArray:
    """Give the most money the cells of every whole number can take."""
    room = ROOM * problem.budget if problem.budget > 0 else np.inf
    ends = [
        d.curve.end if (d.curve.bounded and not carried) or np.isinf(room) else room
        for d, carried in zip(problem.decisions, problem.carried.tolist(), strict=True)
    ]
    reach = problem.whole_spend.times(np.array(ends), len(problem.wholes))
    return np.asarray(np.minimum(reach, room), dtype=float)


def _filled_in_order(compiled: Compiled, lp: LinearProgram) -> tuple[LinearProgram, IntArray]:
    """Let pieces that pay more than those before them wait: ``d_before >= w z``, ``d_after <= w z``.

    One binary for each rise of the slope; the pieces between two rises fill in order by themselves. This
    relaxation is the concave hull of the curve.
    """
    first = np.concatenate(([0], np.cumsum([len(grid.widths) for grid in compiled.grids])))
    row: list[int] = []
    col: list[int] = []
    coef: list[float] = []
    waiting: list[int] = []
    lower: list[float] = []
    n_binaries = 0
    for j, grid in enumerate(compiled.grids):
        rises = np.flatnonzero(grid.waits)
        if not len(rises):
            continue
        widths = grid.widths / compiled.money
        ends = [0, *rises.tolist(), len(widths)]
        for start, rise, end in zip(ends[:-2], ends[1:-1], ends[2:], strict=True):
            z = lp.n_cols + n_binaries
            n_binaries += 1
            before = list(range(start, rise))
            row += [len(lower)] * (len(before) + 1)
            col += [*(int(first[j]) + k for k in before), z]
            coef += [1.0] * len(before) + [-float(widths[before].sum())]
            lower.append(0.0)
            for k in range(rise, end):
                row += [len(lower)] * 2
                col += [int(first[j]) + k, z]
                coef += [1.0, -float(widths[k])]
                waiting.append(lp.n_rows + len(lower))
                lower.append(-np.inf)
    if not n_binaries:
        return lp, np.zeros(0, dtype=np.intp)
    bounds = Interval(np.zeros(n_binaries), np.ones(n_binaries))
    lp = lp.with_columns(np.zeros(n_binaries), bounds, Entries([], [], []), integer=True)
    sides = np.array(lower)
    rows = Interval(sides, np.where(np.isinf(sides), 0.0, np.inf))
    return lp.with_rows(Entries(row, col, coef), rows), np.array(waiting, dtype=np.intp)
