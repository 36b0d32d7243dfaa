"""Curves as they enter the program: breakpoints, and what every piece between them brings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from allocator.plan.problem import Decision, Problem, brought_at
from allocator.response.curve import FloatArray, ResponseCurve

SAME_SLOPE = 1e-12  # of the steepest: neighbouring pieces this alike are one
RISING = 1e-9  # of the steepest: a slope that rises by more has to wait for the piece before it
NOTHING_YET = np.zeros((0, 0))
FURTHER = np.array([2.0, 4.0, 8.0])  # a smooth curve is followed to these multiples of its reach


@dataclass(frozen=True, eq=False)
class Grid:
    """The breakpoints a decision's curve enters the program with.

    Parameters
    ----------
    spend : array, shape (n_breakpoints,)
        In money.
    brought : array, shape (n_measures - 1, n_breakpoints)
        Margin first, then the other measures in their order; 0 where one is unknown.
    open_end : bool
        Whether the last piece goes on without end: a row, or nothing, limits it.
    ordered : bool
        Whether every piece has to wait for the one before it, whatever its slope.
    counted : tuple of int
        Which of `brought` the problem counts.
    by_draw : bool
        Whether breakpoints at which only draws change are kept.
    """

    spend: FloatArray
    brought: FloatArray
    open_end: bool
    ordered: bool = False
    counted: tuple[int, ...] = (0,)
    by_draw: bool = False

    @property
    def value(self) -> FloatArray:
        """Margin at the breakpoints."""
        return np.asarray(self.brought[0])

    @cached_property
    def widths(self) -> FloatArray:
        """Spend of each piece."""
        return np.diff(self.spend)

    @cached_property
    def rates(self) -> FloatArray:
        """What a unit of spend brings on each piece, shape (n_measures - 1, n_pieces)."""
        return np.asarray(np.diff(self.brought, axis=1) / self.widths)

    @property
    def slopes(self) -> FloatArray:
        """Margin per unit of spend on each piece."""
        return np.asarray(self.rates[0])

    @cached_property
    def waits(self) -> NDArray[np.bool_]:
        """Which pieces bring more of anything counted than the one before, and so have to wait for it."""
        waits = np.zeros(len(self.widths), dtype=bool)
        waits[1:] = self.ordered or np.logical_or.reduce([rises(self.rates[m]) for m in self.counted])
        return waits

    def at(self, curve: ResponseCurve, spend: FloatArray) -> Grid:
        """Give the grid of the same curve with breakpoints at `spend`; equal neighbours are merged."""
        grid = replace(self, spend=spend, brought=brought_at(curve, spend))
        return grid.merged(drawn(curve, spend) if self.by_draw else NOTHING_YET)

    def merged(self, drawn_rates: FloatArray) -> Grid:
        """Leave out breakpoints at which nothing changes, under no draw either."""
        bends = np.zeros(len(self.spend) - 2, dtype=bool)
        for rate in (*self.rates, *drawn_rates):
            bends |= np.abs(np.diff(rate)) > SAME_SLOPE * np.abs(rate).max()
        keep = np.concatenate(([True], bends, [True]))
        return self if keep.all() else replace(self, spend=self.spend[keep], brought=self.brought[:, keep])


def rises(rates: FloatArray) -> NDArray[np.bool_]:
    """Say where a piece brings more per unit than the one before, shape (n_pieces - 1,)."""
    return np.asarray(np.diff(rates) > RISING * np.abs(rates).max())


def grid_at(decision: Decision, spend: FloatArray, *, open_end: bool, ordered: bool = False) -> Grid:
    """Give the grid of a decision's curve with breakpoints at `spend`; equal neighbours are merged."""
    curve = decision.curve
    return Grid(spend, NOTHING_YET, open_end, ordered).at(curve, spend)


def drawn(curve: ResponseCurve, spend: FloatArray) -> FloatArray:
    """Give the margin per unit of spend between breakpoints under each draw, shape (n_draws, n_pieces).

    One row, the expected margin, for a curve without draws.
    """
    exact = curve.at(spend)
    if curve.draws is None:
        return np.asarray(np.diff(exact)[None, :] / np.diff(spend))
    distance = curve.draws - curve.value
    known = np.array([np.interp(spend, curve.spend, row) for row in distance])
    return np.asarray(np.diff(exact + known, axis=1) / np.diff(spend))


def first_grids(problem: Problem) -> tuple[Grid, ...]:
    """Give every decision the breakpoints of its own curve.

    A curve's end is a row of its own where the problem has one (``curve_end``); then the last piece is left
    open, so that the row carries the price. A smooth curve has no end: it is followed past its reach. Curves
    of which a limit wants less are filled in order: a program would leave out the best pieces first.
    """
    capped, by_draw = set(problem.capped.tolist()), problem.risk.method != "expected"
    ended = {cell for row in problem.rows if row.kind == "curve_end" for cell in row.terms}
    grids = []
    for j, decision in enumerate(problem.decisions):
        curve = decision.curve
        spend = curve.spend if curve.bounded else np.append(curve.spend, curve.end * FURTHER)
        open_end = not curve.bounded or ended.issuperset(decision.cells)
        start = Grid(spend, NOTHING_YET, open_end, j in capped, problem.counted, by_draw)
        grids.append(start.at(curve, spend))
    return tuple(grids)
