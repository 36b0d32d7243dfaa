"""Weekly spend and outcome of regions whose response curves are known, for judging fits of them.

The truth is no family a fit assumes: half of the channels saturate exponentially, half hyperbolically, noise
is in proportion to the outcome, and the season is no sum of few sines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.tables.sample.chance import Chance, FloatArray

FIRST_DAY = np.datetime64("2024-01-01")
WEEKS_PER_YEAR = 365.25 / 7
WARM_UP = 30  # weeks before the first, so that carry-over is under way
CHANNELS = ("tv", "search", "social", "display")
MEDIA_SHARE = 0.25  # of the outcome
NOISE = 0.05
VARIATION = 0.5  # standard deviation of log spend
PER_HEAD = 100.0  # outcome a week per unit of size, before media


@dataclass(frozen=True, eq=False)
class TrueMedia:
    """What channels truly bring in a region, per week: ``ceiling * size * S(spend / size)``.

    Parameters
    ----------
    ceiling : array, shape (c,)
        Most outcome a week per unit of size.
    half : array, shape (c,)
        Spend a week per unit of size that brings half of it.
    exponential : array of bool, shape (c,)
        Whether S is ``1 - 2 ** (-x / half)``; else it is ``x / (x + half)``.
    decay : array, shape (c,)
        Share of the pressure left after a week.
    size : array, shape (g,)
    usual : array, shape (g, c)
        Mean spend a week over the last year.
    """

    ceiling: FloatArray
    half: FloatArray
    exponential: NDArray[np.bool_]
    decay: FloatArray
    size: FloatArray
    usual: FloatArray

    def per_size(self, channel: int, x: FloatArray) -> FloatArray:
        """Give the outcome per unit of size of pressure `x` per unit of size."""
        ratio = x / self.half[channel]
        share = 1 - 2.0**-ratio if self.exponential[channel] else ratio / (1 + ratio)
        return np.asarray(self.ceiling[channel] * share)

    def value(self, channel: int, spend: FloatArray) -> FloatArray:
        """Give the outcome a week of a steady total spend, split over regions as usual; shape (k,)."""
        share = self.usual[:, channel] / self.usual[:, channel].sum()
        each = self.per_size(channel, spend[:, None] * share / self.size)
        return np.asarray(each @ self.size)

    def marginal(self, channel: int, spend: FloatArray) -> FloatArray:
        """Give the outcome of the next unit of money, shape (k,)."""
        step = 1e-5 * self.usual[:, channel].sum()
        rise = self.value(channel, spend + step) - self.value(channel, spend - step)
        return np.asarray(rise / (2 * step))

    def brought(self, spend: FloatArray) -> FloatArray:
        """Give the outcome of each channel week by week, of spend of shape (g, t, c)."""
        pressure = np.empty_like(spend)
        level = spend[:, 0]
        for week in range(spend.shape[1]):
            level = self.decay * level + (1 - self.decay) * spend[:, week]
            pressure[:, week] = level
        size = self.size[:, None]
        parts = [size * self.per_size(c, pressure[:, :, c] / size) for c in range(spend.shape[2])]
        return np.stack(parts, axis=2)


@dataclass(frozen=True, eq=False)
class MediaWorld:
    """A history and the truth behind it.

    Parameters
    ----------
    outcome : array, shape (g, t)
        Money a week.
    spend : array, shape (g, t, c)
        Money a week.
    controls : array, shape (g, t, 1)
        1 in weeks of a promotion.
    starts : array of datetime64[D], shape (t,)
    channels, regions : tuple of str
    truth : TrueMedia
    """

    outcome: FloatArray
    spend: FloatArray
    controls: FloatArray
    starts: NDArray[np.datetime64]
    channels: tuple[str, ...]
    regions: tuple[str, ...]
    truth: TrueMedia

    @property
    def current(self) -> FloatArray:
        """Mean spend a week over all regions in the last year, shape (c,)."""
        return np.asarray(self.truth.usual.sum(axis=0))


def regional_panel(seed: int, *, regions: int = 20, weeks: int = 104, noise: float = NOISE) -> MediaWorld:
    """Simulate regions in which the spend on every channel varies by chance alone.

    Examples
    --------
    >>> world = regional_panel(1, regions=3, weeks=60)
    >>> world.spend.shape, bool((world.truth.marginal(0, world.current[:1]) > 0).all())
    ((3, 60, 4), True)
    """
    return _world(seed, (regions, weeks), noise, spread=VARIATION)


def collinear_panel(seed: int, *, regions: int = 20, weeks: int = 104, noise: float = NOISE) -> MediaWorld:
    """Simulate regions in which the first two channels are always bought together, to about a twentieth."""
    return _world(seed, (regions, weeks), noise, spread=VARIATION, together=0.05)


def demand_panel(
    seed: int, *, regions: int = 20, weeks: int = 104, noise: float = NOISE, follows: float = 2.0
) -> MediaWorld:
    """Simulate regions in which spend follows a demand that nobody records.

    Demand wanders from week to week (its log by a tenth, .8 of it stays), and spend grows with its power
    `follows`.
    """
    return _world(seed, (regions, weeks), noise, spread=VARIATION, follows=follows)


def _world(
    seed: int,
    shape: tuple[int, int],
    noise: float,
    *,
    spread: float,
    together: float = 0.0,
    follows: float = 0.0,
) -> MediaWorld:
    regions, weeks = shape
    every = weeks + WARM_UP
    media, market = Chance(seed, 101), Chance(seed, 102)
    size = np.exp(0.6 * market.normal(regions))
    demand = _demand(market, regions, every) if follows else np.zeros((regions, every))
    wiggle = spread * media.normal(regions, every, len(CHANNELS))
    if together:
        wiggle[:, :, 1] = wiggle[:, :, 0] + together * media.normal(regions, every)
    budget = 4 * np.exp(0.5 * media.normal(len(CHANNELS)))
    per_head = np.exp(0.2 * media.normal(regions, len(CHANNELS)))
    log_spend = wiggle - spread**2 / 2 + follows * demand[:, :, None]
    spend = size[:, None, None] * per_head[:, None] * budget * np.exp(log_spend)
    truth = _truth(media, size, budget, spend[:, WARM_UP:])
    brought = truth.brought(spend)
    promotion = (market.uniform(every) < 0.1).astype(np.float64)
    base = PER_HEAD * size[:, None] * _base(market, (regions, every), promotion) * np.exp(demand)
    outcome = (base + brought.sum(axis=2)) * (1 + noise * market.normal(regions, every))
    return MediaWorld(
        outcome=outcome[:, WARM_UP:],
        spend=spend[:, WARM_UP:],
        controls=np.broadcast_to(promotion[WARM_UP:, None], (regions, weeks, 1)).copy(),
        starts=FIRST_DAY + 7 * np.arange(weeks),
        channels=CHANNELS,
        regions=tuple(f"region {at + 1:02}" for at in range(regions)),
        truth=truth,
    )


def _truth(chance: Chance, size: FloatArray, budget: FloatArray, spend: FloatArray) -> TrueMedia:
    """Draw curves; mean spend brings a quarter of the outcome, split by chance."""
    count = len(budget)
    half = budget * 0.5 * 4.0 ** chance.uniform(count)
    exponential = chance.uniform(count) < 0.5
    decay = 0.1 + 0.6 * chance.uniform(count)
    part = budget**0.5 * np.exp(0.2 * chance.normal(count))
    brings = PER_HEAD * MEDIA_SHARE / (1 - MEDIA_SHARE) * part / part.sum()
    ratio = budget / half
    at_mean = np.where(exponential, 1 - 2.0**-ratio, ratio / (1 + ratio))
    recent = spend[:, -min(spend.shape[1], round(WEEKS_PER_YEAR)) :]
    return TrueMedia(brings / at_mean, half, exponential, decay, size, recent.mean(axis=1))


def _base(chance: Chance, shape: tuple[int, int], promotion: FloatArray) -> FloatArray:
    """Give the outcome without media over its mean: growth, a season with a sharp end of year, promotions."""
    regions, every = shape
    week = np.arange(every) - WARM_UP
    phase = 2 * np.pi * (week / WEEKS_PER_YEAR - chance.uniform(1))
    peak = 0.15 * np.exp(-0.5 * ((week % WEEKS_PER_YEAR - 49) / 2.5) ** 2)
    season = 1 + 0.1 * np.sin(phase) + 0.03 * np.sin(2 * phase + 1) + peak
    level = 1 + 0.05 * chance.normal(regions)
    growth = 1 + 0.001 * (chance.uniform(1) - 0.3) * week
    return np.asarray(level[:, None] * season * growth * (1 + 0.08 * promotion))


def _demand(chance: Chance, regions: int, every: int) -> FloatArray:
    """Give log demand around 0: half of its variance is shared by all regions."""
    shocks = np.sqrt(0.5) * chance.normal(regions, every) + np.sqrt(0.5) * chance.normal(1, every)
    demand, level = np.empty((regions, every)), 0.1 * shocks[:, 0]
    for week in range(every):
        level = 0.8 * level + 0.1 * np.sqrt(1 - 0.8**2) * shocks[:, week]
        demand[:, week] = level
    return demand
