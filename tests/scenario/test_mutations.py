"""A slip of the finger in any key or name is one clear error: never another exception, never silence."""

import re
from pathlib import Path

import pytest

from allocator.errors import closest
from allocator.scenario.load import read_text
from tests.scenario.samples import SAMPLE, TIMED, changed, findings

FREE = re.compile(r"^(meta\..*|channels\.\w+|constraints\.\w+|tiers\.levels\.\w+|fx\.USD)$")
"""Names the writer invents: a slip there shows where the name is used."""


def keys() -> list[tuple[str, int, int, str]]:
    """Give path, line, column and text of every key of the sample with a meaning of its own."""
    tree, _ = read_text(TIMED, "sample")
    found = []
    for path, entry in tree.walk():
        dotted = ".".join(map(str, path))
        if isinstance(path[-1], str) and not FREE.match(dotted):
            found.append((dotted, entry.key.origin.line, entry.key.origin.column, path[-1]))
    return found


def slips(word: str) -> list[str]:
    """Drop, swap, double and replace a letter, in the middle of a word."""
    i = len(word) // 2
    made = [
        word[:i] + word[i + 1 :],
        word[: i - 1] + word[i] + word[i - 1] + word[i + 1 :] if i else word,
        word[: i + 1] + word[i:],
        word[:i] + "x" + word[i + 1 :],
    ]
    return [slip for slip in dict.fromkeys(made) if slip and slip != word]


def with_slip(line: int, column: int, word: str, slip: str) -> str:
    lines = TIMED.split("\n")
    text = lines[line - 1]
    assert text[column - 1 :].startswith(word)
    lines[line - 1] = text[: column - 1] + slip + text[column - 1 + len(word) :]
    return "\n".join(lines)


def test_the_sample_is_without_fault(tmp_path: Path) -> None:
    assert findings(tmp_path, TIMED) == ()


@pytest.mark.parametrize(("path", "line", "column", "word"), keys(), ids=lambda value: str(value))
def test_a_slip_in_a_key(path: str, line: int, column: int, word: str, tmp_path: Path) -> None:
    for slip in slips(word):
        found = findings(tmp_path, with_slip(line, column, word, slip))
        assert found, f"{path}: {slip!r} went unnoticed"
        about_it = [f for f in found if f.where and (f.where.line, f.where.column) == (line, column)]
        assert about_it, f"{path}: {slip!r} is reported elsewhere: {found}"
        assert about_it[0].width == len(slip)
        assert word in about_it[0].fix, f"{path}: {slip!r} gets {about_it[0].fix!r}"
        if closest(slip, [word]):
            assert f"did you mean '{word}'?" in about_it[0].fix
        assert len(found) == 1, f"{path}: {slip!r} causes more than one error: {[str(f) for f in found]}"


NAMES = [
    ("maximize: profit", "profit", "E103"),
    ("spend: up_to", "up_to", "E103"),
    ("periods: none", "none", "E103"),
    ("currency: EUR", "EUR", "E114"),
    ("fx: {USD", "USD", "E114"),
    ("source: points", "points", "E103"),
    ("source: expert", "expert", "E103"),
    ("source: curve", "curve", "E103"),
    ("family: hill", "hill", "E103"),
    ("targeting: tier", "tier", "E103"),
    ("each: channel", "channel", "E103"),
    ("measure: share_of_budget", "share_of_budget", "E103"),
    ("measure: change_vs_current", "change_vs_current", "E103"),
    ("measure: roi", "roi", "E103"),
    ("method: expected", "expected", "E103"),
    ("where: {tier: low", "low", "E202"),
    ("channel: [email", "email", "E201"),
    ("except: {channel: tv", "tv", "E201"),
    ("current: {by_tier: {high", "high", "E202"),
    ("by_tier: {high: [[100k", "high: [[100k", "E202"),
    ("tier_mix: {high", "high", "E202"),
    ("value_mix: {high", "high", "E202"),
    ("tier_index: {high", "high", "E202"),
    ("periods: month", "month", "E103"),
    ("method: cvar", "cvar", "E103"),
    ("by_period: {2027-01", "2027-01", "E203"),
    ("season: {2027-02", "2027-02", "E203"),
    ("committed: {2027-02", "2027-02", "E203"),
    ("available: [2027-01", "2027-01", "E203"),
    ("15, to: 2027-03", "2027-03", "E203"),
    ("where: {period: 2027-02", "2027-02", "E203"),
]


@pytest.mark.parametrize(("context", "word", "code"), NAMES)
def test_a_slip_in_a_name(context: str, word: str, code: str, tmp_path: Path) -> None:
    base = SAMPLE if context in SAMPLE else TIMED
    place = context.removesuffix(word)
    letters = word.split(":")[0]
    for slip in slips(letters):
        found = findings(tmp_path, changed(context, place + slip + word.removeprefix(letters), base))
        assert found, f"{slip!r} went unnoticed"
        assert found[0].code == code, str(found[0])
        line = changed(context, "\0", base).split("\0")[0].count("\n") + 1
        assert found[0].where is not None
        assert found[0].where.line == line
        assert letters in found[0].fix or letters in found[0].what, str(found[0])


@pytest.mark.parametrize("name", ["email", "search", "tv", "high", "low"])
def test_a_slip_where_a_used_name_is_declared(name: str, tmp_path: Path) -> None:
    for slip in slips(name):
        text = re.sub(rf"^( {{2,4}}){name}:", rf"\g<1>{slip}:", TIMED, count=1, flags=re.MULTILINE)
        found = findings(tmp_path, text)
        used = name != "search"
        assert bool(found) == used
        assert all(f.code in {"E201", "E202", "E210"} for f in found), [str(f) for f in found]
