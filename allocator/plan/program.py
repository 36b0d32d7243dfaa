"""The linear program of a problem: pieces of curves as columns, limits as rows, scaled for solvers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from allocator.plan.problem import Decision, IntArray, Problem, revenue_at
from allocator.plan.rows import Bound
from allocator.response.curve import FloatArray

Triplets = tuple[IntArray, IntArray, FloatArray]  # row, column, coefficient of every entry

SAME_SLOPE = 1e-12  # of the steepest: neighbouring pieces this alike are one
FURTHER = np.array([2.0, 4.0, 8.0])  # a smooth curve is followed to these multiples of its reach
SIZE = 512.0  # the budget in the program's unit of money, between SIZE and 2 * SIZE


class Entries(NamedTuple):
    """Matrix entries by place; entries of the same place add up."""

    row: ArrayLike
    col: ArrayLike
    coef: ArrayLike


class Interval(NamedTuple):
    """Lower and upper bounds, arrays of one length; infinite where there is none."""

    lower: ArrayLike
    upper: ArrayLike


@dataclass(frozen=True, eq=False)
class LinearProgram:
    """Minimise ``cost @ x`` with ``row_lower <= A x <= row_upper`` and ``col_lower <= x <= col_upper``.

    Parameters
    ----------
    cost, col_lower, col_upper : array, shape (n_cols,)
    integer : bool array, shape (n_cols,)
    starts : int array, shape (n_rows + 1,)
        Row i has the entries ``starts[i]:starts[i + 1]`` of `index` (columns) and `coef`.
    index, coef : array, shape (n_entries,)
    row_lower, row_upper : array, shape (n_rows,)

    Examples
    --------
    >>> lp = LinearProgram.build([-2.0, -1.0], Interval([0, 0], [5, 9]),
    ...                          Entries([0, 0], [0, 1], [1.0, 1.0]), Interval([-np.inf], [8]))
    >>> lp.activity(np.array([5.0, 3.0]))
    array([8.])
    """

    cost: FloatArray
    col_lower: FloatArray
    col_upper: FloatArray
    integer: NDArray[np.bool_]
    starts: IntArray
    index: IntArray
    coef: FloatArray
    row_lower: FloatArray
    row_upper: FloatArray

    @classmethod
    def build(
        cls,
        cost: ArrayLike,
        columns: Interval,
        entries: Entries,
        rows: Interval,
        integer: ArrayLike | None = None,
    ) -> LinearProgram:
        """Make a program from entries in any order; same places add up, zeros are dropped."""
        cost = np.asarray(cost, dtype=float)
        lower, upper = (np.asarray(side, dtype=float) for side in rows)
        starts, index, coef = _compress(entries, len(lower), len(cost))
        return cls(
            cost=cost,
            col_lower=np.asarray(columns.lower, dtype=float),
            col_upper=np.asarray(columns.upper, dtype=float),
            integer=np.zeros(len(cost), dtype=bool) if integer is None else np.asarray(integer, dtype=bool),
            starts=starts,
            index=index,
            coef=coef,
            row_lower=lower,
            row_upper=upper,
        )

    @property
    def n_cols(self) -> int:
        """Number of columns."""
        return len(self.cost)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.row_lower)

    @cached_property
    def entry_rows(self) -> IntArray:
        """The row of every entry, shape (n_entries,)."""
        return np.repeat(np.arange(self.n_rows), np.diff(self.starts))

    @property
    def entries(self) -> Entries:
        """The matrix entries by place."""
        return Entries(self.entry_rows, self.index, self.coef)

    def activity(self, x: FloatArray) -> FloatArray:
        """Left-hand side of every row."""
        counted = np.bincount(self.entry_rows, self.coef * x[self.index], minlength=self.n_rows)
        return np.asarray(counted, dtype=float)

    def reduced_cost(self, dual: FloatArray) -> FloatArray:
        """Cost of every column less what its rows' duals pay."""
        return self.cost - np.bincount(self.index, self.coef * dual[self.entry_rows], minlength=self.n_cols)

    def with_columns(self, cost: ArrayLike, columns: Interval, entries: Entries) -> LinearProgram:
        """Append continuous columns; `entries` count columns from 0 for the first new one."""
        cost = np.asarray(cost, dtype=float)
        moved = entries._replace(col=np.asarray(entries.col, dtype=np.intp) + self.n_cols)
        return LinearProgram.build(
            np.append(self.cost, cost),
            Interval(np.append(self.col_lower, columns.lower), np.append(self.col_upper, columns.upper)),
            _joined(self.entries, moved),
            Interval(self.row_lower, self.row_upper),
            np.append(self.integer, np.zeros(len(cost), dtype=bool)),
        )

    def with_rows(self, entries: Entries, rows: Interval) -> LinearProgram:
        """Append rows; `entries` count rows from 0 for the first new one."""
        moved = entries._replace(row=np.asarray(entries.row, dtype=np.intp) + self.n_rows)
        return LinearProgram.build(
            self.cost,
            Interval(self.col_lower, self.col_upper),
            _joined(self.entries, moved),
            Interval(np.append(self.row_lower, rows.lower), np.append(self.row_upper, rows.upper)),
            self.integer,
        )


