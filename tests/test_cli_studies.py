"""The commands that ask a scenario several questions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from allocator import cli

Run = Callable[..., tuple[int, str, str]]
FILE = "tests/scenarios/points_only.yaml"


@pytest.fixture
def allocator(project_root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(project_root)

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            cli.main(arguments)
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return run


def test_a_sweep_has_a_plan_for_every_value(allocator: Run) -> None:
    code, out, err = allocator("sweep", FILE, "--over", "budget.total=0.5..1.5x", "--points", "3", "--json")
    assert (code, err) == (0, "")
    points = json.loads(out)["points"]
    assert [point["values"]["budget.total"] for point in points] == [250_000, 500_000, 750_000]
    returns = [point["outputs"]["return"] for point in points]
    assert returns == sorted(returns)


@pytest.mark.parametrize("over", ["budget.total", "budget.total=1k", "budget.total=few..many"])
def test_a_range_that_is_none_is_bad_input(allocator: Run, over: str) -> None:
    code, out, err = allocator("sweep", FILE, "--over", over)
    assert (code, out) == (2, "")
    assert over in err


def test_the_budget_for_a_return_is_found(allocator: Run) -> None:
    code, out, _ = allocator("solve-for", FILE, "--target", "return=800k", "--json")
    found = json.loads(out)
    assert (code, found["reached"]) == (0, True)
    again, text, _ = allocator("run", FILE, "--set", f"budget.total={found['value']}", "--json")
    assert again == 0
    assert json.loads(text)["return"] == pytest.approx(800_000, rel=1e-6)


def test_a_target_out_of_reach_says_so_and_leaves_with_no_plan(allocator: Run) -> None:
    code, out, _ = allocator("solve-for", FILE, "--target", "return=5M")
    assert code == 3
    assert "no value" in out


def test_plans_stand_side_by_side(allocator: Run) -> None:
    code, out, _ = allocator("compare", FILE, FILE)
    assert code == 0
    assert "Points only" in out


def test_a_cell_is_explained_by_what_stops_it(allocator: Run) -> None:
    code, out, _ = allocator("explain", FILE, "--cell", "low/search")
    assert code == 0
    assert "budget.total" in out
    assert "Budget for the horizon" in out


def test_a_cell_that_is_not_there_is_refused_with_the_one_meant(allocator: Run) -> None:
    code, out, err = allocator("explain", FILE, "--cell", "low/serch")
    assert (code, out) == (2, "")
    assert "did you mean 'low/search'?" in err
