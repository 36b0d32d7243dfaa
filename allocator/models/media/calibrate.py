"""A history curve corrected by an experiment on the same channel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.models.base import FloatArray, fit_warning, impossible
from allocator.models.media.curves import Calibration, MediaFit

GRID = 801
REACH = 8.0  # standard deviations of the log
CONTRADICT = 2.0  # standard errors
LEAST_SPREAD = 1e-6  # of the log over draws


def calibrated(
    fit: MediaFit, channel: str, spend_per_period: float, value: float, standard_error: float
) -> MediaFit:
    """Combine a channel's curve with what an experiment measured at one spend.

    The history says that the log of the outcome is normal, with mean and variance of its draws; the
    experiment that its value is normal around the outcome. Draws are scaled to the mean and variance of the
    log given both, so their ranks and the shape of each stay. Where the experiment is clear that is the mean
    of the two logs weighted by precision; one that found less than nothing may be used as well.

    Parameters
    ----------
    fit : MediaFit
    channel : str
    spend_per_period : float
        Steady spend over all groups that the experiment compared with none.
    value, standard_error : float
        Outcome per period it brought, in the unit of the panel.

    Returns
    -------
    MediaFit
        With a :class:`Calibration` that tells how far the two were apart, and a finding where they
        contradict each other.

    Raises
    ------
    DataError
        E315 for an unknown channel, or a spend or error that is not above 0.
    """
    at = fit.place(channel)
    if not (spend_per_period > 0 and standard_error > 0 and np.isfinite([value, standard_error]).all()):
        raise impossible(f"an experiment on {channel} needs a spend and a standard error above 0")
    draws = fit.value_draws(channel, spend_per_period)[:, 0]
    log = np.log(np.maximum(draws, np.finfo(float).tiny))
    scaled = _given_both(log, value, standard_error)
    level = fit.curves.level.copy()
    level[:, at] += scaled - log
    curves = replace(fit.curves, level=level)
    ratio = float(np.exp(scaled).mean() / draws.mean())
    told = Calibration(
        channel=channel,
        spend_per_period=spend_per_period,
        history=float(draws.mean()),
        history_error=float(draws.std()),
        experiment=value,
        experiment_error=standard_error,
        combined=float(np.exp(scaled).mean()),
    )
    return _with_share(replace(fit, curves=curves, calibrations=(*fit.calibrations, told)), at, ratio)


def _given_both(log: FloatArray, value: float, standard_error: float) -> FloatArray:
    """Move and narrow the logs of draws to their mean and variance given the experiment."""
    mean, spread = float(log.mean()), max(float(log.std()), LEAST_SPREAD)
    grid = mean + spread * np.linspace(-REACH, REACH, GRID)
    score = -0.5 * ((grid - mean) / spread) ** 2 - 0.5 * ((np.exp(grid) - value) / standard_error) ** 2
    weight = np.exp(score - score.max())
    weight /= weight.sum()
    centre = float(weight @ grid)
    left = float(np.sqrt(weight @ (grid - centre) ** 2))
    return centre + left / spread * (log - mean)


def _with_share(fit: MediaFit, at: int, ratio: float) -> MediaFit:
    """Let what came with media follow the new level, the rest being baseline, and tell a contradiction."""
    told, channel = fit.calibrations[-1], fit.channels[at]
    contribution = fit.contribution.copy()
    contribution[:, :, at] *= ratio
    own = dict(fit.parameters[channel])
    own["share"] *= ratio
    found = fit.findings
    if abs(told.apart) > CONTRADICT:
        what = (
            f"media_mix: the history of {channel} says {told.history:.3g} per period"
            f" at {told.spend_per_period:g} (error {told.history_error:.2g}), the experiment"
            f" {told.experiment:.3g} (error {told.experiment_error:.2g}); the curve gives {told.combined:.3g}"
        )
        found = (*found, fit_warning(what, "they contradict each other: look whether both mean the same"))
    return replace(
        fit,
        parameters={**fit.parameters, channel: own},
        contribution=contribution,
        baseline=fit.fitted - contribution.sum(axis=2),
        findings=found,
    )
