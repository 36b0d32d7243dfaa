"""The best plan found without any solver: every corner of every combination of curve pieces is tried.

Within one combination of pieces all curves are straight lines, so every limit is a linear inequality in the
decisions' spend and the best point is a corner: n inequalities met exactly. Limits are written out here from
their meaning, independently of the package's rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
TOLERANCE = 1e-7
MAX_CORNERS = 60_000
"""Systems of equations solved at once."""


@dataclass(frozen=True)
class Amount:
    """One decision: its curve, and how spend and value fall on its (tier, channel) cells."""

    spend: Sequence[float]
    value: Sequence[float]
    cells: Sequence[tuple[str, str]]
    spend_shares: Sequence[float]
    value_shares: Sequence[float]


@dataclass(frozen=True)
class Inequality:
    """``sum spend_weight * x + margin_weight * m >= least`` over the cells."""

    spend_weight: dict[tuple[str, str], float]
    margin_weight: dict[tuple[str, str], float]
    least: float


def best_value(
    amounts: Sequence[Amount], inequalities: Sequence[Inequality], profit: tuple[float, float]
) -> float | None:
    """Largest ``profit[0] * spend + profit[1] * margin`` within all inequalities; None where nothing is."""
    best: float | None = None
    on_spend, on_margin, least = _by_decision(amounts, inequalities)
    for pieces in product(*(range(len(amount.spend) - 1) for amount in amounts)):
        lines = [_line(amount, piece) for amount, piece in zip(amounts, pieces, strict=True)]
        slope, start = (np.array(part) for part in zip(*lines, strict=True))
        low = np.array([amount.spend[piece] for amount, piece in zip(amounts, pieces, strict=True)])
        high = np.array([amount.spend[piece + 1] for amount, piece in zip(amounts, pieces, strict=True)])
        matrix = np.vstack([np.eye(len(low)), -np.eye(len(low)), on_spend + on_margin * slope])
        sides = np.concatenate([low, -high, least - on_margin @ start])
        points = _corners(matrix, sides)
        if len(points):
            values = points @ (profit[0] + profit[1] * slope) + profit[1] * start.sum()
            best = max(values.max(), best if best is not None else -np.inf)
    return best


def _by_decision(
    amounts: Sequence[Amount], inequalities: Sequence[Inequality]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    spend = np.zeros((len(inequalities), len(amounts)))
    margin = np.zeros_like(spend)
    for i, inequality in enumerate(inequalities):
        for j, amount in enumerate(amounts):
            for cell, part, worth in zip(amount.cells, amount.spend_shares, amount.value_shares, strict=True):
                spend[i, j] += part * inequality.spend_weight.get(cell, 0.0)
                margin[i, j] += worth * inequality.margin_weight.get(cell, 0.0)
    return spend, margin, np.array([inequality.least for inequality in inequalities])


def _line(amount: Amount, piece: int) -> tuple[float, float]:
    """Slope of a piece and its value at no spend."""
    x, v = amount.spend, amount.value
    slope = (v[piece + 1] - v[piece]) / (x[piece + 1] - x[piece])
    return slope, v[piece] - slope * x[piece]


def _corners(matrix: FloatArray, sides: FloatArray) -> FloatArray:
    """Points where n of the inequalities ``matrix @ x >= sides`` are met exactly and the others are kept."""
    n = matrix.shape[1]
    found = [np.zeros((0, n))]
    for chosen in _batches(len(sides), n):
        systems = matrix[chosen]
        regular = np.abs(np.linalg.det(systems)) > 1e-9
        points = np.linalg.solve(systems[regular], sides[chosen][regular][..., None])[..., 0]
        slack = points @ matrix.T - sides
        scale = 1 + np.abs(points) @ np.abs(matrix).T + np.abs(sides)
        found.append(points[(slack >= -TOLERANCE * scale).all(axis=1)])
    return np.concatenate(found)


def _batches(n_rows: int, n: int) -> Iterator[NDArray[np.intp]]:
    every = np.array(list(combinations(range(n_rows), n)), dtype=np.intp)
    for first in range(0, len(every), MAX_CORNERS):
        yield every[first : first + MAX_CORNERS]
