"""Shrinkage of noisy effects: a plan built on raw estimates picks what was overestimated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from allocator.errors import Finding
from allocator.models.uplift.adjusted_means import Effects
from allocator.models.uplift.covariates import FloatArray
from allocator.options import Options, Share

NODES = 256  # pairs of spreads over which the result is averaged
GRID = 41  # values tried of each spread
EXACT = 1e-6  # of the largest estimate: the least error


class Shrinkage(Options):
    """How estimates are pulled towards what is alike.

    The effect in tier k of channel c is ``theta_kc ~ N(mu_c, tau_c^2)`` and ``mu_c ~ N(0, omega_c^2)``: tiers
    are pulled towards their channel's mean, and means towards no effect, as the best of several noisy
    channels is overestimated too. Both spreads are averaged over what the data say of them, with a
    half-Cauchy prior on the scale of the standard error (a horseshoe: clear effects stay nearly as they
    are). Spreads are judged channel by channel, the effects jointly with their whole covariance.
    """

    level: Share = 0.8
    """Width of the interval that has to leave out 0 for an effect to be told from noise."""


@dataclass(frozen=True, eq=False)
class ShrunkEffects:
    """Effects a plan may be built on, aligned like the :class:`Effects` they come from.

    Parameters
    ----------
    tier, channel : tuple of str
    mean : array, shape (k,)
        Expected effect per contacted customer, in units of the outcome.
    covariance : array, shape (k, k)
        Of the effects around `mean`, the uncertainty of the spreads included.
    factor : mapping of channel to float
        Share of a tier's deviation from the channel's mean that is kept; 0 where there is one tier.
    mean_factor : mapping of channel to float
        Share of the channel's own mean that is kept.
    tau : mapping of channel to float
        Expected spread of the true effects over tiers, in units of the outcome.
    is_noise : tuple of bool
        Whether the interval of the effect contains 0.
    findings : tuple of Finding
        One W403 a channel with effects that cannot be told from noise.
    """

    tier: tuple[str, ...]
    channel: tuple[str, ...]
    mean: FloatArray
    covariance: FloatArray
    factor: Mapping[str, float]
    mean_factor: Mapping[str, float]
    tau: Mapping[str, float]
    is_noise: tuple[bool, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def standard_error(self) -> FloatArray:
        """Of `mean`, shape (k,)."""
        return np.sqrt(np.diag(self.covariance))


@dataclass(frozen=True, eq=False)
class _Spreads:
    """Equally likely pairs of one channel's spreads, shape (NODES,) each."""

    tau: FloatArray
    omega: FloatArray
    factor: float
    mean_factor: float


def shrink(effects: Effects, options: Shrinkage | None = None) -> ShrunkEffects:
    """Pull tiers towards their channel's mean and channels towards no effect, as far as they are noise.

    Parameters
    ----------
    effects : Effects
    options : Shrinkage or None

    Returns
    -------
    ShrunkEffects
        With the same rows in the same order.

    Examples
    --------
    >>> clear = Effects(("a", "b"), ("email", "email"), np.array([900, 900]), np.array([900, 900]),
    ...                 np.array([9.0, 9.5]), np.array([9.0, 9.5]), np.eye(2))
    >>> shrink(clear).mean.round(1).tolist(), shrink(clear).is_noise
    ([9.0, 9.2], (False, False))
    """
    level = (options or Shrinkage()).level
    names = sorted(set(effects.channel))
    rows = {name: np.flatnonzero(np.array(effects.channel) == name) for name in names}
    noise = _softened(effects)
    spreads = {
        name: _spreads(effects.estimate[at], noise[np.ix_(at, at)], seed)
        for seed, (name, at) in enumerate(rows.items())
    }
    mean, covariance = _average(effects.estimate, noise, _priors(rows, spreads))
    half = NormalDist().inv_cdf(0.5 + level / 2) * np.sqrt(np.diag(covariance))
    return ShrunkEffects(
        tier=effects.tier,
        channel=effects.channel,
        mean=mean,
        covariance=covariance,
        factor={name: one.factor for name, one in spreads.items()},
        mean_factor={name: one.mean_factor for name, one in spreads.items()},
        tau={name: float(one.tau.mean()) for name, one in spreads.items()},
        is_noise=tuple(bool(noise) for noise in np.abs(mean) <= half),
        findings=tuple(_noise_findings(effects, mean, half, level)),
    )


