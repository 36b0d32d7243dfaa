"""A problem as a solver gets it, and the way back to money."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from allocator.plan.grids import Grid
from allocator.plan.linear import IntArray, LinearProgram
from allocator.plan.problem import Problem
from allocator.response.curve import FloatArray


@dataclass(frozen=True, eq=False)
class Compiled:
    """A problem's linear program and the way back to money.

    Parameters
    ----------
    lp : LinearProgram
        Columns are the pieces of every decision, in order, then the spend of decisions whose money carries
        over, then what `structure` adds; rows are the problem's rows, in order, then what `structure` adds.
    grids : tuple of Grid
        One per decision.
    piece : int array, shape (n_pieces,)
        The decision of every piece.
    owner : int array, shape (n_owned,)
        The decision of every piece, then of every column of spend.
    rate : array, shape (n_measures, n_owned)
        What a unit of each of these columns spends and brings.
    money : float
        Money per unit of a column.
    objective_unit : float
        Objective per unit of the program's (negative) objective.
    row_unit : array, shape (n_problem_rows,)
        A row's own unit per unit of its right-hand side in the program.
    switched : int array
        Rows that only say that a switch which is off forbids spend.
    """

    problem: Problem
    lp: LinearProgram
    grids: tuple[Grid, ...]
    piece: IntArray
    owner: IntArray
    rate: FloatArray
    money: float
    objective_unit: float
    row_unit: FloatArray
    switched: IntArray

    def spend(self, x: FloatArray) -> FloatArray:
        """Spend of every decision in money; columns that nobody owns are ignored."""
        paid = self.rate[0] * x[: len(self.owner)]
        counted = np.bincount(self.owner, paid, minlength=len(self.problem.decisions))
        return np.asarray(self.money * counted, dtype=float)

    def spend_terms(self, decision: int) -> FloatArray:
        """Coefficients on all columns that add up a decision's spend."""
        terms = np.zeros(self.lp.n_cols)
        terms[: len(self.owner)] = np.where(self.owner == decision, self.rate[0], 0.0)
        return terms

    def prices(self, row_dual: FloatArray) -> FloatArray:
        """Gain in the objective per unit by which each row's limit rises, shape (n_problem_rows,)."""
        return -row_dual[: len(self.row_unit)] * self.objective_unit / self.row_unit

    def shift(self, direction: FloatArray) -> FloatArray:
        """Give a move of the problem's right-hand sides, in their own units, as one of all rows'."""
        by = np.zeros(self.lp.n_rows)
        by[: len(self.row_unit)] = direction / self.row_unit
        return by

    def fixed(self, x: FloatArray) -> LinearProgram:
        """Give the program with every whole number held at `x`; what a switch that is on allows is free."""
        lp, whole = self.lp, self.lp.integer
        if not whole.any():
            return lp
        held = np.where(whole, np.round(x), x)
        upper = lp.row_upper.copy()
        on = self.switched[lp.activity(np.where(whole, held, 0.0))[self.switched] < 0]
        upper[on] = np.inf
        return replace(
            lp,
            col_lower=np.where(whole, held, lp.col_lower),
            col_upper=np.where(whole, held, lp.col_upper),
            row_upper=upper,
            integer=np.zeros(lp.n_cols, dtype=bool),
        )
