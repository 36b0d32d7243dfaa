"""From columns as they are to numbers a model can learn from; every rule is learned inside the fold.

* numbers: winsorised at the 1st and 99th percentile of what was learned from, missing ones take the median
  and are marked by a column of their own;
* texts: one column a value, rare values (under 1 %) together, values never seen before are none of them;
* columns that do not vary carry nothing and are dropped.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

EXTREME = 0.01
RARE = 0.01


def preparation(table: pd.DataFrame, *, scale: bool = True) -> Pipeline:
    """Give the unfitted steps for a table of features.

    Parameters
    ----------
    table : DataFrame
        Only its columns and their types are looked at.
    scale : bool
        Whether numbers are brought to mean 0 and standard deviation 1, which linear models, support vector
        machines and perceptrons need and trees do not.

    Returns
    -------
    sklearn.pipeline.Pipeline
        A transformer of tables with these columns, in any order.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"age": [30.0, np.nan, 50.0, 40.0], "region": ["north", "south", "south", None]})
    >>> preparation(table, scale=False).fit_transform(table).round(2).tolist()[1]
    [40.0, 1.0, 0.0, 0.0, 1.0]
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.feature_selection import VarianceThreshold
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

    numbers, texts = split_columns(table)
    last = [StandardScaler()] if scale else []
    number_steps = make_pipeline(
        _winsoriser()(), SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True), *last
    )
    text_steps = make_pipeline(
        FunctionTransformer(_as_texts, feature_names_out="one-to-one"),
        OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=RARE, sparse_output=False),
    )
    columns = ColumnTransformer([("numbers", number_steps, numbers), ("texts", text_steps, texts)])
    return Pipeline([("columns", columns), ("varying", VarianceThreshold())])


def split_columns(table: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Give the names of the columns with numbers, and of those with texts."""
    import pandas as pd

    names = [str(name) for name in table]
    numbers = [name for name in names if pd.api.types.is_numeric_dtype(table[name])]
    return numbers, [name for name in names if name not in numbers]


def _as_texts(table: pd.DataFrame) -> NDArray[np.object_]:
    """Give texts, whatever the columns' types are and even within one; "missing" for a missing one."""
    columns = [table[name].astype(object) for name in table]
    values: NDArray[np.object_] = np.empty(table.shape, dtype=object)
    for i, column in enumerate(columns):
        values[:, i] = column.map(str, na_action="ignore").where(column.notna(), "missing")
    return values


@cache
def _winsoriser() -> type[Any]:
    """Give the transformer's class; made when first needed, because its base is slow to import."""
    from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

    class Winsoriser(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
        """Moves numbers beyond the quantiles it learned onto them; missing ones stay missing."""

        def fit(self, values: Any, _: object = None) -> Winsoriser:  # noqa: ANN401 - a table or an array
            numbers = np.asarray(values, dtype=np.float64)
            some = ~np.isnan(numbers).all(axis=0)
            self.low_, self.high_ = np.full((2, numbers.shape[1]), np.nan)
            if some.any():
                ends = np.nanquantile(numbers[:, some], [EXTREME, 1 - EXTREME], axis=0)
                self.low_[some], self.high_[some] = ends
            self.n_features_in_ = numbers.shape[1]
            return self

        def transform(self, values: Any) -> NDArray[np.float64]:  # noqa: ANN401
            numbers = np.asarray(values, dtype=np.float64)
            return np.asarray(np.clip(numbers, self.low_, self.high_))

    return Winsoriser
