"""Cox: the partial likelihood by another way, and its baseline."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from allocator.errors import DataError
from allocator.models.retention import Cox, Hazard, KaplanMeier
from tests.models.retention.made_up_contracts import contracts


def efron_loss(b: np.ndarray, x: np.ndarray, periods: np.ndarray, ended: np.ndarray) -> float:
    """Minus the partial log-likelihood, one departure after the other."""
    score, loss = x @ b, 0.0
    for t in np.unique(periods[ended]):
        at_risk, leaving = np.exp(score[periods >= t]).sum(), np.exp(score[ended & (periods == t)])
        for k in range(len(leaving)):
            loss += np.log(at_risk - k / len(leaving) * leaving.sum())
        loss -= score[ended & (periods == t)].sum()
    return loss


def test_effects_are_those_of_the_partial_likelihood() -> None:
    table, periods, ended = contracts(150, np.random.default_rng(2))
    fitted = Cox().fit(table, periods, ended)
    x = fitted.design.matrix(table)
    other = minimize(efron_loss, np.zeros(2), args=(x, periods, ended), method="BFGS", options={"gtol": 1e-8})
    assert fitted.effects.estimate == pytest.approx(other.x, abs=1e-5)
    assert fitted.log_likelihood == pytest.approx(-other.fun, abs=1e-6)
    step = 1e-3 * np.eye(2)
    bend = [
        [
            sum(
                i * j * efron_loss(other.x + i * a + j * b, x, periods, ended)
                for i in (-1, 1)
                for j in (-1, 1)
            )
            for a in step
        ]
        for b in step
    ]
    errors = np.sqrt(np.diag(np.linalg.inv(np.array(bend) / 4e-6)))
    assert fitted.effects.standard_errors == pytest.approx(errors, rel=1e-3)


def test_a_small_example_by_hand() -> None:
    """Three customers leave one by one: the partial likelihood of a 0/1 feature has a closed solution.

    Order 1, 0, 1 with weights w = exp(b) for 1: ``w/(2w+1) * 1/(w+1) * 1``, largest at ``2 w^2 = 1``.
    """
    table = pd.DataFrame({"z": ["yes", "no", "yes"]})
    fitted = Cox().fit(table, [1, 2, 3], [1, 1, 1])
    assert fitted.design.features in (("z_yes",), ("z_no",))
    sign = 1 if fitted.design.features == ("z_yes",) else -1
    assert sign * fitted.effects.estimate[0] == pytest.approx(-np.log(2) / 2, abs=1e-6)
    w = np.exp(fitted.effects.estimate[0] * fitted.design.matrix(table)[:, 0])
    hazard = np.cumsum([1 / w.sum(), 1 / w[1:].sum(), 1 / w[2]])
    np.testing.assert_allclose(fitted.of(table).survival([1, 2, 3]), np.exp(-np.outer(w, hazard)), rtol=1e-10)


def test_without_features_it_comes_close_to_kaplan_meier() -> None:
    table, periods, ended = contracts(3000, np.random.default_rng(4))
    nothing = table[[]]
    curves = Cox().fit(nothing, periods, ended).of(nothing.iloc[:1])
    expected = KaplanMeier().fit(periods, ended).survival(range(13))
    np.testing.assert_allclose(curves.survival(range(13))[0], expected, atol=1e-3)


def test_curves_are_close_to_those_of_a_hazard_of_the_same_form() -> None:
    table, periods, ended = contracts(1500, np.random.default_rng(5), base=-3.0)
    one = Cox().fit(table, periods, ended).of(table)
    other = Hazard(link="cloglog").fit(table, periods, ended).of(table)
    np.testing.assert_allclose(one.known, other.known, atol=0.01)


def test_the_curve_ends_where_nothing_was_seen() -> None:
    table, periods, ended = contracts(60, np.random.default_rng(6), periods=5)
    with pytest.raises(DataError, match="E315"):
        Cox().fit(table, periods, ended).of(table).survival(6)


def test_nobody_leaving_is_said() -> None:
    table, periods, _ = contracts(30, np.random.default_rng(7))
    fitted = Cox().fit(table, periods, np.zeros(30))
    assert (fitted.of(table).known == 1).all()
    assert "nobody left" in str(fitted.warnings[0])


def test_a_feature_that_tells_who_leaves_is_regularised() -> None:
    n = 40
    table = pd.DataFrame({"cancelled": ["yes", "no"] * (n // 2)})
    gone = np.arange(n) % 2 == 0
    fitted = Cox().fit(table, np.where(gone, 2, 5), gone)
    assert [warning.code for warning in fitted.warnings] == ["W404"]
    left, stayed = fitted.of(table.iloc[:2]).survival(2)
    assert left < 0.1
    assert stayed > 0.9
