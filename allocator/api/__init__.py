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
    from allocator.api.plans import Plan, plans_to_json, solve
    from allocator.api.project import init
    from allocator.api.scenarios import Scenario, check, load_scenario, show
    from allocator.api.tables import TableRead, data, tables_to_json
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "allocator.api.backtests": ("Backtested", "backtest"),
            "allocator.api.cache": ("cache_folder",),
            "allocator.api.findings": ("as_github", "as_json", "as_text"),
            "allocator.api.pages": ("explain",),
            "allocator.api.fitting": ("curves_from_frame", "fit"),
            "allocator.api.forecasts": ("Forecast",),
            "allocator.api.plans": ("Plan", "plans_to_json", "solve"),
            "allocator.api.project": ("init",),
            "allocator.api.scenarios": ("Scenario", "check", "load_scenario", "show"),
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
    "curves_from_frame",
    "data",
    "explain",
    "fit",
    "init",
    "load_scenario",
    "plans_to_json",
    "show",
    "solve",
    "tables_to_json",
]
