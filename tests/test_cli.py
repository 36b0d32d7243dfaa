"""The command line as people and programs meet it: what is printed where, and the exit codes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest

import allocator as al
from allocator import api, cli
from allocator.codes import pages
from allocator.report.schema import result_schema

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = "tests/scenarios/media_plan.yaml"
INFEASIBLE = "tests/scenarios/infeasible.yaml"
BROKEN = "tests/scenarios/broken.yaml"
PLACE = re.compile(r"^(\S+\.yaml):(\d+):(\d+): (error|warning)\[([EW]\d{3})\]: ")


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def allocator(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line in this process, from the project folder."""
    monkeypatch.chdir(ROOT)

    def run(*arguments: str | Path) -> Ran:
        with pytest.raises(SystemExit) as left:
            cli.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(int(left.value.code or 0), captured.out, captured.err)

    return run


def in_new_process(arguments: Sequence[str], **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "allocator", *arguments],
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, **environment},
    )


class TestRun:
    def test_prints_the_five_answers_in_order(self, allocator: Run) -> None:
        ran = allocator("run", SAMPLE)
        assert (ran.code, ran.err) == (0, "")
        marks = [
            "Spend",
            "Return",
            "Next 1k",
            "Where the money goes",
            "Plan by tier and channel",
            "What holds the plan back",
        ]
        places = [ran.out.find(mark) for mark in marks]
        assert -1 not in places
        assert places == sorted(places)

    def test_a_limit_that_binds_is_shown_with_reason_and_line(self, allocator: Run) -> None:
        lines = (ROOT / SAMPLE).read_text(encoding="utf-8").splitlines()
        total = next(number for number, line in enumerate(lines, 1) if line.strip().startswith("total:"))
        out = allocator("run", SAMPLE).out
        assert "Budget approved for the quarter" in out
        assert f"media_plan.yaml:{total}" in out

    def test_json_stands_alone_on_stdout_and_equals_the_api(self, allocator: Run) -> None:
        ran = allocator("run", SAMPLE, "--json")
        scenario = al.load_scenario(SAMPLE)
        assert (ran.code, ran.err) == (0, "")
        assert json.loads(ran.out) == json.loads(al.solve(scenario, al.fit(scenario)).to_json())

    @pytest.mark.parametrize("file", [SAMPLE, INFEASIBLE])
    def test_json_obeys_the_published_schema(self, allocator: Run, file: str) -> None:
        jsonschema.validate(json.loads(allocator("run", file, "--json").out), result_schema())

    def test_json_of_several_files_is_one_array(self, allocator: Run) -> None:
        ran = allocator("run", SAMPLE, INFEASIBLE, "--json")
        assert ran.code == 3
        assert [entry["status"] for entry in json.loads(ran.out)] == ["optimal", "infeasible"]

    def test_two_runs_are_byte_identical(self) -> None:
        for output in ([], ["--json"]):
            first = in_new_process(["run", SAMPLE, *output], PYTHONHASHSEED="1")
            second = in_new_process(["run", SAMPLE, *output], PYTHONHASHSEED="2")
            assert first.returncode == second.returncode == 0
            assert first.stdout == second.stdout != b""

    def test_set_outranks_the_file(self, allocator: Run) -> None:
        ran = allocator("run", SAMPLE, "--json", "--set", "budget.total=base - 20%")
        assert json.loads(ran.out)["budget"] == 800_000

    @pytest.mark.parametrize(
        ("change", "word"),
        [
            ("budget.totl=1M", "budget.total"),
            ("budget.total", "PATH=VALUE"),
            ("budget.total=twelve", "twelve"),
            ("=1M", "PATH=VALUE"),
        ],
    )
    def test_a_change_that_cannot_be_made_is_bad_input(self, allocator: Run, change: str, word: str) -> None:
        ran = allocator("run", SAMPLE, "--set", change)
        assert (ran.code, ran.out) == (2, "")
        assert word in ran.err

    def test_quiet_leaves_the_exit_code(self, allocator: Run) -> None:
        assert allocator("run", SAMPLE, "-q") == Ran(0, "", "")
        assert allocator("run", INFEASIBLE, "-q") == Ran(3, "", "")

    def test_both_solvers_give_the_same_plan(self, allocator: Run) -> None:
        plans = [
            json.loads(allocator("run", SAMPLE, "--json", "--solver", name).out) for name in ("cbc", "highs")
        ]
        cbc, highs = ([cell["spend"] for cell in plan["cells"]] for plan in plans)
        assert highs == pytest.approx(cbc, abs=0.011)

    def test_an_unknown_solver_is_bad_input(self, allocator: Run) -> None:
        ran = allocator("run", SAMPLE, "--solver", "gurobi")
        assert ran.code == 2
        assert "highs" in ran.err

    def test_wide_letters_survive_a_narrow_encoding(self) -> None:
        for encoding in ("ascii", "cp1252"):
            done = in_new_process(["run", SAMPLE], PYTHONIOENCODING=encoding)
            assert (done.returncode, done.stderr) == (0, b"")
            assert b"Where the money goes" in done.stdout

    def test_a_pipe_gets_no_colour(self) -> None:
        assert b"\x1b" not in in_new_process(["run", SAMPLE]).stdout


