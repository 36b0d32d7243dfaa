"""Log-likelihood of the BG/NBD model whose parameters hang on attributes, with its derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from allocator.customers.summary import Patterns
from allocator.models.base import FloatArray
from allocator.models.clv.bg_nbd_likelihood import Likelihood

IntArray = NDArray[np.int64]

Shifted = Literal["alpha", "a", "b"]
SHAPES = ("r", "alpha", "a", "b")
SIGNS = {"alpha": -1.0, "a": 1.0, "b": 1.0}  # a higher rate is a lower alpha


class CovariateLikelihood:
    """The log-likelihood as a function of the logs of r, alpha, a and b, then the coefficients.

    The sum of BG/NBD likelihoods over the kinds of customers, each at its own parameters. Their logs are
    linear in the arguments, so derivatives follow by a matrix a kind.

    Parameters
    ----------
    together : Likelihood
        Of all customers, to start from.
    kinds : sequence of Likelihood
        One for every distinct row of attributes, all of one unit.
    designs : array, shape (kinds, 4, arguments)
        The matrices.
    """

    def __init__(self, together: Likelihood, kinds: Sequence[Likelihood], designs: FloatArray) -> None:
        self.penalty = 0.0
        self.together = together
        self.kinds = kinds
        self.designs = designs

    @classmethod
    def of(cls, histories: Sequence[IntArray], z: FloatArray, shifted: Sequence[Shifted]) -> Self:
        """Put customers of the same attributes together.

        Parameters
        ----------
        histories : frequency, recency and age in days, each of shape (customers,)
        z : array, shape (customers, k)
        shifted : sequence of {"alpha", "a", "b"}
        """
        kinds, kind = np.unique(z, axis=0, return_inverse=True)
        together = Likelihood(Patterns.of(*histories))
        apart = [
            Likelihood(Patterns.of(*(part[members] for part in histories)), unit=together.unit)
            for members in members_of(kind.ravel())
        ]
        return cls(together, apart, designs_of(kinds, shifted))

    def penalised(self, penalty: float) -> Self:
        """Give the same with another penalty."""
        other = copy(self)
        other.penalty = penalty
        return other

    def start(self) -> FloatArray:
        """Give a sensible place to begin the search, from the rate of repeats."""
        return self._alike(self.together.start())

    def without_dropout(self) -> FloatArray:
        """Give the parameters with which nobody leaves, at the rate of all customers together."""
        return self._alike(self.together.without_dropout())

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Give the penalised value, its gradient and its Hessian."""
        total = -0.5 * self.penalty * float(theta @ theta)
        gradient = -self.penalty * theta
        hessian = -self.penalty * np.eye(len(theta))
        for likelihood, design in zip(self.kinds, self.designs, strict=True):
            value, slope, bend = likelihood(design @ theta)
            total += value
            gradient += design.T @ slope
            hessian += design.T @ bend @ design
        return total, gradient, hessian

    def _alike(self, shapes: FloatArray) -> FloatArray:
        """Give arguments with which attributes make no difference."""
        return np.append(shapes, np.zeros(self.designs.shape[2] - len(SHAPES)))


def designs_of(z: FloatArray, shifted: Sequence[Shifted]) -> FloatArray:
    """Give the matrix from logs of r, alpha, a, b and coefficients to a kind's logs, for every row of z."""
    n_kinds, k = z.shape
    designs = np.zeros((n_kinds, len(SHAPES), len(SHAPES) + len(shifted) * k))
    designs[:, range(len(SHAPES)), range(len(SHAPES))] = 1
    for place, parameter in enumerate(shifted):
        begin = len(SHAPES) + place * k
        designs[:, SHAPES.index(parameter), begin : begin + k] = SIGNS[parameter] * z
    return designs


def members_of(kind: IntArray) -> list[IntArray]:
    """Give the positions of the customers of every kind."""
    return np.split(np.argsort(kind, kind="stable"), np.bincount(kind).cumsum()[:-1])
