"""From a scenario and its data to response curves: functions, and the immutable object they give."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TextIO

import pandas as pd

from allocator import pipeline
from allocator.api.files import write_whole
from allocator.errors import ArgumentError, DataError, Finding
from allocator.report.fitted import FitView, build_fit
from allocator.report.record import FitRecord, record_of
from allocator.report.render.fit_json import fit_to_dict, fit_to_json
from allocator.report.render.text import Terminal, render_text
from allocator.report.view import DataFacts
from allocator.response.curves import Curves
from allocator.response.table import from_frame, to_frame
from allocator.scenario.schema import Scenario
from allocator.stages.customers import Customers
from allocator.stages.frames import EffectRow, TierRow, customer_frame, frame_of
from allocator.stages.judge import Judged

__all__ = ["Forecast", "curves_from_frame", "fit"]


@dataclass(frozen=True, eq=False)
class Forecast:
    """What each unit of money is expected to bring: one response curve per cell or tied channel.

    Parameters
    ----------
    curves : Curves
        The contract between the predictive layer and the plan.
    record : FitRecord
        What was found on the way; empty for curves that were read from a table.
    scenario : Scenario, optional
        The one it was fitted for.
    found : pipeline.Forecasted, optional
        What the stages gave, where they ran in this process.
    """

    curves: Curves
    record: FitRecord = field(default_factory=FitRecord)
    scenario: Scenario | None = None
    found: pipeline.Forecasted | None = None

    def to_frame(self) -> pd.DataFrame:
        """Give the curves as a tidy table, which can be edited and read back by `curves_from_frame`.

        Returns
        -------
        pandas.DataFrame
            One row a breakpoint (and draw): ``tier`` (empty: the channel's total), ``channel``, ``period``,
            ``segment``, ``population``, ``draw`` (empty: expected), ``spend``, ``value``, ``source``. Money;
            ``value`` is incremental margin, gross of spend.
        """
        return to_frame(self.curves)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Advice on the tables, the models and the effects."""
        return self.facts.findings

    @cached_property
    def facts(self) -> DataFacts:
        """What a plan tells of its data: hash, rejected rows, customers of each tier, advice."""
        record = self.record
        return DataFacts(
            record.data_sha256, record.rejects, dict(record.sizes), record.findings, record.rows_read
        )

    @cached_property
    def clv(self) -> pd.DataFrame:
        """What customers are expected to bring; empty without orders.

        Returns
        -------
        pandas.DataFrame
            One row a customer of the population: ``customer_id``, ``tier``, ``frequency`` (repeat purchase
            days), ``recency_weeks``, ``age_weeks``, ``mean_value`` (money a purchase day),
            ``p_any_purchase`` (within the value window), ``clv`` (margin expected within it, discounted).
        """
        return customer_frame(self.found.customers) if self.found else customer_frame(Customers())

    @cached_property
    def tiers(self) -> pd.DataFrame:
        """Tiers with the customers each stands for; empty where no table counts them.

        Returns
        -------
        pandas.DataFrame
            ``tier``, ``customers`` (of the plan), ``share``, ``in_data`` (customers in the tables),
            ``lowest`` and ``mean`` of what they are sorted by.
        """
        return frame_of(self.record.tiers, TierRow)

    @cached_property
    def effects(self) -> pd.DataFrame:
        """What one contact brings, per tier and channel; empty where nothing was tested.

        Returns
        -------
        pandas.DataFrame
            ``tier``, ``channel``, ``treated`` and ``control`` (customers), ``raw`` (difference of means),
            ``adjusted`` and its ``standard_error``, ``effect`` (shrunk: what the plan uses), ``low`` and
            ``high`` (8 in 10), ``is_noise``. Money of margin per contact.
        """
        return frame_of(self.record.effects, EffectRow)

    @cached_property
    def holdout(self) -> Judged | None:
        """How a forecast made from earlier orders compares with what followed; None without orders."""
        if self.found is None or self.scenario is None:
            return None
        return pipeline.judge(self.scenario, self.found.tables)

    def to_dict(self) -> dict[str, Any]:
        """Give the forecast as plain data in the schema ``allocator.fit/1``, numbers unrounded."""
        return fit_to_dict(self._view)

    def to_json(self) -> str:
        """Give `to_dict` as JSON text, as ``allocator fit --json`` prints it."""
        return fit_to_json(self._view)

    def to_text(self, stream: TextIO | None = None) -> str:
        """Give customers, tiers, holdout figures, effects and curves as text, fitted to a stream.

        Parameters
        ----------
        stream : text stream, optional
            Default: 120 columns, no colours, any character.
        """
        return render_text(build_fit(self._view), Terminal.of(stream) if stream else None)

    def save(self, folder: str | os.PathLike[str], *, force: bool = False) -> Path:
        """Write the curves to ``curves.csv`` in a folder, all of it or nothing, and give its path.

        Parameters
        ----------
        folder : path
        force : bool
            Whether curves that differ, perhaps edited by hand, may be overwritten.

        Raises
        ------
        DataError
            E011 when the folder cannot be written, or holds other curves.
        """
        text = self.to_frame().to_csv(index=False, lineterminator="\n")
        return write_whole(Path(folder), "curves.csv", text, force=force)

    def __str__(self) -> str:
        return self.to_text().rstrip("\n") if self.scenario else repr(self)

    def __repr__(self) -> str:
        return f"<Forecast of {', '.join(self.curves.channels)}>"

    @property
    def _view(self) -> FitView:
        if self.scenario is None or self.found is None:
            raise DataError(Finding("E209", None, "these curves were read from a table; nothing was fitted"))
        return FitView(self.scenario, self.record, self.curves, self.holdout)


def fit(scenario: Scenario, *, progress: Callable[[str], None] | None = None) -> Forecast:
    """Give the response curves a scenario asks for, fitting what they need.

    Tables are read and checked, customers predicted and cut into tiers, effects of contacts estimated and
    shrunk; channels that rest on estimates get the curves stated.

    Parameters
    ----------
    scenario : Scenario
    progress : callable, optional
        Is told each stage as it begins.

    Raises
    ------
    DataError
        With every finding about the tables.
    ScenarioError
        When a response cannot become a curve.

    Examples
    --------
    >>> import allocator as al
    >>> forecast = al.fit(al.load_scenario("scenarios/q1_base.yaml"))
    >>> forecast.curves.channels
    ('email', 'direct_mail', 'phone', 'search', 'social')
    >>> forecast.effects.columns.tolist()[:3]
    ['tier', 'channel', 'treated']
    """
    found = pipeline.forecast(scenario, progress or (lambda stage: None))
    return Forecast(found.curves, record_of(scenario, found), scenario, found)


class ConvertibleTable(Protocol):
    """A table of another library that can become a pandas one, such as polars and Arrow have."""

    def to_pandas(self) -> pd.DataFrame:
        """Give the table as a pandas one."""
        ...


def curves_from_frame(frame: pd.DataFrame | ConvertibleTable) -> Forecast:
    """Read a table of response curves, as `Forecast.to_frame` gives it and people edit it.

    Parameters
    ----------
    frame : pandas.DataFrame, polars.DataFrame or pyarrow.Table
        Only read, never changed.

    Raises
    ------
    ArgumentError
        A `TypeError` as well: `frame` is no table.
    DataError
        With every faulty row and its number.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"channel": "email", "spend": [50e3, 90e3], "value": [120e3, 160e3]})
    >>> curves_from_frame(table).curves.channels
    ('email',)
    """
    table = frame if isinstance(frame, pd.DataFrame) else getattr(frame, "to_pandas", lambda: None)()
    if not isinstance(table, pd.DataFrame):
        kind = type(frame).__name__
        what = f"curves are read from a table of pandas, polars or pyarrow, not from a value of type {kind}"
        raise ArgumentError(Finding("E103", None, what))
    return Forecast(from_frame(table))


def forecast_of(given: Forecast | Curves | pd.DataFrame | ConvertibleTable) -> Forecast:
    """Give a forecast of what people have in hand: a forecast, its curves, or a table of them.

    Raises
    ------
    ArgumentError
        When it is none of these.
    """
    if isinstance(given, Forecast):
        return given
    return Forecast(given) if isinstance(given, Curves) else curves_from_frame(given)