class TestNoPlan:
    def test_the_limits_are_named_and_changes_offered(self, allocator: Run) -> None:
        ran = allocator("run", INFEASIBLE)
        assert ran.code == 3
        assert "no plan[E401]" in ran.out
        assert "raise budget.total by 25,000" in ran.out
        assert "infeasible.yaml:5" in ran.out

    def test_json_carries_the_conflict_and_no_money(self, allocator: Run) -> None:
        ran = allocator("run", INFEASIBLE, "--json")
        result = json.loads(ran.out)
        assert (ran.code, result["status"]) == (3, "infeasible")
        assert result["conflict"]["rows"]
        assert result["conflict"]["repairs"]
        assert [result[name] for name in ("spend", "return", "profit", "roi")] == [None] * 4

    def test_the_change_offered_does_help(self, allocator: Run) -> None:
        assert allocator("run", INFEASIBLE, "--set", "budget.total=base + 25k").code == 0
        assert allocator("run", INFEASIBLE, "--set", "budget.total=base + 24_990").code == 3


class TestBadInput:
    @pytest.mark.parametrize("command", ["run", "check", "show"])
    def test_every_finding_is_told_with_its_place(self, allocator: Run, command: str) -> None:
        ran = allocator(command, BROKEN)
        told = ran.out if command == "check" else ran.err
        assert ran.code == 2
        assert ran.out == "" or command == "check"
        found = [match for line in told.splitlines() if (match := PLACE.match(line))]
        codes = {match[5]: int(match[2]) for match in found if match[4] == "error"}
        assert codes == {"E102": 4, "E104": 6, "E201": 18, "E105": 21}
        assert told.splitlines()[-1].startswith(f"{BROKEN}: 4 errors")

    def test_one_broken_file_stops_the_others_before_anything_is_printed(self, allocator: Run) -> None:
        ran = allocator("run", SAMPLE, BROKEN, "--json")
        assert (ran.code, ran.out) == (2, "")
        assert f"{BROKEN}: 4 errors" in ran.err

    def test_a_missing_file_is_one_error(self, allocator: Run) -> None:
        ran = allocator("run", "scenarios/nowhere.yaml")
        assert ran.code == 2
        assert "E001" in ran.err
        assert "scenarios/nowhere.yaml" in ran.err

    def test_an_unknown_command_is_bad_input(self, allocator: Run) -> None:
        assert allocator("optimise").code == 2


