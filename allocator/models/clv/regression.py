"""Regressions on what is known of customers: the same steps around every scikit-learn estimator."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from allocator.customers.past import Outcome, Past
from allocator.models import scoring
from allocator.models.base import FloatArray, IntArray, impossible
from allocator.models.clv.bg_nbd import BgNbd
from allocator.models.clv.carried import CarriedForecast
from allocator.models.clv.search import Grid, Plan, Search, best
from allocator.models.clv.training import training
from allocator.models.preparation import preparation
from allocator.models.threads import one_thread
from allocator.options import Count, Options, Share

if TYPE_CHECKING:
    import pandas as pd

BoolArray = NDArray[np.bool_]

FEWEST_ROWS = 20
HIGHEST_LOG = 50.0
EXTREME = 0.99
Selection = Literal["none", "mutual_information", "importance"]


@dataclass(frozen=True, eq=False)
class Money:
    """Money of rows: fitted steps, or one amount for all.

    Parameters
    ----------
    steps : sklearn Pipeline or None
    level : float
        What its forecasts are multiplied with, or the amount.
    logged : bool
        Whether the steps forecast log(1 + money).
    """

    steps: Any
    level: float
    logged: bool = False

    def predict(self, table: pd.DataFrame) -> FloatArray:
        """Give the money of every row, 0 or more."""
        if self.steps is None:
            return np.full(len(table), self.level)
        found = np.clip(self.steps.predict(table), 0.0, HIGHEST_LOG if self.logged else None)
        return np.asarray(self.level * (np.expm1(found) if self.logged else found), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Chance:
    """Probability of buying: fitted steps, or one for all."""

    steps: Any
    level: float = 0.0

    def predict(self, table: pd.DataFrame) -> FloatArray:
        """Give the probability of every row."""
        if self.steps is None:
            return np.full(len(table), self.level)
        return np.asarray(self.steps.predict_proba(table)[:, 1], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class FittedRegression:
    """A regression that applies to any rows with its columns.

    Parameters
    ----------
    name : str
    columns : tuple of str
        What it learned from.
    weeks : float
        How far ahead it forecasts.
    money : Money
        Of every customer; of those who buy, where `buys` is given.
    buys : Chance or None
    """

    name: str
    columns: tuple[str, ...]
    weeks: float
    money: Money
    buys: Chance | None = None

    def predict(self, table: pd.DataFrame) -> FloatArray:
        """Give the money expected of every row in the next `weeks`, 0 or more.

        Raises
        ------
        DataError
            E315 where a column it learned from is absent; others are ignored.
        """
        rows = self._rows(table)
        with one_thread():
            money = self.money.predict(rows)
            return money if self.buys is None else money * self.buys.predict(rows)

    def p_any_purchase(self, table: pd.DataFrame) -> FloatArray | None:
        """Give the probability that a customer buys in the next `weeks`; None where it is not learned."""
        if self.buys is None:
            return None
        with one_thread():
            return self.buys.predict(self._rows(table))

    def evaluate(self, table: pd.DataFrame, outcome: Outcome) -> dict[str, float]:
        """Judge the forecast by what happened: :func:`judged`."""
        return judged(outcome, self.predict(table), self.p_any_purchase(table))

    def _rows(self, table: pd.DataFrame) -> pd.DataFrame:
        absent = [name for name in self.columns if name not in table]
        if absent:
            raise impossible(f"{self.name}: the table lacks {', '.join(absent)}, which it learned from")
        return table[list(self.columns)]


def judged(outcome: Outcome, revenue: FloatArray, p_any: FloatArray | None = None) -> dict[str, float]:
    """Give the metrics of :mod:`allocator.models.scoring` of forecast money, and of buying where forecast.

    ``mae``, ``rmse``, ``total_error``, ``spearman``, ``normalised_gini``, ``decile_mape``, ``top_capture``;
    ``auc``, of forecast money where the probability of buying is not forecast; ``brier`` where it is.
    """
    names = ("mae", "rmse", "total_error", "spearman", "normalised_gini", "top_capture")
    metrics = {name: float(getattr(scoring, name)(outcome.revenue, revenue)) for name in names}
    metrics["decile_mape"] = scoring.deciles(outcome.revenue, revenue).mape
    bought = outcome.purchase_days > 0
    metrics["auc"] = scoring.auc(bought, revenue if p_any is None else p_any)
    if p_any is not None:
        metrics["brier"] = float(((p_any - bought) ** 2).mean())
    return metrics


class Regression(Options):
    """What every regression shares; the members are in files of their own.

    One learns the money of customers in the weeks after past cut-offs. Where a member has a classifier, it
    learns whether they buy, and the money of those who do; the forecast is the product.
    """

    search: Search = "none"
    """Whether hyperparameters are searched over the member's grid, by what they would have forecast."""
    rounds: Count = 8
    """Choices a random search tries."""
    seed: Count = 0
    """Of the random search, and of estimators that draw."""
    selection: Selection = "none"
    """How columns are selected, by mutual information with money, or by importance to trees."""
    selected: Share = 0.5
    """Share of the prepared columns a selection keeps."""

    scaled: ClassVar[bool] = True
    logged: ClassVar[bool] = False
    grid: ClassVar[Grid] = {}

    @abstractmethod
    def estimator(self) -> Any:  # noqa: ANN401 - scikit-learn's
        """Give the unfitted regressor of money."""

    def classifier(self) -> Any:  # noqa: ANN401
        """Give the unfitted classifier of who buys, or None."""
        return None

    def fit(self, table: pd.DataFrame, outcome: Outcome) -> FittedRegression:
        """Fit to rows, in whatever order they come.

        Money is winsorised at the 99th percentile of positive amounts (and logged by some members), then
        the level of all forecasts is set to that of the rows.

        Parameters
        ----------
        table : DataFrame
            Index ``customer_id``; every column is used.
        outcome : Outcome
            Aligned with its rows.

        Raises
        ------
        DataError
            E315 for fewer than 20 rows, or where no column varies.
        """
        if len(table) < FEWEST_ROWS:
            raise impossible(
                f"a regression needs {FEWEST_ROWS} customers at least, and there were {len(table)}"
            )
        order = _by_content(table, outcome)
        rows, bought, revenue = table.iloc[order], outcome.purchase_days[order] > 0, outcome.revenue[order]
        name, columns = str(getattr(self, "name", "")), tuple(str(column) for column in table)
        with one_thread():
            if self.classifier() is None:
                return FittedRegression(name, columns, outcome.weeks, self._money(rows, revenue))
            buys = self._chance(rows, bought)
            money = self._money(rows[bought], revenue[bought]) if bought.any() else Money(None, 0.0)
        return FittedRegression(name, columns, outcome.weeks, money, buys)

    def learn(self, past: Past, *, horizon_weeks: float) -> CarriedForecast:
        """Learn from orders until ``past.as_of`` alone; see :mod:`allocator.models.clv.training`."""
        chosen = self
        if self.search != "none":
            plan = Plan(self.grid, self.search, self.rounds, self.seed)
            chosen = best(self, plan, past, horizon_weeks=horizon_weeks)
        rows = training(past, horizon_weeks=horizon_weeks)
        columns = rows.lasting(past.customers.features)
        base = BgNbd().learn(past, horizon_weeks=horizon_weeks)
        return CarriedForecast(chosen.fit(rows.table[columns], rows.outcome), base, base.warnings)

    def _chance(self, table: pd.DataFrame, bought: BoolArray) -> Chance:
        if bought.all() or not bought.any():
            # never sure: half an event more of each kind
            return Chance(None, (float(bought.sum()) + 0.5) / (len(bought) + 1))
        return Chance(_fitted(self._steps(table, self.classifier()), table, bought))

    def _money(self, table: pd.DataFrame, revenue: FloatArray) -> Money:
        positive = revenue[revenue > 0]
        if not len(positive):
            return Money(None, 0.0)
        aim = np.clip(revenue, 0.0, np.quantile(positive, EXTREME))
        if np.ptp(aim) == 0:
            return Money(None, float(revenue.mean()))
        steps = _fitted(self._steps(table, self.estimator()), table, np.log1p(aim) if self.logged else aim)
        raw = Money(steps, 1.0, self.logged)
        total = raw.predict(table).sum()
        return Money(steps, float(np.clip(revenue, 0, None).sum() / total) if total > 0 else 0.0, self.logged)

    def _steps(self, table: pd.DataFrame, last: Any) -> Any:  # noqa: ANN401
        from sklearn.pipeline import Pipeline

        steps = [("prepare", preparation(table, scale=self.scaled)), ("model", last)]
        if self.selection != "none":
            steps.insert(1, ("select", _selector(self.selection, self.selected)))
        return Pipeline(steps)


