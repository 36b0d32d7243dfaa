"""Tables become numbers by the stated rules, and every rule is learned from what was given to learn from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from allocator.models.preparation import preparation, split_columns


def learned(table: pd.DataFrame, *, scale: bool = False):
    return preparation(table, scale=scale).fit(table)


def numbers(values: object) -> pd.DataFrame:
    return pd.DataFrame({"value": values})


def test_extremes_move_onto_the_percentiles_learned() -> None:
    then = numbers(np.arange(1001.0))
    found = learned(then).transform(numbers([-1e9, 500.0, 1e9])).ravel()
    assert found.tolist() == pytest.approx([10, 500, 990])


def test_later_rows_change_no_rule() -> None:
    then = pd.DataFrame({"value": [1.0, 2.0, 3.0, np.nan], "region": ["n", "s", "n", "s"]})
    rules = learned(then, scale=True)
    before = rules.transform(then)
    rules.transform(pd.DataFrame({"value": [1e6, np.nan], "region": ["w", "n"]}))
    np.testing.assert_array_equal(rules.transform(then), before)


def test_a_missing_number_takes_the_median_learned_and_is_marked() -> None:
    then = numbers([1.0, 2.0, 3.0, 4.0, np.nan])
    found = learned(then).transform(numbers([np.nan, 2.0]))
    assert found[:, 0].tolist() == pytest.approx([2.5, 2.0], abs=0.01)
    assert found[:, 1].tolist() == [1, 0]


def test_a_number_missing_for_the_first_time_later_is_no_trouble() -> None:
    found = learned(numbers([1.0, 2.0, 6.0])).transform(numbers([np.nan]))
    assert found.tolist() == [[2.0]]


def test_a_column_without_any_number_carries_nothing() -> None:
    then = pd.DataFrame({"empty": [np.nan] * 4, "value": [1.0, 2.0, 3.0, 4.0]})
    found = learned(then).transform(then)
    assert found.shape == (4, 1)
    assert np.isfinite(found).all()


def test_columns_that_do_not_vary_are_dropped() -> None:
    then = pd.DataFrame({"same": [5.0] * 4, "country": ["de"] * 4, "value": [1.0, 2.0, 3.0, 4.0]})
    assert learned(then).transform(then).shape == (4, 1)


def test_each_text_is_a_column_and_a_missing_one_is_a_text() -> None:
    then = pd.DataFrame({"region": ["north", "south", None, "south"]})
    found = learned(then).transform(then)
    assert found.sum(axis=1).tolist() == [1, 1, 1, 1]
    assert len(np.unique(found, axis=0)) == 3
    np.testing.assert_array_equal(found[1], found[3])


def test_rare_texts_share_a_column() -> None:
    then = pd.DataFrame({"city": ["a"] * 500 + ["b"] * 490 + [f"village {i}" for i in range(10)]})
    found = learned(then).transform(then)
    assert found.shape[1] == 3
    assert len(np.unique(found[990:], axis=0)) == 1


def test_a_text_never_seen_is_none_of_those_seen() -> None:
    then = pd.DataFrame({"region": ["north", "south"] * 10})
    assert learned(then).transform(pd.DataFrame({"region": ["west"]})).tolist() == [[0, 0]]


def test_columns_are_found_by_name() -> None:
    then = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [9.0, 7.0, 5.0], "c": ["x", "y", "x"]})
    rules = learned(then)
    np.testing.assert_array_equal(rules.transform(then[["c", "b", "a"]]), rules.transform(then))


@pytest.mark.parametrize("kind", ["object", "string", "category"])
def test_texts_of_every_type_are_alike(kind: str) -> None:
    then = pd.DataFrame({"region": pd.Series(["north", None, "south"], dtype=kind)})
    plain = pd.DataFrame({"region": ["north", None, "south"]})
    np.testing.assert_array_equal(learned(then).transform(then), learned(plain).transform(plain))


def test_nullable_numbers_are_numbers() -> None:
    then = pd.DataFrame({"n": pd.Series([1, 2, None, 9], dtype="Int64")})
    found = learned(then).transform(then)
    assert found[:, 1].tolist() == [0, 0, 1, 0]
    assert np.isfinite(found).all()


def test_scaling_brings_numbers_to_one_size() -> None:
    rng = np.random.default_rng(1)
    then = pd.DataFrame({"small": rng.normal(0, 1e-3, 500), "large": rng.normal(1e6, 1e5, 500)})
    found = learned(then, scale=True).transform(then)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(found.std(axis=0), 1, rtol=1e-9)


def test_the_given_table_stays_as_it_was() -> None:
    then = pd.DataFrame({"value": [1.0, np.nan, 1e9], "region": ["n", None, "s"]})
    copy = then.copy(deep=True)
    learned(then, scale=True).transform(then)
    pd.testing.assert_frame_equal(then, copy)


def test_a_table_is_split_by_what_its_columns_hold() -> None:
    table = pd.DataFrame({"a": [1], "b": ["x"], "c": [True], "d": [1.5]})
    assert split_columns(table) == (["a", "c", "d"], ["b"])


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
@pytest.mark.parametrize("kind", ["object", "string", "category"])
def test_a_missing_text_is_a_value_of_its_own_in_columns_of_any_kind(kind: str, missing: object) -> None:
    table = pd.DataFrame({"area": pd.Series(["north", missing] * 10).astype(kind)})
    steps = learned(table)
    assert [name.split("__")[1] for name in steps.get_feature_names_out()] == ["area_missing", "area_north"]
    assert steps.transform(table)[:2].tolist() == [[0, 1], [1, 0]]


def test_texts_and_numbers_in_one_column_are_values() -> None:
    steps = learned(pd.DataFrame({"code": [1, "x", 1, None, True]}, dtype=object))
    names = [name.split("__")[1] for name in steps.get_feature_names_out()]
    assert names == ["code_1", "code_True", "code_missing", "code_x"]