class TestCheck:
    def test_a_sound_file_has_one_line(self, allocator: Run) -> None:
        assert allocator("check", "--strict", SAMPLE) == Ran(0, f"{SAMPLE}: no errors\n", "")

    def test_warnings_stop_only_when_strict(self, allocator: Run, tmp_path: Path) -> None:
        text = (ROOT / SAMPLE).read_text(encoding="utf-8")
        unreasoned = tmp_path / "unreasoned.yaml"
        unreasoned.write_text(re.sub(r"    reason: What the print shop.*\n", "", text), encoding="utf-8")
        calm, strict = allocator("check", unreasoned), allocator("check", "--strict", unreasoned)
        assert (calm.code, strict.code) == (0, 2)
        assert calm.out == strict.out
        assert "warning[W301]" in calm.out
        assert calm.out.splitlines()[-1] == f"{unreasoned}: no errors, 1 warning"

    def test_json_has_one_entry_a_file(self, allocator: Run) -> None:
        ran = allocator("check", SAMPLE, BROKEN, "--format", "json")
        sound, broken = json.loads(ran.out)
        assert ran.code == 2
        assert sound == {"file": SAMPLE, "errors": 0, "warnings": 0, "findings": []}
        assert broken["errors"] == 4
        assert {finding["line"] for finding in broken["findings"]} >= {4, 6, 18, 21}

    def test_github_annotations_point_at_the_line(self, allocator: Run) -> None:
        lines = allocator("check", BROKEN, "--format", "github").out.splitlines()
        assert any(line.startswith(f"::error file={BROKEN},line=4,col=1,title=E102::") for line in lines)

    @pytest.mark.parametrize(
        "limit",
        [
            "{reason: r, where: {channel: search}, measure: contacts, max: 5}",
            "{reason: r, each: channel, measure: change_vs_current, max: 5%}",
            "{reason: r, where: {channel: search}, except: {channel: search}, measure: spend, max: 5}",
            "{reason: r, measure: roi, max: 5%}",
        ],
    )
    def test_what_stops_a_run_stops_a_check(self, allocator: Run, tmp_path: Path, limit: str) -> None:
        text = (ROOT / INFEASIBLE).read_text(encoding="utf-8").replace("    current: 250k\n", "")
        path = tmp_path / "later.yaml"
        path.write_text(
            text[: text.index("constraints:")] + f"constraints:\n  odd: {limit}\n", encoding="utf-8"
        )
        ran, checked = allocator("run", path), allocator("check", path)
        assert (ran.code, checked.code) == (2, 2)
        assert ran.err == checked.out


class TestShow:
    def test_each_value_has_its_origin(self, allocator: Run) -> None:
        ran = allocator("show", SAMPLE)
        lines = [line.split(maxsplit=2) for line in ran.out.splitlines()]
        found = {path: (value, place) for place, path, value in lines}
        source = (ROOT / SAMPLE).read_text(encoding="utf-8").splitlines()
        value, place = found["budget.total"]
        file, _, number = place.partition(":")
        assert ran.code == 0
        assert (value, file) == ("1M", SAMPLE)
        assert source[int(number) - 1].strip() == "total: 1M"
        assert found["constraints.no_shock.priority"] == ("hard", "default")

    def test_diff_shows_only_what_differs(self, allocator: Run, tmp_path: Path) -> None:
        other = tmp_path / "other.yaml"
        text = (ROOT / SAMPLE).read_text(encoding="utf-8")
        other.write_text(text.replace("total: 1M", "total: 900k"), encoding="utf-8")
        lines = [line for line in allocator("show", SAMPLE, "--diff", other).out.splitlines() if line.strip()]
        assert sum("budget.total" in line for line in lines) == 1
        assert not any("channels." in line for line in lines)


class TestExplain:
    def test_prints_the_page(self, allocator: Run) -> None:
        ran = allocator("explain", "e104")
        assert ran.code == 0
        assert ran.out.startswith("E104: ")
        assert "1_200_000" in ran.out

    def test_without_a_code_all_are_listed(self, allocator: Run) -> None:
        lines = allocator("explain").out.splitlines()
        assert [line.split()[0] for line in lines] == list(pages())

    def test_an_unknown_code_offers_the_closest(self, allocator: Run) -> None:
        ran = allocator("explain", "E1004")
        assert ran.code == 2
        assert "E104" in ran.err


