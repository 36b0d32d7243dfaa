"""Curves of whole tiers: what a channel would bring if it took the best segments first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.response.curve import ResponseCurve
from allocator.response.curves import Curves, Evidence, Response
from allocator.response.whole_tiers import whole_tiers

SLOPES = (1.5, -0.5, 4.0)
WIDTHS = (10.0, 20.0, 5.0)
NOISE = np.random.default_rng(3).normal(size=(3, 30))


def part(at: int, *, draws: bool = True, revenue: bool = True, channel: str = "email") -> Response:
    line = np.array([0.0, WIDTHS[at]])
    curve = ResponseCurve(
        line,
        SLOPES[at] * line,
        draws=np.outer(SLOPES[at] + NOISE[at] - NOISE[at].mean(), line) if draws else None,
        revenue=2 * SLOPES[at] * line if revenue else None,
        conversions=line / (at + 1),
        immediate=line * at if at else None,
    )
    return Response(channel, curve, Evidence.TESTED, "experiment", "low", segment=str(at + 1), population=10)


def test_the_whole_brings_the_most_its_parts_can_at_every_spend() -> None:
    (whole,) = whole_tiers(Curves(tuple(part(at) for at in range(3))))
    assert float(whole.curve.at(5.0)) == pytest.approx(20.0)
    assert float(whole.curve.at(15.0)) == pytest.approx(35.0)
    assert whole.curve.end == pytest.approx(sum(WIDTHS))
    assert whole.curve.value[-1] == pytest.approx(sum(s * w for s, w in zip(SLOPES, WIDTHS, strict=True)))
    assert (np.diff(whole.curve.slopes) < 0).all()
    assert (whole.segment, whole.population) == ("", 30)


def test_draws_and_outcomes_are_put_in_the_same_order() -> None:
    (whole,) = whole_tiers(Curves(tuple(part(at) for at in range(3))))
    assert whole.curve.draws is not None
    assert whole.curve.revenue is not None
    np.testing.assert_allclose(whole.curve.draws.mean(axis=0), whole.curve.value, atol=1e-9)
    np.testing.assert_allclose(whole.curve.revenue, 2 * whole.curve.value)
    np.testing.assert_allclose(whole.curve.conversions, [0, 5 / 3, 5 / 3 + 10, 5 / 3 + 10 + 10])
    np.testing.assert_allclose(whole.curve.immediate, [0, 10, 10 + 15, 10 + 15 + 20])  # of part 1 all
    best = part(2).curve.draws
    assert best is not None
    np.testing.assert_allclose(whole.curve.draws[:, 1], best[:, 1])


def test_the_order_of_segments_does_not_matter() -> None:
    (one,) = whole_tiers(Curves(tuple(part(at) for at in (0, 1, 2))))
    (other,) = whole_tiers(Curves(tuple(part(at) for at in (2, 0, 1))))
    np.testing.assert_array_equal(one.curve.value, other.curve.value)


def test_what_only_some_segments_tell_is_not_told_of_the_whole() -> None:
    (whole,) = whole_tiers(Curves((part(0), part(1, draws=False, revenue=False))))
    assert whole.curve.draws is None
    assert whole.curve.revenue is None
    assert whole.curve.retained is None


def test_margin_that_is_all_immediate_stays_so_unsaid() -> None:
    (whole,) = whole_tiers(Curves((part(0), replace(part(0), segment="2"))))
    assert whole.curve.immediate is None


def late(segment: str, *steps: tuple[float, float]) -> Response:
    """A segment whose curve is made of pieces (width, slope), in any order of slopes."""
    width, slope = np.array(steps).T
    spend, value = np.append(0.0, np.cumsum(width)), np.append(0.0, np.cumsum(width * slope))
    return Response("email", ResponseCurve(spend, value), Evidence.OPINION, "table", "low", segment=segment)


def test_what_a_curve_has_to_be_climbed_for_stays_together() -> None:
    """Of the first one 20 bring 50, 2.5 a unit: more than the second, less than the third."""
    parts = (late("1", (10.0, 1.0), (10.0, 4.0), (10.0, 0.5)), late("2", (10.0, 2.0)), late("3", (10.0, 3.0)))
    (whole,) = whole_tiers(Curves(parts))
    assert whole.curve.value.tolist() == [0, 30, 40, 80, 100, 105]
    assert not whole.curve.concave


def test_channels_stay_apart_and_a_single_segment_stays_as_it_is() -> None:
    single = part(0, channel="mail")
    found = whole_tiers(Curves((part(0), single, part(1))))
    assert [one.channel for one in found] == ["email", "mail"]
    assert found[1] is single
