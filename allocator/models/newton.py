"""Newton's method for the few parameters of a likelihood whose derivatives are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from allocator.models.base import FloatArray

Objective = Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]

ROUNDS = 100
EXTREME = float(np.log(1e4))  # a parameter beyond 10,000 or below 1/10,000 is no estimate but a limit
LONGEST_STEP = 2.0  # parameters are logs: a factor of 7.4
ENOUGH = 1e-9  # what another step would gain in log-likelihood
ROUNDING = 1e-14  # of the log-likelihood: differences below it are noise
FLATTEST = 1e-10  # of the strongest curvature


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where a search ended.

    Parameters
    ----------
    theta : array, shape (k,)
    value : float
    hessian : array, shape (k, k)
        Second derivatives at `theta`.
    converged : bool
        Whether no step would gain anything; False where a parameter ran to 0 or infinity.
    """

    theta: FloatArray
    value: float
    hessian: FloatArray
    converged: bool

    def covariance(self, values: FloatArray) -> FloatArray | None:
        """Covariance of parameters whose logs are `theta`; None where the data leave one of them open.

        Parameters
        ----------
        values : array, shape (k,)
            The parameters, in the unit the covariance is wanted in.
        """
        if not (np.isfinite(self.hessian).all() and np.linalg.eigvalsh(self.hessian).max() < 0):
            return None
        return np.asarray(-np.linalg.inv(self.hessian) * np.outer(values, values), dtype=np.float64)


def maximise(objective: Objective, start: FloatArray) -> Maximum:
    """Climb to the nearest maximum of `objective`.

    Newton steps with every curvature taken as downward, halved until they gain. The search gives up where
    a parameter leaves the range from 1/10,000 to 10,000.

    Parameters
    ----------
    objective : callable
        Gives value, gradient (k,) and Hessian (k, k) at the logs of the parameters, of shape (k,).
    start : array, shape (k,)

    Examples
    --------
    >>> top = maximise(lambda t: (-float(t[0]) ** 2, -2 * t, -2 * np.eye(1)), np.array([3.0]))
    >>> top.converged, top.theta.tolist()
    (True, [0.0])
    """
    theta = start
    value, gradient, hessian = objective(theta)
    for _ in range(ROUNDS):
        step, gain = _ascent(gradient, hessian)
        noise = ROUNDING * abs(value)
        if gain <= ENOUGH + noise:
            return Maximum(theta, value, hessian, converged=True)
        for _ in range(40):
            tried = objective(theta + step)
            if tried[0] >= value - noise:
                break
            step = step / 2
        else:
            break
        theta = theta + step
        if np.abs(theta).max() > EXTREME:
            break
        value, gradient, hessian = tried
    return Maximum(theta, value, hessian, converged=False)


def _ascent(gradient: FloatArray, hessian: FloatArray) -> tuple[FloatArray, float]:
    """Give the step uphill, no coordinate longer than allowed, and what it promises to gain."""
    curvature, axes = np.linalg.eigh(hessian)
    strength = np.abs(curvature)
    strength = np.maximum(strength, max(FLATTEST * strength.max(), 1e-300))
    along = gradient @ axes
    step = axes @ (along / strength)
    longest = np.abs(step).max()
    if longest > LONGEST_STEP:
        step = step * (LONGEST_STEP / longest)
    return step, float(0.5 * along @ (along / strength))
