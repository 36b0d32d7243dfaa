"""The stage that knows customers: what each is expected to bring, and the tiers that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from allocator.customers.tiers import Assignment
from allocator.errors import DataError, Finding
from allocator.models.clv.origins import Tell, quiet
from allocator.quantities import count, quoted
from allocator.response.curves import ALL
from allocator.scenario.references import PREDICTED
from allocator.scenario.schema import Scenario
from allocator.stages.kept import Store
from allocator.stages.places import placed
from allocator.stages.predictions import Predictions, predict
from allocator.stages.reading import Tables

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
IdArray = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Customers:
    """The population of a plan.

    Parameters
    ----------
    customer_id : array of str, shape (n,)
        Empty where no table tells.
    population : float
        Customers these stand for.
    value : array, shape (n,), or None
        What they are sorted by, where there are tiers.
    predictions : Predictions or None
        What each is expected to buy, where there are orders.
    assignment : Assignment or None
        The tier of each; None in a scenario without tiers.
    findings : tuple of Finding
        Advice on customers and models.
    """

    customer_id: IdArray = field(default_factory=lambda: np.array([], dtype=object))
    population: float = 0.0
    value: FloatArray | None = None
    predictions: Predictions | None = None
    assignment: Assignment | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def sizes(self) -> Mapping[str, float]:
        """Customers each tier stands for; nothing where no table tells."""
        if self.assignment is not None:
            return self.assignment.populations(self.population)
        return {ALL: self.population} if len(self.customer_id) else {}


def group_customers(
    scenario: Scenario, tables: Tables, store: Store | None = None, tell: Tell = quiet
) -> Customers:
    """Predict what customers bring, and cut them into tiers.

    The population are the customers of ``data.customers``, else of the orders, else of the experiment;
    ``data.customers.population`` says how many they stand for.

    Raises
    ------
    DataError
        When the customers cannot be told apart, or a tier stays empty.
    """
    if not any((tables.transactions, tables.customers, tables.experiments)):
        return Customers()
    try:
        predictions = predict(scenario, tables, store, tell) if tables.transactions else None
    except DataError as error:
        raise DataError(placed(error, scenario.origin_of("data.transactions.path"))) from None
    try:
        return _grouped(scenario, tables, predictions)
    except DataError as error:
        raise DataError(placed(error, scenario.origin_of("tiers"))) from None


def _grouped(scenario: Scenario, tables: Tables, predictions: Predictions | None) -> Customers:
    ids, values = _sorted_by(scenario, tables, predictions)
    stated = scenario.data.customers.population if scenario.data.customers else None
    population = float(stated or _counted(ids, tables, predictions))
    assignment = (
        scenario.tiers.assign(values, ids.tolist()) if scenario.tiers and values is not None else None
    )
    found = predictions.findings if predictions else ()
    ties = assignment.findings(scenario.origin_of("tiers.levels")) if assignment else ()
    return Customers(ids, population, values, predictions, assignment, (*found, *ties))


def _counted(ids: IdArray, tables: Tables, predictions: Predictions | None) -> int:
    """Count the customers of the plan, also where another table sorts them."""
    if tables.customers is not None:
        return len(tables.customers.data)
    return len(predictions.customer_id) if predictions is not None else len(ids)


def _sorted_by(
    scenario: Scenario, tables: Tables, predictions: Predictions | None
) -> tuple[IdArray, FloatArray | None]:
    """Give the population's ids and what they are sorted by; None where there are no tiers."""
    by = scenario.tiers.by if scenario.tiers else None
    if by == PREDICTED and predictions is not None:
        ids = ids_of(tables.customers.data) if tables.customers else predictions.customer_id
        return ids, predictions.value_of(ids)
    for table in (tables.customers, tables.experiments):
        if by is not None and table is not None and by in table.data:
            once = each_once(table.data, by)
            return ids_of(once), numbers(once, by)
    if by is not None:
        what = f"no table has the column {quoted(by)} that tiers are sorted by"
        raise DataError(Finding("E303", scenario.origin_of("tiers.by"), what))
    if tables.customers is None and predictions is not None:
        return predictions.customer_id, None
    first = tables.customers or tables.experiments
    return (ids_of(each_once(first.data)) if first else np.array([], dtype=object)), None


def each_once(table: pd.DataFrame, by: str | None = None) -> pd.DataFrame:
    """Give one row a customer, who may have been in several tests.

    Parameters
    ----------
    table : DataFrame
    by : str, optional
        A column that all rows of a customer have to agree on.

    Raises
    ------
    DataError
        E306 when the rows of a customer would sort them differently.
    """
    if "customer_id" not in table or not table["customer_id"].duplicated().any():
        return table
    if by is not None:
        distinct = table[["customer_id", by]].drop_duplicates()
        several = distinct.loc[distinct["customer_id"].duplicated(), "customer_id"].unique()
        if len(several):
            what = f"{count(len(several))} customers have several values of {quoted(by)}"
            what += f", such as customer {quoted(str(several[0]))}"
            raise DataError(Finding("E306", None, what, "tiers need one for each"))
    return table.drop_duplicates("customer_id")


def ids_of(table: pd.DataFrame) -> IdArray:
    """Give the customer of every row; a row is a customer where none is named."""
    if "customer_id" in table:
        return np.asarray(table["customer_id"].to_numpy(dtype=object))
    return np.array([f"{row:09d}" for row in range(1, len(table) + 1)], dtype=object)


def numbers(table: pd.DataFrame, column: str) -> FloatArray:
    """Give a column that customers are sorted by.

    Raises
    ------
    DataError
        E304 when it holds words, or nothing for some customers.
    """
    values: Any = table[column]
    if values.dtype.kind not in "iufb":
        what = (
            f"customers cannot be sorted by {quoted(column)}: it holds text, such as {quoted(values.iloc[0])}"
        )
        raise DataError(Finding("E304", None, what, "tiers are cut by a number"))
    found = np.asarray(values.to_numpy(dtype=np.float64))
    empty = int(np.isnan(found).sum())
    if empty:
        what = f"{count(empty)} of {count(len(found))} customers have no {quoted(column)}"
        raise DataError(Finding("E304", None, what, "a tier needs a number for every customer"))
    return found
