"""Calibration: right where a model is not, harmless where it is, and judged on rows not seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.errors import DataError
from allocator.models.retention import Boosting, Logit
from allocator.models.retention.calibration import calibrated
from allocator.models.scoring import auc, brier, calibration_slope


@dataclass(frozen=True)
class Boastful:
    """Says the true logit of a column `p` times a factor."""

    factor: float
    name: str = "boastful"
    warnings: tuple = ()

    def fit(self, table: pd.DataFrame, outcome) -> Boastful:
        return self

    def probability(self, table: pd.DataFrame) -> np.ndarray:
        p = table["p"].to_numpy()
        return p**self.factor / (p**self.factor + (1 - p) ** self.factor)


class Memory:
    """Knows the outcome of rows it has seen, and nothing of others."""

    name = "memory"

    def fit(self, table: pd.DataFrame, outcome) -> Memory:
        fitted = Memory()
        fitted.known = dict(zip(table.index, np.where(outcome > 0, 0.99, 0.01), strict=True))
        fitted.warnings = ()
        return fitted

    def probability(self, table: pd.DataFrame) -> np.ndarray:
        return np.array([self.known.get(row, 0.5) for row in table.index])


def chances(n: int) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(n)
    p = rng.beta(2, 3, n)
    return pd.DataFrame({"p": p}), rng.random(n) < p


@pytest.mark.parametrize("method", ["platt", "isotonic"])
@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_a_model_that_says_too_much_or_too_little_is_set_right(method, factor) -> None:
    table, happens = chances(5000)
    raw = Boastful(factor)
    found = calibrated(raw, table, happens, method=method)
    truth = table["p"].to_numpy()
    assert np.abs(found.probability(table) - truth).mean() < 0.03
    assert brier(happens, found.out_of_fold) < brier(happens, truth) + 0.002
    if factor != 1.0:
        assert brier(happens, found.out_of_fold) < brier(happens, raw.probability(table)) - 0.001


def test_without_calibration_the_slope_shows_the_fault() -> None:
    table, happens = chances(5000)
    found = calibrated(Boastful(3.0), table, happens, method="none")
    assert found.scores.means["slope"] == pytest.approx(1 / 3, abs=0.03)
    assert calibrated(Boastful(3.0), table, happens).scores.means["slope"] == pytest.approx(1, abs=0.1)


def test_scores_are_of_rows_that_were_not_seen() -> None:
    table, happens = chances(400)
    found = calibrated(Memory(), table, happens)
    assert found.scores.means["auc"] == 0.5
    assert auc(happens, found.fitted.probability(table)) == 1


def test_scores_are_those_of_the_folds() -> None:
    table, happens = chances(2000)
    found = calibrated(Logit(), table, happens, folds=4)
    scores = found.scores
    assert len(scores.auc) == len(scores.brier) == len(scores.slope) == 4
    assert scores.means["auc"] == pytest.approx(np.mean(scores.auc))
    assert scores.spreads["brier"] == pytest.approx(np.std(scores.brier, ddof=1))
    assert scores.means["brier"] == pytest.approx(brier(happens, found.out_of_fold), abs=1e-6)
    assert calibration_slope(happens, found.out_of_fold) == pytest.approx(1, abs=0.1)


def test_a_model_worse_than_chance_says_the_same_of_everybody() -> None:
    table, happens = chances(1000)
    found = calibrated(Boastful(-1.0), table, happens)
    assert found.probability(table) == pytest.approx(happens.mean(), abs=0.01)


def test_few_rows_have_fewer_folds_or_none() -> None:
    table, _ = chances(40)
    rare = np.arange(40) < 3
    found = calibrated(Logit(), table, rare)
    assert len(found.scores.auc) == 3
    found = calibrated(Logit(), table, np.arange(40) < 1)
    assert found.scores is None
    assert any("too few customers of one outcome" in str(warning) for warning in found.warnings)
    assert np.isfinite(found.probability(table)).all()


def test_isotonic_on_few_rows_is_platt_and_says_so() -> None:
    table, happens = chances(999)
    found, other = (calibrated(Logit(), table, happens, method=method) for method in ("isotonic", "platt"))
    assert "too few for isotonic" in str(found.warnings[-1])
    assert found.out_of_fold.tolist() == other.out_of_fold.tolist()


@pytest.mark.parametrize("change", ["folds", "index", "outcome"])
def test_what_cannot_be_calibrated_is_refused(change) -> None:
    table, happens = chances(50)
    outcome = happens + 1 if change == "outcome" else happens
    table = table.set_axis([0] * 50) if change == "index" else table
    with pytest.raises(DataError, match="E315"):
        calibrated(Logit(), table, outcome, folds=1 if change == "folds" else 5)


@pytest.fixture(scope="module")
def telco(shared_data: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Features with the blank totals of customers of tenure 0 missing, and who churned."""
    table = pd.read_csv(shared_data / "telco_churn.csv.gz", index_col="customerID")
    table["TotalCharges"] = pd.to_numeric(table["TotalCharges"], errors="coerce")
    churned = (table.pop("Churn") == "Yes").to_numpy()
    return table, churned


@pytest.mark.parametrize("model", [Logit(), Boosting()], ids=lambda model: model.name)
def test_churn_of_a_telecom_is_told_apart_and_calibrated(model, telco) -> None:
    table, churned = telco
    new = table["tenure"] == 0
    assert table.loc[new, "TotalCharges"].isna().all()
    assert int(table["TotalCharges"].isna().sum()) == int(new.sum()) == 11
    found = calibrated(model, table, churned)
    assert found.scores.means["auc"] > 0.84
    assert found.scores.means["brier"] < 0.138
    assert 0.9 < found.scores.means["slope"] < 1.1
    assert found.scores.spreads["auc"] < 0.02
    assert np.isfinite(found.probability(table[new])).all()
    # no new customer churned, and only they have no total: a logit cannot say how unlikely that is
    assert len(found.warnings) == (1 if model.name == "logit" else 0)
    assert all("missingindicator_TotalCharges" in warning.what for warning in found.warnings)
