"""The command line: arguments in, answers on stdout, everything else on stderr; no arithmetic."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from allocator import __version__, api
from allocator.cli import studies
from allocator.cli.common import (
    BAD_INPUT,
    DONE,
    EXIT_OF_STATUS,
    FAULT,
    AllowOutside,
    File,
    Files,
    Json,
    NoCache,
    Solver,
    changes_of,
    code_of,
    complain,
    each,
    fitted,
    progress,
    show_text,
    worst,
)
from allocator.errors import AllocatorError, Finding

if TYPE_CHECKING:
    from allocator.api import Backtested, Forecast, Plan, TableRead

HELP = """Decide where a marketing budget goes across customer tiers and channels, and defend the answer.

Start with: allocator init && allocator run q1_base.yaml"""

EPILOG = (
    "Exit codes: 0 done · 1 internal fault · 2 bad input · 3 no plan satisfies every limit · "
    "4 a plan, but not proven optimal"
)

app = typer.Typer(
    name="allocator",
    help=HELP,
    epilog=EPILOG,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # boxes around the help would cost half of its time
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Format(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


@app.callback(invoke_without_command=True)
def _program(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False
) -> None:
    if version:
        show_text(f"allocator {__version__}")
        raise typer.Exit


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to write it.")] = Path(),
) -> None:
    """Write an example project that runs at once.

    With it comes the schema that lets an editor complete and check keys.
    """
    written = api.init(folder)
    for path in written:
        show_text(f"wrote {path}")
    example = next(path for path in written if path.suffix == ".yaml")
    show_text(f"next: allocator run {example}")


@app.command()
def check(
    files: Files,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Count warnings as errors.")] = False,
    style: Annotated[Format, typer.Option("--format", help="How findings are printed.")] = Format.TEXT,
    no_data: Annotated[bool, typer.Option("--no-data", help="Do not look at the data files.")] = False,
    allow_outside: AllowOutside = False,
) -> None:
    """Report every mistake in one pass, with its place.

    Solves nothing.
    """
    checked = {str(file): api.check(file, data=not no_data, allow_outside=allow_outside) for file in files}
    show_text(_findings(checked, style))
    found = [finding for findings in checked.values() for finding in findings]
    raise typer.Exit(BAD_INPUT if any(strict or finding.severity == "error" for finding in found) else DONE)


def _findings(checked: Mapping[str, Sequence[Finding]], style: Format) -> str:
    if style is Format.JSON:
        return api.as_json(checked)
    if style is Format.GITHUB:
        return api.as_github(finding for findings in checked.values() for finding in findings)
    return "\n".join(api.as_text(file, findings) for file, findings in checked.items())


@app.command()
def data(files: Files, *, json: Json = False, allow_outside: AllowOutside = False) -> None:
    """Print what was read of a scenario's tables.

    Encoding, columns, and the rows that cannot be used with their line numbers.
    """

    def read(file: Path) -> tuple[TableRead, ...]:
        return api.data(api.load_scenario(file, allow_outside=allow_outside))

    tables = [table for found in each(files, read) for table in found]
    texts = (str(table) for table in tables)
    show_text(api.tables_to_json(tables) if json else "\n\n".join(texts) or "the scenario reads no table")


@app.command()
def fit(
    file: File,
    *,
    json: Json = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write DIR/curves.csv and DIR/forecast.")
    ] = None,
    update: Annotated[
        bool,
        typer.Option("--update", help="Say too whether the forecast saved in DIR has aged, and renew it."),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite curves that differ.")] = False,
    no_cache: NoCache = False,
    allow_outside: AllowOutside = False,
) -> None:
    """Print what the data say before any plan.

    Customers and tiers, which model forecasts them and how good it was on days it had not seen, what a
    contact brings, the curves.
    """
    if update and out is None:
        raise typer.BadParameter("it needs --out DIR, where the earlier forecast is", param_hint="--update")

    def forecast(path: Path) -> tuple[Forecast, str]:
        scenario = api.load_scenario(path, allow_outside=allow_outside)
        before = api.Forecast.load(out) if update and out is not None else None
        with progress() as tell:
            fitted = api.fit(scenario, progress=tell, cache=None if no_cache else api.cache_folder())
            tell("judging")
            fitted = fitted.since(before) if before is not None else fitted
            return fitted, fitted.to_json() if json else fitted.to_text(sys.stdout)

    ((fitted, text),) = each([file], forecast)
    written = fitted.save(out, force=force) if out is not None else None
    show_text(text)
    if written is not None:
        complain(f"wrote {written}")


@app.command()
def show(
    file: File,
    *,
    diff: Annotated[Path | None, typer.Option("--diff", metavar="OTHER", help="Only what differs.")] = None,
    allow_outside: AllowOutside = False,
) -> None:
    """Print every value and the place that wrote it."""
    files = [file] if diff is None else [file, diff]
    show_text(api.show(*each(files, lambda path: api.load_scenario(path, allow_outside=allow_outside))))


@app.command()
def run(
    files: Files,
    *,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Replace a value, e.g. 'budget.total=base - 20%'."),
    ] = None,
    json: Json = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print nothing but errors.")] = False,
    targets: Annotated[
        Path | None,
        typer.Option("--targets", metavar="FILE", help="Write who gets which contact to a CSV file."),
    ] = None,
    solver: Annotated[Solver, typer.Option("--solver", help="Which solver is asked first.")] = Solver.CBC,
    no_cache: NoCache = False,
    allow_outside: AllowOutside = False,
) -> None:
    """Print the plan and its five answers.

    Where the money goes, what it returns, how sure that is, what binds, what more money would earn.
    """
    changes = changes_of(sets or [])
    if targets is not None and len(files) > 1:
        raise typer.BadParameter(
            "it takes one scenario, as names are those of one plan", param_hint="--targets"
        )

    def plan(file: Path) -> Plan:
        scenario = api.load_scenario(file, allow_outside=allow_outside, sets=changes)
        with progress() as tell:
            forecast = api.fit(scenario, progress=tell, cache=None if no_cache else api.cache_folder())
            tell("solving")
            return api.solve(scenario, forecast, solver=solver.value)

    plans = each(files, plan)
    if targets is not None and plans[0].has_plan:
        complain(f"wrote {plans[0].save_targets(targets)}")
        complain(plans[0].rules_text())
    if not quiet:
        texts = (plan.to_text(sys.stdout) for plan in plans)
        show_text(api.plans_to_json(plans) if json else "\n".join(texts))
    raise typer.Exit(worst(EXIT_OF_STATUS.get(plan.status.value, FAULT) for plan in plans))


@app.command()
def backtest(
    file: File, *, json: Json = False, no_cache: NoCache = False, allow_outside: AllowOutside = False
) -> None:
    """Say whether plans like this one keep their promise.

    Made on half of the test and judged by the other half, beside simple plans; customers and media by what
    followed.
    """

    def tested(path: Path) -> Backtested:
        scenario = api.load_scenario(path, allow_outside=allow_outside)
        with progress() as tell:
            forecast = api.fit(scenario, progress=tell, cache=None if no_cache else api.cache_folder())
            tell("judging by halves")
            return api.backtest(scenario, forecast)

    (found,) = each([file], tested)
    show_text(found.to_json() if json else found.to_text(sys.stdout))


@app.command()
def explain(
    subject: Annotated[
        str | None,
        typer.Argument(metavar="[CODE|FILE]", help="Such as E104 (absent: all of them), or a scenario file."),
    ] = None,
    *,
    cell: Annotated[
        str | None, typer.Option("--cell", help="A cell of the file's plan: low/email, low/email@2027-01.")
    ] = None,
    json: Json = False,
    no_cache: NoCache = False,
    allow_outside: AllowOutside = False,
) -> None:
    """Explain an error code, or why a cell of a plan got what it got."""
    if cell is None:
        show_text(api.explain(subject))
        return
    if subject is None:
        raise typer.BadParameter("name the scenario file as well", param_hint="--cell")

    def explained(path: Path) -> str:
        scenario, forecast = fitted(path, no_cache=no_cache, allow_outside=allow_outside)
        found = api.explain_cell(api.solve(scenario, forecast), cell)
        return found.to_json() if json else found.to_text(sys.stdout)

    show_text("\n".join(each([Path(subject)], explained)))


studies.add_to(app)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code; never with a traceback.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: the program's own.
    """
    _forgive_narrow_encodings()
    try:
        app(arguments)
    except AllocatorError as error:
        complain(str(error))
        sys.exit(code_of(error))
    except OSError as error:
        complain(f"the system refused: {error.strerror or error}")
        sys.exit(FAULT)
    except Exception as error:  # noqa: BLE001  the last place that can turn a fault of ours into words
        _report_fault(error)
        sys.exit(FAULT)
    sys.exit(DONE)


def _report_fault(error: Exception) -> None:
    if os.environ.get("ALLOCATOR_TRACEBACK"):
        sys.excepthook(type(error), error, error.__traceback__)
    complain(
        f"internal fault: {type(error).__name__}: {' '.join(str(error).split())} · "
        "please report it, with the scenario and what it prints under ALLOCATOR_TRACEBACK=1"
    )


def _forgive_narrow_encodings() -> None:
    """Print '?' for a character the terminal's encoding lacks, instead of stopping half way."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
