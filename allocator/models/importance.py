"""Why a forecast is what it is: which columns it rests on, and what each adds for one customer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.models.base import FloatArray, IntArray, impossible
from allocator.models.scoring import normalised_gini

if TYPE_CHECKING:
    import pandas as pd

    Predict = Callable[[pd.DataFrame], FloatArray]
    Score = Callable[[FloatArray, FloatArray], float]

LARGEST_SEED = 2**32


def permutation_importance(
    predict: Predict,
    table: pd.DataFrame,
    actual: FloatArray,
    *,
    rng: np.random.Generator,
    rounds: int = 5,
    score: Score = normalised_gini,
) -> pd.DataFrame:
    """Give how much worse a forecast gets when a column is shuffled, by scikit-learn's inspection.

    Parameters
    ----------
    predict : callable
        From a table to a forecast of every row; not fitted to these rows, or importance is overstated.
    table : DataFrame
    actual : array, shape (rows,)
        What happened.
    rng : numpy Generator
    rounds : int
        Times every column is shuffled.
    score : callable
        Of actual and forecast, higher is better.

    Returns
    -------
    DataFrame
        Index: columns, the most important first. ``loss``: mean fall of the score; ``spread``: standard
        deviation over the rounds. Columns that tell the same share their importance.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"value": [1.0, 2.0, 3.0, 4.0], "noise": [5.0, 1.0, 2.0, 1.0]})
    >>> actual, rng = table["value"].to_numpy(), np.random.default_rng(0)
    >>> found = permutation_importance(lambda rows: rows["value"].to_numpy(), table, actual, rng=rng)
    >>> found.index.tolist(), float(found.loc["noise", "loss"])
    (['value', 'noise'], 0.0)
    """
    import pandas as pd
    from sklearn.inspection import permutation_importance as shuffled

    def scorer(_: object, rows: pd.DataFrame, truth: FloatArray) -> float:
        return float(score(truth, predict(rows)))

    seed = int(rng.integers(LARGEST_SEED))
    found = shuffled(_Fitted(), table, actual, scoring=scorer, n_repeats=rounds, n_jobs=1, random_state=seed)
    losses = pd.DataFrame(
        {"loss": found["importances_mean"], "spread": found["importances_std"]}, index=table.columns
    )
    return losses.sort_values("loss", ascending=False, kind="stable")


class _Fitted:
    """What scikit-learn asks of an estimator, though only the scorer is used."""

    def fit(self, *_: object) -> None:
        """Nothing to fit."""


@dataclass(frozen=True, eq=False)
class Contributions:
    """What columns add to forecasts; ``base + parts.sum(axis=1)`` is the forecast of every row.

    Parameters
    ----------
    base : float
        Mean forecast of the reference rows.
    parts : DataFrame
        One row a customer, one column a column of the table.
    method : str
        How they were found.
    """

    base: float
    parts: pd.DataFrame
    method: str


def contributions(
    predict: Predict,
    table: pd.DataFrame,
    reference: pd.DataFrame,
    *,
    rng: np.random.Generator,
    rounds: int = 8,
) -> Contributions:
    """Give what each column adds to the forecast of each row, by sampling Shapley values.

    A round starts at one row of the reference and replaces its columns by the customer's, one after the
    other in a random order; what the forecast changes at each step is that column's. The mean over rounds,
    each order being followed by its reverse, estimates Shapley values (Strumbelj & Kononenko 2014). The sum
    over columns is exact whatever the number of rounds: forecast less mean forecast of the rows started at.

    Takes ``2 * rounds * columns`` forecasts of the table: meant for some customers, or the means of tiers.

    Parameters
    ----------
    predict : callable
        From a table to a forecast of every row.
    table : DataFrame
        Customers to explain.
    reference : DataFrame
        The same columns; whom they are compared with.
    rng : numpy Generator
        Draws reference rows and orders.
    rounds : int

    Raises
    ------
    DataError
        E315 without a reference row or a round.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"a": [1.0, 2.0], "b": [0.0, 5.0]})
    >>> found = contributions(
    ...     lambda rows: 3 * rows["a"].to_numpy() + rows["b"].to_numpy(), table, table[:1],
    ...     rng=np.random.default_rng(0))
    >>> found.base, found.parts.to_numpy().tolist()
    (3.0, [[0.0, 0.0], [3.0, 5.0]])
    """
    import pandas as pd

    if not (len(reference) and rounds >= 1):
        raise impossible("contributions need a reference row and a round at least")
    names = list(table.columns)
    drawn = rng.choice(len(reference), size=rounds, replace=rounds > len(reference))
    starts = reference[names].iloc[drawn]
    total = np.zeros((len(table), len(names)))
    for place in range(rounds):
        order = rng.permutation(len(names))
        for path in (order, order[::-1]):
            total += _steps(predict, table, starts.iloc[[place] * len(table)], path)
    parts = pd.DataFrame(total / (2 * rounds), index=table.index, columns=names)
    method = f"sampling Shapley, {rounds} reference rows, each in one order and its reverse"
    return Contributions(float(np.mean(predict(starts))), parts, method)


def _steps(predict: Predict, table: pd.DataFrame, start: pd.DataFrame, path: IntArray) -> FloatArray:
    """Give what every column changes on the way from the start to the table."""
    now = start.set_axis(table.index)
    changes = np.zeros((len(table), len(path)))
    before = np.asarray(predict(now), dtype=np.float64)
    for column in path.tolist():
        name: Any = table.columns[column]
        now = now.assign(**{name: table[name]})
        after = np.asarray(predict(now), dtype=np.float64)
        changes[:, column] = after - before
        before = after
    return changes
