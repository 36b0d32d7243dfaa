"""Effects of contacts as differences of means per tier and channel, adjusted for covariates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from allocator.errors import DataError, Finding
from allocator.models.uplift.covariates import FloatArray, design, probability
from allocator.options import Flag, Options

if TYPE_CHECKING:
    import pandas as pd

Codes = NDArray[np.intp]
Errors = Literal["HC2", "clustered"]

UNITS_PER_SLOPE = 20  # customers (clusters) a slope needs; with fewer the next simpler adjustment is taken
DEPENDENT = 1e-7  # of a column's length: what others have to leave of it


@dataclass(frozen=True, eq=False)
class Effects:
    """What one contact changes, per tier and channel; the arrays are aligned with `tier` and `channel`.

    Parameters
    ----------
    tier, channel : tuple of str
        Tiers in alphabetical order, within each its channels.
    n_treated, n_control : array of int, shape (k,)
        Customers of the channel's arm and of the control arm in the tier.
    raw : array, shape (k,)
        Difference of the plain means, in units of the outcome.
    estimate : array, shape (k,)
        The same adjusted for covariates: per contacted customer, in units of the outcome.
    covariance : array, shape (k, k)
        Of `estimate`. Channels of a tier share its control arm; tiers share customers only by clusters.
    errors : {"HC2", "clustered"}
        How the covariance allows for unequal spread, or for customers that belong together.
    findings : tuple of Finding
        Advice (code W404) where an arm shows no spread of its own.
    scale : array, shape (k,), or None
        How widely outcomes of the tier differ without a contact (standard deviation of its control arm):
        what effects are taken to be in proportion to where nothing else is known. None: alike everywhere.
    """

    tier: tuple[str, ...]
    channel: tuple[str, ...]
    n_treated: NDArray[np.int64]
    n_control: NDArray[np.int64]
    raw: FloatArray
    estimate: FloatArray
    covariance: FloatArray
    errors: Errors = "HC2"
    findings: tuple[Finding, ...] = ()
    scale: FloatArray | None = None

    @property
    def standard_error(self) -> FloatArray:
        """Of `estimate`, shape (k,)."""
        return np.sqrt(np.diag(self.covariance))

    def row(self, tier: str, channel: str) -> int:
        """Give the place of a tier and channel in the arrays.

        Raises
        ------
        KeyError
            When nothing was estimated for them.
        """
        try:
            return list(zip(self.tier, self.channel, strict=True)).index((tier, channel))
        except ValueError:
            raise KeyError((tier, channel)) from None


class AdjustedMeans(Options):
    """Difference of means between a channel's arm and control, per tier, adjusted for covariates.

    Every arm is regressed on the covariates, centred at their means in the tier; the difference of the
    intercepts is the effect (Lin, 2013, "Agnostic notes on regression adjustments to experimental data").
    Arms too small for slopes of their own share them; tiers too small for that are not adjusted.

    Examples
    --------
    >>> effects = AdjustedMeans().estimate(
    ...     outcome=[1.0, 3.0, 4.0, 8.0], arm=["control", "control", "email", "email"], tier=["all"] * 4)
    >>> effects.estimate.round(3).tolist(), effects.standard_error.round(3).tolist()
    ([4.0], [2.236])
    """

    name: Literal["adjusted_means"] = "adjusted_means"
    """Which estimator this is."""
    covariates: Flag = True
    """Whether the experiment's covariates narrow the errors."""

    def estimate(
        self,
        outcome: ArrayLike,
        arm: ArrayLike,
        tier: ArrayLike,
        covariates: pd.DataFrame | None = None,
        *,
        control: str = "control",
        cluster: ArrayLike | None = None,
        propensity: ArrayLike | None = None,
    ) -> Effects:
        """Estimate the effect of one contact in every tier and channel.

        Parameters
        ----------
        outcome : array, shape (n_customers,)
            Money or counts in the window after the contact.
        arm : array of text
            The channel that contacted the customer, or `control`. Rows of other arms are to be left out
            before.
        tier : array of text
            By what was known before the contact.
        covariates : DataFrame or None
            Measured before the contact, one row a customer in the same order.
        control : str
        cluster : array or None
            Customers with the same value were assigned together (a household, a shop).
        propensity : array or None
            Probability with which the customer got the arm it got; equal within a tier where absent.

        Raises
        ------
        DataError
            When rows do not match, an outcome or propensity is no number (E315), an arm has no or hardly
            any rows in a tier (E307), or the outcome is the same for everyone (E315).
        """
        sample = _Sample.of(outcome, arm, tier, cluster=cluster, propensity=propensity, control=control)
        made = design(covariates if self.covariates else None, len(sample.outcome))
        used = made.columns
        if len(used) != len(sample.outcome):
            raise DataError(Finding("E315", None, "the covariates have other rows than the outcome"))
        return _effects(sample, [_fit(part) for part in sample.tiers(used)])


