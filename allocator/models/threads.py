"""One thread for scikit-learn's fits and forecasts: the same bits every time, and one core."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep libraries to one thread: sums come out the same bit for bit, and no thread waits for another."""
    with _controller().limit(limits=1):
        yield


@cache
def _controller() -> Any:  # noqa: ANN401 - of a library without types
    # only what is loaded can be kept to one thread, so scikit-learn comes first; looking it up takes long
    import sklearn.ensemble  # noqa: F401
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()
