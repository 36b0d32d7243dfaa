from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.response.curve import OUTCOMES, CurveError, ResponseCurve, first_dent, outcome_at
from allocator.response.families import Hill, Power

SPEND = np.array([0.0, 100.0, 300.0, 600.0])
VALUE = np.array([0.0, 250.0, 450.0, 510.0])


def curve(**changes: object) -> ResponseCurve:
    return ResponseCurve(**({"spend": SPEND, "value": VALUE} | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"spend": np.array([0.0]), "value": np.array([0.0])}, "at least two breakpoints"),
        ({"value": VALUE[:-1]}, "one number a breakpoint"),
        ({"draws": VALUE}, "one number a breakpoint"),
        ({"draws": np.empty((0, 4))}, "one number a breakpoint"),
        ({"revenue": VALUE[1:]}, "one number a breakpoint"),
        ({"value": np.array([0.0, 1.0, np.nan, 2.0])}, "finite"),
        ({"spend": np.array([0.0, 1.0, 2.0, np.inf])}, "finite"),
        ({"spend": np.array([0.0, 300.0, 100.0, 600.0])}, "has to increase"),
        ({"spend": np.array([0.0, 100.0, 100.0, 600.0])}, "has to increase"),
        ({"spend": SPEND + 1}, "begin at"),
        ({"value": VALUE + 1}, "begin at"),
        ({"revenue": VALUE + 1}, "begin at"),
        ({"conversions": VALUE[1:]}, "one number a breakpoint"),
        ({"retained": VALUE + 1}, "begin at"),
        ({"immediate": np.array([0.0, 1.0, np.nan, 2.0])}, "finite"),
        ({"draws": np.stack([VALUE, VALUE * 1.1])}, "mean of the draws"),
    ],
)
def test_an_impossible_curve_is_refused(changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(CurveError, match=complaint) as caught:
        curve(**changes)
    assert {finding.code for finding in caught.value.findings} == {"E115"}


def test_a_curve_may_bend_upwards_and_says_so() -> None:
    late = curve(value=np.array([0.0, 10.0, 450.0, 510.0]))
    assert (late.concave, curve().concave) == (False, True)
    assert float(late.at(50.0)) == 5.0
    assert late.marginal(100.0) == pytest.approx(2.2)
    assert curve(value=-VALUE).concave is False  # losses that slow down


def test_a_curve_may_fall_past_its_top() -> None:
    over = curve(value=np.array([0.0, 250.0, 240.0, 200.0]))
    assert over.marginal(200.0) < 0


def test_rounding_errors_on_a_short_piece_are_no_dent() -> None:
    spend = np.array([0.0, 1e6, 1e6 + 1e-5, 2e6])
    assert first_dent(spend, 1.1 * spend) is None
    assert first_dent(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.1])) == 1.0


def test_nobody_can_change_a_curve_from_outside() -> None:
    mine = SPEND.copy()
    made = curve(spend=mine)
    mine[1] = 5.0
    assert made.spend[1] == 100.0
    with pytest.raises(ValueError, match="read-only"):
        made.value[1] = 9.0


def test_value_is_interpolated_for_numbers_and_arrays() -> None:
    assert curve().at(200.0) == 350.0
    assert curve().at(np.array([0.0, 50.0, 600.0])).tolist() == [0.0, 125.0, 510.0]
    assert curve().at([[100, 300]]).tolist() == [[250.0, 450.0]]


def test_a_spend_outside_the_curve_is_refused() -> None:
    for spend in (-1.0, 601.0, np.nan):
        with pytest.raises(CurveError):
            curve().at(spend)
        with pytest.raises(CurveError):
            curve().marginal(spend)
    with pytest.raises(ValueError, match="ends at a spend of 600"):
        curve().at([10.0, 700.0])


def test_a_rounding_error_past_an_end_counts_as_the_end() -> None:
    assert curve().at(600.0 + 1e-7) == 510.0
    assert curve().at(-1e-9) == 0.0


def test_marginal_differs_on_the_two_sides_of_a_kink() -> None:
    assert [curve().marginal(s) for s in (0.0, 50.0, 100.0, 300.0)] == pytest.approx([2.5, 2.5, 1.0, 0.2])
    assert [curve().marginal(s, "last") for s in (50.0, 100.0, 300.0, 600.0)] == pytest.approx(
        [2.5, 2.5, 1.0, 0.2]
    )


