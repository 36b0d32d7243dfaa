"""Which tables a scenario may read, how each is written, and which columns we make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from allocator.options import Count, Duration, Money, Names, Options, Share, Text, fault


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

    @model_validator(mode="after")
    def _marks_differ(self) -> Self:
        if self.thousands is not None and self.thousands == (self.decimal or "."):
            fix = 'write decimal: "," too' if self.decimal is None else ""
            raise fault("E113", "thousands and decimals have the same mark", fix, at="thousands")
        if self.delimiter is not None and self.delimiter in '"\r\n\\':
            raise fault("E103", "nothing can be told apart by this delimiter", at="delimiter")
        return self


class TransactionsTable(TableOptions):
    """One row per order or order line."""

    returns: Literal["match", "net", "drop"] | None = None
    """What becomes of negative amounts."""


class CustomersTable(TableOptions):
    """The population the plan is for."""

    attributes: Names = ()
    """Columns the models may use, as they always were: none that changes with what customers buy."""
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
    assignment: Literal["random", "estimated"] = "random"
    """Whether arms were drawn by lot (or `propensity` says how), or who got which is estimated."""
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
    spend: Annotated[Mapping[str, Text], Field(min_length=1)]
    """Channel to the column with its spend."""
    controls: Names = ()
    """Columns that move the outcome besides spend: numbers, or texts such as the name of an event."""
    group: Text | None = None
    """Column with the region or tier of a row."""

    @model_validator(mode="after")
    def _names_its_columns(self) -> Self:
        if self.columns:
            what = "the columns of a spend history are named by date, outcome, spend, controls and group"
            raise fault("E113", what, "write them there", at="columns")
        return self


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


AS_WRITTEN = "as written"
"""The meaning of columns that only the scenario knows."""


class Kind(Enum):
    """What the cells of a column mean, and the type they are read as."""

    ID = "id"
    """Text: leading zeros stay, spaces around it go, a whole number is written without a point."""
    TEXT = "text"
    """Text in NFC, spaces around it gone."""
    DATE = "date"
    """A day or a point in time; datetime64."""
    AMOUNT = "amount"
    """A finite number, such as money; float64."""
    SHARE = "share"
    """A number between 0 and 1, also written 20%; float64."""
    FLAG = "flag"
    """1 or 0, also written true, yes, false, no; float64."""
    WRITTEN = "as written"
    """Numbers (float64) where every cell is one, else text."""


@dataclass(frozen=True)
class Column:
    """One of our columns.

    Parameters
    ----------
    name : str
        Ours.
    kind : Kind
    meaning : str
        What stands in it, for people.
    required : bool
        Whether the table is of use without it.
    filled : bool
        Whether a row with an empty cell is unusable.
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    filled: bool = True


@dataclass(frozen=True)
class Contract:
    """What a table has to hold.

    Parameters
    ----------
    name : str
        The key under ``data``.
    columns : tuple of Column
    any_of : tuple of str
        Columns of which at least one has to be there.
    unique : tuple of str
        Columns that together name a row at most once; empty where rows may repeat.
    at_least_zero : tuple of str
        Columns that cannot be negative.
    whole : bool
        Whether columns we do not know are read too, for a later check to name them.
    """

    name: str
    columns: tuple[Column, ...]
    any_of: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    at_least_zero: tuple[str, ...] = ()
    whole: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Our names, in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """Give one of our columns; any other name is a column read as it is written."""
        known = {column.name: column for column in self.columns}
        return known.get(name) or Column(name, Kind.WRITTEN, AS_WRITTEN, filled=False)


