"""Parents, overrides, relative values and ``--set``: the later outranks the earlier."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.errors import ScenarioError
from allocator.quantities import money
from allocator.scenario.load import load_scenario
from tests.scenario.samples import SAMPLE, changed, findings, load

CHILD = "version: 1\nextends: base.yaml\nname: Child\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base.yaml").write_text(SAMPLE, encoding="utf-8")
    return tmp_path


def test_what_is_not_written_is_inherited(folder: Path) -> None:
    child = load(folder, CHILD)
    assert child.name == "Child"
    assert child.budget.total == 1_200_000
    assert list(child.channels) == ["email", "search", "tv"]


def test_mappings_merge_by_name_and_lists_are_replaced(folder: Path) -> None:
    child = load(folder, CHILD + "constraints: {low_tier_floor: {where: {channel: tv}, min: 5%}}\n")
    limit = child.constraints["low_tier_floor"]
    assert limit.where.channel == ("tv",)
    assert limit.where.tier == ("low",)
    assert limit.min == 0.05
    assert limit.reason == "Loyalty promise"


def test_null_removes_what_is_inherited(folder: Path) -> None:
    child = load(folder, CHILD + "constraints: {hurdle: ~}\nchannels: {email: {max: ~}}\n")
    assert "hurdle" not in child.constraints
    assert child.channels["email"].max is None


def test_null_for_what_is_not_there_is_a_fault(folder: Path) -> None:
    (found,) = findings(folder, CHILD + "constraints: {hurdel: ~}\n")
    assert (found.code, found.fix) == ("E103", "did you mean 'hurdle'?")


def test_another_source_replaces_the_response_as_a_whole(folder: Path) -> None:
    text = "channels: {search: {response: {source: curve, curve: {family: log, scale: 1M, pace: 1M}}}}\n"
    child = load(folder, CHILD + text)
    assert child.channels["search"].response.source == "curve"
    assert child.channels["search"].min == 200_000


def test_the_same_source_keeps_what_is_not_written(folder: Path) -> None:
    child = load(folder, CHILD + "channels: {search: {response: {trust: 80%}}}\n")
    assert child.channels["search"].response.trust == 0.8
    assert len(child.channels["search"].response.estimates) == 2


def test_overrides_by_path(folder: Path) -> None:
    text = """override:
  budget.total: base - 20%
  constraints.no_shock.min: -60%
  channels.tv.current: base + 50k
  channels.search.response.estimates.0.likely: 490k
  channels.tv.max: 100k
  constraints.hurdle: ~
  constraints.new: {reason: New, measure: spend, max: 1M}
