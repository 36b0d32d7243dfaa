"""How sure a forecast is, who stays, and when its value comes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

import allocator as al
from allocator.stages.customers import Customers, group_customers
from allocator.stages.outlook import MONTHS, TRACKED_WEEKS, Outlook, look_ahead
from allocator.stages.predictions import Learned
from allocator.stages.reading import read_tables
from tests.small_project import Project, project

Found = tuple[al.Scenario, Customers, Learned, Outlook]


def found(folder: Path, case: Project, model: str = "pareto_nbd") -> Found:
    case.set("tiers:\n", f"models: {{clv: {{name: {model}}}}}\ntiers:\n")
    scenario = al.load_scenario(case.write(folder))
    customers = group_customers(scenario, read_tables(scenario))
    assert customers.predictions is not None
    learned = customers.predictions.learned
    assert learned is not None
    ahead = look_ahead(scenario, customers, learned)
    assert ahead is not None
    return scenario, customers, learned, ahead


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Found:
    return found(tmp_path_factory.mktemp("small"), project())


def own(customers: Customers, tier: str) -> np.ndarray:
    """Which customers with orders are of a tier."""
    assert customers.assignment is not None
    assert customers.predictions is not None
    of = dict(zip(customers.customer_id, customers.assignment.tier, strict=True))
    return np.array([of[name] == tier for name in customers.predictions.customer_id])


def test_a_tier_is_the_mean_of_its_customers(small: Found) -> None:
    _, customers, _, ahead = small
    made = customers.predictions
    assert made is not None
    assert [tier.tier for tier in ahead.tiers] == ["high", "low"]
    for tier in ahead.tiers:
        inside = own(customers, tier.tier)
        assert tier.customers == inside.sum()
        assert tier.clv == pytest.approx(made.clv[inside].mean(), rel=1e-12)
        assert tier.p_any_purchase == pytest.approx(made.p_any_purchase[inside].mean(), rel=1e-12)


def test_ranges_are_in_order_and_chance_widens_them(small: Found) -> None:
    ahead = small[3]
    for tier in ahead.tiers:
        assert tier.outcome_low < tier.low < tier.clv < tier.high < tier.outcome_high
        assert tier.kept >= tier.clv
    for one in (ahead.mean, ahead.outcome):
        assert (one.low >= 0).all()
        assert (one.low <= one.high).all()


def test_survival_falls_from_at_most_1(small: Found) -> None:
    for tier in small[3].tiers:
        assert len(tier.survival) == MONTHS + 1
        assert tier.survival[0] <= 1
        assert all(np.diff(tier.survival) < 0)
        assert tier.survival[-1] > 0


def test_months_of_the_plan_add_up_to_what_is_expected_of_it(small: Found) -> None:
    _, customers, learned, ahead = small
    as_of = learned.customers.summary.as_of
    begin = ((date(2027, 1, 1) - as_of).days - 1) / 7
    revenue = learned.forecast.expected_revenue(learned.customers, 90 / 7, start_weeks=begin)
    for season in ahead.seasons:
        assert [start.isoformat() for start in season.starts] == ["2027-01-01", "2027-02-01", "2027-03-01"]
        expected = 0.4 * revenue[own(customers, season.tier)].sum()
        assert sum(season.values) == pytest.approx(expected, rel=1e-9)
        assert np.mean(season.index) == pytest.approx(1, abs=0.02)


def test_without_a_plan_ahead_they_add_up_to_the_value(tmp_path: Path) -> None:
    case = project()
    case.set("{start: 2027-01-01, end: 2027-03-31}", "{start: 2026-01-01, end: 2026-03-31}")
    _, customers, _, ahead = found(tmp_path, case, "bg_nbd")
    assert customers.predictions is not None
    for season in ahead.seasons:
        total = customers.predictions.clv[own(customers, season.tier)].sum()
        assert sum(season.values) == pytest.approx(total, rel=2e-3)  # a year of whole days


def test_expected_revenue_is_tracked_to_compare_with_what_comes(small: Found) -> None:
    ahead = small[3]
    assert tuple(ahead.expected) == TRACKED_WEEKS
    assert all(np.diff([values.sum() for values in ahead.expected.values()]) > 0)


def test_a_tier_nobody_bought_twice_in_has_its_months_too(tmp_path: Path) -> None:
    case = project()
    seen: set[str] = set()

    def once(rows: list[str]) -> list[str]:
        kept = [rows[0]]
        for row in rows[1:]:
            number = row.split(",")[0]
            if int(number) <= 40 or number not in seen:
                kept.append(row)
            seen.add(number)
        return kept

    case.edit("orders.csv", once)
    case.set("top 30%", "top 20%")
    ahead = found(tmp_path, case)[3]
    assert [season.tier for season in ahead.seasons] == ["high", "low"]
    assert all(len(season.values) == 3 for season in ahead.seasons)


def test_a_tier_of_which_nothing_is_expected_has_months_of_nothing(tmp_path: Path) -> None:
    case = project()
    case.set("top 30%", "top 90%")
    ahead = found(tmp_path, case, "last_period")[3]
    low = ahead.seasons[-1]
    assert (low.tier, set(low.values)) == ("low", {0.0})
    assert ahead.tiers[-1].clv == 0


def test_it_is_the_same_again(small: Found) -> None:
    scenario, customers, learned, ahead = small
    assert look_ahead(scenario, customers, learned).tiers == ahead.tiers  # type: ignore[union-attr]


def test_without_orders_there_is_none(small: Found) -> None:
    assert look_ahead(small[0], Customers(), small[2]) is None
