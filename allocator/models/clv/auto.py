"""The models that choose: members are tried on earlier windows, the best is taken, its level corrected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from allocator.customers.past import Past
from allocator.errors import AllocatorError
from allocator.models.base import fit_warning
from allocator.models.clv.blend import BlendedForecast, blended
from allocator.models.clv.forecast import ClvModel, CustomerForecast
from allocator.models.clv.leaderboard import AGREEMENT, Leaderboard, rank, resampled_ginis
from allocator.models.clv.level import Level, Levelled
from allocator.models.clv.members import BLEND, PARTS, SINGLE, TIMING
from allocator.models.clv.origins import Origin, Tell, Trial, quiet, rolling_origins, try_models
from allocator.options import Count, Options, fault

HALF = 0.5
SAMPLE = 50_000
WEIGHTS = (0.0, 0.25, HALF, 0.75, 1.0)

Member = Literal[
    "bg_nbd", "mbg_nbd", "pareto_nbd", "linear", "ridge", "lasso", "decision_tree", "random_forest",
    "support_vector", "boosting", "perceptron", "historic_mean", "repeat_rate", "last_period", "blend",
]  # fmt: skip


DEFAULT: tuple[Member, ...] = ("bg_nbd", "pareto_nbd", "boosting", "blend")


@dataclass(frozen=True, eq=False)
class ChosenForecast(Levelled):
    """The forecast of the model that was chosen.

    Parameters
    ----------
    leaderboard : Leaderboard
        How all members did; empty where there was too little to try them on.
    weights : mapping of str to float
        Of the parts, where it is a blend.
    """

    leaderboard: Leaderboard = field(default_factory=Leaderboard)
    weights: Mapping[str, float] = field(default_factory=dict)


def _some(members: tuple[Member, ...]) -> tuple[Member, ...]:
    if not members:
        raise fault("E103", "no model is named to be tried", "leave 'members' out, or name some")
    return members


class Auto(Options):
    """The member that ordered customers best on earlier windows, at the level learned there.

    Examples
    --------
    >>> Auto(members=["bg_nbd", "boosting"]).members
    ('bg_nbd', 'boosting')
    """

    name: Literal["auto"] = "auto"
    members: Annotated[tuple[Member, ...], AfterValidator(_some)] = DEFAULT
    """The models that are tried; blend is the weighted mean of pareto_nbd and boosting."""
    sample: Annotated[Count, Field(ge=100)] = SAMPLE
    """Most customers that models are compared on and regressions learn from; of more, some are drawn."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of what is drawn: customers to learn from, and resampled ones, which tell a difference from luck."""

    def learn(self, past: Past, *, horizon_weeks: float, tell: Tell = quiet) -> ChosenForecast:
        """Try the members on rolling origins before ``past.as_of``, and let the best learn all of it.

        Parameters
        ----------
        past : Past
        horizon_weeks : float
        tell : callable
            Is told what is being tried.

        Raises
        ------
        DataError
            Where no member can learn from these orders.
        """
        some = past.sample(self.sample, self.seed)
        origins = rolling_origins(some, horizon_weeks)
        trials = self._trials(origins, tell)
        if not any(trial.predicted for trial in trials.values()):
            return self._untried(past, horizon_weeks)
        board = rank(self._eligible(trials), origins, prefer=BLEND, seed=self.seed)
        tell(f"learning {board.chosen} from all orders")
        tried = _Tried(trials, origins, self.seed)
        learned = tried.learned(board.chosen, past, some, horizon_weeks)
        failures = (fit_warning(f"{row.name}: {row.note}") for row in board.rows if row.scores is None)
        return replace(learned, leaderboard=board, more_warnings=tuple(failures))

    def _trials(self, origins: Sequence[Origin], tell: Tell) -> dict[str, Trial]:
        """Try every single member, those of the blend included, and the blend at equal weights."""
        if not origins:
            return {}
        trials = dict(try_models((SINGLE[name]() for name in self._singles), origins, tell))
        if BLEND in self.members:
            trials[BLEND] = blended_trial(trials, HALF)
        return trials

    @property
    def _singles(self) -> tuple[str, ...]:
        parts = PARTS if BLEND in self.members else ()
        return tuple(dict.fromkeys([*(name for name in self.members if name != BLEND), *parts]))

    def _eligible(self, trials: Mapping[str, Trial]) -> dict[str, Trial]:
        """Give the trials of the members; all of them where no member could learn."""
        own = {name: trials[name] for name in map(str, self.members)}
        return own if any(trial.predicted for trial in own.values()) else dict(trials)

    def _untried(self, past: Past, horizon_weeks: float) -> ChosenForecast:
        """Let the first member learn that can do without a comparison."""
        failures: list[AllocatorError] = []
        for name in self._singles:
            try:
                learned = SINGLE[name]().learn(past, horizon_weeks=horizon_weeks)
            except AllocatorError as error:
                failures.append(error)
                continue
            what = f"too few orders to compare models on an earlier window, so {name} is used as it is"
            board = Leaderboard(chosen=name, reason="too few orders to compare models")
            return ChosenForecast(learned, Level(), (fit_warning(what),), board)
        raise failures[0]  # the others cannot learn for the same reason