def test_a_spend_a_rounding_error_off_a_kink_is_on_it() -> None:
    for off in (-1e-8, 1e-8):
        assert curve().marginal(100.0 + off) == pytest.approx(1.0)
        assert curve().marginal(100.0 + off, "last") == pytest.approx(2.5)


def test_no_next_unit_at_the_end_and_no_last_one_at_nothing() -> None:
    assert np.isnan(curve().marginal(600.0))
    assert np.isnan(curve().marginal(0.0, "last"))
    smooth = Hill(ceiling=900, half_saturation=100).curve(600.0)
    assert smooth.marginal(600.0) == smooth.marginal(600.0, "last") > 0
    assert np.isnan(smooth.marginal(0.0, "last"))


def test_a_power_is_infinitely_steep_at_nothing() -> None:
    assert Power(scale=10, exponent=0.5).curve(100.0).marginal(0.0) == np.inf


def test_pieces_add_up_to_the_curve() -> None:
    assert curve().slopes @ curve().widths == pytest.approx(510.0)


def test_outcomes_are_known_by_name_or_not_at_all() -> None:
    made = curve(retained=VALUE / 50, revenue=2 * VALUE)
    assert list(made.outcomes) == ["revenue", "retained"]
    assert made.outcome("conversions") is None
    assert made.outcome("retained") is made.retained
    with pytest.raises(ValueError, match="no outcome 'margin'"):
        made.outcome("margin")


@pytest.mark.parametrize("name", OUTCOMES)
def test_outcomes_are_interpolated(name: str) -> None:
    made = curve(**{name: 2 * VALUE})
    assert outcome_at(made, name, np.array([[0.0, 200.0], [600.0, 100.0]])).tolist() == [
        [0.0, 700.0],
        [1020.0, 500.0],
    ]
    assert float(outcome_at(made, name, np.array(50.0))) == 250.0


def test_what_is_not_known_is_nothing_but_margin_is_immediate() -> None:
    spend = np.array([0.0, 200.0])
    assert outcome_at(curve(), "conversions", spend).tolist() == [0.0, 0.0]
    assert outcome_at(curve(), "immediate", spend).tolist() == [0.0, 350.0]


@pytest.mark.parametrize("shape", [0.7, 1.0, 2.5])
@given(share=st.floats(0, 2))
def test_along_a_smooth_curve_an_outcome_is_as_smooth_as_the_margin(shape: float, share: float) -> None:
    """Outcomes in proportion to margin are so between breakpoints too, and past the last one."""
    hill = Hill(ceiling=900, half_saturation=100, shape=shape)
    coarse = hill.curve(600.0)
    made = replace(coarse, conversions=coarse.value / 40, immediate=0.6 * coarse.value)
    spend = np.array(share * 600.0)
    assert outcome_at(made, "conversions", spend) == pytest.approx(float(hill.value(spend)) / 40)
    assert outcome_at(made, "immediate", spend) == pytest.approx(0.6 * float(hill.value(spend)))


def test_a_smooth_curve_that_earns_nothing_may_still_convert() -> None:
    flat = Hill(ceiling=900, half_saturation=100).curve(600.0).scaled(spend=1.0, value=0.0)
    made = replace(flat, conversions=flat.spend / 10)
    assert float(outcome_at(made, "conversions", np.array(300.0))) == pytest.approx(30.0)


def test_the_cost_of_an_outcome_may_change_along_a_smooth_curve() -> None:
    smooth = Hill(ceiling=900, half_saturation=100).curve(600.0)
    made = replace(smooth, conversions=smooth.value * (2 - smooth.spend / 600.0))
    places = np.array([0.0, 1.0, 77.0, 432.1, 600.0])
    assert outcome_at(made, "conversions", smooth.spend) == pytest.approx(made.conversions)
    assert outcome_at(made, "conversions", places) == pytest.approx(
        smooth.at(places) * (2 - places / 600), rel=1e-3
    )
    finer = made.refined(77.0, 20.0, 9)
    assert outcome_at(finer, "conversions", places) == pytest.approx(
        outcome_at(made, "conversions", places), rel=1e-12
    )


DRAWS = np.stack([0.8 * VALUE, 1.2 * VALUE])


def test_draws_are_interpolated() -> None:
    drawn = curve(draws=DRAWS).draws_at(200.0)
    assert drawn is not None
    assert drawn.tolist() == pytest.approx([280.0, 420.0])
    assert curve(draws=DRAWS).draws_at(600.0).tolist() == pytest.approx([408.0, 612.0])  # type: ignore[union-attr]
    assert curve().draws_at(200.0) is None


