"""Curves as a table that loses nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.response.curve import OUTCOMES, ResponseCurve, Shape
from allocator.response.curves import Curves, Evidence, Response
from allocator.response.families import Hill, Linear, Log, Power
from allocator.response.stored import from_stored, to_stored

FAMILIES = (
    Hill(ceiling=900.0, half_saturation=1e3 / 3, shape=2.3),
    Log(scale=50.0, pace=30.0),
    Hill(ceiling=900.0, half_saturation=1e3 / 3, shape=0.7),
    Power(scale=2.0, exponent=0.4),
    Linear(slope=1.1),
)


def drawn() -> ResponseCurve:
    spend = np.array([0.0, 100.0, 1000 / 3])
    factor = np.array([0.7, 1.0, 1.3])
    value = np.array([0.0, 2.0, 3.0]) / 3
    outcomes = {name: value * factor for factor, name in enumerate(OUTCOMES, start=3)}
    return ResponseCurve(spend, value, factor[:, None] * value, **outcomes)  # type: ignore[arg-type]


def curves(*, combine: str = "one_per_customer") -> Curves:
    shapes = [
        Response(f"c{place}", family.curve(800.0), Evidence.MODELLED, "history", "low", "all", "2")
        for place, family in enumerate(FAMILIES)
    ]
    scaled = FAMILIES[1].curve(500.0).scaled(spend=2.0, value=3.0).scaled(spend=1 / 3, value=1 / 7)
    return Curves(
        (
            Response(
                "email",
                drawn(),
                Evidence.TESTED,
                "experiment",
                "high",
                population=1e4 / 3,
                cost_per_contact=1 / 7,
            ),
            Response("radio", drawn(), Evidence.MODELLED, "history", observed_to=1e3 / 7),
            *shapes,
            Response("tv", scaled, Evidence.OPINION, "curve"),
        ),
        combine,  # type: ignore[arg-type]
    )


def same_array(left: np.ndarray | None, right: np.ndarray | None) -> None:
    assert (left is None) == (right is None)
    if left is not None and right is not None:
        assert left.shape == right.shape
        assert left.tobytes() == right.tobytes()


def same_shape(left: Shape | None, right: Shape | None) -> None:
    assert type(left) is type(right)
    if left is not None and right is not None:
        spend = np.linspace(0, 400, 7)
        assert left.value(spend).tolist() == right.value(spend).tolist()


@pytest.mark.parametrize("through_a_file", [False, True])
@pytest.mark.parametrize("combine", ["one_per_customer", "add"])
def test_nothing_is_lost(tmp_path: Path, through_a_file: bool, combine: str) -> None:
    made = curves(combine=combine)
    table = to_stored(made)
    if through_a_file:
        table.to_parquet(tmp_path / "c.parquet")
        table = pd.read_parquet(tmp_path / "c.parquet")
    again = from_stored(table)
    assert again.combine == combine
    for left, right in zip(made, again, strict=True):
        for name in (
            "channel",
            "tier",
            "period",
            "segment",
            "population",
            "evidence",
            "source",
            "observed_to",
            "cost_per_contact",
        ):
            assert getattr(left, name) == getattr(right, name), name
        for name in ("spend", "value", "draws", *OUTCOMES):
            same_array(getattr(left.curve, name), getattr(right.curve, name))
        same_shape(left.curve.shape, right.curve.shape)


def test_what_was_stored_before_curves_told_so_much_is_read() -> None:
    table = to_stored(curves()).drop(columns=["conversions", "retained", "immediate", "cost_per_contact"])
    email = from_stored(table).of("email")[0]
    assert list(email.curve.outcomes) == ["revenue"]
    assert email.cost_per_contact is None


def test_no_curves_are_no_curves() -> None:
    assert from_stored(to_stored(Curves(()))).responses == ()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("combine", "multiply"),
        ("evidence", "heard of"),
        ("spend", [0.0, 5.0]),
        ("value", [0.0, -np.inf, np.nan]),
        ("draws", [1.0, 2.0]),
        ("shape", "print('run me')"),
        ("shape", '{"family": "exec"}'),
    ],
)
def test_something_else_is_refused(column: str, value: object) -> None:
    table = to_stored(Curves(curves().responses[:1]))
    table[column] = [value]
    with pytest.raises((ValueError, TypeError)):
        from_stored(table)


def test_a_shape_of_no_family_is_not_stored() -> None:
    class Own:
        def value(self, spend: np.ndarray) -> np.ndarray:
            return np.sqrt(spend)

        def marginal(self, spend: np.ndarray) -> np.ndarray:
            return 0.5 / np.sqrt(spend)

    spend = np.linspace(0, 9, 4)
    curve = ResponseCurve(spend, np.sqrt(spend), shape=Own())
    with pytest.raises(TypeError, match="Own"):
        to_stored(Curves((Response("tv", curve, Evidence.OPINION, "curve"),)))
