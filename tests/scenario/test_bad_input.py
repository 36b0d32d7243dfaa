"""A table of bad scenarios: one clear error each, with its code and its place."""

import copy
import json
import math
import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from allocator.errors import Finding, ScenarioError
from allocator.scenario.load import load_scenario, read_text
from allocator.scenario.schema import Scenario
from tests.scenario.samples import SAMPLE, TIMED, changed, findings

POINTS = "{source: points, by_tier: {high: [[100k, 250k]], medium: [[100k, 180k]], low: [[100k, 120k]]}}"

CASES = {
    # what stands in the sample, what replaces it, code, the text at the reported place, a part of the message
    "no version": ("version: 1\n", "", "E101", "name", "'version'"),
    "newer version": ("version: 1", "version: 2", "E112", "2", "newer allocator"),
    "no number as version": ("version: 1", "version: one", "E103", "one", "no version"),
    "version 0": ("version: 1", "version: 0", "E103", "0", "no version"),
    "no name": ("name: Sample\n", "", "E101", "version", "'name'"),
    "empty name": ("name: Sample", 'name: ""', "E103", '""', "empty"),
    "key without value": ("name: Sample", "name:", "E103", "name", "has no value"),
    "unknown currency": ("currency: EUR", "currency: EURO", "E114", "EURO", "did you mean EUR"),
    "currency in lower case": ("currency: EUR", "currency: eur", "E114", "eur", "did you mean EUR"),
    "rate of nothing": ("rate: 0.92", "rate: 0", "E106", "0", "not above 0"),
    "rate without a day": (", on: 2026-11-20", "", "E101", "USD", "'on'"),
    "no such day": ("end: 2027-03-31", "end: 2027-02-30", "E107", "2027-02-30", "has 28 days"),
    "date of another country": ("end: 2027-03-31", "end: 31.03.2027", "E107", "31.03.2027", "2027-01-31"),
    "horizon backwards": ("end: 2027-03-31", "end: 2026-03-31", "E106", "2026-03-31", "before it starts"),
    "horizon without end": (", end: 2027-03-31", "", "E101", "horizon", "'end'"),
    "dots in money": ("total: 1.2M", "total: 1.200.000", "E104", "1.200.000", "1_200_000"),
    "comma in money": ("total: 1.2M", "total: 250,50", "E104", "250,50", "250.50"),
    "one dot in money": ("total: 1.2M", "total: 250.000", "E104", "250.000", "write 250 or 250_000"),
    "text as money": ("total: 1.2M", "total: plenty", "E104", "plenty", "not an amount"),
    "share as money": ("total: 1.2M", "total: 20%", "E104", "20%", "share"),
    "negative budget": ("total: 1.2M", "total: -5k", "E106", "-5k", "negative"),
    "infinite budget": ("total: 1.2M", "total: .inf", "E104", ".inf", "finite"),
    "budget that is no number": ("total: 1.2M", "total: .nan", "E104", ".nan", "finite"),
    "list as money": ("total: 1.2M", "total: [1, 2]", "E104", "[", "a list"),
    "mapping as money": ("total: 1.2M", "total: {a: 1}", "E104", "total", "a mapping"),
    "budget without total": ("  total: 1.2M\n", "", "E101", "budget", "'total'"),
    "no mapping as section": (
        "risk: {method: expected, draws: 500, seed: 20270101}",
        "risk: none",
        "E103",
        "none",
        "mapping",
    ),
    "foreign money without rate": ("total: 1.2M", "total: CHF 1.2M", "E114", "CHF 1.2M", "CHF"),
    "no such choice": ("spend: up_to", "spend: all", "E103", "all", "up_to, exactly"),
    "bare share": ("margin: 35%", "margin: 35", "E105", "35", "35%"),
    "share above 1": ("margin: 35%", "margin: 135%", "E106", "135%", "between"),
    "bare duration": ("12 months", "12", "E108", "12", "12 months"),
    "unknown unit": ("12 months", "12 moths", "E108", "12 moths", "months"),
    "both objectives": ("maximize: profit", "maximize: profit, minimize: spend", "E113", "spend", "exclude"),
    "no such objective": (
        "maximize: profit",
        "maximize: profits",
        "E103",
        "profits",
        "did you mean 'profit'",
    ),
    "level without use": ("method: expected", "level: 5%, method: expected", "E113", "5%", "level"),
    "no draws": ("draws: 500", "draws: 0", "E106", "0", "at least 1"),
    "half a draw": ("draws: 500", "draws: 0.5", "E106", "0.5", "whole number"),
    "no channels": ("channels:\n", "channels: {}\nmeta2:\n", "E103", "channels", "at least 1"),
    "bad channel name": ("  search:\n", "  sea.rch:\n", "E109", "sea.rch", "sea_rch"),
    "number as name": ("  hurdle:", "  1st:", "E109", "1st", "n1st"),
    "negative cost": ("cost_per_contact: 0.12", "cost_per_contact: -0.12", "E106", "-0.12", "negative"),
    "contacts for nothing": ("cost_per_contact: 0.12", "cost_per_contact: 0", "E106", "0", "not above 0"),
    "channel without response": (f"    response: {POINTS}\n", "", "E101", "email", "response"),
    "response without source": ("      source: expert\n", "", "E101", "response", "'source'"),
    "response as text": (POINTS, "linear", "E103", "linear", "mapping"),
    "experiment without a table": (POINTS, "{source: experiment}", "E209", "experiment", "data.experiments"),
    "history without a table": (POINTS, "{source: history}", "E209", "history", "data.spend_history"),
    "points unordered": ("high: [[100k, 250k]]", "high: [[100k, 50k], [50k, 60k]]", "E115", "[[", "increase"),
    "value of nothing": ("high: [[100k, 250k]]", "high: [[0, 10k], [50k, 60k]]", "E115", "[[", "0"),
    "three numbers as point": ("high: [[100k, 250k]]", "high: [[100k, 250k, 1]]", "E103", "[", "2"),
    "text in points": ("high: [[100k, 250k]]", "high: [[100k, lots]]", "E104", "lots", "not an amount"),
    "null in points": ("high: [[100k, 250k]]", "high: [[100k, ~]]", "E104", "~", "nothing"),
    "low above likely": ("low: 320k", "low: 520k", "E106", "520k", "above likely"),
    "estimate without high": (", high: 600k", "", "E101", "{", "'high'"),
    "unknown family": ("family: hill", "family: sigmoid", "E103", "sigmoid", "hill"),
    "no shape": ("shape: 1}", "shape: 0}", "E106", "0", "not above 0"),
    "missing parameter": (", half_saturation: USD 250k", "", "E101", "curve", "'half_saturation'"),
    "tier of nowhere": ("where: {tier: low", "where: {tier: gold", "E202", "gold", "high, medium, low"),
    "channel of nowhere": (
        "channel: [email, tv]",
        "channel: [email, radio]",
        "E201",
        "radio",
        "email, search, tv",
    ),
    "period of nowhere": ("where: {tier: low", "where: {period: May, tier: low", "E203", "May", "all"),
    "empty selection": ("channel: [email, tv]", "channel: []", "E103", "[", "selects nothing"),
    "tier left out": (
        "high: 40%, medium: 30%, low: 30%",
        "high: 60%, medium: 40%",
        "E210",
        "tier_mix",
        "low",
    ),
    "mix above 1": (
        "high: 40%, medium: 30%, low: 30%",
        "high: 60%, medium: 30%, low: 30%",
        "E106",
        "tier_mix",
        "120%",
    ),
    "index without targeting": ("    targeting: tier\n", "", "E113", "tier_index", "targeting"),
    "tiers above 1": ("share: top 20%", "share: top 80%", "E106", "levels", "110%"),
    "tiers without rest": ("share: rest", "share: next 10%", "E106", "levels", "60%"),
    "rest too early": ("share: next 30%", "share: rest", "E103", "rest", "no tier can follow"),
    "first tier is next": ("share: top 20%", "share: next 20%", "E103", "next 20%", "top"),
    "tier by share and range": ("share: top 20%", "share: top 20%, from: 5", "E113", "top 20%", "exclude"),
    "bare share of a tier": ("share: top 20%", "share: 20%", "E105", "20%", "top 20%"),
    "limit without measure": ("measure: roi, ", "", "E101", "hurdle", "'measure'"),
    "limit without bound": (", min: 20%}", "}", "E101", "hurdle", "neither min nor max"),
    "measure in other units": ("measure: roi", "measure: cpa", "E104", "20%", "amount of money"),
    "bare roi": ("measure: roi, min: 20%", "measure: roi, min: 20", "E105", "20", "20%"),
    "bare change": ("min: -40%", "min: -40", "E105", "-40", "-40%"),
    "cap on a return": ("measure: roi, min: 20%", "measure: roi, max: 20%", "E113", "20%", "no 'max'"),
    "soft limit": (
        "measure: roi, min",
        "priority: soft, measure: roi, min",
        "E101",
        "soft",
        "price of missing",
    ),
    "relative outside override": ("total: 1.2M", "total: base - 20%", "E111", "base - 20%", "override"),
    "sweep is for later": (
        "meta:",
        "sweep: {budget.total: [1M]}\nmeta:",
        "E110",
        "sweep",
        "not supported yet",
    ),
    "override without parent": (
        "meta:",
        "override: {budget.total: 1M}\nmeta:",
        "E113",
        "override",
        "extends",
    ),
    "spend of no channel": (
        "meta:",
        "data: {spend_history: {path: a.csv, date: D, outcome: r, spend: {serch: s}}}\nmeta:",
        "E201",
        "serch",
        "'search'",
    ),
    "spend history without spend": (
        "meta:",
        "data: {spend_history: {path: a.csv, date: D, outcome: r, spend: {}}}\nmeta:",
        "E103",
        "spend",
        "at least",
    ),
    "spend history with columns": (
        "meta:",
        "data: {spend_history: {path: a, columns: {a: b}, date: D, outcome: r, spend: {search: s}}}\nmeta:",
        "E113",
        "columns",
        "write them there",
    ),
    "customers without orders": (
        "meta:",
        "data: {customers: {path: a.csv}}\nmeta:",
        "E209",
        "predicted_clv",
        "data.transactions",
    ),
    "column of no table": ("by: predicted_clv", "by: income", "E209", "income", "data.customers"),
    "arm of no channel": (
        "meta:",
        "data: {transactions: {path: o.csv}, experiments: {path: e.csv, arms: {emial: A}}}\nmeta:",
        "E201",
        "emial",
        "did you mean 'email'",
    ),
    "one arm for two": (
        "meta:",
        "data: {transactions: {path: o.csv}, experiments: {path: e.csv, arms: {email: A, tv: A}}}\nmeta:",
        "E113",
        "A",
        "one arm tests one channel",
    ),
    "path outside": ("meta:", "data: {curves: {path: ../../x.csv}}\nmeta:", "E005", "../../x.csv", "outside"),
    "no separator": (
        "meta:",
        "data: {curves: {path: a.csv, thousands: x}}\nmeta:",
        "E103",
        "x",
        "choices: ., ,",
    ),
    "merge key": ("meta:", "<<: {name: x}\nmeta:", "E102", "<<", "unknown key"),
    "field name for a key": ("except: {channel: tv}", "except_: {channel: tv}", "E102", "except_", "except"),
    "reason as list": ("reason: Finance", "reason: [a]", "E103", "[", "text"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_clear_error(case: str, tmp_path: Path) -> None:
    old, new, code, place, words = CASES[case]
    text = changed(old, new)
    found = findings(tmp_path, text)
    assert [f.code for f in found] == [code] or case == "no channels", [str(f) for f in found]
    assert found[0].where is not None
    line, column = found[0].where.line, found[0].where.column
    assert text.split("\n")[line - 1][column - 1 :].startswith(place), str(found[0])
    assert words in f"{found[0].what} {found[0].fix}", str(found[0])
    assert found[0].where.file == str(tmp_path / "q1.yaml")


YAML_FAULTS = {
    "open bracket": ("a: [1", "E003", 1, 6),
    "tab": ("a:\n\t- b", "E003", 2, 1),
    "colon in text": ("a: b: c", "E003", 1, 5),
    "no colon": ("a: 1\na b\n", "E003", 2, 1),
    "open quote": ("a: 'x", "E003", 1, 6),
    "unknown anchor": ("a: *b", "E003", 1, 4),
    "anchor within itself": ("a: &a [*a]", "E003", 1, 8),
    "list as key": ("? [a]\n: b", "E003", 1, 3),
    "control character": ("a: \x01", "E003", 1, 4),
    "surrogate": ('a: "\\ud800"', "E003", 1, 4),
    "no code point": ('a: "\\Uffffffff"', "E003", 1, 1),
    "tag": ("a: !!python/object:os.system x", "E008", 1, 4),
    "harmless tag": ("a: !!str x", "E008", 1, 4),
    "two documents": ("a: 1\n---\nb: 1", "E009", 2, 1),
    "nothing": ("", "E010", 1, 1),
    "comments only": ("# a", "E010", 1, 1),
    "list": ("[1, 2]", "E010", 1, 1),
    "text": ("hello", "E010", 1, 1),
    "deep": ("[" * 200, "E004", 1, 31),
    "long": ("[" + "1," * 30_000 + "]", "E004", 1, 40_000),
    "duplicate": ("a: 1\nb: 2\na: 3", "E006", 3, 1),
    "duplicate in another normal form": ("caf\u00e9: 1\ncafe\u0301: 3", "E006", 2, 1),
    "empty key": ("'': 1", "E109", 1, 1),
}


@pytest.mark.parametrize("case", YAML_FAULTS)
def test_yaml_faults(case: str) -> None:
    text, code, line, column = YAML_FAULTS[case]
    try:
        found = read_text(text, "q1.yaml")[1]
    except ScenarioError as error:
        found = error.findings
    assert [f.code for f in found] == [code]
    assert found[0].where is not None
    assert (found[0].where.file, found[0].where.line) == ("q1.yaml", line)
    assert abs(found[0].where.column - column) <= (3 if case == "long" else 0)


def test_an_alias_bomb_is_counted_as_it_expands(tmp_path: Path) -> None:
    rows = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    rows += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    found = findings(tmp_path, "\n".join(rows))
    assert [f.code for f in found] == ["E004"]


def test_aliases_within_the_limits_are_read() -> None:
    tree, _ = read_text("a: &a {x: 1}\nb: *a", "q1.yaml")
    assert tree.plain() == {"a": {"x": "1"}, "b": {"x": "1"}}


def test_scalars_stay_the_text_they_were() -> None:
    tree, _ = read_text("a: no\nb: 1:30\nc: 1.2e6\nd: 0777\ne: 'null'\nf: ~\ng: 2027-01-01", "q1.yaml")
    assert tree.plain() == {
        "a": "no", "b": "1:30", "c": "1.2e6", "d": "0777", "e": "null", "f": None, "g": "2027-01-01",
    }  # fmt: skip


FILES = {
    "missing": (None, "E001"),
    "latin-1": ("name: Müller".encode("latin-1"), "E002"),
    "utf-16": ("name: x".encode("utf-16"), "E002"),
    "too large": (b"# " + b"x" * 1_000_000, "E004"),
    "binary": (bytes(range(256)), "E002"),
    "nul": (b"name: \x00", "E003"),
}


@pytest.mark.parametrize("case", FILES)
def test_unreadable_files(case: str, tmp_path: Path) -> None:
    data, code = FILES[case]
    path = tmp_path / "q1.yaml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert [f.code for f in caught.value.findings] == [code]
    assert caught.value.findings[0].where is not None
    assert caught.value.findings[0].where.file == str(path)


def test_a_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "q1_base.yaml").write_text(SAMPLE, encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"did you mean 'q1_base.yaml'\?"):
        load_scenario(tmp_path / "q1_bsae.yaml")


@pytest.mark.parametrize("name", ["a\0b.yaml", "x" * 5000, "", "loop.yaml"])
def test_what_cannot_be_a_file_name(name: str, tmp_path: Path) -> None:
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(os.path.join(tmp_path, name))
    assert [f.code for f in caught.value.findings] == ["E001"]
    text = f"version: 1\nname: x\nextends: {json.dumps(name)}\n"
    for outside in (True, False):
        found = findings(tmp_path, text, allow_outside=outside)
        assert [f.code for f in found][:1] in (["E001"], ["E005"]), [str(f) for f in found]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="is no file"):
        load_scenario(tmp_path)


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "q1.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SAMPLE.replace("\n", "\r\n").encode())
    assert load_scenario(path).name == "Sample"


