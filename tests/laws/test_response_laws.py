"""Laws every response obeys, whichever family or source it comes from."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.response.curve import OUTCOMES, ResponseCurve, outcome_at
from allocator.response.draws import strata
from allocator.response.families import FAMILIES, CurveFamily, Family, Hill, Linear, Log, Power
from allocator.response.fit import TierSplit, opinion_responses
from allocator.response.sources import (
    RESPONSES,
    CurveResponse,
    ExperimentResponse,
    ExpertResponse,
    HistoryResponse,
    OpinionResponse,
    PointsResponse,
    ResponseOptions,
)

REACH = 1_200_000.0
TIERS = ("high", "medium", "low")

FAMILY_CASES: dict[type[Family], list[Family]] = {
    Hill: [
        Hill(ceiling=900e3, half_saturation=300e3),
        Hill(ceiling=900e3, half_saturation=2e3),
        Hill(ceiling=1e3, half_saturation=5e6),
        Hill(ceiling=900e3, half_saturation=300e3, shape=0.6),
        Hill(ceiling=900e3, half_saturation=300e3, shape=1.3),
        Hill(ceiling=900e3, half_saturation=20e3, shape=3),
        Hill(ceiling=1e3, half_saturation=5e6, shape=2),
        Hill(ceiling=900e3, half_saturation=700e3, shape=20),
    ],
    Log: [Log(scale=200e3, pace=50e3), Log(scale=200e3, pace=10.0), Log(scale=1.0, pace=1e7)],
    Power: [Power(scale=700, exponent=0.5), Power(scale=30, exponent=0.8), Power(scale=2, exponent=1)],
    Linear: [Linear(slope=1.8), Linear(slope=0.001)],
}
SOURCE_CASES: dict[type, list[OpinionResponse]] = {
    ExpertResponse: [
        ExpertResponse(
            estimates=[
                {"spend": "300k", "low": "320k", "likely": "480k", "high": "600k"},
                {"spend": "700k", "low": "500k", "likely": "760k", "high": "990k"},
            ]
        )
    ],
    PointsResponse: [
        PointsResponse(points=[[100e3, 250e3], [300e3, 450e3], [500e3, 440e3]]),
        PointsResponse(points=[[100e3, 10e3], [300e3, 450e3], [500e3, 440e3]]),
    ],
    CurveResponse: [CurveResponse(curve=family) for family in list(chain(*FAMILY_CASES.values()))],
}
ESTIMATED = {ExperimentResponse, HistoryResponse}

ALL_FAMILIES = list(chain(*FAMILY_CASES.values()))
ALL_SOURCES = list(chain(*SOURCE_CASES.values()))


def bends_upwards(case: Family | OpinionResponse) -> bool:
    """Whether a case is one that is meant not to be concave."""
    if isinstance(case, CurveResponse) and case.curve is not None:
        return bends_upwards(case.curve)
    return (isinstance(case, Hill) and case.shape > 1) or case is SOURCE_CASES[PointsResponse][1]


families = pytest.mark.parametrize("family", ALL_FAMILIES, ids=repr)
sources = pytest.mark.parametrize("options", ALL_SOURCES, ids=lambda o: repr(o)[:90])
concave_families = pytest.mark.parametrize(
    "family", [case for case in ALL_FAMILIES if not bends_upwards(case)], ids=repr
)
concave_sources = pytest.mark.parametrize(
    "options", [case for case in ALL_SOURCES if not bends_upwards(case)], ids=lambda o: repr(o)[:90]
)

places = st.floats(0, 1).map(lambda share: share * REACH)


def members(union: object) -> set[type]:
    """Classes a scenario can choose from by discriminator."""
    return set(get_args(get_args(union)[0]))


def test_every_family_has_a_case() -> None:
    assert set(FAMILY_CASES) == set(FAMILIES)
    assert members(CurveFamily) == set(FAMILIES)


def test_every_source_has_a_case() -> None:
    assert set(SOURCE_CASES) | ESTIMATED == set(RESPONSES)
    assert members(ResponseOptions) == set(RESPONSES)


@families
def test_nothing_spent_brings_nothing(family: Family) -> None:
    assert family.value(np.array(0.0)) == 0


@families
@given(a=places, b=places)
def test_more_spend_brings_more(family: Family, a: float, b: float) -> None:
    low, high = np.array(min(a, b)), np.array(max(a, b))
    assert family.value(low) <= family.value(high)
    assert family.marginal(high) >= 0


@concave_families
@given(a=places, b=places)
def test_more_spend_brings_ever_less_a_unit(family: Family, a: float, b: float) -> None:
    low, high = np.array(min(a, b)), np.array(max(a, b))
    assert family.marginal(high) <= family.marginal(low) * (1 + 1e-12)
    assert family.marginal(high) > 0


@families
def test_a_curve_says_whether_it_bends_upwards(family: Family) -> None:
    assert family.curve(REACH).concave is not bends_upwards(family)


@families
@given(spend=st.floats(1e-4, 1).map(lambda share: share * REACH))
def test_the_marginal_is_the_derivative(family: Family, spend: float) -> None:
    step = 1e-4 * spend
    rise = family.value(np.array(spend + step)) - family.value(np.array(spend - step))
    rounding = 1e-15 * float(family.value(np.array(spend))) / step
    assert family.marginal(np.array(spend)) == pytest.approx(rise / (2 * step), rel=1e-5, abs=rounding)


@families
def test_a_sampled_family_errs_by_less_than_one_in_ten_thousand(family: Family) -> None:
    curve = family.curve(REACH)
    spend = np.concatenate([np.geomspace(1e-7, 1, 20_001), np.linspace(0, 1, 20_001)]) * REACH
    error = family.value(spend) - np.interp(spend, curve.spend, curve.value)
    end = float(family.value(np.array(REACH)))
    assert np.max(np.abs(error)) <= 1e-4 * end
    assert bends_upwards(family) or np.min(error) >= -1e-12 * end
    assert np.max(np.abs(error)) * 0.99 <= curve.curve_error() <= 2.5e-4 * end
    assert len(curve.spend) <= 130
    assert (curve.spend[0], curve.end) == (0, REACH)


@families
@given(at=places, width=st.floats(1.0, 1e5), factor=st.floats(0.1, 10))
def test_outcomes_go_with_the_curve(family: Family, at: float, width: float, factor: float) -> None:
    """Whatever is done to a curve, what is in proportion to its margin stays so."""
    plain = family.curve(REACH)
    shares = {name: share / 7 for share, name in enumerate(OUTCOMES, start=1)}
    curve = replace(plain, **{name: share * plain.value for name, share in shares.items()})  # type: ignore[arg-type]
    for one in (curve, curve.scaled(spend=factor, value=1 / factor), curve.refined(at, width, 5)):
        assert list(one.outcomes) == list(OUTCOMES)
        spend = np.linspace(0, one.end, 7)
        for name, share in shares.items():
            assert one.outcome(name) == pytest.approx(share * one.value, rel=1e-9)
            assert outcome_at(one, name, spend) == pytest.approx(share * one.at(spend), rel=1e-9)


@families
@given(spend=places)
def test_a_sampled_family_is_exact_between_its_breakpoints(family: Family, spend: float) -> None:
    curve = family.curve(REACH)
    assert curve.at(spend) == family.value(np.array(spend))
    if spend > 0:
        assert curve.marginal(spend) == family.marginal(np.array(spend))


@families
def test_a_family_goes_on_past_its_reach(family: Family) -> None:
    curve = family.curve(REACH)
    assert not curve.bounded
    assert curve.at(2 * REACH) == family.value(np.array(2 * REACH))


@families
@given(at=places, width=st.floats(1.0, 1e5))
def test_refining_keeps_the_curve_and_lessens_its_error(family: Family, at: float, width: float) -> None:
    curve = family.curve(REACH)
    finer = curve.refined(at, width, 21)
    assert finer.curve_error() <= curve.curve_error() * (1 + 1e-9) + 1e-12 * curve.value[-1]
    assert finer.end == curve.end
    near = np.linspace(max(at - width, 0), min(at + width, REACH), 101)
    coarse_error = curve.at(near) - np.interp(near, curve.spend, curve.value)
    fine_error = finer.at(near) - np.interp(near, finer.spend, finer.value)
    assert np.all(np.abs(fine_error) <= np.abs(coarse_error) + 1e-9 * curve.value[-1])
    assert finer.at(at) == curve.at(at)


def total(options: OpinionResponse) -> ResponseCurve:
    (response,) = opinion_responses("tv", options, tiers=TIERS, reach=REACH, strata=DRAWS)
    return response.curve


def split(options: OpinionResponse, targeting: TierSplit) -> dict[str | None, ResponseCurve]:
    responses = opinion_responses("tv", options, tiers=TIERS, reach=REACH, targeting=targeting, strata=DRAWS)
    return {response.tier: response.curve for response in responses}


DRAWS = strata(40, np.random.default_rng(3))
weights = st.fixed_dictionaries({tier: st.floats(0.05, 1) for tier in TIERS})
indices = st.fixed_dictionaries({tier: st.floats(0, 3) for tier in TIERS[:2]}).map(lambda d: d | {"low": 1.0})


@sources
def test_a_total_is_one_tied_response_whose_evidence_is_opinion(options: OpinionResponse) -> None:
    (response,) = opinion_responses("tv", options, tiers=TIERS, reach=REACH)
    assert (response.tier, response.tied, response.source) == (None, True, options.source)
    assert response.evidence == "opinion"


@sources
def test_the_mean_of_the_draws_is_the_curve(options: OpinionResponse) -> None:
    curve = total(options)
    for share in (0.0, 0.1, 0.77, 1.0):
        drawn = curve.draws_at(share * curve.end)
        if drawn is not None:
            assert drawn.mean() == pytest.approx(float(curve.at(share * curve.end)), rel=1e-9, abs=1e-6)


@sources
@given(mix=weights, index=indices, share=st.floats(0, 1))
def test_spend_in_proportion_reproduces_the_total(
    options: OpinionResponse, mix: dict[str, float], index: dict[str, float], share: float
) -> None:
    curve = total(options)
    spend = share * curve.end
    whole = sum(mix.values())
    parts = split(options, TierSplit(mix, index))
    summed = sum(float(part.at(mix[str(tier)] / whole * spend)) for tier, part in parts.items())
    assert summed == pytest.approx(float(curve.at(spend)), rel=1e-9, abs=1e-9)


@concave_sources
@given(mix=weights, share=st.floats(0, 1), cuts=weights)
def test_alike_tiers_gain_nothing_from_any_split(
    options: OpinionResponse, mix: dict[str, float], share: float, cuts: dict[str, float]
) -> None:
    curve = total(options)
    parts = split(options, TierSplit(mix, {}))
    spend = share * curve.end
    tried = {tier: cuts[str(tier)] / sum(cuts.values()) * spend for tier in parts}
    tried = {
        tier: min(x, part.end if part.bounded else x)
        for (tier, part), x in zip(parts.items(), tried.values(), strict=True)
    }
    summed = sum(float(part.at(tried[tier])) for tier, part in parts.items())
    assert summed <= float(curve.at(sum(tried.values()))) * (1 + 1e-9) + 1e-9


@sources
def test_a_tier_can_take_the_whole_reach_or_its_part_of_the_end(options: OpinionResponse) -> None:
    mix = {"high": 0.2, "medium": 0.3, "low": 0.5}
    end = total(options).end
    for tier, part in split(options, TierSplit(mix, {})).items():
        expected = mix[str(tier)] * end if part.bounded else REACH
        assert part.end == pytest.approx(expected, rel=1e-12)
