"""What a spend history cannot tell: collinear channels, too little variation, spend that follows demand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from allocator.errors import Finding
from allocator.models.base import FloatArray
from allocator.models.media.curves import MediaFit
from allocator.models.media.panel import MediaPanel
from allocator.models.media.problem import Problem

INFLATED = 5.0  # variance inflation: four fifths of a channel's variation is that of others
LITTLE = 0.1  # of mean spend: variation beyond trend, season and controls
WIDE = 3.0  # upper end of the 80 % interval of a marginal return, over the lower one
LEADS = 2  # periods in which spend may answer to demand
CHANCE = 0.01  # how often a history without such an answer is suspected, over all channels
FOLLOWS = 0.7  # correlation of spend with the outcome without media, from where season explains it


@dataclass(frozen=True, eq=False)
class Variation:
    """What is left of each channel's spend once trend, season and controls are known.

    Parameters
    ----------
    spend : array, shape (g * t, c)
        Spend per size over its mean, weighted by row.
    left : array, shape (g * t, c)
        The same without what the baseline explains.
    """

    spend: FloatArray
    left: FloatArray

    @classmethod
    def of(cls, problem: Problem) -> Variation:
        """Take the baseline off every channel's spend."""
        rows = problem.spend.reshape(len(problem.spend), -1).T
        return cls(rows * problem.weight[:, None], problem.without_baseline(rows))

    def relative(self) -> FloatArray:
        """Give the standard deviation left over mean spend, shape (c,)."""
        return np.asarray(np.sqrt((self.left**2).sum(axis=0)) / np.sqrt((self.spend**2).sum(axis=0)))

    def inflation(self) -> FloatArray:
        """Give how much each channel's variance of estimate grows because of the others, shape (c,).

        The diagonal of the inverse correlation matrix (Marquardt 1970, Generalized inverses).
        """
        return np.asarray(np.diag(np.linalg.pinv(self.correlation(), hermitian=True)))

    def correlation(self) -> FloatArray:
        """Give the correlations between what is left, shape (c, c)."""
        size = np.sqrt((self.left**2).sum(axis=0))
        size = np.where(size > 0, size, 1.0)
        return np.asarray(self.left.T @ self.left / np.outer(size, size))


def findings(panel: MediaPanel, problem: Problem, residual: FloatArray, fit: MediaFit) -> tuple[Finding, ...]:
    """Give what limits how far the curves may be believed.

    Parameters
    ----------
    panel : MediaPanel
    problem : Problem
        What was solved for it.
    residual : array, shape (g, t)
        Weighted, of the solution.
    fit : MediaFit
        The curves.
    """
    variation = Variation.of(problem)
    return (
        *_collinear(panel.channels, variation),
        *_unsure(panel.channels, variation, fit),
        *_followers(panel, problem, residual, fit),
    )


def _collinear(channels: tuple[str, ...], variation: Variation) -> Iterator[Finding]:
    inflation, alike = variation.inflation(), np.abs(variation.correlation())
    np.fill_diagonal(alike, 0.0)
    tied = [at for at in range(len(channels)) if inflation[at] > INFLATED]
    if not tied:
        return
    told = ", ".join(
        f"{channels[at]} (with {channels[int(alike[at].argmax())]}, correlation {alike[at].max():.2f})"
        for at in tied
    )
    yield Finding(
        "W422",
        None,
        f"channels were bought together, so the history hardly tells them apart: {told}",
        "plan them as one channel, vary them apart for some weeks, or test one of them",
    )


def _unsure(channels: tuple[str, ...], variation: Variation, fit: MediaFit) -> Iterator[Finding]:
    still = [
        f"{channel} ({own:.0%} of its mean)"
        for channel, own in zip(channels, variation.relative(), strict=True)
        if own < LITTLE
    ]
    if still:
        yield Finding(
            "W423",
            None,
            f"spend varied little beyond trend, season and controls: {', '.join(still)}",
            "the curve is mostly what is usual elsewhere; vary the spend by region or week, or test it",
        )
    wide = []
    for channel, current in zip(channels, fit.current, strict=True):
        low, high = np.quantile(fit.marginal_draws(channel, current), (0.1, 0.9))
        if high > WIDE * low:
            wide.append(f"{channel} ({low:.2g} to {high:.2g}, a factor of {high / max(low, 1e-12):.0f})")
    if wide:
        yield Finding(
            "W423",
            None,
            f"little is known of what one more unit of spend brings: {', '.join(wide)}",
            "80 % ranges at current spend; a panel by region, more varied spend or an experiment tells more",
        )


def _followers(panel: MediaPanel, problem: Problem, residual: FloatArray, fit: MediaFit) -> Iterator[Finding]:
    answers = _answers(problem, residual) < CHANCE / (len(panel.channels) + 1)
    demand = fit.baseline.sum(axis=0)
    told = []
    for at, channel in enumerate(panel.channels):
        alike = _correlation(panel.spend[:, :, at].sum(axis=0), demand)
        if answers[at]:
            told.append(f"{channel} (more is spent after an outcome above the fit)")
        elif alike > FOLLOWS:
            told.append(f"{channel} (correlation {alike:.2f} with the outcome without media)")
    if answers[-1] and not answers[:-1].any():
        told.append("all channels together (more is spent after an outcome above the fit)")
    if told:
        yield Finding(
            "W424",
            None,
            f"spend follows demand, which then passes for its effect: {', '.join(told)}",
            "add what drives demand as a control, or test the channel; its curve is likely too high",
        )


def _answers(problem: Problem, residual: FloatArray) -> FloatArray:
    """Give how likely chance alone makes spend so large after a good week, shape (c + 1,), the last for all.

    Where spend only causes the outcome, what the fit leaves of a week tells nothing of spend later (Sims
    1972, Money, income, and causality). The sum of products of a residual and the spend one and two periods
    later is held against the same sums with spend moved by many periods, around the end: these have only
    chance in common, and are as smooth.
    """
    from scipy.stats import norm

    groups, periods = residual.shape
    spend = Variation.of(problem).left
    spend = spend / np.maximum(np.sqrt((spend**2).sum(axis=0)), 1e-300)
    spend = np.column_stack([spend, spend.sum(axis=1)]).reshape(groups, periods, -1)
    turned = np.conj(np.fft.rfft(residual, axis=1))[:, :, None] * np.fft.rfft(spend, axis=1)
    by_lead = np.fft.irfft(turned.sum(axis=0), periods, axis=0)
    sums = sum((np.roll(by_lead, -lead, axis=0) for lead in range(1, LEADS + 1)), np.zeros_like(by_lead))
    away = max(periods // 10, LEADS + 1)
    usual = np.sqrt((sums[away:-away] ** 2).mean(axis=0))
    return np.asarray(norm.sf(sums[0] / np.where(usual > 0, usual, 1.0)))


def _correlation(a: FloatArray, b: FloatArray) -> float:
    if not (a.std() > 0 and b.std() > 0):
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
