"""Checks of a randomised test before anything is estimated from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from allocator.errors import Finding
from allocator.models.uplift.covariates import FloatArray, design, probability
from allocator.quantities import count, percent

if TYPE_CHECKING:
    import pandas as pd

CHANCE = 1e-3  # how rarely a proper randomisation raises one of the warnings
NEARLY_EQUAL = 0.1  # arms within this of each other are taken as meant to be equal
LARGE = 0.1  # standardised difference from which a covariate counts as imbalanced


@dataclass(frozen=True, eq=False)
class Arms:
    """Who was assigned to what.

    Parameters
    ----------
    arm, tier : array of text, shape (n_customers,)
        The channel that contacted the customer or `control`; the tier from before the contact.
    channels, tiers : sequence of str
        Those the plan needs an effect for.
    control : str
    cluster : array or None
        Customers assigned together.
    shares : mapping of arm to float, or None
        Planned shares of the arms, control included, where they are known.
    propensity : array, shape (n_customers,), or None
        Probability with which the customer got the arm it got, where it is known and not the same for all.
    """

    arm: ArrayLike
    tier: ArrayLike
    channels: Sequence[str]
    tiers: Sequence[str]
    control: str = "control"
    cluster: ArrayLike | None = None
    shares: Mapping[str, float] | None = None
    propensity: ArrayLike | None = None

    @property
    def weight(self) -> FloatArray:
        """How many customers each stands for: one over its propensity.

        Raises
        ------
        DataError
            When a propensity is not above 0 and at most 1 (E315).
        """
        if self.propensity is None:
            return np.ones(len(np.asarray(self.arm)))
        return 1 / probability(self.propensity)

    @property
    def names(self) -> tuple[str, ...]:
        """Control and the channels."""
        return (self.control, *self.channels)

    def counts(self) -> NDArray[np.int64]:
        """Count the customers, or clusters, of every arm."""
        arm = np.asarray(self.arm, dtype=str)
        return np.array([self._units(arm == name) for name in self.names])

    def table(self) -> NDArray[np.int64]:
        """Count the customers, or clusters with some, per tier (rows) and arm (columns)."""
        arm, tier = np.asarray(self.arm, dtype=str), np.asarray(self.tier, dtype=str)
        return np.array(
            [[self._units((tier == k) & (arm == name)) for name in self.names] for k in self.tiers]
        )

    def _units(self, at: NDArray[np.bool_]) -> int:
        return int(at.sum()) if self.cluster is None else len(np.unique(np.asarray(self.cluster)[at]))


class Imbalance(NamedTuple):
    """How far an arm's customers differ from those of control before the contact."""

    covariate: str
    arm: str
    difference: float
    """Of the means, in standard deviations."""
    z: float
    """The same in standard errors."""


def check_experiment(arms: Arms, covariates: pd.DataFrame | None = None) -> tuple[Finding, ...]:
    r"""Give everything that speaks against estimating from a test.

    Parameters
    ----------
    arms : Arms
    covariates : DataFrame or None
        Measured before the contact, one row a customer in the order of ``arms.arm``.

    Returns
    -------
    tuple of Finding
        E307 for arms without rows, W401 for arms of other sizes than chance allows, or of sizes that cannot
        be checked, W402 for covariates that differ between arms by more than chance. With an E307 nothing
        else is looked at. With propensities sizes say nothing and covariates are compared by their weights.

    Examples
    --------
    >>> arm = ["control"] * 100 + ["email"] * 100
    >>> check_experiment(Arms(arm, ["all"] * 200, channels=["email"], tiers=["all"]))
    ()
    >>> [str(one) for one in check_experiment(Arms(arm, ["all"] * 200, ["phone"], ["all"]))]
    ["error[E307]: arm 'phone' has no rows in the experiment\n  arms with rows: control, email"]
    """
    missing = tuple(_missing(arms))
    return missing or (*_sample_ratio(arms), *_balance(arms, covariates))


def standardised_differences(arms: Arms, covariates: pd.DataFrame | None) -> tuple[Imbalance, ...]:
    """Compare every covariate of every arm with control.

    The difference of the means, weighted by one over the propensity, over the pooled standard deviation;
    of a text, each of its levels. Weights that differ count as fewer customers (Kish's effective number).
    """
    arm, weight = np.asarray(arms.arm, dtype=str), arms.weight
    made = design(covariates, len(arm))
    units = {
        name: n * float(np.mean(weight[arm == name]) ** 2 / np.mean(weight[arm == name] ** 2))
        for name, n in zip(arms.names, arms.counts(), strict=True)
    }
    control = _moments(made.columns[arm == arms.control], weight[arm == arms.control])
    found = []
    for name in arms.channels:
        difference = _standardised(_moments(made.columns[arm == name], weight[arm == name]), control)
        error = np.sqrt(1 / units[name] + 1 / units[arms.control])
        found += [
            Imbalance(column, name, float(one), float(one / error))
            for column, one in zip(made.names, difference, strict=True)
        ]
    return tuple(found)


