"""The rest of a horizon with what was spent locked in."""

from __future__ import annotations

import pandas as pd
import pytest

import allocator as al

CURVE = {"source": "curve", "curve": {"family": "log", "scale": "100k", "pace": "40k"}}


def scenario(**more: object) -> al.Scenario:
    return al.Scenario.from_dict(
        {
            "version": 1,
            "name": "Half a year",
            "horizon": {"start": "2027-01-01", "end": "2027-06-30", "periods": "quarter"},
            "budget": {"total": "120k"},
            "channels": {"email": {"response": CURVE}, "search": {"response": CURVE}},
            **more,
        }
    )


def spent(**money: float) -> pd.DataFrame:
    return pd.DataFrame({"channel": list(money), "period": "2027-Q1", "spend": list(money.values())})


def test_what_was_spent_stays_and_the_rest_is_the_best_for_what_is_left() -> None:
    asked = scenario()
    plan = al.reforecast(asked, al.fit(asked), spent(email=50_000, search=10_000))
    cells = plan.to_frame().set_index(["channel", "period"])["spend"]
    assert cells["email", "2027-Q1"] == 50_000
    assert cells["search", "2027-Q1"] == 10_000
    # two equal concave curves share the rest equally
    assert cells["email", "2027-Q2"] == pytest.approx(cells["search", "2027-Q2"], abs=0.02)
    assert cells.sum() <= 120_000


def test_channels_that_are_not_listed_spent_nothing_in_a_period_that_is_over() -> None:
    asked = scenario()
    plan = al.reforecast(asked, al.fit(asked), spent(email=20_000))
    cells = plan.to_frame().set_index(["channel", "period"])["spend"]
    assert cells["search", "2027-Q1"] == 0


def test_a_limit_of_the_past_that_was_missed_is_told_and_stops_nothing() -> None:
    limits = {"first": {"reason": "r", "where": {"period": "2027-Q1"}, "measure": "spend", "max": "30k"}}
    asked = scenario(constraints=limits)
    plan = al.reforecast(asked, al.fit(asked), spent(email=50_000))
    assert plan.status.value == "optimal"
    told = [finding.what for finding in plan.solution.warnings if finding.code == "W312"]
    assert told == [
        "not listed, so nothing was spent there: search@2027-Q1",
        "what was spent missed first by 20,000",
    ]


def test_a_misspelt_channel_is_refused_with_the_one_meant() -> None:
    asked = scenario()
    with pytest.raises(al.DataError) as refused:
        al.reforecast(asked, al.fit(asked), spent(emial=50_000))
    assert "did you mean 'email'?" in str(refused.value)
