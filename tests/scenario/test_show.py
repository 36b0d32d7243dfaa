"""Every resolved value with its writer, and what differs between two scenarios."""

from pathlib import Path

from allocator.scenario.show import differences, resolved
from tests.scenario.samples import SAMPLE, load

CHILD = """\
version: 1
extends: base.yaml
name: Child
override: {budget.total: base - 20%, constraints.hurdle: ~}
"""


def test_every_written_value_is_shown_with_its_line(tmp_path: Path) -> None:
    rows = {row.path: row for row in resolved(load(tmp_path))}
    assert (rows["budget.total"].value, str(rows["budget.total"].origin)) == (
        "1.2M",
        f"{tmp_path / 'q1.yaml'}:9:10",
    )
    assert rows["constraints.no_shock.except.channel"].value == "tv"
    assert rows["constraints.low_tier_floor.where.channel"].value == "[email, tv]"
    assert rows["channels.email.response.by_tier.low"].value == "[[100k, 120k]]"
    assert rows["channels.search.response.estimates"].value.startswith("[{spend: 300k, low: 320k")
    assert rows["meta.anything"].value == "[goes, 1, {here: null}]"


def test_defaults_are_shown_without_a_line(tmp_path: Path) -> None:
    scenario = load(tmp_path)
    rows = {row.path: row for row in resolved(scenario)}
    assert rows["constraints.hurdle.priority"].origin is None
    assert rows["models.clv.name"].value == "auto"
    assert rows["models.uplift.name"].value == "auto"
    assert all(row.origin for row in resolved(scenario, defaults=False))
    assert len(rows) == len(resolved(scenario))


def test_inherited_and_changed_values_name_their_files(tmp_path: Path) -> None:
    base = load(tmp_path, SAMPLE, "base.yaml")
    child = load(tmp_path, CHILD)
    rows = {row.path: row for row in resolved(child)}
    assert rows["budget.total"].value == "960000"
    assert str(rows["budget.total"].origin) == f"{tmp_path / 'q1.yaml'}:4:26"
    assert rows["risk.draws"].origin == base.origin_of("risk.draws")
    changes = {change.path: change for change in differences(base, child)}
    assert list(changes) == [
        "name",
        "budget.total",
        "constraints.hurdle.reason",
        "constraints.hurdle.measure",
        "constraints.hurdle.min",
        "constraints.hurdle.priority",
    ]
    assert changes["constraints.hurdle.min"].right is None
    assert changes["budget.total"].left is not None
    assert changes["budget.total"].left.value == "1.2M"
    assert differences(base, base) == ()