def _moments(columns: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give the weighted means and variances."""
    share = weight / weight.sum()
    mean = share @ columns
    return mean, np.asarray(share @ (columns - mean) ** 2)


def _standardised(
    treated: tuple[FloatArray, FloatArray], control: tuple[FloatArray, FloatArray]
) -> FloatArray:
    spread = np.sqrt((treated[1] + control[1]) / 2)
    gap = treated[0] - control[0]
    return np.asarray(np.divide(gap, spread, out=np.sign(gap) * 1e3, where=spread > 0))


def _missing(arms: Arms) -> Iterator[Finding]:
    table = arms.table()
    present = [str(name) for name in np.unique(np.asarray(arms.arm, dtype=str))]
    for column, name in enumerate(arms.names):
        if name not in present:
            fix = f"arms with rows: {', '.join(present)}"
            yield Finding("E307", None, f"arm {name!r} has no rows in the experiment", fix)
            continue
        few = [tier for tier, n in zip(arms.tiers, table[:, column], strict=True) if n < 2]
        if few:
            unit = "customers" if arms.cluster is None else "clusters"
            what = f"arm {name!r} has fewer than 2 {unit} in tier {', '.join(map(repr, few))}"
            yield Finding("E307", None, what, "use fewer tiers, or a larger test")


def _sample_ratio(arms: Arms) -> Iterator[Finding]:
    if arms.propensity is not None:  # sizes follow the customers then, in every tier
        return
    table, counts = arms.table(), arms.counts()
    planned = _planned(arms, counts)
    have = ", ".join(f"{name} {count(n)}" for name, n in zip(arms.names, counts, strict=True))
    if planned is None:
        what = f"the sizes of the arms are not checked: {have} is no equal split, and none is stated"
        yield Finding("W401", None, what, "hold them against the shares the test was planned with")
    elif _chance(counts, counts.sum() * planned, len(counts) - 1) < CHANCE:
        aim = ", ".join(percent(share, 1) for share in planned)
        what = f"the arms have other sizes than chance allows: {have}, against shares of {aim}"
        yield Finding("W401", None, what, "look for lost or doubled rows before trusting an effect")
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    if freedom and _chance(table, expected, freedom) < CHANCE:
        what = "the arms are mixed differently in different tiers"
        fix = "effects are estimated within tiers; but see whether the tiers stem from before the contact"
        yield Finding("W401", None, what, fix)


def _planned(arms: Arms, counts: NDArray[np.int64]) -> FloatArray | None:
    """Shares as stated; equal ones where the arms come close to them; else unknown."""
    if arms.shares is not None:
        stated = np.array([arms.shares.get(name, 0.0) for name in arms.names])
        return np.asarray(stated / stated.sum())
    if np.all(np.abs(counts / counts.mean() - 1) <= NEARLY_EQUAL):
        return np.full(len(counts), 1 / len(counts))
    return None


def _chance(observed: NDArray[np.int64], expected: FloatArray, freedom: int) -> float:
    """Probability of a chi-squared distance as large as this one."""
    from scipy.stats import chi2

    if np.any((expected == 0) & (observed > 0)):
        return 0.0
    gap = np.divide((observed - expected) ** 2, expected, out=np.zeros(expected.shape), where=expected > 0)
    return float(chi2.sf(gap.sum(), freedom))


def _balance(arms: Arms, covariates: pd.DataFrame | None) -> Iterator[Finding]:
    """Name the covariates that differ a good deal and by more than chance, one finding an arm."""
    differences = standardised_differences(arms, covariates)
    if not differences:
        return
    limit = NormalDist().inv_cdf(1 - CHANCE / 2 / len(differences))
    for name in arms.channels:
        told = [
            f"{one.covariate} ({one.difference:+.2f} standard deviations)"
            for one in differences
            if one.arm == name and abs(one.difference) > LARGE and abs(one.z) > limit
        ]
        if told:
            what = f"customers of {name} differed from control before the contact: {', '.join(told)}"
            fix = "if arms were not drawn at random, map their propensity"
            if arms.propensity is not None:
                what += ", weighted by the propensity"
                fix = "see whether the propensity is that of the arm the customer got"
            yield Finding("W402", None, what, fix)
