"""Questions about a plan in hand: why a cell got this, how far few changes go, what to do with the rest."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from allocator import pipeline
from allocator.api.fitting import ConvertibleTable, forecast_of
from allocator.api.plans import Plan
from allocator.api.studies import Responses
from allocator.api.study_inputs import given_of
from allocator.api.study_moves import CellExplanation, Moves
from allocator.errors import ArgumentError, Finding, closest
from allocator.plan.account import accounted
from allocator.plan.explain import reasons as explained
from allocator.plan.moves import few_moves as moved
from allocator.plan.optimise import optimise
from allocator.quantities import quoted
from allocator.response.curves import ALL, Cell, cell_name
from allocator.scenario.schema import Scenario
from allocator.study.reforecast import locked


def reforecast(
    scenario: Scenario,
    forecast: Responses,
    actuals: pd.DataFrame | ConvertibleTable,
    *,
    solver: Literal["cbc", "highs"] = "cbc",
) -> Plan:
    """Give the best plan for what is left, with what was already spent locked in.

    Parameters
    ----------
    scenario : Scenario
        With periods.
    forecast : Forecast, Curves or table
    actuals : table
        Columns ``channel``, ``period`` and ``spend``, perhaps ``tier``. Every period named is over; its cells
        that are not listed spent nothing.
    solver : {"cbc", "highs"}

    Returns
    -------
    Plan
        Of the whole horizon; W312 tells which limits the past missed.

    Raises
    ------
    DataError
        For missing columns, unknown names and amounts that are none.

    Examples
    --------
    >>> import allocator as al
    >>> curve = {"source": "points", "points": [["50k", "120k"], ["100k", "180k"]]}
    >>> scenario = al.Scenario.from_dict({
    ...     "version": 1, "name": "Half a year", "budget": {"total": "100k"},
    ...     "horizon": {"start": "2027-01-01", "end": "2027-06-30", "periods": "quarter"},
    ...     "channels": {"email": {"response": curve}, "search": {"response": curve}},
    ... })
    >>> spent = pd.DataFrame({"channel": ["email"], "period": ["2027-Q1"], "spend": [20_000]})
    >>> cells = al.reforecast(scenario, al.fit(scenario), spent).to_frame()
    >>> cells.loc[cells["period"] == "2027-Q1", "spend"].tolist()
    [20000.0, 0.0]
    """
    read = forecast_of(forecast)
    problem = pipeline.problem(scenario, read.curves, read.facts.customers)
    problem = locked(problem, given_of(actuals))
    return Plan(scenario, read, accounted(problem, optimise(problem, solver)))


def few_moves(plan: Plan, most: int = 5) -> Moves:
    """Give the best plans with at most 1, 2, 3, … changes of today's, and how much of the gain each brings.

    Parameters
    ----------
    plan : Plan
        Of a scenario that states what is spent today.
    most : int
        Changes that are tried at most.

    Examples
    --------
    >>> import allocator as al
    >>> scenario = al.load_scenario("scenarios/small_steps.yaml")
    >>> found = few_moves(al.solve(scenario, al.fit(scenario)), most=1)
    >>> found.to_frame()["moves"].tolist()
    [1]
    """
    problem = plan.problem
    return Moves(plan, moved(problem, plan.solution, most))


def explain_cell(plan: Plan, cell: str) -> CellExplanation:
    """Say what the next unit of money earns in a cell, and which limits take that away.

    Parameters
    ----------
    plan : Plan
    cell : str
        ``low/email``, ``email`` for a channel without tiers, ``low/email@2027-01`` with periods.

    Raises
    ------
    ArgumentError
        For a cell the plan does not have, with the one most alike.
    NoPlanError
        Without a plan.
    """
    plan.require()
    problem = plan.problem
    cells = {name: one for d in problem.decisions for one in d.cells for name in _names_of(one, tied=d.tied)}
    if cell not in cells:
        near = closest(cell, cells, 0.5)
        fix = f"did you mean {quoted(near)}?" if near else f"cells: {', '.join(list(cells)[:20])}"
        raise ArgumentError(Finding("E205", None, f"the plan has no cell {quoted(cell)}", fix))
    found = cells[cell]._replace(segment="")
    return CellExplanation(plan, found, explained(problem, plan.solution, found))


def _names_of(cell: Cell, *, tied: bool) -> tuple[str, ...]:
    """Give the names a cell goes by: of a tied channel also without a tier."""
    whole = cell_name(cell.channel, cell.tier, cell.period)
    return (whole, cell_name(cell.channel, "", cell.period)) if tied or cell.tier == ALL else (whole,)
