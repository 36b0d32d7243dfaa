"""From effects of contacts, as tested, to response curves per tier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.errors import DataError, Finding
from allocator.models.uplift.shrinkage import ShrunkEffects
from allocator.response.curve import FloatArray, ResponseCurve
from allocator.response.curves import Evidence, Response

SOURCE = "experiment"
TESTED = Evidence.TESTED

Outcomes = Mapping[str, ShrunkEffects]
"""Effects of one contact on what a curve tells besides margin, by the names of ``curve.OUTCOMES``."""


@dataclass(frozen=True)
class ContactTerms:
    """What a channel's contacts cost and how often a customer may be contacted.

    Parameters
    ----------
    cost_per_contact : float or None
        Money, above 0; None where the scenario does not say, which is an error here.
    contacts_per_customer : float
        Most contacts of a customer over the horizon, above 0.
    """

    cost_per_contact: float | None
    contacts_per_customer: float = 1.0


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """How many draws of the effects a curve carries, and the generator they come from."""

    n_draws: int
    rng: np.random.Generator


@dataclass(frozen=True, eq=False)
class SegmentTable:
    """Parts of tiers whose customers are alike in response; arrays have one entry (row) a segment.

    Parameters
    ----------
    tier, name : tuple of str
        The name is empty where a tier is one segment.
    share : array, shape (n_segments,)
        Of the tier's customers; those of a tier add to 1.
    channels : tuple of str
    deviation : array, shape (n_segments, n_channels)
        How far the learner puts a contact's effect from the tier's mean, in money, before it is shrunk.
    kept, kept_error : array, shape (n_channels,)
        Share of the deviation that counts, and its standard error.
    per_revenue, per_conversion : float or None
        Money of margin per unit of revenue (of a conversion), where nothing else is valued; otherwise
        deviations say nothing of it.
    """

    tier: tuple[str, ...]
    name: tuple[str, ...]
    share: FloatArray
    channels: tuple[str, ...]
    deviation: FloatArray
    kept: FloatArray
    kept_error: FloatArray
    per_revenue: float | None = None
    per_conversion: float | None = None

    def deviation_of(self, outcome: str) -> FloatArray:
        """Give the deviation of what a contact brings of an outcome, shrunk; 0 where nothing tells."""
        counted = self.kept * self.deviation
        worth = {"revenue": self.per_revenue, "conversions": self.per_conversion}.get(outcome)
        return counted / worth if worth else np.zeros_like(counted)

    @classmethod
    def whole(cls, tiers: Iterable[str], channels: Iterable[str]) -> SegmentTable:
        """Give tiers that are one segment each."""
        names, channels = tuple(tiers), tuple(channels)
        nothing = np.zeros(len(channels))
        flat = np.zeros((len(names), len(channels)))
        return cls(names, ("",) * len(names), np.ones(len(names)), channels, flat, nothing, nothing)


def experiment_responses(
    effects: ShrunkEffects,
    terms: Mapping[str, ContactTerms],
    population: Mapping[str, float],
    *,
    outcomes: Outcomes = MappingProxyType({}),
    uncertainty: Uncertainty | None = None,
    segments: SegmentTable | None = None,
) -> tuple[Response, ...]:
    """Give one curve a channel, tier and segment: every contact has the tested effect until all have had one.

    ``V(s) = effect * s / cost_per_contact`` up to ``population * contacts_per_customer * cost_per_contact``;
    an expected effect below 0 stays below 0. The effect of a segment is that of its tier plus the share of
    its deviation that counts.

    Parameters
    ----------
    effects : ShrunkEffects
        Of one contact, in money of incremental margin; matched by tier and channel.
    terms : mapping of channel to ContactTerms
        In the order of the answer.
    population : mapping of tier to float
        Customers of each tier the plan is for, in the order of the answer.
    outcomes : mapping of outcome to ShrunkEffects
        Of one contact, in units of the outcome: what was measured of ``curve.OUTCOMES``.
    uncertainty : Uncertainty or None
        For the draws: effects jointly normal, shares that count with their errors; their mean is the curve.
    segments : SegmentTable or None
        Without them every tier is one segment.

    Returns
    -------
    tuple of Response
        Evidence ``tested``; tier, segment, population and cost per contact set, one curve from (0, 0) to its
        end. By channel, then tier, then segment.

    Raises
    ------
    DataError
        When a channel has no cost per contact (E206), a tier no customers (E308), or a channel was not
        tested in a tier (E307).

    Examples
    --------
    >>> effects = ShrunkEffects(("all",), ("email",), np.array([0.5]), np.array([[0.01]]),
    ...                         {"email": 0.0}, {"email": 0.9}, {"email": 0.0}, (False,))
    >>> (email,) = experiment_responses(effects, {"email": ContactTerms(0.2)}, {"all": 1000})
    >>> email.curve.end, float(email.curve.at(100.0))
    (200.0, 250.0)
    """
    findings = list(_findings((effects, *outcomes.values()), terms, population))
    if findings:
        raise DataError(findings)
    parts = SegmentTable.whole(population, terms) if segments is None else segments
    earned = _per_contact(effects, outcomes, parts, uncertainty)
    places = [(channel, part) for channel in terms for part in range(len(parts.tier))]
    return tuple(_response(c, terms[c], part, parts, population, earned) for c, part in places)


def _response(
    channel: str,
    term: ContactTerms,
    part: int,
    parts: SegmentTable,
    population: Mapping[str, float],
    earned: _Earned,
) -> Response:
    """Give the curve of a channel in a segment."""
    tier = parts.tier[part]
    people = population[tier] * float(parts.share[part])
    curve = _curve(term, people, earned.of(part, parts.channels.index(channel)))
    return Response(
        channel, curve, TESTED, SOURCE, tier,
        segment=parts.name[part], population=people, cost_per_contact=term.cost_per_contact,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Earned:
    """Effect of a contact, shape (n_segments, n_channels), its draws with one axis more in front.

    `outcomes` are effects on what a curve tells besides, shaped like the mean.
    """

    mean: FloatArray
    draws: FloatArray | None
    outcomes: Mapping[str, FloatArray]

    def of(self, part: int, channel: int) -> _Earned:
        """Give those of one segment and channel; the arrays have these axes no more."""
        draws = None if self.draws is None else self.draws[:, part, channel]
        outcomes = {name: one[part, channel] for name, one in self.outcomes.items()}
        return _Earned(self.mean[part, channel], draws, outcomes)


def _per_contact(
    effects: ShrunkEffects, outcomes: Outcomes, parts: SegmentTable, uncertainty: Uncertainty | None
) -> _Earned:
    """Add the deviations that count to the means of the tiers, expected and drawn."""
    rows = _rows_of(parts, effects)
    mean = effects.mean[rows] + parts.kept * parts.deviation
    brought = {
        name: one.mean[_rows_of(parts, one)] + parts.deviation_of(name) for name, one in outcomes.items()
    }
    if uncertainty is None:
        return _Earned(mean, None, brought)
    drawn = draw_effects(effects, uncertainty)[:, rows]
    kept = parts.kept + parts.kept_error * _noise(parts, uncertainty)
    return _Earned(mean, drawn + kept[:, None, :] * parts.deviation, brought)


def _rows_of(parts: SegmentTable, effects: ShrunkEffects) -> NDArray[np.intp]:
    """Give the place of every segment's tier and channel among effects, shape (n_segments, n_channels)."""
    known = _rows(effects)
    return np.array([[known[tier, channel] for channel in parts.channels] for tier in parts.tier])


