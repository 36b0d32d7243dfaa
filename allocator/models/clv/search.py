"""Hyperparameters by what they would have forecast in the past: grid and random search at rolling origins."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self, TypeVar

import numpy as np

from allocator.customers.past import Outcome, Past
from allocator.errors import DataError
from allocator.models.base import FloatArray, impossible
from allocator.models.clv.training import Training, rolling_origins, stacked
from allocator.models.scoring import normalised_gini

Search = Literal["none", "grid", "random"]
Grid = Mapping[str, Sequence[Any]]


class Fitted(Protocol):
    """What a search asks of a fitted model."""

    def predict(self, table: Any) -> FloatArray:  # noqa: ANN401 - a frame, whose library loads late
        """Money of every row."""


class Searchable(Protocol):
    """Options that can be changed and fitted."""

    def fit(self, table: Any, outcome: Outcome) -> Fitted:  # noqa: ANN401
        """Fit to rows."""

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self:
        """Give the options with some values changed."""


Model = TypeVar("Model", bound=Searchable)


@dataclass(frozen=True)
class Trial:
    """What a choice of hyperparameters would have been worth.

    Parameters
    ----------
    values : mapping
        Names and values that were tried.
    error : float
        1 - normalised Gini of revenue, mean over the origins that judge.
    """

    values: Mapping[str, Any]
    error: float


@dataclass(frozen=True)
class Plan:
    """Which choices to try.

    Parameters
    ----------
    grid : mapping
        Names of options, and values to try.
    how : {"grid", "random"}
        All of them in the order of the grid, or `rounds` different ones drawn from it.
    rounds, seed : int

    Examples
    --------
    >>> Plan({"depth": (3, 5), "leaf": (10, 20)}, "grid").choices()[1]
    {'depth': 3, 'leaf': 20}
    >>> len(Plan({"depth": (3, 5), "leaf": (10, 20)}, "random", rounds=3).choices())
    3
    """

    grid: Grid
    how: Search
    rounds: int = 8
    seed: int = 0

    def choices(self) -> list[dict[str, Any]]:
        """Give the choices in the order of the grid."""
        every = [
            dict(zip(self.grid, values, strict=True)) for values in itertools.product(*self.grid.values())
        ]
        if self.how == "grid" or self.rounds >= len(every):
            return every
        drawn = np.random.default_rng(self.seed).choice(len(every), size=self.rounds, replace=False)
        return [every[place] for place in sorted(drawn.tolist())]


def trials(
    options: Searchable, choices: Sequence[Mapping[str, Any]], origins: Sequence[Training]
) -> list[Trial]:
    """Judge every choice at every origin but the first, each time learned from the earlier ones alone.

    Columns, preparation and model are those of the earlier origins; nothing is learned from the judging one.
    """
    folds = [(stacked(origins[:place]), origins[place]) for place in range(1, len(origins))]
    if not folds:
        raise impossible("a search needs customers at two days of the past at least")
    return [
        Trial(choice, float(np.mean([_error(options.model_copy(update=choice), *fold) for fold in folds])))
        for choice in choices
    ]


def best(options: Model, plan: Plan, past: Past, *, horizon_weeks: float) -> Model:
    """Give options with the choice of least mean error; the first in the order of the grid among equals.

    Raises
    ------
    DataError
        E315 where the log is too short to look back.
    """
    origins = rolling_origins(past, horizon_weeks=horizon_weeks)
    found = trials(options, plan.choices(), origins)
    return options.model_copy(update=min(found, key=lambda trial: trial.error).values)


def _error(options: Searchable, earlier: Training, later: Training) -> float:
    columns = earlier.lasting(later.table)
    try:
        forecast = options.fit(earlier.table[columns], earlier.outcome).predict(later.table)
    except DataError:
        return 1.0
    gini = normalised_gini(later.revenue, forecast)
    return 1.0 - gini if np.isfinite(gini) else 1.0
