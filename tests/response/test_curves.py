from __future__ import annotations

import numpy as np
import pytest

from allocator.response.curve import CurveError, ResponseCurve
from allocator.response.curves import SOURCES, Curves, Evidence, Response


def response(channel: str, tier: str | None = None, **changes: object) -> Response:
    curve = ResponseCurve(np.array([0.0, 100.0]), np.array([0.0, 250.0]))
    return Response(channel, curve, Evidence.OPINION, "points", tier, **changes)  # type: ignore[arg-type]


def drawn(n: int) -> ResponseCurve:
    return ResponseCurve(np.array([0.0, 100.0]), np.array([0.0, 250.0]), np.tile([0.0, 250.0], (n, 1)))


CURVES = Curves((response("tv"), response("email", "high"), response("email", "low")))


def test_curves_are_looked_up_by_channel() -> None:
    assert CURVES.channels == ("tv", "email")
    assert CURVES.tiers == ("high", "low")
    assert [str(r) for r in CURVES.of("email")] == ["high/email", "low/email"]
    assert (CURVES.tied("tv"), CURVES.tied("email")) == (True, False)
    assert CURVES.evidence("tv") is Evidence.OPINION
    assert [str(r) for r in CURVES] == ["tv", "high/email", "low/email"]
    assert len(CURVES) == 3


def test_an_unknown_channel_is_told_the_closest() -> None:
    with pytest.raises(CurveError, match="did you mean 'email'") as caught:
        CURVES.of("emial")
    assert caught.value.findings[0].code == "E201"
    with pytest.raises(CurveError, match="channels with curves: tv, email"):
        CURVES.tied("print")


def test_a_response_names_its_cell() -> None:
    assert str(response("tv", "low", segment="3", period="w1")) == "low/tv#3@w1"


@pytest.mark.parametrize(
    ("responses", "complaint"),
    [
        ((response("tv"), response("tv")), "tv has two curves"),
        ((response("tv", "low"), response("tv", "low")), "low/tv has two curves"),
        ((response("tv"), response("tv", "low")), "total beside curves of single tiers"),
    ],
)
def test_a_cell_has_one_curve(responses: tuple[Response, ...], complaint: str) -> None:
    with pytest.raises(CurveError, match=complaint):
        Curves(responses)


def test_segments_and_periods_are_cells_of_their_own() -> None:
    parts = tuple(response("tv", "low", segment=s, period=p) for s in ("1", "2") for p in ("w1", "w2"))
    assert len(Curves(parts)) == 4


def test_draws_of_different_number_cannot_meet() -> None:
    def uncertain(channel: str, n: int) -> Response:
        return Response(channel, drawn(n), Evidence.OPINION, "expert")

    assert Curves((uncertain("tv", 5), response("email"), uncertain("radio", 5))).n_draws == 5
    assert CURVES.n_draws == Curves(()).n_draws == 0
    with pytest.raises(CurveError, match="5 and 6 draws"):
        Curves((uncertain("tv", 5), uncertain("radio", 6)))


def test_only_an_experiment_counts_as_tested() -> None:
    assert [name for name, evidence in SOURCES.items() if evidence is Evidence.TESTED] == ["experiment"]
    assert [name for name, evidence in SOURCES.items() if evidence is Evidence.MODELLED] == ["history"]
