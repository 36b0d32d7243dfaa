"""Customers alike in response: a tier cut into segments that its channels have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from allocator.response.curve import FloatArray

if TYPE_CHECKING:
    from sklearn.tree import DecisionTreeRegressor

Codes = NDArray[np.intp]

MOST = 20  # segments of a tier
LEAST = 0.01  # of a tier's customers in a segment
ALIKE = 1e-9  # of the largest effect: customers no further apart are one segment


@dataclass(frozen=True, eq=False)
class Segments:
    """The rule that puts the customers of one tier into segments, best first.

    Parameters
    ----------
    count : int
    weight : array, shape (n_channels,)
        What effects are multiplied by before they are compared.
    """

    count: int
    weight: FloatArray
    _tree: DecisionTreeRegressor | None = None
    _order: Codes | None = None

    def of(self, effect: FloatArray) -> Codes:
        """Give the segment of customers by their effects, shape (m, n_channels); 0 is the best."""
        if self._tree is None or self._order is None:
            return np.zeros(len(effect), dtype=np.intp)
        return np.asarray(self._order[self._tree.apply(_compared(effect, self.weight))])


def cut(effect: FloatArray, cost: FloatArray, *, most: int = MOST) -> Segments:
    """Cut the customers of a tier where their effects differ most.

    A regression tree of the effects on themselves: each cut takes as much of the squared differences as one
    cut can. Differences are weighed by one over the square root of the cost, between money a contact (dear
    channels would decide alone) and money per money (cheap ones would).

    Parameters
    ----------
    effect : array, shape (n, n_channels)
        Shrunk effect of a contact, in money.
    cost : array, shape (n_channels,)
        Of a contact, in money, above 0.
    most : int
        Segments at most.

    Examples
    --------
    >>> effect = np.array([[5.0], [1.0], [5.0], [0.2]] * 50)
    >>> parts = cut(effect, np.array([0.5]))
    >>> parts.count, parts.of(np.array([[5.0], [0.2], [1.0]])).tolist()
    (3, [0, 2, 1])
    """
    weight = 1 / np.sqrt(cost)
    compared = _compared(effect, weight)
    if not len(effect) or np.ptp(compared, axis=0).max() <= ALIKE * np.abs(compared).max():
        return Segments(1, weight)
    from sklearn.tree import DecisionTreeRegressor

    smallest = max(1, int(LEAST * len(effect)))
    tree = DecisionTreeRegressor(max_leaf_nodes=most, min_samples_leaf=smallest, random_state=0)
    leaf = tree.fit(compared, compared).apply(compared)
    return _ranked(tree, leaf, (effect / cost).mean(axis=1), weight)


def _ranked(tree: Any, leaf: Codes, worth: FloatArray, weight: FloatArray) -> Segments:  # noqa: ANN401
    """Give the leaves numbers, those whose customers earn most per money first."""
    leaves, place = np.unique(leaf, return_inverse=True)
    mean = np.bincount(place, worth) / np.bincount(place)
    order = np.zeros(int(leaves.max()) + 1, dtype=np.intp)
    order[leaves[np.argsort(-mean, kind="stable")]] = np.arange(len(leaves))
    return Segments(len(leaves), weight, tree, order)


def _compared(effect: FloatArray, weight: FloatArray) -> FloatArray:
    # trees compare 32-bit numbers
    return np.asarray((effect * weight).astype(np.float32))
