"""One question asked many times: the plan at every value of one or two inputs of a scenario."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from allocator.errors import AllocatorError, ArgumentError, Finding, ScenarioError
from allocator.plan.optimise import optimise
from allocator.plan.problem import Problem
from allocator.plan.solution import Solution, Status
from allocator.plan.solver import Engine
from allocator.quantities import count, quoted
from allocator.scenario.schema import Scenario

MOST_POINTS = 10_000
MOST_PATHS = 2
_FITTED = ("data", "models", "tiers", "horizon", "currency", "fx")
_FITTED_OF_CHANNELS = ("response", "targeting", "tier_index")
_FITTED_OF_OBJECTIVE = ("margin", "value_window", "discount_rate", "value_per_conversion")

Make = Callable[[Scenario], Problem]
"""From a scenario to its problem, on curves that were fitted once."""


@dataclass(frozen=True, eq=False)
class SweepPoint:
    """A plan at some values, or the reason why there is none.

    Parameters
    ----------
    tried : mapping of str to value
        Dotted path to the value there.
    scenario : Scenario or None
        With these values; None where a value does not fit.
    solution : Solution or None
        None where no problem could be stated.
    reason : str
        Why there is no plan; empty with one.
    """

    tried: Mapping[str, object]
    scenario: Scenario | None
    solution: Solution | None
    reason: str = ""


def sweep(
    scenario: Scenario, over: Mapping[str, Sequence[object]], make: Make, engine: Engine = "highs"
) -> tuple[SweepPoint, ...]:
    """Give the plan at every value of one path, or at every pair of values of two.

    Parameters
    ----------
    scenario : Scenario
    over : mapping of str to sequence of values
        Dotted path to values; relative ones (``base - 20%``) count from the scenario's own.
    make : callable
    engine : {"highs", "cbc"}

    Returns
    -------
    tuple of SweepPoint
        In order, the last path fastest; a point that fails keeps its place.

    Raises
    ------
    ArgumentError
        For no path, more than two, or one without values.
    ScenarioError
        For a path whose values would need curves of their own.
    """
    check_paths(scenario, list(over))
    if not over or len(over) > MOST_PATHS or not all(over.values()):
        what = "a sweep goes over the values of one path or of two, each with at least one value"
        raise ArgumentError(Finding("E103", None, what))
    n_points = 1
    for values in over.values():
        n_points *= len(values)
    if n_points > MOST_POINTS:
        what = f"a sweep of {count(n_points)} points is too large; {count(MOST_POINTS)} is the most"
        raise ArgumentError(Finding("E106", None, what))
    combined = (dict(zip(over, values, strict=True)) for values in product(*over.values()))
    return tuple(_point(scenario, values, make, engine) for values in combined)


def _point(scenario: Scenario, values: Mapping[str, object], make: Make, engine: Engine) -> SweepPoint:
    changed = None
    try:
        changed = scenario.override(values)
        solution = optimise(make(changed), engine)
    except AllocatorError as error:
        return SweepPoint(values, changed, None, error.findings[0].what)
    return SweepPoint(values, changed, solution, why_not(solution))


def why_not(solution: Solution) -> str:
    """Say in plain words why there is no plan; empty where there is one.

    Examples
    --------
    >>> why_not(Solution(Status.UNBOUNDED, "highs"))
    "nothing limits the plan's spend"
    """
    if solution.cells:
        return ""
    if solution.conflict and solution.conflict.rows:
        names = dict.fromkeys(row.name for row in solution.conflict.rows)
        return f"no plan satisfies every limit: {', '.join(names)} contradict each other"
    if solution.status is Status.UNBOUNDED:
        return "nothing limits the plan's spend"
    return solution.warnings[0].what if solution.warnings else f"no plan: {solution.status.value}"


def check_paths(scenario: Scenario, paths: Sequence[str]) -> None:
    """Refuse paths that a forecast rests on: curves fitted once would not know of the change.

    Raises
    ------
    ScenarioError
    """
    found = list(_refitting(scenario, paths))
    if found:
        raise ScenarioError(found)


def _refitting(scenario: Scenario, paths: Sequence[str]) -> Iterator[Finding]:
    for path in paths:
        if rests_on(scenario, path):
            what = f"{quoted(path)} changes the forecast itself, not only the plan"
            fix = "write each value as a scenario of its own (extends: …), run it, and compare the plans"
            yield Finding("E110", scenario.origin_of(path), what, fix)


def rests_on(scenario: Scenario, path: str) -> bool:
    """Whether a forecast of a scenario would be another one with another value at a path."""
    first, *rest = path.split(".")
    if first in _FITTED:
        return True
    if first == "objective" and rest:
        return rest[0] in _FITTED_OF_OBJECTIVE
    if first == "risk" and rest:
        return rest[0] in ("draws", "seed")
    if first != "channels" or len(rest) < 2:
        return first == "channels"
    if rest[1] == "cost_per_contact" and rest[0] in scenario.channels:
        response = scenario.channels[rest[0]].response
        return getattr(response, "source", None) == "experiment"
    return rest[1] in _FITTED_OF_CHANNELS
