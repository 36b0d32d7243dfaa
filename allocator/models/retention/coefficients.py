"""Coefficients of a statsmodels model; where the likelihood has no maximum, a ridge gives it one."""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from allocator.errors import Finding
from allocator.models.base import REGULARISED, FloatArray, fit_warning
from allocator.models.newton import maximise

LARGEST = 10.0  # columns have a standard deviation of about 1: odds of more than 20,000 to 1 are a limit
ENOUGH = 1e-6  # what another step would gain in log-likelihood
FIX = "a feature, or a period, tells the outcome of all its customers: is it known beforehand?"


@dataclass(frozen=True, eq=False)
class Coefficients:
    """Coefficients with their errors.

    Parameters
    ----------
    estimate : array, shape (k,)
    covariance : array, shape (k, k), or None
        None where it does not exist.
    log_likelihood : float
        Without penalty.
    warnings : tuple of Finding
    """

    estimate: FloatArray
    covariance: FloatArray | None
    log_likelihood: float
    warnings: tuple[Finding, ...] = ()

    @property
    def standard_errors(self) -> FloatArray | None:
        """Standard error of every coefficient, shape (k,)."""
        return None if self.covariance is None else np.sqrt(np.diag(self.covariance))


def coefficients(name: str, model: Any, columns: int) -> Coefficients:  # noqa: ANN401 - statsmodels'
    """Fit a model; where customers' outcomes are told without error, regularise it and say so.

    The ridge takes ``1/2 * 0.1 * sum(coefficient^2)`` from the log-likelihood.

    Parameters
    ----------
    name : str
        For warnings.
    model : statsmodels model
        With `fit`, `loglike`, `score` and `hessian`.
    columns : int
        Number of coefficients.
    """
    with _quiet():
        found = _library_fit(model, columns)
        if found is not None:
            return found

        def penalised(b: FloatArray) -> tuple[float, FloatArray, FloatArray]:
            value = float(model.loglike(b)) - 0.5 * REGULARISED * float(b @ b)
            slope, bend = np.asarray(model.score(b)), np.asarray(model.hessian(b))
            return value, slope - REGULARISED * b, bend - REGULARISED * np.eye(columns)

        top = maximise(penalised, np.zeros(columns))
        what = f"{name}: no finite coefficients fit best, so the estimate is regularised"
        covariance = top.covariance(np.ones(columns))
        value = float(model.loglike(top.theta))
        return Coefficients(top.theta, covariance, value, (fit_warning(what, FIX),))


def _library_fit(model: Any, columns: int) -> Coefficients | None:  # noqa: ANN401
    """Give the library's estimate, or None where it is no maximum."""
    from statsmodels.tools.sm_exceptions import PerfectSeparationError

    try:
        b = np.asarray(model.fit(disp=0).params, dtype=np.float64)
        if not (np.isfinite(b).all() and np.abs(b).max(initial=0.0) < LARGEST):
            return None
        bend, slope = -np.asarray(model.hessian(b)), np.asarray(model.score(b))
        covariance = np.linalg.inv(bend)
    except (np.linalg.LinAlgError, PerfectSeparationError):
        return None
    converged = np.linalg.eigvalsh(bend).min() > 0 and slope @ covariance @ slope < ENOUGH
    if b.shape != (columns,) or not converged:
        return None
    return Coefficients(b, covariance, float(model.loglike(b)))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep a library from saying of a fit without a maximum what our own warning says."""
    with python_warnings.catch_warnings(), np.errstate(all="ignore"):
        python_warnings.simplefilter("ignore")
        yield
