"""Columns that know too much, and customers who were in several tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from allocator.errors import Finding
from allocator.models.uplift.base import Codes, FloatArray
from allocator.models.uplift.covariates import design
from allocator.quantities import count, percent

if TYPE_CHECKING:
    import pandas as pd

TOO_WELL = 0.6  # rank correlation (for a yes or no: 2 AUC - 1) with the outcome that is a surprise
APART = 1.2  # times the next best column that is needed besides, below CERTAIN
CERTAIN = 0.9
MOVED = 0.5  # standard deviations between an arm and control that no lot brings about
CLEARLY = 6.0  # standard errors, besides
SEVERAL = 0.01  # share of customers in more than one test from which it is told


def check_leakage(
    covariates: pd.DataFrame | None, outcome: FloatArray, arm: Codes, channels: Sequence[str]
) -> tuple[Finding, ...]:
    """Name covariates that look as if they were measured after the contact (W420).

    A column is suspect when it foretells the outcome within an arm far better than any other does, or
    nearly perfectly; and when it differs between an arm and control by more than half a standard deviation,
    as the length of a call does, which is 0 for all who were not called.

    Parameters
    ----------
    covariates : DataFrame or None
        One row a customer.
    outcome : array, shape (n,)
    arm : int array, shape (n,)
        0 is control, c the channel ``channels[c - 1]``.
    channels : sequence of str

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> arm = np.arange(400) % 2
    >>> seconds = np.where(arm == 1, 60.0 + np.arange(400) % 7, 0.0)
    >>> outcome = (np.arange(400) % 3 == 0).astype(float)
    >>> [str(told.what) for told in check_leakage(pd.DataFrame({"call": seconds}), outcome, arm, ["phone"])]
    ["'call' looks as if it was measured after the contact: it differs between phone and control"]
    """
    if covariates is None or covariates.shape[1] == 0:
        return ()
    parts = [design(covariates[[name]], len(covariates)).columns for name in covariates.columns]
    told = dict(zip(map(str, covariates.columns), parts, strict=True))
    return tuple(_suspects(told, outcome, arm, channels))


def check_repeated(
    customer: ArrayLike, arm: ArrayLike, contacted_on: ArrayLike | None = None
) -> tuple[Finding, ...]:
    """Say (W421) how many customers were in several tests, or in several arms.

    Parameters
    ----------
    customer, arm : array, shape (n,)
        One row a contact, those of control included.
    contacted_on : array, shape (n,), or None
        Day or name of the test.

    Examples
    --------
    >>> check_repeated(["a", "b", "c"], ["email", "control", "email"])
    ()
    >>> (told,) = check_repeated(["a", "a", "b"], ["email", "control", "email"])
    >>> told.what
    '1 of 2 customers (50%) were in several tests or arms'
    """
    _, code = np.unique(np.asarray(customer).astype(str), return_inverse=True)
    label = np.asarray(arm).astype(str)
    if contacted_on is not None:
        day = np.asarray(contacted_on).astype(str)
        label = np.char.add(np.char.add(label, "\x1f"), day)
    _, kind = np.unique(label, return_inverse=True)
    pairs = np.unique(np.column_stack([code, kind]), axis=0)
    tests = np.bincount(pairs[:, 0])
    several = int(np.sum(tests > 1))
    if several <= SEVERAL * len(tests):
        return ()
    share = percent(several / len(tests))
    what = f"{count(several)} of {count(len(tests))} customers ({share}) were in several tests or arms"
    fix = "what one contact changed shows in the outcome of the next: take each customer's first test only"
    return (Finding("W421", None, what, fix),)


def _suspects(
    parts: dict[str, FloatArray], outcome: FloatArray, arm: Codes, channels: Sequence[str]
) -> Iterator[Finding]:
    fix = "leave out what came with or after the contact: it hides the effect, and no new customer has it"
    strength = {name: _strength(columns, outcome, arm) for name, columns in parts.items()}
    for name, columns in parts.items():
        moved = [
            channel for code, channel in enumerate(channels, 1) if _moved(columns, arm == 0, arm == code)
        ]
        next_best = max((one for other, one in strength.items() if other != name), default=0.0)
        reasons = []
        if moved:
            reasons.append(f"it differs between {', '.join(moved)} and control")
        if strength[name] > max(TOO_WELL, min(APART * next_best, CERTAIN)):
            known = f"it foretells the outcome too well (rank correlation {strength[name]:.2f}"
            reasons.append(f"{known}, the next best {next_best:.2f})")
        if reasons:
            what = f"{name!r} looks as if it was measured after the contact: {', and '.join(reasons)}"
            yield Finding("W420", None, what, fix)


def _strength(columns: FloatArray, outcome: FloatArray, arm: Codes) -> float:
    """Give the largest rank correlation with the outcome within arms, weighted by their size."""
    codes = [code for code in np.unique(arm) if np.ptp(outcome[arm == code]) > 0]
    best = 0.0
    for column in columns.T:
        parts = [(np.sum(arm == code), _rank_correlation(column, outcome, arm == code)) for code in codes]
        total = sum(int(n) for n, _ in parts)
        best = max(best, abs(sum(float(n * one) for n, one in parts)) / max(total, 1))
    return best


def _rank_correlation(column: FloatArray, outcome: FloatArray, at: NDArray[np.bool_]) -> float:
    """Somers' D of an outcome of two values, which is 2 AUC - 1; Spearman's correlation of others."""
    from scipy.stats import rankdata

    rank, values = rankdata(column[at]), outcome[at]
    if len(np.unique(values)) == 2:
        high = values == values.max()
        return float(2 * (rank[high].mean() - rank[~high].mean()) / len(rank))
    if np.ptp(rank) == 0:
        return 0.0
    return float(np.corrcoef(rank, rankdata(values))[0, 1])


def _moved(columns: FloatArray, control: NDArray[np.bool_], treated: NDArray[np.bool_]) -> bool:
    if control.sum() < 2 or treated.sum() < 2:
        return False
    gap = np.abs(columns[treated].mean(axis=0) - columns[control].mean(axis=0))
    spread = np.sqrt((columns[treated].var(axis=0) + columns[control].var(axis=0)) / 2)
    error = spread * np.sqrt(1 / treated.sum() + 1 / control.sum())
    return bool(np.any((gap > MOVED * spread) & (gap > CLEARLY * error) & (gap > 0)))
