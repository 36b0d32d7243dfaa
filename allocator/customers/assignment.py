"""Customers put into tiers, and the cut-offs that give others theirs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from allocator.errors import DataError, Finding, Origin, raise_findings
from allocator.quantities import count, quoted

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
IdArray = NDArray[np.object_]

_TIES_WORTH_SAYING = 0.01


def by_rank(
    values: FloatArray, customer_id: Sequence[str], shares: Mapping[str, float], by: str
) -> Assignment:
    """Put customers into tiers that take a share of them each, best first.

    Parameters
    ----------
    values : array of float, shape (customers,)
    customer_id : sequence of str
        Aligned with `values`.
    shares : mapping of str to float
        Tier to its share of the customers, best first; together 1.
    by : str
        What the values are, for messages.

    Raises
    ------
    DataError
        E304 for customers without a finite value, E308 for a tier without customers.
    """
    _refuse_unknown(values, by)
    ids = np.asarray(customer_id, dtype=object)
    rule = ByRank.of(values, ids, tuple(shares.values()))
    return _filled(Assignment(ids, tuple(shares), rule.positions(values, ids), rule, by), values)


def by_range(
    values: FloatArray, customer_id: Sequence[str], ranges: Mapping[str, tuple[float, float]], by: str
) -> Assignment:
    """Put customers into tiers that take a range of values each: from (included) to (excluded).

    Raises
    ------
    DataError
        E304 for customers without a finite value, E308 for a tier without customers or values in no range.
    """
    _refuse_unknown(values, by)
    ids = np.asarray(customer_id, dtype=object)
    rule = ByRange(tuple(ranges.values()))
    return _filled(Assignment(ids, tuple(ranges), rule.positions(values, ids), rule, by), values)


class Cut(NamedTuple):
    """Where one tier ends: its lowest value, and the last of the customers with this value it takes.

    `above` and `below` count the customers with this value on either side.
    """

    value: float
    last_id: str
    above: int
    below: int


@dataclass(frozen=True)
class ByRank:
    """Tiers by rank: a cut below every tier but the last."""

    cuts: tuple[Cut, ...]

    @classmethod
    def of(cls, values: FloatArray, ids: IdArray, shares: Sequence[float]) -> Self:
        """Cut customers, best first, where the cumulated shares end."""
        order = _best_first(values, ids)
        ends = np.floor(np.cumsum(shares)[:-1] * len(values) + 0.5).astype(np.int64)
        ranked = values[order]
        cuts = []
        for end in ends.tolist():
            if end == 0:  # too few customers for the tier
                cuts.append(Cut(math.inf, "", 0, 0))
                continue
            value = ranked[end - 1]
            first = np.searchsorted(-ranked, -value, side="left")
            past = np.searchsorted(-ranked, -value, side="right")
            cuts.append(Cut(float(value), str(ids[order[end - 1]]), int(end - first), int(past - end)))
        return cls(tuple(cuts))

    def positions(self, values: FloatArray, ids: IdArray | None) -> IntArray:
        """Give each customer's tier; of those at a cut-off all go up where ids are unknown."""
        position = np.zeros(len(values), dtype=np.int64)
        for cut in self.cuts:
            tied = values == cut.value
            below = values < cut.value
            if ids is not None:
                below[tied] = ids[tied] > cut.last_id
            position += below
        return position


@dataclass(frozen=True)
class ByRange:
    """Tiers by value: from (included) to (excluded)."""

    ranges: tuple[tuple[float, float], ...]

    def positions(self, values: FloatArray, ids: IdArray | None) -> IntArray:
        """Give each customer's tier; -1 for those in no range."""
        position = np.full(len(values), -1, dtype=np.int64)
        for tier, (lowest, end) in enumerate(self.ranges):
            position[(values >= lowest) & (values < end)] = tier
        return position


def _best_first(values: FloatArray, ids: IdArray) -> IntArray:
    """Order by value, falling, then by id, rising."""
    rising = bool((ids[:-1] <= ids[1:]).all())
    by_id = np.arange(len(ids)) if rising else np.argsort(ids, kind="stable")
    order: IntArray = by_id[np.argsort(-values[by_id], kind="stable")]
    return order