class Blend(Options):
    """The weighted mean of a probability model and a boosted regression, at the level learned earlier.

    Weights are equal unless others ordered customers better on earlier windows, beyond noise.

    Examples
    --------
    >>> Blend().name
    'blend'
    """

    name: Literal["blend"] = "blend"
    sample: Annotated[Count, Field(ge=100)] = SAMPLE
    """Most customers that the regression learns from; of more, some are drawn by lot."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of what is drawn."""

    def learn(self, past: Past, *, horizon_weeks: float, tell: Tell = quiet) -> ChosenForecast:
        """Learn both parts, their weights and the level."""
        only = Auto(members=("blend",), sample=self.sample, seed=self.seed)
        return only.learn(past, horizon_weeks=horizon_weeks, tell=tell)


def as_chosen(model: ClvModel, chosen: str) -> ClvModel:
    """Give the model that learns as the chosen one did; the model itself where it leaves no choice."""
    return model.model_copy(update={"members": (chosen,)}) if isinstance(model, Auto) and chosen else model


def blended_trial(trials: Mapping[str, Trial], weight: float) -> Trial:
    """Give what a blend of the parts would have predicted.

    Parameters
    ----------
    trials : mapping of str to Trial
        Of the parts at least.
    weight : float
        Of the last part.
    """
    parts = [trials[name] for name in PARTS]
    failed = next((f"{part.name}: {part.failure}" for part in parts if not part.predicted), "")
    if failed:
        return Trial(BLEND, (), failed)
    pairs = zip(*(part.predicted for part in parts), strict=True)
    return Trial(BLEND, tuple(blended(pair, (1 - weight, weight)) for pair in pairs))


@dataclass(frozen=True, eq=False)
class _Tried:
    """How models did on earlier windows."""

    trials: Mapping[str, Trial]
    origins: Sequence[Origin]
    seed: int

    def learned(self, name: str, past: Past, some: Past, horizon_weeks: float) -> ChosenForecast:
        """Let the chosen model learn, regressions from some customers; its level is that of the trial."""

        def learn(single: str) -> CustomerForecast:
            return SINGLE[single]().learn(past if single in TIMING else some, horizon_weeks=horizon_weeks)

        if name != BLEND:
            return ChosenForecast(learn(name), self._level(self.trials[name]))
        weight = blend_weight(self.trials, self.origins, self.seed)
        weights = dict(zip(PARTS, (1 - weight, weight), strict=True))
        used = {part: share for part, share in weights.items() if share > 0}
        forecast = BlendedForecast(tuple(map(learn, used)), tuple(used.values()))
        return ChosenForecast(forecast, self._level(blended_trial(self.trials, weight)), weights=weights)

    def _level(self, trial: Trial) -> Level:
        came = (origin.came for origin in self.origins)
        return Level.learned(zip(trial.predicted, came, strict=True))


def blend_weight(trials: Mapping[str, Trial], origins: Sequence[Origin], seed: int) -> float:
    """Give the last part's weight: a half, unless another ordered customers better beyond noise."""
    tried = {weight: blended_trial(trials, weight).predicted for weight in WEIGHTS}
    ginis = resampled_ginis({str(weight): one for weight, one in tried.items()}, origins, seed)
    gains = {weight: ginis[str(weight)] - ginis[str(HALF)] for weight in WEIGHTS}
    best = max(WEIGHTS, key=lambda weight: float(gains[weight].mean()))
    sure = gains[best].mean() > AGREEMENT * gains[best].std(ddof=1)
    return best if sure else HALF
