"""The `data` section: which tables a scenario reads, and how each is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from allocator.options import Count, Duration, Money, Names, Options, Share, Text


class TableOptions(Options):
    """A file with a table."""

    path: Text
    """Relative to the scenario file that names it, inside the project folder."""
    columns: Mapping[str, Text] = Field(default_factory=dict)
    """Our column name to the file's."""
    encoding: Text | None = None
    """Such as utf-8 or gb18030; UTF-8 where absent."""
    decimal: Literal[".", ","] | None = None
    """The decimal mark of numbers."""
    thousands: Literal[".", ",", " ", "'", "_"] | None = None
    """What stands between thousands."""
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    """What stands between columns of a CSV file."""
    sheet: Text | None = None
    """Sheet of a workbook."""
    date_format: Text | None = None
    """Such as %d.%m.%Y; ISO dates where absent."""
    time_zone: Text | None = None
    """Such as Europe/Berlin, for times without one."""
    max_rejects: Share = 0.05
    """Share of rows that may be unusable before the run stops."""


class TransactionsTable(TableOptions):
    """One row per order or order line."""

    returns: Literal["match", "net", "drop"] | None = None
    """What becomes of negative amounts."""


class CustomersTable(TableOptions):
    """The population the plan is for."""

    attributes: Names = ()
    """Columns the models may use."""
    population: Count | None = None
    """Customers the table stands for; its rows where absent."""


class ExperimentsTable(TableOptions):
    """One row per customer and test, control rows included."""

    control: Text = "control"
    """Value of the arm column that means no contact."""
    arms: Mapping[str, Text] = Field(default_factory=dict)
    """Channel to the arm that tested it; the channel's own name where absent."""
    covariates: Names = ()
    """Columns measured before the contact; nothing else is ever used."""
    window: Duration | None = None
    """How long outcomes were counted."""
    combine: Literal["one_per_customer", "add"] | None = None
    """Whether a customer gets one channel at most, or effects add up."""


class ConversionOutcome(Options):
    """An outcome counted in conversions."""

    conversions: Text
    """Column with the number of conversions."""
    value_per_conversion: Money
    """Margin of one conversion."""


class SpendHistoryTable(TableOptions):
    """A wide panel, one row per period, and per group where there is one."""

    date: Text
    """Column with the start of the period."""
    outcome: Text | ConversionOutcome
    """Column with revenue, or conversions and what one is worth."""
    spend: Mapping[str, Text]
    """Channel to the column with its spend."""
    controls: Names = ()
    """Columns that move the outcome besides spend."""
    group: Text | None = None
    """Column with the region or tier of a row."""


class CurvesTable(TableOptions):
    """The table of response curves, as `allocator fit --out` writes it."""


class Data(Options):
    """The tables a scenario reads."""

    transactions: TransactionsTable | None = None
    """Orders."""
    customers: CustomersTable | None = None
    """Whom the plan is for."""
    experiments: ExperimentsTable | None = None
    """Contact logs with a control group."""
    spend_history: SpendHistoryTable | None = None
    """Spend and outcome over time."""
    curves: CurvesTable | None = None
    """Response curves made elsewhere, or edited by hand."""
