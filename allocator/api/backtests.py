"""From a scenario to how plans like its own would have done."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, TextIO

import pandas as pd

from allocator.api.fitting import fit
from allocator.api.forecasts import Forecast
from allocator.api.plan_plots import BacktestPlots
from allocator.errors import DataError, Finding
from allocator.report.backtested import BacktestView, backtest_to_dict, build_backtest
from allocator.report.render.json import finite
from allocator.report.render.text import Terminal, render_text
from allocator.scenario.schema import Scenario
from allocator.study.backtest import Backtest
from allocator.study.backtest import backtest as study_backtest

__all__ = ["Backtested", "backtest"]


@dataclass(frozen=True, eq=False)
class Backtested:
    """How a plan of the past would have done, and simple plans beside it.

    Parameters
    ----------
    scenario : Scenario
    result : Backtest
    """

    scenario: Scenario
    result: Backtest

    def to_frame(self) -> pd.DataFrame:
        """Give one row a plan, the scenario's first.

        Returns
        -------
        pandas.DataFrame
            ``name``, ``spend``, ``margin`` (incremental, gross) and ``margin_error``, ``behind`` (profit of
            the scenario's plan less of this one) and ``behind_error``, ``profit``; money of the population.
        """
        columns = ["name", "spend", "margin", "margin_error", "behind", "behind_error", "profit"]
        rows = [asdict(row) | {"profit": row.profit} for row in self.result.policies]
        return pd.DataFrame(rows, columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """Give the backtest as plain data in the schema ``allocator.backtest/1``, numbers unrounded."""
        return {key: finite(value) for key, value in backtest_to_dict(self._view).items()}

    def to_json(self) -> str:
        """Give `to_dict` as JSON text, as ``allocator backtest --json`` prints it."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False, indent=2) + "\n"

    def to_text(self, stream: TextIO | None = None) -> str:
        """Give promise, outcome and simple plans as text, fitted to a stream.

        Parameters
        ----------
        stream : text stream, optional
            Default: 120 columns, no colours, any character.
        """
        return render_text(build_backtest(self._view), Terminal.of(stream) if stream else None)

    def __str__(self) -> str:
        return self.to_text().rstrip("\n")

    @property
    def plot(self) -> BacktestPlots:
        """Charts; they need the extra ``plots``."""
        return BacktestPlots(self.scenario, self.result)

    @property
    def _view(self) -> BacktestView:
        return BacktestView(self.scenario, self.result)


def backtest(scenario: Scenario, forecast: Forecast | None = None) -> Backtested:
    """Say how plans like the scenario's would have done.

    The test of contacts is cut in halves: effects and plan are made on one, and valued by the other, beside
    simple plans; orders and periods of the end are held out from the forecasts of customers and media.

    Parameters
    ----------
    scenario : Scenario
    forecast : Forecast, optional
        From `fit` of the same scenario; fitted here where absent.

    Raises
    ------
    DataError
        As `fit`, and E209 for a forecast that was not fitted in this process.

    Examples
    --------
    >>> import allocator as al
    >>> table = al.backtest(al.load_scenario("scenarios/q1_base.yaml")).to_frame()
    >>> table["name"].iloc[0], "equal split" in set(table["name"])
    ('plan', True)
    """
    fitted = fit(scenario) if forecast is None else forecast
    if fitted.found is None:
        what = "a backtest needs the tables a forecast was fitted to in this process"
        raise DataError(Finding("E209", None, what))
    return Backtested(scenario, study_backtest(scenario, fitted.found, fitted.halves))
