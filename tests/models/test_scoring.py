"""Scores of a forecast, each against another way to compute it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr

from allocator.errors import DataError
from allocator.models import scoring

pairs = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=25).map(
    lambda rows: tuple(np.array(column, dtype=float) for column in zip(*rows, strict=True))
)
SCORES = (
    scoring.mae,
    scoring.rmse,
    scoring.total_error,
    scoring.spearman,
    scoring.normalised_gini,
    scoring.auc,
    scoring.top_capture,
)


def gini_by_sorting(actual: np.ndarray, order: np.ndarray) -> float:
    """Area between the Lorenz curve of `actual` in this order and the diagonal."""
    lorenz = np.cumsum(actual[order]) / actual.sum()
    return float(((np.arange(len(actual)) + 1) / len(actual) - lorenz).sum())


@given(pair=pairs)
def test_auc_counts_pairs(pair: tuple[np.ndarray, np.ndarray]) -> None:
    actual, forecast = pair
    did, did_not = forecast[actual > 0], forecast[actual == 0]
    wins = [(a > b) + (a == b) / 2 for a, b in itertools.product(did, did_not)]
    expected = np.mean(wins) if wins else np.nan
    assert scoring.auc(actual, forecast) == pytest.approx(expected, nan_ok=True)


@given(pair=pairs)
def test_spearman_is_that_of_scipy(pair: tuple[np.ndarray, np.ndarray]) -> None:
    actual, forecast = pair
    if np.ptp(actual) and np.ptp(forecast):
        assert scoring.spearman(*pair) == pytest.approx(spearmanr(*pair).statistic, abs=1e-12)
    else:
        assert np.isnan(scoring.spearman(*pair))
    assert scoring.ranks(forecast).tolist() == rankdata(forecast).tolist()


def test_gini_is_the_area_under_the_sorted_values() -> None:
    rng = np.random.default_rng(1)
    actual, forecast = rng.exponential(10, 200), rng.normal(size=200)
    own = gini_by_sorting(actual, np.argsort(forecast))
    best = gini_by_sorting(actual, np.argsort(actual))
    assert scoring.normalised_gini(actual, forecast) == pytest.approx(own / best, abs=0.01)
    assert scoring.normalised_gini(actual, actual) == pytest.approx(1)
    assert scoring.normalised_gini(actual, -actual) == pytest.approx(-1)


def test_errors_by_hand() -> None:
    actual, forecast = [1.0, 2.0, 6.0], [2.0, 2.0, 2.0]
    assert scoring.mae(actual, forecast) == pytest.approx(5 / 3)
    assert scoring.rmse(actual, forecast) == pytest.approx(np.sqrt(17 / 3))
    assert scoring.total_error(actual, forecast) == pytest.approx(-1 / 3)


@given(pair=pairs, seed=st.integers(0, 99))
def test_no_score_hangs_on_the_order_of_customers(pair: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    actual, forecast = pair
    order = np.random.default_rng(seed).permutation(len(actual))
    for score in SCORES:
        found = score(actual[order], forecast[order])
        assert found == pytest.approx(score(actual, forecast), nan_ok=True), score.__name__
    one, other = scoring.deciles(actual, forecast), scoring.deciles(actual[order], forecast[order])
    assert one.actual.tolist() == pytest.approx(other.actual.tolist())


@given(pair=pairs, groups=st.integers(1, 12))
def test_deciles_hold_every_customer_once_highest_first(
    pair: tuple[np.ndarray, np.ndarray], groups: int
) -> None:
    actual, forecast = pair
    table = scoring.deciles(actual, forecast, groups)
    assert table.n.sum() == len(actual)
    assert table.n.max() - table.n.min() <= 1
    assert float(table.n @ table.actual) == pytest.approx(actual.sum())
    assert float(table.n @ table.forecast) == pytest.approx(forecast.sum())
    assert np.all(np.diff(table.forecast) <= 1e-12)


def test_a_perfect_forecast_has_no_error_by_decile() -> None:
    actual = np.arange(100.0)
    assert scoring.deciles(actual, actual).mape == pytest.approx(0)
    assert np.isnan(scoring.deciles([0.0, 0.0], [1.0, 2.0]).mape)


def test_top_capture_shares_ties() -> None:
    assert scoring.top_capture([8, 0, 4, 4], [1, 1, 0, 0], share=0.25) == pytest.approx(0.25)
    assert scoring.top_capture([8, 0, 4, 4], [1, 1, 0, 0], share=1.0) == pytest.approx(1)


def test_a_score_without_meaning_is_no_number() -> None:
    assert np.isnan(scoring.auc([1, 1], [0.2, 0.4]))
    assert np.isnan(scoring.total_error([0, 0], [0.2, 0.4]))
    assert np.isnan(scoring.normalised_gini([3, 3], [0.2, 0.4]))


@pytest.mark.parametrize("score", SCORES, ids=lambda score: score.__name__)
@pytest.mark.parametrize(
    ("actual", "forecast"), [([], []), ([1, 2], [1]), ([1, np.nan], [1, 2]), ([1, 2], [1, np.inf])]
)
def test_what_cannot_be_compared_is_refused(score, actual, forecast) -> None:
    with pytest.raises(DataError, match="E315"):
        score(actual, forecast)
