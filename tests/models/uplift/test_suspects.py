from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from allocator.models.uplift.suspects import check_leakage, check_repeated


def a_test(seed: int = 1, n: int = 3000) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Past spend says something of the outcome, as it should; age and area next to nothing."""
    rng = np.random.default_rng(seed)
    arm = rng.integers(0, 3, n)
    spend = rng.gamma(2, 10, n)
    bought = (rng.random(n) < 1 / (1 + np.exp(2 - spend / 20 - 0.5 * (arm == 1)))).astype(float)
    frame = pd.DataFrame({"spend": spend, "age": rng.normal(40, 9, n), "area": rng.choice(["a", "b"], n)})
    return frame, bought, arm


CHANNELS = ["email", "phone"]


def test_what_was_known_before_is_no_suspect() -> None:
    frame, bought, arm = a_test()
    assert check_leakage(frame, bought, arm, CHANNELS) == ()
    assert check_leakage(None, bought, arm, CHANNELS) == ()


def test_the_length_of_a_call_is_one() -> None:
    frame, bought, arm = a_test()
    frame["seconds"] = np.where(arm == 2, np.random.default_rng(0).gamma(2, 60, len(frame)), 0.0)
    (told,) = check_leakage(frame, bought, arm, CHANNELS)
    assert (told.code, told.severity) == ("W420", "warning")
    assert told.what.startswith("'seconds' looks as if")
    assert "differs between phone and control" in told.what


def test_a_column_that_is_missing_for_control_is_one() -> None:
    frame, bought, arm = a_test()
    frame["opened_at"] = np.where(arm == 1, 5.0, np.nan)
    (told,) = check_leakage(frame, bought, arm, CHANNELS)
    assert told.what.startswith("'opened_at'")


@pytest.mark.parametrize("kind", ["number", "text", "negative"])
def test_a_column_that_foretells_the_outcome_too_well_is_one(kind: str) -> None:
    frame, bought, arm = a_test()
    hidden = bought + np.random.default_rng(0).normal(0, 0.3, len(bought))
    frame["basket"] = {"number": hidden, "negative": -hidden, "text": np.where(bought > 0, "yes", "no")}[kind]
    (told,) = check_leakage(frame, bought, arm, CHANNELS)
    assert told.what.startswith("'basket'")
    assert "foretells the outcome too well" in told.what


def test_it_works_on_amounts_as_well() -> None:
    frame, bought, arm = a_test()
    amount = bought * frame["spend"].to_numpy()
    frame["visits_after"] = amount + np.random.default_rng(0).normal(0, 1, len(amount))
    (told,) = check_leakage(frame, amount, arm, CHANNELS)
    assert told.what.startswith("'visits_after'")


def test_two_columns_that_say_the_same_honestly_are_none() -> None:
    rng = np.random.default_rng(2)
    past = rng.normal(size=2000)
    outcome = 1.2 * past + rng.normal(size=2000)
    frame = pd.DataFrame({"spend": past, "orders": past + 0.2 * rng.normal(size=2000)})
    assert check_leakage(frame, outcome, rng.integers(0, 2, 2000), ["email"]) == ()


def test_an_outcome_that_never_changes_says_nothing() -> None:
    frame, _, arm = a_test()
    assert check_leakage(frame, np.zeros(len(arm)), arm, CHANNELS) == ()


def test_customers_in_several_tests_are_counted() -> None:
    customer = [1, 1, 2, 3, 4]
    day = ["2026-01-01", "2026-02-01", "2026-01-01", "2026-01-01", "2026-01-01"]
    (told,) = check_repeated(customer, ["control"] * 5, day)
    assert told.code == "W421"
    assert "1 of 4 customers (25%)" in told.what


def test_a_row_that_is_there_twice_is_not_another_test() -> None:
    assert check_repeated(["a", "a", "b"], ["email"] * 3, ["2026-01-01"] * 3) == ()


def test_a_handful_is_not_worth_a_word() -> None:
    customer = np.append(np.arange(1000), 0)
    assert check_repeated(customer, np.append(np.zeros(1000), 1)) == ()
