"""What public experiments let be concluded, and what not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.models.uplift.adjusted_means import AdjustedMeans
from allocator.models.uplift.checks import Arms, check_experiment
from allocator.models.uplift.overlap import check_overlap
from allocator.models.uplift.propensity import estimated_propensity
from allocator.models.uplift.suspects import check_leakage, check_repeated

TURNOUT = {"Control": 29.66, "Civic Duty": 31.45, "Hawthorne": 32.24, "Self": 34.52, "Neighbors": 37.79}


def test_the_letters_to_voters_have_the_published_effects_and_errors_of_households(shared_data: Path) -> None:
    names = ["treatment", "voted", "hh_id"]
    log = pd.read_parquet(shared_data / "voter_mailing_experiment.parquet", columns=names)
    arm = log["treatment"].astype(str).to_numpy()
    rows = (log["voted"], arm, np.full(len(log), "all"))
    plain = AdjustedMeans(covariates=False)
    alone = plain.estimate(*rows, control="Control")
    together = plain.estimate(*rows, control="Control", cluster=log["hh_id"])
    for row, channel in enumerate(together.channel):
        published = TURNOUT[channel] - TURNOUT["Control"]
        assert 100 * together.estimate[row] == pytest.approx(published, abs=0.011)
    assert together.errors == "clustered"
    ratio = together.standard_error / alone.standard_error
    # households vote alike: with 1.9 voters each, errors are a quarter larger
    assert np.all((ratio > 1.2) & (ratio < 1.3))


def promotions(folder: Path) -> pd.DataFrame:
    sales = pd.read_csv(folder / "fast_food_promotions.csv.gz")
    return sales.assign(promotion=sales["Promotion"].astype(str))


def test_promotions_in_137_shops_are_known_only_roughly(shared_data: Path) -> None:
    sales = promotions(shared_data)
    effects = AdjustedMeans(covariates=False).estimate(
        sales["SalesInThousands"],
        sales["promotion"],
        np.full(len(sales), "all"),
        control="1",
        cluster=sales["LocationID"],
    )
    np.testing.assert_allclose(effects.estimate, [47.33 - 58.10, 55.36 - 58.10], atol=0.01)
    half = 1.96 * effects.standard_error
    # a shop sells about 53 a week: the half-width is an eighth of it, twice what rows taken singly say
    assert np.all((half > 5.5) & (half < 8.0))
    singly = AdjustedMeans(covariates=False).estimate(
        sales["SalesInThousands"], sales["promotion"], np.full(len(sales), "all"), control="1"
    )
    assert np.all(effects.standard_error > 1.6 * singly.standard_error)
    worse, level = effects.row("all", "2"), effects.row("all", "3")
    assert effects.estimate[worse] + half[worse] < 0
    assert abs(effects.estimate[level]) < half[level]


def test_without_a_promotion_nothing_says_what_a_promotion_brings(shared_data: Path) -> None:
    sales = promotions(shared_data)
    tiers = np.full(len(sales), "all")
    told = check_experiment(Arms(sales["promotion"], tiers, channels=["1", "2", "3"], tiers=["all"]))
    assert [(finding.code, finding.severity) for finding in told] == [("E307", "error")]
    assert "'control' has no rows" in told[0].what


def test_members_of_the_rewards_app_got_one_offer_after_the_other(shared_data: Path) -> None:
    received = pd.read_parquet(shared_data / "starbucks_offers_sim_received.parquet")
    (told,) = check_repeated(received["person"], received["offer"], received["received_h"])
    assert told.code == "W421"
    persons = received.groupby("person").size()
    assert f"{int((persons > 1).sum()):,} of {len(persons):,} customers" in told.what


def test_what_members_did_with_offers_is_no_covariate_of_them(shared_data: Path) -> None:
    people = pd.read_parquet(shared_data / "starbucks_offers_sim_people.parquet").head(6000)
    spent = people["spend_completing_offer_usd"].to_numpy(dtype=float)
    known = people[["age", "income", "rewards_usd", "n_offers_received"]]
    told = check_leakage(known, spent, np.zeros(len(people), dtype=int), [])
    assert [finding.what.split("'")[1] for finding in told] == ["rewards_usd"]


@pytest.fixture(scope="module")
def households(shared_data: Path) -> pd.DataFrame:
    """What households bought before the largest campaign, and whether it reached them."""
    sold = pd.read_parquet(
        shared_data / "completejourney_transactions_sample.parquet",
        columns=["household_id", "week", "sales_value", "basket_id"],
    )
    reached = pd.read_csv(shared_data / "completejourney_campaign_households.csv.gz")
    campaigns = pd.read_csv(shared_data / "completejourney_campaigns.csv.gz")
    largest = campaigns.sort_values("n_households").iloc[-1]
    start = (pd.to_datetime(largest["start_date"]) - pd.Timestamp("2017-01-01")).days // 7 + 1
    before, after = sold[sold["week"] < start], sold[sold["week"] >= start]
    table = before.groupby("household_id").agg(spend=("sales_value", "sum"), baskets=("basket_id", "nunique"))
    table["later"] = after.groupby("household_id")["sales_value"].sum().reindex(table.index).fillna(0.0)
    chosen = reached.loc[reached["campaign_id"] == largest["campaign_id"], "household_id"]
    return table.assign(arm=np.where(table.index.isin(chosen), "coupons", "control"))


def test_households_with_coupons_had_spent_more_before_them(households: pd.DataFrame) -> None:
    arms = Arms(households["arm"], np.full(len(households), "all"), channels=["coupons"], tiers=["all"])
    told = {finding.code: finding for finding in check_experiment(arms, households[["spend", "baskets"]])}
    assert "spend" in told["W402"].what
    assert "baskets" in told["W402"].what


def test_coupons_did_not_go_to_all_kinds_of_households(households: pd.DataFrame) -> None:
    arm = (households["arm"] == "coupons").to_numpy().astype(int)
    known = np.log1p(households[["spend", "baskets"]].to_numpy())
    chance = estimated_propensity(arm, known, 2, np.arange(len(arm)) % 5)
    told = check_overlap(chance, arm, ["coupons"])
    assert {finding.code for finding in told} == {"W419"}
    assert any("next to no chance (under 2%) to get coupons" in finding.what for finding in told)


def test_households_got_several_campaigns(shared_data: Path) -> None:
    reached = pd.read_csv(shared_data / "completejourney_campaign_households.csv.gz")
    (told,) = check_repeated(reached["household_id"], reached["campaign_id"])
    assert told.code == "W421"
    assert "of 1,559 customers" in told.what
