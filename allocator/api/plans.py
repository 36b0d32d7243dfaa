"""From response curves to a plan: one function, and the immutable object it gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Self, TextIO

import pandas as pd

from allocator import pipeline
from allocator.api.fitting import ConvertibleTable, forecast_of
from allocator.api.forecasts import Forecast
from allocator.errors import Finding, NoPlanError
from allocator.plan.optimise import optimise
from allocator.plan.solution import Solution, Status
from allocator.report.build import build
from allocator.report.render import json as json_render
from allocator.report.render.text import Terminal, render_text
from allocator.report.view import PlanView, plan_view
from allocator.response.curves import Curves
from allocator.scenario.schema import Scenario

__all__ = ["Plan", "plans_to_json", "solve"]


@dataclass(frozen=True, eq=False)
class Plan:
    """A plan proven optimal, or the reason why there is none; ``print(plan)`` gives the five answers.

    Parameters
    ----------
    scenario : Scenario
    forecast : Forecast
    solution : Solution
    """

    scenario: Scenario
    forecast: Forecast
    solution: Solution

    @property
    def status(self) -> Status:
        """How solving ended; ``optimal`` and ``feasible_gap`` carry a plan."""
        return self.solution.status

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Everything worth knowing before the plan is believed."""
        return self.view.findings

    @cached_property
    def view(self) -> PlanView:
        """What a renderer needs."""
        return plan_view(self.scenario, self.forecast.curves, self.solution, read=self.forecast.facts)

    def require(self) -> Self:
        """Give this plan when there is one.

        Raises
        ------
        NoPlanError
            With the limits that contradict each other and the changes that would each work.
        """
        if self.solution.cells:
            return self
        repairs = self.solution.conflict.repairs if self.solution.conflict else ()
        what = "no plan satisfies every limit" if repairs else f"no plan: {self.status.value}"
        raise NoPlanError(Finding("E401", None, what, " or ".join(repair.text for repair in repairs)))

    def to_dict(self) -> dict[str, Any]:
        """Give the plan as plain data in the published schema ``allocator.result/1``, numbers unrounded."""
        return json_render.to_dict(self.view)

    def to_json(self) -> str:
        """Give `to_dict` as JSON text, as ``allocator run --json`` prints it."""
        return plans_to_json([self])

    def to_text(self, stream: TextIO | None = None) -> str:
        """Give the five answers as text, fitted to a stream's width, colours and encoding.

        Parameters
        ----------
        stream : text stream, optional
            Default: 120 columns, no colours, any character.
        """
        return render_text(build(self.view), Terminal.of(stream) if stream else None)

    def to_frame(self) -> pd.DataFrame:
        """Give one row a cell.

        Returns
        -------
        pandas.DataFrame
            ``tier``, ``channel``, ``period``, ``current``, ``spend``, ``return``, ``return_low`` and
            ``return_high`` (8 in 10 draws lie between), ``return_per_unit``, ``marginal_return``,
            ``contacts``, ``conversions``, ``tied``. Money over the whole horizon; empty without a plan.
        """
        return _frame(
            self.to_dict()["cells"], _CELL_COLUMNS, "return_interval", ("return_low", "return_high")
        )

    def binding(self) -> pd.DataFrame:
        """Give one row a limit that holds the plan back.

        Returns
        -------
        pandas.DataFrame
            ``name``, ``source``, ``kind``, ``limit``, ``value``, ``shadow_price``, ``next_unit`` (gain in the
            objective per unit of loosening), ``last_unit`` (loss per unit of tightening), ``range_low``,
            ``range_high`` (of the limit, within which both hold), ``reason``, ``file``, ``line``.
        """
        return _frame(self.to_dict()["binding"], _LIMIT_COLUMNS, "range", ("range_low", "range_high"))

    def __str__(self) -> str:
        return self.to_text().rstrip("\n")

    def __repr__(self) -> str:
        return f"<Plan {self.scenario.name!r}: {self.status.value}>"


_CELL_COLUMNS = (
    "tier", "channel", "period", "current", "spend", "return", "return_interval", "return_per_unit",
    "marginal_return", "contacts", "conversions", "tied",
)  # fmt: skip
_LIMIT_COLUMNS = (
    "name", "source", "kind", "limit", "value", "shadow_price", "next_unit", "last_unit", "range", "reason",
    "file", "line",
)  # fmt: skip


def _frame(
    entries: list[dict[str, Any]], columns: tuple[str, ...], interval: str, ends: tuple[str, str]
) -> pd.DataFrame:
    """Give entries of the result as a table, with an interval in two columns of its own."""
    split = [{**entry, **dict(zip(ends, entry[interval] or (None, None), strict=True))} for entry in entries]
    names = [name for column in columns for name in (ends if column == interval else (column,))]
    return pd.DataFrame(split, columns=names)


def plans_to_json(plans: Iterable[Plan]) -> str:
    """Give one plan as a JSON object, several as an array."""
    return json_render.to_json(plan.view for plan in plans)


def solve(
    scenario: Scenario,
    forecast: Forecast | Curves | pd.DataFrame | ConvertibleTable,
    *,
    solver: Literal["cbc", "highs"] = "cbc",
) -> Plan:
    """Give the plan that is best under every limit, verified, with the price of each limit.

    Parameters
    ----------
    scenario : Scenario
    forecast : Forecast, Curves or table
        From `fit`, or a table of curves as `curves_from_frame` reads it.
    solver : {"cbc", "highs"}
        Which is asked first; the other one is the second opinion.

    Returns
    -------
    Plan
        Also when no plan satisfies every limit: see ``plan.status`` and `Plan.require`.

    Raises
    ------
    ArgumentError
        A `TypeError` as well: `forecast` is none of these.
    ScenarioError
        When curves and scenario do not fit together.
    SolverError
        When no solver gave an answer that passes the checks.

    Examples
    --------
    >>> import allocator as al
    >>> scenario = al.load_scenario("scenarios/q1_base.yaml")
    >>> plan = al.solve(scenario, al.fit(scenario))
    >>> bool(plan.to_frame()["spend"].sum() <= scenario.budget.total)
    True
    """
    forecast = forecast_of(forecast)
    problem = pipeline.problem(scenario, forecast.curves, forecast.facts.customers)
    return Plan(scenario, forecast, optimise(problem, engine=solver))
