"""The learner that chooses: candidates are judged on customers they have not seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from allocator.errors import Finding, closest
from allocator.models.uplift.base import Codes, ContactTest, CrossFitted, FloatArray, UpliftLearner
from allocator.models.uplift.blend import Blend, joined
from allocator.models.uplift.board import CLEAR, Board, Judge, compare, fix
from allocator.models.uplift.calibration import Calibration
from allocator.models.uplift.crossfit import cross_fit
from allocator.models.uplift.folds import fold_codes
from allocator.models.uplift.members import CORE, LEARNERS
from allocator.models.uplift.scores import arm_scores
from allocator.options import Count, Options, fault

LARGE = 100_000
"""Customers from which folds are drawn once only: their luck is small, and the time counts."""
ENOUGH_FOR_SLOW = 10_000
"""Customers below which trees that follow noise are not worth their time."""
SLOW = "_boosting"
"""What the labels of learners end with that take longer than all others together."""
BLEND = Blend().label
FLAT = "tier_means"
"""The learner that tells nobody of a tier apart; every board has it."""


@dataclass(frozen=True, eq=False)
class LearnedUplift:
    """Effects of contacts on single customers, with the evidence for them.

    Parameters
    ----------
    model : str
        Label of the learner.
    fitted : CrossFitted
        Its functions, and effects on customers they have not seen.
    scores : array, shape (n, k + 1)
        AIPW score of every arm, by outcome models that have not seen the customer.
    calibration : Calibration
        What is kept of its differences between customers.
    board : Board
        How all candidates did.
    findings : tuple of Finding
        One W418 for each channel by which targeting cannot be told from drawing lots.
    """

    model: str
    fitted: CrossFitted
    scores: FloatArray
    calibration: Calibration
    board: Board
    findings: tuple[Finding, ...] = ()

    @property
    def gains(self) -> FloatArray:
        """AIPW score of each channel minus that of control, shape (n, k)."""
        return self.scores[:, 1:] - self.scores[:, :1]


def _known(labels: tuple[str, ...]) -> tuple[str, ...]:
    if not labels:
        raise fault("E103", "no learner is named to be tried", "leave 'candidates' out, or name some")
    for label in labels:
        if label not in LEARNERS:
            near = closest(label, LEARNERS)
            hint = f"did you mean {near!r}?" if near else f"there are {', '.join(LEARNERS)}"
            raise fault("E103", f"there is no learner {label!r}", hint)
    return labels


class Auto(Options):
    """The learner whose effects, shrunk as a plan uses them, come closest to the scores.

    Every candidate is cross-fitted; of its differences between customers, what the other folds confirm is
    kept, and the squared distance from the AIPW score judges the rest. Of those within half a standard
    error of the best, the simplest is taken; the mean of all that tell customers apart, the blend, counts as
    simpler than any of them, as it follows noise least.

    Examples
    --------
    >>> Auto(candidates=["tier_means", "dr_linear"]).candidates
    ('tier_means', 'dr_linear')
    """

    name: Literal["auto"] = "auto"
    candidates: Annotated[tuple[str, ...], AfterValidator(_known)] = CORE
    """The learners that are tried; `tier_means`, which tells nobody apart, always is."""
    folds: Annotated[Count, Field(ge=2)] = 5
    """Parts of the test; each is judged by what was learned on the others."""
    repeats: Annotated[Count, Field(ge=1)] = 2
    """How often the folds are drawn anew; results are averaged. Once above 100,000 customers."""

    def quick(self, besides: str) -> Auto:
        """Give the same without slow learners, but for one.

        Parameters
        ----------
        besides : str
            Label of the one that stays, however slow.
        """
        kept = tuple(one for one in self.candidates if one == besides or not one.endswith(SLOW))
        return self.model_copy(update={"candidates": kept})

    def learn(self, test: ContactTest, seed: int = 0) -> LearnedUplift:
        """Try the candidates and take the best, the simpler one within noise.

        Parameters
        ----------
        test : ContactTest
        seed : int
            Of the folds and of learners that draw.
        """
        tried = self if len(test) >= ENOUGH_FOR_SLOW else self.quick("")
        labels = dict.fromkeys((FLAT, *tried.candidates))
        if len(labels.keys() - {FLAT, BLEND}) == 1:
            labels.pop(BLEND, None)
        trial = _Trial.of(test, self.folds, self.repeats, seed)
        return trial.judged({label: LEARNERS[label] for label in labels})


def learn_with(
    learner: UpliftLearner, test: ContactTest, seed: int = 0, *, folds: int = 5, repeats: int = 2
) -> LearnedUplift:
    """Learn by one learner, whatever the board says; it has the means of the tiers beside it.

    Parameters
    ----------
    learner : UpliftLearner
    test : ContactTest
    seed : int
    folds, repeats : int
        As in :class:`Auto`.
    """
    trial = _Trial.of(test, folds, repeats, seed)
    return trial.judged({FLAT: LEARNERS[FLAT], learner.label: learner}, named=learner.label)


@dataclass(frozen=True, eq=False)
class _Trial:
    """What all candidates share."""

    test: ContactTest
    folds: Codes
    scores: FloatArray
    seed: int

    @classmethod
    def of(cls, test: ContactTest, folds: int, repeats: int, seed: int) -> _Trial:
        drawn = fold_codes(test, n_folds=folds, repeats=repeats if len(test) <= LARGE else 1, seed=seed)
        return cls(test, drawn, arm_scores(test, drawn, seed=seed), seed)

    def _fitted(self, learners: Mapping[str, UpliftLearner]) -> dict[str, CrossFitted]:
        """Fit every learner; a blend beside its parts is the mean of what they have found."""
        found: dict[str, CrossFitted] = {}
        for label, learner in sorted(learners.items(), key=lambda one: isinstance(one[1], Blend)):
            parts = [one for other, one in found.items() if other != FLAT]
            if isinstance(learner, Blend) and parts:
                found[label] = joined(parts)
            else:
                found[label] = cross_fit(learner, self.test, self.scores, self.folds, seed=self.seed)
        return found

    def judged(self, learners: Mapping[str, UpliftLearner], named: str | None = None) -> LearnedUplift:
        test = self.test
        fitted = self._fitted(learners)
        gains = self.scores[:, 1:] - self.scores[:, :1]
        judge = Judge(gains, test.channels, test.stratum, self.folds, test.cluster)
        board = compare(
            judge,
            fitted,
            {label: learner.complexity for label, learner in learners.items()},
            steady=BLEND,
        )
        board = board if named is None else fix(board, named)
        return LearnedUplift(
            model=board.chosen,
            fitted=fitted[board.chosen],
            scores=self.scores,
            calibration=judge.calibration(fitted[board.chosen].out_of_fold),
            board=board,
            findings=tuple(_like_lots(board, test.channels)),
        )


def _like_lots(board: Board, channels: tuple[str, ...]) -> Iterator[Finding]:
    """Name the channels whose best ranking is no better than one by lot."""
    rows = [board.row(board.chosen), *board.rows]
    shown = next((row for row in rows if row.label != FLAT), rows[0])
    for place, channel in enumerate(channels):
        one = shown.channels[place]
        if one.qini > CLEAR * one.qini_error:
            continue
        what = f"targeting by {channel} is not distinguishable from random: the best ranking ({shown.label})"
        what += f" has a Qini area of {one.qini:.2g} with a standard error of {one.qini_error:.2g}"
        advice = "take the effect as the same for all of a tier; a larger test, or other covariates, may tell"
        yield Finding("W418", None, what, advice)