TRANSACTIONS = Contract(
    "transactions",
    (
        Column("customer_id", Kind.ID, "who ordered; may be empty", required=True, filled=False),
        Column("ordered_on", Kind.DATE, "when", required=True),
        Column("amount", Kind.AMOUNT, "revenue of the order or line; returns are negative", required=True),
        Column("order_id", Kind.ID, "lines with the same one are one order", filled=False),
        Column("margin", Kind.AMOUNT, "margin of the order or line", filled=False),
        Column("category", Kind.TEXT, "what was bought", filled=False),
        Column("channel", Kind.TEXT, "where the order came from", filled=False),
    ),
)
CUSTOMERS = Contract(
    "customers",
    (Column("customer_id", Kind.ID, "who; each once", required=True),),
    unique=("customer_id",),
)
EXPERIMENTS = Contract(
    "experiments",
    (
        Column("arm", Kind.TEXT, "which treatment was assigned, control included", required=True),
        Column("revenue", Kind.AMOUNT, "revenue within the window"),
        Column("converted", Kind.FLAG, "whether the customer converted within the window"),
        Column("retained", Kind.FLAG, "whether the customer was still active at its end"),
        Column("customer_id", Kind.ID, "who; absent: every row is a customer"),
        Column("cost", Kind.AMOUNT, "what the contact cost", filled=False),
        Column("propensity", Kind.SHARE, "probability of the assigned arm"),
        Column("cluster_id", Kind.ID, "what was assigned together, such as a household"),
        Column("contacted_on", Kind.DATE, "when; for control rows when it would have been", filled=False),
    ),
    any_of=("revenue", "converted", "retained"),
    at_least_zero=("cost",),
)
SPEND_HISTORY = Contract(
    "spend_history",
    (
        Column("date", Kind.DATE, "the start of the period", required=True),
        Column("outcome", Kind.AMOUNT, "revenue or conversions of the period", required=True),
        Column("group", Kind.TEXT, "the region or tier; absent: the whole"),
    ),
    unique=("date", "group"),
)
CURVES = Contract(
    "curves",
    (
        Column("channel", Kind.TEXT, "the channel", required=True, filled=False),
        Column("spend", Kind.WRITTEN, "a breakpoint", required=True, filled=False),
        Column(
            "value", Kind.WRITTEN, "incremental margin there, gross of spend", required=True, filled=False
        ),
        *(
            Column(name, Kind.TEXT, "empty: the whole", filled=False)
            for name in ("tier", "period", "segment", "source")
        ),
        *(
            Column(name, Kind.WRITTEN, "a number", filled=False)
            for name in (
                "population",
                "draw",
                "revenue",
                "observed_to",
                "conversions",
                "retained",
                "contacts",
            )
        ),
    ),
    whole=True,
)
CONTRACTS: Mapping[str, Contract] = MappingProxyType(
    {contract.name: contract for contract in (TRANSACTIONS, CUSTOMERS, EXPERIMENTS, SPEND_HISTORY, CURVES)}
)


SPEND, CONTROL = "spend.", "control."
"""What our names of a spend history's columns begin with; a channel's or the file's name follows."""


class Named(NamedTuple):
    """The file's name of one of our columns, and the option that says so."""

    theirs: str
    option: str


def named_columns(options: TableOptions) -> Mapping[str, Named]:
    """Give the columns a scenario maps to ours, by our names.

    Examples
    --------
    >>> weekly = SpendHistoryTable(path="w.csv", date="week", outcome="revenue", spend={"tv": "tv_S"})
    >>> named_columns(weekly)["spend.tv"]
    Named(theirs='tv_S', option='spend.tv')
    """
    if not isinstance(options, SpendHistoryTable):
        return {ours: Named(theirs, f"columns.{ours}") for ours, theirs in options.columns.items()}
    match options.outcome:
        case ConversionOutcome(conversions=theirs):
            outcome = Named(theirs, "outcome.conversions")
        case theirs:
            outcome = Named(theirs, "outcome")
    return {
        "date": Named(options.date, "date"),
        "outcome": outcome,
        **({"group": Named(options.group, "group")} if options.group else {}),
        **{f"{SPEND}{name}": Named(theirs, f"spend.{name}") for name, theirs in options.spend.items()},
        **{f"{CONTROL}{name}": Named(name, "controls") for name in options.controls},
    }


def completed(contract: Contract, options: TableOptions) -> Contract:
    """Give a contract with the columns that only the options name: those of a spend history."""
    if not isinstance(options, SpendHistoryTable):
        return contract
    named = named_columns(options)
    kept = tuple(column for column in SPEND_HISTORY.columns if column.name in named)
    spend = tuple(f"{SPEND}{name}" for name in options.spend)
    paid = (Column(name, Kind.AMOUNT, "spend of a channel", required=True) for name in spend)
    moving = (Column(f"{CONTROL}{name}", Kind.WRITTEN, AS_WRITTEN, filled=False) for name in options.controls)
    return replace(contract, columns=(*kept, *paid, *moving), at_least_zero=spend)


def columns_as_written(options: TableOptions) -> tuple[str, ...]:
    """Give the columns a scenario names itself, by the file's names: attributes or covariates."""
    if isinstance(options, CustomersTable):
        return options.attributes
    return options.covariates if isinstance(options, ExperimentsTable) else ()


def options_for(contract: Contract, path: str = "<frame>") -> TableOptions:
    """Give the options of a table that is written as we would write it."""
    kinds: Mapping[str, type[TableOptions]] = {
        "transactions": TransactionsTable,
        "customers": CustomersTable,
        "experiments": ExperimentsTable,
        "curves": CurvesTable,
    }
    return kinds.get(contract.name, TableOptions)(path=path)
