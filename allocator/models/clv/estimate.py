"""What the probability models share: the search for an estimate that never fails, and its errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, Self

import numpy as np

from allocator.errors import Finding
from allocator.models.base import REGULARISED, FloatArray, fit_warning
from allocator.models.newton import EXTREME, Maximum, maximise

FIX = "take a longer time of orders, or more customers; forecasts far ahead are unsure"
MOST_PURCHASES = 1e15  # beyond it a float is no count


@dataclass(frozen=True, eq=False)
class Estimated:
    """Parameters of a fitted model with their errors.

    A subclass names its parameters in `parameter_names`, each a field above its bound in `lower_bounds`,
    or above 0.
    """

    parameter_names: ClassVar[tuple[str, ...]] = ()
    lower_bounds: ClassVar[Mapping[str, float]] = {}

    @property
    def covariance(self) -> FloatArray | None:
        """Covariance of the parameters as named; None where the data leave one of them open."""
        return None

    @property
    def standard_errors(self) -> dict[str, float | None]:
        """Standard error of every parameter by its name; None where the data leave one of them open."""
        if self.covariance is None:
            return dict.fromkeys(self.parameter_names)
        errors = np.sqrt(np.diag(self.covariance))
        return dict(zip(self.parameter_names, map(float, errors), strict=True))

    def parameter_draws(self, n: int, rng: np.random.Generator) -> tuple[Self, ...]:
        """Give the model `n` times, with parameters as uncertain as the estimate.

        Normal on the scale of logs, where the estimate is closest to normal; the model itself where the
        data leave a parameter open.

        Parameters
        ----------
        n : int
        rng : numpy Generator
        """
        if self.covariance is None:
            return (self,) * n
        bounds = np.array([self.lower_bounds.get(name, 0.0) for name in self.parameter_names])
        values = np.array([getattr(self, name) for name in self.parameter_names]) - bounds
        drawn = bounds + values * np.exp(normal_draws(self.covariance / np.outer(values, values), n, rng))
        return tuple(
            replace(self, **dict(zip(self.parameter_names, map(float, row), strict=True))) for row in drawn
        )


def normal_draws(covariance: FloatArray, n: int, rng: np.random.Generator) -> FloatArray:
    """Give `n` normal vectors of mean 0, none beyond the range in which an estimate is looked for.

    Parameters
    ----------
    covariance : array, shape (k, k)
    n : int
    rng : numpy Generator

    Returns
    -------
    array, shape (n, k)
    """
    variances, axes = np.linalg.eigh(covariance)
    draws = rng.standard_normal((n, len(variances))) * np.sqrt(np.maximum(variances, 0)) @ axes.T
    return np.asarray(np.clip(draws, -EXTREME, EXTREME))


class PenalisedLikelihood(Protocol):
    """A log-likelihood of logs of parameters, as :func:`search` needs it."""

    @property
    def penalty(self) -> float:
        """Weight of ``-1/2 * sum(theta**2)``."""

    def start(self) -> FloatArray:
        """Give a sensible place to begin the search."""

    def without_dropout(self) -> FloatArray:
        """Give the parameters with which nobody leaves, at the rate of all customers together."""

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Give the penalised value, its gradient and its Hessian."""


@dataclass(frozen=True, eq=False)
class Found:
    """Where :func:`search` ended.

    Parameters
    ----------
    theta : array, shape (k,)
    log_likelihood : float
        Without penalty.
    maximum : Maximum
    warnings : tuple of Finding
    """

    theta: FloatArray
    log_likelihood: float
    maximum: Maximum
    warnings: tuple[Finding, ...]


def search(name: str, likelihood: Callable[[float], PenalisedLikelihood], penalty: float) -> Found:
    """Maximise a likelihood; regularise it, or take customers to stay, where it has no maximum.

    Parameters
    ----------
    name : str
        Of the model, for warnings.
    likelihood : callable
        Gives the likelihood with a penalty.
    penalty : float
    """
    free = likelihood(penalty)
    maximum = maximise(free, free.start())
    if maximum.converged:
        return _found(free, maximum)
    best = likelihood(max(penalty, REGULARISED))
    regularised = maximise(best, best.start())
    if regularised.converged:
        # a search that ran to infinity from afar may find a maximum from nearby
        again = maximise(free, regularised.theta)
        if again.converged and again.value >= maximum.value:
            return _found(free, again)
        what = f"{name}: the data leave a parameter open, so the estimate is regularised"
        return _found(best, regularised, fit_warning(what, FIX))
    theta = best.without_dropout()
    nothing = np.full((len(theta), len(theta)), np.nan)
    what = f"{name}: no estimate was found, so customers are taken to stay, at rates around the mean"
    return _found(best, Maximum(theta, best(theta)[0], nothing, converged=False), fit_warning(what, FIX))


def _found(likelihood: PenalisedLikelihood, maximum: Maximum, *warnings: Finding) -> Found:
    theta = maximum.theta
    penalty = 0.5 * likelihood.penalty * float(theta @ theta)
    return Found(theta, float(maximum.value + penalty), maximum, warnings)
