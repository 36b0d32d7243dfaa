"""The randomised test: who was contacted how, what it truly does, and the orders it brought."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.tables.sample.chance import FloatArray, IntArray
from allocator.tables.sample.shoppers import START, Shoppers

CONTACTED_ON = np.datetime64("2026-09-01")
CONTACT_DAY = int((CONTACTED_ON - START).astype(int))
WINDOW_DAYS = 28
MOST_LIKELY = 0.9  # an effect cannot bring more than one order


@dataclass(frozen=True)
class Arm:
    """A way to contact customers, and what it truly brings.

    Parameters
    ----------
    name : str
    cost : float
        EUR a contact.
    share : float
        Share of the customers in the test.
    scale, midpoint, steepness : float
        Effect on revenue, EUR, of an active customer at the best moment: `scale` for a customer worth
        infinitely much, half of it at a yearly value of `midpoint`, with this steepness on the log scale.
    best_weeks, spread : float
        Weeks since the last order at which a contact works best, and how fast that wears off (log scale).
    after_leaving : float
        Share of the effect on customers who have left.
    """

    name: str
    cost: float
    share: float
    scale: float
    midpoint: float
    steepness: float
    best_weeks: float
    spread: float
    after_leaving: float

    def effect(self, yearly_value: FloatArray, weeks_since: FloatArray, active: FloatArray) -> FloatArray:
        """Give the true effect of one contact on revenue within the window, EUR.

        Parameters
        ----------
        yearly_value, weeks_since, active : array, shape (n_customers,)
            EUR a year while active, weeks since the last order, 1 for active customers and 0 for others.

        Returns
        -------
        array, shape (n_customers,)
        """
        worth = 1 / (1 + (self.midpoint / yearly_value) ** self.steepness)
        distance = np.log((weeks_since + 2) / (self.best_weeks + 2)) / self.spread
        return self.scale * worth * np.exp(-0.5 * distance**2) * np.where(active > 0, 1.0, self.after_leaving)


ARMS = (
    Arm("email", 0.20, 0.25, 16, 300, 0.8, 9, 1.1, 0.15),
    Arm("direct_mail", 1.80, 0.25, 50, 330, 1.1, 14, 1.15, 0.30),
    Arm("phone", 5.00, 0.25, 130, 740, 2.6, 4, 1.3, 0.20),
)
CONTACT_COST = {arm.name: arm.cost for arm in ARMS}


def true_effects(shoppers: Shoppers, day: int, last_day: IntArray) -> dict[str, FloatArray]:
    """Give each arm's true effect on the revenue of a contact on `day`, EUR, 0 for those yet to join.

    Parameters
    ----------
    shoppers : Shoppers
    day : int
    last_day : array, shape (n_customers,)
        Day of the last order before `day`; negative where there is none.
    """
    weeks = np.maximum(day - last_day, 0) / 7
    value, active = shoppers.yearly_value(day), shoppers.active(day).astype(float)
    most = MOST_LIKELY * shoppers.basket(day)
    known = last_day >= 0
    return {arm.name: np.minimum(arm.effect(value, weeks, active), most) * known for arm in ARMS}
