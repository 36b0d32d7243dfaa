"""The shape of the house, checked by machine: sizes, arguments, annotations, imports, weight."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import allocator
import allocator.api
import allocator.errors

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "allocator"
FILES = sorted(PACKAGE.rglob("*.py"))

# modules that --help, check and show must not pay for
HEAVY = (
    "pandas",
    "pyarrow",
    "polars",
    "pulp",
    "highspy",
    "scipy",
    "ibis",
    "duckdb",
    "matplotlib",
    "sklearn",
    "statsmodels",
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions() -> Iterator[tuple[str, Function]]:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, Function):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node


def length(node: Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def arguments(node: Function) -> list[ast.arg]:
    spec = node.args
    named = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, *filter(None, (spec.vararg, spec.kwarg))]
    return [argument for argument in named if argument.arg not in {"self", "cls"}]


def test_functions_are_short() -> None:
    lengths = sorted(length(node) for _, node in functions())
    assert statistics.median(lengths) <= 12
    assert lengths[int(0.9 * (len(lengths) - 1))] <= 40
    assert [name for name, node in functions() if length(node) > 60] == []


def test_files_hold_one_room() -> None:
    long = {str(path): n for path in FILES if (n := path.read_text(encoding="utf-8").count("\n")) > 400}
    assert long == {}


def is_command(node: Function) -> bool:
    """Whether typer reads the options of a command off this signature."""
    return any(ast.unparse(mark).startswith("app.command") for mark in node.decorator_list)


def test_functions_take_few_arguments() -> None:
    many = [name for name, node in functions() if len(arguments(node)) > 7 and not is_command(node)]
    assert many == []


def test_everything_is_annotated() -> None:
    bare = [
        name
        for name, node in functions()
        if node.returns is None or any(argument.annotation is None for argument in arguments(node))
    ]
    assert bare == []


def tunnels(node: Function) -> bool:
    """Whether a function hands keywords it does not know on to another one."""
    unknown = node.args.kwarg
    return unknown is not None and any(
        keyword.arg is None and isinstance(keyword.value, ast.Name) and keyword.value.id == unknown.arg
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        for keyword in call.keywords
    )


def test_no_tunnels_of_keywords() -> None:
    assert [name for name, node in functions() if tunnels(node)] == []


def own_imports(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=module, level=level) if (
                level or (module or "").split(".")[0] == "allocator"
            ):
                yield node.lineno
            case ast.Import(names=names) if any(name.name.split(".")[0] == "allocator" for name in names):
                yield node.lineno


def test_no_own_import_hides_in_a_function() -> None:
    hidden = [name for name, node in functions() if any(own_imports(node))]
    assert hidden == []


def imported_from(path: Path) -> set[str]:
    """Full names of everything a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_the_command_line_knows_the_api_and_the_errors_only() -> None:
    files = sorted((PACKAGE / "cli").glob("*.py"))
    names = {name for file in files for name in imported_from(file)}
    own = {name for name in names if name.split(".")[0] == "allocator" and "allocator.cli" not in name}
    public = {f"allocator.api.{name}" for name in allocator.api.__all__}
    errors = {f"allocator.errors.{name}" for name in vars(allocator.errors)}
    assert own <= {"allocator.__version__", "allocator.api", *public, *errors}


@pytest.mark.parametrize(
    ("library", "home"),
    [
        ("pulp", {"plan/solver.py"}),
        ("highspy", {"plan/solver.py"}),
        ("ruamel", {"scenario/load.py"}),
        ("yaml", set()),
        ("pickle", set()),
        ("ibis", {"tables/sources.py", "customers/engines.py"}),
        ("duckdb", {"tables/sources.py"}),
    ],
)
def test_a_library_has_one_home(library: str, home: set[str]) -> None:
    using = {path for path in FILES if library in {name.split(".")[0] for name in imported_from(path)}}
    assert {path.relative_to(PACKAGE).as_posix() for path in using} == home


def test_assertions_are_for_tests() -> None:
    asserting = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert)
    ]
    assert asserting == []


def loaded_by(arguments: list[str]) -> set[str]:
    program = (
        "import sys, contextlib, io\n"
        "from allocator.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        f"    main({arguments!r})\n"
        "print(*{name.split('.')[0] for name in sys.modules})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )
    return set(done.stdout.split())


LOOKING = (
    ["--help"],
    ["run", "--help"],
    ["check", "scenarios/q1_base.yaml"],
    ["show", "scenarios/q1_base.yaml"],
    ["explain", "E104"],
)


@pytest.mark.parametrize("arguments", LOOKING, ids=" ".join)
def test_looking_at_a_scenario_loads_no_heavy_library(arguments: list[str]) -> None:
    assert loaded_by(arguments) & set(HEAVY) == set()


@pytest.mark.parametrize("arguments", [["--help"], ["explain", "E104"]], ids=" ".join)
def test_help_does_not_even_load_numpy(arguments: list[str]) -> None:
    assert loaded_by(arguments) & {"numpy", "ruamel"} == set()


def test_running_does_load_the_solver() -> None:
    """The check above can fail: the same look at `run` finds what it looks for."""
    assert {"pulp", "highspy"} <= loaded_by(["run", "scenarios/q1_base.yaml"])


def test_public_names_are_few_and_exist() -> None:
    assert len(allocator.__all__) <= 20
    assert allocator.__all__ == sorted(allocator.__all__)
    for name in allocator.__all__:
        assert getattr(allocator, name) is not None
