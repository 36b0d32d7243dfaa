from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allocator.errors import DataError
from allocator.response.curve import OUTCOMES, ResponseCurve, outcome_at
from allocator.response.curves import Curves, Evidence, Response
from allocator.response.draws import strata
from allocator.response.families import Hill
from allocator.response.fit import opinion_responses
from allocator.response.sources import CurveResponse, ExpertResponse
from allocator.response.table import COLUMNS, from_frame, to_frame


def some_curves() -> Curves:
    rng = np.random.default_rng(1)
    spend = np.array([0.0, 0.1, 1e6 / 3])
    email = Response(
        "email",
        ResponseCurve(
            spend,
            np.sqrt(spend),
            revenue=3 * np.sqrt(spend),
            conversions=spend / 7,
            retained=-np.sqrt(spend) / 11,
            immediate=np.sqrt(spend) / 3,
        ),
        Evidence.TESTED,
        "experiment",
        tier="high",
        segment="7",
        population=1234.0,
        cost_per_contact=0.12,
    )
    estimates = [{"spend": 300e3, "low": 320e3, "likely": 480e3, "high": 600e3}]
    search = opinion_responses(
        "search", ExpertResponse(estimates=estimates), tiers=("high",), reach=1e6, strata=strata(7, rng)
    )
    print_ads = Response(
        "Anzeigen", ResponseCurve(spend, spend / 3), Evidence.MODELLED, "history", tier="Größe M"
    )
    print_ads = replace(print_ads, observed_to=12_345.5)
    return Curves((email, *search, print_ads), combine="one_per_customer")


def assert_same(read: Curves, written: Curves, within: float = 0.0) -> None:
    assert read.combine == written.combine
    assert [str(r) for r in read] == [str(r) for r in written]
    for new, old in zip(read, written, strict=True):
        assert (new.source, new.evidence, new.population) == (old.source, old.evidence, old.population)
        assert new.observed_to == old.observed_to
        assert (new.cost_per_contact is None) == (old.cost_per_contact is None)
        assert (new.cost_per_contact or 0.0) == pytest.approx(old.cost_per_contact or 0.0, rel=1e-12)
        for name in ("spend", "value", "draws", *OUTCOMES):
            a, b = getattr(new.curve, name), getattr(old.curve, name)
            assert (a is None) == (b is None), name
            assert a is None or np.allclose(a, b, rtol=within, atol=0), name


def test_what_is_written_is_read_back_exactly() -> None:
    curves = some_curves()
    assert_same(from_frame(to_frame(curves), combine="one_per_customer"), curves)


def test_the_order_of_rows_does_not_matter_that_of_channels_stays() -> None:
    curves = some_curves()
    table = to_frame(curves)
    mixed = table.groupby("channel", sort=False).sample(frac=1, random_state=3)
    mixed.index = np.arange(len(mixed)) * 7  # labels of rows mean nothing
    assert_same(from_frame(mixed, combine="one_per_customer"), curves)


def test_a_csv_file_may_lie_between() -> None:
    curves = some_curves()
    text = to_frame(curves).to_csv(index=False)
    typed = pd.read_csv(io.StringIO(text))
    assert_same(from_frame(typed, combine="one_per_customer"), curves, within=1e-14)
    as_text = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    assert_same(from_frame(as_text, combine="one_per_customer"), curves, within=1e-14)


def test_the_table_is_tidy() -> None:
    table = to_frame(some_curves())
    beside = ["revenue", "conversions", "retained", "immediate", "contacts"]
    assert list(table.columns) == [*COLUMNS, *beside, "observed_to"]
    assert len(table) == 3 + 2 * 8 + 3
    email = table[table["channel"] == "email"]
    assert email["contacts"].tolist() == pytest.approx((email["spend"] / 0.12).tolist())
    search = table[table["channel"] == "search"]
    assert search[beside].isna().all(axis=None)
    assert (search["tier"] == "").all()
    assert search["draw"].isna().sum() == 2
    expected = search[search["draw"].isna()].set_index("spend")["value"]
    mean = search[search["draw"].notna()].groupby("spend")["value"].mean()
    assert mean.to_numpy().tolist() == pytest.approx(expected.to_numpy().tolist())


def test_revenue_is_a_column_only_where_it_is_known() -> None:
    plain = Curves((Response("tv", Hill(ceiling=9, half_saturation=1).curve(5), Evidence.OPINION, "curve"),))
    assert list(to_frame(plain).columns) == list(COLUMNS)
    assert list(to_frame(Curves(())).columns) == list(COLUMNS)


def test_a_smooth_curve_is_written_as_its_breakpoints() -> None:
    (smooth,) = opinion_responses(
        "tv", CurveResponse(curve=Hill(ceiling=900, half_saturation=100)), tiers=("all",), reach=500.0
    )
    (read,) = from_frame(to_frame(Curves((smooth,))))
    assert np.array_equal(read.curve.value, smooth.curve.value)
    assert read.curve.bounded


