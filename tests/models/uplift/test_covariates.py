from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from allocator.models.uplift.covariates import design


def test_no_covariates_are_no_columns() -> None:
    assert design(None, 3).columns.shape == (3, 0)
    assert design(None, 3).names == ()


def test_a_number_with_gaps_is_filled_with_its_mean_and_marked() -> None:
    made = design(pd.DataFrame({"age": [20.0, np.nan, 40.0, np.inf]}), 4)
    assert made.names == ("age", "age (missing)")
    assert made.columns.tolist() == [[20, 0], [30, 1], [40, 0], [30, 1]]


@pytest.mark.parametrize("kind", ["Int64", "Float64", "int8", "float32"])
def test_numbers_of_any_kind_stay_numbers(kind: str) -> None:
    assert design(pd.DataFrame({"n": pd.Series([1, 2, 3], dtype=kind)}), 3).columns[:, 0].tolist() == [
        1,
        2,
        3,
    ]


@pytest.mark.parametrize("kind", ["bool", "boolean"])
def test_flags_are_numbers(kind: str) -> None:
    assert design(pd.DataFrame({"f": pd.Series([True, False], dtype=kind)}), 2).columns[:, 0].tolist() == [
        1,
        0,
    ]


@pytest.mark.parametrize("kind", ["object", "str", "category"])
def test_a_text_is_measured_against_its_most_frequent_level(kind: str) -> None:
    made = design(pd.DataFrame({"area": pd.Series(["b", "a", "b", None], dtype=kind)}), 4)
    assert made.names == ("area=(missing)", "area=a")
    assert made.columns.tolist() == [[0, 0], [0, 1], [0, 0], [1, 0]]


def test_few_gaps_have_no_indicator_of_their_own() -> None:
    numbers = [1.0, 2.0] * 200 + [np.nan] * 3
    made = design(pd.DataFrame({"age": numbers}), 403)
    assert made.names == ("age",)
    assert made.columns[-1, 0] == 1.5


def test_few_customers_of_rare_levels_have_no_indicator() -> None:
    made = design(pd.DataFrame({"area": ["a", "b"] * 200 + ["n/a"] * 3}), 403)
    assert made.names == ("area=b",)


def test_rare_levels_are_pooled() -> None:
    texts = ["common"] * 297 + ["rare", "rarer", "rarest"]
    made = design(pd.DataFrame({"area": texts}), 400)
    assert made.names == ("area=(other)",)
    assert made.columns[:, 0].sum() == 3


def test_an_id_says_nothing_and_is_left_out() -> None:
    ids = [f"c{i}" for i in range(1000)]
    made = design(pd.DataFrame({"id": ids, "constant": 1.0}), 1000)
    assert len(made.names) <= 1


def test_a_column_of_gaps_is_left_out() -> None:
    assert design(pd.DataFrame({"age": [np.nan, np.nan]}), 2).names == ()
