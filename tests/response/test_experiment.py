from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.errors import DataError
from allocator.models.uplift.shrinkage import ShrunkEffects
from allocator.response.curve import OUTCOMES
from allocator.response.curves import Curves, Evidence
from allocator.response.experiment import (
    ContactTerms,
    SegmentTable,
    Uncertainty,
    draw_effects,
    experiment_responses,
    untested_contacts,
)

COVARIANCE = np.array(
    [[0.04, 0.02, 0.0, 0.0], [0.02, 0.09, 0.0, 0.0], [0.0, 0.0, 0.01, 0.005], [0.0, 0.0, 0.005, 0.04]]
)
EFFECTS = ShrunkEffects(
    tier=("high", "high", "low", "low"),
    channel=("email", "phone", "email", "phone"),
    mean=np.array([0.9, 6.0, 0.3, -0.4]),
    covariance=COVARIANCE,
    factor={},
    mean_factor={},
    tau={},
    is_noise=(False,) * 4,
)
TERMS = {"phone": ContactTerms(4.5), "email": ContactTerms(0.12, contacts_per_customer=3)}
POPULATION = {"low": 50_000.0, "high": 20_000.0}


def uncertain(seed: int = 1, n: int = 200) -> Uncertainty:
    return Uncertainty(n, np.random.default_rng(seed))


def test_one_tested_curve_a_channel_and_tier_in_the_order_asked_for() -> None:
    responses = experiment_responses(EFFECTS, TERMS, POPULATION)
    assert [(one.channel, one.tier) for one in responses] == [
        ("phone", "low"),
        ("phone", "high"),
        ("email", "low"),
        ("email", "high"),
    ]
    assert {(one.evidence, one.source, one.segment) for one in responses} == {
        (Evidence.TESTED, "experiment", "")
    }
    assert [one.population for one in responses] == [50_000, 20_000, 50_000, 20_000]
    assert len(Curves(responses, "one_per_customer")) == 4


def test_a_curve_is_the_effect_of_every_contact_up_to_the_last_customer() -> None:
    email = experiment_responses(EFFECTS, TERMS, POPULATION)[3].curve
    assert email.end == pytest.approx(20_000 * 3 * 0.12)
    assert email.bounded
    assert float(email.at(12.0)) == pytest.approx(100 * 0.9)
    assert email.value[-1] == pytest.approx(60_000 * 0.9)
    assert email.draws is None
    assert email.revenue is None


def test_an_effect_below_nothing_stays_there() -> None:
    low_phone = experiment_responses(EFFECTS, TERMS, POPULATION)[0].curve
    assert low_phone.marginal(0.0) == pytest.approx(-0.4 / 4.5)


def test_effects_are_matched_by_name() -> None:
    order = [2, 0, 3, 1]
    shuffled = replace(
        EFFECTS,
        tier=tuple(EFFECTS.tier[i] for i in order),
        channel=tuple(EFFECTS.channel[i] for i in order),
        mean=EFFECTS.mean[order],
        covariance=COVARIANCE[np.ix_(order, order)],
    )
    expected = experiment_responses(EFFECTS, TERMS, POPULATION, outcomes={"revenue": EFFECTS})
    found = experiment_responses(shuffled, TERMS, POPULATION, outcomes={"revenue": shuffled})
    for one, other in zip(expected, found, strict=True):
        assert one.curve.value.tolist() == other.curve.value.tolist()
        assert one.curve.revenue is not None
        assert one.curve.revenue.tolist() == other.curve.revenue.tolist()  # type: ignore[union-attr]


def test_revenue_goes_beside_the_margin() -> None:
    revenue = replace(EFFECTS, mean=EFFECTS.mean / 0.35)
    for one in experiment_responses(EFFECTS, TERMS, POPULATION, outcomes={"revenue": revenue}):
        assert one.curve.revenue is not None
        assert one.curve.revenue == pytest.approx(one.curve.value / 0.35)


def test_whatever_was_measured_goes_beside_the_margin() -> None:
    measured = {
        name: replace(EFFECTS, mean=EFFECTS.mean * factor) for factor, name in enumerate(OUTCOMES, start=2)
    }
    for one in experiment_responses(EFFECTS, TERMS, POPULATION, outcomes=measured):
        for factor, name in enumerate(OUTCOMES, start=2):
            assert one.curve.outcome(name) == pytest.approx(factor * one.curve.value)
    only = {"conversions": measured["conversions"]}
    for one in experiment_responses(EFFECTS, TERMS, POPULATION, outcomes=only):
        assert list(one.curve.outcomes) == ["conversions"]


