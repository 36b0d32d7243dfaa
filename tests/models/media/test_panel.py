from __future__ import annotations

import numpy as np
import pytest

from allocator.errors import DataError
from tests.models.media.worlds import plain_panel


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda o, s: (o, np.where(np.arange(30)[None, :, None] == 3, -1.0, s)), "negative"),
        (lambda o, s: (o, s * [1.0, 0.0]), "nothing was ever spent on search"),
        (lambda o, s: (np.where(np.arange(30) == 2, np.nan, o), s), "missing"),
        (lambda o, s: (o[:, :10], s[:, :10]), "at least 20"),
        (lambda o, s: (o * 0, s), "not above 0"),
        (lambda o, s: (o, s[:, :, :1]), "shape"),
    ],
)
def test_impossible_histories_are_refused(change, said: str) -> None:
    outcome, spend = change(np.ones((1, 30)), np.ones((1, 30, 2)))
    with pytest.raises(DataError, match=said) as caught:
        plain_panel(outcome, spend, ("tv", "search"))
    assert caught.value.findings[0].code == "E315"