@dataclass(frozen=True, eq=False)
class _Sample:
    """Rows of one test, labels as codes: arm 0 is control."""

    outcome: FloatArray
    arm: Codes
    tier: Codes
    cluster: Codes | None
    weight: FloatArray
    channels: tuple[str, ...]
    tier_names: tuple[str, ...]

    @classmethod
    def of(
        cls,
        outcome: ArrayLike,
        arm: ArrayLike,
        tier: ArrayLike,
        *,
        cluster: ArrayLike | None,
        propensity: ArrayLike | None,
        control: str,
    ) -> _Sample:
        y = np.asarray(outcome, dtype=np.float64)
        weight = np.ones(len(y)) if propensity is None else 1 / probability(propensity)
        arms, tiers = np.asarray(arm, dtype=str), np.asarray(tier, dtype=str)
        clusters = None if cluster is None else np.asarray(cluster, dtype=str)
        _check_rows(y, [arms, tiers, weight] + ([] if clusters is None else [clusters]))
        channels = tuple(str(name) for name in np.unique(arms) if name != control)
        names, tier_code = np.unique(tiers, return_inverse=True)
        sample = cls(
            outcome=y,
            arm=np.searchsorted(channels, arms) + 1 if channels else np.zeros(len(y), dtype=np.intp),
            tier=tier_code,
            cluster=None if clusters is None else np.unique(clusters, return_inverse=True)[1],
            weight=weight,
            channels=channels,
            tier_names=tuple(map(str, names)),
        )
        sample.arm[arms == control] = 0
        sample.check(control)
        return sample

    def check(self, control: str) -> None:
        """Refuse arms that can give no mean with an error."""
        findings = []
        if not self.channels:
            findings.append(Finding("E307", None, f"every customer is in arm {control!r}: nothing is tested"))
        for tier, tier_name in enumerate(self.tier_names):
            for arm, name in enumerate((control, *self.channels)):
                units = np.flatnonzero((self.tier == tier) & (self.arm == arm))
                if self.cluster is not None:
                    units = np.unique(self.cluster[units])
                if len(units) < 2:
                    findings.append(_too_few(name, tier_name, len(units), self.cluster is not None))
        if findings:
            raise DataError(findings)
        if not self.spread > 0:
            raise DataError(
                Finding("E315", None, "the outcome is the same for all of an arm", "check its column")
            )

    @property
    def spread(self) -> float:
        """Variance of the outcome around the means of its arms, over all tiers."""
        mean = np.bincount(self.arm, self.outcome) / np.bincount(self.arm)
        return float(np.mean((self.outcome - mean[self.arm]) ** 2))

    def tiers(self, covariates: FloatArray) -> Iterator[_Part]:
        """Give the rows of each tier."""
        for code in range(len(self.tier_names)):
            at = np.flatnonzero(self.tier == code)
            centred = covariates[at] - covariates[at].mean(axis=0)
            centred = centred[:, _independent(_with_mean(centred))[1:]]
            cluster = None if self.cluster is None else self.cluster[at]
            yield _Part(self.outcome[at], self.arm[at], centred, self.weight[at], cluster)


