"""What a rule of whom to contact brings, by AIPW scores."""

from __future__ import annotations

import numpy as np

from allocator.models.uplift.base import Codes, Estimated, FloatArray
from allocator.models.uplift.influence import mean_of


def policy_value(scores: FloatArray, chance: FloatArray, cluster: Codes | None = None) -> Estimated:
    """Give the mean outcome per customer under a policy.

    Parameters
    ----------
    scores : array, shape (n, k + 1)
        AIPW score of every arm, control first.
    chance : array, shape (n, k + 1)
        Probability with which the policy gives a customer each arm, rows adding to 1. It must not have
        been chosen by the same customer's score, or luck is counted as skill.
    cluster : int array, shape (n,), or None
        Customers assigned together.

    Examples
    --------
    >>> import numpy as np
    >>> scores = np.array([[1.0, 3.0], [2.0, 2.0], [0.0, 1.0]])
    >>> policy_value(scores, np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]])).value.__round__(3)
    1.833
    """
    return mean_of((scores * chance).sum(axis=1), cluster)


def policy_difference(
    scores: FloatArray, first: FloatArray, second: FloatArray, cluster: Codes | None = None
) -> Estimated:
    """Give by how much the first policy does better than the second, customer by customer.

    The error is that of the paired difference, which is far less than those of the two values.
    Parameters are those of :func:`policy_value`.

    Examples
    --------
    >>> import numpy as np
    >>> scores = np.array([[1.0, 3.0], [2.0, 2.5]])
    >>> everybody, nobody = np.array([[0.0, 1.0]] * 2), np.array([[1.0, 0.0]] * 2)
    >>> policy_difference(scores, everybody, nobody).value
    1.25
    """
    return policy_value(scores, first - second, cluster)


def contact_best(effects: FloatArray, share: float) -> FloatArray:
    """Give the policy that contacts the customers with the largest effect, each by his best channel.

    Parameters
    ----------
    effects : array, shape (n, k)
        Expected effect of each channel by a model that has not seen the customer.
    share : float
        Of the customers to contact, from 0 to 1. Equal effects at the edge are drawn by lot.

    Returns
    -------
    array, shape (n, k + 1)
        Probability of each arm, control first, as :func:`policy_value` takes it.

    Examples
    --------
    >>> import numpy as np
    >>> contact_best(np.array([[0.1, 0.3], [0.2, 0.0], [0.0, 0.2]]), 1 / 3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    """
    best = effects.max(axis=1)
    _, group, count = np.unique(-best, return_inverse=True, return_counts=True)
    before = np.cumsum(count) - count
    contacted = np.clip((share * len(effects) - before) / count, 0, 1)[group]
    is_best = np.equal(effects, best[:, None])
    by_channel = contacted[:, None] * is_best / is_best.sum(axis=1, keepdims=True)
    return np.column_stack([1 - contacted, by_channel])
