"""From a fit of history to the curve of a horizon: units, draws, envelopes, and how far data reach."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from allocator.errors import DataError
from allocator.models.media import MediaFit, MediaPanel
from allocator.models.media.fit import MediaMix
from allocator.response.curve import ResponseCurve
from allocator.response.curves import Curves, Evidence, Response
from allocator.response.fit import blended
from allocator.response.history import (
    ContactTest,
    HistoryTerms,
    beyond_observed,
    corrected,
    history_response,
    straightened,
    summed,
)

TERMS = HistoryTerms(periods=13.0, worth=0.4, reach=100_000.0)


@pytest.fixture(scope="module")
def fit() -> MediaFit:
    rng = np.random.default_rng(2)
    spend = 1000 * rng.lognormal(0, 0.7, (2, 50, 2))
    brought = 3000 * spend[..., 0] / (1500 + spend[..., 0])
    panel = MediaPanel(
        outcome=10_000 * rng.normal(1, 0.01, (2, 50)) + brought,
        spend=spend,
        channels=("tv", "radio"),
        controls=np.zeros((2, 50, 0)),
        control_names=(),
        groups=("north", "south"),
        period_days=7.0,
        starts=np.datetime64("2026-01-05") + 7 * np.arange(50),
    )
    return MediaMix(refits=20, harmonics=0).fit(panel, draws=30, seed=1)


def test_a_horizon_is_its_periods_at_an_even_spend(fit: MediaFit) -> None:
    one = history_response(fit, "tv", TERMS)
    spend = one.curve.spend
    assert one.curve.value == pytest.approx(0.4 * 13 * fit.value("tv", spend / 13))
    assert one.curve.draws == pytest.approx(0.4 * 13 * fit.value_draws("tv", spend / 13))
    assert one.curve.revenue == pytest.approx(13 * fit.value("tv", spend / 13))
    assert one.observed_to == pytest.approx(13 * fit.highest[0])
    assert (one.evidence, one.source, one.tied) == (Evidence.MODELLED, "history", True)


def test_breakpoints_follow_the_curve(fit: MediaFit) -> None:
    curve = history_response(fit, "tv", TERMS).curve
    everywhere = np.linspace(0, TERMS.reach, 999)
    exact = 0.4 * 13 * fit.value("tv", everywhere / 13)
    assert np.abs(curve.at(everywhere) - exact).max() < 3e-4 * exact[-1]
    assert len(curve.spend) < 130


def test_what_is_no_revenue_has_none(fit: MediaFit) -> None:
    one = history_response(fit, "tv", replace(TERMS, in_revenue=False), "high")
    assert (one.curve.revenue, one.tier) == (None, "high")


def test_a_family_that_is_infinitely_steep_at_nothing_has_a_curve(fit: MediaFit) -> None:
    power = replace(fit, curves=replace(fit.curves, family="power"))
    curve = history_response(power, "tv", TERMS).curve
    assert np.isfinite(curve.slopes).all()
    assert curve.value == pytest.approx(0.4 * 13 * power.value("tv", curve.spend / 13))


class Bent:
    """A fit of one channel of which the first 400 a period bring nothing, the next 400 all there is."""

    channels = ("tv",)
    highest = np.array([1000.0])
    level = np.array([[80.0], [120.0]])

    def value_draws(self, channel: str, spend: np.ndarray) -> np.ndarray:
        return self.level * np.clip((np.asarray(spend) - 400) / 400, 0, 1)

    def value(self, channel: str, spend: np.ndarray) -> np.ndarray:
        return self.value_draws(channel, spend).mean(axis=0)

    def marginal(self, channel: str, spend: np.ndarray) -> np.ndarray:
        return np.where((np.asarray(spend) > 400) & (np.asarray(spend) < 800), 0.25, 0.0)

    def is_concave(self, channel: str) -> bool:
        return False


def test_an_s_is_given_as_its_envelope_and_said() -> None:
    bent = cast("MediaFit", Bent())
    terms = HistoryTerms(periods=10.0, worth=1.0, reach=12_800.0)
    curve = history_response(bent, "tv", terms).curve
    assert float(curve.at(8000.0)) == pytest.approx(1000.0)
    assert float(curve.at(2000.0)) == pytest.approx(250.0)  # a straight line from 0, where the fit says 0
    assert curve.draws[:, -1].tolist() == [800.0, 1200.0]
    (finding,) = straightened(bent, "tv")
    assert (finding.code, "'tv'" in finding.what) == ("W426", True)


def test_a_concave_fit_needs_no_word(fit: MediaFit) -> None:
    assert not list(straightened(fit, "tv"))


def curve(*points: tuple[float, float], draws: tuple[float, ...] = ()) -> ResponseCurve:
    spend, value = np.array(points).T
    return ResponseCurve(spend, value, np.outer(draws, value) if draws else None)


def test_the_total_of_tiers_is_their_sum_at_their_shares() -> None:
    high = curve((0, 0), (100, 200), draws=(0.5, 1.5))
    low = curve((0, 0), (50, 40), (300, 90), draws=(1.0, 1.0))
    tiers = {
        name: Response("tv", one, Evidence.MODELLED, "history", name)
        for name, one in (("high", high), ("low", low))
    }
    total = summed(tiers, {"high": 0.25, "low": 0.75})
    assert float(total.at(200)) == pytest.approx(100 + 60)
    assert total.end == 400
    assert total.draws_at(200).tolist() == pytest.approx([50 + 60, 150 + 60])


def test_a_clear_test_of_contacts_sets_the_level_of_a_history(fit: MediaFit) -> None:
    """10,000 contacts at 2.60, each bringing 1.30 +- 0.001, are 26,000 spent and 13,000 earned."""
    test = ContactTest(effect=1.3, standard_error=0.001, cost_per_contact=2.6, contacts=10_000)
    curve = history_response(corrected(fit, "tv", TERMS, test), "tv", TERMS).curve
    assert float(curve.at(26_000)) == pytest.approx(13_000, rel=0.01)
    untouched, other = (
        history_response(one, "radio", TERMS).curve for one in (fit, corrected(fit, "tv", TERMS, test))
    )
    assert np.array_equal(untouched.draws, other.draws)


def test_a_vague_one_hardly_moves_it(fit: MediaFit) -> None:
    vague = ContactTest(effect=1.3, standard_error=1000.0, cost_per_contact=2.6, contacts=10_000)
    before = history_response(fit, "tv", TERMS).curve
    after = history_response(corrected(fit, "tv", TERMS, vague), "tv", TERMS).curve
    assert float(after.at(26_000)) == pytest.approx(float(before.at(26_000)), rel=0.05)


def test_a_history_worth_nothing_cannot_be_corrected(fit: MediaFit) -> None:
    test = ContactTest(effect=1.3, standard_error=0.1, cost_per_contact=2.6, contacts=10_000)
    with pytest.raises(DataError, match="E315"):
        corrected(fit, "tv", replace(TERMS, worth=0.0), test)


class TestBlend:
    expert = curve((0, 0), (100, 300), (200, 400), draws=(0.8, 1.2))
    own = curve((0, 0), (60, 60), (150, 90), draws=(0.5, 1.5))

    def test_draws_of_one_number_go_together(self) -> None:
        mixed = blended(self.expert, self.own, 0.25)
        assert mixed.spend.tolist() == [0, 60, 100, 150]
        assert mixed.draws_at(60).tolist() == pytest.approx([0.25 * 144 + 0.75 * 30, 0.25 * 216 + 0.75 * 90])
        assert mixed.draws.mean(axis=0) == pytest.approx(mixed.value)

    def test_full_trust_is_the_expert_and_none_the_history(self) -> None:
        assert blended(self.expert, self.own, 1.0) is self.expert
        none = blended(self.expert, self.own, 0.0)
        assert none.at([30, 60, 150]) == pytest.approx(self.own.at([30, 60, 150]))

    def test_one_that_is_certain_does_not_move(self) -> None:
        certain = curve((0, 0), (100, 50))
        mixed = blended(self.expert, certain, 0.5)
        assert mixed.draws_at(100).tolist() == pytest.approx([120 + 25, 180 + 25])
        assert blended(certain, certain, 0.5).draws is None


class TestBeyond:
    @staticmethod
    def curves(*observed: float | None) -> Curves:
        tiers = ("high", "low")[: len(observed)] if len(observed) > 1 else (None,)
        return Curves(
            tuple(
                Response("tv", curve((0, 0), (900, 9)), Evidence.MODELLED, "history", tier, observed_to=end)
                for tier, end in zip(tiers, observed, strict=True)
            )
        )

    def test_tiers_add_up(self) -> None:
        assert beyond_observed(self.curves(100.0, 50.0), {"tv": 150.0}) == ()
        (finding,) = beyond_observed(self.curves(100.0, 50.0), {"tv": 151.0})
        assert (finding.code, finding.severity) == ("W425", "warning")
        assert "151" in finding.what
        assert "150" in finding.what

    def test_where_nothing_says_how_far_data_reach_nothing_is_said(self) -> None:
        assert beyond_observed(self.curves(None), {"tv": 1e9}) == ()
        assert beyond_observed(self.curves(100.0, None), {"tv": 1e9}) == ()