@dataclass(frozen=True, eq=False)
class _Part:
    """Rows of one tier, its covariates centred."""

    outcome: FloatArray
    arm: Codes
    covariates: FloatArray
    weight: FloatArray
    cluster: Codes | None

    @property
    def n_arms(self) -> int:
        return int(self.arm.max()) + 1

    def of_arm(self, arm: int) -> NDArray[np.bool_]:
        return np.equal(self.arm, arm)

    def units(self, at: NDArray[np.bool_]) -> int:
        """Independent customers, or clusters."""
        return int(at.sum()) if self.cluster is None else len(np.unique(self.cluster[at]))


@dataclass(frozen=True, eq=False)
class _Fit:
    """Adjusted means of a tier's arms; `scores` squared and summed are their covariance.

    `spread` is the standard deviation of control's outcomes.
    """

    means: FloatArray
    scores: FloatArray
    raw: FloatArray
    count: NDArray[np.int64]
    flat: NDArray[np.bool_]
    spread: float


def _fit(part: _Part) -> _Fit:
    arms = range(part.n_arms)
    count = np.bincount(part.arm)
    raw = np.bincount(part.arm, part.weight * part.outcome) / np.bincount(part.arm, part.weight)
    flat = np.array([np.ptp(part.outcome[part.of_arm(arm)]) == 0 for arm in arms])
    needed = UNITS_PER_SLOPE * (part.covariates.shape[1] + 1)
    if min(part.units(part.of_arm(arm)) for arm in arms) >= needed and _every_arm_varies(part):
        means, scores = _own_slopes(part)
    else:
        enough = part.units(part.arm >= 0) >= needed + UNITS_PER_SLOPE * part.n_arms
        means, scores = _shared_slopes(part, part.covariates if enough else part.covariates[:, :0])
    return _Fit(means, scores, raw, count, flat, float(part.outcome[part.of_arm(0)].std()))


def _every_arm_varies(part: _Part) -> bool:
    """Whether the slopes of every arm can be told apart, from each other and from its mean."""
    return all(
        _independent(_with_mean(part.covariates[part.of_arm(arm)])).all() for arm in range(part.n_arms)
    )


def _with_mean(covariates: FloatArray) -> FloatArray:
    return np.column_stack([np.ones(len(covariates)), covariates])


def _independent(columns: FloatArray) -> NDArray[np.bool_]:
    """Mark the columns that are no combination of those before them."""
    length = np.linalg.norm(columns, axis=0)
    scaled = columns / np.where(length > 0, length, 1.0)
    rest = np.zeros(columns.shape[1])
    diagonal = np.abs(np.diag(np.linalg.qr(scaled, mode="r")))
    rest[: len(diagonal)] = diagonal
    return np.greater(rest, DEPENDENT)


def _own_slopes(part: _Part) -> tuple[FloatArray, FloatArray]:
    means, scores = np.zeros(part.n_arms), np.zeros((len(part.arm), part.n_arms))
    for arm in range(part.n_arms):
        at = part.of_arm(arm)
        found, score = _regress(part, at, _with_mean(part.covariates[at]), 1)
        means[arm], scores[at, arm] = found[0], score[:, 0]
    return means, scores


def _shared_slopes(part: _Part, covariates: FloatArray) -> tuple[FloatArray, FloatArray]:
    columns = np.column_stack([np.eye(part.n_arms)[part.arm], covariates])
    return _regress(part, part.arm >= 0, columns[:, _independent(columns)], part.n_arms)


