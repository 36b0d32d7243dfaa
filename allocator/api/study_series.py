"""Studies along an input: the best value at every budget, plans at many values, the value for a target."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from allocator.api.forecasts import Forecast
from allocator.api.plans import Plan
from allocator.api.study_base import Study, header, objective_of, subtitle
from allocator.quantities import money, percent, ratio
from allocator.report.document import Advice, Column, Document, Entry, Figure, Money, Table, Text
from allocator.response.curve import FloatArray
from allocator.scenario.schema import Scenario
from allocator.study.frontier import Frontier as Traced
from allocator.study.frontier import Kink
from allocator.study.outputs import OUTPUTS, PHRASES, outputs, spelled
from allocator.study.solve_for import Solved
from allocator.study.sweep import SweepPoint

NO_PLAN = "no plan within the limits"
_SHOWN = ("spend", "return", "profit", "roi", "marginal_return")
_HEADS = {"marginal_return": "next 1 earns", "roi": "ROI"}


@dataclass(frozen=True, eq=False)
class Frontier(Study):
    """The best plan at every budget; ``print(frontier)`` says where more budget stops paying.

    Parameters
    ----------
    scenario : Scenario
    result : allocator.study.frontier.Frontier
    """

    scenario: Scenario
    result: Traced

    @property
    def objectives(self) -> FloatArray:
        """The best objective at each budget; nan where there is no plan."""
        return self.result.values  # noqa: PD011 - no table of pandas

    def to_frame(self) -> pd.DataFrame:
        """Give one row a budget.

        Returns
        -------
        pandas.DataFrame
            ``budget``, ``spend``, ``return`` (incremental margin, gross of spend), ``objective``,
            ``marginal`` (objective gained by the next unit of budget), ``feasible``, ``chord_error`` (how
            far the frontier can lie above the line to the next budget; nan where no bound holds).
        """
        found = self.result
        errors = np.full(len(found.budgets), np.nan)
        if found.chord_errors is not None:
            errors[:-1] = found.chord_errors
        return pd.DataFrame(
            {
                "budget": found.budgets,
                "spend": found.total_spend,
                "return": found.margin,
                "objective": self.objectives,
                "marginal": found.marginal,
                "feasible": ~found.infeasible,
                "chord_error": errors,
            }
        )

    def _data(self) -> dict[str, Any]:
        points = self.to_frame().to_dict("records")
        return header("frontier", self.scenario) | {
            "error_bound": self.result.error_bound,
            "points": [dict(point) for point in points],
            "kinks": [kink._asdict() for kink in self.result.kinks],
        }

    @property
    def _document(self) -> Document:
        found = self.result
        columns = (
            Column("budget"), Column("spend"), Column("return"), Column(objective_of(self.scenario)),
            Column("next 1 adds"), Column("", "left"),
        )  # fmt: skip
        series = (found.budgets, found.total_spend, found.margin, self.objectives, found.marginal)
        rows: tuple[tuple[Entry, ...], ...] = tuple(
            (*map(Money, amounts), Text(ratio(marginal)), Text(NO_PLAN if np.isnan(amounts[-1]) else ""))
            for *amounts, marginal in zip(*(one.tolist() for one in series), strict=True)
        )
        return Document(
            title=self.scenario.name,
            subtitle=subtitle("frontier", self.scenario),
            figures=tuple(self._figures()),
            tables=(Table("The best plan at every budget", columns, rows),),
            advice=tuple(Advice("", _kink(kink)) for kink in found.kinks),
        )

    def _figures(self) -> Iterator[Figure]:
        found = self.result
        if found.infeasible.all():
            yield Figure("Nothing", Text("to choose from"), ("no budget allows a plan within the limits",))
            return
        best = int(np.nanargmax(self.objectives))
        remarks = [f"{objective_of(self.scenario)} of {money(self.objectives[best])}"]
        if found.marginal[best] > 0:
            remarks.append("of the budgets asked for; the next unit would still add to it")
        yield Figure("Best", Money(float(found.budgets[best])), tuple(remarks))
        if found.error_bound is None:
            remark = "every budget was solved on its own; nothing is known of what lies between them"
            yield Figure("Between", Text("unknown"), (remark,))
        else:
            remark = "at most, by which the frontier lies above straight lines between these budgets"
            yield Figure("Between", Money(found.error_bound), (remark,))


def _kink(kink: Kink) -> str:
    parts = [
        f"{', '.join(names)} {verb if len(names) > 1 else verb + 's'} holding the plan back"
        for names, verb in ((kink.starts, "start"), (kink.stops, "stop"))
        if names
    ]
    worth = f"the next 1 adds {ratio(kink.marginal_above)} instead of {ratio(kink.marginal_below)}"
    return f"at about {money(kink.budget)} {' and '.join(parts)}: {worth}"


@dataclass(frozen=True, eq=False)
class Sweep(Study):
    """Plans at many values of one or two inputs; a value without a plan keeps its place.

    Parameters
    ----------
    scenario : Scenario
    forecast : Forecast
    points : tuple of SweepPoint
    """

    scenario: Scenario
    forecast: Forecast
    points: tuple[SweepPoint, ...]

    @property
    def plans(self) -> tuple[Plan | None, ...]:
        """The plan of every point; None where no problem could be stated."""
        return tuple(
            Plan(point.scenario, self.forecast, point.solution) if point.scenario and point.solution else None
            for point in self.points
        )

    @property
    def paths(self) -> tuple[str, ...]:
        """Dotted paths that were varied."""
        return tuple(self.points[0].tried)

    def to_frame(self) -> pd.DataFrame:
        """Give one row a point.

        Returns
        -------
        pandas.DataFrame
            A column for each path, ``status``, ``spend``, ``return``, ``profit``, ``roi``, ``conversions``,
            ``retained_customers``, ``marginal_return``, ``objective``, ``reason`` (why there is no plan).
        """
        rows = [
            {
                **point.tried,
                "status": point.solution.status.value if point.solution else "refused",
                **(outputs(point.solution) if point.solution else {}),
                "reason": point.reason,
            }
            for point in self.points
        ]
        return pd.DataFrame(rows, columns=[*self.paths, "status", *OUTPUTS, "reason"])

    def _data(self) -> dict[str, Any]:
        points = [
            {
                "values": dict(point.tried),
                "status": point.solution.status.value if point.solution else "refused",
                "reason": point.reason or None,
                "outputs": dict(outputs(point.solution)) if point.solution else None,
            }
            for point in self.points
        ]
        return header("sweep", self.scenario) | {"over": list(self.paths), "points": points}

    @property
    def _document(self) -> Document:
        heads = [Column(_HEADS.get(name, name.replace("_", " "))) for name in _SHOWN]
        columns = (*(Column(path) for path in self.paths), *heads, Column("", "left", below=True))
        rows = tuple(
            (
                *(Text(_written(value)) for value in point.tried.values()),
                *(Text(text) for text in _texts(point)),
                Text(point.reason),
            )
            for point in self.points
        )
        title = f"Plans over {' and '.join(self.paths)}"
        return Document(
            self.scenario.name, subtitle("sweep", self.scenario), tables=(Table(title, columns, rows),)
        )


def _texts(point: SweepPoint) -> list[str]:
    found = outputs(point.solution) if point.solution else {}
    return [spelled(name, found.get(name)) for name in _SHOWN]


def _written(value: object) -> str:
    """Write a value tried; large numbers are money or counts."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return money(value) if abs(value) >= 100 else f"{value:g}"


