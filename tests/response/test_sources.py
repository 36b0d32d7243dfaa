from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from allocator.response.families import Hill
from allocator.response.fit import opinion_responses
from allocator.response.sources import (
    CurveResponse,
    ExperimentResponse,
    ExpertResponse,
    HistoryResponse,
    PointsResponse,
    ResponseOptions,
)

ADAPTER: TypeAdapter[Any] = TypeAdapter(ResponseOptions)


def estimate(spend: float, low: float, likely: float, high: float) -> dict[str, float]:
    return {"spend": spend, "low": low, "likely": likely, "high": high}


def test_sources_are_read_as_a_scenario_file_writes_them() -> None:
    assert ADAPTER.validate_python({"source": "experiment"}) == ExperimentResponse()
    assert ADAPTER.validate_python({"source": "history"}) == HistoryResponse()
    expert = ADAPTER.validate_python(
        {
            "source": "expert",
            "estimates": [{"spend": "300k", "low": "-10k", "likely": "480k", "high": "600k"}],
            "trust": "80%",
        }
    )
    assert isinstance(expert, ExpertResponse)
    assert (expert.trust, expert.estimates[0].low) == (0.8, -10e3)
    points = ADAPTER.validate_python({"source": "points", "points": [["0", "0"], ["100k", "250k"]]})
    assert points == PointsResponse(points=[[0, 0], [100e3, 250e3]])
    by_tier = {"high": [["10k", "25k"]], "low": [["10k", "5k"]]}
    assert ADAPTER.validate_python({"source": "points", "by_tier": by_tier}).by_tier["low"] == ((10e3, 5e3),)
    hill = {"family": "hill", "ceiling": "900k", "half_saturation": "300k"}
    assert ADAPTER.validate_python({"source": "curve", "curve": hill}).curve == Hill(
        ceiling=900e3, half_saturation=300e3
    )
    assert set(ADAPTER.validate_python({"source": "curve", "by_tier": {"high": hill}}).by_tier) == {"high"}


def faults(data: dict[str, Any]) -> list[tuple[str, str, str]]:
    with pytest.raises(ValidationError) as caught:
        ADAPTER.validate_python(data)
    return [
        (".".join(map(str, error["loc"][1:])), error["type"], error["msg"]) for error in caught.value.errors()
    ]


@pytest.mark.parametrize(
    ("data", "place", "code", "words"),
    [
        ({"source": "points"}, "", "E101", "needs 'points' or 'by_tier'"),
        ({"source": "curve"}, "", "E101", "needs 'curve' or 'by_tier'"),
        (
            {"source": "points", "points": [[1, 1]], "by_tier": {"a": [[1, 1]]}},
            "", "E113", "exclude each other",
        ),
        ({"source": "points", "points": []}, "points", "E103", "at least one point"),
        ({"source": "points", "points": [[0, 0]]}, "points", "E115", "at least one spend above 0"),
        ({"source": "points", "points": [[0, 5], [10, 20]]}, "points", "E115", "a spend of 0 cannot bring 5"),
        ({"source": "points", "points": [[10, 5], [10, 6]]}, "points", "E115", "10 comes after 10"),
        ({"source": "points", "points": [[20, 5], [10, 4]]}, "points", "E115", "10 comes after 20"),
        ({"source": "points", "by_tier": {"a": [[10, 5], [5, 50]]}}, "by_tier.a", "E115", "5 comes after 10"),
        ({"source": "points", "points": [[-10, 5]]}, "points.0.0", "E106", "negative"),
        ({"source": "points", "points": [[10, "1.200.000"]]}, "points.0.1", "E104", "ambiguous"),
        ({"source": "expert", "estimates": []}, "estimates", "E103", "at least one estimate"),
        ({"source": "expert", "estimates": [estimate(10, 3, 2, 5)]}, "estimates.0", "E106", "low 3 is above"),
        ({"source": "expert", "estimates": [estimate(10, 1, 2, 1.5)]}, "estimates.0", "E106", "high 1.50 is"),
        (
            {"source": "expert", "estimates": [estimate(10, 1, 2, 3), estimate(10, 1, 2, 4)]},
            "estimates", "E115", "10 comes after 10",
        ),
        ({"source": "expert", "estimates": [estimate(10, 1, 2, 3)], "trust": 80}, "trust", "E105", "80"),
    ],
)  # fmt: skip
def test_a_response_that_gives_no_curve_is_refused_in_its_place(
    data: dict[str, Any], place: str, code: str, words: str
) -> None:
    ((found_place, found_code, message),) = faults(data)
    assert (found_place, found_code) == (place, code)
    assert words in message


def test_a_response_may_bend_upwards() -> None:
    points = PointsResponse(points=[[10, 5], [20, 50]])
    expert = ExpertResponse(estimates=[estimate(10, 1, 2, 3), estimate(20, 1, 9, 12)])
    late = CurveResponse(by_tier={"all": Hill(ceiling=900, half_saturation=100, shape=2)})
    for options in (points, expert, late):
        (response,) = opinion_responses("tv", options, tiers=("all",), reach=500.0)
        assert not response.curve.concave


def test_a_misspelt_key_is_one_fault() -> None:
    assert [fault[:2] for fault in faults({"source": "points", "pionts": [[1, 1]]})] == [
        ("pionts", "extra_forbidden")
    ]


def test_an_absent_source_and_an_unknown_one_are_refused() -> None:
    assert faults({"points": [[1, 1]]})[0][1] == "union_tag_not_found"
    assert faults({"source": "experience"})[0][1] == "union_tag_invalid"


def test_options_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        CurveResponse(curve=Hill(ceiling=1, half_saturation=1)).source = "points"  # type: ignore[assignment,misc]
