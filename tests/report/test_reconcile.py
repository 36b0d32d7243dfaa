from __future__ import annotations

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from allocator.report.reconcile import reconciled

amounts = st.one_of(
    st.integers(0, 500).map(float),
    st.floats(0, 500),
    st.sampled_from([0.5, 1.5, 1 / 3, 2 / 3, 0.0]),
)
tables = st.integers(1, 6).flatmap(
    lambda columns: st.lists(st.lists(amounts, min_size=columns, max_size=columns), min_size=1, max_size=6)
)
ROUNDING = 1e-4  # the fixed-point grid of up to 36 entries


@given(tables)
def test_rows_and_columns_add_to_their_totals(table):
    result = reconciled(table)
    assert result.rows == tuple(sum(row) for row in result.cells)
    assert result.columns == tuple(sum(column) for column in zip(*result.cells, strict=True))
    assert sum(result.rows) == sum(result.columns) == result.total


@given(tables)
def test_nothing_moves_by_a_whole_unit(table):
    result = reconciled(table)
    for row, shown in zip(table, result.cells, strict=True):
        assert all(abs(value - number) < 1 for value, number in zip(row, shown, strict=True))
        assert abs(sum(row) - sum(shown)) < 1 + ROUNDING
    for column, number in zip(zip(*table, strict=True), result.columns, strict=True):
        assert abs(sum(column) - number) < 1 + ROUNDING
    assert abs(sum(map(sum, table)) - result.total) <= 0.5 + ROUNDING


@given(tables)
def test_whole_numbers_stay(table):
    for row, shown in zip(table, reconciled(table).cells, strict=True):
        assert all(number == value for value, number in zip(row, shown, strict=True) if value == int(value))


@given(tables)
def test_plain_rounding_is_kept_where_it_adds_up(table):
    plain = [[round(value) for value in row] for row in table]
    rows_add = all(round(sum(row)) == sum(p) for row, p in zip(table, plain, strict=True))
    columns = zip(zip(*table, strict=True), zip(*plain, strict=True), strict=True)
    total_adds = round(sum(map(sum, table))) == sum(map(sum, plain))
    tie = any(abs(value % 1 - 0.5) < ROUNDING for value in _all_sums(table))
    if rows_add and all(round(sum(c)) == sum(p) for c, p in columns) and total_adds and not tie:
        assert [list(row) for row in reconciled(table).cells] == plain


def _all_sums(table):
    yield from (value for row in table for value in row)
    yield from (sum(row) for row in table)
    yield from (sum(column) for column in zip(*table, strict=True))
    yield sum(map(sum, table))


@given(
    st.lists(st.lists(st.floats(0, 9), min_size=2, max_size=3), min_size=2, max_size=3).filter(
        lambda t: len(set(map(len, t))) == 1
    )
)
def test_no_other_table_that_adds_up_has_nearer_totals(table):
    """Every way to round each entry up or down, tried out."""
    table = [[round(value, 3) for value in row] for row in table]

    def distance(rows):
        sums = zip((*map(sum, table), *map(sum, zip(*table, strict=True))), rows, strict=True)
        return sum(abs(exact - shown) for exact, shown in sums)

    flat = [value for row in table for value in row]
    width, total = len(table[0]), sum(flat)
    best = min(
        distance((*map(sum, rows), *map(sum, zip(*rows, strict=True))))
        for entries in itertools.product(*({math.floor(v), math.ceil(v)} for v in flat))
        if abs(sum(entries) - total) <= 0.5
        for rows in [[entries[i : i + width] for i in range(0, len(entries), width)]]
        if all(abs(sum(a) - sum(b)) < 1 for a, b in zip(rows, table, strict=True))
        and all(
            abs(sum(a) - sum(b)) < 1
            for a, b in zip(zip(*rows, strict=True), zip(*table, strict=True), strict=True)
        )
    )
    result = reconciled(table)
    assert distance((*result.rows, *result.columns)) <= best + ROUNDING


def test_independent_rounding_would_not_add_up():
    table = [[0.4, 0.4, 0.4], [0.4, 0.4, 0.4]]
    result = reconciled(table)
    assert result.total == 2
    assert set(result.rows) == {1}


def test_a_small_difference_of_totals_outweighs_a_large_one_of_entries():
    result = reconciled([[1.75, 0.0], [1.578, 1.344]])
    assert (result.rows, result.columns) == ((2, 3), (3, 2))


def test_an_empty_table_has_no_cells():
    assert reconciled([]).total == 0
    assert reconciled([[], []]).rows == (0, 0)
