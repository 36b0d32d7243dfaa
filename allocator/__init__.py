"""Decides where a marketing budget goes, and can defend the answer.

>>> import allocator as al
>>> scenario = al.load_scenario("scenarios/q1_base.yaml")
>>> forecast = al.fit(scenario)
>>> plan = al.solve(scenario, forecast)
>>> plan.status.value
'optimal'

``print(plan)`` gives the five answers: where the money goes, what it returns, how sure that is, what binds,
and what the next unit of money earns. The command line ``allocator`` does nothing but call these functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from allocator.errors import AllocatorError, DataError, Finding, NoPlanError, ScenarioError
from allocator.errors import ArgumentError as ArgumentError
from allocator.errors import Origin as Origin
from allocator.errors import SolverError as SolverError
from allocator.lazy import lazy_names

if TYPE_CHECKING:
    from allocator.api.backtests import backtest
    from allocator.api.fitting import curves_from_frame, fit
    from allocator.api.forecasts import Forecast
    from allocator.api.plan_questions import explain_cell as explain_cell
    from allocator.api.plan_questions import few_moves as few_moves
    from allocator.api.plan_questions import reforecast as reforecast
    from allocator.api.plans import Plan, solve
    from allocator.api.scenarios import Scenario, check, load_scenario
    from allocator.api.studies import compare, grid, solve_for, sweep
    from allocator.api.studies import evaluate as evaluate
    from allocator.api.studies import frontier as frontier
    from allocator.api.studies import stress as stress
    from allocator.api.studies import tornado as tornado
    from allocator.api.tables import data
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "allocator.api.backtests": ("backtest",),
            "allocator.api.fitting": ("curves_from_frame", "fit"),
            "allocator.api.forecasts": ("Forecast",),
            "allocator.api.plan_questions": ("explain_cell", "few_moves", "reforecast"),
            "allocator.api.plans": ("Plan", "solve"),
            "allocator.api.scenarios": ("Scenario", "check", "load_scenario"),
            "allocator.api.studies": (
                "compare",
                "evaluate",
                "frontier",
                "grid",
                "solve_for",
                "stress",
                "sweep",
                "tornado",
            ),
            "allocator.api.tables": ("data",),
        },
    )

__version__ = "0.1.0"

__all__ = [
    "AllocatorError",
    "DataError",
    "Finding",
    "Forecast",
    "NoPlanError",
    "Plan",
    "Scenario",
    "ScenarioError",
    "__version__",
    "backtest",
    "check",
    "compare",
    "curves_from_frame",
    "data",
    "fit",
    "grid",
    "load_scenario",
    "solve",
    "solve_for",
    "sweep",
]
