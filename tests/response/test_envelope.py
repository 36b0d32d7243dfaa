"""The least concave curve above any other."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from allocator.response.curve import first_dent
from allocator.response.envelope import envelope
from allocator.response.families import Hill

values = st.lists(st.integers(-50, 50), min_size=1, max_size=12)


@given(values)
def test_it_is_concave_lies_above_and_touches_where_it_bends(steps: list[int]) -> None:
    value = np.append(0.0, np.cumsum(steps))
    spend = np.arange(len(value), dtype=np.float64)
    kept = envelope(spend, value)
    assert (kept[0], kept[-1]) == (0, len(value) - 1)
    assert first_dent(spend[kept], value[kept]) is None
    assert (np.interp(spend, spend[kept], value[kept]) >= value - 1e-9).all()


@given(st.integers(0, 2**32 - 1))
def test_its_slopes_fall_between_uneven_places_too(seed: int) -> None:
    rng = np.random.default_rng(seed)
    spend, value = np.cumsum(rng.uniform(0.1, 2, 30)), rng.normal(size=30)
    kept = envelope(spend, value)
    assert (np.diff(np.diff(value[kept]) / np.diff(spend[kept])) < 0).all()


def test_an_s_is_climbed_in_one_piece_up_to_its_tangent_from_nothing() -> None:
    curve = Hill(ceiling=900, half_saturation=100, shape=2).curve(1000.0)
    kept = envelope(curve.spend, curve.value)
    assert abs(curve.spend[kept[1]] / 100 - 1) < 0.1  # V(s) / s is largest at the half saturation
    assert (np.diff(kept)[1:] == 1).all()
