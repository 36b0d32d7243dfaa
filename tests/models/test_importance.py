"""What a forecast rests on: known forecasts, whose columns' parts are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from allocator.errors import DataError
from allocator.models.importance import contributions, permutation_importance
from allocator.models.scoring import rmse

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "big": RNG.normal(size=300),
        "small": RNG.normal(size=300),
        "none": RNG.normal(size=300),
        "kind": RNG.choice(["a", "b"], 300),
    },
    index=pd.Index([f"c{i}" for i in range(300)], name="customer_id"),
)


def additive(table: pd.DataFrame) -> np.ndarray:
    return np.asarray(10 + 3 * table["big"] + table["small"] + 2.0 * (table["kind"] == "a"))


def together(table: pd.DataFrame) -> np.ndarray:
    return np.asarray(table["big"] * table["small"] + np.exp(table["small"]))


class TestPermutation:
    def test_columns_are_in_the_order_of_what_rests_on_them(self) -> None:
        found = permutation_importance(additive, TABLE, additive(TABLE) + 5, rng=np.random.default_rng(1))
        assert found.index.tolist() == ["big", "kind", "small", "none"]
        assert found.loc["none", "loss"] == 0
        assert found.loc["big", "loss"] > 3 * found.loc["small", "loss"] > 0

    def test_any_score_will_do(self) -> None:
        """Shuffling a column of variance v that counts b times costs a mean square of 2 b^2 v."""
        found = permutation_importance(
            additive,
            TABLE,
            additive(TABLE),
            rng=np.random.default_rng(1),
            rounds=20,
            score=lambda actual, forecast: -(rmse(actual, forecast) ** 2),
        )
        assert found.loc["big", "loss"] == pytest.approx(2 * 9 * TABLE["big"].var(), rel=0.1)

    def test_the_same_generator_gives_the_same(self) -> None:
        one, other = (
            permutation_importance(together, TABLE, together(TABLE), rng=np.random.default_rng(2))
            for _ in "ab"
        )
        pd.testing.assert_frame_equal(one, other)

    def test_the_table_stays_as_it_was(self) -> None:
        before = TABLE.copy(deep=True)
        permutation_importance(additive, TABLE, additive(TABLE), rng=np.random.default_rng(0))
        pd.testing.assert_frame_equal(TABLE, before)


class TestContributions:
    some = TABLE.iloc[:20]

    @pytest.mark.parametrize("predict", [additive, together])
    def test_they_add_up_to_the_forecast(self, predict) -> None:
        found = contributions(predict, self.some, TABLE, rng=np.random.default_rng(0), rounds=3)
        total = found.base + found.parts.sum(axis=1)
        assert total.to_numpy() == pytest.approx(predict(self.some), abs=1e-12)
        assert found.parts.index.equals(self.some.index)

    def test_parts_of_a_sum_are_exact(self) -> None:
        """Each column's own part, less its mean over the rows started at."""
        found = contributions(additive, self.some[:3], TABLE, rng=np.random.default_rng(0), rounds=300)
        big = 3 * (self.some["big"][:3] - TABLE["big"].mean())
        assert found.parts["big"].to_numpy() == pytest.approx(big.to_numpy())
        assert found.parts["none"].abs().max() == 0
        assert found.base == pytest.approx(additive(TABLE).mean())

    def test_what_two_columns_do_together_is_shared(self) -> None:
        """Shapley values of a product from a start at 0 halve it."""
        start = pd.DataFrame({"big": [0.0], "small": [0.0]})
        row = pd.DataFrame({"big": [3.0], "small": [4.0]})
        found = contributions(
            lambda table: np.asarray(table["big"] * table["small"]), row, start, rng=np.random.default_rng(0)
        )
        assert found.parts.to_numpy().tolist() == [[6.0, 6.0]]

    def test_columns_are_aligned_by_name(self) -> None:
        turned = TABLE[TABLE.columns[::-1]]
        one, other = (
            contributions(together, self.some, reference, rng=np.random.default_rng(0))
            for reference in (TABLE, turned)
        )
        pd.testing.assert_frame_equal(one.parts, other.parts)

    def test_the_method_is_told(self) -> None:
        found = contributions(additive, self.some, TABLE, rng=np.random.default_rng(0), rounds=2)
        assert found.method == "sampling Shapley, 2 reference rows, each in one order and its reverse"

    def test_nobody_to_compare_with_is_refused(self) -> None:
        with pytest.raises(DataError, match="reference row"):
            contributions(additive, self.some, TABLE[:0], rng=np.random.default_rng(0))
