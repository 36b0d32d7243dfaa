"""Faults are reported in one pass, each with its place, in the published shape."""

from pathlib import Path

import pytest

from allocator.errors import ScenarioError
from allocator.scenario.load import load_scenario

BROKEN = """\
version: 1
name: Broken
currancy: EUR
horizon: {start: 2027-01-01, end: 2027-03-31}
budget:
  total: 1.200.000
  spend: up_to
objective: {maximize: profit}
channels:
  email:
    label: E-mail
    current: 180k
    response:
      source: points
      points: [[100k, 200k], [200k, 300k]]
      # as the agency expects
  search: {current: 420k, response: {source: curve, curve: {family: linear, slope: 1.8}}}
  search: {current: 400k}
constraints:
  promise:
    reason: >
      What we promised
      the members

      last year
    where: {channel: socail}
    measure: spend
    min: 10k
"""

FOUR_ERRORS = """\
scenarios/broken.yaml:3:1: error[E102]: unknown key 'currancy'
   3 | currancy: EUR
     | ^^^^^^^^ did you mean 'currency'?
scenarios/broken.yaml:6:10: error[E104]: '1.200.000' is ambiguous: dots as thousand separators are not read
   6 |   total: 1.200.000
     |          ^^^^^^^^^ write 1_200_000 or "1,200,000"
scenarios/broken.yaml:18:3: error[E006]: 'search' is written twice; the first is on line 17
scenarios/broken.yaml:26:22: error[E201]: there is no channel 'socail'
  26 |     where: {channel: socail}
     |                      ^^^^^^ channels in this scenario: email, search"""


def test_the_four_errors_of_the_design_to_the_character(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "broken.yaml").write_text(BROKEN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScenarioError) as caught:
        load_scenario("scenarios/broken.yaml")
    assert "\n".join(map(str, caught.value.findings)) == FOUR_ERRORS
