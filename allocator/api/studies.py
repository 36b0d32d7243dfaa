"""Questions about plans: what if, how much for, which input matters, how sure, how far behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from allocator import pipeline
from allocator.api.fitting import ConvertibleTable, forecast_of
from allocator.api.forecasts import Forecast
from allocator.api.plans import Plan, solve
from allocator.api.study_doubts import Stress, Tornado
from allocator.api.study_inputs import given_of
from allocator.api.study_plans import Comparison, Evaluation
from allocator.api.study_series import Frontier, GoalSeek, Sweep
from allocator.api.study_varied import Varied
from allocator.errors import ArgumentError, Finding, ScenarioError
from allocator.plan.problem import Problem
from allocator.quantities import quoted
from allocator.response.curves import Curves
from allocator.scenario.schema import Scenario
from allocator.study import compare as comparing
from allocator.study import evaluate as evaluating
from allocator.study import frontier as tracing
from allocator.study import solve_for as seeking
from allocator.study import stress as stressing
from allocator.study import sweep as sweeping
from allocator.study import tornado as moving

__all__ = [
    "Comparison",
    "Evaluation",
    "Frontier",
    "GoalSeek",
    "Stress",
    "Sweep",
    "Tornado",
    "compare",
    "evaluate",
    "frontier",
    "grid",
    "solve_for",
    "stress",
    "sweep",
    "tornado",
]

Responses = Forecast | Curves | pd.DataFrame | ConvertibleTable
AROUND = (0.5, 1.5, 21)  # budgets looked at by default, as shares of the scenario's own, and how many


def grid(start: float, stop: float, points: int) -> tuple[float, ...]:
    """Give evenly spaced values from `start` to `stop`, both included.

    Parameters
    ----------
    start, stop : float
    points : int
        At least 2.

    Examples
    --------
    >>> grid(600e3, 1.8e6, 4)
    (600000.0, 1000000.0, 1400000.0, 1800000.0)
    """
    if points < 2:
        raise ArgumentError(Finding("E106", None, f"a grid has at least 2 points, not {points}"))
    return tuple(np.linspace(start, stop, points).tolist())


def sweep(
    scenario: Scenario,
    forecast: Responses,
    over: Mapping[str, Sequence[object]],
    *,
    solver: Literal["cbc", "highs"] = "highs",
) -> Sweep:
    """Give the plan at every value of one input, or at every pair of values of two.

    Curves are fitted once. A value without a plan keeps its place and says why.

    Parameters
    ----------
    scenario : Scenario
    forecast : Forecast, Curves or table
    over : mapping of str to sequence of values
        Dotted path to values, as a scenario file spells them; ``base - 20%`` counts from the scenario's own.
    solver : {"highs", "cbc"}

    Raises
    ------
    ScenarioError
        E110 for a path that the forecast itself rests on, such as ``models.as_of``.
    ArgumentError
        For no path, or more than two.

    Examples
    --------
    >>> import allocator as al
    >>> scenario = al.load_scenario("scenarios/careful_plan.yaml")
    >>> found = sweep(scenario, al.fit(scenario), {"budget.total": ["base - 10%", "base"]})
    >>> found.to_frame()["status"].tolist()
    ['optimal', 'optimal']
    """
    read = forecast_of(forecast)
    points = sweeping.sweep(scenario, over, lambda changed: _problem(changed, read), solver)
    return Sweep(scenario, read, points)


def frontier(
    scenario: Scenario, forecast: Responses, budgets: Sequence[float | str] | None = None
) -> Frontier:
    """Give the best plan at every budget, what the next unit adds, and how far that holds in between.

    Customers stay in the segments that suit the scenario's own budget, so that only the budget moves.

    Parameters
    ----------
    scenario : Scenario
    forecast : Forecast, Curves or table
    budgets : sequence of amounts, optional
        In money, or as a scenario file spells them; default: from half to one and a half of the scenario's.

    Raises
    ------
    ArgumentError
        For a budget that is none.
    ScenarioError
        When curves and scenario do not fit together.

    Examples
    --------
    >>> import allocator as al
    >>> scenario = al.load_scenario("scenarios/whole_campaigns.yaml")
    >>> found = frontier(scenario, al.fit(scenario), grid(300e3, 400e3, 3))
    >>> bool(found.to_frame()["objective"].is_monotonic_increasing)
    True
    """
    read = forecast_of(forecast)
    low, high, points = AROUND
    total = scenario.budget.total
    asked = budgets if budgets is not None else grid(low * total, high * total, points)
    checked = tracing.checked_budgets([_amount(one, scenario) for one in asked])
    # smooth curves are sampled up to the budget of their problem
    widest = scenario.override({"budget.total": float(checked[-1])})
    problem = pipeline.problem(widest, _curves(scenario, read), read.facts.customers)
    return Frontier(scenario, tracing.frontier(problem, checked))


def _amount(budget: float | str, scenario: Scenario) -> float:
    if isinstance(budget, str):
        return scenario.override({"budget.total": budget}).budget.total
    return float(budget)


def solve_for(
    scenario: Scenario,
    forecast: Responses,
    *,
    target: Mapping[str, float],
    vary: str = "budget.total",
    start: float | None = None,
    between: tuple[float, float] | None = None,
) -> GoalSeek:
    """Give the value of one input at which the best plan reaches a target.

    Parameters
    ----------
    scenario : Scenario
    forecast : Forecast, Curves or table
    target : mapping of str to float
        One output, such as ``return``, ``profit`` or ``roi``, and the least it has to be.
    vary : str
        Dotted path of a number: money, a count, a ratio or a share (told as a fraction).
    start : float, optional
        Where to begin the search; default: what the scenario has there.
    between : tuple of float, optional
        The least and the most value allowed.

    Returns
    -------
    GoalSeek
        With the least value that reaches the target; the most, where more of the input gives less of the
        output. Where none does, with the best reachable.

    Raises
    ------
    ArgumentError
        For an unknown output, or an input without a number to begin with.
    ScenarioError
        For a path that the forecast itself rests on.

    Examples
    --------
    >>> import allocator as al
    >>> scenario = al.load_scenario("scenarios/careful_plan.yaml")
    >>> found = solve_for(scenario, al.fit(scenario), target={"return": 440e3})
    >>> found.reached, bool(found.value < scenario.budget.total)
    (True, True)
    """
    if len(target) != 1:
        raise ArgumentError(Finding("E103", None, "a target is one output and a number for it"))
    sweeping.check_paths(scenario, [vary])
    read = forecast_of(forecast)
    ((output, least),) = target.items()
    varied = Varied(scenario, vary)
    begin = varied.start(start)
    found = seeking.solve_for(
        lambda value: _problem(varied.at(value), read),
        target=(output, least), start=begin, between=between, unit=varied.unit(begin),
    )  # fmt: skip
    best = varied.at(found.best.value) if found.best else None
    return GoalSeek(scenario, read, vary, varied.is_share, found, best)


def tornado(scenario: Scenario, forecast: Responses, by: float = 0.1) -> Tornado:
    """Move the budget, every limit, and every channel's response and cost both ways, one at a time.

    Parameters
    ----------
    scenario : Scenario
    forecast : Forecast, Curves or table
    by : float
        Share by which each is moved.

    Raises
    ------
    NoPlanError
        When there is no plan to begin with.

    Examples
    --------
    >>> import allocator as al
    >>> scenario = al.load_scenario("scenarios/small_steps.yaml")
    >>> table = tornado(scenario, al.fit(scenario)).to_frame()
    >>> bool(table["width"].is_monotonic_decreasing)
    True
    """
    return Tornado(scenario, moving.tornado(_problem(scenario, forecast_of(forecast)), by))


def evaluate(
    scenario: Scenario, forecast: Responses, table: pd.DataFrame | ConvertibleTable | Mapping[str, float]
) -> Evaluation:
    """Judge a plan made by hand in the terms of an optimised one, and hold it against the best.

    Parameters
    ----------
    scenario : Scenario
    forecast : Forecast, Curves or table
    table : table or mapping
        Columns ``channel`` and ``spend``, perhaps ``tier`` and ``period``, as `Plan.to_frame` has them; or
        channel to spend. Channels that are not listed get nothing; money for a whole channel is split over
        its tiers as the objective likes best.

    Raises
    ------
    DataError
        For missing columns, unknown names (with the one most alike) and amounts that are none.

    Examples
    --------
    >>> import allocator as al
    >>> scenario = al.load_scenario("scenarios/small_steps.yaml")
    >>> forecast = al.fit(scenario)
    >>> plan = al.solve(scenario, forecast)
    >>> found = evaluate(scenario, forecast, plan.to_frame())
    >>> found.keeps_limits, round(found.gap)
    (True, 0)
    """
    problem = _problem(scenario, forecast_of(forecast))
    return Evaluation(scenario, evaluating.evaluate(problem, given_of(table)))


def stress(plan: Plan, *, sample: int = 20) -> Stress:
    """Say how a plan does over the draws of its curves: how often it loses, and by which channel.

    Parameters
    ----------
    plan : Plan
    sample : int
        Draws in which the plan that would have been best is looked for.

    Raises
    ------
    NoPlanError
        Without a plan.
    DataError
        E209 where no curve is uncertain.

    Examples
    --------
    >>> import allocator as al
    >>> scenario = al.load_scenario("scenarios/careful_plan.yaml")
    >>> found = stress(al.solve(scenario, al.fit(scenario)))
    >>> 0 <= found.result.loss_probability <= 1
    True
    """
    plan.require()
    problem = pipeline.problem(plan.scenario, plan.curves, plan.forecast.facts.customers)
    return Stress(plan, stressing.stress(problem, np.array(plan.solution.decision_spend), sample))


def compare(
    scenarios: Sequence[Scenario | Plan], forecast: Responses | Sequence[Forecast] | None = None
) -> Comparison:
    """Put plans side by side: what differs in what was asked, and in what comes out.

    Parameters
    ----------
    scenarios : sequence of Scenario or Plan
        The first is the reference; scenarios are solved.
    forecast : Forecast, Curves or table, or a sequence of Forecast
        For all scenarios, or one for each. Not needed for plans.

    Raises
    ------
    ScenarioError
        E110 where one forecast is given for scenarios that need forecasts of their own.
    ArgumentError
        For fewer than two plans, or scenarios without a forecast.

    Examples
    --------
    >>> import allocator as al
    >>> base = al.load_scenario("scenarios/small_steps.yaml")
    >>> less = base.override({"budget.total": "base - 5%"}, name="Less")
    >>> found = compare([base, less], al.fit(base))
    >>> found.inputs()["path"].tolist()
    ['budget.total']
    """
    given: list[Responses | None]
    if isinstance(forecast, Sequence):
        given = list(forecast)
    else:
        given = [forecast for _ in scenarios]
        _check_shared([one for one in scenarios if isinstance(one, Scenario)])
    if len(given) != len(scenarios):
        what = f"{len(scenarios)} scenarios need as many forecasts, or one for all, not {len(given)}"
        raise ArgumentError(Finding("E103", None, what))
    plans = tuple(_planned(*pair) for pair in zip(scenarios, given, strict=True))
    return Comparison(plans, comparing.compare([(plan.scenario, plan.solution) for plan in plans]))


def _planned(one: Scenario | Plan, forecast: Responses | None) -> Plan:
    if isinstance(one, Plan):
        return one
    if forecast is None:
        raise ArgumentError(Finding("E103", None, f"the scenario {quoted(one.name)} needs a forecast"))
    return solve(one, forecast, solver="highs")


def _check_shared(scenarios: Sequence[Scenario]) -> None:
    """Refuse one forecast for scenarios that differ in what it rests on."""
    if len(scenarios) < 2:
        return
    found = [
        Finding(
            "E110",
            None,
            f"the scenarios differ in {quoted(one.path)}, which the forecast itself rests on",
            "fit each scenario, and give compare one forecast for each",
        )
        for one in comparing.inputs(scenarios)
        if sweeping.rests_on(scenarios[0], one.path)
    ]
    if found:
        raise ScenarioError(found)


def _problem(scenario: Scenario, forecast: Forecast) -> Problem:
    return pipeline.problem(scenario, _curves(scenario, forecast), forecast.facts.customers)


def _curves(scenario: Scenario, forecast: Forecast) -> Curves:
    """Give the curves `solve` would use: customers in segments that suit the budget."""
    found, fitted = forecast.found, forecast.scenario
    if found is None or fitted is None or fitted.budget.total == scenario.budget.total:
        return forecast.curves
    return pipeline.cut_for(scenario, found).curves
