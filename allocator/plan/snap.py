"""Whole cents: the spend people can pay, with every limit still kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocator.plan.problem import Problem
from allocator.response.curve import FloatArray

CENT = 0.01
HALF = 1e-6  # of a cent: an amount this close to half a cent is half a cent
EXACT = 1e-9  # of a row's scale, for limits on spend alone
EARNED = 1e-7  # of a row's scale, for limits on what spend earns
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
        `spend` itself where no such rounding was found.
    """
    room = _Room(problem, binding)
    cents = np.floor(spend / CENT + 0.5 + HALF) * CENT
    rounded = np.asarray(np.round(np.clip(cents, 0.0, room.most), 2), dtype=float)
    for wish in (True, False):
        moved = room.repaired(rounded, spend, use_up=wish)
        if room.missed(moved, use_up=wish) == 0 and room.earned(moved):
            return moved
    return spend


class _Room:
    """How far spends miss the rows, counted in cents."""

    def __init__(self, problem: Problem, binding: NDArray[np.bool_]) -> None:
        self.problem = problem
        touch = problem.incidence
        n_rows, n = len(problem.rows), len(problem.decisions)
        self.coef = np.zeros((n_rows, n))
        self.coef[touch.row, touch.decision] = touch.spend
        paid = np.ones(n_rows, dtype=bool)
        paid[touch.row[(touch.margin != 0) | (touch.revenue != 0)]] = False
        self.sign = np.array([float(row.bound.sign) for row in problem.rows])
        self.paid, self.binding = paid, binding & paid
        largest = np.abs(self.coef).max(axis=1, initial=0.0)
        self.unit = CENT * np.where(largest > 0, largest, 1.0)
        self.most = np.array([d.curve.end if d.curve.bounded else np.inf for d in problem.decisions])
        self.most = np.floor(self.most / CENT + HALF) * CENT

    def missed(self, spend: FloatArray, *, use_up: bool) -> float:
        """Cents by which limits on spend are broken, or not used up where they bind."""
        activity = self.coef @ spend
        tight = EXACT * (np.abs(self.problem.limits) + np.abs(self.coef) @ np.abs(spend)) / self.unit
        return float(self._missed(activity[:, None], tight[:, None], use_up=use_up)[0])

    def _missed(self, activity: FloatArray, tight: FloatArray, *, use_up: bool) -> FloatArray:
        spare = self.sign[:, None] * (activity - self.problem.limits[:, None]) / self.unit[:, None]
        broken = np.where(spare < -tight, -spare, 0.0)[self.paid].sum(axis=0)
        if not use_up:
            return np.asarray(broken)
        left = np.where(spare > 0.5 + HALF + tight, spare, 0.0)[self.binding].sum(axis=0)
        return np.asarray(broken + left)

    def earned(self, spend: FloatArray) -> bool:
        """Whether the limits on what spend earns hold."""
        got = self.problem.quantities(spend)
        kept = self.problem.slacks(got) >= -EARNED * np.maximum(self.problem.scales(got), 1.0)
        return bool(kept[~self.paid].all())

    def repaired(self, spend: FloatArray, exact: FloatArray, *, use_up: bool) -> FloatArray:
        """Move single cents, or pairs of them, as long as that brings the spend closer to the limits."""
        moves = _moves(len(spend))
        for _ in range(4 * len(spend)):
            before = self.missed(spend, use_up=use_up)
            if before == 0:
                break
            spends = spend[:, None] + moves
            allowed = ((spends >= -HALF) & (spends <= self.most[:, None] + HALF)).all(axis=0)
            tight = EXACT * (np.abs(self.problem.limits) + np.abs(self.coef) @ spend) / self.unit
            missed = self._missed(self.coef @ spends, tight[:, None], use_up=use_up)
            strays = np.abs(spends - exact[:, None]).sum(axis=0)
            best = np.lexsort((np.round(strays, 6), np.where(allowed, missed, np.inf)))[0]
            if not missed[best] < before:
                break
            spend = np.round(spends[:, best], 2)
        return spend


def _moves(n: int) -> FloatArray:
    """One cent up or down, and every pair of one up and another down, shape (n_decisions, n_moves)."""
    one = CENT * np.eye(n)
    parts = [one, -one]
    if n <= PAIRS:
        parts += [one - np.roll(one, k, axis=1) for k in range(1, n)]
    return np.concatenate(parts, axis=1)
