"""Charts of a forecast, each from data that did not make it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from allocator.errors import DataError, Finding
from allocator.models.scoring import deciles
from allocator.pipeline import Forecasted
from allocator.report import charts
from allocator.scenario.schema import Scenario
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

    @property
    def _money(self) -> str:
        return self.scenario.currency or "revenue"

    @cached_property
    def _held(self) -> Held:
        held = hold_out(self.scenario, self.found.tables)
        if held is None:
            raise DataError(Finding("E209", None, "there are too few orders to hold some out and compare"))
        return held