def _noise(parts: SegmentTable, uncertainty: Uncertainty) -> FloatArray:
    """Draw standard normals of mean 0, shape (n_draws, n_channels); neither names nor order move them."""
    order = np.lexsort((np.abs(parts.deviation).sum(axis=0), parts.kept_error, parts.kept))
    noise = uncertainty.rng.standard_normal((uncertainty.n_draws, len(parts.channels)))
    return np.asarray((noise - noise.mean(axis=0))[:, np.argsort(order)])


def _curve(terms: ContactTerms, customers: float, earned: _Earned) -> ResponseCurve:
    """Give the line from nothing to every contact the customers can get."""
    contacts = customers * terms.contacts_per_customer
    line = np.array([0.0, contacts])
    outcomes: dict[str, Any] = {name: line * effect for name, effect in earned.outcomes.items()}
    return ResponseCurve(
        spend=line * (terms.cost_per_contact or 0.0),
        value=line * earned.mean,
        draws=None if earned.draws is None else np.outer(earned.draws, line),
        **outcomes,
    )


def draw_effects(effects: ShrunkEffects, uncertainty: Uncertainty) -> FloatArray:
    """Draw the effects jointly, shape (n_draws, k).

    Their mean is exactly ``effects.mean``; with more draws than effects so is their covariance, which
    leaves little to the seed. Neither names nor the order of rows move a draw: noise goes to effects by size.
    """
    n, k = uncertainty.n_draws, len(effects.mean)
    order = np.lexsort((np.diag(effects.covariance), effects.mean))
    noise = uncertainty.rng.standard_normal((n, k))
    noise -= noise.mean(axis=0)
    if n > k:
        spread = np.linalg.cholesky(noise.T @ noise / n)
        noise = np.linalg.solve(spread, noise.T).T
    values, vectors = np.linalg.eigh(effects.covariance[np.ix_(order, order)])
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T  # symmetric: no sign is left open
    moved = (noise @ root)[:, np.argsort(order)]
    return np.asarray(effects.mean + moved - moved.mean(axis=0))


def untested_contacts(terms: Mapping[str, ContactTerms]) -> tuple[Finding, ...]:
    """Warn (W411) of channels that may contact a customer more often than was tested.

    Examples
    --------
    >>> [one.code for one in untested_contacts({"email": ContactTerms(0.2, 3), "phone": ContactTerms(4.5)})]
    ['W411']
    """
    return tuple(
        Finding(
            "W411",
            None,
            f"only one contact per customer was tested, but {channel} may make "
            f"{term.contacts_per_customer:g}: each is taken to earn as much as the first",
            f"set channels.{channel}.contacts_per_customer to 1, or state response.source: points",
        )
        for channel, term in terms.items()
        if term.contacts_per_customer > 1
    )


def _rows(effects: ShrunkEffects) -> dict[tuple[str, str], int]:
    return {key: row for row, key in enumerate(zip(effects.tier, effects.channel, strict=True))}


def _findings(
    measured: Sequence[ShrunkEffects], terms: Mapping[str, ContactTerms], population: Mapping[str, float]
) -> Iterator[Finding]:
    for tier, customers in population.items():
        if not 0 < customers < np.inf:
            yield Finding("E308", None, f"tier {tier!r} has no customers")
    for channel, term in terms.items():
        if term.cost_per_contact is None or not term.cost_per_contact > 0:
            what = f"what a contact by {channel} costs is not stated"
            yield Finding("E206", None, what, f"add cost_per_contact to channels.{channel}")
        if not 0 < term.contacts_per_customer < np.inf:
            yield Finding("E106", None, f"contacts_per_customer of {channel} has to be above 0")
        for tier in population:
            if any((tier, channel) not in _rows(one) for one in measured):
                yield Finding("E307", None, f"{channel} was not tested in tier {tier!r}")
