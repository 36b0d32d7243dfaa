"""BG/NBD with attributes: recovery of known shifts, the apparel log, and attributes that cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.customers.summary import Patterns
from allocator.errors import DataError
from allocator.models.clv.bg_nbd import BgNbd, FittedBgNbd
from allocator.models.clv.covariates import CovariateBgNbd, FittedCovariateBgNbd
from tests.models.clv.made_up_customers import beta_geometric_history

NAMES = ("store", "score")
SHIFTED = ("alpha", "a", "b")
TRUTH = np.array([[0.7, -0.3], [0.0, 0.5], [0.4, 0.0]])  # alpha, a and b
SHAPES = (0.8, 10.0, 0.9, 3.0)


def customers(n: int, seed: int = 0) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    z = np.column_stack([rng.random(n) < 0.4, rng.integers(-2, 3, n)]).astype(float)
    r, alpha, a, b = SHAPES
    shifts = np.exp(z @ TRUTH.T)
    return beta_geometric_history(
        n, r, alpha / shifts[:, 0], a * shifts[:, 1], b * shifts[:, 2], seed=seed
    ), z


def test_known_shifts_are_recovered_within_their_errors() -> None:
    history, z = customers(12_000)
    fitted = CovariateBgNbd().fit(*history, z, NAMES)
    assert fitted.warnings == ()
    for effect, true in zip(fitted.effects, TRUTH.ravel(), strict=True):
        assert abs(effect.value - true) < 4 * effect.standard_error
        assert effect.standard_error < 0.2
    assert [(effect.covariate, effect.parameter) for effect in fitted.effects[:3]] == [
        ("store", "alpha"),
        ("score", "alpha"),
        ("store", "a"),
    ]
    base = fitted.baseline
    assert (base.r, base.alpha, base.a, base.b) == pytest.approx(SHAPES, rel=0.15)


def test_attributes_of_the_apparel_log_tell_customers_apart(shared_data: Path) -> None:
    days = pd.read_csv(shared_data / "apparel_transactions_sim.csv.gz", parse_dates=["date"])
    days = days.drop_duplicates(["customer_id", "date"])
    of_customer = days.groupby("customer_id")
    first, last = of_customer["date"].min(), of_customer["date"].max()
    x = (of_customer.size() - 1).to_numpy()
    t, age = (last - first).dt.days.to_numpy(), (days["date"].max() - first).dt.days.to_numpy()
    z = of_customer[["female", "offline_channel"]].first()
    without = BgNbd().fit(Patterns.of(x, t, age))
    fitted = CovariateBgNbd().fit(x, t, age, z, list(z.columns))
    assert fitted.log_likelihood > without.log_likelihood + 10  # 6 more parameters: 16.8 / 2 at 1 %
    assert any(abs(e.value) > 3 * e.standard_error for e in fitted.effects if e.parameter == "alpha")


def test_attributes_that_tell_nothing_change_nothing() -> None:
    history, _ = customers(800)
    without = BgNbd().fit(Patterns.of(*history))
    fitted = CovariateBgNbd().fit(*history, np.full((800, 1), 3.0), ["same"])
    assert fitted.log_likelihood == pytest.approx(without.log_likelihood, rel=1e-9)
    assert fitted.baseline.alpha == pytest.approx(without.alpha, rel=1e-3)
    assert "same is the same for every customer" in fitted.warnings[-1].what
    assert {effect.standard_error for effect in fitted.effects} == {None}
    none = CovariateBgNbd().fit(*history, np.empty((800, 0)), [])
    assert none.baseline.b == pytest.approx(without.b, rel=1e-3)
    assert none.effects == ()


def test_the_log_likelihood_is_the_sum_over_customers_of_a_kind() -> None:
    history, z = customers(600)
    fitted = CovariateBgNbd(penalty=0.5).fit(*history, z, NAMES)
    total = 0.0
    for kind in np.unique(z, axis=0):
        alike = (z == kind).all(axis=1)
        (model,) = fitted.rows(kind[None]).models
        total += log_likelihood(model, *(part[alike] for part in history))
    assert fitted.log_likelihood == pytest.approx(total, rel=1e-9)


def log_likelihood(model: FittedBgNbd, x: np.ndarray, days: np.ndarray, age_days: np.ndarray) -> float:
    from scipy.special import betaln, gammaln

    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    t, age = days / 7, age_days / 7
    outer = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
    last = np.where(x > 0, np.log(a / (b + np.maximum(x, 1) - 1)) - (r + x) * np.log(alpha + t), -np.inf)
    return float((outer + np.logaddexp(-(r + x) * np.log(alpha + age), last)).sum())


@pytest.mark.parametrize("scale", [1e-3, 1e4])
def test_the_unit_of_an_attribute_does_not_matter(scale: float) -> None:
    history, z = customers(1_500)
    one = CovariateBgNbd(penalty=1.0).fit(*history, z, NAMES)
    other = CovariateBgNbd(penalty=1.0).fit(*history, scale * z + 5 * scale, NAMES)
    assert scale * other.shifts == pytest.approx(one.shifts, rel=1e-4, abs=1e-6)
    asked = [one.rows(z), other.rows(scale * z + 5 * scale)]
    found = [rows.expected_purchases(26, history[0], history[1] / 7, history[2] / 7) for rows in asked]
    assert found[0] == pytest.approx(found[1], rel=1e-4)


def test_every_customer_is_forecast_by_his_own_attributes() -> None:
    fitted = FittedCovariateBgNbd(FittedBgNbd(*SHAPES), NAMES, SHIFTED, TRUTH)
    z = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 0.0]])
    x, t, age = np.array([0, 3, 2]), np.array([0.0, 20.0, 9.0]), np.array([30.0, 25.0, 40.0])
    rows = fitted.rows(z)
    r, alpha, a, b = SHAPES
    store = FittedBgNbd(r, alpha * np.exp(-0.7), a, b * np.exp(0.4))
    score = FittedBgNbd(r, alpha * np.exp(0.6), a * np.exp(1.0), b)
    for name in ("expected_purchases", "expected_if_active", "p_any_purchase", "p_active"):
        found = getattr(rows, name)(26.0, x, t, age)
        assert found[[0, 2]] == pytest.approx(getattr(store, name)(26.0, x[[0, 2]], t[[0, 2]], age[[0, 2]]))
        assert found[1] == pytest.approx(float(getattr(score, name)(26.0, x[1], t[1], age[1])))
    assert rows.p_alive(x, t, age)[1] == pytest.approx(float(score.p_alive(x[1], t[1], age[1])))
    many = fitted.rows(np.repeat(z, 20_000, axis=0))
    history = tuple(np.repeat(part, 20_000) for part in (x, t, age))
    drawn = many.draw_purchases(26.0, *history, np.random.default_rng(0)).reshape(3, -1)
    errors = 5 * drawn.std(axis=1) / np.sqrt(20_000)
    assert np.all(np.abs(drawn.mean(axis=1) - rows.expected_purchases(26.0, x, t, age)) < errors)


def test_the_rate_alone_may_be_shifted() -> None:
    history, z = customers(3_000)
    fitted = CovariateBgNbd(shifted=("alpha",)).fit(*history, z, NAMES)
    both = CovariateBgNbd().fit(*history, z, NAMES)
    assert [(effect.covariate, effect.parameter) for effect in fitted.effects] == [
        ("store", "alpha"),
        ("score", "alpha"),
    ]
    assert fitted.effects[0].value > 0.3 > 0 > fitted.effects[1].value
    assert fitted.log_likelihood < both.log_likelihood
    rates = [1 / model.alpha for model in fitted.rows([[0.0, 0.0], [1.0, 0.0]]).models]
    assert np.log(rates[1] / rates[0]) == pytest.approx(fitted.effects[0].value)
    assert len({model.b for model in fitted.rows(z).models}) == 1


def test_parameters_are_drawn_as_uncertain_as_they_are() -> None:
    history, z = customers(3_000)
    fitted = CovariateBgNbd().fit(*history, z, NAMES)
    draws = fitted.parameter_draws(600, np.random.default_rng(1))
    shifts = np.array([draw.shifts.ravel() for draw in draws])
    errors = [effect.standard_error for effect in fitted.effects]
    assert shifts.std(axis=0) == pytest.approx(errors, rel=0.15)
    assert shifts.mean(axis=0) == pytest.approx(fitted.shifts.ravel(), abs=0.2 * max(errors))
    assert np.std([np.log(draw.baseline.alpha) for draw in draws]) > 0
    unsure = FittedCovariateBgNbd(FittedBgNbd(*SHAPES), NAMES, SHIFTED, TRUTH)
    assert unsure.parameter_draws(2, np.random.default_rng(1)) == (unsure, unsure)


def test_few_customers_have_an_estimate_with_a_warning() -> None:
    fitted = CovariateBgNbd().fit([0, 1], [0, 5], [50, 60], [[0.0], [1.0]], ["store"])
    assert [finding.code for finding in fitted.warnings] == ["W404"]
    found = fitted.rows([[0.0], [1.0]]).expected_purchases(26, [0, 1], [0.0, 5 / 7], [50 / 7, 60 / 7])
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    ("z", "names"),
    [([[np.nan]] * 2, ["store"]), ([[1.0]] * 3, ["store"]), ([[1.0]] * 2, ["a", "b"]), ([1.0, 2.0], ["a"])],
)
def test_attributes_that_cannot_be_are_refused(z: list[list[float]], names: list[str]) -> None:
    with pytest.raises(DataError, match="E315"):
        CovariateBgNbd().fit([0, 1], [0, 5], [50, 60], z, names)


def test_histories_of_other_customers_are_refused() -> None:
    rows = FittedCovariateBgNbd(FittedBgNbd(*SHAPES), NAMES, SHIFTED, TRUTH).rows([[1.0, 0.0]] * 3)
    with pytest.raises(DataError, match="attributes of 3 customers"):
        rows.p_alive([0, 1], [0.0, 3.0], [9.0, 9.0])