def _spreads(estimate: FloatArray, covariance: FloatArray, seed: int) -> _Spreads:
    """Weigh a grid of both spreads by likelihood and prior, and draw from it in equal steps."""
    k = len(estimate)
    error = float(np.sqrt(np.trace(covariance) / k))
    mean_error = max(float(np.sqrt(max(covariance.sum(), 0.0))) / k, 1e-3 * error)
    tau = _grid(error, estimate) if k > 1 else np.zeros(1)
    omega = _grid(mean_error, estimate)
    weight = _weights(estimate, covariance, tau, omega)
    weight *= _prior(tau / error)[:, None] * _prior(omega / mean_error)
    weight /= weight.sum()
    kept_tau = tau**2 / (tau**2 + error**2)
    kept_mean = omega**2 / (omega**2 + mean_error**2 + tau[:, None] ** 2 / k)
    steps = (np.arange(NODES) + 0.5) / NODES
    picked = np.minimum(np.searchsorted(weight.cumsum(), steps), weight.size - 1)
    picked = np.random.default_rng(seed).permutation(picked)  # channels do not meet in order
    at_tau, at_omega = np.unravel_index(picked, weight.shape)
    factor, mean_factor = float(weight.sum(axis=1) @ kept_tau), float((weight * kept_mean).sum())
    return _Spreads(tau[at_tau], omega[at_omega], factor, mean_factor)


def _weights(estimate: FloatArray, covariance: FloatArray, tau: FloatArray, omega: FloatArray) -> FloatArray:
    """Give the likelihood of every pair of spreads, relative to the largest: rows `tau`, columns `omega`."""
    k = len(estimate)
    spread = tau[:, None, None, None] ** 2 * np.eye(k) + omega[:, None, None] ** 2 * np.ones((k, k))
    total = spread + covariance
    distance = np.linalg.solve(total, estimate[:, None])[..., 0] @ estimate
    log = -0.5 * (np.linalg.slogdet(total)[1] + distance)
    return np.asarray(np.exp(log - log.max()))


def _softened(effects: Effects) -> FloatArray:
    """Give the covariance, no estimate better known than to a vanishing share of the largest."""
    known = EXACT * float(np.abs(effects.estimate).max()) + 1e-100
    return effects.covariance + known**2 * np.eye(len(effects.estimate))


def _grid(error: float, estimate: FloatArray) -> FloatArray:
    """Spreads from next to nothing to well above the largest estimate, in equal ratios."""
    largest = 10 * max(float(np.abs(estimate).max()), error)
    return np.geomspace(error / 50, largest, GRID)


def _prior(ratio: FloatArray) -> FloatArray:
    """Density of the half-Cauchy at `ratio`, per unit of log ratio; 1 for a spread that is fixed at 0."""
    return np.where(ratio > 0, ratio / (1 + ratio**2), 1.0)


def _priors(rows: Mapping[str, NDArray[np.intp]], spreads: Mapping[str, _Spreads]) -> FloatArray:
    """Give the covariance of the true effects at every node, shape (NODES, k, k)."""
    k = sum(len(at) for at in rows.values())
    prior = np.zeros((NODES, k, k))
    for name, at in rows.items():
        one, size = spreads[name], len(at)
        prior[:, at[:, None], at] = one.omega[:, None, None] ** 2 * np.ones((size, size))
        prior[:, at, at] += one.tau[:, None] ** 2
    return prior


def _average(estimate: FloatArray, noise: FloatArray, prior: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give mean and covariance of the effects over the nodes, each a normal with known spreads."""
    gain = np.swapaxes(np.linalg.solve(prior + noise, prior), 1, 2)
    means = gain @ estimate
    mean = means.mean(axis=0)
    within = (gain @ noise).mean(axis=0)
    covariance = within + (means - mean).T @ (means - mean) / len(means)
    return mean, (covariance + covariance.T) / 2


def _noise_findings(effects: Effects, mean: FloatArray, half: FloatArray, level: float) -> Iterator[Finding]:
    for channel in dict.fromkeys(effects.channel):
        told = [
            f"{tier} ({value - width:.3g} to {value + width:.3g})"
            for tier, own, value, width in zip(effects.tier, effects.channel, mean, half, strict=True)
            if own == channel and abs(value) <= width
        ]
        if told:
            what = f"the effect of {channel} cannot be told from nothing in {', '.join(told)}"
            yield Finding("W403", None, what, f"range of a contact's effect with {level:.0%} certainty")