def _by_content(table: pd.DataFrame, outcome: Outcome) -> IntArray:
    """Give an order of rows that hangs on what they say alone: sums and draws follow it."""
    import pandas as pd

    content = pd.util.hash_pandas_object(table).to_numpy()
    order: IntArray = np.lexsort((outcome.revenue, outcome.purchase_days, content))
    return order


def _fitted(steps: Any, table: pd.DataFrame, aim: FloatArray | BoolArray) -> Any:  # noqa: ANN401
    """Fit, in quiet: what a library says of convergence changes nothing a planner could do."""
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return steps.fit(table, aim)
    except ValueError as error:
        if "variance threshold" not in str(error):
            raise
        raise impossible(
            "a regression has nothing to learn from: no column varies between customers"
        ) from None


def _selector(how: Selection, share: float) -> Any:  # noqa: ANN401
    from functools import partial

    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.feature_selection import SelectFromModel, SelectPercentile, mutual_info_regression

    if how == "mutual_information":
        return SelectPercentile(partial(mutual_info_regression, random_state=0), percentile=100 * share)
    trees = ExtraTreesRegressor(50, min_samples_leaf=20, random_state=0)
    return SelectFromModel(
        trees, threshold=-np.inf, max_features=lambda rows: max(1, int(share * rows.shape[1]))
    )