class TestInit:
    def test_the_example_runs_at_once(self, allocator: Run, tmp_path: Path) -> None:
        ran = allocator("init", tmp_path / "new")
        scenarios = sorted((tmp_path / "new").glob("*.yaml"))
        assert ran.code == 0
        assert scenarios
        assert allocator("check", "--strict", *scenarios).code == 0
        assert allocator("run", *scenarios, "-q").code == 0

    def test_the_schema_accepts_the_example(self, allocator: Run, tmp_path: Path) -> None:
        allocator("init", tmp_path)
        schema = json.loads((tmp_path / ".allocator" / "scenario.schema.json").read_text(encoding="utf-8"))
        jsonschema.Draft7Validator.check_schema(schema)
        first = (tmp_path / "q1_base.yaml").read_text(encoding="utf-8").splitlines()[0]
        assert first.endswith("$schema=./.allocator/scenario.schema.json")

    def test_nothing_is_overwritten(self, allocator: Run, tmp_path: Path) -> None:
        (tmp_path / "q1_base.yaml").write_text("mine", encoding="utf-8")
        ran = allocator("init", tmp_path)
        assert ran.code == 2
        assert "q1_base.yaml" in ran.err
        assert [path.name for path in tmp_path.iterdir()] == ["q1_base.yaml"]
        assert (tmp_path / "q1_base.yaml").read_text(encoding="utf-8") == "mine"

    def test_a_folder_that_cannot_be_written_is_bad_input(self, allocator: Run, tmp_path: Path) -> None:
        (tmp_path / "taken").write_text("a file", encoding="utf-8")
        ran = allocator("init", tmp_path / "taken" / "below")
        assert ran.code == 2
        assert "E011" in ran.err


