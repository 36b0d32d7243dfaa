"""Empirical Bayes across channels: how much returns differ beyond what noise explains."""

from __future__ import annotations

import numpy as np

from allocator.models.media.problem import Priors, Solution

GRID = np.geomspace(0.05, 2.5, 30)
USUAL = 0.7  # scale of the half-normal prior of the spread: returns a factor of two apart
LEAST_SHARE = 1e-3  # of a variance: what counts as learned


def spread_of_returns(solution: Solution, priors: Priors) -> float:
    """Give the spread of log marginal returns among channels that a fit with a wide prior speaks for.

    The prior is taken off the estimates first: precisions subtract. Then ``y_c ~ N(m, tau^2 + se_c^2)``, and
    tau^2 is averaged over a grid weighed by its likelihood, m integrated out, and a half-normal prior. A fit
    with this spread pulls each log return towards the others by ``tau^2 / (tau^2 + se^2)``: without it a plan
    would pick the channel that was lucky.
    """
    if len(priors.log_share) == 1:
        return priors.returns
    returned, by = priors.returned(solution.theta)
    own = np.einsum("ij,jk,ik->i", by, solution.covariance(), by)
    centre = float(solution.theta.centre)
    precision = np.maximum(1 / own - 1 / priors.returns**2, LEAST_SHARE / own)
    y = (returned / own - centre / priors.returns**2) / precision
    weights = []
    for tau in GRID:
        total = tau**2 + 1 / precision
        mean = (y / total).sum() / (1 / total).sum()
        log = -0.5 * (np.log(total).sum() + ((y - mean) ** 2 / total).sum() + np.log((1 / total).sum()))
        weights.append(log - 0.5 * (tau / USUAL) ** 2 + np.log(tau))
    weight = np.exp(np.array(weights) - max(weights))
    return float(np.sqrt((weight * GRID**2).sum() / weight.sum()))
