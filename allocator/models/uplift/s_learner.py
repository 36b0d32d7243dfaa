"""S-learner: one outcome model, in which the contact is one more column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from allocator.models.uplift.base import ContactTest, FloatArray
from allocator.models.uplift.bases import Base, Basis, Predict, Products, fitted
from allocator.options import Options


@dataclass(frozen=True, eq=False)
class Contrast:
    """An outcome model of modifiers and contacts, k columns of 0 and 1 behind the modifiers."""

    outcome: Predict
    k: int

    def effect(self, modifiers: FloatArray) -> FloatArray:
        """Give the effect of one contact by each channel, shape (m, k), in units of the outcome."""
        arms = np.vstack([np.zeros(self.k), np.eye(self.k)])
        found = [
            self.outcome(np.column_stack([modifiers, np.tile(arm, (len(modifiers), 1))])) for arm in arms
        ]
        return np.column_stack(found[1:]) - found[0][:, None]


class SLearner(Options):
    """One regression of the outcome on modifiers and contact (Kuenzel et al., 2019).

    ``tau_c(x) = mu(x, c) - mu(x, 0)``. A line has products of each contact with every term, for without
    them all customers had the same effect.
    """

    name: Literal["s_learner"] = "s_learner"
    """Which learner this is."""
    base: Base = "linear"
    """A ridge regression, one of broken lines, one with squares and products, or shallow boosted trees."""

    @property
    def label(self) -> str:
        """Name in a leaderboard."""
        return f"s_{self.base}"

    @property
    def complexity(self) -> int:
        """How free it is to follow noise."""
        return 8 + get_args(Base).index(self.base)

    def learn(self, test: ContactTest, scores: FloatArray, seed: int) -> Contrast:
        """Fit the outcome of all arms at once."""
        k = len(test.channels)
        contact = np.eye(test.n_arms)[test.arm][:, 1:]
        if self.base == "boosting":
            columns = np.column_stack([test.modifiers, contact])
            return Contrast(fitted(self.base, columns, test.outcome, seed), k)
        basis = Basis.of(test.modifiers, self.base)
        line = Products.of(_crossed(basis(test.modifiers), contact), test.outcome).ridge()
        return Contrast(lambda wanted: line(_crossed(basis(wanted[:, :-k]), wanted[:, -k:])), k)


def _crossed(terms: FloatArray, contact: FloatArray) -> FloatArray:
    """Put terms, contacts and their products side by side."""
    return np.column_stack([terms, contact, *(terms * one[:, None] for one in contact.T)])
