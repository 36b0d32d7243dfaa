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

GRID = 13  # values tried of each of the three spreads
OWN_GRID = 9  # values tried of the spread of an effect out of line
OUT_OF_LINE = 0.5  # probability beforehand that one effect is
CLEAR = 3.0  # half-Cauchy scale of the spread of an effect out of line, in standard errors; of others 1
EXACT = 1e-6  # of the largest estimate: the least error


class Shrinkage(Options):
    """How estimates are pulled towards what is alike.

    The effect in tier k of channel c is ``theta_kc = s_k (m_c + g_k + d_kc)``: in proportion to the known
    scale ``s_k`` of the tier, ``m_c ~ N(0, omega^2)``, ``g_k ~ N(0, gamma^2)`` where tiers are several,
    ``d_kc ~ N(0, tau^2)``. So tiers are pulled towards their
    channel's mean and means towards no effect, as the best of several noisy channels is overestimated too.
    With even odds one effect, any of them, is out of line with a spread of its own, so that a large and
    clear one stays. All spreads are averaged over what the data say of them by their joint likelihood with
    the whole covariance, each with a half-Cauchy prior on the scale of the standard errors.
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
        Expected spread of the true effects over tiers, in units of the outcome at the channel's root mean
        square scale.
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

    def row(self, tier: str, channel: str) -> int:
        """Give the place of a tier and channel in the arrays.

        Raises
        ------
        ValueError
            When there is no effect for them.
        """
        return list(zip(self.tier, self.channel, strict=True)).index((tier, channel))


@dataclass(frozen=True, eq=False)
class _Scaled:
    """Effects in units of their tier's scale, `noise` their covariance.

    `same` marks rows of one channel, `beside` those of one tier.
    """

    estimate: FloatArray
    noise: FloatArray
    same: FloatArray
    beside: FloatArray

    @classmethod
    def of(cls, effects: Effects, scale: FloatArray) -> _Scaled:
        """Scale, no estimate better known than to a vanishing share of the largest."""
        estimate = effects.estimate / scale
        known = EXACT * float(np.abs(estimate).max()) + 1e-100
        noise = effects.covariance / np.outer(scale, scale) + known**2 * np.eye(len(estimate))
        same, beside = (
            np.equal(np.array(names)[:, None], names).astype(np.float64)
            for names in (effects.channel, effects.tier)
        )
        return cls(estimate, noise, same, beside)

    def errors(self, at: NDArray[np.intp] | slice = slice(None)) -> tuple[float, float]:
        """Give the typical standard error of an effect and of a channel's mean."""
        noise, same = self.noise[at][:, at], self.same[at][:, at]
        error = float(np.sqrt(np.trace(noise) / len(noise)))
        shared = float((noise * same).sum() / same.sum())
        return error, max(float(np.sqrt(max(shared, 0.0))), 1e-2 * error)

    def grid(self, error: float, n: int = GRID, least: float = 0.02) -> FloatArray:
        """Spreads from next to nothing to well above the largest estimate, in equal ratios."""
        return np.geomspace(least * error, 10 * max(float(np.abs(self.estimate).max()), self.errors()[0]), n)


