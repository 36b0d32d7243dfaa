"""A randomised test as arrays, and what every learner of its effects gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class ContactTest:
    """Who was contacted how, what was known of them before, and what came.

    Parameters
    ----------
    outcome : array, shape (n,)
        Money or counts in the window after the contact.
    arm : int array, shape (n,)
        0 is control, c the channel ``channels[c - 1]``.
    channels : tuple of str
        k of them.
    propensity : array, shape (n, k + 1)
        Probability with which a customer gets each arm, control first; rows add to 1.
    modifiers : array, shape (n, p)
        What an effect may depend on: known of every customer of a plan, finite.
    names : tuple of str
        Of the modifiers.
    adjusters : array, shape (n, q)
        Further columns measured before the contact: they narrow errors, effects do not depend on them.
    stratum : int array, shape (n,)
        The tier by its place; effects are centred within it.
    cluster : int array, shape (n,), or None
        Customers with the same code were assigned together.
    """

    outcome: FloatArray
    arm: Codes
    channels: tuple[str, ...]
    propensity: FloatArray
    modifiers: FloatArray
    names: tuple[str, ...]
    adjusters: FloatArray
    stratum: Codes
    cluster: Codes | None = None

    def __len__(self) -> int:
        return len(self.outcome)

    @property
    def n_arms(self) -> int:
        """Control and the channels."""
        return len(self.channels) + 1

    @property
    def known_before(self) -> FloatArray:
        """Modifiers and adjusters side by side, shape (n, p + q)."""
        return np.column_stack([self.modifiers, self.adjusters])

    @property
    def is_binary(self) -> bool:
        """Whether every outcome is 0 or 1."""
        return bool(np.isin(self.outcome, (0.0, 1.0)).all())

    def pick(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> ContactTest:
        """Give the test of some customers."""
        return ContactTest(
            outcome=self.outcome[rows],
            arm=self.arm[rows],
            channels=self.channels,
            propensity=self.propensity[rows],
            modifiers=self.modifiers[rows],
            names=self.names,
            adjusters=self.adjusters[rows],
            stratum=self.stratum[rows],
            cluster=None if self.cluster is None else self.cluster[rows],
        )


class EffectFunction(Protocol):
    """What a learner has found: the effect of a contact on anybody."""

    def effect(self, modifiers: FloatArray) -> FloatArray:
        """Give the effect of one contact by each channel, shape (n, k), in units of the outcome."""


class UpliftLearner(Protocol):
    """A way to learn who responds to a contact, and how much."""

    @property
    def label(self) -> str:
        """Name in a leaderboard, such as ``dr_linear``."""

    @property
    def complexity(self) -> int:
        """How free it is to follow noise: of two that do alike, the one with less is taken."""

    def learn(self, test: ContactTest, scores: FloatArray, seed: int) -> EffectFunction:
        """Learn from a test.

        Parameters
        ----------
        test : ContactTest
        scores : array, shape (n, k + 1)
            AIPW score of every arm, by outcome models that have not seen the row.
        seed : int
        """


@dataclass(frozen=True, eq=False)
class CrossFitted:
    """A learner fitted without each fold in turn, several times over, so that no customer judges itself.

    Parameters
    ----------
    folds : int array, shape (repeats, n)
        The fold of every customer of the test.
    functions : sequence of sequences of EffectFunction
        ``functions[r][f]`` has not seen the rows with ``folds[r] == f``.
    by_draw : array, shape (repeats, n, k)
        Effects by the functions that have not seen the customer, for every draw of the folds.
    """

    folds: Codes
    functions: Sequence[Sequence[EffectFunction]] = field(repr=False)
    by_draw: FloatArray

    @property
    def out_of_fold(self) -> FloatArray:
        """Effects by functions that have not seen the customer, averaged over the draws, shape (n, k)."""
        return np.asarray(self.by_draw.mean(axis=0))

    def effect(self, modifiers: FloatArray, row: Codes | None = None) -> FloatArray:
        """Give effects on any customers, shape (m, k).

        Parameters
        ----------
        modifiers : array, shape (m, p)
        row : int array, shape (m,), or None
            The row of the test a customer stood in, -1 for one who was not in it: a customer of the test is
            judged by functions that have not seen him, others by the mean of all.
        """
        row = np.full(len(modifiers), -1) if row is None else row
        total = np.zeros((len(modifiers), self.by_draw.shape[2]))
        for folds, functions in zip(self.folds, self.functions, strict=True):
            fold = np.where(row >= 0, folds[np.maximum(row, 0)], -1)
            for code, function in enumerate(functions):
                own = fold == code
                strange = fold == -1
                found = function.effect(modifiers[own | strange])
                weight = np.where(strange, 1 / len(functions), 1.0)[own | strange]
                total[own | strange] += weight[:, None] * found
        return total / len(self.folds)


@dataclass(frozen=True)
class Estimated:
    """A number with its standard error."""

    value: float
    standard_error: float
