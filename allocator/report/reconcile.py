"""Rounding a table so that every displayed row and column adds to its displayed total."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

UNIT = 10**6  # fixed-point grid of the arithmetic, so that sums are exact

Grid = list[list[int]]
Edge = tuple[int, int]


@dataclass(frozen=True)
class Reconciled:
    """A table of whole numbers with the totals it adds to."""

    cells: tuple[tuple[int, ...], ...]
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    total: int


def reconciled(table: Sequence[Sequence[float]]) -> Reconciled:
    """Round every entry of a table up or down so that rows, columns and total still add up.

    Entries, row totals and column totals each move by less than one; the grand total is rounded to the
    nearest whole number; whole numbers stay. Among all such tables the one whose totals, and then whose
    entries, are nearest to the exact ones is given (sum of distances). Controlled rounding by cycles (Cox,
    "A constructive procedure for unbiased controlled rounding", JASA 82, 1987), made deterministic, then
    improved along negative cycles of the transportation network.

    Parameters
    ----------
    table : sequence of sequences, shape (n_rows, n_columns)
        In the unit of display: an entry of 1.5 becomes 1 or 2.

    Examples
    --------
    >>> reconciled([[0.5, 0.5], [0.5, 0.5]]).rows
    (1, 1)
    """
    if not table or not table[0]:
        return Reconciled(tuple(() for _ in table), tuple(0 for _ in table), (), 0)
    exact = _with_slack([[round(value * UNIT) for value in row] for row in table])
    grid = [list(row) for row in exact]
    _settle(grid, (len(grid) - 1, len(grid[0]) - 1))
    for i, row in enumerate(grid):
        for j in range(len(row)):
            _settle(grid, (i, j))
    _approach(grid, exact)
    cells = tuple(tuple(value // UNIT for value in row[:-1]) for row in grid[:-1])
    rows = tuple(map(sum, cells))
    return Reconciled(cells, rows, tuple(map(sum, zip(*cells, strict=True))), sum(rows))


def _with_slack(grid: Grid) -> Grid:
    """Add a row and a column that make every sum whole; their corner holds the fraction of the total."""
    total = sum(map(sum, grid))
    wide = [[*row, -sum(row) % UNIT] for row in grid]
    return [*wide, [*(-sum(column) % UNIT for column in zip(*grid, strict=True)), total % UNIT]]


def _settle(grid: Grid, edge: Edge) -> None:
    """Shift money around cycles through `edge` until it is whole, towards the nearer whole number."""
    i, j = edge
    up = 2 * (grid[i][j] % UNIT) >= UNIT
    while grid[i][j] % UNIT:
        cycle = [edge, *_way_back(grid, edge)]
        signs = [1 if (step % 2 == 0) == up else -1 for step in range(len(cycle))]
        room = [_room(grid[r][c], sign) for (r, c), sign in zip(cycle, signs, strict=True)]
        for (r, c), sign in zip(cycle, signs, strict=True):
            grid[r][c] += sign * min(room)


def _room(value: int, sign: int) -> int:
    """Distance from `value` to the next whole number in the direction of `sign`."""
    return (-value if sign > 0 else value) % UNIT


def _way_back(grid: Grid, edge: Edge) -> list[Edge]:
    """Shortest path of fractional entries from the edge's row to its column, not using the edge.

    Rows are the even nodes ``2 * r``, columns the odd ones ``2 * c + 1``. A path exists because all sums
    are whole: a fractional entry is never a bridge.
    """
    start, goal = 2 * edge[0], 2 * edge[1] + 1
    reached: dict[int, tuple[int, Edge]] = {}
    queue = deque([start])
    while goal not in reached:
        node = queue.popleft()
        for following, used in _neighbours(grid, node):
            if used != edge and following != start and following not in reached:
                reached[following] = (node, used)
                queue.append(following)
    path: list[Edge] = []
    node = goal
    while node != start:
        node, used = reached[node]
        path.append(used)
    return path


def _neighbours(grid: Grid, node: int) -> list[tuple[int, Edge]]:
    """Nodes joined to `node` by a fractional entry, with that entry."""
    index = node // 2
    if node % 2 == 0:
        return [(2 * c + 1, (index, c)) for c, value in enumerate(grid[index]) if value % UNIT]
    return [(2 * r, (r, index)) for r, row in enumerate(grid) if row[index] % UNIT]


def _approach(grid: Grid, exact: Grid) -> None:
    """Exchange units around cycles as long as that brings the grid nearer to the exact one."""
    while cycle := _better_cycle(_moves(grid, exact)):
        for move in cycle:
            grid[move.row][move.column] += UNIT if move.up else -UNIT


class Move(NamedTuple):
    """Raise or lower one entry by a unit: an arc from its row to its column, or back; cost is distance."""

    start: int
    end: int
    cost: int
    row: int
    column: int
    up: bool


def _moves(grid: Grid, exact: Grid) -> list[Move]:
    """Give the move every fractional entry has left; the corner stays, so the grand total does."""
    height, width = len(grid), len(grid[0])
    moves = []
    for r, c in itertools.product(range(height), range(width)):
        fraction = exact[r][c] % UNIT
        if not fraction or (r, c) == (height - 1, width - 1):
            continue
        # the least difference of totals outweighs all entries together
        weight = UNIT * height * width if r == height - 1 or c == width - 1 else 1
        cost = weight * (UNIT - 2 * fraction)
        up = grid[r][c] < exact[r][c]
        ends = (2 * r, 2 * c + 1) if up else (2 * c + 1, 2 * r)
        moves.append(Move(*ends, cost if up else -cost, r, c, up))
    return moves


def _better_cycle(moves: list[Move]) -> list[Move]:
    """Give a cycle of moves that gains, by Bellman and Ford; none when the grid is as near as it can be."""
    distance = dict.fromkeys((node for move in moves for node in (move.start, move.end)), 0)
    last: dict[int, Move] = {}
    changed = True
    while changed:
        changed = False
        for move in moves:
            if distance[move.start] + move.cost < distance[move.end]:
                distance[move.end] = distance[move.start] + move.cost
                last[move.end] = move
                changed = True
        if changed and (cycle := _closed(last)):
            return cycle
    return []


def _closed(last: dict[int, Move]) -> list[Move]:
    """Give the cycle among the last moves into each node, if they close one."""
    seen: set[int] = set()
    for first in last:
        path: list[Move] = []
        node = first
        while node in last and node not in seen:
            seen.add(node)
            path.append(last[node])
            node = last[node].start
        ends = [move.end for move in path]
        if node in ends:
            return path[ends.index(node) :]
    return []
