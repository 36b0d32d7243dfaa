"""Logistic regression and boosting: oracles, known truth, limits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from allocator.errors import DataError
from allocator.models.retention import Boosting, Logit
from allocator.models.scoring import auc

MODELS = (Logit(), Boosting())
both = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)


def buyers(n: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Features with gaps, who buys, and the true probability."""
    rng = np.random.default_rng(seed)
    visits, area = rng.normal(size=n), rng.choice(["north", "south", "west"], n)
    p = 1 / (1 + np.exp(1 - 1.2 * visits - (area == "south")))
    table = pd.DataFrame(
        {"visits": np.where(rng.random(n) < 0.05, np.nan, visits), "area": area, "same": 1.0}
    )
    return table, rng.random(n) < p, p


def test_the_estimate_is_that_of_another_library() -> None:
    table, bought, _ = buyers(800)
    fitted = Logit().fit(table, bought)
    x = fitted.design.matrix(table)
    other = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x, bought)
    assert fitted.effects.estimate[1:] == pytest.approx(other.coef_[0], abs=1e-4)
    assert fitted.probability(table) == pytest.approx(other.predict_proba(x)[:, 1], abs=1e-5)
    p = fitted.probability(table)
    assert fitted.log_likelihood == pytest.approx(np.log(np.where(bought, p, 1 - p)).sum())
    weight = p * (1 - p)
    design = np.column_stack([np.ones(len(x)), x])
    errors = np.sqrt(np.diag(np.linalg.inv((design * weight[:, None]).T @ design)))
    assert fitted.effects.standard_errors == pytest.approx(errors, rel=1e-6)


@both
def test_probabilities_of_new_customers_are_close_to_the_truth(model) -> None:
    table, bought, _ = buyers(6000)
    new, new_bought, truth = buyers(2000, seed=1)
    seen = new["visits"].notna().to_numpy()
    found = model.fit(table, bought).probability(new)
    assert np.abs(found - truth)[seen].mean() < 0.04
    assert auc(new_bought, found) > 0.75


@both
def test_a_feature_that_tells_the_outcome_gives_no_certainty(model) -> None:
    gone = np.arange(200) % 2 == 0
    fitted = model.fit(pd.DataFrame({"cancelled": np.where(gone, "yes", "no")}), gone)
    p = fitted.probability(pd.DataFrame({"cancelled": ["yes", "no"]}))
    assert 0.95 < p[0] < 1
    assert 0 < p[1] < 0.05
    if model.name == "logit":
        assert [warning.code for warning in fitted.warnings] == ["W404"]


@both
@pytest.mark.parametrize(("n", "outcome"), [(50, 1), (50, 0), (1, 1), (1, 0)])
def test_one_outcome_is_likely_and_not_certain(model, n, outcome) -> None:
    table, _, _ = buyers(n)
    fitted = model.fit(table, np.full(n, outcome))
    p = fitted.probability(table)
    assert ((p > 0.5) if outcome else (p < 0.5)).all()
    assert ((p > 0) & (p < 1)).all()
    assert [warning.code for warning in fitted.warnings] == ["W404"]


@both
def test_features_that_do_not_vary_give_the_share(model) -> None:
    table = pd.DataFrame({"same": ["a"] * 40, "none": [np.nan] * 40})
    p = model.fit(table, np.arange(40) < 10).probability(table)
    assert p == pytest.approx(0.25, abs=0.01)


def test_columns_that_others_tell_change_nothing() -> None:
    table, bought, _ = buyers(500)
    more = table.assign(again=table["visits"] * 2 + 1, city=table["area"])
    one, other = Logit().fit(table, bought), Logit().fit(more, bought)
    assert other.warnings == ()
    assert other.probability(more) == pytest.approx(one.probability(table), abs=1e-7)


@both
def test_new_values_and_other_columns_are_taken(model) -> None:
    table, bought, _ = buyers(500)
    fitted = model.fit(table, bought)
    strange = pd.DataFrame({"other": [1], "area": ["moon"], "visits": [np.inf], "same": [np.nan]})
    assert np.isfinite(fitted.probability(strange)).all()
    assert fitted.probability(table.iloc[:0]).shape == (0,)
    with pytest.raises(DataError, match="lacks area"):
        fitted.probability(table.drop(columns="area"))


@both
@pytest.mark.parametrize("outcome", [[0, 1], [0, 1, 2], [0, 1, np.nan], [[0, 1, 0]]])
def test_an_outcome_is_0_or_1_for_every_row(model, outcome) -> None:
    with pytest.raises(DataError, match="E315"):
        model.fit(pd.DataFrame({"x": [1.0, 2.0, 3.0]}), outcome)


@both
def test_an_infinite_feature_is_refused(model) -> None:
    with pytest.raises(DataError, match="the feature x is infinite"):
        model.fit(pd.DataFrame({"x": [1.0, np.inf, 3.0]}), [0, 1, 0])
