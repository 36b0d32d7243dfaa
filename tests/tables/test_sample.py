"""The simulated retailer: its truth is what it says, and its tables are not from our own models."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.response.table import from_frame
from allocator.tables.sample import (
    ARMS,
    CONTACT_COST,
    MEDIA,
    POPULATION,
    SEED,
    World,
    simulate,
    true_curves,
    write_sample,
)

MARGIN = 0.35
TEST_DAY = pd.Timestamp("2026-09-01")
WINDOW_END = pd.Timestamp("2026-09-29")


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(SEED)


@pytest.fixture(scope="module")
def large() -> World:
    """Enough customers for means to show the truth."""
    return simulate(SEED, n_customers=200_000)


def content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def tiers_by_past(contacts: pd.DataFrame) -> pd.Series:
    """A plain score from before the contact: last year's spend, fading with the time since the last order."""
    score = contacts["spend_12m"] * np.exp(-contacts["recency_weeks"] / 20)
    rank = score.rank(ascending=False, method="first", pct=True)
    return pd.Series(np.select([rank <= 0.2, rank <= 0.5], ["high", "medium"], "low"), contacts.index)


class TestFiles:
    def test_what_is_shipped_is_what_is_simulated(
        self, world: World, tmp_path: Path, project_root: Path
    ) -> None:
        written = write_sample(tmp_path / "data", world)
        shipped = project_root / "scenarios" / "data"
        stated = {"contract_curves.csv"}  # curves somebody negotiated: nothing to simulate
        assert {path.name for path in written} | stated == {path.name for path in shipped.iterdir()}
        for path in written:
            assert content(path) == content(shipped / path.name), path.name

    def test_the_shipped_files_stay_small(self, project_root: Path) -> None:
        assert sum(f.stat().st_size for f in (project_root / "scenarios" / "data").iterdir()) < 3e6

    def test_writing_twice_gives_the_same_bytes(self, tmp_path: Path) -> None:
        once = write_sample(tmp_path / "once", simulate(3, n_customers=300))
        again = write_sample(tmp_path / "again", simulate(3, n_customers=300))
        assert [p.read_bytes() for p in once] == [p.read_bytes() for p in again]

    def test_another_seed_is_another_world(self) -> None:
        assert not simulate(3, n_customers=300).orders.equals(simulate(4, n_customers=300).orders)


class TestTables:
    def test_orders_cover_two_years_and_every_customer(self, world: World) -> None:
        assert world.orders["ordered_on"].min() >= pd.Timestamp("2024-11-01")
        assert world.orders["ordered_on"].max() == pd.Timestamp("2026-10-31")
        assert set(world.orders["customer_id"]) == set(world.customers["customer_id"])
        assert world.customers["customer_id"].is_unique
        assert world.orders["amount"].gt(0).all()

    def test_the_business_is_of_a_believable_size(self, world: World) -> None:
        assert 50 < world.orders["amount"].mean() < 80
        scale = POPULATION / len(world.customers)
        last_year = world.orders.loc[world.orders["ordered_on"] > "2025-10-31", "amount"].sum() * scale
        panel = world.spend_history.tail(52)["revenue"].sum()
        assert 40e6 < last_year < 80e6
        assert panel == pytest.approx(last_year, rel=0.1)

    def test_some_ages_are_missing(self, world: World) -> None:
        assert 0.03 < world.customers["age"].isna().mean() < 0.1

    def test_outcomes_of_the_test_are_in_the_orders(self, world: World) -> None:
        inside = world.orders[world.orders["ordered_on"].between(TEST_DAY, WINDOW_END, inclusive="left")]
        revenue = inside.groupby("customer_id")["amount"].sum()
        contacts = world.contacts.set_index("customer_id")
        counted = revenue.reindex(contacts.index, fill_value=0.0)
        np.testing.assert_allclose(contacts["revenue"], counted, atol=0.005)
        np.testing.assert_array_equal(contacts["converted"], (counted > 0).astype(int))

    def test_covariates_are_from_before_the_contact(self, world: World) -> None:
        past = world.orders[world.orders["ordered_on"] < TEST_DAY]
        last = past.groupby("customer_id")["ordered_on"].max()
        contacts = world.contacts.set_index("customer_id")
        assert set(contacts.index) == set(last.index)
        weeks = (TEST_DAY - last.reindex(contacts.index)).dt.days // 7
        np.testing.assert_array_equal(contacts["recency_weeks"], weeks)
        year = past[past["ordered_on"] >= TEST_DAY - pd.Timedelta(days=365)].groupby("customer_id")["amount"]
        spend = year.sum().reindex(contacts.index, fill_value=0.0)
        np.testing.assert_allclose(contacts["spend_12m"], spend, atol=0.005)

    def test_arms_are_dealt_by_lot(self, world: World) -> None:
        contacts = world.contacts
        shares = contacts["arm"].value_counts(normalize=True)
        assert shares["control"] == pytest.approx(0.25, abs=1e-3)
        control = contacts[contacts["arm"] == "control"]
        for arm in ARMS:
            treated = contacts[contacts["arm"] == arm.name]
            for column in ("recency_weeks", "orders_12m", "spend_12m"):
                difference = treated[column].mean() - control[column].mean()
                error = np.hypot(treated[column].sem(), control[column].sem())
                assert abs(difference) < 3.5 * error, (arm.name, column)


