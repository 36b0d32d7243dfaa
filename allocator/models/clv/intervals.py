"""How sure a forecast of customers is: what is not known of the model, and what chance will make of it.

Both are drawn from the probability models of timing and value: parameters from their joint error, then each
customer's purchases and what they are worth, given the history. Where another model makes the forecast, a
customer's draws are scaled to its mean, and its level is drawn with the error it was learned with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from allocator.customers.past import Snapshot
from allocator.models.base import FloatArray, IntArray
from allocator.models.clv.forecast import TimingForecast

CERTAINTY = 0.8
PARAMETER_DRAWS, OUTCOMES_EACH = 50, 4
AT_ONCE = 20_000  # customers, so that memory stays bounded


@dataclass(frozen=True, eq=False)
class Range:
    """Where a figure lies, 8 times in 10; arrays of one shape."""

    low: FloatArray
    high: FloatArray

    @classmethod
    def of(cls, draws: FloatArray, certainty: float = CERTAINTY) -> Range:
        """Give it of draws of shape (draws, ...)."""
        ends = np.quantile(draws, [(1 - certainty) / 2, (1 + certainty) / 2], axis=0)
        return cls(ends[0], ends[1])

    def covers(self, actual: FloatArray) -> FloatArray:
        """Give 1 where a figure lies within, its ends included, else 0."""
        return ((self.low <= actual) & (actual <= self.high)).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Intervals:
    """Ranges of revenue, in money.

    Parameters
    ----------
    mean : Range, shape (customers,)
        Of the expected revenue: only the model is uncertain.
    outcome : Range, shape (customers,)
        Of the revenue itself: model and chance.
    group_mean, group_outcome : Range, shape (groups,)
        The same of the mean revenue of a group's customers.
    """

    mean: Range
    outcome: Range
    group_mean: Range
    group_outcome: Range


@dataclass(frozen=True, eq=False)
class Expected:
    """What is forecast of customers for the next `weeks`.

    Parameters
    ----------
    revenue : array, shape (customers,)
        In money, of any value of it, such as discounted margin.
    weeks : float
    level_error : float
        Standard deviation of the log of its level.
    """

    revenue: FloatArray
    weeks: float
    level_error: float = 0.0


def intervals(
    timing: TimingForecast,
    customers: Snapshot,
    expected: Expected,
    *,
    group: IntArray,
    rng: np.random.Generator,
) -> Intervals:
    """Draw what customers may bring around what is expected of them.

    Parameters
    ----------
    timing : TimingForecast
        Probability models fitted to such customers.
    customers : Snapshot
    expected : Expected
    group : array of int, shape (customers,)
        The group of every customer, counted from 0, such as its tier or decile.
    rng : numpy Generator
    """
    models = _drawn(timing, rng)
    levels = np.exp(expected.level_error * rng.standard_normal(len(models)) - expected.level_error**2 / 2)
    size = np.bincount(group)
    sums = np.zeros((len(models) * (1 + OUTCOMES_EACH), len(size)))
    parts: list[tuple[Range, Range]] = []
    for part in _parts(len(customers)):
        some = customers.part(part)
        base = timing.expected_revenue(some, expected.weeks)
        scale = np.divide(expected.revenue[part], base, out=np.zeros_like(base), where=base > 0)
        means, outcomes = _draws(models, levels, some, expected.weeks, rng)
        drawn = np.concatenate([means, outcomes]) * scale
        _add_groups(sums, drawn, group[part])
        parts.append((Range.of(drawn[: len(models)]), Range.of(drawn[len(models) :])))
    share = sums / np.maximum(size, 1)
    return Intervals(
        _joined([mean for mean, _ in parts]),
        _joined([outcome for _, outcome in parts]),
        Range.of(share[: len(models)]),
        Range.of(share[len(models) :]),
    )


def _drawn(timing: TimingForecast, rng: np.random.Generator) -> list[TimingForecast]:
    """Give the models with parameters as they may be."""
    purchases = timing.purchases.parameter_draws(PARAMETER_DRAWS, rng)
    spend = timing.spend.parameter_draws(PARAMETER_DRAWS, rng)
    return [TimingForecast(one, other) for one, other in zip(purchases, spend, strict=True)]


def _parts(n: int) -> Iterator[slice]:
    return (slice(begin, begin + AT_ONCE) for begin in range(0, n, AT_ONCE))


def _draws(
    models: list[TimingForecast],
    levels: FloatArray,
    customers: Snapshot,
    weeks: float,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Give expected revenue for every draw of the parameters, and revenue for several outcomes of each."""
    means, outcomes = [], []
    summary = customers.summary
    history = summary.frequency, summary.recency_weeks, summary.age_weeks
    span = np.full((OUTCOMES_EACH, 1), weeks)
    for model, level in zip(models, levels, strict=True):
        means.append(level * model.expected_revenue(customers, weeks))
        bought = model.purchases.draw_purchases(span, *history, rng)
        money = model.spend.draw_value(bought, summary.n_days, summary.mean_value, rng)
        outcomes.append(level * money)
    return np.stack(means), np.concatenate(outcomes)


def _add_groups(sums: FloatArray, drawn: FloatArray, group: IntArray) -> None:
    for number in np.unique(group):
        sums[:, number] += drawn[:, group == number].sum(axis=1)


def _joined(ranges: list[Range]) -> Range:
    return Range(np.concatenate([one.low for one in ranges]), np.concatenate([one.high for one in ranges]))
