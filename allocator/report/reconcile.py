"""Rounding a table so that every displayed row and column adds to its displayed total."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

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
    nearest whole number; whole numbers stay. Controlled rounding by cycles (Cox, "A constructive procedure
    for unbiased controlled rounding", JASA 82, 1987), made deterministic.

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
    grid = _with_slack([[round(value * UNIT) for value in row] for row in table])
    _settle(grid, (len(grid) - 1, len(grid[0]) - 1))
    for i, row in enumerate(grid):
        for j in range(len(row)):
            _settle(grid, (i, j))
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