class TestTruth:
    def test_differences_of_means_find_the_true_effects(self, large: World) -> None:
        contacts = large.contacts.set_index("customer_id")
        effects = large.truth.effects_tested.loc[contacts.index]
        tier = tiers_by_past(contacts)
        misses = []
        for level in ("high", "medium", "low"):
            inside = contacts[tier == level]
            control = inside.loc[inside["arm"] == "control", "revenue"]
            for arm in ARMS:
                treated = inside.loc[inside["arm"] == arm.name, "revenue"]
                estimate = treated.mean() - control.mean()
                truth = effects.loc[treated.index, arm.name].mean()
                misses.append((estimate - truth) / np.hypot(treated.sem(), control.sem()))
        assert np.abs(misses).max() < 3.5
        assert np.mean(np.square(misses)) < 2.5

    def test_contacts_are_a_mix_of_profitable_marginal_and_hopeless(self, large: World) -> None:
        contacts = large.contacts.set_index("customer_id")
        effects = MARGIN * large.truth.effects_tested.loc[contacts.index]
        per_euro = effects.groupby(tiers_by_past(contacts)).mean() / pd.Series(CONTACT_COST)
        assert (per_euro.loc["high", ["email", "direct_mail", "phone"]] > [5, 2, 1.5]).all()
        assert (per_euro.loc["medium", ["email", "phone"]] > [3, 0]).all()
        assert 1.2 < per_euro.loc["medium", "direct_mail"] < 2.0
        assert per_euro.loc["medium", "phone"] < 0.5
        assert (per_euro.loc["low"] < [0.8, 0.6, 0.1]).all()

    def test_effects_differ_within_a_tier(self, world: World) -> None:
        contacts = world.contacts.set_index("customer_id")
        effects = world.truth.effects_tested.loc[contacts.index]
        high = effects[tiers_by_past(contacts) == "high"]
        assert (high.std() / high.mean() > 0.3).all()

    def test_expected_revenue_is_what_comes(self, large: World) -> None:
        expected = large.truth.expected_revenue
        came = (
            large.truth.future.groupby("customer_id")["amount"].sum().reindex(expected.index, fill_value=0.0)
        )
        assert came.sum() == pytest.approx(expected.sum(), rel=0.02)
        groups = pd.qcut(expected.rank(method="first"), 20, labels=False)
        top = groups >= 14
        ratio = came[top].groupby(groups[top]).sum() / expected[top].groupby(groups[top]).sum()
        assert ratio.between(0.85, 1.15).all()

    def test_nothing_brings_more_than_one_order(self, world: World) -> None:
        shoppers = world.truth.shoppers
        likely = world.truth.effects_now.to_numpy() / shoppers.basket(730)[:, None]
        assert likely.min() >= 0
        assert likely.max() <= 0.9 + 1e-9