"""
    child = load(folder, CHILD + text)
    assert child.budget.total == 960_000
    assert child.constraints["no_shock"].min.value == -0.6
    assert child.constraints["no_shock"].max.value == 0.4
    assert child.channels["tv"].current == 50_000
    assert child.channels["tv"].max == 100_000
    assert child.channels["search"].response.estimates[0].likely == 490_000
    assert list(child.constraints) == ["low_tier_floor", "no_shock", "new"]


def test_precedence_parent_file_override_set(folder: Path) -> None:
    text = CHILD + "budget: {total: 1M}\noverride: {budget.total: base - 10%}\n"
    assert load(folder, text).budget.total == 900_000
    child = load(folder, text, sets={"budget.total": "base * 0.5"})
    assert child.budget.total == 450_000
    assert str(child.origin_of("budget.total")) == "--set:1:14"


def test_a_grandchild_sees_the_overridden_value(folder: Path) -> None:
    load(folder, CHILD + "override: {budget.total: base - 50%}\n", name="child.yaml")
    text = "version: 1\nextends: child.yaml\nname: Grandchild\noverride: {budget.total: base - 50%}\n"
    assert load(folder, text).budget.total == 300_000


def test_sweep_is_never_inherited(folder: Path) -> None:
    (folder / "base.yaml").write_text(SAMPLE + "sweep: {budget.total: [1M]}\n", encoding="utf-8")
    assert load(folder, CHILD).sweep is None


UNKNOWN_PATHS = [
    ("budget.totl", "did you mean 'budget.total'?"),
    ("bugdet.total", "did you mean 'budget'?"),
    ("constraints.no_shok.min", "did you mean 'constraints.no_shock'?"),
    ("constraints.no_shock.reson", "did you mean 'constraints.no_shock.reason'?"),
    ("channels.radio.max", "channels has: email, search, tv"),
    ("channels.search.response.estimates.7.low", "channels.search.response.estimates has no entries"),
    ("channels..max", "channels has: email, search, tv"),
    ("meta.anything.x.y", "meta.anything has no entries"),
]


@pytest.mark.parametrize(("path", "fix"), UNKNOWN_PATHS)
def test_a_path_that_leads_nowhere(path: str, fix: str, folder: Path) -> None:
    (found,) = findings(folder, CHILD + f"override:\n  {path}: 5\n")
    assert (found.code, found.fix) == ("E204", fix)
    assert found.where is not None
    assert (found.where.line, found.where.column) == (5, 3)


RELATIVE = [
    ("budget.total: base", 1_200_000),
    ("budget.total: base - 20%", 960_000),
    ("budget.total: base+20 %", 1_440_000),
    ("budget.total: base + 100k", 1_300_000),
    ("budget.total: base - EUR 100k", 1_100_000),
    ("budget.total: base * 0.5", 600_000),
    ("budget.total: base * 150%", 1_800_000),
    ("budget.total: base / 3", 400_000),
    ("budget.total: base − 0.001", 1_199_999.999),
    ("budget.total: base * 0.000001125", 1.35),
    ("budget.total: base * 0.0000009375", 1.125),
]


@pytest.mark.parametrize(("line", "value"), RELATIVE)
def test_relative_values(line: str, value: float, folder: Path) -> None:
    assert load(folder, CHILD + f"override: {{{line}}}\n").budget.total == pytest.approx(value, abs=1e-9)


def test_relative_shares_keep_being_shares(folder: Path) -> None:
    child = load(
        folder, CHILD + "override: {constraints.no_shock.min: base * 1.5, objective.margin: base * 2}\n"
    )
    assert child.constraints["no_shock"].min.value == -0.6
    assert child.objective.margin == 0.7


NO_RELATIVE = [
    ("objective.margin: base - 5%", "base * 0.95"),
    ("objective.margin: base + 100k", "share"),
    ("budget.total: base ^ 2", "write base"),
    ("budget.total: base - plenty", "not an amount"),
    ("budget.total: base / 0", "no finite value"),
    ("budget.total: base * USD 2", "money times money"),
    ("budget.total: base - CHF 5k", "different currencies"),
    ("objective.maximize: base - 5", "not an amount"),
    ("channels.email: base - 5", "no number"),
    ("channels.search.max: base - 5", "no inherited value"),
]


@pytest.mark.parametrize(("line", "words"), NO_RELATIVE)
def test_what_cannot_be_relative(line: str, words: str, folder: Path) -> None:
    found = findings(folder, CHILD + f"override: {{{line}}}\n")
    assert found[0].code == "E111", [str(f) for f in found]
    assert words in f"{found[0].what} {found[0].fix}"


@given(st.decimals("0.01", "1e9", places=2), st.integers(-99, 500))
def test_relative_values_are_exact(tmp_path_factory, total, percent: int) -> None:
    folder = tmp_path_factory.mktemp("exact")
    (folder / "base.yaml").write_text(changed("total: 1.2M", f"total: {total}"), encoding="utf-8")
    child = load(folder, CHILD + f"override: {{budget.total: 'base * {100 + percent}%'}}\n")
    assert money(child.budget.total, 4) == money(float(total * (100 + percent) / 100), 4)


def test_faults_of_inherited_values_point_at_their_writer(folder: Path) -> None:
    (folder / "base.yaml").write_text(changed("draws: 500", "draws: many"), encoding="utf-8")
    (found,) = findings(folder, CHILD)
    assert found.where is not None
    assert found.where.file == str(folder / "base.yaml")
    assert found.excerpt.startswith("risk:")


def test_origins(folder: Path) -> None:
    child = load(folder, CHILD + "override: {constraints.no_shock.min: -60%}\n")
    base = str(folder / "base.yaml")
    own = str(folder / "q1.yaml")
    assert str(child.origin_of("constraints.no_shock.min")) == f"{own}:4:38"
    assert str(child.origin_of("constraints.no_shock")) == f"{base}:51:3"
    assert str(child.origin_of("budget.total")) == f"{base}:9:10"
    assert child.origin_of("budget.total.nothing") == child.origin_of("budget.total")
    assert child.origin_of("nowhere") is None


def test_files_are_shown_as_they_were_typed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "deep").mkdir()
    monkeypatch.chdir(folder)
    child = load(Path("deep"), CHILD.replace("base.yaml", "../base.yaml"), allow_outside=True)
    assert child.file == os.path.join("deep", "q1.yaml")
    assert child.origins["name"].file == os.path.join("deep", "q1.yaml")
    assert child.origins["budget.total"].file == "base.yaml"


def test_parents_stay_inside_the_project(folder: Path) -> None:
    (folder / "deep").mkdir()
    text = CHILD.replace("base.yaml", "../base.yaml")
    (found,) = findings(folder / "deep", text)
    assert found.code == "E005"
    assert load(folder / "deep", text, allow_outside=True).name == "Child"
    (folder / "pyproject.toml").touch()
    assert load(folder / "deep", text).name == "Child"


def test_a_link_does_not_lead_outside(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "base.yaml"
    elsewhere.write_text(SAMPLE, encoding="utf-8")
    (folder / "base.yaml").unlink()
    (folder / "base.yaml").symlink_to(elsewhere)
    assert [f.code for f in findings(folder, CHILD)] == ["E005"]


def test_circles_are_found(folder: Path) -> None:
    (folder / "base.yaml").write_text(CHILD.replace("base.yaml", "q1.yaml"), encoding="utf-8")
    (found,) = findings(folder, CHILD)
    assert found.code == "E007"
    assert found.where is not None
    assert found.where.file == str(folder / "base.yaml")
    assert [f.code for f in findings(folder, CHILD.replace("base.yaml", "q1.yaml"))] == ["E007"]


def test_a_missing_parent_is_the_fault_of_who_asked(folder: Path) -> None:
    (found,) = findings(folder, CHILD.replace("base.yaml", "bsae.yaml"))
    assert (found.code, found.fix) == ("E001", "did you mean 'base.yaml'?")
    assert str(found.where) == f"{folder / 'q1.yaml'}:2:10"


def test_extends_has_to_be_a_path(folder: Path) -> None:
    assert [f.code for f in findings(folder, CHILD.replace("base.yaml", "[base.yaml]"))] == ["E103"]


@pytest.mark.parametrize("key", ["extend", "exends", "extnds", "overide", "overrides"])
def test_misspelt_keys_of_the_file(key: str, folder: Path) -> None:
    meant = "extends" if key.startswith("ex") else "override"
    text = (CHILD + "override: {budget.total: 5k}\n").replace(meant, key)
    (found,) = findings(folder, text)
    assert (found.code, found.fix) == ("E102", f"did you mean '{meant}'?")


def test_sets(folder: Path) -> None:
    sets = {
        "channels.email.max": "null",
        "constraints.low_tier_floor.where.channel": "[tv]",
        "name": "Set: by hand",
    }
    scenario = load_scenario(folder / "base.yaml", sets=sets)
    assert scenario.channels["email"].max is None
    assert scenario.constraints["low_tier_floor"].where.channel == ("tv",)
    assert scenario.name == "Set: by hand"


BAD_SETS = [
    ("budget.totl", "5k", "E204", 1),
    ("budget.total", "1.200.000", "E104", 14),
    ("constraints.low_tier_floor.where.channel", "[tv", "E003", 42),
    ("constraints.low_tier_floor.where.channel", "[radio]", "E201", 42),
    ("", "5", "E204", 1),
]


@pytest.mark.parametrize(("path", "value", "code", "column"), BAD_SETS)
def test_bad_sets(path: str, value: str, code: str, column: int, folder: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(folder / "base.yaml", sets={path: value})
    (found,) = caught.value.findings
    assert found.code == code
    assert str(found.where) == f"--set:1:{column}"
    assert found.excerpt in (f"{path}={value}", "")


def test_override_in_python(folder: Path) -> None:
    base = load_scenario(folder / "base.yaml")
    cut = base.override({"budget.total": "base - 20%", "channels.tv.max": 5e4}, name="Cut 20%")
    assert (cut.name, cut.budget.total, cut.channels["tv"].max) == ("Cut 20%", 960_000, 50_000)
    assert base.budget.total == 1_200_000
    assert cut.sha256 != base.sha256
    assert cut.override({"budget.total": "base - 20%"}).budget.total == 768_000
    assert str(cut.origin_of("channels.tv.max")) == "<override>:2:18"
    with pytest.raises(ScenarioError, match=r"<override>:1:1: error\[E204\]"):
        base.override({"budget.totl": 5})
