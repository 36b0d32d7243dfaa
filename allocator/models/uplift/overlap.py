"""Whether customers of every kind could get every arm: only then arms can be compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from allocator.errors import Finding
from allocator.models.uplift.base import Codes, FloatArray
from allocator.quantities import count, percent

NEVER = 0.02
"""A propensity below it is next to none."""
FEW = 0.01  # share of customers with such a propensity from which it is told
HALF = 0.5  # of an arm's customers: what unequal weights may leave of them


def effective_size(weight: FloatArray) -> float:
    """Give how many customers of equal weight would tell as much (Kish, 1965).

    Examples
    --------
    >>> import numpy as np
    >>> effective_size(np.array([1.0, 1.0])), effective_size(np.array([9.0, 1.0])).__round__(2)
    (2.0, 1.22)
    """
    return float(weight.sum() ** 2 / np.sum(weight**2))


def check_overlap(
    propensity: FloatArray, arm: Codes, channels: Sequence[str], control: str = "control"
) -> tuple[Finding, ...]:
    """Give advice (W419) for every arm that hardly ever reaches some kinds of customers.

    Parameters
    ----------
    propensity : array, shape (n, k + 1)
        Of every arm, control first.
    arm : int array, shape (n,)
        0 is control, c the channel ``channels[c - 1]``.
    channels : sequence of str
    control : str

    Examples
    --------
    >>> import numpy as np
    >>> chance = np.array([[0.5, 0.5]] * 98 + [[0.999, 0.001]] * 2)
    >>> (told,) = check_overlap(chance, np.array([0, 1] * 50), ["email"])
    >>> told.code, told.what
    ('W419', '2% of the customers had next to no chance (under 2%) to get email')
    """
    return tuple(_told(propensity, arm, (control, *channels)))


def _told(propensity: FloatArray, arm: Codes, names: Sequence[str]) -> Iterator[Finding]:
    fix = "estimates for such customers rest on a few who stand for many: plan without them, or test them"
    for code, name in enumerate(names):
        own = propensity[:, code]
        # the same small share for everybody is a small arm, not one that leaves customers out
        rare = (own < NEVER) & (own < own.max() / 2)
        if rare.mean() > FEW:
            share = percent(float(rare.mean()))
            what = f"{share} of the customers had next to no chance (under {NEVER:.0%}) to get {name}"
            yield Finding("W419", None, what, fix)
            continue
        got = arm == code
        size = effective_size(1 / np.maximum(own[got], 1e-12)) if got.any() else 0.0
        if size < HALF * got.sum():
            what = f"the {count(int(got.sum()))} customers of {name} tell no more than {count(size)} would"
            yield Finding("W419", None, f"{what}: their propensities differ too much", fix)
