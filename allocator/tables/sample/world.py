"""One simulated world: the tables a company would have, and the truth it would not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from allocator.tables.sample.chance import Chance, FloatArray, IntArray
from allocator.tables.sample.contacts import (
    ARMS,
    CONTACT_DAY,
    CONTACTED_ON,
    WINDOW_DAYS,
    true_effects,
)
from allocator.tables.sample.media import spend_history
from allocator.tables.sample.shoppers import (
    BASKET_NOISE,
    DAYS,
    FUTURE_DAYS,
    START,
    Shoppers,
    draw_shoppers,
    order_days,
)

if TYPE_CHECKING:
    from pandas import DataFrame, Series

N_CUSTOMERS = 8_000
POPULATION = 400_000  # what the customers of the sample stand for
REGIONS = (("north", 0.22), ("east", 0.18), ("south", 0.33), ("west", 0.27))
AS_OF = START + (DAYS - 1)


@dataclass(frozen=True, eq=False)
class Truth:
    """What only a simulation knows; rows are in the order of `customer_id`.

    Parameters
    ----------
    shoppers : Shoppers
        What drives each customer.
    effects_tested : DataFrame
        Customer by channel: true effect on revenue of the contact in the test, EUR, over its window;
        customers without an order before the test have 0.
    effects_now : DataFrame
        The same for a contact the day after the data end.
    expected_revenue : Series
        Expected revenue of the year after the data without any contact, EUR.
    future : DataFrame
        The orders of that year, as they would come without any contact.
    """

    shoppers: Shoppers
    effects_tested: DataFrame
    effects_now: DataFrame
    expected_revenue: Series[float]
    future: DataFrame


@dataclass(frozen=True, eq=False)
class World:
    """Tables of a made-up retailer, and the truth behind them.

    Parameters
    ----------
    orders : DataFrame
        `customer_id`, `ordered_on`, `amount` (EUR): two years up to 2026-10-31.
    customers : DataFrame
        `customer_id`, `age` (missing for some), `region`: everybody who ever ordered.
    contacts : DataFrame
        `customer_id`, `arm`, `contacted_on`, `revenue`, `converted` (over four weeks), and `recency_weeks`,
        `orders_12m`, `spend_12m` from before the contact; one row per customer known at that day.
    spend_history : DataFrame
        `week`, `revenue`, spend of four media, `promotion`.
    truth : Truth
    """

    orders: DataFrame
    customers: DataFrame
    contacts: DataFrame
    spend_history: DataFrame
    truth: Truth


def simulate(seed: int, *, n_customers: int = N_CUSTOMERS) -> World:
    """Make a world; the same seed makes the same one.

    Parameters
    ----------
    seed : int
    n_customers : int
        Customers who order at least once.

    Returns
    -------
    World

    Examples
    --------
    >>> world = simulate(1, n_customers=200)
    >>> world.customers.columns.tolist()
    ['customer_id', 'age', 'region']
    >>> sorted(world.contacts["arm"].unique())
    ['control', 'direct_mail', 'email', 'phone']
    """
    shoppers = draw_shoppers(n_customers, Chance(seed, 0))
    plain = _Ledger.of(*order_days(shoppers, Chance(seed, 1)), shoppers, Chance(seed, 2))
    effects = true_effects(shoppers, CONTACT_DAY, plain.last_day(CONTACT_DAY, len(shoppers)))
    arm = _assign(plain.last_day(CONTACT_DAY, len(shoppers)) >= 0, Chance(seed, 3))
    ledger = plain.and_also(_brought(arm, effects, shoppers, Chance(seed, 4)))
    ids = np.array([f"C{number:05d}" for number in range(1, n_customers + 1)])
    return World(
        orders=ledger.before(DAYS).frame(ids),
        customers=_customers(ids, Chance(seed, 5)),
        contacts=_contacts(ids, arm, ledger),
        spend_history=spend_history(Chance(seed, 6)),
        truth=_truth(ids, shoppers, effects, ledger),
    )


@dataclass(frozen=True, eq=False)
class _Ledger:
    """Orders as arrays: customer position, day, amount; sorted by customer and day."""

    who: IntArray
    day: IntArray
    amount: FloatArray

    @classmethod
    def of(cls, who: IntArray, day: IntArray, shoppers: Shoppers, chance: Chance) -> _Ledger:
        """Put an amount to each order."""
        mean = shoppers.log_basket[who] + shoppers.drift[who] * day / 365.25
        amount = np.exp(mean + BASKET_NOISE * chance.normal(len(who))).round(2)
        order = np.lexsort((day, who))
        return cls(who[order], day[order], amount[order])

    def pick(self, mask: NDArray[np.bool_]) -> _Ledger:
        return _Ledger(self.who[mask], self.day[mask], self.amount[mask])

    def before(self, day: int) -> _Ledger:
        return self.pick(self.day < day)

    def since(self, day: int) -> _Ledger:
        return self.pick(self.day >= day)

    def and_also(self, other: _Ledger) -> _Ledger:
        who = np.concatenate([self.who, other.who])
        day = np.concatenate([self.day, other.day])
        amount = np.concatenate([self.amount, other.amount])
        order = np.lexsort((day, who))
        return _Ledger(who[order], day[order], amount[order])

    def last_day(self, day: int, n: int) -> IntArray:
        """Give each customer's last order day before `day`; -1 where there is none."""
        last = np.full(n, -1)
        past = self.before(day)
        np.maximum.at(last, past.who, past.day)
        return last

    def sums(self, n: int) -> tuple[IntArray, FloatArray]:
        """Count and add up each customer's orders."""
        count = np.bincount(self.who, minlength=n).astype(np.int64)
        return count, np.bincount(self.who, self.amount, minlength=n).astype(float)

    def frame(self, ids: NDArray[np.str_]) -> DataFrame:
        import pandas as pd

        return pd.DataFrame(
            {"customer_id": ids[self.who], "ordered_on": START + self.day, "amount": self.amount}
        )


