"""Response curves from spend history: `MediaMix` and its fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from allocator.models.base import FloatArray
from allocator.models.media.adstock import adstock
from allocator.models.media.curves import CurveDraws, MediaFit
from allocator.models.media.design import baseline_columns, trend_and_season
from allocator.models.media.holdout import HELD_OUT, Holdout, score
from allocator.models.media.identifiable import findings
from allocator.models.media.panel import MediaPanel
from allocator.models.media.pooling import spread_of_returns
from allocator.models.media.problem import Priors, Problem, Solution, Theta, best
from allocator.models.media.refits import redrawn
from allocator.models.media.saturation import Family
from allocator.options import Count, Flag, Number, Options, Share

APART = 1.5  # spread of log returns before they are known
USUAL_ELASTICITY = 0.5
STEADY = 20.0  # periods' worth of belief that groups are equally noisy, relative to size

Spread = Annotated[Number, Field(gt=0)]


class MediaMix(Options):
    """Learns what channels bring from a panel of spend and outcome.

    The outcome of a group in a period, over its mean, is a level, a trend, a season, controls, and for each
    channel a saturating function of spend with geometric carry-over (Jin et al. 2017, Bayesian methods for
    media mix modeling with carryover and shape effects). Media never lower the outcome. Where the history
    says little, bend, decay and return stay near what the spreads below call usual.

    Examples
    --------
    >>> MediaMix(saturation="log").harmonics
    2
    """

    name: Literal["media_mix"] = "media_mix"
    saturation: Family = "hill"
    """hill (with exponent 1 unless s_shaped), log or power: what more spend brings."""
    s_shaped: Flag = False
    """Let the exponent of hill be above 1, so that little spend may bring next to nothing."""
    harmonics: Count = 2
    """Pairs of sine and cosine of a year in the season; 0 for none."""
    refits: Annotated[Count, Field(ge=20)] = 120
    """Times the fit is repeated on resampled residuals; draws are made of these."""
    block: Annotated[Count, Field(ge=1)] = 8
    """Periods in a row that are resampled together, because neighbours are alike."""
    bend_spread: Spread = 0.7
    """How far data must speak for another saturation: standard deviation of log(half-saturation / mean spend)
    for hill, before the data are seen."""
    usual_decay: Annotated[Share, Field(gt=0, lt=1)] = 0.35
    """Share of the pressure that is left after a period, usually."""
    decay_spread: Spread = 1.0
    """Standard deviation of the log odds of the decay."""
    usual_share: Annotated[Share, Field(gt=0, lt=1)] = 0.15
    """What all channels bring together over the outcome, usually."""
    share_spread: Spread = 0.8
    """Standard deviation of the log of that share: 0.8 is a factor of 2.2."""

    def fit(self, panel: MediaPanel, *, draws: int, seed: int) -> MediaFit:
        """Fit curves with `draws` equally likely versions of each.

        Parameters
        ----------
        panel : MediaPanel
        draws : int
        seed : int

        Returns
        -------
        MediaFit
            The same for the same input; it does not depend on the order of the channels, nor on the unit of
            money.
        """
        estimate = self.estimate(panel, len(panel.starts))
        rng = np.random.default_rng(seed)
        order = np.argsort(np.argsort(panel.channels))
        drawn = redrawn(estimate.problem, estimate.solution, (self.refits, draws, self.block), order, rng)
        fitted = _assembled(panel, estimate, drawn, self._holdout(panel))
        left = estimate.problem.residual(estimate.solution.theta).reshape(panel.outcome.shape)
        return replace(fitted, findings=findings(panel, estimate.problem, left, fitted))

    def estimate(self, panel: MediaPanel, n_periods: int) -> Estimate:
        """Give the best parameters by the first `n_periods` periods."""
        problem, solution = self._weighed(panel, n_periods)
        returns = spread_of_returns(solution, problem.priors)
        problem = replace(problem, priors=replace(problem.priors, returns=returns))
        return Estimate(problem, problem.solve(solution.theta))

    def _weighed(self, panel: MediaPanel, n_periods: int) -> tuple[Problem, Solution]:
        """Fit with equal weights, then with those of the noise that was seen."""
        problem = self._problem(panel, n_periods)
        starts = problem.starts()
        problem = replace(problem, noise=problem.noise_of(starts[0]))
        solution = best(problem, starts)
        problem = replace(problem, weight=_weights(panel, problem, solution.theta))
        problem = replace(problem, common=problem.common_of(solution.theta))
        for _ in range(2):
            problem = replace(problem, noise=problem.noise_of(solution.theta))
            solution = problem.solve(solution.theta)
        return problem, solution

    def _problem(self, panel: MediaPanel, n_periods: int) -> Problem:
        used = np.arange(len(panel.starts)) < n_periods
        size = panel.outcome[:, used].mean(axis=1)
        total = panel.spend.sum(axis=(0, 1))
        per_size = panel.spend / size[:, None, None] * (size.sum() * len(used) / total)
        season = self.harmonics if n_periods >= panel.periods_per_year else 0
        return Problem(
            target=(panel.outcome / size[:, None]).ravel(),
            spend=np.ascontiguousarray(np.moveaxis(per_size, 2, 0)),
            columns=baseline_columns(panel, trend_and_season(panel, season)),
            weight=np.tile(used.astype(np.float64), len(size)),
            family=self.saturation,
            priors=self._priors(total / total.sum()),
        )

    def _priors(self, share: FloatArray) -> Priors:
        return Priors(
            family=self.saturation,
            log_share=np.log(share),
            returns=APART,
            centre=float(np.log(self.usual_share * USUAL_ELASTICITY)),
            centre_spread=self.share_spread,
            bend_spread=self.bend_spread,
            odds=float(np.log(self.usual_decay / (1 - self.usual_decay))),
            odds_spread=self.decay_spread,
            exponent_spread=0.5 if self.s_shaped and self.saturation == "hill" else 0.0,
        )

    def _holdout(self, panel: MediaPanel) -> Holdout:
        t = len(panel.starts)
        first = t - max(1, round(HELD_OUT * t))
        estimate = self.estimate(panel, first)
        problem, theta = estimate.problem, estimate.solution.theta
        size = panel.outcome[:, :first].mean(axis=1)[:, None]
        nothing = replace(theta, level=np.full_like(theta.level, -np.inf))
        told = [
            (size * (problem.baseline(one) + problem.effects(one).sum(axis=1)).reshape(-1, t)).sum(axis=0)
            for one in (theta, nothing)
        ]
        came = panel.outcome.sum(axis=0)[first:]
        with_media, without = (score(one[first:], came) for one in told)
        return Holdout(with_media, without, t - first)


@dataclass(frozen=True, eq=False)
class Estimate:
    """A problem with the weights and priors that were settled on, and its solution."""

    problem: Problem
    solution: Solution


def _weights(panel: MediaPanel, problem: Problem, theta: Theta) -> FloatArray:
    """Give each row the inverse noise of its group, drawn towards equal noise where periods are few."""
    left = problem.residual(theta).reshape(len(panel.groups), -1)
    used = (problem.weight > 0).reshape(left.shape)
    own, n = (left**2).sum(axis=1), used.sum(axis=1)
    common = own.sum() / n.sum()
    if common <= 0:
        return problem.weight
    ratio = (own + STEADY * common) / (n + STEADY) / common
    return np.asarray((used / np.sqrt(ratio)[:, None]).ravel())


def _assembled(panel: MediaPanel, estimate: Estimate, drawn: Theta, holdout: Holdout) -> MediaFit:
    """Bring parameters back to money."""
    problem, theta = estimate.problem, estimate.solution.theta
    g, t = panel.outcome.shape
    size, recent = panel.sizes, panel.spend[:, panel.recent].sum(axis=1)
    usual = np.where(recent.sum(axis=0) > 0, recent, panel.spend.sum(axis=1))
    mean = panel.spend.sum(axis=(0, 1)) / t
    pressure = usual / usual.sum(axis=0) * size.sum() / (size[:, None] * mean)
    contribution = size[:, None, None] * problem.effects(theta).reshape(g, t, -1)
    baseline = size[:, None] * problem.baseline(theta).reshape(g, t)
    every = panel.spend.sum(axis=0).T
    return MediaFit(
        channels=panel.channels,
        decay=theta.decay,
        parameters=_named(panel.channels, theta, mean, problem.family),
        current=recent.sum(axis=0) / len(panel.starts[panel.recent]),
        highest=np.array([adstock(x, d).max() for x, d in zip(every, theta.decay, strict=True)]),
        curves=CurveDraws(problem.family, drawn.level, drawn.bend, drawn.exponent, size, pressure),
        holdout=holdout,
        findings=(),
        fitted=baseline + contribution.sum(axis=2),
        baseline=baseline,
        contribution=contribution,
        noise=problem.noise,
    )


def _named(
    channels: tuple[str, ...], theta: Theta, mean: FloatArray, family: Family
) -> dict[str, dict[str, float]]:
    named = {}
    for c, channel in enumerate(channels):
        own = {"decay": float(theta.decay[c]), "share": float(np.exp(theta.level[c]))}
        if family == "power":
            own["power"] = float(1 / (1 + np.exp(-theta.bend[c])))
        else:
            own["half_saturation" if family == "hill" else "scale"] = float(np.exp(theta.bend[c]) * mean[c])
        named[channel] = own | ({"exponent": float(theta.exponent[c])} if family == "hill" else {})
    return named
