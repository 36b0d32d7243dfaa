"""Who of the plan's customers gains how much from which contact, and which of them are alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from allocator.models.uplift.tailored import Tailored
from allocator.response.experiment import SegmentTable
from allocator.response.segments import Segments, cut, prices

FloatArray = NDArray[np.float64]
IdArray = NDArray[np.object_]
Codes = NDArray[np.intp]


class People(NamedTuple):
    """Customers of the plan: who, in which tier, how far from its mean the learner puts them."""

    customer_id: IdArray
    tier: Codes
    deviation: FloatArray


@dataclass(frozen=True, eq=False)
class Targeting:
    """Customers of the plan with the effect of a contact on each; arrays are aligned with `customer_id`.

    Parameters
    ----------
    tailored : Tailored
        Whose `tiers` and `channels` the codes and columns count.
    cost : array, shape (n_channels,)
        Of a contact, in money.
    customer_id : array of str, shape (m,)
    tier : int array, shape (m,)
    deviation : array, shape (m, n_channels)
        From the tier's mean, before it is shrunk.
    rules : tuple of Segments
        One a tier.
    segment : int array, shape (m,)
        Within the tier, the best first.
    """

    tailored: Tailored
    cost: FloatArray
    customer_id: IdArray
    tier: Codes
    deviation: FloatArray
    rules: tuple[Segments, ...]
    segment: Codes

    @classmethod
    def of(cls, tailored: Tailored, cost: FloatArray, people: People, budget: float) -> Targeting:
        """Cut every tier into segments of customers alike in response.

        Parameters
        ----------
        tailored : Tailored
        cost : array, shape (n_channels,)
        people : People
        budget : float
            Money for the customers in the tables; segments are right around it.
        """
        made = cls(tailored, cost, *people, (), np.zeros(len(people.tier), dtype=np.intp))
        return made.cut_for(budget)

    def cut_for(self, budget: float) -> Targeting:
        """Give the same customers in segments that suit another budget."""
        effect = self.effect
        at = prices(effect, self.cost, budget)
        tiers = range(len(self.tailored.tiers))
        rules = tuple(cut(effect[self.tier == code], self.cost, at) for code in tiers)
        return replace(self, rules=rules, segment=segments_of(rules, effect, self.tier))

    @property
    def effect(self) -> FloatArray:
        """Shrunk effect of a contact, in money, shape (m, n_channels)."""
        return self.tailored.effect(self.deviation, self.tier)

    def name(self, tier: int, segment: int) -> str:
        """Name a segment; the only one of a tier has no name."""
        return str(segment + 1) if self.rules[tier].count > 1 else ""

    def table(self, per_revenue: float | None = None) -> SegmentTable:
        """Give the segments with their shares and mean deviations, by tier, the best first.

        Parameters
        ----------
        per_revenue : float or None
            Margin per unit of revenue, where nothing but revenue is valued.
        """
        tailored = self.tailored
        places = [(tier, part) for tier, rule in enumerate(self.rules) for part in range(rule.count)]
        shares, means = zip(*(self._row(*place) for place in places), strict=True)
        return SegmentTable(
            tier=tuple(tailored.tiers[tier] for tier, _ in places),
            name=tuple(self.name(*place) for place in places),
            share=np.array(shares),
            channels=tailored.channels,
            deviation=np.array(means),
            kept=tailored.kept,
            kept_error=tailored.kept_error,
            per_revenue=per_revenue,
        )

    def _row(self, tier: int, segment: int) -> tuple[float, FloatArray]:
        """Give a segment's share of its tier, and the mean deviation of its customers."""
        inside = self.tier == tier
        own = inside & (self.segment == segment)
        share = float(own.sum() / inside.sum()) if inside.any() else 1.0
        mean = self.deviation[own].mean(axis=0) if own.any() else np.zeros(len(self.cost))
        return share, mean


def segments_of(rules: Sequence[Segments], effect: FloatArray, tier: Codes) -> Codes:
    """Give the segment of any customers by their effects."""
    found = np.zeros(len(tier), dtype=np.intp)
    for code, rule in enumerate(rules):
        found[tier == code] = rule.of(effect[tier == code])
    return found