def test_a_tested_curve_counts_contacts() -> None:
    for one in experiment_responses(EFFECTS, TERMS, POPULATION, segments=PARTS):
        assert one.cost_per_contact == TERMS[one.channel].cost_per_contact
        contacts = (one.population or 0.0) * TERMS[one.channel].contacts_per_customer
        assert one.curve.end / (one.cost_per_contact or 0.0) == pytest.approx(contacts)


def test_draws_have_exactly_the_mean_and_covariance_of_the_effects() -> None:
    drawn = draw_effects(EFFECTS, uncertain())
    assert drawn.shape == (200, 4)
    assert drawn.mean(axis=0) == pytest.approx(EFFECTS.mean, rel=1e-12)
    assert np.cov(drawn.T, bias=True) == pytest.approx(COVARIANCE, abs=1e-12)


@pytest.mark.parametrize("n", [1, 2, 4])
def test_few_draws_still_have_the_mean(n: int) -> None:
    drawn = draw_effects(EFFECTS, uncertain(n=n))
    assert drawn.mean(axis=0) == pytest.approx(EFFECTS.mean, rel=1e-12)


def test_cells_that_share_a_control_arm_move_together() -> None:
    responses = experiment_responses(EFFECTS, TERMS, POPULATION, uncertainty=uncertain())
    ends = {
        (one.tier, one.channel): one.curve.draws[:, -1] for one in responses if one.curve.draws is not None
    }
    together = np.corrcoef(ends["high", "email"], ends["high", "phone"])[0, 1]
    apart = np.corrcoef(ends["high", "email"], ends["low", "phone"])[0, 1]
    assert together == pytest.approx(1 / 3, abs=1e-9)
    assert apart == pytest.approx(0, abs=1e-9)
    for one in responses:
        assert one.curve.draws is not None
        assert one.curve.draws.mean(axis=0) == pytest.approx(one.curve.value, rel=1e-9)


def test_the_same_seed_gives_the_same_draws_bit_for_bit() -> None:
    assert draw_effects(EFFECTS, uncertain(7)).tobytes() == draw_effects(EFFECTS, uncertain(7)).tobytes()
    assert not np.array_equal(draw_effects(EFFECTS, uncertain(7)), draw_effects(EFFECTS, uncertain(8)))


def test_effects_known_exactly_have_draws_alike() -> None:
    exact = replace(EFFECTS, covariance=np.zeros((4, 4)))
    assert draw_effects(exact, uncertain()) == pytest.approx(np.tile(EFFECTS.mean, (200, 1)))


def test_everything_missing_is_told_at_once() -> None:
    terms = {"email": ContactTerms(None), "letter": ContactTerms(1.0), "phone": ContactTerms(4.5, 0.0)}
    with pytest.raises(DataError) as caught:
        experiment_responses(EFFECTS, terms, {"high": 0.0, "low": 10.0})
    told = [(one.code, one.what) for one in caught.value.findings]
    assert [code for code, _ in told] == ["E308", "E206", "E307", "E307", "E106"]
    assert told[2] == ("E307", "letter was not tested in tier 'high'")


def test_revenue_has_to_know_every_cell() -> None:
    part = replace(EFFECTS, tier=("high", "high", "other", "other"))
    with pytest.raises(DataError, match="E307"):
        experiment_responses(EFFECTS, TERMS, POPULATION, outcomes={"revenue": part})


def test_more_contacts_than_were_tested_are_told() -> None:
    (told,) = untested_contacts(TERMS)
    assert (told.code, told.severity) == ("W411", "warning")
    assert "email may make 3" in told.what
    assert untested_contacts({"phone": ContactTerms(4.5), "sms": ContactTerms(0.1, 0.5)}) == ()


@pytest.mark.parametrize("order", [[3, 2, 1, 0], [1, 3, 0, 2]], ids=str)
@pytest.mark.parametrize("n", [3, 200])
def test_the_order_of_rows_moves_no_draw(order: list[int], n: int) -> None:
    moved = replace(
        EFFECTS,
        tier=tuple(EFFECTS.tier[i] for i in order),
        channel=tuple(EFFECTS.channel[i] for i in order),
        mean=EFFECTS.mean[order],
        covariance=EFFECTS.covariance[np.ix_(order, order)],
    )
    drawn = draw_effects(EFFECTS, uncertain(n=n))
    assert draw_effects(moved, uncertain(n=n)).tolist() == drawn[:, order].tolist()


PARTS = SegmentTable(
    tier=("high", "high", "low", "low", "low"),
    name=("1", "2", "1", "2", "3"),
    share=np.array([0.25, 0.75, 0.5, 0.3, 0.2]),
    channels=("email", "phone"),
    deviation=np.array([[3.0, -6.0], [-1.0, 2.0], [1.0, 2.0], [0.0, 0.0], [-2.5, -5.0]]),
    kept=np.array([0.4, 0.7]),
    kept_error=np.array([0.1, 0.2]),
    per_revenue=0.35,
)


