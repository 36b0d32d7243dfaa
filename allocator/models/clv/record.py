"""A forecast of customers as plain data: which models it is made of, with their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields

from allocator.models.clv.auto import ChosenForecast
from allocator.models.clv.blend import BlendedForecast
from allocator.models.clv.carried import CarriedForecast
from allocator.models.clv.forecast import CustomerForecast, TimingForecast
from allocator.models.clv.leaderboard import Leaderboard
from allocator.models.clv.level import Level, Levelled
from allocator.models.clv.regression import FittedRegression

UNLEARNED = Level()
"""Of a model that was named: as it is, with the usual error."""

_NEW_WORD = re.compile("(?<!^)(?=[A-Z])")


@dataclass(frozen=True)
class PartRecord:
    """A model that had a part in a forecast.

    Parameters
    ----------
    model : str
    weight : float
        Its share of the forecast.
    numbers : mapping of str to float
        Its parameters, and whatever else is a plain number of it.
    errors : mapping of str to float or None
        Standard errors of the parameters; None where the data leave one open.
    """

    model: str
    weight: float
    numbers: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class ForecastRecord:
    """What a forecast is made of.

    Parameters
    ----------
    model : str
        The one that was named or chosen.
    parts : tuple of PartRecord
    level : Level
        Factor on the revenue the parts expect.
    leaderboard : Leaderboard or None
        None where the model was named.
    """

    model: str
    parts: tuple[PartRecord, ...]
    level: Level = UNLEARNED
    leaderboard: Leaderboard | None = None

    @classmethod
    def of(cls, forecast: CustomerForecast, name: str) -> ForecastRecord:
        """Describe a forecast.

        Parameters
        ----------
        forecast : CustomerForecast
        name : str
            Of the model that learned it.
        """
        if not isinstance(forecast, ChosenForecast):
            return cls(name, tuple(_parts(forecast, 1.0, name)))
        board = forecast.leaderboard
        return cls(board.chosen, tuple(_parts(forecast, 1.0, board.chosen)), forecast.level, board)


def _parts(forecast: CustomerForecast, weight: float, name: str) -> Iterator[PartRecord]:
    match forecast:
        case Levelled():
            yield from _parts(forecast.forecast, weight, name)
        case BlendedForecast():
            for part, share in zip(forecast.parts, forecast.weights, strict=True):
                yield from _parts(part, weight * share, name)
        case TimingForecast():
            for model in (forecast.purchases, forecast.spend):
                yield _part(model, weight, _NEW_WORD.sub("_", _kind(model)).lower())
        case CarriedForecast():
            yield _part(forecast.fitted, weight, getattr(forecast.fitted, "name", name))
        case _:
            yield _part(forecast, weight, name)


def timing_of(forecast: CustomerForecast) -> TimingForecast | None:
    """Give the probability models inside a forecast; None where it is made of none."""
    match forecast:
        case TimingForecast():
            return forecast
        case Levelled():
            return timing_of(forecast.forecast)
        case BlendedForecast():
            return next(filter(None, map(timing_of, forecast.parts)), None)
        case _:
            base = getattr(forecast, "base", None)
            return base if isinstance(base, TimingForecast) else None


def regression_of(forecast: CustomerForecast) -> FittedRegression | None:
    """Give the regression inside a forecast; None where it has none."""
    match forecast:
        case CarriedForecast():
            return forecast.fitted if isinstance(forecast.fitted, FittedRegression) else None
        case Levelled():
            return regression_of(forecast.forecast)
        case BlendedForecast():
            return next(filter(None, map(regression_of, forecast.parts)), None)
        case _:
            return None


def _part(model: object, weight: float, name: str) -> PartRecord:
    numbers = {
        one.name: float(getattr(model, one.name))
        for one in fields(model)  # type: ignore[arg-type]
        if isinstance(getattr(model, one.name), int | float)
    }
    return PartRecord(name, weight, numbers, dict(getattr(model, "standard_errors", {})))


def _kind(model: object) -> str:
    return type(model).__name__.removeprefix("Fitted")
