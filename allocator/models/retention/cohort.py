"""Likelihood of a cohort's survivors, for the models in which the chance to leave differs by a beta."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from allocator.errors import Finding
from allocator.models.base import REGULARISED, FloatArray, fit_warning, impossible
from allocator.models.newton import EXTREME, Maximum, maximise

LARGEST_LOG = 100.0  # of t^c
LEAST_STEP = -1e-120  # of log S, where its differences are lost in rounding
FLAT = 1e-9  # of the strongest curvature
FIX = "take more periods or more customers; forecasts far ahead are unsure"


def log_survival(alpha: float, beta: float, passed: FloatArray) -> FloatArray:
    """Give ``log(B(alpha, beta + passed) / B(alpha, beta))``."""
    from scipy.special import betaln

    return np.asarray(betaln(alpha, beta + passed) - betaln(alpha, beta))


def passed(periods: ArrayLike, c: float) -> FloatArray:
    """Give ``t^c``."""
    t = np.asarray(periods, dtype=np.float64)
    logs = np.minimum(c * np.log(np.maximum(t, 1.0)), LARGEST_LOG)
    return np.where(t > 0, np.exp(logs), 0.0)


def survivors(name: str, active: ArrayLike) -> FloatArray:
    """Give a cohort's numbers of active customers, or refuse what cannot be one."""
    counts = np.asarray(active, dtype=np.float64)
    if counts.ndim != 1 or len(counts) < 2:
        what = "needs the customers active in two periods at least"
    elif not (np.isfinite(counts).all() and (counts >= 0).all() and counts[0] > 0):
        what = "needs a cohort of one customer at least, and no negative number of active ones"
    elif (np.diff(counts) > 0).any():
        what = "was given more active customers than in the period before"
    else:
        return counts
    raise impossible(f"{name} {what}")


class Likelihood:
    """The log-likelihood as a function of the logs of alpha, beta and, where it is open, c.

    ``sum over t of lost(t) log(S(t - 1) - S(t)) + kept log S(T)``, with
    ``S(t) = B(alpha, beta + t^c) / B(alpha, beta)``.

    Parameters
    ----------
    active : array, shape (T + 1,)
        Customers active at the end of periods 0 to T.
    penalty : float
        Weight of ``-1/2 * sum(theta**2)``.
    shapes : int
        2 where c is 1, 3 where it is open.
    """

    def __init__(self, active: FloatArray, penalty: float, shapes: int) -> None:
        self.lost, self.kept = -np.diff(active), float(active[-1])
        self.t = np.arange(len(active), dtype=np.float64)
        self.penalty = penalty
        self.shapes = shapes

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Give the penalised value, its gradient (k,) and its Hessian (k, k)."""
        log_s, slopes, bends = self._log_survival(theta)
        value, weight, bend = self._outcome(log_s)
        steps = np.diff(slopes, axis=0)
        gradient = weight @ slopes - self.penalty * theta
        hessian = np.einsum("t,tij->ij", weight, bends) + (bend[:, None] * steps).T @ steps
        hessian -= self.penalty * np.eye(self.shapes)
        return value - 0.5 * self.penalty * float(theta @ theta), gradient, hessian

    def _outcome(self, log_s: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Give the value, its slopes in ``log S(t)`` (T + 1,), and its bends in their steps (T,)."""
        step = np.minimum(np.diff(log_s), LEAST_STEP)
        some = self.lost > 0
        odds = np.where(some, np.expm1(np.minimum(-step, LARGEST_LOG)), 1.0)
        value = self.lost[some] @ (log_s[:-1] + np.log(-np.expm1(step)))[some] + self.kept * log_s[-1]
        weight = np.append(self.lost * (1 + 1 / odds), self.kept)
        weight[1:] -= self.lost / odds
        return float(value), weight, -self.lost * (1 + 1 / odds) / odds

    def _log_survival(self, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Give ``log S`` (T + 1,), its gradient (T + 1, k) and its Hessian (T + 1, k, k)."""
        from scipy.special import psi, zeta

        alpha, beta, c = np.exp(np.append(theta, 0.0)[:3])
        x = passed(self.t, c)
        first = np.stack([*np.broadcast_arrays(alpha, beta, c * np.log(np.maximum(self.t, 1.0)) * x)], axis=1)
        both, some = alpha + beta, beta + x
        by_both, by_some = psi(both) - psi(both + x), psi(some)
        by = np.stack([by_both, by_both + by_some - psi(beta), by_some - psi(some + alpha)], axis=1)
        all_, rest = zeta(2, both) - zeta(2, both + x), -zeta(2, both + x)
        own = zeta(2, some)
        second = np.empty((len(x), 3, 3))
        second[:] = all_[:, None, None]
        second[:, 2, :] = second[:, :, 2] = rest[:, None]
        second[:, 1, 1] += own - zeta(2, beta)
        second[:, 1, 2] = second[:, 2, 1] = second[:, 2, 2] = rest + own
        slopes = by * first
        bends = second * first[:, :, None] * first[:, None, :]
        # the derivative of the parameter by its log, once more
        bends[:, range(3), range(3)] += slopes
        bends[:, 2, 2] += slopes[:, 2] * c * np.log(np.maximum(self.t, 1.0))
        k = self.shapes
        return log_survival(alpha, beta, x), slopes[:, :k], bends[:, :k, :k]


def estimate(
    name: str, active: FloatArray, penalty: float, start: FloatArray
) -> tuple[Maximum, float, tuple[Finding, ...]]:
    """Maximise the likelihood, regularised where the data leave a parameter open.

    Returns
    -------
    maximum : Maximum
        At the logs of the parameters.
    log_likelihood : float
        Without penalty.
    warnings : tuple of Finding
    """
    likelihood = Likelihood(active, penalty, len(start))
    maximum = maximise(likelihood, start)
    warnings: tuple[Finding, ...] = ()
    if not _closed(maximum):
        likelihood = Likelihood(active, max(penalty, REGULARISED), len(start))
        maximum = maximise(likelihood, start)
        what = f"{name}: the data leave a parameter open, so the estimate is regularised"
        warnings = (fit_warning(what, FIX),)
    theta = np.clip(maximum.theta, -EXTREME, EXTREME)
    value = likelihood(theta)[0] + 0.5 * likelihood.penalty * float(theta @ theta)
    return Maximum(theta, value, maximum.hessian, maximum.converged), value, warnings


def _closed(maximum: Maximum) -> bool:
    """Whether the likelihood bends in every direction."""
    if not maximum.converged:
        return False
    bends = np.linalg.eigvalsh(maximum.hessian)
    return bool(bends.max() < -FLAT * np.abs(bends).max())
