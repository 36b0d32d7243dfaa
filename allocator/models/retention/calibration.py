"""Probabilities that come true as often as they say, learned from rows the model had not seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike

from allocator.errors import Finding
from allocator.models import scoring
from allocator.models.base import FloatArray, IntArray, fit_warning, impossible
from allocator.models.retention.design import zero_one

if TYPE_CHECKING:
    import pandas as pd

Method = Literal["platt", "isotonic", "none"]

FEWEST_FOR_ISOTONIC = 1000


class FittedClassifier(Protocol):
    """A model that tells probabilities."""

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What to know of the estimate."""

    def probability(self, table: pd.DataFrame) -> FloatArray:
        """Give the probability of every row."""


class Classifier(Protocol):
    """Options of a model that learns probabilities from features."""

    @property
    def name(self) -> str:
        """Its name in a scenario."""

    def fit(self, table: pd.DataFrame, outcome: ArrayLike) -> FittedClassifier:
        """Fit to rows."""


@dataclass(frozen=True)
class Platt:
    """``1 / (1 + exp(-a - b logit(p)))`` (Platt 1999).

    Examples
    --------
    >>> Platt(0.0, 0.5)(np.array([0.1, 0.5])).tolist()
    [0.25, 0.5]
    """

    intercept: float
    slope: float

    def __call__(self, probability: FloatArray) -> FloatArray:
        """Give calibrated probabilities."""
        score = self.intercept + self.slope * scoring.logit(probability)
        return np.asarray(np.exp(-np.logaddexp(0.0, -score)))


@dataclass(frozen=True, eq=False)
class Isotonic:
    """A line through points, level beyond them; both arrays rise."""

    at: FloatArray
    value: FloatArray

    def __call__(self, probability: FloatArray) -> FloatArray:
        """Give calibrated probabilities."""
        return np.interp(probability, self.at, self.value)


Calibration = Platt | Isotonic


@dataclass(frozen=True, eq=False)
class FoldScores:
    """Scores of probabilities of rows that neither the model nor its calibration had seen, fold by fold.

    Parameters
    ----------
    auc, brier, slope : array, shape (folds,)
        As in :mod:`allocator.models.scoring`; `slope` is that of calibration, NaN where a fold has none.
    """

    auc: FloatArray
    brier: FloatArray
    slope: FloatArray

    @property
    def means(self) -> dict[str, float | None]:
        """Mean of each over the folds that have one; None without any."""
        return self._of(lambda values: float(values.mean()) if len(values) else None)

    @property
    def spreads(self) -> dict[str, float | None]:
        """Standard deviation of each between the folds that have one; None without two."""
        return self._of(lambda values: float(values.std(ddof=1)) if len(values) > 1 else None)

    def _of(self, figure: Callable[[FloatArray], float | None]) -> dict[str, float | None]:
        parts = {"auc": self.auc, "brier": self.brier, "slope": self.slope}
        return {name: figure(values[np.isfinite(values)]) for name, values in parts.items()}


@dataclass(frozen=True, eq=False)
class Calibrated:
    """A model fitted to all rows, calibrated by what it said of rows it had not seen.

    Parameters
    ----------
    fitted : FittedClassifier
    calibration : Platt, Isotonic or None
        None where probabilities stay as they are.
    scores : FoldScores or None
        None where there were too few customers of one outcome to have folds.
    out_of_fold : array, shape (rows,)
        The calibrated probability of every row, from models and calibrations of the other folds; that of the
        model itself where there are no folds.
    warnings : tuple of Finding
    """

    fitted: FittedClassifier
    calibration: Calibration | None
    scores: FoldScores | None
    out_of_fold: FloatArray
    warnings: tuple[Finding, ...]

    def probability(self, table: pd.DataFrame) -> FloatArray:
        """Give the calibrated probability of every row.

        Raises
        ------
        DataError
            E315 where a column it learned from is absent; others are ignored.
        """
        return _applied(self.calibration, self.fitted.probability(table))


