"""What a test measured besides money comes along the curves of the channels it tested."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

import allocator as al
from allocator.response.curves import Response
from tests.small_project import Project, project

ARMS = {"control": 0.10, "email": 0.16, "letter": 0.30}  # share who convert
EACH = 3000  # customers of an arm
PER_CONVERSION = 30.0


def simulated(columns: str = "converted") -> Project:
    """A test whose arms convert just as often as they should, in both tiers alike."""
    rows = [f"customer_id,arm,{columns},before"]
    for arm, share in ARMS.items():
        for i in range(EACH):
            bought = int(i // 2 % 100 < 100 * share)
            told = {"converted": str(bought), "revenue": str(bought * (50 + i % 7)), "retained": str(bought)}
            rows.append(f"{arm}{i},{arm},{','.join(told[name] for name in columns.split(','))},{i % 2}")
    case = project()
    case.files["contacts.csv"] = ("\n".join(rows) + "\n").encode()
    case.set("  transactions: {path: orders.csv}\n", "")
    case.set("  customers: {path: customers.csv, attributes: [age], population: 6_000}\n", "")
    case.set("by: predicted_clv", "by: before")
    case.set("{high: {share: top 30%}, low: {share: rest}}", "{high: {from: 1}, low: {to: 1}}")
    return case


def curves_of(case: Project, folder: Path) -> list[Response]:
    curves = al.fit(al.load_scenario(case.write(folder))).curves
    return [one for one in curves if one.source == "experiment"]


def a_contact(responses: Iterable[Response], outcome: str, channel: str) -> float:
    """What a contact brings, over all segments and tiers."""
    own = [one for one in responses if one.channel == channel]
    ends = [one.curve.value if outcome == "margin" else one.curve.outcome(outcome) for one in own]
    contacts = sum(one.curve.end / (one.cost_per_contact or np.nan) for one in own)
    return sum(float(end[-1]) for end in ends if end is not None) / contacts


def test_curves_bring_the_conversions_of_the_test(tmp_path: Path) -> None:
    case = simulated()
    case.set("margin: 40%", f"value_per_conversion: {PER_CONVERSION}")
    found = curves_of(case, tmp_path)
    for channel in ("email", "letter"):
        true = ARMS[channel] - ARMS["control"]
        assert a_contact(found, "conversions", channel) == pytest.approx(true, rel=0.1)
    for one in found:
        assert list(one.curve.outcomes) == ["conversions"]
        assert one.curve.conversions == pytest.approx(one.curve.value / PER_CONVERSION, rel=1e-6)


def test_conversions_are_counted_beside_revenue_that_is_valued(tmp_path: Path) -> None:
    found = curves_of(simulated("revenue,converted"), tmp_path)
    for channel in ("email", "letter"):
        true = ARMS[channel] - ARMS["control"]
        assert a_contact(found, "conversions", channel) == pytest.approx(true, rel=0.1)
        assert a_contact(found, "revenue", channel) == pytest.approx(53 * true, rel=0.1)
    assert {one.curve.immediate is None for one in found} == {True}


def retaining(*columns: str) -> Project:
    """The small project with a test of who stayed; orders tell what that is worth."""
    case = project()
    rows = [row.split(",") for row in case.files["contacts.csv"].decode().splitlines()]
    names = [name.replace("converted", "retained") for name in rows[0]]
    kept = [names.index(name) for name in ("customer_id", "arm", "contacted_on", "before", *columns)]
    written = [",".join(row[place] for place in kept) for row in [names, *rows[1:]]]
    case.files["contacts.csv"] = ("\n".join(written) + "\n").encode()
    return case


def test_what_comes_later_from_customers_kept_is_not_immediate(tmp_path: Path) -> None:
    found = curves_of(retaining("revenue", "retained"), tmp_path)
    for one in found:
        assert one.curve.immediate == pytest.approx(0.4 * one.curve.revenue, rel=1e-6)  # type: ignore[operator]
    for channel in ("email", "letter"):
        assert a_contact(found, "retained", channel) > 0
        assert a_contact(found, "margin", channel) > 1.5 * a_contact(found, "immediate", channel) > 0


def test_where_only_staying_was_measured_nothing_is_immediate(tmp_path: Path) -> None:
    for one in curves_of(retaining("retained"), tmp_path):
        assert list(one.curve.outcomes) == ["retained", "immediate"]
        assert one.curve.value[-1] != 0
        assert one.curve.immediate is not None
        assert one.curve.immediate.tolist() == [0.0, 0.0]


def test_an_outcome_nobody_had_is_moved_by_nothing(tmp_path: Path) -> None:
    case = simulated("revenue,converted")

    def none_converted(row: str) -> str:
        who, arm, revenue, _, before = row.split(",")
        return f"{who},{arm},{revenue},0,{before}"

    case.edit("contacts.csv", lambda rows: [rows[0], *map(none_converted, rows[1:])])
    for one in curves_of(case, tmp_path):
        assert one.curve.conversions is not None
        assert not one.curve.conversions.any()
        assert one.curve.value[-1] > 0
