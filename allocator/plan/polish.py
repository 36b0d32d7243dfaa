"""The exact optimum between breakpoints: Newton's method on the optimality conditions of smooth curves.

The program on breakpoints knows which limits bind and which decisions are strictly inside their curve. With
those, the marginal returns are equalised exactly, so that the plan does not depend on where breakpoints lie.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.plan.compiled import Compiled
from allocator.plan.linear import IntArray
from allocator.plan.prices import binding_rows
from allocator.plan.problem import N_MEASURES, Problem, brought_at
from allocator.plan.solver import RawSolution
from allocator.response.curve import FloatArray

STEPS = 8
SETTLED = 1e-12  # of the budget: a step this small ends the search
DIFFERENCE = 1e-5  # of a spend, for second derivatives
BEND = 1e-3  # of a spend: where a curve is compared with itself to see whether it bends
STRAIGHT = 1e-9  # of the marginal return: a fall over `BEND` up to this is none
PRICED = 1e-8  # duals up to this, where costs are about 1, are none
NO_WORSE = 1e-12  # of the objective's size, and of a row's scale
INSIDE = 1e-7  # of a unit of the program: pieces filled to more than this, and not full, are partly filled


def polished(compiled: Compiled, best: RawSolution) -> FloatArray:
    """Give the spend of the exact optimum near `best`, in money; that of `best` where nothing is gained.

    A result is taken only if it keeps every limit and its value is no lower, both by the curves themselves.
    """
    problem = compiled.problem
    spend = compiled.spend(best.x)
    certain = problem.carry is None and problem.risk.method == "expected" and not problem.soft.any()
    if not certain or all(decision.curve.bounded for decision in problem.decisions):
        return spend
    free = np.flatnonzero(curved(compiled, spend) & (spend > 0) | _partly_filled(compiled, best.x))
    binding = binding_rows(problem, spend)
    prices = compiled.prices(best.row_dual)
    dual = best.row_dual[: len(problem.rows)]
    for held in (binding & (np.abs(dual) > PRICED), binding):
        system = _System(compiled, free, np.flatnonzero(held))
        found = system.solved(spend, prices)
        if found is not None and _is_no_worse(problem, found, spend):
            return found
    return spend


def curved(compiled: Compiled, spend: FloatArray) -> NDArray[np.bool_]:
    """Say whose marginal return falls at `spend` at once; not so on breakpoint curves and straight lines."""
    bends = []
    for decision, s in zip(compiled.problem.decisions, spend.tolist(), strict=True):
        shape = decision.curve.shape
        near = np.array([s, s * (1 + BEND)]) if s > 0 else np.array([0.0, BEND * decision.curve.end])
        now, later = (0.0, 0.0) if shape is None else shape.marginal(near)
        bends.append(now - later > STRAIGHT * abs(later))
    return np.array(bends, dtype=bool)


def _partly_filled(compiled: Compiled, x: FloatArray) -> NDArray[np.bool_]:
    lp, found = compiled.lp, np.zeros(len(compiled.problem.decisions), dtype=bool)
    n = len(compiled.piece)
    partly = (x[:n] > lp.col_lower[:n] + INSIDE) & (x[:n] < lp.col_upper[:n] - INSIDE)
    found[compiled.piece[partly]] = True
    return found


def _is_no_worse(problem: Problem, spend: FloatArray, before: FloatArray) -> bool:
    got, had = problem.quantities(spend), problem.quantities(before)
    room = problem.room(got) + NO_WORSE * np.maximum(problem.scales(got), 1.0)
    gain = problem.value(got) - problem.value(had)
    return bool((room >= 0).all() and gain >= -NO_WORSE * problem.size(got))


@dataclass(frozen=True, eq=False)
class _System:
    """Stationarity of the `free` decisions and the `held` rows at their limits, as equations."""

    compiled: Compiled
    free: IntArray
    held: IntArray

    def solved(self, spend: FloatArray, prices: FloatArray) -> FloatArray | None:
        """Newton's method from `spend` and `prices`; None when it leaves the curves."""
        problem, money = self.compiled.problem, self.compiled.money
        spend, price = spend.copy(), prices[self.held]
        for _ in range(STEPS):
            matrix, missing = self._linear(spend, price)
            move = np.linalg.lstsq(matrix, -missing, rcond=1e-12)[0]
            spend[self.free] += money * move[: len(self.free)]
            price = price + move[len(self.free) :]
            if not self._on_curves(spend):
                return None
            if np.abs(move[: len(self.free)]).max(initial=0.0) * money <= SETTLED * problem.budget:
                break
        return spend

    def _on_curves(self, spend: FloatArray) -> bool:
        ends = [d.curve.end if d.curve.bounded else np.inf for d in self.compiled.problem.decisions]
        return bool(np.isfinite(spend).all() and (spend[self.free] > 0).all() and (spend <= ends).all())

    def _linear(self, spend: FloatArray, price: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Give the Jacobian and the residual, with spend counted in the program's unit of money."""
        problem, money = self.compiled.problem, self.compiled.money
        first, second = _rates(self.compiled, spend, self.free)
        gradient, curvature = self._in_rows(first), self._in_rows(second)
        own, own_bend = ((problem.goal[:, self.free] * part).sum(axis=0) for part in (first, second))
        got = problem.quantities(spend)
        excess = (problem.activities(got) - problem.limits)[self.held] / money
        n, m = len(self.free), len(self.held)
        matrix = np.zeros((n + m, n + m))
        matrix[:n, :n] = np.diag((own_bend - price @ curvature) * money)
        matrix[:n, n:] = -gradient.T
        matrix[n:, :n] = gradient
        return matrix, np.concatenate((own - price @ gradient, excess))

    def _in_rows(self, rates: FloatArray) -> FloatArray:
        """Give what `rates`, shape (n_measures, n_free), add to the held rows, shape (n_held, n_free)."""
        problem = self.compiled.problem
        touch = problem.incidence
        place = np.full(len(problem.decisions), -1)
        place[self.free] = np.arange(len(self.free))
        used = place[touch.decision] >= 0
        row, at = touch.row[used], place[touch.decision[used]]
        table = np.zeros((len(problem.rows), len(self.free)))
        for weights, rate in zip(touch.weights, rates, strict=True):
            np.add.at(table, (row, at), weights[used] * rate[at])
        return np.asarray(table[self.held])


def _rates(compiled: Compiled, spend: FloatArray, free: IntArray) -> tuple[FloatArray, FloatArray]:
    """Give first and second derivatives of every measure by spend, each shape (n_measures, n_free)."""
    first, second = np.zeros((N_MEASURES, len(free))), np.zeros((N_MEASURES, len(free)))
    first[0] = 1.0
    for n, j in enumerate(free):
        curve, grid, s = compiled.problem.decisions[j].curve, compiled.grids[j], float(spend[j])
        if curve.shape is None:
            k = int(np.clip(np.searchsorted(grid.spend, s, side="right") - 1, 0, len(grid.widths) - 1))
            first[1:, n] = grid.rates[:, k]
            continue
        step = DIFFERENCE * s
        before, at, after = curve.shape.marginal(np.array([s - step, s, s + step]))
        brought = brought_at(curve, np.asarray(s))
        per_margin = brought / brought[0]
        first[1:, n] = per_margin * at
        second[1:, n] = per_margin * (after - before) / (2 * step)
    return first, second
