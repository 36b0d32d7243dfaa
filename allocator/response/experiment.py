"""From effects of contacts, as tested, to response curves per tier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from allocator.errors import DataError, Finding
from allocator.models.uplift.shrinkage import ShrunkEffects
from allocator.response.curve import FloatArray, ResponseCurve
from allocator.response.curves import Evidence, Response

SOURCE = "experiment"
TESTED = Evidence.TESTED


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


def experiment_responses(
    effects: ShrunkEffects,
    terms: Mapping[str, ContactTerms],
    population: Mapping[str, float],
    *,
    revenue: ShrunkEffects | None = None,
    uncertainty: Uncertainty | None = None,
) -> tuple[Response, ...]:
    """Give one curve a channel and tier: a contact has the tested effect until every customer has had his.

    ``V(s) = effect * s / cost_per_contact`` up to ``population * contacts_per_customer * cost_per_contact``;
    an expected effect below 0 stays below 0.

    Parameters
    ----------
    effects : ShrunkEffects
        Of one contact, in money of incremental margin; matched by tier and channel.
    terms : mapping of channel to ContactTerms
        In the order of the answer.
    population : mapping of tier to float
        Customers of each tier the plan is for, in the order of the answer.
    revenue : ShrunkEffects or None
        Of one contact, in money of revenue, where it was measured.
    uncertainty : Uncertainty or None
        For the draws: jointly normal with the covariance of the effects, their mean exactly the curve.

    Returns
    -------
    tuple of Response
        Evidence ``tested``; tiers and population set, one curve from (0, 0) to its end.

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
    findings = list(_findings(effects, terms, population, revenue))
    if findings:
        raise DataError(findings)
    drawn = None if uncertainty is None else draw_effects(effects, uncertainty)
    at, at_revenue = _rows(effects), {} if revenue is None else _rows(revenue)
    responses = []
    for channel, term in terms.items():
        for tier, customers in population.items():
            row = at[tier, channel]
            earned = None if revenue is None else float(revenue.mean[at_revenue[tier, channel]])
            draws = None if drawn is None else drawn[:, row]
            curve = _curve(term, customers, float(effects.mean[row]), earned, draws)
            responses.append(Response(channel, curve, TESTED, SOURCE, tier, population=customers))
    return tuple(responses)


def _curve(
    terms: ContactTerms,
    customers: float,
    effect: float,
    revenue: float | None,
    draws: FloatArray | None,
) -> ResponseCurve:
    """Give the line from nothing to every contact the customers can get."""
    contacts = customers * terms.contacts_per_customer
    line = np.array([0.0, contacts])
    return ResponseCurve(
        spend=line * (terms.cost_per_contact or 0.0),
        value=line * effect,
        draws=None if draws is None else np.outer(draws, line),
        revenue=None if revenue is None else line * revenue,
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
    effects: ShrunkEffects,
    terms: Mapping[str, ContactTerms],
    population: Mapping[str, float],
    revenue: ShrunkEffects | None,
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
            if any((tier, channel) not in _rows(one) for one in (effects, revenue) if one is not None):
                yield Finding("E307", None, f"{channel} was not tested in tier {tier!r}")