def _refuse_unknown(values: FloatArray, by: str) -> None:
    unknown = int((~np.isfinite(values)).sum())
    if unknown:
        what = f"{count(unknown)} of {count(len(values))} customers have no finite {quoted(by)}"
        raise DataError(Finding("E304", None, what, "a tier needs a number for every customer"))


@dataclass(frozen=True, eq=False)
class Assignment:
    """The tier of every customer, and the rule that gives others theirs.

    Parameters
    ----------
    customer_id : array of str, shape (customers,)
    names : tuple of str
        The tiers, best first.
    position : array of int, shape (customers,)
        Position of each customer's tier in `names`.
    rule : object
        Cut-offs or ranges.
    by : str
        What customers were sorted by.
    """

    customer_id: IdArray
    names: tuple[str, ...]
    position: IntArray
    rule: ByRank | ByRange
    by: str = "predicted_clv"

    @property
    def tier(self) -> IdArray:
        """Each customer's tier by name."""
        return np.array(self.names, dtype=object)[self.position]

    @property
    def sizes(self) -> dict[str, int]:
        """Customers in each tier."""
        counts = np.bincount(self.position, minlength=len(self.names))
        return dict(zip(self.names, counts.tolist(), strict=True))

    @property
    def cuts(self) -> dict[str, Cut]:
        """Where each tier but the last ends, by its name; nothing where tiers are ranges."""
        return dict(zip(self.names, self.rule.cuts, strict=False)) if isinstance(self.rule, ByRank) else {}

    def populations(self, stands_for: float | None = None) -> dict[str, float]:
        """Give the customers each tier stands for.

        Parameters
        ----------
        stands_for : float, optional
            Customers all of them stand for; themselves where absent.
        """
        scale = 1.0 if stands_for is None else stands_for / len(self.position)
        return {name: size * scale for name, size in self.sizes.items()}

    def place(self, values: FloatArray, customer_id: Sequence[str] | None = None) -> IdArray:
        """Give other customers the tier their value puts them in; the cut-offs stay.

        Parameters
        ----------
        values : array of float, shape (others,)
            In the unit of the values the tiers were made from.
        customer_id : sequence of str, optional
            Decides for those exactly at a cut-off; they go up where absent.

        Raises
        ------
        DataError
            E304 for customers without a finite value, E308 for those in no range.
        """
        _refuse_unknown(values, self.by)
        ids = None if customer_id is None else np.asarray(customer_id, dtype=object)
        position = self.rule.positions(values, ids)
        raise_findings(_homeless(values[position < 0], self.by), DataError)
        return np.array(self.names, dtype=object)[position]

    def findings(self, where: Origin | None = None) -> tuple[Finding, ...]:
        """Give advice (W406) where more than 1% of the customers share a value at a cut-off."""
        found = []
        for name, cut in self.cuts.items():
            tied = cut.above + cut.below
            if cut.below and tied > _TIES_WORTH_SAYING * len(self.position):
                same = f"{count(tied)} customers share the {self.by} {cut.value:g}"
                what = f"{same} at the end of tier {quoted(name)}"
                fix = f"by customer id {count(cut.above)} are in it or above, {count(cut.below)} below"
                found.append(Finding("W406", where, what, fix))
        return tuple(found)


def _filled(assignment: Assignment, values: FloatArray) -> Assignment:
    """Refuse tiers without customers, and customers without a tier."""
    found = _homeless(values[assignment.position < 0], assignment.by)
    filled = set(assignment.position.tolist())
    fix = f"there are {count(len(values))} customers; join tiers or change their shares or ranges"
    for position, name in enumerate(assignment.names):
        if position not in filled:
            found.append(Finding("E308", None, f"there is no customer in tier {quoted(name)}", fix))
    raise_findings(found, DataError)
    return assignment


def _homeless(values: FloatArray, by: str) -> list[Finding]:
    """Give the fault of values no range takes."""
    if not len(values):
        return []
    span = f"from {min(values):g} to {max(values):g}"
    what = f"{count(len(values))} customers belong to no tier: their {by} is {span}"
    return [Finding("E308", None, what, "let the ranges of the tiers cover them")]
