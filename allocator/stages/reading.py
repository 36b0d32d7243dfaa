"""The first stage: every table a scenario names, checked and converted, with all findings at once."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields
from functools import partial

from allocator.errors import DataError, Finding, Origin, raise_findings
from allocator.scenario.references import COUNTED, PREDICTED
from allocator.scenario.schema import Scenario
from allocator.stages.places import placed
from allocator.tables.contracts import CONTRACTS
from allocator.tables.headers import read_header
from allocator.tables.sources import Table, read_table


@dataclass(frozen=True, eq=False)
class Tables:
    """The tables that were read; None where the scenario names none."""

    transactions: Table | None = None
    customers: Table | None = None
    experiments: Table | None = None
    spend_history: Table | None = None
    curves: Table | None = None

    def __iter__(self) -> Iterator[Table]:
        found = (getattr(self, field.name) for field in fields(self))
        return (table for table in found if table is not None)

    @property
    def sha256(self) -> str | None:
        """Hash of all files that were read, by table; None without any."""
        lines = "".join(f"{table.name} {table.sha256}\n" for table in self)
        return hashlib.sha256(lines.encode()).hexdigest() if lines else None

    @property
    def rejects(self) -> dict[str, int]:
        """Rows that could not be used, by table."""
        return {table.name: table.rejects.rows_rejected for table in self}

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Advice about what was read."""
        return tuple(finding for table in self for finding in table.findings)


def read_tables(scenario: Scenario) -> Tables:
    """Read every table that the scenario names.

    Raises
    ------
    DataError
        With every finding of every table.
    """
    read: dict[str, Table] = {}
    findings: list[Finding] = []
    for name, contract in CONTRACTS.items():
        options = getattr(scenario.data, name, None)
        if options is None:
            continue
        origin_of = partial(option_origin, scenario, name)
        folder = scenario.folder_of(f"data.{name}.path")
        try:
            extra = sorting_column(scenario, name, read_header(options, folder, origin_of))
            read[name] = read_table(
                options,
                contract,
                folder=folder,
                extra=extra,
                currency=scenario.currency,
                origin_of=origin_of,
            )
        except DataError as error:
            findings += placed(error, scenario.origin_of(f"data.{name}.path"))
    raise_findings(findings, DataError)
    return Tables(**read)


def sorting_column(scenario: Scenario, name: str, header: Collection[str]) -> tuple[str, ...]:
    """Give the column that tiers are sorted by, where this table has it."""
    by = scenario.tiers.by if scenario.tiers else PREDICTED
    return (by,) if by != PREDICTED and name in COUNTED and by in header else ()


def option_origin(scenario: Scenario, name: str, option: str) -> Origin | None:
    """Give the place of an option of a table."""
    return scenario.origin_of(f"data.{name}.{option}")
