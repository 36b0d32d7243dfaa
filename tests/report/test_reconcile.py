from __future__ import annotations

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


def test_independent_rounding_would_not_add_up():
    table = [[0.4, 0.4, 0.4], [0.4, 0.4, 0.4]]
    result = reconciled(table)
    assert result.total == 2
    assert set(result.rows) == {1}


def test_an_empty_table_has_no_cells():
    assert reconciled([]).total == 0
    assert reconciled([[], []]).rows == (0, 0)
