"""What every command shares: arguments, progress, exit codes, where words go."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Annotated, TextIO, TypeVar

import typer

from allocator import api
from allocator.errors import AllocatorError, SolverError

if TYPE_CHECKING:
    from allocator.api import Forecast, Scenario

Made = TypeVar("Made")

PATIENCE_SECONDS = 1.0

DONE, FAULT, BAD_INPUT, NO_PLAN, NOT_PROVEN = range(5)
EXIT_OF_STATUS = {
    "optimal": DONE,
    "feasible_gap": NOT_PROVEN,
    "time_limit": NOT_PROVEN,
    "infeasible": NO_PLAN,
}

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE", help="One or more scenario files.", show_default=False)
]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A scenario file.", show_default=False)]
AllowOutside = Annotated[
    bool, typer.Option("--allow-outside", help="Let paths in the scenario leave the project folder.")
]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Forecast customers anew, and keep nothing for the next time.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else on stdout.")]


class Solver(StrEnum):
    """Which solver is asked first."""

    CBC = "cbc"
    HIGHS = "highs"


def is_terminal(stream: TextIO) -> bool:
    """Say whether somebody watches a stream."""
    return stream.isatty()


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Give what is told each stage; shown on a terminal's stderr, and only past one second."""
    if not is_terminal(sys.stderr):
        yield lambda stage: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), BarColumn(20), TextColumn("{task.description}"), TimeElapsedColumn())
    bar = Progress(*columns, console=console, transient=True)
    task = bar.add_task("starting", total=None)
    patience = Timer(PATIENCE_SECONDS, bar.start)
    patience.daemon = True
    patience.start()
    try:
        yield lambda stage: bar.update(task, description=stage)
    finally:
        patience.cancel()
        patience.join()
        bar.stop()


def changes_of(sets: Iterable[str]) -> dict[str, str]:
    """Read changes written as PATH=VALUE."""
    pairs = [change.partition("=") for change in sets]
    for path, equals, _ in pairs:
        if not (path and equals):
            raise typer.BadParameter(f"write PATH=VALUE, got {path!r}", param_hint="--set")
    return {path.strip(): value.strip() for path, _, value in pairs}


def each(files: Iterable[Path], make: Callable[[Path], Made]) -> list[Made]:
    """Make something of every file; findings of all files are told before the command stops."""
    made: list[Made] = []
    code = DONE
    for file in files:
        try:
            made.append(make(file))
        except AllocatorError as error:
            complain(api.as_text(str(file), error.findings))
            code = worst([code, code_of(error)])
    if code:
        raise typer.Exit(code)
    return made


def code_of(error: AllocatorError) -> int:
    """Whose turn it is: ours when the solvers fail, else the writer's of the input."""
    return FAULT if isinstance(error, SolverError) else BAD_INPUT


def worst(codes: Iterable[int]) -> int:
    """Give the code that matters most; a fault of ours outweighs bad input, and so on down."""
    order = [FAULT, BAD_INPUT, NO_PLAN, NOT_PROVEN, DONE]
    return min(codes, key=order.index)


def show_text(text: str) -> None:
    """Print an answer."""
    sys.stdout.write(text.rstrip("\n") + "\n" if text else "")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Say something that is no answer."""
    sys.stderr.write(text.rstrip("\n") + "\n")


def fitted(path: Path, *, no_cache: bool, allow_outside: bool) -> tuple[Scenario, Forecast]:
    """Read a scenario and fit its forecast, told on a terminal."""
    scenario = api.load_scenario(path, allow_outside=allow_outside)
    with progress() as tell:
        return scenario, api.fit(scenario, progress=tell, cache=None if no_cache else api.cache_folder())
