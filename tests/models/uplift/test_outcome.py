from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from allocator.errors import DataError
from allocator.models.uplift.outcome import Worth, money_value

REVENUE, CONVERTED, RETAINED = [0.0, 100.0, 40.0], [0, 1, 2], [0, 1, 1]


@pytest.mark.parametrize(
    ("worth", "measured", "expected"),
    [
        (Worth(margin=0.5), {"revenue": REVENUE}, [0, 50, 20]),
        (Worth(margin=0.5, per_conversion=7), {"revenue": REVENUE, "converted": CONVERTED}, [0, 50, 20]),
        (Worth(0.5, 7, beyond_revenue=True), {"revenue": REVENUE, "converted": CONVERTED}, [0, 57, 34]),
        (Worth(per_conversion=7), {"converted": CONVERTED}, [0, 7, 14]),
        (Worth(), {"retained": RETAINED, "value_if_retained": 30}, [0, 30, 30]),
        (Worth(), {"retained": RETAINED, "value_if_retained": [1.0, 2.0, 3.0]}, [0, 2, 3]),
        (
            Worth(margin=0.5),
            {"revenue": REVENUE, "retained": RETAINED, "value_if_retained": 30},
            [0, 80, 50],
        ),
    ],
)
def test_outcomes_join_to_one_value_a_customer(
    worth: Worth, measured: dict[str, Any], expected: list[float]
) -> None:
    assert money_value(worth, **measured).tolist() == expected


@pytest.mark.parametrize(
    ("worth", "measured", "words"),
    [
        (Worth(), {"revenue": REVENUE}, "margin"),
        (Worth(), {"converted": CONVERTED}, "worth money"),
        (Worth(margin=0.5), {"retained": RETAINED}, "worth money"),
        (Worth(margin=0.5), {}, "worth money"),
    ],
)
def test_what_is_worth_nothing_is_refused(worth: Worth, measured: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match="E209") as caught:
        money_value(worth, **measured)
    assert words in caught.value.findings[0].what


def test_outcomes_of_other_rows_are_refused() -> None:
    with pytest.raises(DataError, match="E315"):
        money_value(Worth(0.5), revenue=REVENUE, retained=[1, 0], value_if_retained=2)


def test_joining_first_gives_the_error_of_the_sum() -> None:
    """Revenue and retention of a customer go together; errors of separate estimates would not add up."""
    rng = np.random.default_rng(1)
    kept = rng.integers(0, 2, 1000)
    value = money_value(Worth(margin=1.0), revenue=50.0 * kept, retained=kept, value_if_retained=50.0)
    assert value.std() == pytest.approx(2 * (50.0 * kept).std())
