"""The scenario object: from files or Python, its sections, hashes and paths."""

import copy
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from allocator.customers.tiers import Level, Tiers, TierShare
from allocator.errors import ScenarioError
from allocator.scenario.schema import Scenario
from allocator.scenario.sections import Risk
from tests.scenario.samples import SAMPLE, changed, findings, load

SMALL = {
    "version": 1,
    "name": "Small",
    "budget": {"total": 1e5},
    "channels": {"email": {"response": {"source": "points", "points": [[5e4, 9e4]]}}},
}


def test_a_file_becomes_typed_sections(tmp_path: Path) -> None:
    scenario = load(tmp_path)
    assert scenario.horizon is not None
    assert scenario.horizon.start == date(2027, 1, 1)
    assert scenario.objective.margin == 0.35
    assert scenario.tier_names == ("high", "medium", "low")
    assert scenario.tiers is not None
    assert scenario.tiers.shares() == {"high": 0.2, "medium": 0.3, "low": 0.5}
    assert scenario.channels["email"].current_total() == 180_000
    assert scenario.channels["tv"].response.curve.half_saturation == 230_000
    assert scenario.risk.seed == 20270101
    assert scenario.warnings == ()


def test_defaults() -> None:
    scenario = Scenario.from_dict(SMALL)
    assert (scenario.currency, scenario.horizon, scenario.tier_names) == ("", None, ("all",))
    assert (scenario.objective.maximize, scenario.budget.spend, scenario.risk) == ("profit", "up_to", Risk())
    assert scenario.channels["email"].current_total() is None


def test_python_data_and_a_file_are_the_same_question(tmp_path: Path) -> None:
    text = "version: 1\nname: Small\nbudget: {total: 100k}\nchannels:\n"
    text += "  email: {response: {source: points, points: [[50k, 90k]]}}\n"
    ours = Scenario.from_dict(SMALL).model_dump()
    assert ours == load(tmp_path, text).model_dump()


def test_python_data_gets_findings_with_the_lines_it_would_have() -> None:
    with pytest.raises(ScenarioError) as caught:
        Scenario.from_dict({**SMALL, "bugdet": {"total": "1.200.000"}})
    assert str(caught.value).startswith("<dict>:10:1: error[E102]: unknown key 'bugdet'\n  10 | bugdet:\n")


def test_python_data_a_file_cannot_hold_are_a_type_error() -> None:
    with pytest.raises(TypeError, match="cannot hold a set"):
        Scenario.from_dict({**SMALL, "meta": {1, 2}})


def test_python_data_without_end_are_a_type_error() -> None:
    endless: dict[str, object] = {}
    endless["again"] = endless
    with pytest.raises(TypeError, match="without end"):
        Scenario.from_dict({**SMALL, "meta": endless})


@pytest.mark.filterwarnings("error")
def test_dumped_values_are_spelled_as_files_spell_them(tmp_path: Path) -> None:
    dumped = load(tmp_path).model_dump(mode="json")
    assert dumped["objective"]["value_window"] == "12 months"
    assert dumped["tiers"]["levels"]["high"]["share"] == "top 20%"
    assert dumped["constraints"]["no_shock"]["min"] == "-40%"


def test_scenarios_can_be_copied(tmp_path: Path) -> None:
    scenario = load(tmp_path)
    again = copy.deepcopy(scenario)
    assert again.model_dump() == scenario.model_dump()
    assert again.sha256 == scenario.sha256
    assert again.origins == scenario.origins


def test_a_missing_reason_is_advice(tmp_path: Path) -> None:
    text = changed("reason: Finance, ", "")
    (advice,) = load(tmp_path, text).warnings
    assert (advice.code, advice.severity) == ("W301", "warning")
    assert advice.where is not None
    assert text.split("\n")[advice.where.line - 1].startswith("  hurdle:")


def test_the_hash_tells_questions_apart(tmp_path: Path) -> None:
    scenario = load(tmp_path)
    assert scenario.sha256 == load(tmp_path, SAMPLE.replace("\n", "\n\n")).sha256
    assert scenario.sha256 != load(tmp_path, changed("1.2M", "1.3M")).sha256
    assert len(scenario.sha256) == 64


def test_scenarios_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Scenario.from_dict(SMALL).name = "Other"


def test_data_paths_count_from_the_file_that_wrote_them(tmp_path: Path) -> None:
    (tmp_path / ".allocator").mkdir()
    (tmp_path / "deep" / "data").mkdir(parents=True)
    text = changed("meta:", "data: {curves: {path: data/curves.csv}}\nmeta:")
    (tmp_path / "deep" / "base.yaml").write_text(text, encoding="utf-8")
    child = load(tmp_path, "version: 1\nextends: deep/base.yaml\nname: Child\n")
    with pytest.raises(ScenarioError) as caught:
        child.path_of("data.curves.path")
    assert caught.value.findings[0].code == "E001"
    (tmp_path / "deep" / "data" / "curves.csv").touch()
    assert child.path_of("data.curves.path") == tmp_path / "deep" / "data" / "curves.csv"


def test_curves_in_a_table_make_responses_optional(tmp_path: Path) -> None:
    text = "version: 1\nname: Small\nbudget: {total: 100k}\nchannels: {email: {max: 50k}}\n"
    assert [f.code for f in findings(tmp_path, text)] == ["E101"]
    assert load(tmp_path, text + "data: {curves: {path: curves.csv}}\n").channels["email"].response is None


def test_all_keys_of_the_data_section_are_known(tmp_path: Path) -> None:
    text = """data:
  transactions: {path: o.csv, columns: {customer_id: id}, returns: match, encoding: gb18030, decimal: ","}
  customers: {path: c.csv, attributes: [age], population: 1_200_000, decimal: ",", delimiter: ";"}
  experiments: {path: e.csv, control: none, arms: {email: E}, window: 2 weeks, combine: add}
  spend_history: {path: h.csv, date: D, outcome: r, spend: {search: t}, controls: [x], group: geo, sheet: S}
  curves: {path: v.csv, date_format: "%d.%m.%Y", time_zone: Europe/Berlin, max_rejects: 1%}
meta:"""
    assert findings(tmp_path, changed("meta:", text)) == ()


def test_level_shares() -> None:
    assert Tiers(levels={"all": {"share": "rest"}}).shares() == {"all": 1}
    ranged = Tiers(by="spend", levels={"big": {"from": 100}, "small": {"to": 100}})
    assert ranged.shares() is None
    assert Level(share="top 20%").share == TierShare("top", 0.2)
    assert Tiers(levels={"a": {"share": "top 20%"}, "b": {"share": "next 80%"}}).shares() == {
        "a": 0.2,
        "b": 0.8,
    }
