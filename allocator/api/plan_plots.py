"""Charts of plans and of how plans of the past would have done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from allocator.errors import DataError, Finding
from allocator.plan.solution import CellResult, Solution
from allocator.report.promise_charts import promised_realised
from allocator.report.response_charts import DrawnCurve, response_curves
from allocator.response.curves import Curves, Response
from allocator.response.whole_tiers import whole_tiers
from allocator.scenario.schema import Scenario
from allocator.study.backtest import Backtest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 30  # charts on one sheet that can still be read


def drawn_responses(scenario: Scenario, curves: Curves, cells: Sequence[CellResult] = ()) -> Figure:
    """Draw what spend on every tier and channel brings; with the cells of a plan, where it puts the money.

    Raises
    ------
    DataError
        E209 for more curves than a sheet can hold.
    """
    whole = whole_tiers(curves)
    if len(whole) > MOST:
        what = f"{len(whole)} response curves do not fit on one sheet of {MOST}"
        raise DataError(Finding("E209", None, what, "draw single ones from the curves themselves"))
    drawn = [_drawn(one, [cell for cell in cells if _belongs(cell, one)]) for one in whole]
    unit = "incremental margin"
    return response_curves(drawn, unit=unit, currency=scenario.currency or "")


def _belongs(found: CellResult, one: Response) -> bool:
    """Whether a cell's money is spent along a response; that of a tied channel is, in all tiers."""
    cell = found.cell
    return (cell.channel, cell.period) == (one.channel, one.period) and one.tier in (None, cell.tier)


def _drawn(one: Response, cells: Sequence[CellResult]) -> DrawnCurve:
    current = [cell.current for cell in cells if cell.current is not None]
    end = one.curve.end
    return DrawnCurve(
        str(one),
        one.curve.spend,
        one.curve.value,
        draws=one.curve.draws,
        observed=None if one.observed_to is None else (0.0, one.observed_to),
        current=min(sum(current), end) if current else None,
        plan=min(sum(cell.spend for cell in cells), end) if cells else None,
    )


@dataclass(frozen=True, eq=False)
class PlanPlots:
    """Charts of a plan; each gives a matplotlib figure.

    Parameters
    ----------
    scenario : Scenario
    curves : Curves
        The plan was made from.
    solution : Solution
    """

    scenario: Scenario = field(repr=False)
    curves: Curves = field(repr=False)
    solution: Solution = field(repr=False)

    def response_curves(self) -> Figure:
        """Draw the response curves with what is spent now and in the plan.

        Raises
        ------
        DataError
            E209 for more curves than a sheet can hold.
        """
        return drawn_responses(self.scenario, self.curves, self.solution.cells)


@dataclass(frozen=True, eq=False)
class BacktestPlots:
    """Charts of a backtest; each gives a matplotlib figure.

    Parameters
    ----------
    scenario : Scenario
    result : Backtest
    """

    scenario: Scenario = field(repr=False)
    result: Backtest = field(repr=False)

    def promised(self) -> Figure:
        """Draw what plans made on one half of the test promised against what came on the other.

        Raises
        ------
        DataError
            E209 without a test that can be halved.
        """
        kept = self.result.kept
        if not kept:
            raise DataError(Finding("E209", None, "no test of contacts was large enough to be halved"))
        return promised_realised(
            [one.promised for one in kept],
            [one.came for one in kept],
            names=[f"half {place}" for place in range(1, len(kept) + 1)],
            error=[one.error for one in kept],
            unit=self.scenario.currency or "money",
            name=self.scenario.name,
        )
