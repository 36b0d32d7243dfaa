from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from allocator.errors import DataError
from allocator.models.uplift.adjusted_means import AdjustedMeans, Effects

Z80 = 1.2815515655446004


def a_test(seed: int, n: int = 1200, effect: dict[str, float] | None = None) -> pd.DataFrame:
    """A randomised test whose outcome a covariate explains well, with other effects where it is high."""
    rng = np.random.default_rng(seed)
    x = rng.normal(5, 2, n)
    arm = rng.choice(["control", "email", "phone"], n, p=[0.5, 0.25, 0.25])
    effects = effect or {"control": 0.0, "email": 1.0, "phone": 3.0}
    lift = np.array([effects[one] for one in arm]) * (1 + 0.3 * (x - 5))
    outcome = 10 + 2 * x + lift + rng.normal(0, 1 + (arm == "phone"), n)
    tier = np.where(rng.random(n) < 0.4, "high", "low")
    area = rng.choice(["city", "land", "sea"], n)
    return pd.DataFrame({"y": outcome, "arm": arm, "tier": tier, "x": x, "area": area})


def estimate(frame: pd.DataFrame, *names: str, options: AdjustedMeans | None = None, **more: Any) -> Effects:
    covariates = frame[list(names)] if names else None
    return (options or AdjustedMeans()).estimate(frame["y"], frame["arm"], frame["tier"], covariates, **more)


def test_rows_are_tiers_and_channels_with_their_counts() -> None:
    frame = a_test(1)
    effects = estimate(frame)
    assert list(zip(effects.tier, effects.channel, strict=True)) == [
        ("high", "email"),
        ("high", "phone"),
        ("low", "email"),
        ("low", "phone"),
    ]
    counts = frame.groupby(["tier", "arm"]).size()
    assert effects.n_treated.tolist() == [
        counts[key] for key in zip(effects.tier, effects.channel, strict=True)
    ]
    assert effects.n_control.tolist() == [counts[tier, "control"] for tier in effects.tier]
    assert effects.row("low", "phone") == 3
    with pytest.raises(KeyError):
        effects.row("low", "letter")


def test_without_covariates_it_is_the_difference_of_means_with_welchs_error() -> None:
    frame = a_test(2)
    effects = estimate(frame)
    arms = {key: group["y"] for key, group in frame.groupby(["tier", "arm"])}
    for row, (tier, channel) in enumerate(zip(effects.tier, effects.channel, strict=True)):
        treated, control = arms[tier, channel], arms[tier, "control"]
        assert effects.raw[row] == pytest.approx(treated.mean() - control.mean())
        assert effects.estimate[row] == pytest.approx(effects.raw[row])
        welch = np.sqrt(treated.var() / len(treated) + control.var() / len(control))
        assert effects.standard_error[row] == pytest.approx(welch)


def test_the_scale_of_a_tier_is_the_spread_of_its_control_arm() -> None:
    frame = a_test(2)
    effects = estimate(frame, "x")
    spread = frame[frame["arm"] == "control"].groupby("tier")["y"].std(ddof=0)
    assert effects.scale == pytest.approx([spread[tier] for tier in effects.tier])


def test_channels_share_control_and_tiers_share_nobody() -> None:
    frame = a_test(3)
    effects = estimate(frame)
    control = frame.query("tier == 'high' and arm == 'control'")["y"]
    assert effects.covariance[0, 1] == pytest.approx(control.var() / len(control))
    assert np.all(effects.covariance[:2, 2:] == 0)


