"""The commands that look at data: what was read, what was fitted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import allocator as al
from allocator import api, cli
from allocator.cli import common
from tests.small_project import Project, project

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    made = project()
    made.edit("orders.csv", lambda rows: [*rows, "003,2026-01-01,plenty"])
    made.write(tmp_path)
    return made


@pytest.fixture
def allocator(case: Project, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            cli.main(arguments)
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return run


def test_data_tells_what_was_read_and_what_could_not_be(allocator: Run, case: Project) -> None:
    code, out, err = allocator("data", "q.yaml")
    line = len(case.files["orders.csv"].decode().splitlines())
    assert (code, err) == (0, "")
    assert "utf-8" in out
    assert "customer_id: id" in out
    assert f"row {line}, amount: 'plenty'" in out


def test_data_as_json_names_every_table_and_bad_row(allocator: Run) -> None:
    code, out, _ = allocator("data", "q.yaml", "--json")
    orders, customers, contacts = json.loads(out)
    assert code == 0
    assert [one["table"] for one in (orders, customers, contacts)] == [
        "transactions", "customers", "experiments",
    ]  # fmt: skip
    assert orders["rows_rejected"] == 1
    assert orders["rejects"][0]["value"] == "plenty"
    assert orders["columns"]["amount"] == "amount"


def test_data_of_a_scenario_without_tables(allocator: Run) -> None:
    points = "{source: points, points: [[1k, 2k]]}"
    text = f"version: 1\nname: A\nbudget: {{total: 1k}}\nchannels: {{a: {{response: {points}}}}}\n"
    Path("a.yaml").write_text(text, encoding="utf-8")
    assert allocator("data", "a.yaml") == (0, "the scenario reads no table\n", "")


def test_fit_prints_customers_effects_and_curves(allocator: Run) -> None:
    code, out, err = allocator("fit", "q.yaml")
    marks = ["Customers", "Holdout", "Tiers by predicted_clv", "What one contact brings", "Response curves"]
    places = [out.find(mark) for mark in marks]
    assert (code, err) == (0, "")
    assert -1 not in places
    assert places == sorted(places)
    assert "may be nothing" in out


def test_fit_as_json_equals_the_api(allocator: Run) -> None:
    code, out, _ = allocator("fit", "q.yaml", "--json")
    data = json.loads(out)
    assert code == 0
    assert data == al.fit(al.load_scenario("q.yaml")).to_dict()
    assert data["schema"] == "allocator.fit/1"
    board = data["clv"]["forecast"]["leaderboard"]
    assert {one["name"] for one in board["rows"]} == {"bg_nbd", "pareto_nbd", "boosting", "blend"}
    assert data["clv"]["forecast"]["model"] == board["chosen"]
    assert data["clv"]["judged"]["start"] < data["clv"]["judged"]["end"]
    assert data["population"] == {"high": 1800, "low": 4200}
    assert {one["channel"] for one in data["curves"]} == {"email", "letter", "search"}


def test_fit_writes_the_curves_that_can_be_read_back(allocator: Run) -> None:
    code, _, err = allocator("fit", "q.yaml", "--out", "made/here")
    assert (code, err.split()) == (0, ["wrote", str(Path("made/here/curves.csv"))])
    forecast = al.curves_from_frame(pd.read_csv("made/here/curves.csv"))
    assert forecast.curves.channels == ("email", "letter", "search")
    assert sorted(path.name for path in Path("made/here").iterdir()) == ["curves.csv", "forecast"]


def test_update_says_whether_the_earlier_forecast_has_aged(allocator: Run, case: Project) -> None:
    assert allocator("fit", "q.yaml", "--out", "made")[0] == 0
    code, out, _ = allocator("fit", "q.yaml", "--out", "made", "--update", "--json")
    assert code == 0
    assert json.loads(out)["clv"]["drift"]["since"] is None  # no order has come since
    assert json.loads(out)["clv"]["drift"]["has_aged"] is False


def test_update_renews_its_own_curves_but_none_edited_by_hand(allocator: Run) -> None:
    assert allocator("fit", "q.yaml", "--out", "made")[0] == 0
    curves = Path("made/curves.csv")
    plain = curves.read_bytes()
    curves.write_bytes(plain + plain.splitlines(keepends=True)[-1])
    code, out, err = allocator("fit", "q.yaml", "--out", "made", "--update")
    assert (code, out) == (2, "")
    assert "E011" in err
    assert allocator("fit", "q.yaml", "--out", "made", "--update", "--force")[0] == 0
    assert curves.read_bytes() == plain


def test_a_holdout_that_leaves_nothing_to_learn_from_is_said(allocator: Run, case: Project) -> None:
    text = Path("q.yaml").read_text(encoding="utf-8")
    Path("q.yaml").write_text(text.replace("tiers:\n", "models: {holdout: 30 years}\ntiers:\n"), "utf-8")
    code, out, _ = allocator("fit", "q.yaml")
    assert code == 0
    assert "nothing was held out" in " ".join(out.split())


def test_update_needs_an_earlier_forecast(allocator: Run) -> None:
    assert allocator("fit", "q.yaml", "--update")[0] == 2
    code, out, err = allocator("fit", "q.yaml", "--update", "--out", "nothing/here")
    assert (code, out) == (2, "")
    assert "E001" in err


def test_a_forecast_kept_from_an_earlier_run_says_the_same(allocator: Run) -> None:
    fresh, kept = (allocator("run", "q.yaml", "--json", *more) for more in (["--no-cache"], []))
    again = allocator("run", "q.yaml", "--json")
    assert fresh == kept == again


def test_a_folder_that_cannot_be_written_is_bad_input(allocator: Run) -> None:
    Path("taken").write_text("mine", encoding="utf-8")
    code, out, err = allocator("fit", "q.yaml", "--out", "taken")
    assert (code, out) == (2, "")
    assert "E011" in err
    assert Path("taken").read_text(encoding="utf-8") == "mine"


def test_tables_are_read_as_the_models_see_them(case: Project) -> None:
    orders, *_ = al.data(al.load_scenario("q.yaml"))
    frame = orders.to_frame()
    assert frame["customer_id"].str.len().eq(3).all()
    assert frame["amount"].dtype == float
    frame.loc[:, "amount"] = 0
    assert orders.to_frame()["amount"].gt(0).any()


def test_progress_is_shown_on_a_terminal_past_one_second(
    allocator: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def slow(scenario: al.Scenario, *, progress: Callable[[str], None], cache: Path | None) -> al.Forecast:
        progress("thinking hard")
        time.sleep(0.3)
        told.append("done")
        return fit(scenario, progress=progress, cache=cache)

    fit = api.fit
    monkeypatch.setattr(api, "fit", slow)
    monkeypatch.setattr(common, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(common, "is_terminal", lambda stream: True)
    code, out, _ = allocator("fit", "q.yaml")
    assert (code, told) == (0, ["done"])
    assert "thinking" not in out
    monkeypatch.setattr(common, "is_terminal", lambda stream: False)
    assert allocator("fit", "q.yaml")[2] == ""
