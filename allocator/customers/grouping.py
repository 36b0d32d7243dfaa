"""Rows of whole numbers in ascending order, and where each new combination begins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

LARGEST = 2**62
"""Numbers below it are exact in 64 bits."""


@dataclass(frozen=True, eq=False)
class Groups:
    """Rows by the distinct combinations of their columns.

    Parameters
    ----------
    order : array of int, shape (rows,)
        Rows in ascending order of the columns, the first column first; rows that are equal keep their order.
    starts : array of int, shape (groups,)
        Places in this order where another combination begins.
    """

    order: IntArray
    starts: IntArray

    @classmethod
    def of(cls, *columns: IntArray) -> Self:
        """Give the groups of rows.

        Parameters
        ----------
        *columns : array of int, shape (rows,)

        Examples
        --------
        >>> groups = Groups.of(np.array([2, 1, 2]), np.array([7, 9, 7]))
        >>> groups.order.tolist(), groups.starts.tolist(), groups.sizes.tolist()
        ([1, 0, 2], [0, 1], [1, 2])
        """
        packed = _packed(columns)
        if packed is None:
            order = np.lexsort(columns[::-1])
            new = np.zeros(len(order), dtype=bool)
            for column in columns:
                new[1:] |= np.diff(column[order]) != 0
        else:
            key, order = packed
            new = np.concatenate([[False], key[1:] != key[:-1]])[: len(order)]
        new[:1] = True
        return cls(order.astype(np.int64, copy=False), np.flatnonzero(new).astype(np.int64, copy=False))

    @property
    def first(self) -> IntArray:
        """The first row of every group."""
        return self.order[self.starts]

    @property
    def sizes(self) -> IntArray:
        """Rows of every group."""
        return np.diff(self.starts, append=len(self.order))

    def of_rows(self) -> IntArray:
        """Give the number of the group of every row, in the order the rows came in."""
        inverse = np.empty(len(self.order), dtype=np.int64)
        inverse[self.order] = np.repeat(np.arange(len(self.starts)), self.sizes)
        return inverse


def _packed(columns: tuple[IntArray, ...]) -> tuple[IntArray, IntArray] | None:
    """Give the columns as one ascending number, and the rows in its order; None where it grew too large.

    The row is the number's last digit: sorting numbers is far faster than sorting rows by numbers.
    """
    rows = len(columns[0])
    lowest = [int(column.min(initial=0)) for column in columns]
    spans = [int(column.max(initial=0)) - low + 1 for column, low in zip(columns, lowest, strict=True)]
    digits = max(rows - 1, 1).bit_length()
    if math.prod(spans) << digits > LARGEST:
        return None
    key = np.zeros(rows, dtype=np.int64)
    for column, low, span in zip(columns, lowest, spans, strict=True):
        key *= span
        key += column - low
    key <<= digits
    key |= np.arange(rows)
    key.sort()
    order = key & ((1 << digits) - 1)
    key >>= digits
    return key, order
