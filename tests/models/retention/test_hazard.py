"""Discrete-time hazard: known truth, Kaplan-Meier as its special case, statsmodels as its oracle."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from allocator.errors import DataError
from allocator.models.retention import Hazard, KaplanMeier
from tests.models.retention.made_up_contracts import contracts

EVERY = [Hazard(link=link, periods=periods) for link in ("logit", "cloglog") for periods in ("each", "trend")]
every = pytest.mark.parametrize("model", EVERY, ids=lambda model: f"{model.link} {model.periods}")


@pytest.mark.parametrize("periods", ["each", "trend"])
def test_coefficients_are_recovered(periods) -> None:
    table, stays, ended = contracts(6000, np.random.default_rng(1), effects=(0.8, -0.5))
    fitted = Hazard(periods=periods).fit(table, stays, ended)
    found = dict(
        zip(
            fitted.design.features,
            zip(fitted.effects.estimate[-2:], fitted.effects.standard_errors[-2:], strict=True),
            strict=True,
        )
    )
    price, error = found["price"]
    spread = np.clip(table["price"], *np.quantile(table["price"], [0.01, 0.99])).std(ddof=0)
    assert abs(price / spread - 0.8) < 3 * error
    yearly, error = found.get("yearly_yes") or found["yearly_no"]
    assert abs(yearly - (-0.5 if "yearly_yes" in found else 0.5)) < 3 * error
    assert error < 0.1


def test_without_features_it_is_kaplan_meier() -> None:
    table, stays, ended = contracts(2000, np.random.default_rng(2))
    nothing = table[[]]
    expected = KaplanMeier().fit(stays, ended)
    for link in ("logit", "cloglog"):
        fitted = Hazard(link=link).fit(nothing, stays, ended)
        np.testing.assert_allclose(fitted.of(nothing.iloc[:1]).known[0], expected.known, atol=1e-7)
        assert fitted.log_likelihood - _choices(stays, ended) == pytest.approx(
            expected.log_likelihood, abs=1e-6
        )


def _choices(stays: np.ndarray, ended: np.ndarray) -> float:
    """Log of the number of ways to choose who leaves: a count's likelihood has it, customers' has not."""
    from scipy.special import gammaln

    total = 0.0
    for t in range(1, stays.max() + 1):
        n, d = (stays >= t).sum(), (ended & (stays == t)).sum()
        total += gammaln(n + 1) - gammaln(d + 1) - gammaln(n - d + 1)
    return total


@every
def test_the_estimate_is_that_of_the_library(model) -> None:
    table, stays, ended = contracts(300, np.random.default_rng(3), periods=6)
    fitted = model.fit(table, stays, ended)
    x = fitted.design.matrix(table)
    rows = [(i, t) for i, stay in enumerate(stays) for t in range(1, stay + 1)]
    customer, period = np.array(rows).T
    course = [(period == t).astype(float) for t in range(1, 7)]
    if model.periods == "trend":
        course = [np.ones(len(rows)), np.log(period)]
    link = sm.families.links.Logit() if model.link == "logit" else sm.families.links.CLogLog()
    left = ended[customer] & (stays[customer] == period)
    other = sm.GLM(left, np.column_stack([*course, x[customer]]), family=sm.families.Binomial(link)).fit(
        tol=1e-12
    )
    k = len(course)
    assert fitted.effects.estimate[k:] == pytest.approx(other.params[k:], abs=1e-5)
    assert fitted.effects.standard_errors[k:] == pytest.approx(other.bse[k:], rel=0.05)
    assert fitted.log_likelihood == pytest.approx(other.llf, abs=1e-6)
    chance = other.predict(
        np.column_stack(
            [c[:1] if model.periods == "trend" else np.array([float(i == 0)]) for i, c in enumerate(course)]
            + [x[:1]]
        )
    )
    if model.periods == "each":
        assert fitted.of(table.iloc[:1]).survival(1)[0] == pytest.approx(1 - chance[0], abs=1e-6)


def test_a_trend_goes_on_and_says_so() -> None:
    table, stays, ended = contracts(300, np.random.default_rng(4), periods=6)
    fitted = Hazard(periods="trend").fit(table, stays, ended)
    assert fitted.of(table).warnings == ()
    curves = fitted.of(table, until=24)
    assert "periods 7 to 24 continue a trend" in str(curves.warnings[0])
    assert curves.survival(24).shape == (300,)
    np.testing.assert_array_equal(curves.survival(range(7)), fitted.of(table).known)
    with pytest.raises(DataError, match="E315"):
        Hazard().fit(table, stays, ended).of(table, until=7)


def test_staying_on_is_told_from_the_tenure() -> None:
    table, stays, ended = contracts(300, np.random.default_rng(5), periods=6)
    curves = Hazard().fit(table, stays, ended).of(table)
    found = curves.chance_to_stay(np.minimum(stays, 4), [0, 2])
    by_hand = [curves.known[i, t + 2] / curves.known[i, t] for i, t in enumerate(np.minimum(stays, 4))]
    np.testing.assert_allclose(found[:, 1], by_hand)
    assert (found[:, 0] == 1).all()
    with pytest.raises(DataError, match="E315"):
        curves.chance_to_stay([1, 2], 1)


@every
def test_a_feature_that_tells_who_leaves_is_regularised(model) -> None:
    table = pd.DataFrame({"cancelled": ["yes", "no"] * 20})
    gone = np.arange(40) % 2 == 0
    fitted = model.fit(table, np.where(gone, 1, 5), gone)
    assert [warning.code for warning in fitted.warnings] == ["W404"]
    left, stayed = fitted.of(table.iloc[:2]).survival(1)
    assert left < 0.2
    assert stayed > 0.8


@every
@pytest.mark.parametrize(
    ("n", "stays", "ended"),
    [(20, 5, 0), (20, 1, 1), (1, 3, 1), (1, 3, 0)],
    ids=["stay", "leave", "one", "one stays"],
)
def test_limits_are_numbers(model, n, stays, ended) -> None:
    table, _, _ = contracts(n, np.random.default_rng(6))
    fitted = model.fit(table, np.full(n, stays), np.full(n, ended))
    known = fitted.of(table).known
    assert np.isfinite(known).all()
    assert np.isfinite(fitted.log_likelihood)
    assert (known[:, -1] < 0.5).all() if ended else (known[:, -1] > 0.7).all()


def test_a_table_of_other_rows_or_columns_is_refused() -> None:
    table, stays, ended = contracts(50, np.random.default_rng(7))
    with pytest.raises(DataError, match="E315"):
        Hazard().fit(table.iloc[1:], stays, ended)
    with pytest.raises(DataError, match="lacks price"):
        Hazard().fit(table, stays, ended).of(table[["yearly"]])