@given(share=st.floats(0, 1))
def test_draws_of_a_smooth_curve_average_to_it_everywhere(share: float) -> None:
    hill = Hill(ceiling=900, half_saturation=100)
    sampled = hill.curve(600.0)
    smooth = ResponseCurve(
        sampled.spend, sampled.value, np.stack([0.7 * sampled.value, 1.3 * sampled.value]), shape=hill
    )
    for version in (smooth, smooth.refined(200.0, 50.0, 11)):
        drawn = version.draws_at(share * 600.0)
        assert drawn is not None
        assert drawn.mean() == pytest.approx(float(version.at(share * 600.0)), abs=1e-9)


@given(width=st.floats(0.01, 10), height=st.floats(0, 10), share=st.floats(0, 1))
def test_scaling_stretches_spend_and_value(width: float, height: float, share: float) -> None:
    made = curve(draws=DRAWS, **{name: factor * VALUE for factor, name in enumerate(OUTCOMES, start=2)})
    scaled = made.scaled(spend=width, value=height)
    spend = share * 600.0
    assert float(scaled.at(width * spend)) == pytest.approx(height * float(made.at(spend)), abs=1e-9)
    for factor, name in enumerate(OUTCOMES, start=2):
        assert outcome_at(scaled, name, np.array(width * spend)) == pytest.approx(
            factor * height * float(made.at(spend)), abs=1e-9
        )
    assert scaled.end == pytest.approx(width * 600.0)
    assert np.ptp(scaled.draws_at(width * spend)) == pytest.approx(
        0.4 * height * float(made.at(spend)), abs=1e-9
    )


def test_scaling_keeps_a_smooth_curve_smooth() -> None:
    hill = Hill(ceiling=900, half_saturation=100)
    scaled = hill.curve(600.0).scaled(spend=0.5, value=0.25)
    assert not scaled.bounded
    assert float(scaled.at(333.0)) == pytest.approx(0.25 * float(hill.value(np.array(666.0))))
    assert scaled.marginal(333.0) == pytest.approx(0.5 * float(hill.marginal(np.array(666.0))))
    nothing = Power(scale=10, exponent=0.5).curve(600.0).scaled(spend=0.5, value=0.0)
    assert (nothing.marginal(0.0), float(nothing.at(100.0)), nothing.curve_error()) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("spend", "value"), [(0.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (np.nan, 1.0), (1.0, np.inf)]
)
def test_a_scale_that_gives_no_curve_is_refused(spend: float, value: float) -> None:
    with pytest.raises(CurveError):
        curve().scaled(spend=spend, value=value)


def test_refining_adds_breakpoints_where_asked_within_the_reach() -> None:
    made = Hill(ceiling=900, half_saturation=100).curve(600.0)
    finer = made.refined(590.0, 20.0, 5)
    assert set(np.round(finer.spend, 9)) - set(np.round(made.spend, 9)) == {570.0, 580.0, 590.0}
    assert finer.end == 600.0
    assert finer.shape is made.shape
    assert curve().refined(200.0, 50.0, 9).spend.tolist() == SPEND.tolist()


def test_curve_error_is_what_the_chords_leave_out() -> None:
    hill = Hill(ceiling=900, half_saturation=100)
    coarse = ResponseCurve(np.array([0.0, 100.0]), np.array([0.0, 450.0]), shape=hill)
    # where 900 * 100 / (100 + s)**2 equals the chord's 4.5
    s = 100 * (np.sqrt(2) - 1)
    assert coarse.curve_error() == pytest.approx(float(hill.value(np.array(s))) - 4.5 * s, rel=0.01)
    assert curve().curve_error() == 0.0


def test_curve_error_counts_what_lies_below_the_chords_too() -> None:
    late = Hill(ceiling=900, half_saturation=100, shape=2)
    coarse = ResponseCurve(np.array([0.0, 50.0]), np.array([0.0, 180.0]), shape=late)
    spend = np.linspace(0, 50, 5001)
    assert coarse.curve_error() == pytest.approx(np.max(3.6 * spend - late.value(spend)), rel=0.01)
    both = ResponseCurve(np.array([0.0, 50.0, 600.0]), late.value(np.array([0.0, 50.0, 600.0])), shape=late)
    assert both.curve_error() > 5 * coarse.curve_error()
