"""Tiers: customers grouped by what they are worth."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema, model_validator

from allocator.customers.assignment import Assignment, FloatArray, by_range, by_rank
from allocator.options import Number, Options, Text, fault
from allocator.quantities import SpellingError, parse_share, percent, quoted

__all__ = ["DEFAULT_LEVELS", "Assignment", "Level", "TierShare", "Tiers"]

_TIER_SHARE = re.compile(r"(top|next)\s+(\S.*)")
_SHARE_ERROR = 1e-6


@dataclass(frozen=True)
class TierShare:
    """Share of customers in a tier: the top ones, the next ones, or the rest (`share` is None)."""

    kind: Literal["top", "next", "rest"]
    share: float | None = None

    def __str__(self) -> str:
        return self.kind if self.share is None else f"{self.kind} {percent(self.share, None)}"


def _tier_share(value: object) -> TierShare:
    if isinstance(value, TierShare):
        return value
    text = str(value).strip()
    if text == "rest":
        return TierShare("rest")
    match = _TIER_SHARE.fullmatch(text)
    fix = "write top 20%, next 30% or rest"
    if match is None:
        raise fault("E105", f"{quoted(text)} is no share of a tier", fix)
    try:
        share = parse_share(match[2])
    except SpellingError as error:
        raise fault(error.code, error.what, error.fix or fix) from None
    if not 0 < share < 1:
        raise fault("E106", f"{quoted(text)} leaves a tier without customers")
    return TierShare("top" if match[1] == "top" else "next", share)


class Level(Options):
    """One tier: its share of customers, or its range of the value they are sorted by."""

    label: Text | None = None
    """The name people read; the tier's own name where absent."""
    share: (
        Annotated[
            TierShare,
            PlainValidator(_tier_share),
            PlainSerializer(str),
            WithJsonSchema(
                {"type": "string", "pattern": r"^(rest|(top|next) +[\d.]+ ?%?)$", "examples": ["top 20%"]}
            ),
        ]
        | None
    ) = None
    """Top 20%, next 30%, rest."""
    from_: Number | None = Field(default=None, alias="from")
    """Lowest value that belongs to the tier."""
    to: Number | None = None
    """Value from which on the next tier begins."""

    @property
    def lowest(self) -> float:
        """Lowest value that belongs to a range."""
        return -math.inf if self.from_ is None else self.from_

    @property
    def end(self) -> float:
        """Value from which on a range is over."""
        return math.inf if self.to is None else self.to

    @model_validator(mode="after")
    def _share_or_range(self) -> Self:
        ranged = self.from_ is not None or self.to is not None
        if self.share is not None and ranged:
            raise fault("E113", "'share' and 'from'/'to' exclude each other", "keep one of them", at="share")
        if self.share is None and not ranged:
            raise fault("E101", "the tier has neither 'share' nor 'from'/'to'", "write share: top 20%")
        if self.from_ is not None and self.to is not None and self.from_ >= self.to:
            raise fault("E106", f"from {self.from_:g} is not below to {self.to:g}", at="from")
        return self


DEFAULT_LEVELS = {"high": "top 20%", "medium": "next 30%", "low": "rest"}


def _default_levels() -> dict[str, Level]:
    return {name: Level(share=share) for name, share in DEFAULT_LEVELS.items()}


class Tiers(Options):
    """How customers are grouped; the first level holds the most valuable ones.

    Examples
    --------
    >>> Tiers().shares()
    {'high': 0.2, 'medium': 0.3, 'low': 0.5}
    >>> import numpy as np
    >>> tiers = Tiers().assign(np.arange(10.0), [f"c{i}" for i in range(10)])
    >>> tiers.sizes, tiers.place(np.array([100.0, 6.0])).tolist()
    ({'high': 2, 'medium': 3, 'low': 5}, ['high', 'medium'])
    """

    by: Text = "predicted_clv"
    """What customers are sorted by: predicted_clv or a column."""
    levels: Annotated[Mapping[str, Level], Field(min_length=1)] = Field(default_factory=_default_levels)
    """The tiers by name, from the top."""

    def shares(self) -> dict[str, float] | None:
        """Give each tier's share of customers; None where tiers are ranges, whose size only data tell."""
        stated = {name: level.share for name, level in self.levels.items() if level.share is not None}
        if len(stated) < len(self.levels):
            return None
        rest = 1.0 - sum(share.share or 0.0 for share in stated.values())
        return {name: round(rest, 12) if s.share is None else s.share for name, s in stated.items()}

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        given = [(name, level.share) for name, level in self.levels.items() if level.share is not None]
        if given and len(given) < len(self.levels):
            raise fault(
                "E113", "some tiers have a share, others a range", "use one of both for all", at="levels"
            )
        for position, (name, share) in enumerate(given):
            kind = "top" if position == 0 else "rest" if share.kind == "rest" else "next"
            if share.kind != kind and not (share.kind == "rest" and len(given) == 1):
                fix = "write top for the first tier, next for those below it"
                raise fault(
                    "E103",
                    f"{quoted(name)} is tier {position + 1} and cannot be '{share.kind}'",
                    fix,
                    at=f"levels.{name}.share",
                )
            if share.kind == "rest" and position < len(given) - 1:
                raise fault(
                    "E103",
                    f"no tier can follow {quoted(name)}, which takes the rest",
                    at=f"levels.{name}.share",
                )
        self._check_total(given)
        return self

    @staticmethod
    def _check_total(given: list[tuple[str, TierShare]]) -> None:
        if not given:
            return
        total = sum(share.share or 0.0 for _, share in given)
        has_rest = given[-1][1].kind == "rest"
        if total > 1 + _SHARE_ERROR or (has_rest and total > 1 - _SHARE_ERROR):
            raise fault(
                "E106",
                f"the tiers take {100 * total:g}% of the customers",
                "together at most 100%",
                at="levels",
            )
        if not has_rest and total < 1 - _SHARE_ERROR:
            what = f"the tiers take {100 * total:g}% of the customers"
            raise fault("E106", what, "write 'share: rest' for the last one", at="levels")

    @model_validator(mode="after")
    def _apart(self) -> Self:
        """Ranges may touch but not overlap."""
        ranges = [
            (level.lowest, level.end, name) for name, level in self.levels.items() if level.share is None
        ]
        ranges.sort()
        for (_, end, below), (lowest, _, above) in itertools.pairwise(ranges):
            if lowest < end:
                what = f"the ranges of {quoted(below)} and {quoted(above)} overlap"
                raise fault(
                    "E106", what, f"let one begin where the other ends: {end:g}", at=f"levels.{above}"
                )
        return self

    def assign(self, values: FloatArray, customer_id: Sequence[str]) -> Assignment:
        """Give every customer a tier.

        Shares are exact: of n customers the upper tiers together get their share of n, rounded. Customers
        with the same value at a cut-off are told apart by their id, in ascending order.

        Parameters
        ----------
        values : array of float, shape (customers,)
            What customers are sorted by.
        customer_id : sequence of str
            Aligned with `values`.

        Raises
        ------
        DataError
            E304 for customers without a finite value, E308 for a tier without customers or customers that
            belong to none.
        """
        shares = self.shares()
        if shares is None:
            ranges = {name: (level.lowest, level.end) for name, level in self.levels.items()}
            return by_range(values, customer_id, ranges, self.by)
        return by_rank(values, customer_id, shares, self.by)
