"""The least-squares problem behind a response curve: data, the priors that keep it finite, its solution.

With z the outcome over the mean of its group and x spend per size over its mean,
``z = baseline + sum_c exp(level_c) R(adstock(x_c, decay_c); bend_c, exponent_c) + noise``. The baseline is
linear and projected out (variable projection; Golub & Pereyra 1973), so only four numbers a channel are
searched, within bounds. Groups have shocks in common, such as a holiday nobody recorded: rows are freed of
as much of them as their variance says, which is generalised least squares with random effects of periods.
Rows for the priors are added to those of the data, both in units of their spread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from allocator.models.base import FloatArray
from allocator.models.media.adstock import adstock, adstock_and_slope
from allocator.models.media.design import independent
from allocator.models.media.saturation import (
    Family,
    by_bend,
    by_log_exponent,
    log_elasticity,
    relative,
    slope,
)

LEVELS = (-12.0, 1.0)
BENDS = (-5.0, 5.0)
ODDS = (-4.0, 3.2)  # decay .018 to .96 a period
EXPONENTS = (0.0, 1.4)  # of log(exponent): up to 4
DECAYS_TRIED, BENDS_TRIED = (0.15, 0.6), (-1.0, 0.7)
LEAST_NOISE = 1e-7  # of the mean outcome


@dataclass(frozen=True, eq=False)
class Theta:
    """What is searched, shape (c,) each, or (n, c) for n draws.

    Parameters
    ----------
    level : array
        Log of what mean spend brings, over the mean outcome.
    bend : array
        See :mod:`allocator.models.media.saturation`.
    odds : array
        Log odds of the decay.
    log_exponent : array
    centre : array, shape () or (n,)
        Of the log marginal returns; see :class:`Priors`.
    """

    level: FloatArray
    bend: FloatArray
    odds: FloatArray
    log_exponent: FloatArray
    centre: FloatArray

    @property
    def decay(self) -> FloatArray:
        """Share of the pressure left after a period."""
        return np.asarray(1 / (1 + np.exp(-self.odds)))

    @property
    def exponent(self) -> FloatArray:
        """Of Hill."""
        return np.asarray(np.exp(self.log_exponent))

    def pack(self) -> FloatArray:
        """Give all numbers in one row, shape (..., 4 * c + 1)."""
        parts = [self.level, self.bend, self.odds, self.log_exponent, self.centre[..., None]]
        return np.concatenate(parts, axis=-1)

    @classmethod
    def unpack(cls, row: FloatArray) -> Theta:
        """Undo `pack`."""
        c = row.shape[-1] // 4
        level, bend, odds, exponent = (row[..., k * c : (k + 1) * c] for k in range(4))
        return cls(level, bend, odds, exponent, row[..., -1])


@dataclass(frozen=True, eq=False)
class Priors:
    """What is taken as likely beforehand: means and spreads of normal distributions.

    Parameters
    ----------
    family : {"hill", "log", "power"}
    log_share : array, shape (c,)
        Log of the channels' shares of all spend.
    returns : float
        Spread of the log marginal returns at mean spend around their centre.
    centre, centre_spread : float
        Of the log of all spend times the marginal return, over the outcome.
    bend_spread : float
        Of `bend`, around 0.
    odds, odds_spread : float
        Of the log odds of the decay.
    exponent_spread : float
        Of the log exponent; 0 fixes the exponent at 1.
    """

    family: Family
    log_share: FloatArray
    returns: float
    centre: float
    centre_spread: float
    bend_spread: float
    odds: float
    odds_spread: float
    exponent_spread: float

    def returned(self, theta: Theta) -> tuple[FloatArray, FloatArray]:
        """Give log marginal returns at mean spend, up to a number common to all channels.

        Returns
        -------
        tuple of array
            Shape (c,), and their derivative by the packed parameters, shape (c, 4 * c + 1).
        """
        bent, by_bend, by_exponent = log_elasticity(self.family, theta.bend, theta.exponent)
        ones, zeros = np.ones_like(bent), np.zeros_like(bent)
        blocks = [np.diag(part) for part in (ones, by_bend, zeros, by_exponent)]
        return theta.level + bent - self.log_share, np.column_stack([*blocks, zeros])

    def rows(self, theta: Theta) -> tuple[FloatArray, FloatArray]:
        """Give how far `theta` is from its prior means, in spreads, and the derivative of that.

        Returns
        -------
        tuple of array
            Shapes (4 * c + 1,) and (4 * c + 1, 4 * c + 1).
        """
        c, exponent = len(self.log_share), self.exponent_spread or 1.0
        returned, by = self.returned(theta)
        rows = [
            (returned - theta.centre) / self.returns,
            theta.bend / self.bend_spread,
            (theta.odds - self.odds) / self.odds_spread,
            theta.log_exponent / exponent,
            np.atleast_1d((theta.centre - self.centre) / self.centre_spread),
        ]
        spreads = np.repeat([self.returns, self.bend_spread, self.odds_spread, exponent], c)
        matrix = np.diag(1 / np.append(spreads, self.centre_spread))
        matrix[:c] = by / self.returns
        matrix[:c, -1] = -1 / self.returns
        return np.concatenate(rows), matrix


@dataclass(frozen=True, eq=False)
class Solution:
    """The best parameters, and the derivative of all rows by them at that place."""

    theta: Theta
    cost: float
    jacobian: FloatArray

    def covariance(self) -> FloatArray:
        """Give the covariance of the packed parameters, as if rows were linear near them."""
        return np.asarray(np.linalg.pinv(self.jacobian.T @ self.jacobian, hermitian=True))


@dataclass(frozen=True, eq=False)
class Problem:
    """Rows of a panel, groups outermost, and what is taken as likely.

    Parameters
    ----------
    target : array, shape (g * t,)
        Outcome over its group's mean.
    spend : array, shape (c, g, t)
        Spend per size over its mean, channels outermost.
    columns : array, shape (g * t, p)
        Of the baseline.
    weight : array, shape (g * t,)
        Inverse standard deviations of the noise, up to `noise`; 0 leaves a row out.
    family : {"hill", "log", "power"}
    priors : Priors
    noise : float
        Standard deviation of a weighted row.
    common : float
        Share of the groups' common movement that is taken off: ``1 - 1 / sqrt(ratio)``, the ratio being its
        variance over that of noise.
    """

    target: FloatArray
    spend: FloatArray
    columns: FloatArray
    weight: FloatArray
    family: Family
    priors: Priors
    noise: float = 1.0
    common: float = 0.0
    basis: FloatArray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "basis", independent(self.weighed(self.columns)))

    @property
    def n_used(self) -> int:
        """Rows that are not left out."""
        return int((self.weight > 0).sum())

    @property
    def n_free(self) -> int:
        """Rows beyond the numbers they have to settle: those of the baseline, and two a channel."""
        return max(self.n_used - int(self.basis.shape[1]) - 2 * len(self.spend), 1)

    def weighed(self, values: FloatArray) -> FloatArray:
        """Weigh values by row, and take off what groups have in common; shape (g * t, ...)."""
        columns = values.reshape(len(values), -1) * self.weight[:, None]
        if self.common:
            by_group = columns.reshape(*self.spend.shape[1:], -1)
            along = self._along()[:, :, None]
            by_group = by_group - self.common * along * (along * by_group).sum(axis=0)
            columns = by_group.reshape(columns.shape)
        return columns.reshape(values.shape)

    def _along(self) -> FloatArray:
        """Give the direction of a common shock in each period, shape (g, t)."""
        weight = self.weight.reshape(self.spend.shape[1:])
        size = np.sqrt((weight**2).sum(axis=0))
        return np.asarray(weight / np.where(size > 0, size, 1.0))

    def without_baseline(self, values: FloatArray) -> FloatArray:
        """Weigh values, and take off what the baseline could explain; shape (g * t, ...)."""
        weighted = self.weighed(values)
        return np.asarray(weighted - self.basis @ (self.basis.T @ weighted))

    def common_of(self, theta: Theta) -> float:
        """Give the share of common movement to take off, by what a fit without it leaves."""
        left = replace(self, common=0.0).residual(theta).reshape(self.spend.shape[1:])
        groups, periods = len(left), int((self.weight.reshape(left.shape) > 0).any(axis=0).sum())
        if groups == 1:
            return 0.0
        together = float(((self._along() * left).sum(axis=0) ** 2).sum())
        alone = (float((left**2).sum()) - together) / (groups - 1)
        free = max(periods - (self.basis.shape[1] - groups), 1)
        ratio = max((together / free) / (alone / periods), 1.0) if alone > 0 else 1.0
        return float(1 - 1 / np.sqrt(ratio))

    def effects(self, theta: Theta) -> FloatArray:
        """Give what each channel brought, over the mean outcome of the group; shape (g * t, c)."""
        decay, exponent = theta.decay, theta.exponent
        parts = [
            np.exp(theta.level[c])
            * relative(self.family, adstock(x, decay[c]), theta.bend[c], exponent[c]).ravel()
            for c, x in enumerate(self.spend)
        ]
        return np.column_stack(parts)

    def _derivatives(self, theta: Theta) -> tuple[FloatArray, FloatArray]:
        """Give the sum of the effects, and its derivative by the packed parameters."""
        count, rows = len(self.spend), len(self.target)
        blocks = np.zeros((rows, 4, count))
        decay, exponent = theta.decay, theta.exponent
        for c, x in enumerate(self.spend):
            pressure, change = adstock_and_slope(x, decay[c])
            pressure, change, bend, n = pressure.ravel(), change.ravel(), theta.bend[c], exponent[c]
            blocks[:, 0, c] = relative(self.family, pressure, bend, n)
            blocks[:, 1, c] = by_bend(self.family, pressure, float(bend), float(n))
            by_odds = change * decay[c] * (1 - decay[c])
            blocks[:, 2, c] = np.where(by_odds != 0, slope(self.family, pressure, bend, n) * by_odds, 0.0)
            if self.priors.exponent_spread:
                blocks[:, 3, c] = by_log_exponent(pressure, float(bend), float(n))
        blocks *= np.exp(theta.level)
        total = blocks[:, 0].sum(axis=1)
        return total, np.column_stack([blocks.reshape(rows, -1), np.zeros(rows)])

    def solve(
        self,
        start: Theta,
        *,
        data: FloatArray | None = None,
        shift: FloatArray | float = 0.0,
        most: int = 40,
    ) -> Solution:
        """Search from `start`.

        Parameters
        ----------
        start : Theta
        data : array, shape (g * t,), optional
            Weighted rows in the place of the outcome's, free of the baseline.
        shift : array, shape (4 * c + 1,)
            Added to the prior means, in spreads.
        most : int
            Evaluations.
        """
        from scipy.optimize import least_squares

        wanted = self.without_baseline(self.target) if data is None else data
        kept: dict[str, FloatArray] = {}

        def rows(packed: FloatArray) -> FloatArray:
            theta = Theta.unpack(packed)
            total, by = self._derivatives(theta)
            together = self.without_baseline(np.column_stack([total, by]))
            prior, by_prior = self.priors.rows(theta)
            kept["jacobian"] = np.concatenate([together[:, 1:] / self.noise, by_prior])
            kept["at"] = packed.copy()
            return np.concatenate([(together[:, 0] - wanted) / self.noise, prior - shift])

        def jacobian(packed: FloatArray) -> FloatArray:
            if not np.array_equal(kept["at"], packed):
                rows(packed)
            return kept["jacobian"]

        bounds = self._bounds()
        inside = np.clip(start.pack(), bounds[0] + 1e-6, bounds[1] - 1e-6)
        found: Any = least_squares(
            rows, inside, jacobian, bounds=bounds, max_nfev=most, ftol=1e-6, xtol=1e-6, gtol=1e-6
        )
        return Solution(Theta.unpack(found.x), float(found.cost), np.asarray(found.jac))

    def _bounds(self) -> tuple[FloatArray, FloatArray]:
        c = len(self.spend)
        exponents = EXPONENTS if self.priors.exponent_spread else (-1e-5, 1e-5)
        ends = np.array([LEVELS, BENDS, ODDS, exponents])
        low, high = (np.repeat(side, c) for side in ends.T)
        return np.append(low, -15.0), np.append(high, 5.0)

    def starts(self) -> list[Theta]:
        """Give places to search from: every decay and bend tried, levels by non-negative least squares."""
        from scipy.optimize import nnls

        wanted, count = self.without_baseline(self.target), len(self.spend)
        found = []
        for decay in DECAYS_TRIED:
            for bend in BENDS_TRIED:
                flat = np.zeros(count)
                theta = Theta(
                    flat, flat + bend, flat + np.log(decay / (1 - decay)), flat, np.array(self.priors.centre)
                )
                size, _ = nnls(self.without_baseline(self.effects(theta)), wanted)
                least = 0.1 * np.exp(self.priors.log_share + self.priors.centre)
                found.append(replace(theta, level=np.log(np.maximum(size, least))))
        return found

    def residual(self, theta: Theta) -> FloatArray:
        """Give the weighted rows' residual, shape (g * t,)."""
        return self.without_baseline(self.target - self.effects(theta).sum(axis=1))

    def baseline(self, theta: Theta) -> FloatArray:
        """Give the outcome without media over its group's mean, for all rows; shape (g * t,)."""
        left = self.target - self.effects(theta).sum(axis=1)
        size = np.linalg.lstsq(self.weighed(self.columns), self.weighed(left), rcond=1e-9)[0]
        return np.asarray(self.columns @ size)

    def noise_of(self, theta: Theta) -> float:
        """Give the standard deviation of a weighted row around the fit."""
        left = self.residual(theta)
        return max(float(np.sqrt(left @ left / self.n_free)), LEAST_NOISE)


def best(problem: Problem, starts: Sequence[Theta]) -> Solution:
    """Search from several places, and give the best end."""
    ends = [problem.solve(start) for start in starts]
    return min(ends, key=lambda end: end.cost)
