"""What was spent on each channel and what came, period by period, in one or several groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.models.base import FloatArray, impossible

Days = NDArray[np.datetime64]

DAYS_PER_YEAR = 365.25
FEWEST = 20  # periods


@dataclass(frozen=True, eq=False)
class MediaPanel:
    """Spend and outcome of g groups (regions, tiers; one where the panel is national) in t periods.

    Parameters
    ----------
    outcome : array, shape (g, t)
        Money, or conversions, per period.
    spend : array, shape (g, t, c)
        Money per period.
    channels : tuple of str
        c of them.
    controls : array, shape (g, t, q)
        What else moves the outcome, per unit of a group's size: holidays, promotions, prices.
    control_names : tuple of str
    groups : tuple of str
        g of them.
    period_days : float
        Length of a period: 7 for weeks.
    starts : array of datetime64[D], shape (t,)
        First days of the periods, which follow one another.

    Raises
    ------
    DataError
        E315 where shapes do not fit, a number is missing or a spend negative, a channel was never used, a
        group has no outcome, or there are fewer than 20 periods.

    Examples
    --------
    >>> starts = np.datetime64("2024-01-01") + 7 * np.arange(30)
    >>> panel = MediaPanel(np.ones((1, 30)), np.ones((1, 30, 2)), ("tv", "search"),
    ...                    np.zeros((1, 30, 0)), (), ("all",), 7.0, starts)
    >>> panel.periods_per_year
    52.17857142857143
    """

    outcome: FloatArray
    spend: FloatArray
    channels: tuple[str, ...]
    controls: FloatArray
    control_names: tuple[str, ...]
    groups: tuple[str, ...]
    period_days: float
    starts: Days

    def __post_init__(self) -> None:
        self._check_shapes()
        self._check_numbers()

    def _check_shapes(self) -> None:
        g, t = len(self.groups), len(self.starts)
        wanted = {
            "outcome": (g, t),
            "spend": (g, t, len(self.channels)),
            "controls": (g, t, len(self.control_names)),
        }
        for name, shape in wanted.items():
            if (found := getattr(self, name).shape) != shape:
                raise impossible(f"{name} of a spend history has shape {found}, {shape} is expected")
        if not (g and self.channels):
            raise impossible("a spend history needs a group and a channel")
        if t < FEWEST:
            raise impossible(f"a spend history of {t} periods: at least {FEWEST} are needed to fit curves")
        if len(set(self.channels)) < len(self.channels):
            raise impossible("a spend history names a channel twice")
        if not self.period_days > 0:
            raise impossible(f"periods of {self.period_days:g} days")

    def _check_numbers(self) -> None:
        for name in ("outcome", "spend", "controls"):
            if not np.isfinite(getattr(self, name)).all():
                raise impossible(f"{name} of a spend history has numbers that are missing or infinite")
        for at, channel in enumerate(self.channels):
            own = self.spend[:, :, at]
            if (own < 0).any():
                raise impossible(f"spend on {channel} is negative in {int((own < 0).sum())} periods")
            if not own.any():
                raise impossible(f"nothing was ever spent on {channel}: its history has no curve")
        for group, own in zip(self.groups, self.outcome, strict=True):
            if not own.mean() > 0:
                raise impossible(f"the outcome of {group} is not above 0 on average")

    @property
    def periods_per_year(self) -> float:
        """52.2 for weeks."""
        return DAYS_PER_YEAR / self.period_days

    @property
    def sizes(self) -> FloatArray:
        """Mean outcome of the groups per period, shape (g,): effects and noise grow with it."""
        return np.asarray(self.outcome.mean(axis=1))

    @property
    def recent(self) -> slice:
        """The periods of the last year, or all where there are fewer."""
        return slice(-min(len(self.starts), max(1, round(self.periods_per_year))), None)

    def head(self, n: int) -> MediaPanel:
        """Give the first `n` periods."""
        return MediaPanel(
            self.outcome[:, :n],
            self.spend[:, :n],
            self.channels,
            self.controls[:, :n],
            self.control_names,
            self.groups,
            self.period_days,
            self.starts[:n],
        )

    def total(self) -> MediaPanel:
        """Give the sum over the groups as a panel of one; controls are means weighted by size."""
        weight = self.sizes / self.sizes.sum()
        return MediaPanel(
            self.outcome.sum(axis=0, keepdims=True),
            self.spend.sum(axis=0, keepdims=True),
            self.channels,
            np.tensordot(weight, self.controls, 1)[None],
            self.control_names,
            ("all",),
            self.period_days,
            self.starts,
        )
