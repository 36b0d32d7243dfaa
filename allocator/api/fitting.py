"""Where a forecast comes from: a scenario and its data, or a table of curves somebody has in hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pandas as pd

from allocator import pipeline
from allocator.api.forecasts import Forecast
from allocator.errors import ArgumentError, Finding
from allocator.report.record import record_of
from allocator.response.curves import Curves
from allocator.response.table import from_frame
from allocator.scenario.schema import Scenario
from allocator.stages.kept import Store

__all__ = ["curves_from_frame", "fit"]


def fit(
    scenario: Scenario,
    *,
    progress: Callable[[str], None] | None = None,
    cache: str | os.PathLike[str] | None = None,
) -> Forecast:
    """Give the response curves a scenario asks for, fitting what they need.

    Tables are read and checked, customers predicted and cut into tiers, effects of contacts estimated and
    shrunk; channels that rest on estimates get the curves stated.

    Parameters
    ----------
    scenario : Scenario
    progress : callable, optional
        Is told each stage as it begins.
    cache : path, optional
        Folder where forecasts of customers are kept by the hash of data and options, to be made only once.

    Raises
    ------
    DataError
        With every finding about the tables.
    ScenarioError
        When a response cannot become a curve.

    Examples
    --------
    >>> import allocator as al
    >>> forecast = al.fit(al.load_scenario("scenarios/q1_base.yaml"))
    >>> forecast.curves.channels
    ('email', 'direct_mail', 'phone', 'search', 'social')
    >>> forecast.effects.columns.tolist()[:3]
    ['tier', 'channel', 'treated']
    """
    store = Store(Path(cache)) if cache is not None else None
    found = pipeline.forecast(scenario, progress or (lambda stage: None), store)
    return Forecast(found.curves, record_of(scenario, found), scenario, found)


class ConvertibleTable(Protocol):
    """A table of another library that can become a pandas one, such as polars and Arrow have."""

    def to_pandas(self) -> pd.DataFrame:
        """Give the table as a pandas one."""
        ...


def curves_from_frame(frame: pd.DataFrame | ConvertibleTable) -> Forecast:
    """Read a table of response curves, as `Forecast.to_frame` gives it and people edit it.

    Parameters
    ----------
    frame : pandas.DataFrame, polars.DataFrame or pyarrow.Table
        Only read, never changed.

    Raises
    ------
    ArgumentError
        A `TypeError` as well: `frame` is no table.
    DataError
        With every faulty row and its number.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"channel": "email", "spend": [50e3, 90e3], "value": [120e3, 160e3]})
    >>> curves_from_frame(table).curves.channels
    ('email',)
    """
    table = frame if isinstance(frame, pd.DataFrame) else getattr(frame, "to_pandas", lambda: None)()
    if not isinstance(table, pd.DataFrame):
        kind = type(frame).__name__
        what = f"curves are read from a table of pandas, polars or pyarrow, not from a value of type {kind}"
        raise ArgumentError(Finding("E103", None, what))
    return Forecast(from_frame(table))


def forecast_of(given: Forecast | Curves | pd.DataFrame | ConvertibleTable) -> Forecast:
    """Give a forecast of what people have in hand: a forecast, its curves, or a table of them.

    Raises
    ------
    ArgumentError
        When it is none of these.
    """
    if isinstance(given, Forecast):
        return given
    return Forecast(given) if isinstance(given, Curves) else curves_from_frame(given)
