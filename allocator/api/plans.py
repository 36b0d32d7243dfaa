"""From response curves to a plan: one function, and the immutable object it gives."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self, TextIO

import pandas as pd

from allocator import pipeline
from allocator.api.files import harmless, write_whole
from allocator.api.fitting import ConvertibleTable, forecast_of
from allocator.api.forecasts import Forecast
from allocator.api.plan_plots import PlanPlots
from allocator.errors import DataError, Finding, NoPlanError
from allocator.pipeline import Forecasted
from allocator.plan.account import accounted
from allocator.plan.optimise import optimise
from allocator.plan.problem import Problem
from allocator.plan.solution import Solution, Status
from allocator.quantities import count, quoted
from allocator.report.build import build
from allocator.report.render import json as json_render
from allocator.report.render.text import Terminal, render_text
from allocator.report.rules import rule_lines
from allocator.report.view import CheckedReturn, PlanView, plan_view
from allocator.response.curves import Curves
from allocator.scenario.schema import Scenario
from allocator.stages.contact_log import contact_terms
from allocator.stages.targeting import IdArray
from allocator.stages.targets import Price, chosen, rules
from allocator.study.halves import checked_by_halves, contacts_of

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
    def has_plan(self) -> bool:
        """Whether there is a plan."""
        return bool(self.solution.cells)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Everything worth knowing before the plan is believed."""
        return self.view.findings

    @cached_property
    def view(self) -> PlanView:
        """What a renderer needs."""
        return plan_view(
            self.scenario,
            self.curves,
            self.solution,
            read=self.forecast.facts,
            checked=self.checked_return,
        )

    @property
    def plot(self) -> PlanPlots:
        """Charts; they need the extra ``plots``."""
        return PlanPlots(self.scenario, self.curves, self.solution)

    @cached_property
    def found(self) -> Forecasted | None:
        """What the stages found, customers in segments that suit the plan's budget; None for curves read."""
        return _suited(self.scenario, self.forecast)

    @property
    def curves(self) -> Curves:
        """The curves the plan was made from."""
        return self.found.curves if self.found else self.forecast.curves

    @cached_property
    def problem(self) -> Problem:
        """The problem the plan solves: decisions with their curves, every limit as a row."""
        return pipeline.problem(self.scenario, self.curves, self.forecast.facts.customers)

    @cached_property
    def checked_return(self) -> CheckedReturn | None:
        """Margin of the tested channels by customers who did not choose it; None where none was tested.

        The test is cut in halves; a plan is made on one and valued on the other, and the reverse.
        """
        found = self.found
        halves = self.forecast.halves if self.solution.cells else ()
        if found is None or not halves:
            return None
        checked = checked_by_halves(self.scenario, found, halves)
        if checked is None:
            return None
        return CheckedReturn(checked.value, checked.interval, checked.promised, SWAPPED)

    def targets(self, customers: Iterable[str] | None = None) -> pd.DataFrame:
        """Say who gets which contact: the plan by name.

        Counts, spend and caps are those of the plan, scaled to the customers in the tables and rounded down;
        customers who were in no test are ranked like all others.

        Parameters
        ----------
        customers : iterable of str, optional
            Only these; default: all of the plan's population.

        Returns
        -------
        pandas.DataFrame
            ``customer_id``, ``channel``, ``tier``, ``gain`` (shrunk effect of the contact, money of margin),
            ``cost``, ``gain_per_cost``; the highest gain per cost first.

        Raises
        ------
        DataError
            E209 where nothing was tested in this process, E305 for customers the plan is not for.
        NoPlanError
            Without a plan.
        """
        self.require()
        found = self.found
        if found is None or found.tested is None:
            what = "names need a test of contacts that was fitted in this process"
            raise DataError(Finding("E209", None, what, "fit a scenario with response: {source: experiment}"))
        problem = self.problem
        targeting = found.tested.targeting
        table = chosen(
            targeting,
            contacts_of(problem, self.solution),
            len(targeting.customer_id) / found.customers.population,
            once=self._once,
            most={name: one.contacts_per_customer for name, one in contact_terms(self.scenario).items()},
        )
        return table if customers is None else _only(table, targeting.customer_id, list(customers))

    @property
    def _once(self) -> bool:
        """Whether a customer gets one tested channel at most."""
        stated = self.scenario.data.experiments.combine if self.scenario.data.experiments else None
        return (stated or self.curves.combine) == "one_per_customer"

    def save_targets(self, path: str | os.PathLike[str]) -> Path:
        """Write who gets which contact as CSV: ``customer_id``, ``channel``, highest gain per cost first.

        Raises
        ------
        DataError
            As `targets`, and E011 when the file cannot be written.
        """
        target = Path(path)
        table = self.targets()[["customer_id", "channel"]].map(harmless)
        text = table.to_csv(index=False, lineterminator="\n")
        return write_whole(target.parent, target.name, text, force=True)

    def rules(self) -> pd.DataFrame:
        """Give the plan as prices: contact when ``gain - price_of_money * cost > 0``.

        Returns
        -------
        pandas.DataFrame
            ``tier``, ``channel``, ``price_of_money``, ``because`` (names of the limits behind it).
        """
        rows = [asdict(price) for price in self._prices]
        return pd.DataFrame(rows, columns=["tier", "channel", "price_of_money", "because"])

    def rules_text(self) -> str:
        """Give `rules` in words, a line a channel and price."""
        return "\n".join(rule_lines(self.view, self._prices))

    @property
    def _prices(self) -> tuple[Price, ...]:
        tested = self.forecast.found.tested if self.forecast.found else None
        channels = tested.log.channels if tested else ()
        return rules(self.solution, channels, profit=bool(self.scenario.objective.weights().spend))

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
            ``range_high`` (of the limit, within which both hold), ``cost_of_rule`` (what the objective would
            gain without it), ``missed`` (of a soft limit), ``reason``, ``file``, ``line``.
        """
        return _frame(self.to_dict()["binding"], _LIMIT_COLUMNS, "range", ("range_low", "range_high"))

    def __str__(self) -> str:
        return self.to_text().rstrip("\n")

    def __repr__(self) -> str:
        return f"<Plan {self.scenario.name!r}: {self.status.value}>"


SWAPPED = "of the tested channels, planned on one half of the test and valued on the other"


def _only(table: pd.DataFrame, known: IdArray, wanted: list[str]) -> pd.DataFrame:
    """Keep some customers, all of whom the plan has to be for."""
    strangers = sorted(set(wanted) - set(known))
    if strangers:
        what = f"{count(len(strangers))} customers are none of the plan, such as {quoted(strangers[0])}"
        raise DataError(Finding("E305", None, what, "see data.customers"))
    return table[table["customer_id"].isin(wanted)].reset_index(drop=True)


_CELL_COLUMNS = (
    "tier", "channel", "period", "current", "spend", "return", "return_interval", "return_per_unit",
    "marginal_return", "contacts", "conversions", "tied",
)  # fmt: skip
_LIMIT_COLUMNS = (
    "name", "source", "kind", "limit", "value", "shadow_price", "next_unit", "last_unit", "range",
    "cost_of_rule", "missed", "reason", "file", "line",
)  # fmt: skip


def _frame(
    entries: list[dict[str, Any]], columns: tuple[str, ...], interval: str, ends: tuple[str, str]
) -> pd.DataFrame:
    """Give entries of the result as a table, with an interval in two columns of its own."""
    split = [{**entry, **dict(zip(ends, entry[interval] or (None, None), strict=True))} for entry in entries]
    names = [name for column in columns for name in (ends if column == interval else (column,))]
    return pd.DataFrame(split, columns=names)


def _suited(scenario: Scenario, forecast: Forecast) -> Forecasted | None:
    """Give what a forecast found in segments that suit the budget of a scenario."""
    found, fitted = forecast.found, forecast.scenario
    if found is None or fitted is None or fitted.budget.total == scenario.budget.total:
        return found
    return pipeline.cut_for(scenario, found)


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
    found = _suited(scenario, forecast)
    curves = found.curves if found else forecast.curves
    problem = pipeline.problem(scenario, curves, forecast.facts.customers)
    return Plan(scenario, forecast, accounted(problem, optimise(problem, engine=solver)))