def _joined(first: Entries, second: Entries) -> Entries:
    return Entries(*(np.append(a, b) for a, b in zip(first, second, strict=True)))


def _compress(entries: Entries, n_rows: int, n_cols: int) -> tuple[IntArray, IntArray, FloatArray]:
    place = np.asarray(entries.row, dtype=np.intp) * n_cols + np.asarray(entries.col, dtype=np.intp)
    place, group = np.unique(place, return_inverse=True)
    coef = np.bincount(group, np.asarray(entries.coef, dtype=float), minlength=len(place))
    place, coef = place[coef != 0], coef[coef != 0]
    counts = np.bincount(place // max(n_cols, 1), minlength=n_rows)
    starts = np.concatenate(([0], np.cumsum(counts))).astype(np.intp)
    return starts, place % max(n_cols, 1), coef


@dataclass(frozen=True, eq=False)
class Grid:
    """The breakpoints a decision's curve enters the program with.

    Parameters
    ----------
    spend, value, revenue : array, shape (n_breakpoints,)
        In money; revenue is 0 where it is unknown.
    open_end : bool
        Whether the last piece goes on without end: a row, or nothing, limits it.
    """

    spend: FloatArray
    value: FloatArray
    revenue: FloatArray
    open_end: bool

    @cached_property
    def widths(self) -> FloatArray:
        """Spend of each piece."""
        return np.diff(self.spend)

    @cached_property
    def slopes(self) -> FloatArray:
        """Margin per unit of spend on each piece."""
        return np.diff(self.value) / self.widths

    @cached_property
    def revenue_slopes(self) -> FloatArray:
        """Revenue per unit of spend on each piece."""
        return np.diff(self.revenue) / self.widths


def grid_at(decision: Decision, spend: FloatArray, *, open_end: bool) -> Grid:
    """Give the grid of a decision's curve with breakpoints at `spend`; equal neighbours are merged."""
    curve = decision.curve
    grid = Grid(spend, curve.at(spend), revenue_at(curve, spend), open_end)
    bends = np.abs(np.diff(grid.slopes)) > SAME_SLOPE * np.abs(grid.slopes).max()
    bends |= np.abs(np.diff(grid.revenue_slopes)) > SAME_SLOPE * np.abs(grid.revenue_slopes).max()
    keep = np.concatenate(([True], bends, [True]))
    return grid if keep.all() else Grid(spend[keep], grid.value[keep], grid.revenue[keep], open_end)


def first_grids(problem: Problem) -> tuple[Grid, ...]:
    """Give every decision the breakpoints of its own curve.

    A curve's end is a row of its own where the problem has one (``curve_end``); then the last piece is left
    open, so that the row carries the price. A smooth curve has no end: it is followed past its reach.
    """
    ended = {cell for row in problem.rows if row.kind == "curve_end" for cell in row.terms}
    grids = []
    for decision in problem.decisions:
        curve = decision.curve
        spend = curve.spend if curve.bounded else np.append(curve.spend, curve.end * FURTHER)
        open_end = not curve.bounded or ended.issuperset(decision.cells)
        grids.append(grid_at(decision, spend, open_end=open_end))
    return tuple(grids)


@dataclass(frozen=True, eq=False)
class Compiled:
    """A problem's linear program and the way back to money.

    Parameters
    ----------
    lp : LinearProgram
        Columns are the pieces of every decision, in order; rows are the problem's rows, in order.
    grids : tuple of Grid
        One per decision.
    piece : int array, shape (n_cols,)
        The decision of every column.
    money : float
        Money per unit of a column.
    objective_unit : float
        Objective per unit of the program's (negative) objective.
    row_unit : array, shape (n_rows,)
        A row's own unit per unit of its right-hand side in the program.
    """

    problem: Problem
    lp: LinearProgram
    grids: tuple[Grid, ...]
    piece: IntArray
    money: float
    objective_unit: float
    row_unit: FloatArray

    def spend(self, x: FloatArray) -> FloatArray:
        """Spend of every decision in money; columns after the pieces are ignored."""
        pieces = x[: len(self.piece)]
        counted = np.bincount(self.piece, pieces, minlength=len(self.problem.decisions))
        return np.asarray(self.money * counted, dtype=float)

    def prices(self, row_dual: FloatArray) -> FloatArray:
        """Gain in the objective per unit by which each row's right-hand side rises, shape (n_rows,)."""
        return -row_dual * self.objective_unit / self.row_unit


def compile_problem(problem: Problem, grids: Sequence[Grid] | None = None) -> Compiled:
    """Write a problem as a linear program on `grids` (default: the curves' own breakpoints).

    A curve with breakpoints ``b`` and slopes ``s`` becomes pieces ``0 <= d_k <= b_k+1 - b_k`` with spend
    ``sum(d)`` and value ``sum(s * d)``: exact for concave curves as long as value is rewarded. Money, costs
    and rows are divided by powers of two, which loses no digit and keeps solver tolerances meaningful.
    """
    grids = tuple(grids) if grids is not None else first_grids(problem)
    money = _power_of_two((problem.budget or _reach(grids)) / SIZE)
    counts = [len(grid.widths) for grid in grids]
    piece = np.repeat(np.arange(len(grids)), counts)
    slopes = _concatenated([grid.slopes for grid in grids])
    revenue = _concatenated([grid.revenue_slopes for grid in grids])
    gain = problem.objective.spend + problem.objective.margin * slopes + problem.objective.revenue * revenue
    unit = _power_of_two(_usual_gain(problem, grids))
    row, col, coef = _entries(problem, counts, slopes, revenue)
    factor = _row_factors(row, coef, len(problem.rows))
    lp = LinearProgram.build(
        -gain / unit,
        Interval(np.zeros(len(piece)), _uppers(grids) / money),
        Entries(row, col, coef / factor[row]),
        _sides(problem, money * factor),
    )
    return Compiled(problem, lp, grids, piece, money, money * unit, money * factor)


def _reach(grids: Sequence[Grid]) -> float:
    """Give the far end of the longest curve: the size of money where there is no budget to take it from."""
    return max((float(grid.spend[-1]) for grid in grids), default=0.0)


def _entries(problem: Problem, counts: Sequence[int], slopes: FloatArray, revenue: FloatArray) -> Triplets:
    """Spread every (row, decision) coefficient over the decision's pieces."""
    touch = problem.incidence
    sizes = np.asarray(counts, dtype=np.intp)
    first = np.concatenate(([0], np.cumsum(sizes)))[:-1]
    repeat = sizes[touch.decision]
    entry = np.repeat(np.arange(len(repeat)), repeat)
    within = np.arange(len(entry)) - np.repeat(np.cumsum(repeat) - repeat, repeat)
    col = first[touch.decision][entry] + within
    coef = touch.spend[entry] + touch.margin[entry] * slopes[col] + touch.revenue[entry] * revenue[col]
    return touch.row[entry], col, coef


def _uppers(grids: Sequence[Grid]) -> FloatArray:
    uppers = []
    for grid in grids:
        widths = grid.widths.copy()
        if grid.open_end:
            widths[-1] = np.inf
        uppers.append(widths)
    return _concatenated(uppers)


def _sides(problem: Problem, unit: FloatArray) -> Interval:
    limits = problem.limits / unit
    is_min = np.array([row.bound is Bound.MIN for row in problem.rows], dtype=bool)
    return Interval(np.where(is_min, limits, -np.inf), np.where(is_min, np.inf, limits))


def _usual_gain(problem: Problem, grids: Sequence[Grid]) -> float:
    """Give what a unit of spend counts for on average; the first unit of a steep curve may count far more."""
    per_unit = []
    for grid in grids:
        last = min(float(grid.spend[-1]), problem.budget) or float(grid.spend[-1])
        brought = np.interp(last, grid.spend, grid.value), np.interp(last, grid.spend, grid.revenue)
        got = np.abs([last, *brought]) / last
        per_unit.append(float(np.abs(problem.objective) @ got))
    return max(per_unit, default=0.0)


def _row_factors(row: IntArray, coef: FloatArray, n_rows: int) -> FloatArray:
    """Give the power of two nearest to a row's usual coefficient (the geometric mean)."""
    used = coef != 0
    count = np.maximum(np.bincount(row[used], minlength=n_rows), 1)
    logs = np.bincount(row[used], np.log2(np.abs(coef[used])), minlength=n_rows) / count
    return np.asarray(2.0 ** np.round(logs), dtype=float)


def _concatenated(parts: Sequence[FloatArray]) -> FloatArray:
    return np.concatenate(parts) if parts else np.zeros(0)


def _power_of_two(size: float) -> float:
    """Largest power of two up to `size`; 1 for 0."""
    return float(2.0 ** np.floor(np.log2(size))) if size > 0 else 1.0
