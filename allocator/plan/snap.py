"""Whole cents: the spend people can pay, with every limit still kept."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from allocator.plan.linear import IntArray
from allocator.plan.problem import Pairs, Problem, Quantities, brought_at
from allocator.response.curve import FloatArray

CENT = 0.01
HALF = 1e-6  # of a cent: an amount this close to half a cent is half a cent
EXACT = 1e-9  # of a row's scale: misses of a limit on spend alone up to this are rounding
EARNED = 1e-7  # the same for limits on what spend earns
PAIRS = 60  # with more decisions only single cents are moved, not pairs of them
MOVES = 4  # single cents a decision may be moved on average


def snapped(problem: Problem, spend: FloatArray, binding: NDArray[np.bool_]) -> FloatArray:
    """Round spend to cents so that every row still holds and binding limits on spend stay used up.

    Parameters
    ----------
    spend : array, shape (n_decisions,)
        In money, within the rows.
    binding : bool array, shape (n_rows,)

    Returns
    -------
    array, shape (n_decisions,)
        `spend` itself where no such rounding was found, as for a budget that has to be spent to a fraction
        of a cent.
    """
    room = _Room(problem, spend, binding)
    cents = np.floor(spend / CENT + 0.5 + HALF) * CENT
    rounded = np.asarray(np.round(np.clip(cents, 0.0, room.most[:-1]), 2), dtype=float)
    for use_up in (True, False):
        moved = room.repaired(rounded, use_up=use_up)
        if room.missed(moved, use_up=use_up) == 0 and room.kept(moved):
            return moved
    return spend


class _Room:
    """How far spends near the exact ones miss the rows, in cents; what spend earns is taken as linear."""

    def __init__(self, problem: Problem, exact: FloatArray, binding: NDArray[np.bool_]) -> None:
        touch, got = problem.incidence, problem.quantities(exact)
        paid = np.ones(len(problem.rows), dtype=bool)
        paid[touch.row[touch.earned]] = False
        slacks = problem.slacks(got)
        self.tight = np.where(paid, EXACT, EARNED) * np.maximum(problem.scales(got), CENT)
        missed = problem.soft & (slacks < -self.tight)  # a limit that is missed anyway asks for nothing
        self.problem, self.exact, self.used_up = problem, exact, binding & paid & ~missed
        self.pairs = _coefficients(problem, got)
        largest = np.zeros(len(problem.rows))
        np.maximum.at(largest, self.pairs.row, np.abs(self.pairs.coef))
        self.unit = CENT * np.where(largest > 0, largest, 1.0)
        self.spare = np.where(missed, np.inf, slacks)
        bounded = [d.curve.bounded and not c for d, c in zip(problem.decisions, problem.carried, strict=True)]
        ends = [d.curve.end if ends else np.inf for d, ends in zip(problem.decisions, bounded, strict=True)]
        self.most = np.append(np.floor(np.array(ends) / CENT + HALF) * CENT, np.inf)

    def spared(self, spend: FloatArray) -> FloatArray:
        """Give the room left in every row."""
        moved = self.pairs.times(spend - self.exact, len(self.problem.rows))
        return np.asarray(self.spare + self.problem.signs * moved)

    def misses(self, spare: FloatArray, row: IntArray | slice, *, use_up: bool) -> FloatArray:
        """Give the cents by which rows with so much room are broken, or left over where they bind."""
        tight, unit = self.tight[row], self.unit[row]
        missed = np.where(spare < -tight, -spare, 0.0)
        if use_up:
            left = self.used_up[row] & (spare > (0.5 + HALF) * unit + tight)
            missed = np.where(left, spare, missed)
        return np.asarray(missed / unit)

    def missed(self, spend: FloatArray, *, use_up: bool) -> float:
        """Add up the cents by which limits are broken, or left over where they bind."""
        return float(self.misses(self.spared(spend), slice(None), use_up=use_up).sum())

    def kept(self, spend: FloatArray) -> bool:
        """Whether the curves themselves keep every limit."""
        return bool((self.problem.room(self.problem.quantities(spend)) >= -self.tight).all())

    def repaired(self, spend: FloatArray, *, use_up: bool) -> FloatArray:
        """Move single cents, or pairs of them, as long as that brings the spend closer to the limits."""
        missed = self.missed(spend, use_up=use_up)
        for _ in range(MOVES * len(spend) if missed else 0):
            found = self._best_move(spend, missed, use_up=use_up)
            if found is None:
                break
            spend, missed = found
        return spend

    def _best_move(
        self, spend: FloatArray, missed: float, *, use_up: bool
    ) -> tuple[FloatArray, float] | None:
        """Give the spend after the move that leaves least missed, the one nearest to exact among equals."""
        ups, downs = self._moves
        moved = np.append(spend, 0.0)
        after = np.append(moved[ups] + CENT, moved[downs] - CENT).reshape(2, -1)
        nobody = downs == len(spend)
        allowed = (np.round(after[0], 2) <= self.most[ups] + HALF) & (nobody | (np.round(after[1], 2) >= 0))
        left = np.where(allowed, self._left(spend, use_up=use_up), np.inf)
        exact = np.append(self.exact, 0.0)
        strays = np.abs(after[0] - exact[ups]) - np.abs(moved[ups] - exact[ups])
        strays += np.abs(after[1] - exact[downs]) - np.abs(moved[downs] - exact[downs])
        best = np.lexsort((np.round(strays, 6), np.round(left, 6)))[0]
        if not left[best] < missed:
            return None
        moved[ups[best]] += CENT
        moved[downs[best]] -= CENT
        return np.round(moved[:-1], 2), float(left[best])

    @cached_property
    def _moves(self) -> tuple[IntArray, IntArray]:
        """One cent up, one down, and every pair of both; the place after all decisions is nobody."""
        n = len(self.exact)
        every, nobody = np.arange(n), np.full(n, n)
        up, down = np.append(every, nobody), np.append(nobody, every)
        if n <= PAIRS:
            first, second = np.nonzero(~np.eye(n, dtype=bool))
            up, down = np.append(up, first), np.append(down, second)
        return up, down

    def _left(self, spend: FloatArray, *, use_up: bool) -> FloatArray:
        """Give what is missed after each move, shape (n_moves,)."""
        spare, n = self.spared(spend), len(spend)
        if n <= PAIRS:
            ups, downs = self._moves
            step = self.problem.signs[:, None] * np.column_stack((self._dense, np.zeros(len(spare)))) * CENT
            after = spare[:, None] + step[:, ups] - step[:, downs]
            every = np.broadcast_to(np.arange(len(spare))[:, None], after.shape)
            return np.asarray(self.misses(after, every, use_up=use_up).sum(axis=0))
        now = self.misses(spare, slice(None), use_up=use_up)
        more = [self._more(spare, now, step, use_up=use_up) for step in (CENT, -CENT)]
        return np.asarray(now.sum() + np.concatenate(more))

    @cached_property
    def _dense(self) -> FloatArray:
        table = np.zeros((len(self.problem.rows), len(self.exact)))
        table[self.pairs.row, self.pairs.col] = self.pairs.coef
        return table

    def _more(self, spare: FloatArray, now: FloatArray, step: float, *, use_up: bool) -> FloatArray:
        """Give by how much more is missed when each decision alone moves by `step`, shape (n_decisions,)."""
        row, at, coef = self.pairs
        after = self.misses(spare[row] + self.problem.signs[row] * coef * step, row, use_up=use_up)
        return np.asarray(np.bincount(at, after - now[row], minlength=len(self.exact)), dtype=float)


def _coefficients(problem: Problem, got: Quantities) -> Pairs:
    """Give what one more unit of each decision adds to each row, one entry a pair of row and decision."""
    touch, n = problem.incidence, len(problem.decisions)
    coef = touch.weights[0].copy()
    if not touch.earned.any():
        return Pairs(touch.row, touch.decision, coef)
    rates = _rates(problem, got)
    if problem.carry is None:
        coef = coef + (touch.weights[1:] * rates[:, touch.decision]).sum(axis=0)
        return Pairs(touch.row, touch.decision, coef)
    table = np.zeros((len(problem.rows), n))
    np.add.at(table, (touch.row, touch.decision), (touch.weights[1:] * rates[:, touch.decision]).sum(axis=0))
    spread = np.zeros((n, n))
    spread[problem.carry.row, problem.carry.col] = problem.carry.coef
    table = table @ spread
    np.add.at(table, (touch.row, touch.decision), coef)
    row, at = np.nonzero(table)
    return Pairs(row, at, table[row, at])


def _rates(problem: Problem, got: Quantities) -> FloatArray:
    """Give what one more unit of effective spend brings, shape (n_measures - 1, n_decisions)."""
    effective = problem.effective(got.spend)
    ends = np.array([d.curve.end if d.curve.bounded else np.inf for d in problem.decisions])
    step = np.where(effective + CENT <= ends, CENT, -np.minimum(CENT, effective))
    step = np.where(step == 0, CENT, step)
    return np.array(
        [
            (brought_at(d.curve, np.minimum(e + h, end)) - brought_at(d.curve, np.asarray(e))) / h
            for d, e, h, end in zip(problem.decisions, effective, step, ends, strict=True)
        ]
    ).T
