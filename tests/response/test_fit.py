from __future__ import annotations

import numpy as np
import pytest

from allocator.errors import ScenarioError
from allocator.response.curves import Evidence
from allocator.response.draws import strata
from allocator.response.families import Hill, Linear
from allocator.response.fit import Measured, TierSplit, opinion_responses
from allocator.response.sources import CurveResponse, ExpertResponse, PointsResponse

TIERS = ("high", "low")
POINTS = PointsResponse(points=[[100, 250], [300, 450]])
EXPERT = ExpertResponse(
    estimates=[
        {"spend": 300e3, "low": 320e3, "likely": 480e3, "high": 600e3},
        {"spend": 700e3, "low": 500e3, "likely": 760e3, "high": 990e3},
    ]
)


def test_points_without_tiers_are_the_channels_total() -> None:
    (total,) = opinion_responses("email", POINTS, tiers=TIERS, reach=1e6)
    assert (total.channel, total.tier, total.source, total.evidence) == (
        "email",
        None,
        "points",
        Evidence.OPINION,
    )
    assert total.curve.spend.tolist() == [0, 100, 300]
    assert total.curve.value.tolist() == [0, 250, 450]
    assert total.curve.bounded
    assert total.curve.draws is None


def test_the_origin_is_added_once() -> None:
    written = PointsResponse(points=[[0, 0], [100, 250]])
    (total,) = opinion_responses("email", written, tiers=TIERS, reach=1e6)
    assert total.curve.spend.tolist() == [0, 100]


def test_a_family_is_sampled_to_the_reach() -> None:
    hill = Hill(ceiling=900e3, half_saturation=300e3)
    (total,) = opinion_responses("tv", CurveResponse(curve=hill), tiers=TIERS, reach=5e5)
    assert (total.curve.end, total.curve.bounded, total.source) == (5e5, False, "curve")
    assert total.curve.at(3e5) == 450e3


def test_a_budget_of_nothing_still_gives_a_curve() -> None:
    (total,) = opinion_responses("tv", CurveResponse(curve=Linear(slope=2)), tiers=TIERS, reach=0.0)
    assert total.curve.end > 0


def test_curves_by_tier_follow_the_scenarios_tiers_by_name() -> None:
    options = PointsResponse(by_tier={"low": [[100, 50]], "high": [[100, 250]]})
    high, low = opinion_responses("email", options, tiers=TIERS, reach=1e6)
    assert (high.tier, float(high.curve.at(100))) == ("high", 250)
    assert (low.tier, float(low.curve.at(100))) == ("low", 50)
    smooth = CurveResponse(by_tier={"high": Linear(slope=2), "low": Linear(slope=1)})
    assert [r.curve.marginal(5.0) for r in opinion_responses("tv", smooth, tiers=TIERS, reach=1e6)] == [2, 1]


def message(error: pytest.ExceptionInfo[ScenarioError]) -> tuple[str, str]:
    (finding,) = error.value.findings
    return finding.code, f"{finding.what}; {finding.fix}"


def test_by_tier_names_every_tier_and_no_other() -> None:
    options = PointsResponse(by_tier={"hihg": [[100, 50]], "low": [[100, 250]]})
    with pytest.raises(ScenarioError) as caught:
        opinion_responses("email", options, tiers=TIERS, reach=1e6)
    code, text = message(caught)
    assert code == "E210"
    assert "misses 'high' and names the unknown 'hihg'" in text
    assert "high, low" in text


def test_an_expert_is_believed_in_the_mean() -> None:
    (total,) = opinion_responses("search", EXPERT, tiers=TIERS, reach=1e6)
    assert total.curve.value.tolist() == pytest.approx([0, 467_548.6, 750_661.4], abs=1)
    assert total.curve.draws is None
    (drawn,) = opinion_responses(
        "search", EXPERT, tiers=TIERS, reach=1e6, strata=strata(500, np.random.default_rng(1))
    )
    assert drawn.curve.draws is not None
    assert drawn.curve.draws.shape == (500, 3)
    assert drawn.curve.value.tolist() == total.curve.value.tolist()
    assert np.mean(drawn.curve.draws[:, 1] < 320e3) == 0.1
    assert np.mean(drawn.curve.draws[:, 2] > 990e3) == 0.1


