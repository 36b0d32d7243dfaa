"""What was forecast: the immutable object that scenario and data become, or a table of curves."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TextIO

import pandas as pd

from allocator import pipeline
from allocator.api.files import guard, write_whole
from allocator.api.plots import ForecastPlots
from allocator.api.saved import SavedForecast, read_saved, write_saved
from allocator.errors import DataError, Finding
from allocator.models.clv.leaderboard import Leaderboard
from allocator.models.drift import DriftReport
from allocator.report.fitted import FitView, build_fit
from allocator.report.record import FitRecord, OutlookRecord
from allocator.report.render.fit_json import fit_to_dict, fit_to_json
from allocator.report.render.text import Terminal, render_text
from allocator.report.view import DataFacts
from allocator.response.curves import Curves
from allocator.response.table import to_frame
from allocator.scenario.schema import Scenario
from allocator.stages.customers import Customers
from allocator.stages.frames import CUSTOMER_COLUMNS, EffectRow, TierRow, customer_frame, frame_of
from allocator.stages.judge import Judged
from allocator.stages.outlook import Outlook
from allocator.study.halves import Half, halves_of

__all__ = ["Forecast"]


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
    saved : SavedForecast, optional
        What was read back from a folder.
    before : Forecast, optional
        An earlier one that is looked at in the light of this one's orders.
    """

    curves: Curves
    record: FitRecord = field(default_factory=FitRecord)
    scenario: Scenario | None = None
    found: pipeline.Forecasted | None = None
    saved: SavedForecast | None = None
    before: Forecast | None = None

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
            ``p_any_purchase`` (within the value window), ``clv`` (margin expected within it, discounted),
            ``clv_if_active`` (the same of one known to be active: what keeping the customer is worth).
        """
        if self.saved is not None:
            return self.saved.customers[list(CUSTOMER_COLUMNS)]
        return customer_frame(self.found.customers) if self.found else customer_frame(Customers())

    @cached_property
    def intervals(self) -> pd.DataFrame:
        """How sure the value of every customer is; empty without orders.

        Returns
        -------
        pandas.DataFrame
            ``customer_id``, ``clv``; ``clv_low`` and ``clv_high``: 8 in 10 for what is not known of the
            model; ``outcome_low`` and ``outcome_high``: 8 in 10 for what will come, model and chance.
        """
        names = ["customer_id", "clv", "clv_low", "clv_high", "outcome_low", "outcome_high"]
        return self._customers.reindex(columns=names)

    @cached_property
    def leaderboard(self) -> pd.DataFrame:
        """How the models did on earlier windows; empty where the scenario names its model.

        Returns
        -------
        pandas.DataFrame
            ``model``, the best first; ``chosen``; ``behind`` the best in normalised Gini and its ``noise``;
            every metric; ``note``.
        """
        board = (self.record.clv.forecast.leaderboard if self.record.clv else None) or Leaderboard()
        rows = [
            {"model": row.name, "chosen": row.name == board.chosen, "behind": row.behind, "noise": row.noise}
            | (asdict(row.scores) if row.scores else {})
            | {"note": row.note}
            for row in board.rows
        ]
        return pd.DataFrame(rows)

    @cached_property
    def survival(self) -> pd.DataFrame:
        """Share of each tier's customers expected to be active; empty without orders.

        Returns
        -------
        pandas.DataFrame
            ``tier``, ``month`` (0 is the as-of day), ``active``.
        """
        rows = [
            {"tier": tier.tier, "month": month, "active": share}
            for tier in self.outlook.tiers
            for month, share in enumerate(tier.survival)
        ]
        return pd.DataFrame(rows, columns=["tier", "month", "active"])

    @cached_property
    def by_month(self) -> pd.DataFrame:
        """Margin expected of each tier, not discounted, by calendar month; empty without orders.

        Returns
        -------
        pandas.DataFrame
            ``tier``, ``starts_on``, ``value`` in money of the customers in the tables.
        """
        rows = [
            {"tier": season.tier, "starts_on": start, "value": value}
            for season in self.outlook.seasons
            for start, value in zip(season.starts, season.values, strict=True)
        ]
        return pd.DataFrame(rows, columns=["tier", "starts_on", "value"])

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

    @property
    def holdout(self) -> Judged | None:
        """How a forecast made from earlier orders compares with what followed; None without orders."""
        return self.outlook.judged

    @cached_property
    def importance(self) -> pd.DataFrame:
        """What the forecast of customers rests on, judged by the days held out.

        Returns
        -------
        pandas.DataFrame
            Index: features, the most important first; ``loss``: how much normalised Gini falls when the
            feature is shuffled, and its ``spread``. Of the regression in the forecast, else of boosted trees
            that learned on the same day. Empty without orders to judge by.
        """
        if self.found is None or self.scenario is None:
            what = "importance needs the orders a forecast was fitted to in this process"
            raise DataError(Finding("E209", None, what))
        found = pipeline.importance(self.scenario, self.found.tables)
        return pd.DataFrame(columns=["loss", "spread"]) if found is None else found

    def contributions(self, customer_id: Sequence[str]) -> pd.DataFrame:
        """Say what each feature adds to the revenue forecast of some customers.

        Parameters
        ----------
        customer_id : sequence of str
            With orders.

        Returns
        -------
        pandas.DataFrame
            One row a customer: ``base`` (mean forecast of other customers) and a column a feature; they add
            to the forecast of the regression, in money of its weeks. By sampled Shapley values.

        Raises
        ------
        DataError
            E209 where nothing was fitted in this process, E315 for a customer without an order.
        """
        if self.found is None or self.scenario is None or self.record.clv is None:
            raise DataError(Finding("E209", None, "reasons need the orders a forecast was fitted to"))
        found = pipeline.explain_customers(self.scenario, self.found, customer_id)
        table = found.parts.copy()
        table.insert(0, "base", found.base)
        return table

    @cached_property
    def halves(self) -> tuple[Half, ...]:
        """Effects by each half of the test, for plans to be judged by the other; empty where none can be."""
        tested = self.found.tested if self.found else None
        if tested is None or self.scenario is None:
            return ()
        return halves_of(self.scenario, tested)

    @cached_property
    def plot(self) -> ForecastPlots:
        """Charts of how good the forecast is; they need the extra ``plots``."""
        if self.found is None or self.scenario is None:
            raise DataError(Finding("E209", None, "charts need the forecast that was fitted in this process"))
        return ForecastPlots(self.scenario, self.found)

    @cached_property
    def outlook(self) -> OutlookRecord:
        """How the forecast did on days it had not seen, how sure it is, and when its value comes."""
        if self.saved is not None:
            return self.saved.outlook
        ahead = self._ahead
        if self.found is None or self.scenario is None or ahead is None:
            return OutlookRecord()
        judged = pipeline.judge(self.scenario, self.found.tables)
        notes = () if judged else tuple(_not_held_out(self.scenario))
        return OutlookRecord(judged, ahead.tiers, ahead.seasons, ahead.trend, (*ahead.findings, *notes))

    @cached_property
    def _ahead(self) -> Outlook | None:
        if self.found is None or self.scenario is None:
            return None
        return pipeline.look_further(self.scenario, self.found)

    @cached_property
    def _customers(self) -> pd.DataFrame:
        if self.saved is not None:
            return self.saved.customers
        return customer_frame(self.found.customers if self.found else Customers(), self._ahead)

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
        """Write the forecast to a folder: ``curves.csv`` for people, ``forecast/`` to be read back.

        Parameters
        ----------
        folder : path
        force : bool
            Whether curves that differ, perhaps edited by hand, may be overwritten.

        Returns
        -------
        Path
            Of the curves.

        Raises
        ------
        DataError
            E011 when the folder cannot be written, or holds other curves.
        """
        text = self.to_frame().to_csv(index=False, lineterminator="\n")
        force = force or self._renews(Path(folder) / "curves.csv")
        guard(Path(folder), "curves.csv", text, force=force)
        if self.found is not None or self.saved is not None:
            saved = SavedForecast(self.curves, self.record, self.outlook, self._customers)
            write_saved(Path(folder), saved)
        return write_whole(Path(folder), "curves.csv", text, force=force)

    def _renews(self, path: Path) -> bool:
        """Whether a file holds the curves of the forecast before, as they were saved."""
        if self.before is None or not path.is_file():
            return False
        saved = self.before.to_frame().to_csv(index=False, lineterminator="\n")
        return path.read_bytes() == saved.encode()

    @classmethod
    def load(cls, folder: str | os.PathLike[str], scenario: Scenario | None = None) -> Self:
        """Read a forecast that `save` wrote; plans made from it are those made from the original.

        Parameters
        ----------
        folder : path
        scenario : Scenario, optional
            The one it was fitted for, to print it; W417 where it has changed since.

        Raises
        ------
        DataError
            E001 without a saved forecast, E013 when it cannot be read.
        """
        saved = read_saved(Path(folder))
        record = saved.record
        if scenario is not None and scenario.sha256 != record.scenario_sha256:
            what = f"the forecast in {folder} was made for another state of the scenario"
            finding = Finding(
                "W417", None, what, "fit it anew where data, models, tiers or responses changed"
            )
            record = replace(record, findings=(*record.findings, finding))
        return cls(saved.curves, record, scenario, saved=saved)

    def since(self, before: Forecast) -> Self:
        """Give this forecast with what it says of an earlier one: whether that has aged.

        Parameters
        ----------
        before : Forecast
            Of the same orders at an earlier day, read back by `load`.
        """
        return replace(self, before=before)

    @cached_property
    def drift(self) -> DriftReport | None:
        """Whether the forecast given to `since` has aged; None without it, or without orders."""
        before = self.before.record.clv if self.before else None
        if before is None or self.before is None or self.found is None or self.scenario is None:
            return None
        known = self.before._customers
        ordered = known[known["age_weeks"] > 0]
        return pipeline.drift(self.scenario, self.found.tables, ordered, before.as_of, before.forecast.level)

    def __str__(self) -> str:
        return self.to_text().rstrip("\n") if self.scenario else repr(self)

    def __repr__(self) -> str:
        return f"<Forecast of {', '.join(self.curves.channels)}>"

    @property
    def _view(self) -> FitView:
        if self.scenario is None or (self.found is None and self.saved is None):
            raise DataError(Finding("E209", None, "these curves were read from a table; nothing was fitted"))
        return FitView(self.scenario, self.record, self.curves, self.outlook, self.drift)


def _not_held_out(scenario: Scenario) -> Iterator[Finding]:
    """Say that what the scenario wants held out leaves nothing to learn from."""
    if scenario.models.holdout is not None:
        what = "nothing was held out: too few orders lie before the time that models.holdout keeps"
        yield Finding("W404", scenario.origin_of("models.holdout"), what, "hold out less")
