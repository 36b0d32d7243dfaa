"""Whether a fitted model has aged: customers who look different, or do other than it expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from allocator.errors import Finding
from allocator.models.base import FloatArray, IntArray, impossible
from allocator.models.scoring import DecileTable, deciles
from allocator.quantities import count, percent

if TYPE_CHECKING:
    import pandas as pd

MOVING, MOVED = 0.1, 0.25  # marks of Siddiqi (2006), Credit Risk Scorecards
OFF = 0.1  # of the total expected
CHANCE = 1e-3  # how often a population that has not moved passes the noise of its PSI
SURE = 2.576  # standard errors: one false alarm in a hundred
WIDE = 0.25  # of the total expected: noise that would hide a drift this large tells nothing
FEWEST = 30  # customers, and purchases expected
RARE = 0.01
MISSING, OTHER = "missing", "other"


class Verdict(Enum):
    """What a comparison says."""

    STEADY = "steady"
    MOVING = "moving"
    MOVED = "moved"
    UNKNOWN = "too little to tell"


@dataclass(frozen=True, eq=False)
class Stability:
    """How far the customers of today differ from those a model learned from, in one feature.

    Parameters
    ----------
    feature : str
    psi : float
        Population stability index, 0 for equal shares.
    noise : float
        What the index passes by chance once in a thousand times where nothing has moved.
    n_reference, n_current : int
        Customers then and now.
    bins : tuple of str
    reference, current : array, shape (bins,)
        Shares of the customers then and now.
    """

    feature: str
    psi: float
    noise: float
    n_reference: int
    n_current: int
    bins: tuple[str, ...]
    reference: FloatArray
    current: FloatArray

    @property
    def verdict(self) -> Verdict:
        """Up to 0.1 steady, above 0.25 moved, in between moving; unknown where chance alone reaches 0.25."""
        if self.psi > max(MOVED, self.noise):
            return Verdict.MOVED
        if self.noise > MOVED:
            return Verdict.UNKNOWN
        return Verdict.MOVING if self.psi > max(MOVING, self.noise) else Verdict.STEADY


def population_stability(
    reference: ArrayLike, current: ArrayLike, *, feature: str = "", bins: int = 10
) -> Stability:
    """Compare how a feature is distributed among customers then and now.

    ``PSI = sum over bins of (c - r) * ln(c / r)`` with r and c the shares then and now, half a customer
    added to each bin. Numbers fall in bins between the quantiles of `reference`; of texts each value is a
    bin, those rare then (under 1 %) or new are one together; missing ones are a bin of their own. Where
    nothing has moved, ``PSI / (1 / n + 1 / m)`` is about chi-squared with ``bins - 1`` degrees of freedom
    (Yurdakul 2018, Statistical Properties of Population Stability Index), which gives the noise.

    Parameters
    ----------
    reference, current : array of numbers or texts, shapes (n,) and (m,)
        Missing ones are NaN or None.
    feature : str
        Its name in what is said.
    bins : int
        Of numbers, at most; equal numbers share one.

    Raises
    ------
    DataError
        E315 where one side has no customer, or has texts where the other has numbers.

    Examples
    --------
    >>> then = np.arange(1000)
    >>> population_stability(then, then + 5).verdict, population_stability(then, then + 500).verdict
    (<Verdict.STEADY: 'steady'>, <Verdict.MOVED: 'moved'>)
    """
    from scipy.stats import chi2

    names, then, now = _binned(reference, current, bins)
    some = (then + now) > 0
    then, now = then[some], now[some]
    n, m, k = int(then.sum()), int(now.sum()), int(some.sum())
    r, c = ((part + 0.5) / (part.sum() + 0.5 * k) for part in (then, now))
    return Stability(
        feature=feature,
        psi=float(((c - r) * np.log(c / r)).sum()),
        noise=float(chi2.isf(CHANCE, k - 1) * (1 / n + 1 / m)) if k > 1 else 0.0,
        n_reference=n,
        n_current=m,
        bins=tuple(name for name, there in zip(names, some, strict=True) if there),
        reference=then / n,
        current=now / m,
    )


def _binned(reference: ArrayLike, current: ArrayLike, bins: int) -> tuple[list[str], IntArray, IntArray]:
    """Give the names of the bins, and how many customers each had then and has now."""
    import pandas as pd

    sides = [pd.Series(np.asarray(side)).infer_objects() for side in (reference, current)]
    if not all(len(side) for side in sides):
        raise impossible("the stability of a population needs customers then and now")
    known = [side[side.notna()] for side in sides]
    kinds = {pd.api.types.is_numeric_dtype(side) for side in known if len(side)}
    if len(kinds) > 1:
        raise impossible("a feature had numbers where it has texts now, or the reverse")
    gone = [len(side) - len(some) for side, some in zip(sides, known, strict=True)]
    of_kind = _numbers if kinds == {True} else _texts
    names, then, now = of_kind(known[0], known[1], bins)
    return [*names, MISSING], np.append(then, gone[0]), np.append(now, gone[1])


def _numbers(
    then: pd.Series[float], now: pd.Series[float], bins: int
) -> tuple[list[str], IntArray, IntArray]:
    """Count numbers between the quantiles of `then`, the upper ones included."""
    values = [side.to_numpy(dtype=np.float64) for side in (then, now)]
    finite = values[0][np.isfinite(values[0])]
    inner = np.linspace(0, 1, bins + 1)[1:-1]
    edges = np.unique(np.quantile(finite, inner, method="lower")) if len(finite) else np.zeros(0)
    ends = ["-inf", *(f"{edge:g}" for edge in edges), "inf"]
    names = [f"({low}, {high}]" for low, high in pairwise(ends)]
    counts = [np.bincount(np.searchsorted(edges, side), minlength=len(names)) for side in values]
    return names, counts[0], counts[1]


def _texts(then: pd.Series[str], now: pd.Series[str], _: int) -> tuple[list[str], IntArray, IntArray]:
    """Count the values that were not rare, and all others together."""
    shares = then.astype(str).value_counts(normalize=True)
    names = sorted(str(name) for name in shares.index[shares >= RARE])
    place = {name: at for at, name in enumerate(names)}
    counts = [
        np.bincount(
            np.array([place.get(value, len(names)) for value in side.astype(str)], dtype=np.int64),
            minlength=len(names) + 1,
        )
        for side in (then, now)
    ]
    return [*names, OTHER], counts[0], counts[1]


def stabilities(reference: pd.DataFrame, current: pd.DataFrame, *, bins: int = 10) -> tuple[Stability, ...]:
    """Compare every feature of two tables of customers, in the order of the first.

    A feature that grows with time for everyone, such as the age of a customer, moves without a model having
    aged: leave it out.

    Raises
    ------
    DataError
        E315 where `current` lacks a column of `reference`.
    """
    lost = [str(name) for name in reference if name not in current]
    if lost:
        raise impossible(f"the customers of today lack what the model learned from: {', '.join(lost)}")
    return tuple(
        population_stability(
            reference[name].to_numpy(), current[name].to_numpy(), feature=str(name), bins=bins
        )
        for name in reference
    )


@dataclass(frozen=True, eq=False)
class Calibration:
    """What a forecast expected of the time since, against what came.

    Parameters
    ----------
    n_customers : int
    expected, actual : float
        Totals.
    noise : float
        Standard error of `ratio` where the forecast is right, from how much customers differ by chance.
    n_purchases : float
        How many purchases `expected` amounts to.
    slope, slope_error : float
        Of actual on expected over the deciles: 1 where customers differ by as much as expected, below 1
        where the forecast exaggerates; NaN where it says the same of all.
    table : DecileTable
    """

    n_customers: int
    expected: float
    actual: float
    noise: float
    n_purchases: float
    slope: float
    slope_error: float
    table: DecileTable

    @property
    def ratio(self) -> float:
        """What came over what was expected."""
        return self.actual / self.expected

    @property
    def verdict(self) -> Verdict:
        """Moved where the ratio differs from 1 by more than a tenth and by more than noise.

        Unknown with fewer than 30 customers or purchases expected, or where noise would hide a quarter.
        """
        if min(self.n_customers, self.n_purchases) < FEWEST:
            return Verdict.UNKNOWN
        off = abs(self.ratio - 1)
        if off > max(OFF, SURE * self.noise):
            return Verdict.MOVED
        return Verdict.UNKNOWN if SURE * self.noise > WIDE else Verdict.STEADY


def calibration_drift(
    expected: ArrayLike, actual: ArrayLike, *, purchase_value: float = 1.0, forecast_error: float = 0.0
) -> Calibration:
    """Compare what a saved forecast expected of each customer since with what came.

    The noise of ``ratio = sum(actual) / sum(expected)`` is the standard error of ``sum(actual - expected)``
    over customers, and at least that of purchases by chance (Poisson: the variance of their number is their
    number), over ``sum(expected)``.

    Parameters
    ----------
    expected, actual : array, shape (customers,)
        Purchases, or money, of the same time.
    purchase_value : float
        What a purchase is worth on average, in the same unit: 1 where purchases are counted, the mean value
        of an order where it is money.
    forecast_error : float
        Standard error of the forecast's total from its parameters, as a fraction of it, added to the noise.

    Raises
    ------
    DataError
        E315 where the two cannot be compared, or nothing was expected.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> expected = rng.gamma(1, 1, 2000)
    >>> calibration_drift(expected, rng.poisson(expected)).verdict.value
    'steady'
    >>> calibration_drift(expected, rng.poisson(expected / 2)).verdict.value
    'moved'
    """
    table = deciles(actual, expected)
    e, a = np.asarray(expected, dtype=np.float64), np.asarray(actual, dtype=np.float64)
    total = float(e.sum())
    if (e < 0).any() or not (total > 0 and purchase_value > 0):
        raise impossible("the forecast expected nothing of the time since, or less than nothing")
    among = len(e) * float((a - e).var(ddof=1)) if len(e) > 1 else 0.0
    noise = np.sqrt(max(among, purchase_value * total) / total**2 + forecast_error**2)
    slope, slope_error = _slope(e, a)
    return Calibration(
        n_customers=len(e),
        expected=total,
        actual=float(a.sum()),
        noise=float(noise),
        n_purchases=total / purchase_value,
        slope=slope,
        slope_error=slope_error,
        table=table,
    )


def _slope(expected: FloatArray, actual: FloatArray) -> tuple[float, float]:
    """Give the slope over deciles by least squares, and its error robust to unequal variances (HC1)."""
    order = np.argsort(expected, kind="stable")
    x = np.empty(len(order))
    for part in np.array_split(order, 10):
        x[part] = expected[part].mean() if len(part) else 0.0
    if len(x) < 3 or np.ptp(x) <= 1e-12 * np.abs(x).max():
        return float("nan"), float("nan")
    import statsmodels.api as sm

    fitted = sm.OLS(actual, sm.add_constant(x)).fit(cov_type="HC1")
    return float(fitted.params[1]), float(fitted.bse[1])


@dataclass(frozen=True, eq=False)
class DriftReport:
    """Whether a model has aged.

    Parameters
    ----------
    features : tuple of Stability
        Of what it learned from.
    calibration : Calibration or None
        None where no time has passed since.
    """

    features: tuple[Stability, ...]
    calibration: Calibration | None = None

    @property
    def has_aged(self) -> bool:
        """Whether anything moved."""
        return any(one.verdict is Verdict.MOVED for one in self._parts)

    @property
    def too_little_to_tell(self) -> bool:
        """Whether nothing moved, but something may have."""
        return not self.has_aged and any(one.verdict is Verdict.UNKNOWN for one in self._parts)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Warnings of what moved; empty where nothing did, or where there is too little to tell."""
        moved = [one for one in self.features if one.verdict is Verdict.MOVED]
        found = [_moved(moved)] if moved else []
        if self.calibration is not None and self.calibration.verdict is Verdict.MOVED:
            found.append(_off(self.calibration))
        return tuple(found)

    @property
    def _parts(self) -> tuple[Stability | Calibration, ...]:
        return self.features if self.calibration is None else (*self.features, self.calibration)


def _moved(features: Sequence[Stability]) -> Finding:
    worst = sorted(features, key=lambda one: -one.psi)
    named = ", ".join(f"{one.feature} (PSI {one.psi:.2f})" for one in worst)
    return Finding(
        "W416", None, f"drift: customers differ from those the model learned from: {named}", "fit it anew"
    )


def _off(calibration: Calibration) -> Finding:
    off = percent(calibration.ratio - 1)
    side = f"{off.lstrip('-')} {'more' if calibration.ratio > 1 else 'less'}"
    return Finding(
        "W416",
        None,
        f"drift: {side} came than the forecast expected of {count(calibration.n_customers)} customers, "
        f"± {percent(SURE * calibration.noise)} by chance",
        "fit it anew; where it is a season, compare over a whole year",
    )
