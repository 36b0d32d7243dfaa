"""The best plan found without any solver: every corner of every combination of curve pieces is tried.

Within one combination of pieces all curves are straight lines, so every limit is a linear inequality in the
decisions' spend and the best point is a corner: n inequalities met exactly. What is not linear (a switch, a
number of lots, a limit missed at a price) is a choice among regions that are, and every choice is tried.
Limits are written out here from their meaning, independently of the package's rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Place = tuple[str, str]
Sum = Mapping[str, Mapping[Place, float]]
"""Coefficients by what is counted (spend, margin, ...) and cell."""
TOLERANCE = 1e-7
MAX_CORNERS = 60_000
"""Systems of equations solved at once."""


@dataclass(frozen=True)
class Amount:
    """One decision: its curves by what they count, and how they fall on its (tier, channel) cells."""

    spend: Sequence[float]
    brings: Mapping[str, Sequence[float]]
    cells: Sequence[Place]
    spend_shares: Sequence[float]
    value_shares: Sequence[float]


@dataclass(frozen=True)
class Inequality:
    """``sum coefficients . amounts >= least`` over the cells."""

    counts: Sum
    least: float

    @property
    def turned(self) -> Inequality:
        """The other side of the same line."""
        turned = {name: {cell: -w for cell, w in cells.items()} for name, cells in self.counts.items()}
        return Inequality(turned, -self.least)


@dataclass(frozen=True)
class Region:
    """One way a choice can go: what then holds, and what it costs: `price` times the first one's room."""

    holds: Sequence[Inequality]
    price: float = 0.0


@dataclass(frozen=True)
class Best:
    """The highest worth, and the spend of every decision that has it."""

    value: float
    spend: FloatArray = field(compare=False)


def best_plan(
    amounts: Sequence[Amount],
    inequalities: Sequence[Inequality],
    worth: Mapping[str, float],
    choices: Sequence[Sequence[Region]] = (),
) -> Best | None:
    """Give the plan with the largest worth within all inequalities; None where nothing is."""
    best: Best | None = None
    tables = {
        id(one): _by_decision(amounts, one)
        for one in [
            *inequalities,
            *(one for regions in choices for region in regions for one in region.holds),
        ]
    }
    for regions in product(*choices):
        holding = [tables[id(one)] for one in [*inequalities, *(i for r in regions for i in r.holds)]]
        priced = [(tables[id(region.holds[0])], region.price) for region in regions if region.price]
        for pieces in product(*(range(len(amount.spend) - 1) for amount in amounts)):
            found = _best_within(amounts, pieces, holding, worth, priced)
            if found is not None and (best is None or found.value > best.value):
                best = found
    return best


def is_possible(amounts: Sequence[Amount], choices: Sequence[Sequence[Region]]) -> bool:
    """Say whether some plan keeps one region of every choice."""
    tables = {id(one): _by_decision(amounts, one) for regions in choices for r in regions for one in r.holds}
    for regions in product(*choices):
        holding = [tables[id(one)] for region in regions for one in region.holds]
        for pieces in product(*(range(len(amount.spend) - 1) for amount in amounts)):
            if _best_within(amounts, pieces, holding, {}, ()) is not None:
                return True
    return False


Table = tuple[dict[str, FloatArray], float]


def _by_decision(amounts: Sequence[Amount], inequality: Inequality) -> Table:
    """Add up an inequality's coefficients by decision."""
    table = {}
    for name, by_cell in inequality.counts.items():
        table[name] = np.array(
            [
                sum(
                    share * by_cell.get(cell, 0.0)
                    for cell, share in zip(
                        amount.cells,
                        amount.spend_shares if name == "spend" else amount.value_shares,
                        strict=True,
                    )
                )
                for amount in amounts
            ]
        )
    return table, inequality.least


def _best_within(
    amounts: Sequence[Amount],
    pieces: Sequence[int],
    holding: Sequence[Table],
    worth: Mapping[str, float],
    priced: Sequence[tuple[Table, float]],
) -> Best | None:
    low = np.array([amount.spend[piece] for amount, piece in zip(amounts, pieces, strict=True)])
    high = np.array([amount.spend[piece + 1] for amount, piece in zip(amounts, pieces, strict=True)])
    lines = _lines(amounts, pieces)
    straight = [_straight(table, lines) for table in holding]
    matrix = np.array([row for row, _ in straight]).reshape(-1, len(low))
    sides = np.array([side for _, side in straight], dtype=float)
    most = np.where(matrix > 0, matrix * high, matrix * low).sum(axis=1)
    if (most < sides - TOLERANCE * (1 + np.abs(matrix) @ high + np.abs(sides))).any():
        return None
    least = np.where(matrix > 0, matrix * low, matrix * high).sum(axis=1)
    binding = least < sides
    matrix = np.vstack([np.eye(len(low)), -np.eye(len(low)), matrix[binding]])
    points = _corners(matrix, np.concatenate([low, -high, sides[binding]]))
    if not len(points):
        return None
    values = np.zeros(len(points))
    for name, weight in worth.items():
        slope, start = lines[name]
        values += weight * (points @ slope + start.sum())
    for table, price in priced:
        row, side = _straight(table, lines)
        values -= price * np.maximum(0.0, points @ row - side)
    return Best(float(values.max()), points[values.argmax()])


def _lines(amounts: Sequence[Amount], pieces: Sequence[int]) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Slope of every decision's piece and its value at no spend, by what is counted."""
    lines = {"spend": (np.ones(len(amounts)), np.zeros(len(amounts)))}
    for name in amounts[0].brings:
        slopes, starts = [], []
        for amount, piece in zip(amounts, pieces, strict=True):
            x, v = amount.spend, amount.brings[name]
            slopes.append((v[piece + 1] - v[piece]) / (x[piece + 1] - x[piece]))
            starts.append(v[piece] - slopes[-1] * x[piece])
        lines[name] = np.array(slopes), np.array(starts)
    return lines


def _straight(table: Table, lines: Mapping[str, tuple[FloatArray, FloatArray]]) -> tuple[FloatArray, float]:
    counts, least = table
    row = np.zeros(len(lines["spend"][0]))
    for name, weights in counts.items():
        slope, start = lines[name]
        row += weights * slope
        least -= float(weights @ start)
    return row, least


def _corners(matrix: FloatArray, sides: FloatArray) -> FloatArray:
    """Points where n of the inequalities ``matrix @ x >= sides`` are met exactly and the others are kept."""
    n = matrix.shape[1]
    size = np.abs(matrix).max(axis=1)
    kept = size > 0
    if (sides[~kept] > TOLERANCE * (1 + np.abs(sides[~kept]))).any():
        return np.zeros((0, n))
    matrix, sides = matrix[kept] / size[kept, None], sides[kept] / size[kept]
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