def test_adjustment_equals_one_regression_with_every_interaction() -> None:
    frame = a_test(4)
    effects = estimate(frame, "x", "area")
    part = frame[frame["tier"] == "high"]
    arms = pd.get_dummies(part["arm"], dtype=float)[["email", "phone"]]
    x = pd.get_dummies(part[["x", "area"]], dtype=float, drop_first=True)
    x -= x.mean()
    crossed = [arms[[arm]].to_numpy() * x.to_numpy() for arm in arms]
    columns = np.column_stack([np.ones(len(part)), arms, x, *crossed])
    fitted = sm.OLS(part["y"].to_numpy(), columns).fit()
    assert effects.estimate[:2] == pytest.approx(fitted.params[1:3], rel=1e-9)
    assert effects.covariance[:2, :2] == pytest.approx(fitted.cov_HC2[1:3, 1:3], rel=1e-9)


def test_covariates_narrow_the_errors_and_the_option_turns_them_off() -> None:
    frame = a_test(5)
    plain, adjusted = estimate(frame), estimate(frame, "x")
    assert np.all(adjusted.standard_error < 0.7 * plain.standard_error)
    assert adjusted.raw.tolist() == plain.raw.tolist()
    off = estimate(frame, "x", options=AdjustedMeans(covariates=False))
    assert off.estimate.tolist() == plain.estimate.tolist()


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    truth = np.array([1.0, 3.0])
    hits, ratio = [], []
    for seed in range(250):
        frame = a_test(seed, n=500).assign(tier="all")
        effects = estimate(frame, "x")
        at_sample = truth * (1 + 0.3 * (frame["x"].mean() - 5))
        miss = np.abs(effects.estimate - at_sample)
        hits.append(miss <= Z80 * effects.standard_error)
        ratio.append(miss / effects.standard_error)
    assert 0.75 <= np.mean(hits) <= 0.85
    assert np.mean(np.square(ratio)) == pytest.approx(1, abs=0.2)


def test_arms_too_small_for_own_slopes_share_them() -> None:
    frame = a_test(6, n=200).assign(tier="all")
    effects = estimate(frame, "x", "area")
    arms = pd.get_dummies(frame["arm"], dtype=float)
    x = pd.get_dummies(frame[["x", "area"]], dtype=float, drop_first=True)
    fitted = sm.OLS(frame["y"].to_numpy(), np.column_stack([arms, x - x.mean()])).fit()
    assert effects.estimate == pytest.approx(fitted.params[1:3] - fitted.params[0], rel=1e-9)
    contrast = np.array([[-1, 1, 0], [-1, 0, 1]])
    assert effects.covariance == pytest.approx(contrast @ fitted.cov_HC2[:3, :3] @ contrast.T, rel=1e-9)


def test_a_tier_too_small_for_any_slope_is_not_adjusted() -> None:
    effects = estimate(a_test(7, n=60).assign(tier="all"), "x", "area")
    assert effects.estimate == pytest.approx(effects.raw)


@pytest.mark.filterwarnings("error")
def test_columns_that_say_the_same_or_never_change_in_an_arm_do_no_harm() -> None:
    frame = a_test(8).assign(tier="all")
    plain = estimate(frame, "x")
    doubled = frame.assign(twice=2 * frame["x"] + 1, same=1.0)
    again = estimate(doubled, "x", "twice", "same")
    assert again.estimate == pytest.approx(plain.estimate, rel=1e-9)
    assert again.standard_error == pytest.approx(plain.standard_error, rel=1e-9)
    marked = frame.assign(only=(frame["arm"] == "control") & (frame["area"] == "sea"))
    assert np.all(np.abs(estimate(marked, "x", "only").estimate - plain.estimate) < 0.5)


def test_clusters_give_every_mean_its_clustered_error() -> None:
    rng = np.random.default_rng(9)
    shop = rng.integers(0, 150, 1500)
    arm = np.array(["control", "email", "phone"])[shop % 3]
    y = rng.normal(0, 1, 150)[shop] + rng.normal(0, 1, 1500) + (arm == "email")
    frame = pd.DataFrame({"y": y, "arm": arm, "tier": "all"})
    effects = estimate(frame, cluster=shop)
    control, email, phone = (
        sm.OLS(y[arm == one], np.ones((arm == one).sum()))
        .fit(cov_type="cluster", cov_kwds={"groups": shop[arm == one]})
        .cov_params()[0, 0]
        for one in ("control", "email", "phone")
    )
    expected = np.array([[control + email, control], [control, control + phone]])
    assert effects.errors == "clustered"
    assert effects.covariance == pytest.approx(expected, rel=1e-9)
    assert np.all(effects.standard_error > 2 * estimate(frame).standard_error)


