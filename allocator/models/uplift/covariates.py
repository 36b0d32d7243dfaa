"""From the columns measured before a contact to the numbers a regression takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from allocator.errors import DataError, Finding

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]

RARE = 0.01  # share of customers below which an indicator would fit single customers
MISSING = "(missing)"
OTHER = "(other)"


@dataclass(frozen=True, eq=False)
class Design:
    """Covariates as numbers.

    Parameters
    ----------
    names : tuple of str
        One a column, such as ``recency``, ``zip_code=Rural`` or ``income (missing)``.
    columns : array, shape (n_customers, n_columns)
        Finite.
    """

    names: tuple[str, ...]
    columns: FloatArray


def design(covariates: pd.DataFrame | None, n_rows: int) -> Design:
    """Give the covariates as numbers: texts as indicators, gaps filled and marked.

    Parameters
    ----------
    covariates : DataFrame or None
        One row a customer. Numbers and flags stay; of a text, every level but the most frequent becomes an
        indicator, levels of fewer than 1 % of the customers together one. A missing number becomes the
        mean, with an indicator of its own; a missing text is a level. An indicator of fewer than 1 % of the
        customers and a column that never changes are left out.
    n_rows : int
        Customers, for when there are no covariates.

    Examples
    --------
    >>> import pandas as pd
    >>> made = design(pd.DataFrame({"age": [30.0, None, 50.0], "area": ["city", "city", "land"]}), 3)
    >>> made.names
    ('age', 'age (missing)', 'area=land')
    >>> made.columns.tolist()
    [[30.0, 0.0, 0.0], [40.0, 1.0, 0.0], [50.0, 0.0, 1.0]]
    """
    made: dict[str, FloatArray] = {}
    for name in [] if covariates is None else covariates.columns:
        made |= _columns(str(name), covariates[name]) if covariates is not None else {}
    kept = {name: column for name, column in made.items() if np.ptp(column) > 0}
    values = np.column_stack(list(kept.values())) if kept else np.empty((n_rows, 0))
    return Design(tuple(kept), values)


def _columns(name: str, column: pd.Series) -> dict[str, FloatArray]:
    if column.dtype.kind in "biuf":  # pandas' own nullable numbers share these kinds
        return _number(name, column.to_numpy(dtype=np.float64, na_value=np.nan))
    texts = column.astype(object).where(column.notna(), MISSING)
    return dict(_levels(name, np.array(texts, dtype=str)))


def _number(name: str, values: FloatArray) -> dict[str, FloatArray]:
    known = np.isfinite(values)
    if known.all():
        return {name: values}
    mean = values[known].mean() if known.any() else 0.0
    filled = {name: np.where(known, values, mean)}
    if np.mean(~known) < RARE:
        return filled
    return {**filled, f"{name} (missing)": (~known).astype(np.float64)}


def _levels(name: str, texts: NDArray[np.str_]) -> Iterator[tuple[str, FloatArray]]:
    levels, code, count = np.unique(texts, return_inverse=True, return_counts=True)
    base = int(np.argmax(count))
    rare = count < RARE * len(texts)
    for i in np.flatnonzero(~rare):
        if i != base:
            yield f"{name}={levels[i]}", (code == i).astype(np.float64)
    if count[rare].sum() >= RARE * len(texts):
        yield f"{name}={OTHER}", rare[code].astype(np.float64)


def probability(propensity: ArrayLike) -> FloatArray:
    """Give the propensities as numbers.

    Raises
    ------
    DataError
        When one is not above 0 and at most 1 (E315).
    """
    values = np.asarray(propensity, dtype=np.float64)
    wrong = int(np.sum(~((values > 0) & (values <= 1))))
    if wrong:
        what = f"the propensity of {wrong:,} customers is not above 0 and at most 1"
        raise DataError(Finding("E315", None, what, "it is the probability of the arm the customer got"))
    return values
