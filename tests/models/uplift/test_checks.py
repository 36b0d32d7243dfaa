from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allocator.errors import DataError
from allocator.models.uplift.checks import Arms, check_experiment, standardised_differences


def arms(counts: dict[str, int], tier: Any = None, **more: Any) -> Arms:
    arm = np.repeat(list(counts), list(counts.values()))
    channels = [name for name in counts if name != "control"]
    tiers = np.full(len(arm), "all") if tier is None else np.asarray(tier)
    return Arms(arm, tiers, **{"channels": channels, "tiers": sorted(set(tiers)), **more})


def codes(given: Arms, covariates: pd.DataFrame | None = None) -> list[str]:
    return [finding.code for finding in check_experiment(given, covariates)]


def test_an_even_split_is_fine() -> None:
    assert codes(arms({"control": 21_306, "mens": 21_307, "womens": 21_387})) == []


def test_nearly_even_arms_that_chance_would_not_make_are_told() -> None:
    (told,) = check_experiment(arms({"control": 50_000, "email": 51_200}))
    assert (told.code, told.severity) == ("W401", "warning")
    assert "control 50,000, email 51,200" in told.what


@pytest.mark.parametrize(("control", "expected"), [(55_556, []), (54_000, ["W401"])])
def test_sizes_are_held_against_the_planned_shares(control: int, expected: list[str]) -> None:
    shares = {"control": 5 / 9, "email": 4 / 9}
    assert codes(arms({"control": control, "email": 44_444}, shares=shares)) == expected


def test_uneven_arms_without_a_plan_are_said_not_to_be_checked() -> None:
    (told,) = check_experiment(arms({"control": 191_243, "email": 38_218}))
    assert (told.code, told.severity) == ("W401", "warning")
    assert "not checked: control 191,243, email 38,218" in told.what
    assert codes(arms({"control": 5000, "email": 1000}, shares={"control": 5, "email": 1})) == []


def chosen_by_age(seed: int, *, stated: bool) -> tuple[Arms, pd.DataFrame]:
    """Older customers of either tier are more likely mailed."""
    rng = np.random.default_rng(seed)
    age = rng.normal(40, 10, 6000)
    chance = 1 / (1 + np.exp(-(age - 45) / 10))
    mailed = rng.random(6000) < chance
    given = Arms(
        np.where(mailed, "email", "control"),
        np.where(age > 50, "old", "young"),
        channels=["email"],
        tiers=["old", "young"],
        propensity=np.where(mailed, chance, 1 - chance) if stated else None,
    )
    return given, pd.DataFrame({"age": age})


def test_a_known_propensity_explains_sizes_and_balance() -> None:
    assert codes(*chosen_by_age(1, stated=False)) == ["W401", "W401", "W402"]
    told = [codes(*chosen_by_age(seed, stated=True)) for seed in range(20)]
    assert sum(map(len, told)) <= 1


def test_a_propensity_that_does_not_explain_the_choice_is_told() -> None:
    given, covariates = chosen_by_age(1, stated=True)
    wrong = replace(given, propensity=np.full(6000, 0.5))
    (told,) = check_experiment(wrong, covariates)
    assert told.code == "W402"
    assert "weighted by the propensity" in told.what


def test_equal_propensities_are_none_for_the_balance() -> None:
    given, covariates = chosen_by_age(2, stated=False)
    (plain,) = standardised_differences(given, covariates)
    (weighted,) = standardised_differences(replace(given, propensity=np.full(6000, 0.4)), covariates)
    assert weighted.difference == pytest.approx(plain.difference)
    assert weighted.z == pytest.approx(plain.z)


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(DataError, match="E315"):
        codes(arms({"control": 5, "email": 5}, propensity=[0.0] * 10), pd.DataFrame({"x": range(10)}))


def test_arms_mixed_differently_over_tiers_are_told() -> None:
    tier = ["high"] * 400 + ["low"] * 600 + ["high"] * 600 + ["low"] * 400
    (told,) = check_experiment(arms({"control": 1000, "email": 1000}, tier))
    assert told.code == "W401"
    assert "tiers" in told.what


def test_clusters_count_once() -> None:
    """1,000 homes of 60 look like a broken split of 60,000 customers, but are chance among homes."""
    given = {"control": 490 * 60, "email": 510 * 60}
    homes = np.repeat(np.arange(1000), 60)
    assert codes(arms(given)) == ["W401"]
    assert codes(arms(given, cluster=homes)) == []


def test_missing_arms_are_named_with_those_that_are_there() -> None:
    findings = check_experiment(arms({"control": 5, "email": 5}, channels=["email", "phone", "letter"]))
    assert [(one.code, one.severity) for one in findings] == [("E307", "error")] * 2
    assert "'phone'" in findings[0].what
    assert "control, email" in findings[0].fix


def test_an_arm_that_misses_a_tier_is_named() -> None:
    tier = ["high"] * 5 + ["low"] * 5 + ["low"] * 9 + ["high"]
    (told,) = check_experiment(arms({"control": 10, "email": 10}, tier))
    assert told.code == "E307"
    assert "'email'" in told.what
    assert "'high'" in told.what


def test_rows_of_arms_the_plan_does_not_use_do_not_matter() -> None:
    assert codes(arms({"control": 1000, "email": 1010, "old": 70}, channels=["email"])) == []


def test_balanced_covariates_are_fine_and_shifted_ones_are_told() -> None:
    rng = np.random.default_rng(1)
    given = arms({"control": 2000, "email": 2000, "phone": 2000})
    age = rng.normal(40, 10, 6000)
    area = rng.choice(["city", "land"], 6000)
    assert codes(given, pd.DataFrame({"age": age, "area": area})) == []
    moved = age + 3 * (np.asarray(given.arm) == "phone")
    (told,) = check_experiment(given, pd.DataFrame({"age": moved, "area": area}))
    assert told.code == "W402"
    assert "phone" in told.what
    assert "age (+0.3" in told.what


def test_chance_differences_of_small_arms_are_not_told() -> None:
    rng = np.random.default_rng(2)
    given = arms({"control": 40, "email": 40})
    told = [codes(given, pd.DataFrame(rng.normal(size=(80, 5)))) for _ in range(60)]
    assert sum(map(len, told)) <= 1


def test_the_difference_is_in_standard_deviations() -> None:
    given = arms({"control": 3, "email": 3})
    (one,) = standardised_differences(given, pd.DataFrame({"x": [1.0, 2.0, 3.0, 2.0, 3.0, 4.0]}))
    assert (one.covariate, one.arm) == ("x", "email")
    assert one.difference == pytest.approx(1 / np.std([1, 2, 3]))
    assert one.z == pytest.approx(one.difference / np.sqrt(2 / 3))


def test_a_covariate_that_is_the_arm_stands_out() -> None:
    given = arms({"control": 50, "email": 50})
    assert codes(given, pd.DataFrame({"called": [0.0] * 50 + [1.0] * 50})) == ["W402"]


def test_the_public_email_test_passes(shared_data: Path) -> None:
    mails = pd.read_parquet(shared_data / "minethatdata_email.parquet")
    given = Arms(
        mails["segment"],
        mails["history_segment"],
        channels=["Mens E-Mail", "Womens E-Mail"],
        tiers=sorted(mails["history_segment"].unique()),
        control="No E-Mail",
    )
    assert check_experiment(given, mails[["recency", "history", "mens", "womens", "zip_code"]]) == ()
