"""BG/NBD with attributes of customers that are known from the start and do not change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from allocator.errors import Finding
from allocator.models.base import FloatArray, Penalty, fit_warning, impossible
from allocator.models.clv.bg_nbd import FittedBgNbd
from allocator.models.clv.covariates_likelihood import (
    SHAPES,
    SIGNS,
    CovariateLikelihood,
    IntArray,
    Shifted,
    designs_of,
    members_of,
)
from allocator.models.clv.estimate import normal_draws, search
from allocator.options import Options


@dataclass(frozen=True)
class Effect:
    """How an attribute shifts a parameter.

    Parameters
    ----------
    covariate : str
    parameter : {"alpha", "a", "b"}
        alpha is divided, a and b are multiplied by ``exp(value * covariate)``.
    value : float
    standard_error : float or None
        None where the data leave a parameter open.
    """

    covariate: str
    parameter: str
    value: float
    standard_error: float | None


@dataclass(frozen=True, eq=False)
class FittedCovariateBgNbd:
    """A BG/NBD model whose parameters hang on attributes z of a customer.

    ``alpha exp(-g'z)``, ``a exp(h'z)`` and ``b exp(k'z)``: an attribute with a g above 0 goes with more
    purchases a week, one with an h above 0 with leaving sooner, one with a k above 0 with staying longer
    (Fader & Hardie 2007, "Incorporating time-invariant covariates into the Pareto/NBD and BG/NBD models").

    Parameters
    ----------
    baseline : FittedBgNbd
        The parameters of a customer whose attributes are all 0.
    names : tuple of str
        Of the k attributes.
    shifted : tuple of {"alpha", "a", "b"}
        The parameters that attributes shift.
    shifts : array, shape (shifted, k)
        Their coefficients: g, h and k.
    covariance : array or None
        Of log r, log alpha, log a, log b of the baseline, then of the coefficients row by row; None where
        the data leave one of them open.
    warnings : tuple of Finding
    """

    baseline: FittedBgNbd
    names: tuple[str, ...]
    shifted: tuple[Shifted, ...]
    shifts: FloatArray
    covariance: FloatArray | None = None
    warnings: tuple[Finding, ...] = ()

    @property
    def log_likelihood(self) -> float:
        """Of the customers it was fitted to, without penalty."""
        return self.baseline.log_likelihood

    @property
    def effects(self) -> tuple[Effect, ...]:
        """Every coefficient with its standard error."""
        size = self.shifts.size
        errors: list[float | None] = [None] * size
        if self.covariance is not None:
            errors = np.sqrt(np.diag(self.covariance)[len(SHAPES) :]).tolist()
        places = [(covariate, parameter) for parameter in self.shifted for covariate in self.names]
        values = map(float, self.shifts.ravel())
        return tuple(
            Effect(*place, value, error) for place, value, error in zip(places, values, errors, strict=True)
        )

    def rows(self, covariates: ArrayLike) -> CovariateForecast:
        """Give the forecast of customers with these attributes.

        Parameters
        ----------
        covariates : array, shape (customers, k)
            The histories asked about later are those of the same customers, in the same order.
        """
        z = _attributes(covariates, self.names)
        kinds, kind = np.unique(z, axis=0, return_inverse=True)
        logs = np.tile(self._log_shapes(), (len(kinds), 1))
        for parameter, shift in zip(self.shifted, self.shifts, strict=True):
            logs[:, SHAPES.index(parameter)] += SIGNS[parameter] * (kinds @ shift)
        models = tuple(FittedBgNbd(r, alpha, a, b) for r, alpha, a, b in np.exp(logs).tolist())
        return CovariateForecast(models, kind.ravel())

    def parameter_draws(self, n: int, rng: np.random.Generator) -> tuple[Self, ...]:
        """Give the model `n` times, with parameters as uncertain as the estimate.

        The model itself where the data leave a parameter open.
        """
        if self.covariance is None:
            return (self,) * n
        estimate = np.concatenate([self._log_shapes(), self.shifts.ravel()])
        drawn = estimate + normal_draws(self.covariance, n, rng)
        return tuple(self._with(*np.split(row, [len(SHAPES)])) for row in drawn)

    def _with(self, log_shapes: FloatArray, shifts: FloatArray) -> Self:
        shapes = dict(zip(SHAPES, np.exp(log_shapes).tolist(), strict=True))
        return replace(
            self, baseline=replace(self.baseline, **shapes), shifts=shifts.reshape(self.shifts.shape)
        )

    def _log_shapes(self) -> FloatArray:
        return np.log([getattr(self.baseline, name) for name in SHAPES])


@dataclass(frozen=True, eq=False)
class CovariateForecast:
    """Forecasts of customers, each from the model of his attributes.

    Arguments are as those of a fitted BG/NBD model, of shape (customers,) or one number for all.

    Parameters
    ----------
    models : tuple of FittedBgNbd
        One for every distinct row of attributes.
    kind : array of int, shape (customers,)
        The model of every customer.
    """

    models: tuple[FittedBgNbd, ...]
    kind: IntArray

    def p_alive(self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> FloatArray:
        """Probability that a customer is still active."""
        return self._each(FittedBgNbd.p_alive, frequency, recency, age)

    def p_active(
        self, weeks: ArrayLike, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> FloatArray:
        """Probability that a customer is still active `weeks` after the as-of day."""
        return self._each(FittedBgNbd.p_active, weeks, frequency, recency, age)

    def expected_purchases(
        self,
        weeks: ArrayLike,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
        start_weeks: ArrayLike = 0.0,
    ) -> FloatArray:
        """Purchase days expected in the `weeks` after `start_weeks` from the as-of day."""
        arguments = (weeks, frequency, recency, age, start_weeks)
        return self._each(FittedBgNbd.expected_purchases, *arguments)

    def expected_if_active(
        self,
        weeks: ArrayLike,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
        start_weeks: ArrayLike = 0.0,
    ) -> FloatArray:
        """Give the same for a customer known to be active when they begin."""
        arguments = (weeks, frequency, recency, age, start_weeks)
        return self._each(FittedBgNbd.expected_if_active, *arguments)

    def p_any_purchase(
        self, weeks: ArrayLike, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> FloatArray:
        """Probability of at least one purchase in the next `weeks`."""
        return self._each(FittedBgNbd.p_any_purchase, weeks, frequency, recency, age)

    def draw_purchases(
        self,
        weeks: ArrayLike,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
        rng: np.random.Generator,
    ) -> FloatArray:
        """Draw the purchase days of the next `weeks`, one number for every customer."""
        arguments = (weeks, frequency, recency, age)
        return self._each(partial(FittedBgNbd.draw_purchases, rng=rng), *arguments)

    def _each(self, ask: Callable[..., FloatArray], *arguments: ArrayLike) -> FloatArray:
        """Ask the model of every distinct row of attributes about its customers."""
        given = [np.asarray(argument, dtype=np.float64) for argument in arguments]
        if any(part.ndim > 1 or part.size not in (1, len(self.kind)) for part in given):
            raise impossible(f"there are attributes of {len(self.kind)} customers, but not as many histories")
        whole = [np.broadcast_to(part, self.kind.shape) for part in given]
        found = np.empty(len(self.kind))
        for model, members in zip(self.models, members_of(self.kind), strict=True):
            found[members] = ask(model, *(part[members] for part in whole))
        return found


class CovariateBgNbd(Options):
    """BG/NBD model with attributes of customers that do not change, by maximum likelihood.

    Examples
    --------
    >>> CovariateBgNbd(penalty=0.1).penalty
    0.1
    """

    name: Literal["covariate_bg_nbd"] = "covariate_bg_nbd"
    shifted: tuple[Shifted, ...] = ("alpha", "a", "b")
    """The parameters that attributes shift: alpha the rate of purchases, a and b who leaves. Few customers
    tell alpha's shifts only."""
    penalty: Penalty = 0.0
    """Pull of the logs of the parameters (alpha in mean ages) and of the coefficients (of attributes
    in standard deviations) towards 0; 0 is maximum likelihood."""

    def fit(
        self,
        frequency: ArrayLike,
        recency_days: ArrayLike,
        age_days: ArrayLike,
        covariates: ArrayLike,
        names: Sequence[str],
    ) -> FittedCovariateBgNbd:
        """Fit to customers and their attributes.

        Customers of the same attributes are compressed to patterns, so that attributes with few distinct
        values cost little more than none.

        Parameters
        ----------
        frequency, recency_days, age_days : array of int, shape (customers,)
        covariates : array, shape (customers, k)
            Finite numbers; a category is one column of 0 and 1 a value, one value left out.
        names : sequence of str
            Of the k columns.

        Raises
        ------
        DataError
            E315 without a customer, or for attributes that are missing or do not fit the customers.

        Examples
        --------
        >>> x, t, T = np.array([0, 2, 5, 1]), np.array([0, 70, 200, 7]), np.array([270, 270, 270, 200])
        >>> fitted = CovariateBgNbd(penalty=0.1).fit(x, t, T, [[0], [1], [1], [0]], ["store"])
        >>> fitted.effects[0].covariate, fitted.effects[0].value > 0  # store customers buy more often
        ('store', True)
        """
        histories = [np.asarray(part, dtype=np.int64) for part in (frequency, recency_days, age_days)]
        z = _attributes(covariates, names)
        if not len(z) or any(part.shape != (len(z),) for part in histories):
            raise impossible(f"{self.name} needs customers, and a row of attributes for every one of them")
        centre, spread = _standard(z)
        likelihood = CovariateLikelihood.of(histories, (z - centre) / spread, self.shifted)
        found = search(self.name, likelihood.penalised, self.penalty)
        back = _back(centre, spread, self.shifted)
        theta = back @ found.theta
        theta[1] += np.log(likelihood.together.unit)
        covariance = found.maximum.covariance(np.ones(len(theta)))
        r, alpha, a, b = np.exp(theta[: len(SHAPES)]).tolist()
        baseline = FittedBgNbd(r, alpha, a, b, found.log_likelihood, len(z))
        return FittedCovariateBgNbd(
            baseline,
            tuple(names),
            self.shifted,
            theta[len(SHAPES) :].reshape(len(self.shifted), len(names)),
            None if covariance is None else back @ covariance @ back.T,
            (*found.warnings, *_warn_of_constants(self.name, names, np.isinf(spread))),
        )


def _standard(z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give mean and standard deviation of attributes; an infinite one where all customers are the same."""
    centre, spread = z.mean(axis=0), z.std(axis=0)
    return centre, np.where(spread <= 1e-12 * np.abs(centre), np.inf, spread)


def _back(centre: FloatArray, spread: FloatArray, shifted: Sequence[Shifted]) -> FloatArray:
    """Give the matrix that turns estimates for standardised attributes into those for attributes as given."""
    (at_zero,) = designs_of((-centre / spread)[None], shifted)
    scales = np.diag(np.tile(1 / spread, len(shifted)))
    return np.vstack([at_zero, np.hstack([np.zeros((len(scales), len(SHAPES))), scales])])


def _warn_of_constants(model: str, names: Sequence[str], constant: NDArray[np.bool_]) -> Iterator[Finding]:
    alike = [name for name, same in zip(names, constant, strict=True) if same]
    if alike:
        yield fit_warning(f"{model}: {', '.join(alike)} is the same for every customer", "leave it out")


def _attributes(covariates: ArrayLike, names: Sequence[str]) -> FloatArray:
    """Give attributes as a table, or refuse those that cannot be."""
    z = np.asarray(covariates, dtype=np.float64)
    if z.ndim != 2 or z.shape[1] != len(names):
        raise impossible(f"attributes need one column for each of {', '.join(names) or 'no names'}")
    if not np.isfinite(z).all():
        raise impossible("an attribute of a customer is missing or not finite")
    return z
