"""Scenarios the tests of this folder start from."""

from __future__ import annotations

from pathlib import Path

from allocator.errors import Finding, ScenarioError
from allocator.scenario.load import load_scenario
from allocator.scenario.schema import Scenario

SAMPLE = """\
version: 1
name: Sample
description: Every kind of key once
owner: Controlling
currency: EUR
fx: {USD: {rate: 0.92, on: 2026-11-20}}
horizon: {start: 2027-01-01, end: 2027-03-31, periods: none}
budget:
  total: 1.2M
  spend: up_to
  reason: Agreed in November
objective: {maximize: profit, value_window: 12 months, discount_rate: 8%, margin: 35%}
tiers:
  by: predicted_clv
  levels:
    high: {label: High value, share: top 20%}
    medium: {share: next 30%}
    low: {share: rest}
channels:
  email:
    label: E-mail
    current: {by_tier: {high: 100k, medium: 50k, low: 30k}}
    max: 300k
    cost_per_contact: 0.12
    contacts_per_customer: 2
    capacity: 2M
    response: {source: points, by_tier: {high: [[100k, 250k]], medium: [[100k, 180k]], low: [[100k, 120k]]}}
  search:
    current: 420k
    min: 200k
    tier_mix: {high: 40%, medium: 30%, low: 30%}
    value_mix: {high: 50%, medium: 30%, low: 20%}
    reason: Brand terms
    response:
      source: expert
      trust: 100%
      estimates:
        - {spend: 300k, low: 320k, likely: 480k, high: 600k}
        - {spend: 700k, low: 500k, likely: 760k, high: 990k}
  tv:
    current: 0
    targeting: tier
    tier_index: {high: 1.2, low: 0.8}
    response: {source: curve, curve: {family: hill, ceiling: 900k, half_saturation: USD 250k, shape: 1}}
constraints:
  low_tier_floor:
    reason: Loyalty promise
    where: {tier: low, channel: [email, tv]}
    measure: share_of_budget
    min: 10%
  no_shock:
    reason: Agencies need notice
    each: channel
    except: {channel: tv}
    measure: change_vs_current
    min: -40%
    max: +40%
  hurdle: {reason: Finance, measure: roi, min: 20%}
risk: {method: expected, draws: 500, seed: 20270101}
meta: {anything: [goes, 1, {here: ~}]}
"""


def load(folder: Path, text: str = SAMPLE, name: str = "q1.yaml", **options: object) -> Scenario:
    """Write a scenario file and load it."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return load_scenario(path, **options)  # type: ignore[arg-type]


def findings(folder: Path, text: str, **options: object) -> tuple[Finding, ...]:
    """Give what loading a scenario reports; nothing when it loads."""
    try:
        load(folder, text, **options)
    except ScenarioError as error:
        return error.findings
    return ()


def changed(old: str, new: str, text: str = SAMPLE) -> str:
    """Give the sample with one part replaced, which has to be there."""
    assert old in text, f"the sample holds no {old!r}"
    return text.replace(old, new, 1)


TIMED = changed("periods: none", "periods: month")
TIMED = changed("method: expected", "method: cvar, level: 5%, weight: 50%", TIMED)
TIMED = changed(
    "  spend: up_to\n",
    "  spend: up_to\n  by_period: {2027-01: 300k, 2027-03: 500k}\n  reserve: 50k\n",
    TIMED,
)
TIMED = changed(
    "    capacity: 2M\n",
    """\
    capacity: 2M
    step: 5k
    carryover: 40%
    carry_in: 10k
    available: {from: 2027-02-15, to: 2027-03}
    season: {2027-02: 120%, 2027-03: 0.9}
    committed: {2027-02: 10k}
""",
    TIMED,
)
TIMED = changed("    current: 0\n", "    current: 0\n    available: [2027-01, 2027-02]\n", TIMED)
TIMED = changed("where: {tier: low", "where: {period: 2027-02, tier: low", TIMED)
"""The sample in months, with every key about periods and bad cases."""
