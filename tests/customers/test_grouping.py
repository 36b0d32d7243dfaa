"""Rows of whole numbers by their distinct combinations."""

from __future__ import annotations

import numpy as np
import pytest

from allocator.customers.grouping import Groups

FAR = 2**40


def by_hand(columns: tuple[np.ndarray, ...]) -> dict[tuple[int, ...], list[int]]:
    found: dict[tuple[int, ...], list[int]] = {}
    for row, values in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        found.setdefault(values, []).append(row)
    return dict(sorted(found.items()))


@pytest.mark.parametrize("stretch", [1, FAR], ids=["narrow", "too wide for one number"])
def test_groups_are_the_distinct_rows_in_ascending_order(stretch: int) -> None:
    rng = np.random.default_rng(3)
    columns = tuple(stretch * rng.integers(-3, 4, 200) for _ in range(3))
    groups, expected = Groups.of(*columns), by_hand(columns)
    assert groups.order.tolist() == [row for rows in expected.values() for row in rows]
    assert groups.sizes.tolist() == [len(rows) for rows in expected.values()]
    assert groups.first.tolist() == [rows[0] for rows in expected.values()]
    numbers = groups.of_rows()
    assert all((numbers[rows] == number).all() for number, rows in enumerate(expected.values()))


@pytest.mark.parametrize("value", [0, 7, -7, FAR])
def test_few_rows_need_no_care(value: int) -> None:
    nothing = np.array([], dtype=np.int64)
    assert Groups.of(nothing, nothing).sizes.tolist() == []
    assert Groups.of(np.array([value]), np.array([value])).of_rows().tolist() == [0]


def test_the_columns_stay_as_they_were() -> None:
    first, second = np.array([3, 1, 2]), np.array([1, 1, 1])
    Groups.of(first, second)
    assert first.tolist() == [3, 1, 2]
    assert second.tolist() == [1, 1, 1]