def trusted(trust: float, *measured: Measured) -> np.ndarray:
    options = ExpertResponse(estimates=EXPERT.estimates, trust=trust)
    (total,) = opinion_responses(
        "search",
        options,
        tiers=TIERS,
        reach=1e6,
        measured=measured,
        strata=strata(50, np.random.default_rng(1)),
    )
    assert total.curve.draws is not None
    assert total.curve.draws.mean(axis=0).tolist() == pytest.approx(total.curve.value.tolist())
    return total.curve.value / np.maximum(total.curve.spend, 1)


def test_less_trust_pulls_the_return_per_unit_towards_the_measured_mean() -> None:
    email, tv = Measured(spend=100e3, margin=90e3), Measured(spend=300e3, margin=150e3)
    mean = (90 + 150) / 400  # weighted by spend, not (0.9 + 0.5) / 2
    full, half, none = trusted(1.0), trusted(0.5, email, tv), trusted(0.0, email, tv)
    assert none[1:].tolist() == pytest.approx([mean, mean])
    assert half.tolist() == pytest.approx(((full + none) / 2).tolist())


def test_full_trust_needs_nobody_measured_and_ignores_them() -> None:
    assert trusted(1.0).tolist() == trusted(1.0, Measured(1.0, 9.0)).tolist()


def test_less_trust_without_anything_measured_is_refused() -> None:
    for measured in ((), (Measured(0.0, 0.0),)):
        with pytest.raises(ScenarioError) as caught:
            trusted(0.8, *measured)
        code, text = message(caught)
        assert code == "E209"
        assert "search is 80%" in text
        assert "trust: 100%" in text


def tier_curves(mix: dict[str, float], index: dict[str, float]) -> dict[str, tuple[float, float]]:
    split = TierSplit(mix, index)
    responses = opinion_responses("email", POINTS, tiers=TIERS, reach=1e6, targeting=split)
    return {str(r.tier): (r.curve.end, r.curve.marginal(0.0)) for r in responses}


def test_targeting_gives_every_tier_its_part_of_the_channel() -> None:
    found = tier_curves({"low": 3, "high": 1}, {})  # any unit: normalised
    assert found["high"] == pytest.approx((75.0, 2.5))
    assert found["low"] == pytest.approx((225.0, 2.5))


def test_an_index_moves_value_between_tiers() -> None:
    found = tier_curves({"high": 0.25, "low": 0.75}, {"high": 3.0})  # low is 1 where it is not named
    assert found["high"] == pytest.approx((75.0, 2.5 * 3 / 1.5))
    assert found["low"] == pytest.approx((225.0, 2.5 / 1.5))


@pytest.mark.parametrize(
    ("mix", "index", "code", "words"),
    [
        ({"high": 1.0, "low": 0.0}, {}, "E106", "share of 'low' in its mix is 0"),
        ({"high": 1.0, "low": -1.0}, {}, "E106", "share of 'low' in its mix is -1"),
        ({"high": 1.0, "low": np.inf}, {}, "E106", "mix is inf"),
        ({"high": 1.0}, {}, "E210", "misses 'low'"),
        ({"high": 1.0, "low": 1.0, "mid": 1.0}, {}, "E210", "unknown 'mid'"),
        ({"high": 1.0, "low": 1.0}, {"lwo": 2.0}, "E210", "unknown 'lwo'"),
        ({"high": 1.0, "low": 1.0}, {"low": -2.0}, "E106", "for 'low' is -2"),
        ({"high": 1.0, "low": 1.0}, {"low": 0.0, "high": 0.0}, "E106", "all 0"),
    ],
)
def test_a_split_that_is_none_is_refused(
    mix: dict[str, float], index: dict[str, float], code: str, words: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        tier_curves(mix, index)
    found, text = message(caught)
    assert found == code
    assert words in text


def test_a_tier_that_does_not_respond_brings_nothing() -> None:
    responses = opinion_responses(
        "tv",
        CurveResponse(curve=Hill(ceiling=900, half_saturation=100)),
        tiers=TIERS,
        reach=500.0,
        targeting=TierSplit({"high": 1, "low": 1}, {"low": 0.0}),
    )
    assert [float(r.curve.at(100.0)) for r in responses] == [pytest.approx(900 * 200 / 300), 0.0]
