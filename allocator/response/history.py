"""From a fit of spend history to response curves over a plan's horizon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from allocator.errors import Finding
from allocator.models.base import impossible
from allocator.models.media import MediaFit
from allocator.models.media.calibrate import calibrated
from allocator.quantities import quoted
from allocator.response.curve import EDGE, FloatArray, ResponseCurve, amount
from allocator.response.curves import Curves, Evidence, Response
from allocator.response.envelope import envelope
from allocator.response.families import breakpoints

KNOTS = 257  # places at which a marginal return is asked, before breakpoints are chosen
EVEN = 129  # breakpoints offered to the envelope of a curve that bends upwards
LEAST = 1e-300


@dataclass(frozen=True)
class HistoryTerms:
    """What turns a period's outcome into margin of a horizon.

    Parameters
    ----------
    periods : float
        Periods of the history in the horizon: 12.86 weeks in 90 days.
    worth : float
        Margin of one unit of the outcome: the margin of revenue, or the value of a conversion.
    reach : float
        The largest spend over the horizon that a plan may ask about, in money, above 0.
    in_revenue : bool
        Whether the outcome is revenue, which is then given beside the margin.
    """

    periods: float
    worth: float
    reach: float
    in_revenue: bool = True


def history_response(fit: MediaFit, channel: str, terms: HistoryTerms, tier: str | None = None) -> Response:
    """Give the curve of a channel over the horizon, of even flighting and with steady carry-over.

    ``V(s) = worth * periods * v(s / periods)``, v being what a period brings at a steady spend.

    Parameters
    ----------
    fit : MediaFit
    channel : str
    terms : HistoryTerms
    tier : str, optional
        The tier whose history was fitted; absent, the curve is the channel's total.

    Returns
    -------
    Response
        Its draws are those of the fit, their mean is the curve; `observed_to` is the largest pressure of the
        history, held over the horizon. A curve that bends upwards is given as its concave envelope.

    Raises
    ------
    DataError
        E315 for a channel that was not fitted.
    """
    at = fit.channels.index(channel) if channel in fit.channels else 0
    spend = _spends(fit, channel, terms)
    outcome = terms.periods * fit.value_draws(channel, spend / terms.periods)
    outcome[:, 0] = 0.0
    kept = envelope(spend, outcome.mean(axis=0))
    outcome = outcome[:, kept]
    draws = terms.worth * outcome
    revenue = outcome.mean(axis=0) if terms.in_revenue else None
    return Response(
        channel,
        ResponseCurve(spend[kept], draws.mean(axis=0), draws, revenue),
        Evidence.MODELLED,
        "history",
        tier,
        observed_to=float(fit.highest[at] * terms.periods),
    )


@dataclass(frozen=True)
class ContactTest:
    """What an experiment says of contacting everybody once, in plain numbers.

    Parameters
    ----------
    effect, standard_error : float
        Margin of one contact.
    cost_per_contact : float
        Above 0.
    contacts : float
        In the horizon, when everybody gets theirs; above 0.
    """

    effect: float
    standard_error: float
    cost_per_contact: float
    contacts: float


def corrected(fit: MediaFit, channel: str, terms: HistoryTerms, test: ContactTest) -> MediaFit:
    """Correct a channel's history by an experiment at the spend of a contact for everybody, spread evenly.

    Parameters
    ----------
    fit : MediaFit
    channel : str
    terms : HistoryTerms
        With a `worth` above 0.
    test : ContactTest

    Raises
    ------
    DataError
        E315 for an unknown channel, or a spend, worth or error that is not above 0.
    """
    per_period = test.contacts / terms.periods
    if not terms.worth > 0:
        raise impossible(
            f"an experiment cannot correct the history of {channel}: its outcome is worth nothing"
        )
    return calibrated(
        fit,
        channel,
        test.cost_per_contact * per_period,
        test.effect * per_period / terms.worth,
        test.standard_error * per_period / terms.worth,
    )


def straightened(fit: MediaFit, channel: str) -> Iterator[Finding]:
    """Say (W426) that a plan sees the concave envelope of a curve that bends upwards."""
    if not fit.is_concave(channel):
        what = f"by its history, the first money on {quoted(channel)} brings less than the next (S-shaped)"
        fix = "a plan takes the straight line up to where it flattens: read small amounts with care"
        yield Finding("W426", None, what, fix)


def summed(responses: Mapping[str, Response], share: Mapping[str, float]) -> ResponseCurve:
    """Give the total of a channel's tiers when each gets its share of the money: ``sum of V_k(w_k * s)``.

    Parameters
    ----------
    responses : mapping of tier to Response
        With equally many draws.
    share : mapping of tier to float
        Above 0 for every tier that counts; they add to 1.
    """
    parts = [
        one.curve.scaled(spend=1 / share[tier], value=1.0)
        for tier, one in responses.items()
        if share[tier] > 0
    ]
    end = min(part.end for part in parts)
    spend = np.unique(np.concatenate([np.minimum(part.spend, end) for part in parts]))
    draws = np.sum([_rows(part, spend) for part in parts], axis=0)
    return ResponseCurve(spend, draws.mean(axis=0), draws)


def beyond_observed(curves: Curves, spend: Mapping[str, float]) -> tuple[Finding, ...]:
    """Say (W425) where a plan spends more on a channel than its history has ever seen.

    Parameters
    ----------
    curves : Curves
    spend : mapping of channel to float
        Of the plan, over the horizon.
    """
    findings = []
    for channel in curves.channels:
        known = [one.observed_to for one in curves.of(channel)]
        seen = sum(one for one in known if one is not None)
        planned = spend.get(channel, 0.0)
        if None not in known and planned > seen * (1 + EDGE):
            what = f"the plan spends {amount(round(planned))} on {quoted(channel)}, its history tells only of"
            what += f" up to {amount(round(seen))} over the horizon"
            fix = f"beyond, the curve is a guess: set channels.{channel}.max, or raise the spend in steps"
            findings.append(Finding("W425", None, what, fix))
    return tuple(findings)


def _spends(fit: MediaFit, channel: str, terms: HistoryTerms) -> FloatArray:
    """Place breakpoints: by the bend where marginal returns fall, evenly too where they do not."""
    spend = breakpoints(_Sampled.of(fit, channel, terms), terms.reach)
    if fit.is_concave(channel):
        return spend
    return np.unique(np.concatenate([spend, np.linspace(0, terms.reach, EVEN)]))


@dataclass(frozen=True, eq=False)
class _Sampled:
    """The outcome over a horizon as a shape whose marginal return is interpolated on logarithmic scales."""

    log_spend: FloatArray
    log_marginal: FloatArray
    at_reach: float

    @classmethod
    def of(cls, fit: MediaFit, channel: str, terms: HistoryTerms) -> _Sampled:
        spend = terms.reach * np.geomspace(1e-14, 1.0, KNOTS)
        marginal = fit.marginal(channel, spend / terms.periods)
        value = terms.periods * float(fit.value(channel, [terms.reach / terms.periods])[0])
        return cls(np.log(spend), np.log(np.maximum(marginal, LEAST)), max(value, LEAST))

    def value(self, spend: FloatArray) -> FloatArray:
        """Give the outcome at the reach, the only place where it is asked."""
        return np.full_like(spend, self.at_reach)

    def marginal(self, spend: FloatArray) -> FloatArray:
        """Give the outcome of the next unit of money."""
        return np.exp(np.interp(np.log(np.maximum(spend, LEAST)), self.log_spend, self.log_marginal))


def _rows(curve: ResponseCurve, spend: FloatArray) -> FloatArray:
    rows = curve.value[None] if curve.draws is None else curve.draws
    return np.array([np.interp(spend, curve.spend, row) for row in rows])
