"""Coefficients of a statsmodels model; where the likelihood has no maximum, a ridge gives it one."""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from allocator.errors import Finding
from allocator.models.base import REGULARISED, FloatArray, fit_warning
from allocator.models.newton import Maximum, maximise

LARGEST = 10.0  # columns have a standard deviation of about 1: odds of more than 20,000 to 1 are a limit
LOOSEST = 100.0  # a standard error of it: the likelihood is flat, on its way to infinity
FIX = "it tells the outcome of some customers without error: was it known beforehand?"


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


def coefficients(name: str, model: Any, columns: Sequence[str]) -> Coefficients:  # noqa: ANN401 - statsmodels'
    """Fit a model; where customers' outcomes are told without error, regularise it and say so.

    The ridge takes ``1/2 * 0.1 * sum(coefficient^2)`` from the log-likelihood.

    Parameters
    ----------
    name : str
        For warnings.
    model : statsmodels model
        With `loglike`, `score` and `hessian`; its own search fails or runs on without a maximum.
    columns : sequence of str
        What the coefficients are of.
    """
    with _quiet():
        top = _searched(model, len(columns), 0.0)
        if _settled(top):
            return _found(model, top, ())
        what = f"{name}: no finite coefficient of {columns[_loosest(top)]} fits best, so all are regularised"
        return _found(model, _searched(model, len(columns), REGULARISED), (fit_warning(what, FIX),))


def _searched(model: Any, columns: int, penalty: float) -> Maximum:  # noqa: ANN401
    def objective(b: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        value = float(model.loglike(b)) - 0.5 * penalty * float(b @ b)
        slope, bend = np.asarray(model.score(b)), np.asarray(model.hessian(b))
        return value, slope - penalty * b, bend - penalty * np.eye(columns)

    return maximise(objective, np.zeros(columns))


def _settled(top: Maximum) -> bool:
    """Whether the search ended in a maximum, and not where a coefficient is on its way to infinity."""
    if not (top.converged and np.isfinite(top.hessian).all() and np.abs(top.theta).max() < LARGEST):
        return False
    return bool(np.linalg.eigvalsh(top.hessian).max() < -(LOOSEST**-2))


def _loosest(top: Maximum) -> int:
    """Give the coefficient that is most open: largest by far, or the most of the flattest direction."""
    if np.abs(top.theta).max() >= LARGEST or not np.isfinite(top.hessian).all():
        return int(np.abs(top.theta).argmax())
    return int(np.abs(np.linalg.eigh(top.hessian)[1][:, -1]).argmax())


def _found(model: Any, top: Maximum, warnings: tuple[Finding, ...]) -> Coefficients:  # noqa: ANN401
    covariance = top.covariance(np.ones(len(top.theta)))
    return Coefficients(top.theta, covariance, float(model.loglike(top.theta)), warnings)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep a library from saying of a fit without a maximum what our own warning says."""
    with python_warnings.catch_warnings(), np.errstate(all="ignore"):
        python_warnings.simplefilter("ignore")
        yield