class TestFaults:
    @pytest.fixture
    def _faulty(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(path: Path, **_: object) -> None:
            raise KeyError("a fault\nof ours")

        monkeypatch.setattr(api, "load_scenario", fail, raising=False)

    @pytest.mark.usefixtures("_faulty")
    def test_a_fault_of_ours_is_one_line_and_exit_1(self, allocator: Run) -> None:
        ran = allocator("run", SAMPLE)
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.count("\n") == 1
        assert "KeyError" in ran.err
        assert "report" in ran.err

    @pytest.mark.usefixtures("_faulty")
    def test_the_traceback_can_be_asked_for(self, allocator: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ALLOCATOR_TRACEBACK", "1")
        assert "Traceback" in allocator("run", SAMPLE).err

    def test_a_reader_that_stops_early_is_no_fault(self) -> None:
        shell = shutil.which("bash")
        if shell is None:
            pytest.skip("needs a shell with pipes")
        command = f"set -o pipefail; {sys.executable} -m allocator run {SAMPLE} | head -c 1 >/dev/null"
        done = subprocess.run([shell, "-c", command], cwd=ROOT, capture_output=True, timeout=60, check=False)
        assert done.stderr == b""

    def test_a_full_disk_is_named_as_what_it_is(self) -> None:
        full = Path("/dev/full")
        if not full.exists():
            pytest.skip("needs a device that is always full")
        with full.open("wb") as stream:
            done = subprocess.run(
                [sys.executable, "-m", "allocator", "explain"],
                cwd=ROOT,
                stdout=stream,
                stderr=subprocess.PIPE,
                text=True,
                timeout=60,
                check=False,
            )
        assert done.returncode == 1
        assert done.stderr.startswith("the system refused: ")
        assert done.stderr.count("\n") == 1


def test_version(allocator: Run) -> None:
    assert allocator("--version").out == f"allocator {al.__version__}\n"


def scenario_file(folder: Path, response: str, *, extra: str = "") -> Path:
    file = folder / "plan.yaml"
    channels = f"channels:\n  tv: {{current: 50k{response}}}\n"
    head = "version: 1\nname: Small\nbudget: {total: 100k, spend: up_to}\nobjective: {maximize: profit}\n"
    file.write_text(head + channels + extra, encoding="utf-8")
    return file


POINTS = ", response: {source: points, points: [[50k, 120k], [90k, 160k]]}"


class TestFitWithoutModels:
    def test_estimates_alone_are_shown_as_curves(self, allocator: Run, tmp_path: Path) -> None:
        ran = allocator("fit", scenario_file(tmp_path, POINTS))
        assert (ran.code, ran.err) == (0, "")
        assert "Response curves" in ran.out

    def test_curves_from_a_table_alone_are_shown_and_written(self, allocator: Run, tmp_path: Path) -> None:
        (tmp_path / "curves.csv").write_text("channel,spend,value\ntv,50000,120000\n", encoding="utf-8")
        file = scenario_file(tmp_path, "", extra="data: {curves: {path: curves.csv}}\n")
        ran = allocator("fit", file, "--out", tmp_path / "new")
        assert ran.code == 0
        assert "Response curves" in ran.out
        assert (tmp_path / "new" / "curves.csv").is_file()

    def test_curves_that_differ_are_overwritten_only_by_force(self, allocator: Run, tmp_path: Path) -> None:
        file = scenario_file(tmp_path, POINTS)
        (tmp_path / "curves.csv").write_text("mine", encoding="utf-8")
        ran = allocator("fit", file, "--out", tmp_path)
        assert ran.code == 2
        assert "E011" in ran.err
        assert (tmp_path / "curves.csv").read_text(encoding="utf-8") == "mine"
        assert allocator("fit", file, "--out", tmp_path, "--force").code == 0
        assert "tv" in (tmp_path / "curves.csv").read_text(encoding="utf-8")
        assert allocator("fit", file, "--out", tmp_path).code == 0, "the same curves again change nothing"


def test_a_packed_file_is_told_from_a_scenario_without_its_bytes(allocator: Run) -> None:
    ran = allocator("run", "scenarios/data/orders.csv.gz")
    assert ran.code == 2
    assert "is no scenario" in ran.err
    assert "\ufffd" not in ran.err


def test_a_missing_file_is_not_confused_with_one_that_shares_only_its_ending(
    allocator: Run, tmp_path: Path
) -> None:
    (tmp_path / "fc_pop.yaml").touch()
    (tmp_path / "q1_bass").mkdir()
    (tmp_path / "q1_base.yaml").touch()
    assert "did you mean" not in allocator("run", tmp_path / "nope.yaml").err
    assert "did you mean 'q1_base.yaml'?" in allocator("run", tmp_path / "q1_bas.yaml").err


def test_an_exact_budget_is_named_once(allocator: Run, tmp_path: Path) -> None:
    file = scenario_file(tmp_path, POINTS)
    ran = allocator("run", file, "--set", "budget.spend=exactly", "--set", "budget.total=60k")
    assert ran.code == 0
    assert ran.out.count("budget.total") == 1


def test_a_budget_of_nothing_is_solved_without_doubt(allocator: Run) -> None:
    ran = allocator("run", "tests/scenarios/fifteen_cells.yaml", "--set", "budget.total=0")
    assert ran.code == 0
    assert "W308" not in ran.out


def test_a_misspelt_choice_is_one_error(allocator: Run) -> None:
    ran = allocator("run", SAMPLE, "--set", "risk.method=expcted")
    assert ran.code == 2
    assert ran.err.count("error[") == 1
    assert "did you mean 'expected'?" in ran.err


def test_init_ends_with_the_base_scenario(allocator: Run, tmp_path: Path) -> None:
    assert allocator("init", tmp_path).out.splitlines()[-1].endswith("q1_base.yaml")


@pytest.mark.parametrize("amount", ["-5", "nan"])
def test_an_impossible_amount_is_underlined(allocator: Run, amount: str) -> None:
    ran = allocator("run", SAMPLE, "--set", f"budget.total={amount}")
    assert ran.code == 2
    assert f"budget.total={amount}" in ran.err
    assert "^" * len(amount) in ran.err