def test_segments_add_up_to_their_tier_where_deviations_average_to_nothing() -> None:
    whole = experiment_responses(
        EFFECTS, TERMS, POPULATION, outcomes={"revenue": EFFECTS}, uncertainty=uncertain()
    )
    parts = experiment_responses(
        EFFECTS, TERMS, POPULATION, outcomes={"revenue": EFFECTS}, uncertainty=uncertain(), segments=PARTS
    )
    for one in whole:
        own = [part for part in parts if (part.channel, part.tier) == (one.channel, one.tier)]
        assert sum(part.population or 0.0 for part in own) == pytest.approx(one.population)
        assert sum(part.curve.end for part in own) == pytest.approx(one.curve.end)
        assert sum(part.curve.value[-1] for part in own) == pytest.approx(one.curve.value[-1])
        assert sum(part.curve.revenue[-1] for part in own if part.curve.revenue is not None) == pytest.approx(
            one.curve.revenue[-1] if one.curve.revenue is not None else None
        )
        together = np.sum([part.curve.draws for part in own], axis=0)
        np.testing.assert_allclose(
            together[:, -1], one.curve.draws[:, -1] if one.curve.draws is not None else 0
        )


def test_a_segment_has_its_tier_and_the_share_of_its_deviation_that_counts() -> None:
    parts = experiment_responses(EFFECTS, TERMS, POPULATION, uncertainty=uncertain(), segments=PARTS)
    found = {(one.channel, one.tier, one.segment): one.curve for one in parts}
    assert found["email", "high", "1"].value[-1] / 15_000 == pytest.approx(0.9 + 0.4 * 3)
    assert found["phone", "low", "3"].value[-1] / 10_000 == pytest.approx(-0.4 - 0.7 * 5)
    for curve in found.values():
        assert curve.draws is not None
        np.testing.assert_allclose(curve.draws.mean(axis=0), curve.value, atol=1e-6)
    far, near = found["email", "low", "3"], found["email", "low", "2"]
    assert far.draws is not None
    assert near.draws is not None
    variance = [np.var(curve.draws[:, -1] / curve.spend[-1]) * 0.12**2 for curve in (far, near)]
    assert variance[0] - variance[1] == pytest.approx((0.1 * 2.5) ** 2, rel=0.3)


def test_revenue_follows_margin_where_only_revenue_is_valued() -> None:
    revenue = replace(EFFECTS, mean=EFFECTS.mean / 0.35)
    for one in experiment_responses(
        EFFECTS, TERMS, POPULATION, outcomes={"revenue": revenue}, segments=PARTS
    ):
        assert one.curve.revenue == pytest.approx(one.curve.value / 0.35)
    silent = replace(PARTS, per_revenue=None)
    parts = experiment_responses(EFFECTS, TERMS, POPULATION, outcomes={"revenue": revenue}, segments=silent)
    assert parts[0].curve.revenue is not None
    assert parts[0].curve.revenue[-1] / (parts[0].population or 1.0) == pytest.approx(6.0 / 0.35)


def test_conversions_follow_margin_where_nothing_else_is_valued() -> None:
    priced = replace(PARTS, per_revenue=None, per_conversion=30.0)
    measured = {name: replace(EFFECTS, mean=EFFECTS.mean / 30) for name in ("conversions", "retained")}
    parts = experiment_responses(EFFECTS, TERMS, POPULATION, outcomes=measured, segments=priced)
    whole = experiment_responses(EFFECTS, TERMS, POPULATION, outcomes=measured)
    per_tier = {(one.channel, one.tier): one.curve.retained[-1] / one.population for one in whole}  # type: ignore[index]
    for one in parts:
        assert one.curve.conversions == pytest.approx(one.curve.value / 30)
        assert one.curve.retained is not None
        assert one.curve.retained[-1] / (one.population or 0.0) == pytest.approx(
            per_tier[one.channel, one.tier]
        )


def test_the_order_of_channels_moves_no_draw() -> None:
    turned = replace(
        PARTS,
        channels=("phone", "email"),
        deviation=PARTS.deviation[:, ::-1],
        kept=PARTS.kept[::-1],
        kept_error=PARTS.kept_error[::-1],
    )
    one, other = (
        experiment_responses(EFFECTS, TERMS, POPULATION, uncertainty=uncertain(), segments=parts)
        for parts in (PARTS, turned)
    )
    for first, second in zip(one, other, strict=True):
        assert first.curve.draws is not None
        assert second.curve.draws is not None
        assert first.curve.draws.tolist() == second.curve.draws.tolist()