class TestProcess:
    def test_december_is_busy(self, world: World) -> None:
        by_month = world.orders.groupby(world.orders["ordered_on"].dt.to_period("M"))["amount"].sum()
        assert by_month["2025-12"] > 1.5 * by_month["2026-02"]

    def test_customers_leave(self, world: World) -> None:
        """Few of those who ordered in the first half year order in the last one, and a fifth only once."""
        early = world.orders[world.orders["ordered_on"] < "2025-05-01"]["customer_id"].unique()
        late = world.orders[world.orders["ordered_on"] >= "2026-05-01"]["customer_id"]
        assert 0.15 < np.isin(early, late.unique()).mean() < 0.5
        counts = world.orders.groupby("customer_id").size()
        assert 0.2 < (counts == 1).mean() < 0.5

    def test_rhythm_is_more_regular_than_poisson(self, world: World) -> None:
        """The gaps of a Poisson buyer vary as much as their mean; here many buyers keep a rhythm."""
        orders = world.orders.sort_values(["customer_id", "ordered_on"])
        gaps = orders.groupby("customer_id")["ordered_on"].diff().dt.days.dropna()
        of = gaps.groupby(orders["customer_id"])
        variation = (of.std() / of.mean())[of.size() >= 12]
        assert len(variation) > 500
        assert variation.median() < 0.85
        assert variation.quantile(0.9) > 0.95

    def test_customers_differ_in_pace_and_basket(self, world: World) -> None:
        shoppers = world.truth.shoppers
        assert np.std(np.log(shoppers.gap)) > 0.6
        assert np.std(shoppers.log_basket) > 0.35
        assert np.corrcoef(np.log(shoppers.gap), shoppers.log_basket)[0, 1] < -0.2

    def test_top_customers_bring_most(self, world: World) -> None:
        value = world.orders.groupby("customer_id")["amount"].sum().sort_values(ascending=False)
        assert 0.5 < value.head(len(value) // 5).sum() / value.sum() < 0.8


class TestMedia:
    def test_steady_spend_brings_its_steady_revenue(self) -> None:
        for medium in MEDIA:
            weekly = medium.revenue(np.full(13, 130_000 / 13))
            assert weekly.sum() == pytest.approx(medium.steady_revenue(130_000))

    def test_pressure_carries_over_and_saturates(self) -> None:
        (tv,) = [medium for medium in MEDIA if medium.name == "tv"]
        burst = tv.revenue(np.array([10_000.0, 0.0, 0.0, 0.0]))
        assert (np.diff(burst) < 0).all()
        assert burst[3] > 0
        assert tv.steady_revenue(200_000) < 2 * tv.steady_revenue(100_000)

    def test_panel_is_whole_weeks_in_order(self, world: World) -> None:
        panel = world.spend_history
        assert len(panel) == 104
        assert (panel["week"].diff().dropna() == pd.Timedelta(days=7)).all()
        assert panel["week"].dt.day_of_week.eq(0).all()
        assert (panel.drop(columns=["week", "promotion"]) >= 0).all().all()


class TestTrueCurves:
    def test_they_are_curves_the_plan_can_take(self, world: World) -> None:
        tier = tiers_by_past(world.contacts.set_index("customer_id"))
        curves = from_frame(true_curves(world, tier))
        assert {response.channel for response in curves} == {*CONTACT_COST, *(m.name for m in MEDIA)}

    def test_a_tier_earns_its_customers_effects(self, world: World) -> None:
        tier = tiers_by_past(world.contacts.set_index("customer_id"))
        row = true_curves(world, tier).query("tier == 'high' and channel == 'phone'").iloc[0]
        high = tier.index[tier == "high"]
        scale = POPULATION / len(tier)
        assert row["population"] == pytest.approx(len(high) * scale)
        assert row["spend"] == pytest.approx(CONTACT_COST["phone"] * len(high) * scale)
        assert row["revenue"] == pytest.approx(world.truth.effects_now.loc[high, "phone"].sum() * scale)
        assert row["value"] == pytest.approx(MARGIN * row["revenue"])