@dataclass(frozen=True, eq=False)
class _Nodes:
    """Triples of spreads, shape (n,) each, and what follows from them.

    `precision` (n, k, k) is the inverse covariance of the estimates, `pulled` (n, k) its product with them,
    `own` and `own_squared` (n, k) what every effect, were it out of line, takes off the precision.
    """

    tau: FloatArray
    omega: FloatArray
    weight: FloatArray
    precision: FloatArray
    pulled: FloatArray
    own: FloatArray
    own_squared: FloatArray


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
    >>> shrink(clear).mean.round(0).tolist(), shrink(clear).is_noise
    ([9.0, 9.0], (False, False))
    """
    level = (options or Shrinkage()).level
    scale = np.ones(len(effects.estimate)) if effects.scale is None else effects.scale
    scaled = _Scaled.of(effects, scale)
    nodes = _nodes(scaled)
    kept = {name: _kept(scaled, nodes, effects, name) for name in sorted(set(effects.channel))}
    mean, covariance = _average(scaled, nodes)
    mean, covariance = mean * scale, covariance * np.outer(scale, scale)
    half = NormalDist().inv_cdf(0.5 + level / 2) * np.sqrt(np.diag(covariance))
    return ShrunkEffects(
        tier=effects.tier,
        channel=effects.channel,
        mean=mean,
        covariance=covariance,
        factor={name: one[0] for name, one in kept.items()},
        mean_factor={name: one[1] for name, one in kept.items()},
        tau={
            name: float(one[2] * np.sqrt(np.mean(scale[np.array(effects.channel) == name] ** 2)))
            for name, one in kept.items()
        },
        is_noise=tuple(bool(noise) for noise in np.abs(mean) <= half),
        findings=tuple(_noise_findings(effects, mean, half, level)),
    )


def _nodes(scaled: _Scaled) -> _Nodes:
    """Weigh a grid of the spreads by their likelihood and priors."""
    error, mean_error = scaled.errors()
    k = len(scaled.estimate)
    several = scaled.same.sum() > k
    tiers = scaled.grid(error) if several else np.zeros(1)
    level = scaled.grid(error) if several and scaled.beside.sum() > k else np.zeros(1)
    grids = np.meshgrid(tiers, scaled.grid(mean_error), level, indexing="ij")
    tau, omega, gamma = (grid.ravel() for grid in grids)
    parts = ((tau, np.eye(k)), (omega, scaled.same), (gamma, scaled.beside))
    spread = sum(size[:, None, None] ** 2 * alike for size, alike in parts)
    precision = np.asarray(np.linalg.inv(spread + scaled.noise), dtype=np.float64)
    pulled = precision @ scaled.estimate
    log = 0.5 * (np.linalg.slogdet(precision)[1] - pulled @ scaled.estimate)
    log += np.log(_prior(tau / error) * _prior(omega / mean_error) * _prior(gamma / error))
    gain, ratio = _out_of_line(scaled, precision, pulled)
    every = np.concatenate([np.zeros((len(log), 1)) + np.log(1 - OUT_OF_LINE), ratio], axis=1) + log[:, None]
    weight = np.exp(every - every.max())
    weight /= weight.sum()
    own = (weight[:, 1:] * gain).reshape(len(log), k, OWN_GRID)
    squared = (weight[:, 1:] * gain**2).reshape(len(log), k, OWN_GRID)
    return _Nodes(tau, omega, weight.sum(axis=1), precision, pulled, own.sum(axis=2), squared.sum(axis=2))


def _out_of_line(scaled: _Scaled, precision: FloatArray, pulled: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give what a spread of its own does to the precision by each effect, and how likely it makes the data.

    A variance ``b^2`` more of one estimate takes ``g p p'`` off the precision P, p its column and
    ``g = b^2 / (1 + b^2 P_jj)``; relative log likelihoods include the prior. Shapes (n, k * OWN_GRID).
    """
    k, error = len(scaled.estimate), scaled.errors()[0]
    own = scaled.grid(error, OWN_GRID, least=0.2)
    prior = _prior(own / (CLEAR * error))
    grown = own**2 * np.diagonal(precision, axis1=1, axis2=2)[:, :, None]
    gain = own**2 / (1 + grown)
    ratio = 0.5 * (gain * pulled[:, :, None] ** 2 - np.log1p(grown))
    ratio += np.log(OUT_OF_LINE / k * prior / prior.sum())
    return gain.reshape(len(pulled), -1), ratio.reshape(len(pulled), -1)


def _prior(ratio: FloatArray) -> FloatArray:
    """Density of the half-Cauchy at `ratio`, per unit of log ratio; 1 for a spread that is fixed at 0."""
    return np.where(ratio > 0, ratio / (1 + ratio**2), 1.0)


def _kept(scaled: _Scaled, nodes: _Nodes, effects: Effects, channel: str) -> tuple[float, float, float]:
    """Give the shares a channel keeps of its tiers' deviations and of its mean, and its expected tau."""
    at = np.flatnonzero(np.array(effects.channel) == channel)
    error, mean_error = scaled.errors(at)
    tau = nodes.tau if len(at) > 1 else np.zeros(1)
    deviation = tau**2 / (tau**2 + error**2)
    mean = nodes.omega**2 / (nodes.omega**2 + mean_error**2 + tau**2 / len(at))
    return tuple(float((nodes.weight * one).sum()) for one in (deviation, mean, tau))  # type: ignore[return-value]


def _average(scaled: _Scaled, nodes: _Nodes) -> tuple[FloatArray, FloatArray]:
    """Give mean and covariance of the effects over the nodes, each a normal with known spreads.

    With precision P of the estimates y and their noise C that is ``y - C P y`` and ``C - C P C``.
    """

    def summed(weights: FloatArray) -> FloatArray:
        columns = (nodes.precision * weights[:, :, None]).reshape(-1, k)
        return np.asarray(columns.T @ nodes.precision.reshape(-1, k))

    k, noise = len(scaled.estimate), scaled.noise
    taken = np.einsum("nj,njk->nk", nodes.own * nodes.pulled, nodes.precision)
    pull = nodes.weight @ nodes.pulled - taken.sum(axis=0)
    precision = np.tensordot(nodes.weight, nodes.precision, 1) - summed(nodes.own)
    crossed = taken.T @ nodes.pulled
    square = (nodes.pulled * nodes.weight[:, None]).T @ nodes.pulled - crossed - crossed.T
    between = square + summed(nodes.own_squared * nodes.pulled**2) - np.outer(pull, pull)
    covariance = noise - noise @ (precision - between) @ noise
    return scaled.estimate - noise @ pull, (covariance + covariance.T) / 2


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