def test_tiers_that_share_clusters_are_not_independent() -> None:
    rng = np.random.default_rng(10)
    home = np.repeat(np.arange(400), 2)
    arm = np.where(home % 2 == 0, "control", "email")
    y = np.repeat(rng.normal(0, 3, 400), 2) + rng.normal(0, 1, 800)
    frame = pd.DataFrame({"y": y, "arm": arm, "tier": ["high", "low"] * 400})
    effects = estimate(frame, cluster=home)
    share = effects.covariance[0, 1] / np.prod(effects.standard_error)
    assert share == pytest.approx(0.9, abs=0.05)


def test_propensities_undo_an_assignment_that_followed_the_outcome() -> None:
    rng = np.random.default_rng(11)
    rich = rng.random(20_000) < 0.5
    chance = np.where(rich, 0.8, 0.2)
    mailed = rng.random(20_000) < chance
    y = 10.0 * rich + 2.0 * mailed + rng.normal(0, 1, 20_000)
    frame = pd.DataFrame({"y": y, "arm": np.where(mailed, "email", "control"), "tier": "all"})
    effects = estimate(frame, propensity=np.where(mailed, chance, 1 - chance))
    assert effects.raw[0] == pytest.approx(2.0, abs=4 * effects.standard_error[0])
    assert estimate(frame).raw[0] > 7


def test_an_arm_without_spread_borrows_it_and_says_so() -> None:
    frame = pd.DataFrame(
        {
            "y": [0.0] * 40 + [0.0] * 19 + [50.0] + [0.0] * 40 + [0.0, 30.0] * 20,
            "arm": (["control"] * 40 + ["email"] * 20) + (["control"] * 40 + ["email"] * 40),
            "tier": ["high"] * 60 + ["low"] * 80,
        }
    )
    effects = estimate(frame)
    assert [one.code for one in effects.findings] == ["W404", "W404"]
    assert "control in tier 'high'" in effects.findings[0].what
    assert effects.standard_error[0] > frame["y"][40:60].std() / np.sqrt(20)
    assert effects.scale is not None
    assert effects.scale[0] > 0


def broken(**columns: Any) -> dict[str, Any]:
    good: dict[str, Any] = {"outcome": [1.0, 2.0, 3.0, 5.0], "arm": ["control", "control", "email", "email"]}
    return {**good, "tier": ["all"] * 4, **columns}