BASE = pd.DataFrame(
    {"channel": ["tv", "tv", "radio"], "spend": [100.0, 300.0, 50.0], "value": [250.0, 450.0, 60.0]}
)


def test_three_columns_are_enough() -> None:
    tv, radio = from_frame(BASE)
    assert (tv.channel, tv.tier, tv.period, tv.source, tv.evidence) == (
        "tv",
        None,
        "all",
        "table",
        Evidence.OPINION,
    )
    assert tv.curve.spend.tolist() == [0, 100, 300]
    assert radio.curve.value.tolist() == [0, 60]
    assert radio.population is None


def test_only_draws_give_their_mean() -> None:
    table = pd.DataFrame({"channel": "tv", "draw": [0, 1], "spend": 100.0, "value": [200.0, 300.0]})
    (tv,) = from_frame(table)
    assert tv.curve.value.tolist() == [0, 250]
    assert tv.curve.draws is not None
    assert tv.curve.draws.tolist() == [[0, 200], [0, 300]]


def complaints(table: pd.DataFrame) -> list[str]:
    before = table.copy(deep=True)
    with pytest.raises(DataError) as caught:
        from_frame(table)
    pd.testing.assert_frame_equal(table, before)
    return [f"{f.code} {f.what}; {f.fix}" for f in caught.value.findings]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value": [250, "a lot", 60]}, "E313 value is not a finite number in row 2;"),
        ({"spend": [np.inf, 300, "nan?"]}, "E313 spend is not a finite number in rows 1, 3;"),
        ({"spend": [100, None, ""]}, "E313 spend is empty in rows 2, 3;"),
        ({"value": [250, np.nan, 60]}, "E313 value is empty in row 2;"),
        ({"value": [True, True, True]}, "E313 value is not a finite number in rows 1, 2, 3;"),
        ({"spend": [100, -300, 50]}, "E313 spend is negative in row 2;"),
        ({"spend": [0, 300, 50]}, "E313 a spend of 0 brings a value other than 0 in row 1;"),
        ({"revenue": [0, 1, 2], "spend": [1, 2, 0], "value": [1, 1, 0]}, "a revenue other than 0 in row 3"),
        ({"retained": [0, 1, 2], "spend": [1, 2, 0], "value": [1, 1, 0]}, "retained customers other than 0"),
        ({"spend": [300, 300, 50]}, "E313 a breakpoint is written twice in row 2;"),
        ({"channel": ["tv", "tv", None]}, "E313 channel is empty in row 3;"),
        ({"source": ["experiment", "experiment", "agency"]}, "E313 source is none of experiment, history"),
        ({"draw": [0.5, 1, -1]}, "E313 draw is not a whole number of 0 or more in rows 1, 3;"),
        ({"draw": [0, 0, None], "revenue": [1, 2, 3]}, "E313 a draw has a revenue of its own"),
        ({"population": [-5, -5, 5]}, "E313 population is negative in rows 1, 2;"),
        ({"population": [5, 6, 7]}, "E313 tv has more than one population;"),
        ({"population": [5, None, 7]}, "E313 tv has more than one population;"),
        ({"source": ["curve", "points", "points"]}, "E313 tv has more than one source;"),
        ({"revenue": [5, None, 7]}, "E313 tv has a revenue at some breakpoints only;"),
        ({"spend": [0, 0.0, 50], "value": [0, 0, 60], "draw": [None, 1, None]}, "tv has no breakpoint above"),
        ({"contacts": [1000, 2000, 5]}, "E313 a contact of tv costs between 0.1 and 0.15; contacts have to"),
        ({"contacts": [1000, -5, 5]}, "E313 contacts is not above 0 in row 2;"),
        ({"contacts": [1000, 0, 5]}, "E313 contacts is not above 0 in row 2;"),
        ({"contacts": [1000, None, 5]}, "E313 tv has contacts at some breakpoints only;"),
        ({"immediate": ["all", "all", None]}, "E313 immediate is not a finite number in rows 1, 2;"),
        ({"immediate": [None, 100, None]}, "E313 tv has an immediate margin at some breakpoints only;"),
        ({"draw": [0, 0, None], "retained": [1, 2, 3]}, "a draw has retained customers of its own, which is"),
        ({"draw": [None, 0, None]}, "E313 the curve and the draws of tv have different breakpoints;"),
        ({"spend": [100, 100, 50], "draw": [None, 0, None]}, "the expected curve of tv lies up to 200 off"),
        ({"draw": [0, 0, 1]}, "E313 radio and tv have differently numbered draws;"),
        ({"tier": ["", "low", ""]}, "E313 tv has a curve for its total beside curves of single tiers;"),
        ({"vlaue": [1, 2, 3]}, "E313 unknown column 'vlaue'; columns: tier, channel"),
        ({"popluation": [1, 2, 3]}, "E313 unknown column 'popluation'; did you mean 'population'?"),
        ({"conversoins": [1, 2, 3]}, "E313 unknown column 'conversoins'; did you mean 'conversions'?"),
    ],
)  # fmt: skip
def test_a_faulty_table_is_refused_with_its_rows(change: dict[str, Any], words: str) -> None:
    (complaint,) = complaints(BASE.assign(**change))
    assert words in complaint


