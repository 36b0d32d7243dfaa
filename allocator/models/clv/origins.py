"""Rolling origins: days of the past at which models learn, each with a window after it that judges them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from allocator.customers.past import Outcome, Past, Snapshot
from allocator.errors import AllocatorError
from allocator.models.base import impossible
from allocator.models.clv.forecast import ClvModel
from allocator.models.clv.judgement import Prediction

Tell = Callable[[str], None]

SHARE = 1 / 3
"""Longest window, of the time since the first order: twice as long is left to learn from."""
STEPS = (1.0, 1.5)
"""Origins, in windows before today; the later one first."""
SHORTEST_WEEKS = 4.0
FEWEST_CUSTOMERS = 30


def quiet(_: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, eq=False)
class Origin:
    """A day models may learn until, the customers known then, and what they bought in the window after it.

    Parameters
    ----------
    past : Past
        What models may learn from.
    customers : Snapshot
    came : Outcome
    """

    past: Past
    customers: Snapshot
    came: Outcome

    @property
    def weeks(self) -> float:
        """Length of the window."""
        return self.came.weeks


def rolling_origins(past: Past, horizon_weeks: float) -> tuple[Origin, ...]:
    """Give the origins that a time of orders allows.

    A window is as long as the horizon, at most a third of the time since the first order; origins lie one
    and one and a half windows before today. None where windows would be shorter than four weeks; an origin
    with fewer than 30 customers, or whose customers then bought nothing or all for the same, is left out.
    """
    weeks = min(horizon_weeks, SHARE * past.weeks)
    if weeks < SHORTEST_WEEKS:
        return ()
    found = (_origin(past, weeks, step) for step in STEPS)
    return tuple(one for one in found if one is not None)


def _origin(past: Past, weeks: float, step: float) -> Origin | None:
    start = past.earlier(step * weeks)
    try:
        customers = start.customers
        came = start.later(weeks).outcome_of(customers)
    except AllocatorError:
        return None
    if len(customers) < FEWEST_CUSTOMERS or not np.ptp(came.revenue):
        return None
    return Origin(start, customers, came)


@dataclass(frozen=True, eq=False)
class Trial:
    """What a model, having learned at an origin, predicted of the window after it.

    Parameters
    ----------
    name : str
        The model's.
    predicted : tuple of Prediction
        One an origin; empty where the model failed.
    failure : str
        Why; empty where it did not.
    """

    name: str
    predicted: tuple[Prediction, ...]
    failure: str = ""


def try_models(
    models: Iterable[ClvModel], origins: Iterable[Origin], tell: Tell = quiet
) -> Mapping[str, Trial]:
    """Let every model learn and predict at every origin; a failure keeps its place.

    Parameters
    ----------
    models : iterable of ClvModel
    origins : iterable of Origin
    tell : callable
        Is told what is being tried.
    """
    places = tuple(origins)
    return {model.name: _trial(model, places, tell) for model in models}


def _trial(model: ClvModel, origins: tuple[Origin, ...], tell: Tell) -> Trial:
    predicted = []
    for number, origin in enumerate(origins, start=1):
        tell(f"trying {model.name} on window {number} of {len(origins)}")
        try:
            predicted.append(_predicted(model, origin))
        except AllocatorError as error:
            return Trial(model.name, (), error.findings[0].what)
    return Trial(model.name, tuple(predicted))


def _predicted(model: ClvModel, origin: Origin) -> Prediction:
    learned = model.learn(origin.past, horizon_weeks=origin.weeks)
    made = Prediction.of(learned, origin.customers, origin.weeks)
    if not (np.isfinite(made.revenue).all() and np.isfinite(made.p_any_purchase).all()):
        raise impossible("it predicts what is no finite number")
    return made