@pytest.mark.parametrize(
    ("columns", "code", "words"),
    [
        (broken(outcome=[1.0, np.nan, 3.0, 5.0]), "E315", "1 of 4"),
        (broken(outcome=[1.0, np.inf, 3.0, 5.0]), "E315", "1 of 4"),
        (broken(outcome=[1.0, 1.0, 1.0, 1.0]), "E315", "the same"),
        (broken(outcome=[1.0, 1.0, 2.0]), "E315", "number of rows"),
        (broken(outcome=[], arm=[], tier=[]), "E307", "no rows"),
        (broken(arm=["control"] * 4), "E307", "nothing is tested"),
        (broken(arm=["email"] * 4), "E307", "'control'"),
        (broken(arm=["control", "control", "control", "email"]), "E307", "only 1"),
        (broken(tier=["high", "low", "low", "low"]), "E307", "tier 'high'"),
        (broken(cluster=["a", "a", "b", "c"]), "E307", "clusters"),
        (broken(propensity=[0.5, 0.5, 0.0, 0.5]), "E315", "propensity"),
        (broken(propensity=[0.5, 0.5, 1.5, np.nan]), "E315", "2 customers"),
        (broken(covariates=pd.DataFrame({"x": [1.0, 2.0]})), "E315", "covariates"),
    ],
)
def test_what_cannot_be_estimated_is_refused(columns: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(DataError, match=code) as caught:
        AdjustedMeans().estimate(**columns)
    assert any(words in finding.what for finding in caught.value.findings)


def test_every_arm_that_is_too_small_is_named_at_once() -> None:
    with pytest.raises(DataError) as caught:
        AdjustedMeans().estimate([1.0, 2.0, 3.0], ["control", "email", "email"], ["a", "a", "b"])
    assert len(caught.value.findings) == 4


@pytest.fixture(scope="module")
def mails(shared_data: Path) -> pd.DataFrame:
    return pd.read_parquet(shared_data / "minethatdata_email.parquet")


def mailed(mails: pd.DataFrame, outcome: str, *covariates: str) -> Effects:
    return AdjustedMeans().estimate(
        mails[outcome],
        mails["segment"],
        ["all"] * len(mails),
        mails[list(covariates)] if covariates else None,
        control="No E-Mail",
    )


MEASURED = ["recency", "history", "mens", "womens", "zip_code", "newbie", "channel"]


@pytest.mark.parametrize(
    ("outcome", "mens", "womens", "errors"),
    [
        ("visit", 0.0766, 0.0452, [0.0034, 0.0032]),
        ("conversion", 0.0068, 0.0031, [0.0009, 0.0008]),
        ("spend", 0.770, 0.424, [0.145, 0.130]),
    ],
)
def test_the_public_email_test(
    mails: pd.DataFrame, outcome: str, mens: float, womens: float, errors: list[float]
) -> None:
    plain = mailed(mails, outcome)
    assert plain.channel == ("Mens E-Mail", "Womens E-Mail")
    assert (plain.n_treated.tolist(), plain.n_control.tolist()) == ([21_307, 21_387], [21_306, 21_306])
    assert plain.raw == pytest.approx([mens, womens], abs=6e-4 if outcome == "spend" else 6e-5)
    assert plain.standard_error == pytest.approx(errors, rel=0.05)
    adjusted = mailed(mails, outcome, *MEASURED)
    assert np.all(np.abs(adjusted.estimate - plain.raw) < 0.3 * plain.standard_error)
    assert np.all(adjusted.standard_error < 1.002 * plain.standard_error)


def test_the_public_mailing_test_needs_errors_by_household(shared_data: Path) -> None:
    people = pd.read_parquet(shared_data / "voter_mailing_experiment.parquet")
    columns = (people["voted"], people["treatment"], ["all"] * len(people))
    effects = AdjustedMeans().estimate(*columns, control="Control", cluster=people["hh_id"])
    turnout = dict(zip(effects.channel, effects.estimate, strict=True))
    published = {"Civic Duty": 0.3145, "Hawthorne": 0.3224, "Self": 0.3452, "Neighbors": 0.3779}
    assert turnout == pytest.approx({arm: rate - 0.2966 for arm, rate in published.items()}, abs=1e-4)
    order = ["Civic Duty", "Hawthorne", "Self", "Neighbors"]
    assert all(turnout[low] < turnout[high] for low, high in pairwise(order))
    naive = AdjustedMeans().estimate(*columns, control="Control")
    inflated = effects.standard_error / naive.standard_error
    assert np.all((inflated > 1.15) & (inflated < 1.4))
    arms = pd.get_dummies(people["treatment"], dtype=float)[list(effects.channel)]
    fitted = sm.OLS(people["voted"].to_numpy(dtype=float), sm.add_constant(arms.to_numpy())).fit(
        cov_type="cluster", cov_kwds={"groups": people["hh_id"].to_numpy()}
    )
    assert effects.covariance == pytest.approx(fitted.cov_params()[1:, 1:], rel=1e-4)
