"""Laws every estimator of effects and the shrinkage of its answer obey; every estimator has a case here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import allocator.models.uplift as package
from allocator.models.uplift import MODELS
from allocator.models.uplift.adjusted_means import AdjustedMeans, Effects
from allocator.models.uplift.shrinkage import ShrunkEffects, shrink
from allocator.response.experiment import Uncertainty, draw_effects

CASES: dict[str, list[AdjustedMeans]] = {
    "adjusted_means": [AdjustedMeans(), AdjustedMeans(covariates=False)],
}


def a_test(n: int, *, clustered: bool) -> pd.DataFrame:
    rng = np.random.default_rng(n)
    home = rng.integers(0, n // 2, n)
    arm = (
        np.array(["control", "email", "phone"])[home % 3]
        if clustered
        else rng.choice(["control", "email", "phone"], n)
    )
    age = rng.normal(40, 10, n)
    y = 5 + 0.2 * age + 2.0 * (arm == "email") + rng.normal(0, 3, n) + rng.normal(0, 2, n // 2)[home]
    return pd.DataFrame(
        {
            "y": y,
            "arm": arm,
            "tier": rng.choice(["high", "low"], n),
            "age": np.where(rng.random(n) < 0.05, np.nan, age),
            "area": rng.choice(["city", "land"], n),
            "home": home,
        }
    )


SAMPLES = {
    f"{n} rows{' in homes' if clustered else ''}": (a_test(n, clustered=clustered), clustered)
    for n in (90, 300, 1500)
    for clustered in (False, True)
}
ESTIMATORS = {name for name, model in MODELS.items() if hasattr(model, "estimate")}
models = pytest.mark.parametrize("model", [one for each in CASES.values() for one in each], ids=repr)
samples = pytest.mark.parametrize("sample", SAMPLES)
Change = Callable[[pd.DataFrame], pd.DataFrame]


def estimate(model: AdjustedMeans, sample: str, change: Change = lambda frame: frame) -> Effects:
    frame, clustered = SAMPLES[sample]
    changed = change(frame.copy())
    return model.estimate(
        changed["y"],
        changed["arm"],
        changed["tier"],
        changed[["age", "area"]],
        cluster=changed["home"] if clustered else None,
    )


def same(one: Effects, other: Effects, factor: float = 1.0) -> None:
    assert (one.tier, one.channel) == (other.tier, other.channel)
    scale = float(np.abs(one.standard_error).max())
    for name, power in (("raw", 1), ("estimate", 1), ("covariance", 2)):
        wanted = factor**power * getattr(one, name)
        near = 1e-7 * scale**power * abs(factor) ** power
        assert getattr(other, name) == pytest.approx(wanted, rel=1e-7, abs=near)


def test_every_estimator_has_a_case() -> None:
    assert set(CASES) == ESTIMATORS
    for name, cases in CASES.items():
        assert {type(case) for case in cases} == {MODELS[name]}
        assert {case.name for case in cases} == {name}


def test_every_file_with_an_estimator_is_in_the_table_of_contents() -> None:
    folder = Path(str(package.__file__)).parent
    with_one = {
        path.stem for path in folder.glob("*.py") if "def estimate(" in path.read_text(encoding="utf-8")
    }
    assert with_one == ESTIMATORS


@samples
@models
def test_the_order_of_rows_says_nothing(model: AdjustedMeans, sample: str) -> None:
    same(estimate(model, sample), estimate(model, sample, lambda frame: frame.sample(frac=1, random_state=1)))


@samples
@models
def test_another_currency_changes_the_unit_only(model: AdjustedMeans, sample: str) -> None:
    same(estimate(model, sample), estimate(model, sample, lambda f: f.assign(y=-7.5 * f["y"])), factor=-7.5)


@samples
@models
def test_what_everyone_gets_anyway_is_no_effect(model: AdjustedMeans, sample: str) -> None:
    same(estimate(model, sample), estimate(model, sample, lambda f: f.assign(y=f["y"] + 1000)))


@samples
@models
def test_units_of_covariates_say_nothing(model: AdjustedMeans, sample: str) -> None:
    same(estimate(model, sample), estimate(model, sample, lambda f: f.assign(age=12 * f["age"] - 500)))


@samples
@models
def test_an_effect_added_to_an_arm_is_found_whole(model: AdjustedMeans, sample: str) -> None:
    before = estimate(model, sample)
    after = estimate(model, sample, lambda f: f.assign(y=f["y"] + 3.0 * (f["arm"] == "phone")))
    added = 3.0 * (np.array(before.channel) == "phone")
    assert after.estimate == pytest.approx(before.estimate + added)
    assert after.covariance == pytest.approx(before.covariance)


@samples
@models
def test_names_say_nothing(model: AdjustedMeans, sample: str) -> None:
    swapped = {"email": "phone", "phone": "email", "control": "control"}
    before = estimate(model, sample)
    after = estimate(model, sample, lambda f: f.assign(arm=f["arm"].map(swapped)))
    for row, (tier, channel) in enumerate(zip(before.tier, before.channel, strict=True)):
        assert after.estimate[after.row(tier, swapped[channel])] == pytest.approx(before.estimate[row])


@samples
@models
def test_a_covariance_is_one(model: AdjustedMeans, sample: str) -> None:
    covariance = estimate(model, sample).covariance
    assert np.array_equal(covariance, covariance.T)
    assert np.linalg.eigvalsh(covariance).min() > 0


@models
def test_the_same_rows_give_the_same_bits(model: AdjustedMeans) -> None:
    one, other = estimate(model, "300 rows"), estimate(model, "300 rows")
    assert one.estimate.tobytes() == other.estimate.tobytes()
    assert shrink(one).mean.tobytes() == shrink(other).mean.tobytes()


def shrunk(sample: str, change: Change = lambda frame: frame) -> tuple[Effects, ShrunkEffects]:
    effects = estimate(AdjustedMeans(), sample, change)
    return effects, shrink(effects)


@samples
def test_shrinking_scales_with_the_unit(sample: str) -> None:
    _, one = shrunk(sample)
    _, other = shrunk(sample, lambda f: f.assign(y=-7.5 * f["y"]))
    assert other.mean == pytest.approx(-7.5 * one.mean, rel=1e-6)
    assert other.standard_error == pytest.approx(7.5 * one.standard_error, rel=1e-6)
    assert other.is_noise == one.is_noise


@samples
def test_shrinking_never_widens_or_invents(sample: str) -> None:
    effects, found = shrunk(sample)
    assert (found.tier, found.channel) == (effects.tier, effects.channel)
    assert np.linalg.norm(found.mean) <= np.linalg.norm(effects.estimate)
    assert all(0 <= factor <= 1 for factor in [*found.factor.values(), *found.mean_factor.values()])
    assert np.linalg.eigvalsh(found.covariance).min() > 0


def reordered(effects: Effects, order: list[int], names: dict[str, str]) -> Effects:
    """The same effects in other rows and with other names of channels."""
    return Effects(
        tuple(effects.tier[i] for i in order),
        tuple(names.get(effects.channel[i], effects.channel[i]) for i in order),
        effects.n_treated[order],
        effects.n_control[order],
        effects.raw[order],
        effects.estimate[order],
        effects.covariance[np.ix_(order, order)],
        scale=None if effects.scale is None else effects.scale[order],
    )


orders = pytest.mark.parametrize("order", [[0, 1, 2, 3], [2, 0, 3, 1], [3, 2, 1, 0]], ids=str)
renamings = pytest.mark.parametrize(
    "names", [{}, {"email": "zmail"}, {"email": "phone", "phone": "a"}], ids=str
)


@samples
@orders
@renamings
def test_order_and_names_of_effects_say_nothing(sample: str, order: list[int], names: dict[str, str]) -> None:
    effects, found = shrunk(sample)
    moved = shrink(reordered(effects, order, names))
    assert moved.mean == pytest.approx(found.mean[order], rel=1e-9)
    assert moved.standard_error == pytest.approx(found.standard_error[order], rel=1e-9)
    for name in ("email", "phone"):
        renamed = names.get(name, name)
        assert moved.factor[renamed] == pytest.approx(found.factor[name], rel=1e-9)
        assert moved.tau[renamed] == pytest.approx(found.tau[name], rel=1e-9)


@samples
@orders
@renamings
def test_order_and_names_of_effects_leave_the_draws_alone(
    sample: str, order: list[int], names: dict[str, str]
) -> None:
    effects, found = shrunk(sample)
    moved = shrink(reordered(effects, order, names))
    for n in (2, 50):
        drawn, again = (draw_effects(one, Uncertainty(n, np.random.default_rng(3))) for one in (found, moved))
        assert again == pytest.approx(drawn[:, order], rel=1e-6, abs=1e-9)


@samples
def test_the_unit_of_the_scale_says_nothing(sample: str) -> None:
    effects, found = shrunk(sample)
    assert effects.scale is not None
    assert shrink(replace(effects, scale=40 * effects.scale)).mean == pytest.approx(found.mean, rel=1e-9)
    alike = shrink(replace(effects, scale=np.full(4, 7.0)))
    assert shrink(replace(effects, scale=None)).mean == pytest.approx(alike.mean, rel=1e-9)
