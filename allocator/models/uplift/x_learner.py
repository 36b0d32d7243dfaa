"""X-learner: what each customer's contact changed is imputed by the other arm's model, then regressed."""

from __future__ import annotations

from functools import partial
from typing import Literal, get_args

from allocator.models.uplift.base import ContactTest, FloatArray
from allocator.models.uplift.bases import Base, Predict, fitted
from allocator.models.uplift.dr import Regressed
from allocator.models.uplift.t_learner import outcome_models
from allocator.options import Options


class XLearner(Options):
    """Imputed effects of both arms, regressed and mixed (Kuenzel et al., 2019).

    ``tau_c(x) = g * tau_c0(x) + (1 - g) * tau_c1(x)``: ``tau_c1`` regresses ``y - mu_0(x)`` of those
    contacted, ``tau_c0`` regresses ``mu_c(x) - y`` of control, and ``g`` is the share of those contacted
    among the two, by the mean propensities.
    """

    name: Literal["x_learner"] = "x_learner"
    """Which learner this is."""
    base: Base = "linear"
    """A ridge regression, one of broken lines, one with squares and products, or shallow boosted trees."""

    @property
    def label(self) -> str:
        """Name in a leaderboard."""
        return f"x_{self.base}"

    @property
    def complexity(self) -> int:
        """How free it is to follow noise."""
        return 16 + get_args(Base).index(self.base)

    def learn(self, test: ContactTest, scores: FloatArray, seed: int) -> Regressed:
        """Impute and regress, channel by channel."""
        control, *contacted = outcome_models(self.base, test, seed)
        without, share = test.pick(test.arm == 0), test.propensity.mean(axis=0)
        functions = []
        for c, model in enumerate(contacted, start=1):
            got = test.pick(test.arm == c)
            gained = fitted(self.base, got.modifiers, got.outcome - control(got.modifiers), seed)
            missed = fitted(self.base, without.modifiers, model(without.modifiers) - without.outcome, seed)
            functions.append(partial(_mixed, missed, gained, share[c] / (share[c] + share[0])))
        return Regressed(tuple(functions))


def _mixed(missed: Predict, gained: Predict, share: float, modifiers: FloatArray) -> FloatArray:
    return share * missed(modifiers) + (1 - share) * gained(modifiers)
