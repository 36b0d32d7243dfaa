"""Commands that ask a scenario several questions: sweep, solve-for, compare."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator import api
from allocator.cli.common import (
    NO_PLAN,
    AllowOutside,
    File,
    Files,
    Json,
    NoCache,
    each,
    fitted,
    show_text,
)

if TYPE_CHECKING:
    from allocator.api import Forecast, Scenario

Over = Annotated[
    list[str] | None,
    typer.Option("--over", metavar="PATH=FROM..TO", help="Such as budget.total=400k..600k; two: a grid."),
]
Points = Annotated[int, typer.Option("--points", min=2, max=200, help="Values of each input.")]
Target = Annotated[
    str, typer.Option("--target", metavar="OUTPUT=NUMBER", help="Such as return=2.5M or roi=40%.")
]
Vary = Annotated[str, typer.Option("--vary", metavar="PATH", help="The input to move, by dotted path.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    app.command("sweep")(sweep)
    app.command("solve-for")(solve_for)
    app.command("compare")(compare)


def sweep(
    file: File,
    *,
    over: Over = None,
    points: Points = 11,
    json: Json = False,
    no_cache: NoCache = False,
    allow_outside: AllowOutside = False,
) -> None:
    """Print the plan at every value of an input, or of every pair of two."""
    if not over:
        raise typer.BadParameter("say what to vary, e.g. budget.total=400k..600k", param_hint="--over")

    def swept(path: Path) -> str:
        scenario, forecast = fitted(path, no_cache=no_cache, allow_outside=allow_outside)
        found = api.sweep(scenario, forecast, api.ranges(scenario, over, points))
        return found.to_json() if json else found.to_text(sys.stdout)

    show_text("\n".join(each([file], swept)))


def solve_for(
    file: File,
    *,
    target: Target,
    vary: Vary = "budget.total",
    json: Json = False,
    no_cache: NoCache = False,
    allow_outside: AllowOutside = False,
) -> None:
    """Print the value of one input at which the best plan reaches a target."""

    def sought(path: Path) -> tuple[bool, str]:
        scenario, forecast = fitted(path, no_cache=no_cache, allow_outside=allow_outside)
        found = api.solve_for(scenario, forecast, target=api.target_of(target), vary=vary)
        return found.reached, found.to_json() if json else found.to_text(sys.stdout)

    ((reached, text),) = each([file], sought)
    show_text(text)
    if not reached:
        raise typer.Exit(NO_PLAN)


def compare(
    files: Files, *, json: Json = False, no_cache: NoCache = False, allow_outside: AllowOutside = False
) -> None:
    """Print plans side by side, the first as the reference: what was asked and what comes out."""
    made: list[tuple[Scenario, Forecast]] = each(
        files, lambda path: fitted(path, no_cache=no_cache, allow_outside=allow_outside)
    )
    found = api.compare([scenario for scenario, _ in made], [forecast for _, forecast in made])
    show_text(found.to_json() if json else found.to_text(sys.stdout))
