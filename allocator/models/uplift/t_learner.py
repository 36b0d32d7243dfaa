"""T-learner: one outcome model an arm."""

from __future__ import annotations

from functools import partial
from typing import Literal, get_args

from allocator.models.uplift.base import ContactTest, FloatArray
from allocator.models.uplift.bases import Base, Predict, fitted
from allocator.models.uplift.dr import Regressed
from allocator.options import Options


class TLearner(Options):
    """A regression of the outcome in every arm (Kuenzel et al., 2019).

    ``tau_c(x) = mu_c(x) - mu_0(x)``.
    """

    name: Literal["t_learner"] = "t_learner"
    """Which learner this is."""
    base: Base = "linear"
    """A ridge regression, one of broken lines, one with squares and products, or shallow boosted trees."""

    @property
    def label(self) -> str:
        """Name in a leaderboard."""
        return f"t_{self.base}"

    @property
    def complexity(self) -> int:
        """How free it is to follow noise."""
        return 12 + get_args(Base).index(self.base)

    def learn(self, test: ContactTest, scores: FloatArray, seed: int) -> Regressed:
        """Fit the outcome arm by arm."""
        control, *contacted = outcome_models(self.base, test, seed)
        return Regressed(tuple(partial(_difference, one, control) for one in contacted))


def outcome_models(base: Base, test: ContactTest, seed: int) -> list[Predict]:
    """Give a regression of the outcome on the modifiers in every arm, control first."""
    arms = [test.arm == arm for arm in range(test.n_arms)]
    return [fitted(base, test.modifiers[own], test.outcome[own], seed) for own in arms]


def _difference(contacted: Predict, control: Predict, modifiers: FloatArray) -> FloatArray:
    return contacted(modifiers) - control(modifiers)
