"""Whole cents: the spend people can pay, with every limit still kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocator.plan.problem import Problem, Quantities
from allocator.response.curve import FloatArray

CENT = 0.01
HALF = 1e-6  # of a cent: an amount this close to half a cent is half a cent
EXACT = 1e-9  # of a row's scale: misses of a limit on spend alone up to this are rounding
EARNED = 1e-7  # the same for limits on what spend earns
PAIRS = 60  # with more decisions only single cents are moved, not pairs of them


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
    rounded = np.asarray(np.round(np.clip(cents, 0.0, room.most), 2), dtype=float)
    for use_up in (True, False):
        moved = room.repaired(rounded, use_up=use_up)
        if room.missed(moved[:, None], use_up=use_up)[0] == 0 and room.kept(moved):
            return moved
    return spend


class _Room:
    """How far spends near the exact ones miss the rows, in cents; what spend earns is taken as linear."""

    def __init__(self, problem: Problem, exact: FloatArray, binding: NDArray[np.bool_]) -> None:
        touch, got = problem.incidence, problem.quantities(exact)
        paid = np.ones(len(problem.rows), dtype=bool)
        paid[touch.row[(touch.margin != 0) | (touch.revenue != 0)]] = False
        self.problem, self.exact, self.used_up = problem, exact, binding & paid
        self.coef = _coefficients(problem, got)
        largest = np.abs(self.coef).max(axis=1, initial=0.0)
        self.unit = CENT * np.where(largest > 0, largest, 1.0)
        self.sign = np.array([float(row.bound.sign) for row in problem.rows])
        self.spare = problem.slacks(got)
        self.tight = np.where(paid, EXACT, EARNED) * np.maximum(problem.scales(got), CENT)
        ends = np.array([d.curve.end if d.curve.bounded else np.inf for d in problem.decisions])
        self.most = np.floor(ends / CENT + HALF) * CENT

    def missed(self, spends: FloatArray, *, use_up: bool) -> FloatArray:
        """Give the cents by which limits are broken, or left over where they bind, per column of `spends`."""
        spare = self.spare[:, None] + self.sign[:, None] * (self.coef @ (spends - self.exact[:, None]))
        unit, tight = self.unit[:, None], self.tight[:, None]
        missed = np.where(spare < -tight, -spare, 0.0)
        if use_up:
            left = self.used_up[:, None] & (spare > (0.5 + HALF) * unit + tight)
            missed = np.where(left, spare, missed)
        return np.asarray((missed / unit).sum(axis=0))

    def kept(self, spend: FloatArray) -> bool:
        """Whether the curves themselves keep every limit."""
        return bool((self.problem.slacks(self.problem.quantities(spend)) >= -self.tight).all())

    def repaired(self, spend: FloatArray, *, use_up: bool) -> FloatArray:
        """Move single cents, or pairs of them, as long as that brings the spend closer to the limits."""
        missed = float(self.missed(spend[:, None], use_up=use_up)[0])
        for _ in range(4 * len(spend) if missed else 0):
            spends = np.round(spend[:, None] + _moves(len(spend)), 2)
            allowed = ((spends >= 0) & (spends <= self.most[:, None] + HALF)).all(axis=0)
            after = np.where(allowed, self.missed(spends, use_up=use_up), np.inf)
            strays = np.abs(spends - self.exact[:, None]).sum(axis=0)
            best = np.lexsort((np.round(strays, 6), np.round(after, 6)))[0]
            if not after[best] < missed:
                break
            spend, missed = spends[:, best], float(after[best])
        return spend


def _coefficients(problem: Problem, got: Quantities) -> FloatArray:
    """Give what one more unit of each decision adds to each row, shape (n_rows, n_decisions)."""
    touch, ends = problem.incidence, [d.curve.end if d.curve.bounded else np.inf for d in problem.decisions]
    coef = np.zeros((len(problem.rows), len(problem.decisions)))
    coef[touch.row, touch.decision] = touch.spend
    if touch.margin.any() or touch.revenue.any():
        step = np.where(got.spend + CENT <= ends, CENT, -np.minimum(CENT, got.spend))
        after = problem.quantities(got.spend + step)
        margin, revenue = (
            (b - a) / np.where(step == 0, CENT, step) for a, b in zip(got[1:], after[1:], strict=True)
        )
        at = touch.decision
        coef[touch.row, at] += touch.margin * margin[at] + touch.revenue * revenue[at]
    return coef


def _moves(n: int) -> FloatArray:
    """One cent up or down, and every pair of one up and another down, shape (n_decisions, n_moves)."""
    one = CENT * np.eye(n)
    parts = [one, -one]
    if n <= PAIRS:
        parts += [one - np.roll(one, k, axis=1) for k in range(1, n)]
    return np.concatenate(parts, axis=1)
