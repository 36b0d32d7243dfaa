"""What `allocator run` prints for one scenario a family of limits, to the letter.

After a change that is meant, ``python -m pytest tests/golden --update-golden`` writes the files anew;
read the difference before it is committed.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from allocator import cli

HERE = Path(__file__).resolve().parent
PLANNED, REFUSED = 0, 3
OUTPUTS = {
    "scenarios/hurdle_rates.yaml": PLANNED,
    "scenarios/half_year_by_month.yaml": PLANNED,
    "scenarios/whole_campaigns.yaml": PLANNED,
    "scenarios/careful_plan.yaml": PLANNED,
    "scenarios/growth_then_profit.yaml": PLANNED,
    "scenarios/small_steps.yaml": PLANNED,
    "tests/scenarios/infeasible_floors.yaml": REFUSED,
    "tests/scenarios/infeasible_hurdle.yaml": REFUSED,
    "tests/scenarios/infeasible_campaigns.yaml": REFUSED,
}
TIME = re.compile(r" in \d+\.\d+ s\b")


@pytest.mark.parametrize(("file", "code"), OUTPUTS.items(), ids=lambda value: Path(str(value)).stem)
def test_the_output_is_the_one_that_is_kept(
    file: str,
    code: int,
    project_root: Path,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(project_root)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with pytest.raises(SystemExit) as left:
        cli.main(["run", file])
    assert (left.value.code or 0) == code
    printed = TIME.sub("", capsys.readouterr().out)
    kept = HERE / f"{Path(file).stem}.txt"
    if request.config.getoption("--update-golden", default=False):
        kept.write_text(printed, encoding="utf-8", newline="\n")
    assert printed == kept.read_text(encoding="utf-8")


def test_no_output_is_kept_that_nothing_prints() -> None:
    assert {path.stem for path in HERE.glob("*.txt")} == {Path(file).stem for file in OUTPUTS}
