"""Tiers: exact shares, ties, ranges, and placing others by the same cut-offs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from allocator.customers.tiers import Assignment, Tiers
from allocator.errors import DataError

BY_HISTORY = {"high": {"from": 500}, "medium": {"from": 100, "to": 500}, "low": {"to": 100}}


def ids(n: int) -> list[str]:
    return [f"c{number:05d}" for number in range(n)]


def shares(*texts: str) -> Tiers:
    return Tiers.model_validate({"levels": {f"t{i}": {"share": text} for i, text in enumerate(texts)}})


def ranges(levels: dict[str, dict[str, float]]) -> Tiers:
    return Tiers.model_validate({"by": "history", "levels": levels})


def test_the_best_customers_are_in_the_first_tier() -> None:
    values = np.array([5.0, 1.0, 9.0, 7.0, 3.0, 2.0, 8.0, 4.0, 6.0, 0.0])
    assigned = Tiers().assign(values, ids(10))
    assert assigned.sizes == {"high": 2, "medium": 3, "low": 5}
    assert set(values[assigned.tier == "high"]) == {8.0, 9.0}
    assert {name: cut.value for name, cut in assigned.cuts.items()} == {"high": 8.0, "medium": 5.0}


@given(
    n=st.integers(50, 400),
    distinct=st.integers(1, 400),
    percents=st.lists(st.integers(3, 24), min_size=1, max_size=4),
)
def test_shares_are_exact_whatever_the_ties(n: int, distinct: int, percents: list[int]) -> None:
    values = np.random.default_rng(n * distinct).integers(0, distinct, n).astype(float)
    tiers = shares(f"top {percents[0]}%", *(f"next {share}%" for share in percents[1:]), "rest")
    assigned = tiers.assign(values, ids(n))
    ends = np.cumsum(percents) / 100 * n
    assert np.abs(np.cumsum(list(assigned.sizes.values()))[:-1] - ends).max() <= 0.5 + 1e-9
    for upper in range(len(percents)):
        assert values[assigned.position == upper].min() >= values[assigned.position == upper + 1].max()


@given(
    values=st.lists(st.integers(0, 5).map(float), min_size=20, max_size=60),
    seed=st.integers(0, 1000),
)
def test_the_order_of_rows_does_not_matter(values: list[float], seed: int) -> None:
    names, amounts = np.array(ids(len(values)), dtype=object), np.array(values)
    order = np.random.default_rng(seed).permutation(len(values))
    straight = Tiers().assign(amounts, names)
    shuffled = Tiers().assign(amounts[order], names[order])
    assert dict(zip(names, straight.tier, strict=True)) == dict(zip(names[order], shuffled.tier, strict=True))


@given(values=st.lists(st.integers(0, 5).map(float), min_size=20, max_size=60))
def test_placing_the_customers_again_gives_the_same_tiers(values: list[float]) -> None:
    assigned = Tiers().assign(np.array(values), ids(len(values)))
    assert assigned.place(np.array(values), ids(len(values))).tolist() == assigned.tier.tolist()


def test_others_are_placed_by_the_cut_offs() -> None:
    assigned = Tiers().assign(np.arange(10.0), ids(10))
    others = np.array([1e9, 8.0, 7.99, 5.0, 4.9, -3.0])
    assert assigned.place(others).tolist() == ["high", "high", "medium", "medium", "low", "low"]


def test_ties_are_told_apart_by_id_and_said() -> None:
    values = np.array([1.0] * 60 + [5.0] * 40)
    assigned = shares("top 20%", "rest").assign(values, ids(100))
    assert assigned.customer_id[assigned.tier == "t0"].tolist() == ids(100)[60:80]
    (finding,) = assigned.findings()
    assert finding.code == "W406"
    assert "40 customers share" in finding.what
    assert "20 are in it or above, 20 below" in finding.fix


def test_few_ties_and_ties_that_no_cut_divides_are_not_worth_a_word() -> None:
    values = np.arange(1000.0)
    values[798:802] = 800.0
    assert shares("top 20%", "rest").assign(values, ids(1000)).findings() == ()
    level = np.repeat([3.0, 2.0, 1.0], [20, 30, 50])
    assert Tiers().assign(level, ids(100)).findings() == ()


def test_a_population_stands_for_more() -> None:
    assigned = Tiers().assign(np.arange(10.0), ids(10))
    assert assigned.populations(1_000.0) == {"high": 200.0, "medium": 300.0, "low": 500.0}
    assert assigned.populations() == assigned.sizes


def test_one_tier_takes_all() -> None:
    assert shares("rest").assign(np.zeros(3), ids(3)).sizes == {"t0": 3}


class TestRanges:
    def test_from_is_included_and_to_is_not(self) -> None:
        assigned = ranges(BY_HISTORY).assign(np.array([500.0, 499.99, 100.0, 99.99, -1.0]), ids(5))
        assert assigned.tier.tolist() == ["high", "medium", "medium", "low", "low"]
        assert assigned.cuts == {}
        assert assigned.place(np.array([1e6, 0.0])).tolist() == ["high", "low"]

    def test_values_between_ranges_are_refused(self) -> None:
        tiers = ranges({"high": {"from": 500}, "low": {"to": 100}})
        with pytest.raises(
            DataError, match="2 customers belong to no tier: their history is from 100 to 300"
        ):
            tiers.assign(np.array([600.0, 300.0, 100.0, 1.0]), ids(4))
        assigned = tiers.assign(np.array([600.0, 1.0]), ids(2))
        with pytest.raises(DataError, match="1 customers belong to no tier"):
            assigned.place(np.array([300.0]))

    def test_ranges_that_overlap_are_refused(self) -> None:
        with pytest.raises(ValidationError, match="the ranges of 'low' and 'high' overlap"):
            ranges({"high": {"from": 100}, "low": {"to": 150}})


class TestRefusals:
    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_customers_without_a_value(self, value: float) -> None:
        with pytest.raises(DataError, match="1 of 3 customers have no finite 'predicted_clv'"):
            Tiers().assign(np.array([1.0, value, 2.0]), ids(3))
        with pytest.raises(DataError, match="1 of 1 customers"):
            Tiers().assign(np.arange(10.0), ids(10)).place(np.array([value]))

    @pytest.mark.parametrize(
        ("tiers", "values", "empty"),
        [
            (Tiers(), [1.0, 2.0], ["high"]),
            (Tiers(), [], ["high", "medium", "low"]),
            (ranges(BY_HISTORY), [1.0, 2.0], ["high", "medium"]),
        ],
    )
    def test_tiers_without_customers_all_at_once(
        self, tiers: Tiers, values: list[float], empty: list[str]
    ) -> None:
        with pytest.raises(DataError) as error:
            tiers.assign(np.array(values), ids(len(values)))
        assert [finding.code for finding in error.value.findings] == ["E308"] * len(empty)
        for name in empty:
            assert f"no customer in tier '{name}'" in str(error.value)


def test_many_customers() -> None:
    n = 200_000
    values = np.random.default_rng(0).random(n)
    assigned: Assignment = Tiers().assign(values, ids(n))
    assert assigned.sizes == {"high": n // 5, "medium": 3 * n // 10, "low": n // 2}
