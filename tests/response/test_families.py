from __future__ import annotations

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from allocator.response.families import CurveFamily, Hill, Linear, Log, Power, breakpoints

ADAPTER = TypeAdapter(CurveFamily)


def test_textbook_values() -> None:
    spend = np.array([0.0, 100.0, 300.0])
    assert Hill(ceiling=800, half_saturation=100).value(spend).tolist() == pytest.approx([0, 400, 600])
    assert Hill(ceiling=800, half_saturation=100, shape=0.5).value(np.array(400.0)) == pytest.approx(
        800 * 2 / 3
    )
    assert Log(scale=50, pace=100).value(spend).tolist() == pytest.approx([0, 50 * np.log(2), 50 * np.log(4)])
    assert Power(scale=3, exponent=0.5).value(spend).tolist() == pytest.approx([0, 30, 30 * np.sqrt(3)])
    assert Linear(slope=1.5).value(spend).tolist() == [0, 150, 450]


def test_the_first_unit_of_a_log_has_halved_at_its_pace() -> None:
    log = Log(scale=50, pace=100)
    assert log.marginal(np.array([0.0, 100.0])).tolist() == [0.5, 0.25]


def test_a_family_is_written_as_in_a_scenario_file() -> None:
    hill = ADAPTER.validate_python(
        {"family": "hill", "ceiling": "900k", "half_saturation": "1.2M", "shape": "0.8"}
    )
    assert hill == Hill(ceiling=900e3, half_saturation=1.2e6, shape=0.8)


def codes(data: dict[str, object]) -> set[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        ADAPTER.validate_python(data)
    return {(".".join(map(str, error["loc"][1:])), error["type"]) for error in caught.value.errors()}


@pytest.mark.parametrize(
    ("data", "place", "code"),
    [
        ({"family": "hill", "ceiling": 9, "half_saturation": 1, "shape": 51}, "shape", "E106"),
        ({"family": "hill", "ceiling": 9, "half_saturation": 1, "shape": 0}, "shape", "E106"),
        ({"family": "hill", "ceiling": 9, "half_saturation": 0}, "half_saturation", "E106"),
        ({"family": "hill", "ceiling": -9, "half_saturation": 1}, "ceiling", "E106"),
        ({"family": "log", "scale": 9, "pace": 0}, "pace", "E106"),
        ({"family": "power", "scale": 9, "exponent": 1.5}, "exponent", "E115"),
        ({"family": "power", "scale": 9, "exponent": -0.5}, "exponent", "E106"),
        ({"family": "linear", "slope": 0}, "slope", "E106"),
        ({"family": "linear", "slope": True}, "slope", "E104"),
        ({"family": "linear"}, "slope", "missing"),
        ({"family": "linear", "slope": 1, "ceiling": 3}, "ceiling", "extra_forbidden"),
        ({"family": "logistic", "slope": 1}, "", "union_tag_invalid"),
    ],
)
def test_a_parameter_that_gives_no_curve_is_refused(data: dict[str, object], place: str, code: str) -> None:
    assert codes(data) == {(place, code)}


def test_an_s_shaped_hill() -> None:
    late = ADAPTER.validate_python({"family": "hill", "ceiling": 800, "half_saturation": 100, "shape": 2})
    spend = np.array([0.0, 50.0, 100.0, 300.0])
    assert late.value(spend).tolist() == pytest.approx([0, 160, 400, 720])
    # 2 * ceiling * x / h**2 / (1 + x**2 / h**2)**2
    assert late.marginal(spend).tolist() == pytest.approx([0, 5.12, 4, 0.48])
    assert not late.curve(1000.0).concave


@pytest.mark.parametrize("shape", [1.0, 1.5, 50.0])
def test_a_hill_has_no_numbers_that_are_none(shape: float) -> None:
    hill = Hill(ceiling=800, half_saturation=1e-3, shape=shape)
    spend = np.array([0.0, 1e-12, 1e-3, 1.0, 1e300])
    assert np.isfinite(hill.value(spend)).all()
    assert hill.value(spend)[-1] == 800
    assert np.isfinite(hill.marginal(spend)).all()
    assert hill.marginal(spend)[-1] == pytest.approx(0)


@pytest.mark.parametrize("shape", [1.1, 1.5, 2.0, 4.0, 20.0])
@pytest.mark.parametrize("reach", [150.0, 1000.0, 50_000.0])
def test_an_s_shaped_curve_has_a_breakpoint_where_it_turns(shape: float, reach: float) -> None:
    hill = Hill(ceiling=800, half_saturation=100, shape=shape)
    turn = 100 * ((shape - 1) / (shape + 1)) ** (1 / shape)
    spend = breakpoints(hill, reach)
    at = int(np.abs(spend - turn).argmin())
    assert spend[at] == pytest.approx(turn, rel=1e-3)
    middle = (spend[1:] + spend[:-1]) / 2
    off = hill.value(middle) - (hill.value(spend[1:]) + hill.value(spend[:-1])) / 2
    slack = 1e-9 * 800
    assert (off[: at - 1] <= slack).all()  # the chord lies above what bends upwards
    assert (off[at + 1 :] >= -slack).all()
    assert np.abs(off).max() <= 1e-4 * hill.value(np.array(reach))


def test_a_reach_below_the_turn_leaves_only_the_upward_bend() -> None:
    hill = Hill(ceiling=800, half_saturation=100, shape=3)
    curve = hill.curve(50.0)
    assert (np.diff(curve.slopes) > 0).all()
    assert curve.curve_error() <= 1e-4 * curve.value[-1]


def test_a_reach_at_which_nothing_happens_yet_is_one_piece() -> None:
    assert breakpoints(Hill(ceiling=800, half_saturation=1e9, shape=50), 1.0).tolist() == [0.0, 1.0]


def test_equal_errors_on_every_piece() -> None:
    hill = Hill(ceiling=800, half_saturation=100)
    spend = breakpoints(hill, 1000.0)
    middle = (spend[1:] + spend[:-1]) / 2
    error = hill.value(middle) - (hill.value(spend[1:]) + hill.value(spend[:-1])) / 2
    assert error.min() > 0.7 * error.max()
    assert np.diff(spend)[0] < np.diff(spend)[-1] / 10


def test_a_finer_tolerance_takes_more_breakpoints() -> None:
    log = Log(scale=50, pace=100)
    assert len(breakpoints(log, 1000.0, 1e-3)) < len(breakpoints(log, 1000.0, 1e-4)) <= 129
    assert len(breakpoints(log, 1000.0, 1e-9)) == 129


def test_no_breakpoint_lies_absurdly_close_to_nothing() -> None:
    spend = breakpoints(Power(scale=9, exponent=0.1), 1e6)
    assert spend[1] >= 0.01
