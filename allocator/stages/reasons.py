"""Why customers are forecast as they are: what the regression on their features rests on."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from allocator.customers.past import Snapshot
from allocator.models.base import impossible
from allocator.models.clv.boosting import Boosting
from allocator.models.clv.forecast import CustomerForecast
from allocator.models.clv.record import regression_of
from allocator.models.clv.regression import FittedRegression
from allocator.models.importance import Contributions, contributions, permutation_importance
from allocator.stages.judge import Held
from allocator.stages.predictions import Learned

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 2_000
REFERENCE_ROWS = 500
ROUNDS = 3


def importance(held: Held, seed: int) -> pd.DataFrame:
    """Give how much worse the order of customers held out gets when a feature is shuffled.

    Of the regression in the forecast; where it has none, of boosted trees that learned on the same day.

    Parameters
    ----------
    held : Held
    seed : int

    Returns
    -------
    DataFrame
        Index: features, the most important first; ``loss`` of normalised Gini and its ``spread``.
    """
    rng = np.random.default_rng([seed, zlib.crc32(b"importance")])
    fitted = _fitted(held.forecast, held.customers, held.came.weeks)
    rows = _some(len(held.customers), MOST_ROWS, rng)
    table = held.customers.features[list(fitted.columns)].iloc[rows]
    return permutation_importance(fitted.predict, table, held.came.revenue[rows], rng=rng, rounds=ROUNDS)


def reasons(learned: Learned, customer_id: list[str], seed: int) -> Contributions:
    """Give what each feature adds to the revenue forecast of some customers, against the mean of all.

    Of the regression in the forecast; where it has none, of boosted trees that learned on the same day.

    Parameters
    ----------
    learned : Learned
    customer_id : list of str
        With orders.
    seed : int

    Raises
    ------
    DataError
        E315 naming a customer without an order, or where none is named.
    """
    if not customer_id:
        raise impossible("no customer is named whose forecast is to be explained")
    strangers = sorted(set(customer_id).difference(learned.customers.customer_id.tolist()))
    if strangers:
        raise impossible(f"{len(strangers)} customers have no order, such as {strangers[0]!r}")
    rng = np.random.default_rng([seed, zlib.crc32(b"reasons")])
    customers = learned.customers
    fitted = _fitted(learned.forecast, customers, learned.terms.horizon_weeks)
    table = customers.features[list(fitted.columns)]
    reference = table.iloc[_some(len(table), REFERENCE_ROWS, rng)]
    return contributions(fitted.predict, table.loc[customer_id], reference, rng=rng)


def _fitted(forecast: CustomerForecast, customers: Snapshot, weeks: float) -> FittedRegression:
    found = regression_of(forecast) or regression_of(Boosting().learn(customers.past, horizon_weeks=weeks))
    if found is None:
        raise impossible("no regression could be learned to tell reasons by")
    return found


def _some(n: int, most: int, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.sort(rng.choice(n, min(n, most), replace=False))
