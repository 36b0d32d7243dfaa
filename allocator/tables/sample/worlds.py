"""Randomised tests of contacts whose every effect is known: the yardstick for promises and for regret.

A contact moves the chance to buy; what is then bought is drawn, so most outcomes are 0 and the rest skewed.
The truth is smooth, not linear, and follows none of our models. Traits that no column shows multiply effects
by factors of mean 1, independent of every column: so the mean given all a model may see is known exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from allocator.errors import ArgumentError, Finding, closest
from allocator.tables.sample.chance import Chance, FloatArray
from allocator.tables.sample.optimum import Optimum, best_plan

if TYPE_CHECKING:
    from pandas import DataFrame

CONTROL = "control"
CHANNELS: Mapping[str, float] = MappingProxyType({"email": 0.20, "mail": 0.80, "phone": 2.00})
MARGIN = 0.35
COVARIATES = ("x1", "x2", "x3", "x4", "x5", "x6")
BUDGET_SHARES = (0.10, 0.25, 0.50)
VALUE_SPREAD = 1.01**0.5  # standard deviation of the logarithm of value


@dataclass(frozen=True, eq=False)
class ContactWorld:
    """A randomised test and its truth; the customers stand for themselves.

    Parameters
    ----------
    name : str
    contacts : DataFrame
        One row a customer: ``customer_id``, ``arm`` (control or a channel, equal shares), ``revenue`` and
        ``converted`` (outcomes of the window), the covariates, ``value`` (known before; tiers are cut by it).
    covariates : tuple of str
        Columns known before the contact, besides ``value``.
    channels : mapping of str to float
        Money per contact.
    margin : float
        Margin per unit of revenue.
    effects : DataFrame, shape (n_customers, n_channels)
        True incremental margin of one contact of each customer, money: the mean over what is drawn.
    learnable : DataFrame, shape (n_customers, n_channels)
        Mean of `effects` given the covariates and value: all that any model could learn.
    """

    name: str
    contacts: DataFrame
    covariates: tuple[str, ...]
    channels: Mapping[str, float]
    margin: float
    effects: DataFrame
    learnable: DataFrame

    @property
    def population(self) -> int:
        """Count the customers a plan is for."""
        return len(self.contacts)

    @property
    def costs(self) -> FloatArray:
        """Money per contact, in the order of the columns of `effects`."""
        return np.array([self.channels[str(name)] for name in self.effects])

    def budgets(self) -> dict[float, float]:
        """Give the budgets to plan for, by their share of what one contact of everybody costs.

        Everybody is contacted by the dearest channel that pays on average, or the dearest if none does.
        """
        paying = self.effects.mean().to_numpy() > self.costs
        full = self.population * float(np.max(self.costs[paying] if paying.any() else self.costs))
        return {share: share * full for share in BUDGET_SHARES}

    def best(self, budget: float) -> Optimum:
        """Give the plan that knows every effect: the best possible."""
        return best_plan(self.effects.to_numpy(), self.costs, budget)

    def learnable_best(self, budget: float) -> Optimum:
        """Give the plan that knows all a model could learn; its margin is the true one."""
        return self.judged(best_plan(self.learnable.to_numpy(), self.costs, budget).share)

    def equal_split(self, budget: float) -> Optimum:
        """Give every channel the same money and contact customers by chance.

        Nobody is contacted twice: where that money buys more contacts than there are customers, all channels
        are cut in proportion.
        """
        each = budget / len(self.costs) / self.costs / self.population
        each /= max(float(each.sum()), 1.0)
        return self.judged(np.tile(each, (self.population, 1)))

    def judged(self, share: FloatArray) -> Optimum:
        """Give what any plan truly earns, by its part of a contact, shape (n_customers, n_channels)."""
        return Optimum(
            float((share @ self.costs).sum()), float((share * self.effects.to_numpy()).sum()), share
        )


@dataclass(frozen=True, eq=False)
class Traits:
    """What is known of each customer before the contact, arrays of shape (n_customers,)."""

    x1: FloatArray
    x2: FloatArray
    x3: FloatArray
    x4: FloatArray
    x5: FloatArray
    x6: FloatArray
    value: FloatArray

    @property
    def standing(self) -> FloatArray:
        """Rank by value among all such customers, 0 to 1."""
        return _normal_rank(np.log(self.value / 100) / VALUE_SPREAD)


Lifts = Callable[[Traits], tuple[FloatArray, ...]]


@dataclass(frozen=True)
class Recipe:
    """How a world is made.

    Parameters
    ----------
    lifts : callable
        From traits to what a contact by each channel adds to the chance to buy.
    base : float
        Chance to buy of a middling customer without a contact.
    basket : float
        Mean revenue of an order, money.
    known, hidden, noise : float
        Spread of an order's logarithm: by covariates, by what no column shows, from order to order.
    differs : bool
        Whether effects depend on what no column shows.
    """

    lifts: Lifts
    base: float = 0.10
    basket: float = 40.0
    known: float = 0.25
    hidden: float = 0.3
    noise: float = 0.5
    differs: bool = True


def simulate_world(name: str, seed: int, n_customers: int = 20_000) -> ContactWorld:
    """Simulate a randomised test of three channels and a control in the named world.

    Parameters
    ----------
    name : str
        One of `WORLDS`.
    seed : int
        The same seed gives the same bits.
    n_customers : int

    Raises
    ------
    ArgumentError
        For a world that is not there.

    Examples
    --------
    >>> world = simulate_world("homogeneous", seed=1, n_customers=400)
    >>> world.contacts["arm"].value_counts().sort_index().to_dict()
    {'control': 100, 'email': 100, 'mail': 100, 'phone': 100}
    >>> round(world.best(160.0).profit, 2)
    144.0
    """
    if name not in WORLDS:
        near = closest(name, WORLDS)
        fix = f"did you mean {near!r}?" if near else f"worlds: {', '.join(WORLDS)}"
        raise ArgumentError(Finding("E106", None, f"there is no world {name!r}", fix))
    recipe = WORLDS[name]
    traits = _traits(Chance(seed, 0), n_customers)
    seen = np.exp(recipe.known * np.tanh(traits.x1)) * recipe.basket
    lifts = np.column_stack(recipe.lifts(traits))
    hidden = Chance(seed, 1)
    factor = _response(hidden, n_customers) if recipe.differs else np.ones(n_customers)
    basket = seen * _factor(hidden, n_customers, recipe.hidden)
    base = recipe.base * (0.6 + 0.8 * _logistic(1.5 * traits.x2)) * (1 + 0.3 * _even(hidden, n_customers))
    true = lifts * factor[:, None]
    return ContactWorld(
        name=name,
        contacts=_contacts(
            Chance(seed, 2), traits, base, true, _drawn(Chance(seed, 3), basket, recipe.noise)
        ),
        covariates=COVARIATES,
        channels=CHANNELS,
        margin=MARGIN,
        effects=_table(MARGIN * true * basket[:, None]),
        learnable=_table(MARGIN * lifts * seen[:, None]),
    )


def _traits(chance: Chance, n: int) -> Traits:
    x1, second, sixth, own = chance.normal(4, n)
    x2 = 0.5 * x1 + 0.75**0.5 * second
    return Traits(
        x1=x1,
        x2=x2,
        x3=chance.uniform(n),
        x4=(chance.uniform(n) < 0.4).astype(float),
        x5=(chance.uniform(n) < 0.3 * _logistic(x1)).astype(float),
        x6=np.exp(0.6 * sixth),
        value=100 * np.exp(0.6 * x1 + 0.4 * x2 + 0.5 * own),
    )


def _response(chance: Chance, n: int) -> FloatArray:
    """How strongly a customer answers for reasons that no column shows: between 0.24 and 1.61, mean 1."""
    deaf = chance.uniform(n) < 0.2
    return np.where(deaf, 0.4, 1.15) * (1 + 0.4 * _even(chance, n))


def _even(chance: Chance, n: int) -> FloatArray:
    return 2 * chance.uniform(n) - 1


def _factor(chance: Chance, n: int, spread: float) -> FloatArray:
    """Log-normal of mean 1."""
    return np.asarray(np.exp(spread * chance.normal(n) - spread**2 / 2))


def _drawn(chance: Chance, basket: FloatArray, noise: float) -> FloatArray:
    return basket * _factor(chance, len(basket), noise)


def _contacts(
    chance: Chance, traits: Traits, base: FloatArray, lifts: FloatArray, order: FloatArray
) -> DataFrame:
    import pandas as pd

    n, k = lifts.shape
    arm = chance.deal([1 / (k + 1)] * (k + 1), n)
    lift = np.column_stack([np.zeros(n), lifts])[np.arange(n), arm]
    bought = chance.uniform(n) < base + lift
    return pd.DataFrame(
        {
            "customer_id": np.arange(1, n + 1),
            "arm": np.array([CONTROL, *CHANNELS])[arm],
            "revenue": np.where(bought, order, 0.0),
            "converted": bought.astype(np.int64),
            **{name: getattr(traits, name) for name in COVARIATES},
            "value": traits.value,
        }
    )


def _table(effects: FloatArray) -> DataFrame:
    import pandas as pd

    return pd.DataFrame(effects, columns=list(CHANNELS))


def _logistic(x: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-x)))


def _normal_rank(x: FloatArray) -> FloatArray:
    from scipy.special import ndtr

    return np.asarray(ndtr(x))


def _homogeneous(traits: Traits) -> tuple[FloatArray, ...]:
    """Give every customer the same: a unit of money earns 1.2 by email, 1.9 by mail, 0.8 by phone."""
    one = np.ones(len(traits.value)) / (MARGIN * 40.0)
    return one * 1.2 * CHANNELS["email"], one * 1.9 * CHANNELS["mail"], one * 0.8 * CHANNELS["phone"]


def _heterogeneous(traits: Traits) -> tuple[FloatArray, ...]:
    """Each channel has its own customers: some answer to one, some to several, some to none."""
    email = 0.085 * _logistic(6 * (traits.x3 - 0.6) + 1.2 * traits.x2)
    mail = 0.20 * np.exp(-0.5 * ((traits.x1 - 0.8) / 0.8) ** 2) * (0.7 + 0.5 * traits.x4)
    phone = 0.36 * _logistic(2.5 * (traits.x2 - 0.4)) * np.where(traits.x5 + traits.x4 > 0, 1.0, 0.35)
    return email, mail, phone


def _sleeping_dogs(traits: Traits) -> tuple[FloatArray, ...]:
    """Drive about three in ten away by a contact, by `x1` and `x4`; they would buy if left alone."""
    dog = _logistic(4 * (traits.x1 + 1.5 * traits.x4 - 1.1))
    return 0.06 - 0.11 * dog, 0.16 - 0.24 * dog, 0.22 - 0.29 * dog


def _whales(traits: Traits) -> tuple[FloatArray, ...]:
    """Small changes in who buys, while a few orders are as large as hundreds of others."""
    standing = traits.standing
    return (
        0.05 * _logistic(6 * (traits.x3 - 0.5)),
        0.16 * standing,
        0.30 * standing**2 * (1 - 0.5 * traits.x4),
    )


def _tier_saturation(traits: Traits) -> tuple[FloatArray, ...]:
    """Few answer strongly among the best fifth, most alike among the lower half.

    Effects are ``mean (1 + k) v**k`` with v even between 0 and 1: contacted best first, a share q of a tier
    earns ``1 - (1 - q)**(1 + k)`` of the tier's total, with k of 5, 1.5 and 0.1 from the best tier down.
    """
    standing = traits.standing
    k = np.select([standing > 0.8, standing > 0.5], [5.0, 1.5], 0.1)
    level = np.select([standing > 0.8, standing > 0.5], [1.0, 1.2], 0.8)
    v = _normal_rank(np.log(traits.x6) / 0.6)
    steep = level * (1 + k) * v**k
    return 0.03 * level * (1 + k) * traits.x3**k, 0.075 * steep, 0.08 * steep


def _nothing_pays(traits: Traits) -> tuple[FloatArray, ...]:
    """Let a unit of money earn at most 0.6 on what a model may see, and 0.97 on any customer."""
    earns = (0.25 + 0.35 * _logistic(3 * shape) for shape in (traits.x2, traits.x1 - traits.x4, -traits.x1))
    email, mail, phone = (
        ratio * cost / (MARGIN * 40.0) for ratio, cost in zip(earns, CHANNELS.values(), strict=True)
    )
    return email, mail, phone


WORLDS: Mapping[str, Recipe] = MappingProxyType(
    {
        "homogeneous": Recipe(_homogeneous, known=0.0, hidden=0.0, differs=False),
        "heterogeneous": Recipe(_heterogeneous),
        "sleeping_dogs": Recipe(_sleeping_dogs, base=0.32),
        "whales": Recipe(_whales, base=0.08, known=0.8, noise=1.3),
        "tier_saturation": Recipe(_tier_saturation, known=0.0, hidden=0.0),
        "nothing_pays": Recipe(_nothing_pays, known=0.0, hidden=0.0),
    }
)
"""The worlds, by name: all effects alike; strong differences; effects below 0; a heavy tail; tiers that
saturate differently; no channel that earns its cost."""