def _regress(
    part: _Part, at: NDArray[np.bool_], columns: FloatArray, keep: int
) -> tuple[FloatArray, FloatArray]:
    """Give the first `keep` coefficients and what every row adds to them.

    Summed in squares (over clusters: of their sums) the latter are the HC2 or the clustered covariance.
    """
    from statsmodels.regression.linear_model import WLS

    fitted = WLS(part.outcome[at], columns, part.weight[at]).fit()
    inverse = fitted.model.pinv_wexog
    scores = (inverse[:keep] * fitted.wresid).T
    if part.cluster is None:
        leverage = np.einsum("ij,ji->i", fitted.model.wexog, inverse)
        return fitted.params[:keep], scores / np.sqrt(np.maximum(1 - leverage, 1e-9))[:, None]
    n, groups = len(columns), part.units(at)
    return fitted.params[:keep], scores * np.sqrt(
        groups / (groups - 1) * (n - 1) / max(n - columns.shape[1], 1)
    )


def _effects(sample: _Sample, fits: Sequence[_Fit]) -> Effects:
    n_channels = len(sample.channels)
    contrast = np.column_stack([-np.ones(n_channels), np.eye(n_channels)])
    return Effects(
        tier=tuple(tier for tier in sample.tier_names for _ in sample.channels),
        channel=sample.channels * len(fits),
        n_treated=np.concatenate([fit.count[1:] for fit in fits]),
        n_control=np.repeat([fit.count[0] for fit in fits], n_channels),
        raw=np.concatenate([contrast @ fit.raw for fit in fits]),
        estimate=np.concatenate([contrast @ fit.means for fit in fits]),
        covariance=_covariance(sample, fits, contrast),
        errors="HC2" if sample.cluster is None else "clustered",
        findings=tuple(_flat_findings(sample, fits)),
        scale=np.repeat([fit.spread or np.sqrt(sample.spread) for fit in fits], n_channels),
    )


def _covariance(sample: _Sample, fits: Sequence[_Fit], contrast: FloatArray) -> FloatArray:
    """Join the tiers; an arm without any spread borrows that of the whole test."""
    k = len(contrast)
    covariance = np.zeros((k * len(fits), k * len(fits)))
    if sample.cluster is not None:
        totals = np.zeros((int(sample.cluster.max()) + 1, k * len(fits)))
    for i, fit in enumerate(fits):
        place = slice(i * k, (i + 1) * k)
        borrowed = np.where(fit.flat, sample.spread / fit.count, 0.0)
        covariance[place, place] = contrast * borrowed @ contrast.T
        scores = fit.scores @ contrast.T
        if sample.cluster is None:
            covariance[place, place] += scores.T @ scores
        else:
            np.add.at(totals[:, place], sample.cluster[sample.tier == i], scores)
    return covariance if sample.cluster is None else covariance + totals.T @ totals


def _flat_findings(sample: _Sample, fits: Sequence[_Fit]) -> Iterator[Finding]:
    arms = ("control", *sample.channels)
    for tier, fit in zip(sample.tier_names, fits, strict=True):
        for arm in np.flatnonzero(fit.flat):
            what = (
                f"all {fit.count[arm]:,} customers of {arms[arm]} in tier {tier!r} have the same outcome; "
                "the spread of the whole test stands in"
            )
            yield Finding("W404", None, what)


def _check_rows(outcome: FloatArray, others: Sequence[NDArray[np.generic]]) -> None:
    if any(len(other) != len(outcome) for other in others):
        raise DataError(Finding("E315", None, "outcome, arm and tier differ in their number of rows"))
    if not len(outcome):
        raise DataError(Finding("E307", None, "the test has no rows"))
    unknown = int(np.sum(~np.isfinite(outcome)))
    if unknown:
        what = f"the outcome of {unknown:,} of {len(outcome):,} customers is not known"
        raise DataError(Finding("E315", None, what, "a customer who bought nothing has the outcome 0"))


def _too_few(arm: str, tier: str, units: int, clustered: bool) -> Finding:  # noqa: FBT001
    unit = "clusters" if clustered else "customers"
    have = f"only 1 of its {unit} is" if units else f"none of its {unit} is"
    return Finding("E307", None, f"arm {arm!r}: {have} in tier {tier!r}", "an effect needs at least 2")
