"""Customers alike in response: a tier cut into segments that its channels have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from allocator.response.curve import FloatArray
from allocator.response.hull import allocate

if TYPE_CHECKING:
    from sklearn.tree import DecisionTreeRegressor

Codes = NDArray[np.intp]

MOST = 20  # segments of a tier
LEAST = 0.01  # of a tier's customers in a segment
ALIKE = 1e-9  # of the largest effect: customers no further apart are one segment
BUDGETS = (0.25, 0.5, 1.0, 2.0)  # of the budget: at the prices of these a cut has to be right
WORTH = 1.0  # of the mean gain of a customer at a price: what another choice counts besides its gain


@dataclass(frozen=True, eq=False)
class Segments:
    """The rule that puts the customers of one tier into segments, best first.

    Parameters
    ----------
    count : int
    cost : array, shape (n_channels,)
        Of a contact, in money.
    """

    count: int
    cost: FloatArray
    _tree: DecisionTreeRegressor | None = None
    _order: Codes | None = None

    def of(self, effect: FloatArray) -> Codes:
        """Give the segment of customers by their effects, shape (m, n_channels); 0 is the best."""
        if self._tree is None or self._order is None:
            return np.zeros(len(effect), dtype=np.intp)
        return np.asarray(self._order[self._tree.apply(_compared(effect, self.cost))])


def prices(effect: FloatArray, cost: FloatArray, budget: float) -> FloatArray:
    """Give the prices of money at which the best contacts of some customers cost parts of a budget.

    Parameters
    ----------
    effect : array, shape (n, n_channels)
        Of all tiers.
    cost : array, shape (n_channels,)
    budget : float
        For these customers, money. The last price is 1: where money no longer pays.
    """
    steps = [allocate(effect, cost, part * budget).price for part in BUDGETS] if budget > 0 else []
    return np.unique([*steps, 1.0])


def cut(effect: FloatArray, cost: FloatArray, prices: FloatArray, *, most: int = MOST) -> Segments:
    """Cut the customers of a tier so that those of a segment want the same contact at a price of money.

    A regression tree tells, from what contacts earn per money and what dearer ones earn on top, which channel
    is best for a customer at each price and what it gains there. Segments whose customers choose alike cost
    a plan nothing.

    Parameters
    ----------
    effect : array, shape (n, n_channels)
        Shrunk effect of a contact, in money.
    cost : array, shape (n_channels,)
        Of a contact, in money, above 0.
    prices : array, shape (n_prices,)
        Of money: what one unit has to bring.
    most : int
        Segments at most.

    Examples
    --------
    >>> effect = np.array([[5.0], [1.0], [5.0], [0.2]] * 50)
    >>> parts = cut(effect, np.array([0.5]), np.array([1.0, 4.0]))
    >>> parts.count, parts.of(np.array([[5.0], [0.2], [1.0]])).tolist()
    (3, [0, 2, 1])
    """
    compared = _compared(effect, cost)
    if not len(effect) or np.ptp(compared, axis=0).max() <= ALIKE * np.abs(compared).max():
        return Segments(1, cost)
    from sklearn.tree import DecisionTreeRegressor

    smallest = max(1, int(LEAST * len(effect)))
    tree = DecisionTreeRegressor(max_leaf_nodes=most, min_samples_leaf=smallest, random_state=0)
    leaf = tree.fit(compared, _wanted(effect, cost, prices)).apply(compared)
    return _ranked(tree, leaf, (effect / cost).max(axis=1), cost)


def _wanted(effect: FloatArray, cost: FloatArray, prices: FloatArray) -> FloatArray:
    """Give, by price and channel, what a customer gains by the channel that is best for him, else 0."""
    columns = [effect[:, :1] / cost[:1]]
    for price in prices:
        net = effect - price * cost
        best = net.max(axis=1)
        chosen = (net == best[:, None]) & (best > 0)[:, None]
        mean = float(np.maximum(best, 0.0).mean())
        if mean > 0:
            columns.append(chosen * (net / mean + WORTH))
    return np.hstack(columns[1:] or columns)


def _ranked(tree: Any, leaf: Codes, worth: FloatArray, cost: FloatArray) -> Segments:  # noqa: ANN401
    """Give the leaves numbers, those whose customers earn most per money first."""
    leaves, place = np.unique(leaf, return_inverse=True)
    mean = np.bincount(place, worth) / np.bincount(place)
    order = np.zeros(int(leaves.max()) + 1, dtype=np.intp)
    order[leaves[np.argsort(-mean, kind="stable")]] = np.arange(len(leaves))
    return Segments(len(leaves), cost, tree, order)


def _compared(effect: FloatArray, cost: FloatArray) -> FloatArray:
    """Give the slopes a choice turns on: of each channel, and of each pair where the dearer takes over."""
    one, other = np.triu_indices(len(cost), 1)
    apart = cost[one] - cost[other]
    over = (effect[:, one] - effect[:, other]) / np.where(apart == 0, 1.0, apart)
    # trees compare 32-bit numbers
    return np.asarray(np.hstack([effect / cost, over]).astype(np.float32))