def _assign(known: NDArray[np.bool_], chance: Chance) -> IntArray:
    """Give each customer known at the test an arm at random: -1 is control, -2 not tested."""
    shares = [1 - sum(arm.share for arm in ARMS), *(arm.share for arm in ARMS)]
    arm = np.full(len(known), -2)
    arm[known] = chance.deal(shares, int(known.sum())) - 1
    return arm


def _brought(arm: IntArray, effects: dict[str, FloatArray], shoppers: Shoppers, chance: Chance) -> _Ledger:
    """Make the orders a contact brings: one more within the window, as likely as the effect is large."""
    effect = np.zeros(len(arm))
    for position, name in enumerate(effects):
        effect = np.where(arm == position, effects[name], effect)
    likely = effect / shoppers.basket(CONTACT_DAY)
    who = np.flatnonzero(chance.uniform(len(arm)) < likely)
    day = CONTACT_DAY + np.floor(WINDOW_DAYS * chance.uniform(len(arm))).astype(np.int64)[who]
    noise = np.exp(BASKET_NOISE * chance.normal(len(arm))[who] - BASKET_NOISE**2 / 2)
    return _Ledger(who, day, np.round(shoppers.basket(CONTACT_DAY)[who] * noise, 2))


def _customers(ids: NDArray[np.str_], chance: Chance) -> DataFrame:
    import pandas as pd

    age = pd.Series(np.round(np.clip(46 + 14 * chance.normal(len(ids)), 18, 90)), dtype="Int64")
    age = age.mask(chance.uniform(len(ids)) < 0.06)
    places = chance.choose([share for _, share in REGIONS], len(ids))
    region = np.array([name for name, _ in REGIONS])[places]
    return pd.DataFrame({"customer_id": ids, "age": age, "region": region})


def _contacts(ids: NDArray[np.str_], arm: IntArray, ledger: _Ledger) -> DataFrame:
    import pandas as pd

    n = len(ids)
    n_orders, revenue = ledger.since(CONTACT_DAY).before(CONTACT_DAY + WINDOW_DAYS).sums(n)
    orders_12m, spend_12m = ledger.since(CONTACT_DAY - 365).before(CONTACT_DAY).sums(n)
    names = np.array(["control", *(arm.name for arm in ARMS)])
    table = pd.DataFrame(
        {
            "customer_id": ids,
            "arm": names[np.maximum(arm + 1, 0)],
            "contacted_on": CONTACTED_ON,
            "revenue": revenue.round(2),
            "converted": (n_orders > 0).astype(int),
            "recency_weeks": ((CONTACT_DAY - ledger.last_day(CONTACT_DAY, n)) // 7),
            "orders_12m": orders_12m,
            "spend_12m": spend_12m.round(2),
        }
    )
    return table[arm > -2].reset_index(drop=True)


def _truth(
    ids: NDArray[np.str_], shoppers: Shoppers, tested: dict[str, FloatArray], ledger: _Ledger
) -> Truth:
    import pandas as pd

    index = pd.Index(ids, name="customer_id")
    now = true_effects(shoppers, DAYS, ledger.last_day(DAYS, len(ids)))
    return Truth(
        shoppers=shoppers,
        effects_tested=pd.DataFrame(tested, index=index),
        effects_now=pd.DataFrame(now, index=index),
        expected_revenue=pd.Series(
            shoppers.expected_revenue(DAYS - 1, FUTURE_DAYS), index=index, name="expected_revenue"
        ),
        future=ledger.since(DAYS).before(DAYS + FUTURE_DAYS).frame(ids),
    )
