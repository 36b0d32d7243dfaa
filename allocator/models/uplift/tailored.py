"""Effects cut to the customer: the mean of the tier, and as much of its differences as is real."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.models.uplift.auto import LearnedUplift
from allocator.models.uplift.base import Codes, FloatArray
from allocator.models.uplift.shrinkage import ShrunkEffects


@dataclass(frozen=True, eq=False)
class Tailored:
    """Shrunk effects of one contact on single customers.

    ``tau_ic = m_kc + kept_c * (tau^_ic - mean of tau^_c in tier k)``: the shrunk mean of the customer's tier,
    and of the learner's deviation from it the share that cross-fitted scores confirm.

    Parameters
    ----------
    effects : ShrunkEffects
        Means of tiers and channels.
    tiers, channels : tuple of str
        As codes count them.
    learned : LearnedUplift or None
        Without one, every customer of a tier has its mean.
    """

    effects: ShrunkEffects
    tiers: tuple[str, ...]
    channels: tuple[str, ...]
    learned: LearnedUplift | None = None

    @property
    def kept(self) -> FloatArray:
        """Share of a deviation that is kept, by channel."""
        return np.zeros(len(self.channels)) if self.learned is None else self.learned.calibration.kept

    @property
    def kept_error(self) -> FloatArray:
        """Standard error of the share, by channel."""
        return np.zeros(len(self.channels)) if self.learned is None else self.learned.calibration.kept_error

    @property
    def tells_apart(self) -> bool:
        """Whether customers of a tier differ at all."""
        return bool(np.any(self.kept > 0))

    def rows(self) -> Codes:
        """Give the row of `effects` of every tier and channel, shape (n_tiers, n_channels)."""
        places = {
            key: row for row, key in enumerate(zip(self.effects.tier, self.effects.channel, strict=True))
        }
        return np.array([[places[tier, channel] for channel in self.channels] for tier in self.tiers])

    def deviations(self, modifiers: FloatArray, tier: Codes, row: Codes | None = None) -> FloatArray:
        """Give how far the learner puts customers from their tier's mean, shape (m, n_channels), unshrunk.

        Parameters
        ----------
        modifiers : array, shape (m, p)
        tier : int array, shape (m,)
        row : int array, shape (m,), or None
            The row of the test a customer stood in, -1 for strangers.
        """
        if self.learned is None or not self.tells_apart:
            return np.zeros((len(tier), len(self.channels)))
        return self.learned.fitted.effect(modifiers, row) - self.learned.calibration.centre[tier]

    def effect(self, deviations: FloatArray, tier: Codes) -> FloatArray:
        """Give the shrunk effect on customers, shape (m, n_channels)."""
        return np.asarray(self.effects.mean[self.rows()][tier] + self.kept * deviations)
