"""What tiers may and may not change in a plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.plan.assemble import PlanTerms, assemble
from allocator.plan.defaults import ChannelTerms
from allocator.plan.objectives import Budget
from allocator.plan.optimise import optimise
from allocator.response.curve import ResponseCurve
from allocator.response.curves import Curves, Evidence, Response

TIERS = ("high", "medium", "low")
MIX = {"high": 0.2, "medium": 0.3, "low": 0.5}


@st.composite
def channel_curves(draw) -> dict[str, ResponseCurve]:
    curves = {}
    for channel in ("email", "search", "post"):
        widths = draw(st.lists(st.integers(5, 60), min_size=2, max_size=4))
        slopes = sorted(
            draw(st.lists(st.integers(1, 40), min_size=len(widths), max_size=len(widths))), reverse=True
        )
        spend = np.concatenate([[0], np.cumsum(widths)]).astype(float)
        curves[channel] = ResponseCurve(
            spend, np.concatenate([[0], np.cumsum(np.array(slopes) / 8 * widths)])
        )
    return curves


def plan(responses: list[Response], tiers: tuple[str, ...], budget: int):
    channels = {name: ChannelTerms(name) for name in ("email", "search", "post")}
    return optimise(
        assemble(Curves(tuple(responses)), PlanTerms(channels, Budget(total=budget), tiers=tiers)), "highs"
    )


def by_tier(channel: str, curve: ResponseCurve, index: dict[str, float]) -> list[Response]:
    """V_k(s) = w_k i_k V(s / w_k)."""
    return [
        Response(channel, curve.scaled(spend=w, value=w * index[tier]), Evidence.OPINION, "points", tier)
        for tier, w in MIX.items()
    ]


@settings(max_examples=30)
@given(curves=channel_curves(), budget=st.integers(10, 300))
def test_without_a_limit_on_tiers_the_plan_is_the_plan_without_tiers(curves, budget):
    total = [Response(name, curve, Evidence.OPINION, "points") for name, curve in curves.items()]
    even = dict.fromkeys(TIERS, 1.0)
    split = [response for name, curve in curves.items() for response in by_tier(name, curve, even)]
    one_tier, tied, chosen = (
        plan(total, ("all",), budget),
        plan(total, TIERS, budget),
        plan(split, TIERS, budget),
    )
    assert tied.decision_spend == one_tier.decision_spend
    assert tied.objective == one_tier.objective
    assert chosen.objective == pytest.approx(one_tier.objective, rel=1e-6, abs=0.05)


@settings(max_examples=20)
@given(curves=channel_curves(), budget=st.integers(10, 300))
def test_tied_tiers_promise_no_more_than_the_channel(curves, budget):
    """Three copies of a curve, one per tier, would promise up to three times the truth."""
    total = [Response(name, curve, Evidence.OPINION, "points") for name, curve in curves.items()]
    copies = [replace(response, tier=tier) for response in total for tier in TIERS]
    assert plan(total, TIERS, budget).objective <= plan(copies, TIERS, budget).objective + 1e-6


@settings(max_examples=20)
@given(curves=channel_curves(), budget=st.integers(10, 300), lift=st.floats(0.1, 1.5))
def test_knowing_who_responds_better_never_hurts(curves, budget, lift):
    other = (1 - MIX["high"] * (1 + lift)) / (1 - MIX["high"])
    index = {"high": 1 + lift, "medium": other, "low": other}
    total = [Response(name, curve, Evidence.OPINION, "points") for name, curve in curves.items()]
    split = [response for name, curve in curves.items() for response in by_tier(name, curve, index)]
    assert plan(split, TIERS, budget).objective >= plan(total, TIERS, budget).objective - 0.05