def test_a_table_may_tell_more_than_margin() -> None:
    table = BASE.assign(
        conversions=["10", "15", ""],
        retained=[-2, 4, np.nan],
        immediate=[200, 300, None],
        contacts=[50, 150, None],
    )
    tv, radio = from_frame(table)
    assert tv.curve.conversions is not None
    assert tv.curve.conversions.tolist() == [0, 10, 15]
    assert outcome_at(tv.curve, "retained", np.array([200.0, 300.0])).tolist() == [1, 4]
    assert outcome_at(tv.curve, "immediate", np.array(50.0)) == 100
    assert tv.cost_per_contact == 2
    assert (radio.curve.outcomes, radio.cost_per_contact) == ({}, None)
    assert outcome_at(radio.curve, "immediate", np.array(25.0)) == 30  # all of the margin
    assert_same(from_frame(to_frame(Curves((tv, radio)))), Curves((tv, radio)))


def test_contacts_may_differ_by_rounding() -> None:
    rounded = BASE.assign(contacts=[100 / 0.3, 300 / 0.3 + 1e-4, None])
    assert from_frame(rounded).of("tv")[0].cost_per_contact == pytest.approx(0.3)
    with pytest.raises(DataError, match="a contact of tv costs between"):
        from_frame(rounded.assign(contacts=[100 / 0.3, 300 / 0.3 + 1e-2, None]))


def test_a_curve_of_the_table_may_bend_upwards() -> None:
    late = BASE.assign(value=[250, 4500, 60])
    tv, radio = from_frame(late)
    assert (tv.curve.concave, radio.curve.concave) == (False, True)
    assert tv.curve.value.tolist() == [0, 250, 4500]
    assert_same(from_frame(to_frame(Curves((tv, radio)))), Curves((tv, radio)))


def test_columns_without_a_number_are_as_good_as_absent() -> None:
    assert len(from_frame(BASE.assign(contacts=np.nan, revenue=None, draw="", tier=None, population=""))) == 2


def test_missing_columns_are_named_once() -> None:
    assert complaints(BASE.drop(columns=["spend", "value"])) == [
        "E313 the column 'spend' is missing; columns found: channel",
        "E313 the column 'value' is missing; columns found: channel",
    ]
    assert complaints(BASE.rename(columns={"spend": "spned"})) == [
        "E313 unknown column 'spned'; did you mean 'spend'?"
    ]
    doubled = BASE.set_axis(["channel", "spend", "spend"], axis=1)
    assert "E313 there are 2 columns 'spend'; " in complaints(doubled)


def test_an_empty_table_is_refused() -> None:
    assert complaints(BASE.iloc[:0]) == ["E313 the table has no rows; "]


def test_every_fault_is_named_at_once_and_none_that_merely_follows() -> None:
    web = BASE.assign(channel="web", contacts=[1, 100, 1])
    table = pd.concat([BASE, web], ignore_index=True)
    table["spend"] = table["spend"].astype(object)
    table.loc[0, "spend"] = "x"
    table.loc[2, "spend"] = -1
    found = complaints(table.drop(5))
    assert [line.split(" in row")[0] for line in found] == [
        "E313 spend is not a finite number",
        "E313 spend is negative",
        "E313 a contact of web costs between 3 and 100; "
        "contacts have to cost the same at every spend; or leave them out",
    ]


def test_a_long_list_of_rows_is_cut() -> None:
    table = pd.DataFrame({"channel": "tv", "spend": np.arange(1, 13), "value": "x"})
    assert complaints(table) == ["E313 value is not a finite number in rows 1, 2, 3, 4, 5 and 7 more; "]


def test_a_large_table_is_read_in_moments() -> None:
    rng = np.random.default_rng(2)
    estimates = [
        {"spend": 1e3 * k, "low": 5e3 * k**0.5, "likely": 9e3 * k**0.5, "high": 1e4 * k**0.5}
        for k in range(1, 21)
    ]
    expert = ExpertResponse(estimates=estimates)
    responses = [
        opinion_responses(f"c{i}", expert, tiers=("all",), reach=1e6, strata=strata(500, rng))[0]
        for i in range(10)
    ]
    curves = Curves(tuple(responses))
    assert_same(from_frame(to_frame(curves)), curves)


def test_how_far_data_reach_is_one_number_a_cell() -> None:
    table = pd.DataFrame(
        {"channel": "tv", "spend": [100, 300], "value": [250, 450], "observed_to": [200, 200]}
    )
    assert from_frame(table).of("tv")[0].observed_to == 200
    assert from_frame(table.assign(observed_to=np.nan)).of("tv")[0].observed_to is None
    for observed_to, words in (
        ([200, 250], "more than one observed_to"),
        ([-1, -1], "observed_to is negative"),
    ):
        with pytest.raises(DataError, match=words):
            from_frame(table.assign(observed_to=observed_to))
    assert "observed_to" not in to_frame(from_frame(table.assign(observed_to=np.nan)))