@dataclass(frozen=True, eq=False)
class GoalSeek(Study):
    """The value of an input at which a plan reaches a target, or the nearest it gets.

    Parameters
    ----------
    scenario : Scenario
    forecast : Forecast
    vary : str
        Dotted path.
    is_share : bool
        Whether the input is a share, told in percent.
    result : Solved
    changed : Scenario or None
        The scenario with the value found.
    """

    scenario: Scenario
    forecast: Forecast
    vary: str
    is_share: bool
    result: Solved
    changed: Scenario | None

    @property
    def reached(self) -> bool:
        """Whether the target can be reached."""
        return self.result.reached

    @property
    def value(self) -> float | None:
        """The value that reaches it; None where none does."""
        return self.result.value

    @property
    def plan(self) -> Plan | None:
        """The plan at the value found, or the best reachable; None where no value allows one."""
        solution = self.result.solution
        return Plan(self.changed, self.forecast, solution) if self.changed and solution else None

    def to_frame(self) -> pd.DataFrame:
        """Give one row a value tried, in increasing order: the input, the output, ``reached``, ``reason``."""
        found = self.result
        rows = [(one.value, one.output, self._reaches(one.output), one.reason) for one in found.tried]
        return pd.DataFrame(rows, columns=[self.vary, found.output, "reached", "reason"])

    def _reaches(self, output: float | None) -> bool:
        return output is not None and output >= self.result.target * (1 - 1e-9)

    def _data(self) -> dict[str, Any]:
        found = self.result
        best = found.best
        return header("solve_for", self.scenario) | {
            "vary": self.vary,
            "target": {found.output: found.target},
            "reached": found.reached,
            "value": found.value,
            "best": None if best is None else {"value": best.value, "output": best.output},
            "rising": found.rising,
            "steady": found.steady,
            "tried": [
                {"value": one.value, "output": one.output, "reason": one.reason} for one in found.tried
            ],
        }

    def _spelled(self, value: float) -> str:
        return percent(value, None) if self.is_share else money(value, 2 if value % 1 else 0)

    @property
    def _document(self) -> Document:
        found, best = self.result, self.result.best
        goal = f"{PHRASES[found.output]} {spelled(found.output, found.target)}"
        if best is None:
            reason = found.tried[0].reason if found.tried else ""
            figure = Figure(self.vary, Text("no value"), (f"allows a plan: {reason}",))
        elif found.reached:
            word = "at most" if found.rising is False else "at least"
            gives = f"gives {PHRASES[found.output]} {spelled(found.output, best.output)}"
            figure = Figure(self.vary, Text(self._spelled(best.value)), (f"{word}, for {goal}", gives))
        else:
            nearest = (
                f"the best found is {spelled(found.output, best.output)}, at {self._spelled(best.value)}"
            )
            figure = Figure(self.vary, Text("no value"), (f"reaches {goal}", nearest))
        return Document(
            self.scenario.name,
            subtitle("goal seek", self.scenario),
            figures=(figure,),
            advice=tuple(self._advice()),
        )

    def _advice(self) -> Iterator[Advice]:
        found = self.result
        if found.rising is None and found.best is not None:
            yield Advice("", f"{self.vary} does not move the {found.output.replace('_', ' ')}")
        if not found.steady:
            yield Advice("", "the output does not move one way only: another value may reach the target too")
