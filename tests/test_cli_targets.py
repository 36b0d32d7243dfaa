"""Names and backtests from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import allocator as al
from allocator import cli
from allocator.errors import DataError
from tests.small_project import Project, project


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as left:
        cli.main([*arguments])
    out, err = capsys.readouterr()
    return left.value.code, out, err


def test_the_list_names_customers_of_the_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, target = project().write(tmp_path), tmp_path / "who.csv"
    code, _, err = run(capsys, "run", str(path), "-q", "--targets", str(target))
    assert code == 0
    assert "contact when gain − " in err
    table = pd.read_csv(target, dtype=str)
    assert table.columns.tolist() == ["customer_id", "channel"]
    assert table["customer_id"].is_unique
    assert set(table["channel"]) <= {"email", "letter"}
    cells = al.solve(al.load_scenario(path), al.fit(al.load_scenario(path))).to_frame()
    contacts = cells.groupby("channel")["contacts"].sum()
    for channel, rows in table.groupby("channel").size().items():
        # 120 customers stand for 6,000; each of two tiers is rounded down
        assert contacts[channel] / 50 - 2 <= rows <= contacts[channel] / 50


def test_without_a_plan_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = project()
    case.set("total: 2k, reason: Test", "total: 2k, reason: Test, spend: exactly")
    case.set("total: 2k", "total: 900k")
    target = tmp_path / "who.csv"
    code, _, _ = run(capsys, "run", str(case.write(tmp_path)), "-q", "--targets", str(target))
    assert code == 3
    assert not target.exists()


def test_names_are_those_of_one_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(project().write(tmp_path))
    code, _, _ = run(capsys, "run", path, path, "--targets", str(tmp_path / "who.csv"))
    assert code == 2


def test_no_spreadsheet_runs_an_id(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case: Project = project()
    for name in ("orders.csv", "customers.csv", "contacts.csv"):
        case.files[name] = case.files[name].replace(b"\n0", b"\n=A").replace(b"\n1", b"\n=B")
    target = tmp_path / "who.csv"
    code, _, _ = run(capsys, "run", str(case.write(tmp_path)), "-q", "--targets", str(target))
    assert code == 0
    assert pd.read_csv(target)["customer_id"].str.startswith("'=").all()


def test_names_need_a_test(tmp_path: Path) -> None:
    scenario = al.load_scenario(project().write(tmp_path))
    forecast = al.fit(scenario)
    plan = al.solve(scenario, al.curves_from_frame(forecast.to_frame()))
    with pytest.raises(DataError, match="E209"):
        plan.targets()
    with pytest.raises(DataError, match="E305"):
        al.solve(scenario, forecast).targets(["nobody"])


def test_a_backtest_says_what_it_could_judge(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(project().write(tmp_path))
    code, out, _ = run(capsys, "backtest", path, "--json")
    assert code == 0
    found = json.loads(out)
    assert found["schema"] == "allocator.backtest/1"
    assert found["policies"] == []  # too small to be cut in halves
    assert run(capsys, "backtest", path)[0] == 0
