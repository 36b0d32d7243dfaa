"""Discrete-time hazard: the chance to leave in each period, by period and by attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from allocator.errors import Finding
from allocator.models.base import FloatArray, IntArray, fit_warning, impossible
from allocator.models.retention.base import KnownSurvival
from allocator.models.retention.coefficients import Coefficients, coefficients
from allocator.models.retention.design import Design, learn_design
from allocator.models.retention.durations import Durations, durations
from allocator.options import Options

if TYPE_CHECKING:
    import pandas as pd

Course = Literal["each", "trend"]
Link = Literal["logit", "cloglog"]


@dataclass(frozen=True, eq=False)
class FittedHazard:
    """A model of the chance to leave in each period, of those still there.

    ``link(h(t | x)) = level + course(t) + b'x``.

    Parameters
    ----------
    design : Design
        How features become numbers.
    link : {"logit", "cloglog"}
    course : {"each", "trend"}
        Whether every period has an effect of its own, or they follow the logarithm of the period.
    level : float
        The link of the share that leaves in a period, over all of them.
    effects : Coefficients
        Those of periods (one each, or a constant and that of log(period)), then those of ``design.features``.
    last : int
        The longest stay observed.
    n_customers : int
    """

    design: Design
    link: Link
    course: Course
    level: float
    effects: Coefficients
    last: int
    n_customers: int

    @property
    def log_likelihood(self) -> float:
        """Of leaving or staying in every period, without penalty."""
        return self.effects.log_likelihood

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What to know of the estimate."""
        return self.effects.warnings

    def of(self, table: pd.DataFrame, *, until: int | None = None) -> KnownSurvival:
        """Give the curve of every row: ``S(t) = product over u <= t of (1 - h(u | x))``.

        Parameters
        ----------
        table : DataFrame
        until : int or None
            The last period of the curves; the longest stay observed by default. Beyond it a trend goes on,
            which the warnings of the curves say.

        Raises
        ------
        DataError
            E315 where a column it learned from is absent, or where `until` is beyond the longest stay and
            periods have effects of their own.
        """
        end = self.last if until is None else until
        found = self.warnings
        if end > self.last:
            found = (*found, self._beyond(end))
        course = _course(np.arange(1, end + 1), self.course, self.last)
        effects = self.effects.estimate
        by_period, by_feature = effects[: course.shape[1]], effects[course.shape[1] :]
        score = self.level + np.add.outer(self.design.matrix(table) @ by_feature, course @ by_period)
        known = np.ones((len(table), end + 1))
        known[:, 1:] = np.cumprod(_stay(score, self.link), axis=1)
        return KnownSurvival(known, "hazard", found)

    def _beyond(self, end: int) -> Finding:
        if self.course == "each":
            raise impossible(
                f"hazard: period {end} is asked for, but the longest stay observed is {self.last}; "
                "with periods: trend it goes on"
            )
        return fit_warning(
            f"hazard: periods {self.last + 1} to {end} continue a trend seen until period {self.last}"
        )


class Hazard(Options):
    """Discrete-time hazard model (Singer & Willett 1993; cloglog: Prentice & Gloeckler 1978), by statsmodels.

    Every customer and period is a row of a binomial regression, so a table of features needs memory for
    customers times periods.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"price": [1.0, 2.0, 3.0, 2.5, 1.5, 3.0]})
    >>> fitted = Hazard(periods="trend").fit(table, [5, 3, 1, 4, 5, 2], [0, 1, 1, 1, 1, 0])
    >>> curves = fitted.of(table, until=8)
    >>> curves.survival(8).shape, len(curves.warnings)
    ((6,), 1)
    """

    name: Literal["hazard"] = "hazard"
    link: Link = "logit"
    """How chances hang on features: logit, or cloglog, whose effects are those of a Cox model."""
    periods: Course = "each"
    """Whether every period has an effect of its own (each), or they follow log(period) (trend)."""

    def fit(self, table: pd.DataFrame, periods: ArrayLike, ended: ArrayLike) -> FittedHazard:
        """Fit to stays of customers.

        Parameters
        ----------
        table : DataFrame
            Features that do not change; every column is used.
        periods, ended : array, shape (customers,)
            As of :meth:`KaplanMeier.fit`, aligned with the rows.

        Raises
        ------
        DataError
            E315 for periods that are not whole, or where nobody was observed for one.
        """
        stays = durations(self.name, periods, ended)
        if len(table) != len(stays.used):
            raise impossible(f"hazard: {len(table)} customers have {len(stays.used)} durations")
        design, x = learn_design(self.name, table.loc[stays.used])
        level = _level(stays, self.link)
        columns = (*_course_names(self.periods, stays.last), *design.features)
        effects = coefficients(self.name, self._model(x, stays, level), columns)
        return FittedHazard(design, self.link, self.periods, level, effects, stays.last, len(x))

    def _model(self, x: FloatArray, stays: Durations, level: float) -> Any:  # noqa: ANN401 - statsmodels'
        """Give the regression of one row a customer and period, or a period where there are no features."""
        import statsmodels.api as sm

        link = sm.families.links.Logit() if self.link == "logit" else sm.families.links.CLogLog()
        family = sm.families.Binomial(link)
        if x.shape[1]:
            period, customer = _person_periods(stays.periods)
            last = period == stays.periods[customer]
            outcome = (last & stays.ended[customer]).astype(np.float64)
            course = _course(period, self.periods, stays.last)
            matrix = np.hstack([course, x[customer]])
        else:
            at_risk, left = stays.counts()
            outcome = np.stack([left, at_risk - left], axis=1)
            matrix = _course(np.arange(1, stays.last + 1), self.periods, stays.last)
        offset = np.full(len(matrix), level)
        return sm.GLM(outcome, matrix, family=family, offset=offset)


def _person_periods(periods: IntArray) -> tuple[IntArray, IntArray]:
    """Give the period, from 1 on, and the position of the customer, of every row."""
    customer = np.repeat(np.arange(len(periods)), periods)
    first = np.cumsum(periods) - periods
    return np.arange(len(customer)) - first[customer] + 1, customer


def _course(period: IntArray, course: Course, last: int) -> FloatArray:
    """Give the columns of periods: one of 0 and 1 each, or a constant and the logarithm."""
    if course == "each":
        return np.asarray(period[:, None] == np.arange(1, last + 1), dtype=np.float64)
    columns = [np.ones(len(period)), np.log(period)]
    return np.stack(columns[: min(last, 2)], axis=1)


def _course_names(course: Course, last: int) -> tuple[str, ...]:
    if course == "each":
        return tuple(f"period {t}" for t in range(1, last + 1))
    return ("the constant", "log(period)")[: min(last, 2)]


def _level(stays: Durations, link: Link) -> float:
    """Give the link of the share that leaves in a period, never of 0 or 1."""
    at_risk, left = stays.counts()
    share = (left.sum() + 0.5) / (at_risk.sum() + 1)
    return float(np.log(share / (1 - share)) if link == "logit" else np.log(-np.log1p(-share)))


def _stay(score: FloatArray, link: Link) -> FloatArray:
    """Give the chance to stay."""
    from scipy.special import expit

    if link == "logit":
        return np.asarray(expit(-score))
    return np.exp(-np.exp(np.minimum(score, 700.0)))