def test_an_invalid_currency_is_one_error(tmp_path: Path) -> None:
    found = findings(tmp_path, changed("currency: EUR", "currency: EUU").replace("1.2M", "EUR 1.2M"))
    assert [f.code for f in found] == ["E114"]


def test_one_broken_field_does_not_hide_the_next(tmp_path: Path) -> None:
    text = changed("measure: roi", "measure: ori")
    text = changed("min: 20%}", "min: 20}", text)
    text = changed("source: expert", "source: exprt", text)
    text = changed("likely: 480k", "likely: 480.000.000", text)
    text = changed("channels:\n", "chanels:\n", text)
    text = changed("draws: 500", "draws: many", text)
    found = findings(tmp_path, text)
    assert [f.code for f in found] == ["E102", "E103", "E104", "E103", "E105", "E104"]
    places = [(f.where.file, f.where.line, f.where.column) for f in found if f.where]
    assert places == sorted(places)


@given(st.text(max_size=60))
@example("a: [\u2028")
@example('"\\x')
def test_any_text_is_read_or_refused(text: str) -> None:
    found: tuple[Finding, ...] = ()
    try:
        read_text(text, "q1.yaml")
    except ScenarioError as error:
        found = error.findings
    assert all(finding.where and str(finding) for finding in found)


