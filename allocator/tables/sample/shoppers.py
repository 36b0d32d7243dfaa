"""Who the customers are and when they order: a process no model of ours assumes.

Gaps between orders are Erlang with a shape of the customer's own (from Poisson to regular), stretched by the
season; customers leave after a Weibull time, some right after the first order; baskets are log-normal around
a mean of the customer's own that drifts over the years.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.tables.sample.chance import Chance, FloatArray, IntArray

START = np.datetime64("2024-11-01")
DAYS = 730  # up to 2026-10-31
FUTURE_DAYS = 365
BASKET_NOISE = 0.45  # log scale, from one order to the next
LEAVES_AT_ONCE = 0.18
RHYTHMS = ((1, 0.35), (2, 0.35), (4, 0.30))  # Erlang shape and its share of customers


@dataclass(frozen=True, eq=False)
class Shoppers:
    """What drives each customer; all arrays of shape (n_customers,).

    Parameters
    ----------
    gap : array
        Mean weeks between orders, in a week of average season.
    rhythm : array
        Erlang shape of the gaps: 1 is Poisson, more is more regular.
    log_basket, drift : array
        Mean log of an order's amount (EUR) on the first day, and its change per year.
    leaves_after, weibull_scale, weibull_shape : array
        Weeks from the first order until the customer leaves, and the distribution they were drawn from.
    joined : array
        Day of the first order, counted from the first day of data.
    """

    gap: FloatArray
    rhythm: IntArray
    log_basket: FloatArray
    drift: FloatArray
    leaves_after: FloatArray
    weibull_scale: FloatArray
    weibull_shape: float
    joined: IntArray

    def __len__(self) -> int:
        return len(self.gap)

    def basket(self, day: float | IntArray) -> FloatArray:
        """Give the expected amount of an order on `day`, EUR."""
        log_mean = self.log_basket + self.drift * np.asarray(day) / 365.25
        return np.asarray(np.exp(log_mean + BASKET_NOISE**2 / 2))

    def yearly_value(self, day: int) -> FloatArray:
        """Give what the customer orders for in a year while active, at the rates of `day`, EUR."""
        return 365.25 / 7 / self.gap * self.basket(day)

    def active(self, day: int) -> NDArray[np.bool_]:
        """Whether the customer has joined and not left by `day`."""
        age = (day - self.joined) / 7
        return (age >= 0) & (age < self.leaves_after)

    def expected_revenue(self, start: int, days: int) -> FloatArray:
        """Give the expected revenue of the `days` days after `start`, without any contact, EUR.

        Exact in leaving, season and baskets; the rhythm is taken at its long-run rate.

        Parameters
        ----------
        start, days : int
            Day after which to count, and how many days.

        Returns
        -------
        array, shape (n_customers,)
            0 for customers who have left by `start`.
        """
        middle = start + 3.5 + 7 * np.arange(days // 7, dtype=float)
        age = np.maximum((middle - self.joined[:, None]) / 7, 0.0)
        now = np.maximum((start - self.joined[:, None]) / 7, 0.0)
        hazard = (age / self.weibull_scale[:, None]) ** self.weibull_shape
        stays = np.exp((now / self.weibull_scale[:, None]) ** self.weibull_shape - hazard)
        orders = stays * season(middle) / self.gap[:, None]
        drifted = np.exp(self.drift[:, None] * (middle - start) / 365.25)
        return np.asarray((orders * drifted).sum(axis=1) * self.basket(start) * self.active(start))


def draw_shoppers(n: int, chance: Chance) -> Shoppers:
    """Draw `n` customers; good ones order oftener, spend more and stay longer."""
    pace = chance.normal(n)
    gap = np.clip(15 * np.exp(0.8 * pace), 1.5, 78)
    rhythm = np.array([shape for shape, _ in RHYTHMS])[chance.choose([s for _, s in RHYTHMS], n)]
    log_basket = np.log(60) - 0.20 + 0.45 * (chance.normal(n) - 0.35 * pace) / np.hypot(1, 0.35)
    scale = 85 * np.exp(0.7 * chance.normal(n) - 0.35 * pace)
    stays = scale * chance.exponential(n) ** (1 / 0.9)
    leaves_after = np.where(chance.uniform(n) < LEAVES_AT_ONCE, 0.0, stays)
    drift = 0.15 * chance.normal(n)
    return Shoppers(
        gap, rhythm, log_basket, drift, leaves_after, scale, 0.9, _first_days(gap, rhythm, chance)
    )


def _first_days(gap: FloatArray, rhythm: IntArray, chance: Chance) -> IntArray:
    """Let four in ten be customers from before, seen within one gap; the others join over the two years."""
    n = len(gap)
    from_before = chance.uniform(n) < 0.4
    whole = float(_busy_weeks(np.array([DAYS]))[0])
    weeks = np.where(from_before, gap * chance.uniform(n), whole * chance.uniform(n))
    return np.minimum(_calendar_day(weeks), DAYS - 1)


def season(day: FloatArray | IntArray) -> FloatArray:
    """Give how much busier than the mean a day is: a peak before Christmas, a smaller one in May.

    Examples
    --------
    >>> season(np.array([35, 95])).round(2).tolist()  # early December, early February
    [1.81, 0.87]
    """
    of_year = (np.asarray(day, dtype=float) + 304) % 365.25  # day 0 is the first of November
    christmas = np.exp(-0.5 * ((of_year - 340) / 16) ** 2)
    may = np.exp(-0.5 * ((of_year - 135) / 20) ** 2)
    return 0.873 * (1 + 1.07 * christmas + 0.25 * may)


def _calendar_day(weeks: FloatArray) -> IntArray:
    """Turn weeks of average season into calendar days."""
    busy = np.cumsum(season(np.arange(DAYS + 2 * FUTURE_DAYS))) / 7
    return np.searchsorted(busy, weeks, side="right").astype(np.int64)


def _busy_weeks(day: IntArray) -> FloatArray:
    busy = np.cumsum(season(np.arange(DAYS + 2 * FUTURE_DAYS))) / 7
    return np.where(day > 0, busy[np.maximum(day - 1, 0)], 0.0)


def order_days(shoppers: Shoppers, chance: Chance) -> tuple[IntArray, IntArray]:
    """Give customer position and day of every order, up to a year past the data, without any contact."""
    who: list[IntArray] = [np.arange(len(shoppers))]
    when: list[IntArray] = [shoppers.joined]
    last = _busy_weeks(shoppers.joined)
    going = np.arange(len(shoppers))
    end = shoppers.joined + np.floor(7 * shoppers.leaves_after)
    end = np.minimum(end, DAYS + FUTURE_DAYS - 1)
    while len(going):
        parts = chance.exponential(len(going), 4)
        shape = shoppers.rhythm[going]
        sums = np.take_along_axis(np.cumsum(parts, axis=1), shape[:, None] - 1, axis=1)[:, 0]
        last = last[: len(going)] + sums / shape * shoppers.gap[going]
        day = _calendar_day(last)
        stays = day <= end[going]
        going, last = going[stays], last[stays]
        who.append(going)
        when.append(day[stays])
    return np.concatenate(who), np.concatenate(when)
