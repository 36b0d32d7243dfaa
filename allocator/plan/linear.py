"""A linear program as arrays: what solvers are given and proofs are made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from allocator.response.curve import FloatArray

IntArray = NDArray[np.intp]


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

    def with_columns(
        self, cost: ArrayLike, columns: Interval, entries: Entries, *, integer: bool = False
    ) -> LinearProgram:
        """Append columns, continuous or whole; `entries` count columns from 0 for the first new one."""
        cost = np.asarray(cost, dtype=float)
        moved = entries._replace(col=np.asarray(entries.col, dtype=np.intp) + self.n_cols)
        return LinearProgram.build(
            np.append(self.cost, cost),
            Interval(np.append(self.col_lower, columns.lower), np.append(self.col_upper, columns.upper)),
            _joined(self.entries, moved),
            Interval(self.row_lower, self.row_upper),
            np.append(self.integer, np.full(len(cost), integer)),
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
