"""Charts of a forecast, each from data that did not make it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from allocator.api.plan_plots import drawn_responses
from allocator.errors import DataError, Finding, closest
from allocator.models.scoring import deciles
from allocator.models.uplift.auto import LearnedUplift
from allocator.models.uplift.calibration import (
    calibration_table,
    honest_slope,
    shrunk_by_others,
    stratum_means,
)
from allocator.models.uplift.qini import cross_fitted_curve
from allocator.pipeline import Forecasted
from allocator.report import charts
from allocator.report.sheet import EIGHT_IN_TEN
from allocator.report.uplift_charts import qini_chart, uplift_calibration
from allocator.scenario.schema import Scenario
from allocator.stages.effects import Tested
from allocator.stages.judge import Held, hold_out

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class ForecastPlots:
    """Charts of how good a forecast is; each gives a matplotlib figure.

    The end of the orders is held out as in ``forecast.holdout``, and what came is drawn beside what was
    expected.

    Parameters
    ----------
    scenario : Scenario
    found : Forecasted
    """

    scenario: Scenario = field(repr=False)
    found: Forecasted = field(repr=False)

    def deciles(self) -> Figure:
        """Draw the mean revenue of ten groups of customers, by forecast, against what came."""
        held = self._held
        forecast = held.forecast.expected_revenue(held.customers, held.came.weeks)
        return charts.decile_calibration(deciles(held.came.revenue, forecast), unit=self._money)

    def tracking(self) -> Figure:
        """Draw the purchases of the days held out, week by week, against what was expected."""
        ends, came, expected = self._held.purchases_by_week()
        return charts.cumulative_tracking(ends, came, expected)

    def heatmap(self) -> Figure:
        """Draw expected purchases by how often and how recently customers bought."""
        held = self._held
        summary = held.customers.summary
        expected = held.forecast.expected_purchases(held.customers, held.came.weeks)
        return charts.frequency_recency_heatmap(summary.frequency, summary.recency_weeks, expected)

    def predicted(self) -> Figure:
        """Draw purchases that came against those expected, by how often customers had bought before."""
        held = self._held
        expected = held.forecast.expected_purchases(held.customers, held.came.weeks)
        return charts.actual_against_predicted(
            held.customers.summary.frequency, held.came.purchase_days, expected, weeks=held.came.weeks
        )

    def qini(self, channel: str) -> Figure:
        """Draw what contacting ever more customers gains, by the ranking that was learned.

        Parameters
        ----------
        channel : str
            One that was tested.

        Raises
        ------
        DataError
            E209 where the test told no customers apart, or did not test the channel.
        """
        tested, learned, place = self._learned(channel)
        row = learned.board.row(learned.model).channels[place]
        gain, cluster = learned.gains[:, place], tested.log.test.cluster
        fitted = learned.fitted
        curve = cross_fitted_curve(gain, fitted.by_draw[:, :, place], fitted.folds, cluster)
        reach = EIGHT_IN_TEN * curve.standard_error
        return qini_chart(
            curve.share,
            curve.gain,
            curve.gain - reach,
            curve.gain + reach,
            area=(row.qini, row.qini_error),
            name=channel,
            unit=self.scenario.currency or "money",
        )

    def uplift_calibration(self, channel: str) -> Figure:
        """Draw the effects expected of groups of customers against those measured on customers not seen.

        Parameters
        ----------
        channel : str
            One that was tested.

        Raises
        ------
        DataError
            As :meth:`qini`.
        """
        tested, learned, place = self._learned(channel)
        test, folds, gains = tested.log.test, learned.fitted.folds, learned.gains
        effects = learned.fitted.out_of_fold
        kept = shrunk_by_others(effects, gains, test.stratum, folds, test.cluster)[:, place]
        slope = honest_slope(effects, gains, test.stratum, folds, test.cluster)[place]
        # around the mean, as the means of tiers are estimated elsewhere
        away = gains[:, place] - stratum_means(gains, test.stratum)[test.stratum, place]
        table = calibration_table(kept, away, cluster=test.cluster)
        return uplift_calibration(
            table.predicted,
            table.observed,
            table.standard_error,
            slope=(slope.value, slope.standard_error),
            name=channel,
            unit=f"{self.scenario.currency or 'money'} beside its tier",
        )

    def response_curves(self) -> Figure:
        """Draw what spend on every tier and channel brings, with the draws of its uncertainty.

        Raises
        ------
        DataError
            E209 for more curves than a sheet can hold.
        """
        return drawn_responses(self.scenario, self.found.curves)

    def _learned(self, channel: str) -> tuple[Tested, LearnedUplift, int]:
        """Give the test, what was learned from it, and the place of a channel."""
        tested = self.found.tested
        if tested is None or tested.learned is None:
            what = "no test of contacts was learned from customer by customer"
            raise DataError(Finding("E209", None, what, "it takes a test with control and covariates"))
        channels = tested.log.channels
        if channel not in channels:
            near = closest(channel, channels)
            fix = f"did you mean {near!r}?" if near else f"tested: {', '.join(channels)}"
            raise DataError(Finding("E209", None, f"no channel {channel!r} was tested", fix))
        return tested, tested.learned, channels.index(channel)

    @property
    def _money(self) -> str:
        return self.scenario.currency or "revenue"

    @cached_property
    def _held(self) -> Held:
        held = hold_out(self.scenario, self.found.tables)
        if held is None:
            raise DataError(Finding("E209", None, "there are too few orders to hold some out and compare"))
        return held
