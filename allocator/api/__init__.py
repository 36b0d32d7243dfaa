"""Every public function, and the immutable objects they give; the command line calls only these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allocator.lazy import lazy_names

if TYPE_CHECKING:
    from allocator.api.backtests import Backtested, backtest
    from allocator.api.cache import cache_folder
    from allocator.api.findings import as_github, as_json, as_text
    from allocator.api.fitting import curves_from_frame, fit
    from allocator.api.forecasts import Forecast
    from allocator.api.pages import explain
    from allocator.api.plan_questions import explain_cell, few_moves, reforecast
    from allocator.api.plans import Plan, plans_to_json, solve
    from allocator.api.project import init
    from allocator.api.scenarios import Scenario, check, load_scenario, show
    from allocator.api.studies import (
        compare,
        evaluate,
        frontier,
        grid,
        solve_for,
        stress,
        sweep,
        tornado,
    )
    from allocator.api.study_inputs import ranges, target_of
    from allocator.api.tables import TableRead, data, tables_to_json
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "allocator.api.backtests": ("Backtested", "backtest"),
            "allocator.api.cache": ("cache_folder",),
            "allocator.api.findings": ("as_github", "as_json", "as_text"),
            "allocator.api.pages": ("explain",),
            "allocator.api.plan_questions": ("explain_cell", "few_moves", "reforecast"),
            "allocator.api.fitting": ("curves_from_frame", "fit"),
            "allocator.api.forecasts": ("Forecast",),
            "allocator.api.plans": ("Plan", "plans_to_json", "solve"),
            "allocator.api.project": ("init",),
            "allocator.api.scenarios": ("Scenario", "check", "load_scenario", "show"),
            "allocator.api.study_inputs": ("ranges", "target_of"),
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
            "allocator.api.tables": ("TableRead", "data", "tables_to_json"),
        },
    )

__all__ = [
    "Backtested",
    "Forecast",
    "Plan",
    "Scenario",
    "TableRead",
    "as_github",
    "as_json",
    "as_text",
    "backtest",
    "cache_folder",
    "check",
    "compare",
    "curves_from_frame",
    "data",
    "evaluate",
    "explain",
    "explain_cell",
    "few_moves",
    "fit",
    "frontier",
    "grid",
    "init",
    "load_scenario",
    "plans_to_json",
    "ranges",
    "reforecast",
    "show",
    "solve",
    "solve_for",
    "stress",
    "sweep",
    "tables_to_json",
    "target_of",
    "tornado",
]
