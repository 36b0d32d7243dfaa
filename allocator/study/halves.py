"""The plan judged by data that did not choose it: planned on one half of the test, valued on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from allocator import pipeline
from allocator.models.uplift.base import Codes, ContactTest, Estimated
from allocator.models.uplift.folds import fold_codes
from allocator.models.uplift.influence import mean_of
from allocator.models.uplift.scores import arm_scores
from allocator.pipeline import Forecasted
from allocator.plan.optimise import optimise
from allocator.plan.problem import Problem
from allocator.plan.solution import Solution, Status
from allocator.response.curves import Cell
from allocator.scenario.schema import Scenario
from allocator.stages.effects import Tested, estimated
from allocator.stages.targeting import Targeting, segments_of

FloatArray = NDArray[np.float64]

FOLDS = 5  # of the outcome models that value a half
LIKELY = NormalDist().inv_cdf(0.9)


@dataclass(frozen=True)
class HalvesChecked:
    """What plans made on half of the test bring on the other half.

    Parameters
    ----------
    value, standard_error : float
        Incremental margin of the tested channels, money of the plan's population: mean over both halves.
    promised : float
        What the same plans promised there.
    """

    value: float
    standard_error: float
    promised: float

    @property
    def interval(self) -> tuple[float, float]:
        """8 in 10."""
        reach = LIKELY * self.standard_error
        return self.value - reach, self.value + reach


@dataclass(frozen=True, eq=False)
class Half:
    """One half of a test: what it says alone, and the customers it has not seen.

    Parameters
    ----------
    tested : Tested
    others : ContactTest
        The customers of the other half.
    gains : array, shape (n_others, n_channels)
        Their AIPW score of each channel, less that of control, by outcome models of their own half.
    """

    tested: Tested
    others: ContactTest
    gains: FloatArray

    def cut_for(self, scenario: Scenario) -> Half:
        """Give the same half with customers in segments that suit the budget of a scenario."""
        return replace(self, tested=self.tested.cut_for(scenario))


def halves_of(scenario: Scenario, tested: Tested) -> tuple[Half, ...]:
    """Estimate effects on each half of the test; nothing where a half is too small to be planned on."""
    test = tested.log.test
    half = fold_codes(test, n_folds=2, repeats=1, seed=scenario.risk.seed)[0]
    if not _enough(test, half):
        return ()
    parts = [np.flatnonzero(half == code) for code in (0, 1)]
    return tuple(_half(scenario, tested, own, other) for own, other in (parts, parts[::-1]))


def _half(scenario: Scenario, tested: Tested, own: Codes, other: Codes) -> Half:
    others = tested.log.pick(other).test
    folds = fold_codes(others, n_folds=FOLDS, repeats=1, seed=scenario.risk.seed)
    scores = arm_scores(others, folds, seed=scenario.risk.seed)
    return Half(
        estimated(scenario, tested.log.pick(own), tested.learned), others, scores[:, 1:] - scores[:, :1]
    )


def checked_by_halves(scenario: Scenario, found: Forecasted, halves: Sequence[Half]) -> HalvesChecked | None:
    """Plan on one half of the test's customers, value the plan on the other, and the reverse.

    The value of a plan that contacts customer i by channel c with probability p_ic is, per tier, its
    customers times the mean of ``sum over c of p_ic * (Gamma_ic - Gamma_i0)``, Gamma the AIPW scores of the
    other half.

    Parameters
    ----------
    scenario : Scenario
        Its budget and limits are those of the plan.
    found : Forecasted
    halves : sequence of Half

    Returns
    -------
    HalvesChecked or None
        None without halves, or where a half leaves no plan.
    """
    judged = [_judged(scenario, found, half) for half in halves]
    known = [one for one in judged if one is not None]
    if len(known) < 2:
        return None
    value = float(np.mean([worth.value for worth, _ in known]))
    error = float(np.sqrt(sum(worth.standard_error**2 for worth, _ in known)) / 2)
    return HalvesChecked(value, error, float(np.mean([promised for _, promised in known])))


def _judged(scenario: Scenario, found: Forecasted, half: Half) -> tuple[Estimated, float] | None:
    """Give what a plan made on some customers is worth by the others, and what it promised."""
    made = planned(scenario, found, half)
    if made is None:
        return None
    sizes = found.customers.sizes
    return valued(made.chance(half, sizes), half, sizes), made.promised


@dataclass(frozen=True, eq=False)
class HalfPlan:
    """A plan made on half of a test.

    Parameters
    ----------
    targeting : Targeting
        Its segments.
    contacts : mapping of cell to float
        Of the tested channels, by tier and segment.
    promised : float
        Incremental margin of the tested channels, money.
    """

    targeting: Targeting
    contacts: Mapping[Cell, float]
    promised: float

    def chance(self, half: Half, sizes: Mapping[str, float]) -> FloatArray:
        """Give the probability with which each of the other customers is contacted, by channel."""
        targeting, test = self.targeting, half.others
        tailored = targeting.tailored
        effect = tailored.effect(tailored.deviations(test.modifiers, test.stratum), test.stratum)
        segment = segments_of(targeting.rules, effect, test.stratum)
        first = np.cumsum([0, *(rule.count for rule in targeting.rules)])[:-1]
        return _chances(targeting, self.contacts, sizes)[first[test.stratum] + segment]


def planned(scenario: Scenario, found: Forecasted, half: Half) -> HalfPlan | None:
    """Plan on one half; None where it leaves no plan."""
    half = half.cut_for(scenario)
    curves, sizes = pipeline.curves_of(scenario, found, half.tested), found.customers.sizes
    problem = pipeline.problem(scenario, curves, sizes)
    solution = optimise(problem, "highs")
    if solution.status is not Status.OPTIMAL:
        return None
    channels = half.tested.log.channels
    promised = sum(one.margin for one in solution.cells if one.cell.channel in channels)
    return HalfPlan(half.tested.targeting, contacts_of(problem, solution), promised)


def _enough(test: ContactTest, half: NDArray[np.intp]) -> bool:
    """Whether both halves have a few customers of every arm in every tier."""
    cells = test.stratum * test.n_arms + test.arm
    n = (int(test.stratum.max()) + 1) * test.n_arms
    fewest = min(int(np.bincount(cells[half == code], minlength=n).min()) for code in (0, 1))
    return fewest >= 2 * FOLDS


def contacts_of(problem: Problem, solution: Solution) -> dict[Cell, float]:
    """Give the contacts of every cell whose contacts have a price."""
    return {
        decision.cells[0]: spend / decision.cost_per_contact
        for decision, spend in zip(problem.decisions, solution.decision_spend, strict=True)
        if decision.cost_per_contact and not decision.tied
    }


def _chances(targeting: Targeting, contacts: Mapping[Cell, float], sizes: Mapping[str, float]) -> FloatArray:
    """Give the share of a segment's customers that each channel contacts, shape (n_segments, n_channels)."""
    table, channels = targeting.table(), targeting.tailored.channels
    people = [sizes[tier] * part for tier, part in zip(table.tier, table.share, strict=True)]
    rows = [
        [contacts.get(Cell(tier, channel, segment=name), 0.0) / size for channel in channels]
        for tier, name, size in zip(table.tier, table.name, people, strict=True)
    ]
    return np.array(rows)


def valued(chance: FloatArray, half: Half, sizes: Mapping[str, float]) -> Estimated:
    """Give what contacting the customers a half has not seen brings, for the plan's population.

    Parameters
    ----------
    chance : array, shape (n_others, n_channels)
    half : Half
    sizes : mapping of tier to float
        Customers of the plan.
    """
    test = half.others
    brought = (chance * half.gains).sum(axis=1)
    value, variance = 0.0, 0.0
    for tier, name in enumerate(half.tested.log.tiers):
        own = test.stratum == tier
        mean = mean_of(brought[own], None if test.cluster is None else test.cluster[own])
        value += sizes[name] * mean.value
        variance += (sizes[name] * mean.standard_error) ** 2
    return Estimated(value, float(np.sqrt(variance)))
