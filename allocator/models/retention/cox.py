"""Cox: attributes multiply the chance to leave, whatever its course over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from allocator.errors import Finding
from allocator.models.base import FloatArray, fit_warning, impossible
from allocator.models.retention.base import KnownSurvival
from allocator.models.retention.coefficients import Coefficients, coefficients
from allocator.models.retention.design import Design, learn_design
from allocator.models.retention.durations import Durations, durations
from allocator.options import Options

if TYPE_CHECKING:
    import pandas as pd

HIGHEST = 300.0  # of a log hazard ratio


@dataclass(frozen=True, eq=False)
class FittedCox:
    """A Cox model of customers' stays.

    Parameters
    ----------
    design : Design
        How features become numbers.
    effects : Coefficients
        Log hazard ratios of ``design.features``, with their errors and the partial log-likelihood.
    cumulative_hazard : array, shape (periods,)
        Of a customer whose numbers are all 0, from period 0 to the longest stay observed.
    n_customers : int
    """

    design: Design
    effects: Coefficients
    cumulative_hazard: FloatArray
    n_customers: int

    @property
    def log_likelihood(self) -> float:
        """The partial log-likelihood, without penalty."""
        return self.effects.log_likelihood

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What to know of the estimate."""
        return self.effects.warnings

    def of(self, table: pd.DataFrame) -> KnownSurvival:
        """Give the curve of every row: ``S(t) = exp(-H(t) exp(b'x))``.

        Raises
        ------
        DataError
            E315 where a column it learned from is absent; the curves, for a period after the longest stay.
        """
        ratio = np.exp(_log_ratio(self.design.matrix(table), self.effects.estimate))
        return KnownSurvival(np.exp(-np.outer(ratio, self.cumulative_hazard)), "cox", self.warnings)


class Cox(Options):
    """Proportional hazards model (Cox 1972; ties by Efron 1977), by statsmodels.

    Many customers leave in the same period, so that the baseline is Efron's too: without features it comes
    close to Kaplan-Meier, where Breslow's would lose too few.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"price": [1.0, 2.0, 3.0, 2.5, 1.5, 3.0]})
    >>> fitted = Cox().fit(table, [5, 3, 1, 4, 5, 2], [0, 1, 1, 1, 1, 0])
    >>> cheap, dear = fitted.of(pd.DataFrame({"price": [1.0, 3.0]})).survival(3)
    >>> bool(cheap > dear)
    True
    """

    name: Literal["cox"] = "cox"

    def fit(self, table: pd.DataFrame, periods: ArrayLike, ended: ArrayLike) -> FittedCox:
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
            raise impossible(f"cox: {len(table)} customers have {len(stays.used)} durations")
        design, x = learn_design(self.name, table.loc[stays.used])
        effects = _effects(x, stays, design.features)
        hazard = _cumulative_hazard(np.exp(_log_ratio(x, effects.estimate)), stays)
        return FittedCox(design, effects, hazard, len(x))


def _effects(x: FloatArray, stays: Durations, features: tuple[str, ...]) -> Coefficients:
    from statsmodels.duration.hazard_regression import PHReg

    if not stays.ended.any():
        what = "cox: nobody left, so that everybody is taken to stay"
        return Coefficients(np.zeros(x.shape[1]), None, 0.0, (fit_warning(what),))
    if not x.shape[1]:
        return Coefficients(np.zeros(0), None, 0.0)
    model = PHReg(stays.periods.astype(np.float64), x, status=stays.ended.astype(int), ties="efron")
    return coefficients("cox", model, features)


def _log_ratio(x: FloatArray, effects: FloatArray) -> FloatArray:
    return np.clip(x @ effects, -HIGHEST, HIGHEST)


def _cumulative_hazard(ratio: FloatArray, stays: Durations) -> FloatArray:
    """Give Efron's estimate, as if those who leave in one period left one after the other."""
    size = stays.last + 1
    at_risk = np.cumsum(np.bincount(stays.periods, ratio, size)[::-1])[::-1]
    leaving = np.bincount(stays.periods[stays.ended], ratio[stays.ended], size)
    count = np.bincount(stays.periods[stays.ended], minlength=size)
    steps = [
        (1 / (at_risk[t] - np.arange(count[t]) / max(count[t], 1) * leaving[t])).sum() for t in range(size)
    ]
    return np.cumsum(steps)
