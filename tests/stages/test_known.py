"""What is known of customers: before their test, and today; nothing later."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import allocator as al
from allocator.stages.known import Known
from tests.small_project import Project, project


def earlier() -> Project:
    """The project with a contact half a year before the orders end."""
    case = project()
    case.edit("contacts.csv", lambda rows: [row.replace("2026-09-01", "2026-04-01") for row in rows])
    tiers = "tiers:\n  by: predicted_clv\n  levels: {high: {share: top 30%}, low: {share: rest}}\n"
    case.set(tiers, "models: {as_of: 2026-08-31}\n")
    case.set("where: {tier: low}", "where: {channel: email}")
    return case


def orders_worth(case: Project, first: str, last: str) -> None:
    """Change what orders of some days were worth."""

    def changed(row: str) -> str:
        who, when, _ = row.split(",")
        return f"{who},{when},900.00" if first <= when <= last else row

    case.edit("orders.csv", lambda rows: [rows[0], *map(changed, rows[1:])])


def known(folder: Path, case: Project) -> Known:
    folder.mkdir(exist_ok=True)
    found = al.fit(al.load_scenario(case.write(folder))).found
    assert found is not None
    assert found.tested is not None
    return found.tested.log.known


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Known:
    return known(tmp_path_factory.mktemp("plain"), earlier())


def by_name(one: Known, rows: np.ndarray) -> dict[str, np.ndarray]:
    return {name: rows[:, place] for place, name in enumerate(one.names)}


def test_both_sides_have_the_same_columns(plain: Known) -> None:
    assert plain.tested.shape == (120, len(plain.names))
    assert plain.planned.shape == (120, len(plain.names))
    assert np.isfinite(plain.tested).all()
    assert np.isfinite(plain.planned).all()
    assert {"age", "value_last_52_weeks"} <= set(plain.names)


def test_covariates_nobody_knows_today_only_adjust(plain: Known) -> None:
    assert "before" not in plain.names
    assert plain.adjusters.shape == (120, 1)


def test_orders_since_the_contact_tell_of_today_and_not_of_the_test(tmp_path: Path, plain: Known) -> None:
    case = earlier()
    orders_worth(case, "2026-04-01", "2026-08-31")
    later = known(tmp_path / "later", case)
    before, after = by_name(plain, plain.tested), by_name(later, later.tested)
    for name in plain.names:
        np.testing.assert_array_equal(before[name], after[name])
    today = by_name(later, later.planned)["value_last_52_weeks"]
    assert (today > by_name(plain, plain.planned)["value_last_52_weeks"]).any()


def test_orders_before_the_contact_tell_of_both(tmp_path: Path, plain: Known) -> None:
    case = earlier()
    orders_worth(case, "2026-01-01", "2026-03-31")
    other = known(tmp_path / "other", case)
    for rows, moved in ((plain.tested, other.tested), (plain.planned, other.planned)):
        name = "value_last_52_weeks"
        assert (by_name(other, moved)[name] > by_name(plain, rows)[name]).any()


def test_orders_after_the_day_of_the_plan_tell_nothing(tmp_path: Path, plain: Known) -> None:
    sooner, other = earlier(), earlier()
    for case in (sooner, other):
        case.set("as_of: 2026-08-31", "as_of: 2026-06-30")
    orders_worth(other, "2026-07-01", "2027-12-31")
    first, second = known(tmp_path / "sooner", sooner), known(tmp_path / "other", other)
    np.testing.assert_array_equal(first.planned, second.planned)
    assert not np.array_equal(first.planned, plain.planned)


def test_customers_of_the_test_are_found_again_by_name(tmp_path: Path, plain: Known) -> None:
    assert sorted(plain.row.tolist()) == list(range(120))
    case = earlier()
    case.edit("contacts.csv", lambda rows: [rows[0], *rows[:30:-1]])
    some = known(tmp_path / "some", case)
    assert (some.row == -1).sum() == 30
    assert some.customer_id[some.row == 0].tolist() == ["120"]
    assert some.row[list(some.customer_id).index("001")] == -1


def test_who_stood_in_a_row_left_out_becomes_a_stranger(plain: Known) -> None:
    rows = np.array([5, 3])
    part = plain.pick(rows)
    assert part.tested.tolist() == plain.tested[rows].tolist()
    assert part.row[plain.row == 3].tolist() == [1]
    assert part.row[plain.row == 5].tolist() == [0]
    assert (part.row == -1).sum() == 118
    assert part.pick(np.array([1])).row[plain.row == 3].tolist() == [0]


def test_missing_attributes_are_filled_and_a_table_may_stand_for_more(tmp_path: Path) -> None:
    case = earlier()
    case.edit("customers.csv", lambda rows: [rows[0], "001,", "002,", *rows[3:]])
    one = known(tmp_path / "missing", case)
    assert np.isfinite(by_name(one, one.planned)["age"]).all()
    assert one.share_in_tables == pytest.approx(120 / 6000)


def test_without_orders_what_the_test_measured_is_known_of_its_own_customers(tmp_path: Path) -> None:
    (tmp_path / "contacts.csv").write_text(
        "\n".join(
            ["arm,revenue,before", *(f"{('control', 'email')[i % 2]},{i % 7},{i % 5}" for i in range(60))]
        )
        + "\n"
    )
    case = Project(
        "version: 1\nname: Rows\nbudget: {total: 10}\nobjective: {maximize: profit, margin: 40%}\n"
        "data: {experiments: {path: contacts.csv, covariates: [before]}}\n"
        "channels: {email: {cost_per_contact: 0.1, response: {source: experiment}}}\n"
    )
    one = known(tmp_path, case)
    assert one.names == ("before",)
    assert one.row.tolist() == list(range(60))
    assert one.planned.tolist() == one.tested.tolist()
    assert one.adjusters.shape == (60, 0)