def calibrated(
    model: Classifier,
    table: pd.DataFrame,
    outcome: ArrayLike,
    *,
    method: Method = "platt",
    folds: int = 5,
    seed: int = 0,
) -> Calibrated:
    """Fit a model to all rows, and calibrate it by its probabilities of rows left out.

    Every fold is forecast by a model of the others, its preparation of features included; a calibration is
    learned from all of those probabilities. To judge it, each fold is calibrated by those of the others.

    Parameters
    ----------
    model : options of a classifier
    table : DataFrame
        Features as they are; the index is unique, and its order decides the folds, not that of the rows.
    outcome : array of bool or of 0 and 1, shape (rows,)
    method : {"platt", "isotonic", "none"}
        Isotonic needs 1,000 rows; with fewer it is Platt's, and a warning says so.
    folds : int
        2 or more, each with the same share of both outcomes; fewer where an outcome has fewer rows.
    seed : int
        Of the draw of folds.

    Raises
    ------
    DataError
        E315 for an outcome that is neither 0 nor 1, fewer than two folds, or a repeated index.

    Examples
    --------
    >>> import pandas as pd
    >>> from allocator.models.retention.logit import Logit
    >>> visits = np.arange(400) % 8
    >>> found = calibrated(Logit(), pd.DataFrame({"visits": visits}), visits + np.arange(400) % 5 > 6)
    >>> found.probability(pd.DataFrame({"visits": [1, 7]})).round(1).tolist()
    [0.0, 1.0]
    """
    y = zero_one(model.name, outcome, len(table))
    if folds < 2 or not table.index.is_unique:
        raise impossible("calibration needs two folds at least, and an index that tells rows apart")
    fitted = model.fit(table, y)
    folds = int(min(folds, y.sum(), len(y) - y.sum()))
    if folds < 2:
        what = f"{model.name}: too few customers of one outcome to calibrate probabilities"
        own = fitted.probability(table)
        return Calibrated(fitted, None, None, own, (*fitted.warnings, fit_warning(what)))
    method, notes = _possible(method, model.name, len(y))
    fold = _folds(table, y, folds, seed)
    raw = _left_out(model, table, y, fold)
    out_of_fold = _calibrated_by_others(method, raw, y, fold)
    scores, warnings = _scores(y, out_of_fold, fold), (*fitted.warnings, *notes)
    return Calibrated(fitted, _learned(method, raw, y), scores, out_of_fold, warnings)


def _possible(method: Method, name: str, rows: int) -> tuple[Method, tuple[Finding, ...]]:
    if method != "isotonic" or rows >= FEWEST_FOR_ISOTONIC:
        return method, ()
    what = f"{name}: {rows} rows are too few for isotonic calibration, so that it is Platt's"
    return "platt", (fit_warning(what, f"{FEWEST_FOR_ISOTONIC} rows are needed"),)


def _folds(table: pd.DataFrame, outcome: FloatArray, folds: int, seed: int) -> IntArray:
    """Give the fold of every row."""
    from sklearn.model_selection import StratifiedKFold

    order = np.argsort(table.index.astype(str).to_numpy(dtype=str), kind="stable")
    fold = np.empty(len(order), dtype=np.int64)
    parts = StratifiedKFold(folds, shuffle=True, random_state=seed).split(order, outcome[order])
    for k, (_, rows) in enumerate(parts):
        fold[order[rows]] = k
    return fold


def _left_out(model: Classifier, table: pd.DataFrame, outcome: FloatArray, fold: IntArray) -> FloatArray:
    """Give every row's probability by a model of the other folds."""
    raw = np.empty(len(outcome))
    for k in range(int(fold.max()) + 1):
        own = fold == k
        raw[own] = model.fit(table.loc[~own], outcome[~own]).probability(table.loc[own])
    return raw


def _calibrated_by_others(
    method: Method, probability: FloatArray, outcome: FloatArray, fold: IntArray
) -> FloatArray:
    """Give every row's probability, calibrated by the rows of the other folds."""
    found = np.empty(len(outcome))
    for k in range(int(fold.max()) + 1):
        own = fold == k
        found[own] = _applied(_learned(method, probability[~own], outcome[~own]), probability[own])
    return found


def _learned(method: Method, probability: FloatArray, outcome: FloatArray) -> Calibration | None:
    if method == "none":
        return None
    if method == "isotonic":
        from sklearn.isotonic import IsotonicRegression

        steps = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(probability, outcome)
        return Isotonic(steps.X_thresholds_, steps.y_thresholds_)
    did = outcome.sum()
    # Platt's targets: never sure, so that the best slope is finite
    target = np.where(outcome == 1, (did + 1) / (did + 2), 1 / (len(outcome) - did + 2))
    intercept, slope = scoring.logistic(scoring.logit(probability), target)
    if slope > 0:
        return Platt(intercept, slope)
    # worse than chance: the same for everybody rather than the reverse of what the model says
    return Platt(float(np.log(target.sum() / (1 - target).sum())), 0.0)


def _applied(calibration: Calibration | None, probability: FloatArray) -> FloatArray:
    return probability if calibration is None else calibration(probability)


def _scores(outcome: FloatArray, probability: FloatArray, fold: IntArray) -> FoldScores:
    rows = [fold == k for k in range(int(fold.max()) + 1)]
    return FoldScores(
        *(
            np.array([score(outcome[own], probability[own]) for own in rows])
            for score in (scoring.auc, scoring.brier, scoring.calibration_slope)
        )
    )
