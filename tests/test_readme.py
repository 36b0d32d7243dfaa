"""The README keeps its promises: its output is what is printed, its Python runs, its commands exist."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

import allocator as al
from allocator import cli

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)


@pytest.fixture(autouse=True)
def _in_the_project_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def with_fresh_output() -> str:
    """The README with the worked example's output as it is printed now."""
    scenario = al.load_scenario("scenarios/q1_base.yaml")
    printed = al.solve(scenario, al.fit(scenario)).to_text()
    command = "$ allocator run scenarios/q1_base.yaml\n"
    start = TEXT.index(command) + len(command)
    return TEXT[:start] + printed + TEXT[TEXT.index("```", start) :]


def test_the_worked_example_is_what_is_printed() -> None:
    assert with_fresh_output() == TEXT


def test_the_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree("scenarios", tmp_path / "scenarios")
    monkeypatch.chdir(tmp_path)
    (program,) = blocks("python")
    names: dict[str, object] = {}
    exec(program, names)  # noqa: S102  our own README
    assert isinstance(names["cut"], al.Plan)


def test_everyday_commands_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (commands,) = (block for block in blocks("sh") if block.startswith("allocator"))
    for line in commands.splitlines():
        arguments = shlex.split(line.partition(">")[0], comments=True)
        with pytest.raises(SystemExit) as left:
            cli.main(arguments[1:])
        assert left.value.code in (0, None), line


def test_the_two_commands_need_python_and_pip_only() -> None:
    run, test = (
        line for block in blocks("sh") for line in block.splitlines() if line.startswith("python3 -m venv")
    )
    assert run.endswith("allocator run scenarios/q1_base.yaml")
    assert test.endswith("python -m pytest")


if __name__ == "__main__":
    (ROOT / "README.md").write_text(with_fresh_output(), encoding="utf-8")