@settings(max_examples=60)
@given(st.integers(0, len(TIMED) - 1), st.sampled_from(list("{}[]:,-&*!|>'\"%@`#x0 \n\t~?<")), st.booleans())
def test_any_changed_character_is_read_or_refused(
    tmp_path_factory, at: int, letter: str, insert: bool
) -> None:
    text = TIMED[:at] + letter + TIMED[at + (0 if insert else 1) :]
    folder = tmp_path_factory.mktemp("fuzz")
    for finding in findings(folder, text):
        assert finding.where is not None
        assert finding.where.file.endswith("q1.yaml")


ODD = [
    None, "", [], {}, "x", 5, -1, math.inf, True, ["a"], [["a"]], {"a": 1}, {"by_tier": 5}, {"": 1},
    "base - 5", {"by_tier": {"high": None}}, "USD 5", [{}], {"source": []}, {"measure": {}}, [None],
    {"source": "points"},
]  # fmt: skip


def places(data: object, path: tuple = ()) -> list[tuple]:
    below = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [
        *([path] if path else []),
        *(place for step, value in below for place in places(value, (*path, step))),
    ]


PLAIN = read_text(TIMED, "sample")[0].plain()


@settings(max_examples=400)
@example(("currency",), {})
@given(st.sampled_from(places(PLAIN)), st.sampled_from(ODD))
def test_any_value_anywhere_is_read_or_refused(path: tuple, value: object) -> None:
    data = copy.deepcopy(PLAIN)
    inner = data
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    found: tuple[Finding, ...] = ()
    try:
        Scenario.from_dict(data)
    except ScenarioError as error:
        found = error.findings
    assert all(finding.where and finding.code[0] == "E" for finding in found)
    assert not any("Input should" in finding.what for finding in found)
