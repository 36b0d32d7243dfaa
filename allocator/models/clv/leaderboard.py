"""The leaderboard: which model forecast best on windows it had not seen, and whether that is luck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from allocator.models.base import FloatArray, IntArray
from allocator.models.clv.judgement import Prediction, Scores, score
from allocator.models.clv.origins import Origin, Trial

RESAMPLES = 100
AGREEMENT = 2.0
"""Standard errors within which two models cannot be told apart."""


@dataclass(frozen=True)
class Row:
    """A model on the leaderboard.

    Parameters
    ----------
    name : str
    scores : Scores or None
        Means over the origins; None where the model failed.
    behind, noise : float
        Normalised Gini the model lacks on the best one, customer by customer, and the standard error of
        this difference; 0 for the best.
    note : str
        Why it failed, or that it cannot be told from the best.
    """

    name: str
    scores: Scores | None
    behind: float = 0.0
    noise: float = 0.0
    note: str = ""

    @property
    def is_level(self) -> bool:
        """Whether the model cannot be told from the best one."""
        return self.scores is not None and self.behind <= AGREEMENT * self.noise


@dataclass(frozen=True)
class Leaderboard:
    """How models did on the windows after rolling origins.

    Parameters
    ----------
    rows : tuple of Row
        The best first; failures last.
    origins : tuple of str
        Days until which the models learned.
    weeks : float
        Length of the windows.
    customers : int
        At the latest origin.
    chosen : str
        The model that is used.
    reason : str
        Why.
    """

    rows: tuple[Row, ...] = ()
    origins: tuple[str, ...] = ()
    weeks: float = 0.0
    customers: int = 0
    chosen: str = ""
    reason: str = ""


def rank(
    trials: Mapping[str, Trial], origins: Sequence[Origin], *, prefer: str, seed: int = 0
) -> Leaderboard:
    """Rank models by the normalised Gini of revenue, the order that tiers are cut from.

    The level is judged apart, because it is corrected apart. Where the best model cannot be told from the
    preferred one, the preferred one is used.

    Parameters
    ----------
    trials : mapping of str to Trial
        At least one of which did not fail.
    origins : sequence of Origin
    prefer : str
        The model that needs no proof, such as a blend, which bets on no single one.
    seed : int
        Of the resampled customers that give the noise.
    """
    tried = {name: trial for name, trial in trials.items() if trial.predicted}
    scores = {name: _mean(trial.predicted, origins) for name, trial in tried.items()}
    order = sorted(scores, key=lambda name: -scores[name].normalised_gini)
    ginis = resampled_ginis({name: tried[name].predicted for name in order}, origins, seed)
    best = order[0]
    rows = [_row(name, scores, best, ginis) for name in order]
    failed = [Row(name, None, note=trial.failure) for name, trial in trials.items() if not trial.predicted]
    chosen, reason = _pick(rows, prefer)
    days = tuple(origin.past.as_of.isoformat() for origin in origins)
    return Leaderboard((*rows, *failed), days, origins[0].weeks, len(origins[0].customers), chosen, reason)


def _row(name: str, scores: Mapping[str, Scores], best: str, ginis: Mapping[str, FloatArray]) -> Row:
    behind = scores[best].normalised_gini - scores[name].normalised_gini
    noise = 0.0 if name == best else float(np.std(ginis[best] - ginis[name], ddof=1))
    row = Row(name, scores[name], behind, noise)
    together = name != best and row.is_level
    return Row(name, scores[name], behind, noise, "within noise of the best" if together else "")


def _pick(rows: Sequence[Row], prefer: str) -> tuple[str, str]:
    best = rows[0]
    preferred = next((row for row in rows if row.name == prefer), None)
    if len(rows) == 1:
        return best.name, "the only model that could learn from these orders"
    if best.name == prefer:
        return prefer, "it ordered customers best on windows it had not seen"
    if preferred is not None and preferred.is_level:
        what = f"{preferred.behind:.3f} behind {best.name}, within noise ({preferred.noise:.3f})"
        return prefer, f"{what}: it bets on no single model"
    sure = "" if any(row.is_level for row in rows[1:]) else ", beyond noise"
    return best.name, f"it ordered customers best on windows it had not seen{sure}"


def _mean(predicted: Sequence[Prediction], origins: Sequence[Origin]) -> Scores:
    every = [score(one, origin.came) for one, origin in zip(predicted, origins, strict=True)]
    names = [field.name for field in fields(Scores)]
    return Scores(**{name: float(np.mean([getattr(one, name) for one in every])) for name in names})


def resampled_ginis(
    predicted: Mapping[str, Sequence[Prediction]], origins: Sequence[Origin], seed: int
) -> dict[str, FloatArray]:
    """Give the mean normalised Gini over the origins with customers drawn again and again.

    A customer is drawn equally often at every origin and for every model, so that differences are paired.

    Returns
    -------
    dict of str to array, shape (resamples,)
    """
    ids = np.unique(np.concatenate([origin.customers.customer_id.astype(str) for origin in origins]))
    times = np.random.default_rng(seed).poisson(1.0, (RESAMPLES, len(ids))).astype(np.float64)
    total = {name: np.zeros(RESAMPLES) for name in predicted}
    for place, origin in enumerate(origins):
        weights = times[:, np.searchsorted(ids, origin.customers.customer_id.astype(str))]
        perfect = concentration(origin.came.revenue, origin.came.revenue, weights)
        for name, parts in predicted.items():
            found = concentration(origin.came.revenue, parts[place].revenue, weights)
            # draws without any buyer have no order
            total[name] += np.divide(found, perfect, out=np.zeros(RESAMPLES), where=perfect > 0)
    return {name: found / len(origins) for name, found in total.items()}


def concentration(actual: FloatArray, order: FloatArray, weights: FloatArray) -> FloatArray:
    """Give how far `actual` is with those highest in an order: the numerator of a Gini coefficient.

    Parameters
    ----------
    actual, order : array, shape (n,)
    weights : array, shape (draws, n)
        How often each counts.

    Returns
    -------
    array, shape (draws,)
        ``sum of w y (rank - mean rank)``; equal values of the order share a rank.

    Examples
    --------
    >>> concentration(np.array([0.0, 4.0]), np.array([1.0, 2.0]), np.ones((1, 2))).tolist()
    [2.0]
    """
    ranks, rank_of = np.unique(order, return_inverse=True)
    return np.array([_concentration(actual, rank_of, len(ranks), drawn) for drawn in weights])


def _concentration(actual: FloatArray, rank_of: IntArray, ranks: int, weights: FloatArray) -> float:
    # one draw after the other: its arrays stay in a processor's cache
    people = np.bincount(rank_of, weights, ranks)
    money = np.bincount(rank_of, weights * actual, ranks)
    middle = np.cumsum(people) - people / 2
    return float(money @ (middle - people.sum() / 2))
