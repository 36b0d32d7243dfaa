"""From a table of features to the matrix of a linear model, learned from the rows of a fit alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from allocator.models.base import FloatArray, IntArray, impossible
from allocator.models.preparation import preparation, split_columns

if TYPE_CHECKING:
    import pandas as pd

SAME = 1e-7  # of a column: what is left of one that others tell


@dataclass(frozen=True, eq=False)
class Design:
    """Steps that turn any rows with these columns into numbers.

    Parameters
    ----------
    name : str
        Of the model, for errors.
    columns : tuple of str
        What it learned from; others are ignored.
    steps : fitted sklearn Pipeline, or None
        None where no column varies.
    kept : array of int, or None
        The prepared columns in use; None for all.
    """

    name: str
    columns: tuple[str, ...]
    steps: Any
    kept: IntArray | None = None

    def matrix(self, table: pd.DataFrame) -> FloatArray:
        """Give the numbers of every row, shape (rows, k).

        Raises
        ------
        DataError
            E315 where a column it learned from is absent.
        """
        absent = [name for name in self.columns if name not in table]
        if absent:
            raise impossible(f"{self.name}: the table lacks {', '.join(absent)}, which it learned from")
        if self.steps is None or not len(table):
            return np.zeros((len(table), len(self.features)))
        numbers = np.asarray(self.steps.transform(table[list(self.columns)]), dtype=np.float64)
        return numbers if self.kept is None else numbers[:, self.kept]

    @property
    def features(self) -> tuple[str, ...]:
        """Name of every column of the matrix."""
        if self.steps is None:
            return ()
        names = [str(name).split("__", 1)[-1] for name in self.steps.get_feature_names_out()]
        kept = range(len(names)) if self.kept is None else self.kept
        return tuple(names[i] for i in kept)


def learn_design(name: str, table: pd.DataFrame, *, linear: bool = True) -> tuple[Design, FloatArray]:
    """Learn the steps from a table and apply them to it.

    Parameters
    ----------
    name : str
        Of the model, for errors.
    table : DataFrame
        Every column is used.
    linear : bool
        Whether columns come to standard deviation 1, without those that others tell already.

    Returns
    -------
    design : Design
    matrix : array, shape (rows, k)

    Raises
    ------
    DataError
        E315 for an infinite number, or two columns of one name.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"age": [30.0, 40.0, 50.0], "twice": [60.0, 80.0, 100.0], "same": [1, 1, 1]})
    >>> design, matrix = learn_design("logit", table)
    >>> design.features, matrix.round(2).ravel().tolist()
    (('age',), [-1.22, 0.0, 1.22])
    """
    columns = tuple(str(column) for column in table)
    table = table.set_axis(list(columns), axis=1)
    _refuse_infinite(name, table)
    steps = preparation(table, scale=linear) if columns else None
    try:
        numbers = np.zeros((len(table), 0)) if steps is None else steps.fit_transform(table)
    except ValueError as error:
        if "variance threshold" not in str(error):
            raise
        steps, numbers = None, np.zeros((len(table), 0))
    numbers = np.asarray(numbers, dtype=np.float64)
    kept = _independent(numbers) if linear and steps is not None else None
    return Design(name, columns, steps, kept), numbers if kept is None else numbers[:, kept]


def _refuse_infinite(name: str, table: pd.DataFrame) -> None:
    if not table.columns.is_unique:
        raise impossible(f"{name}: two features have the same name")
    for column in split_columns(table)[0]:
        if np.isinf(table[column].to_numpy(dtype=np.float64, na_value=np.nan)).any():
            raise impossible(f"{name}: the feature {column} is infinite for a customer")


def _independent(numbers: FloatArray) -> IntArray:
    """Give the columns that are no sum of a constant and columns before them, whatever the order of rows."""
    centred = numbers - numbers.mean(axis=0)
    axes = np.empty_like(centred)
    kept: list[int] = []
    for i, column in enumerate(centred.T):
        before = axes[:, : len(kept)]
        rest = column - before @ (before.T @ column)
        size = np.linalg.norm(rest)
        if size > SAME * np.linalg.norm(column):
            axes[:, len(kept)] = rest / size
            kept.append(i)
    return np.array(kept, dtype=np.int64)


def zero_one(name: str, outcome: ArrayLike, rows: int) -> FloatArray:
    """Give an outcome as 0 and 1, or refuse one that is something else.

    Examples
    --------
    >>> zero_one("logit", [True, False], 2).tolist()
    [1.0, 0.0]
    """
    y = np.asarray(outcome, dtype=np.float64)
    if y.shape != (rows,) or not rows:
        raise impossible(f"{name}: {rows} customers have outcomes of shape {y.shape}")
    if not np.isin(y, (0.0, 1.0)).all():
        raise impossible(f"{name}: an outcome is neither 0 nor 1")
    return y
