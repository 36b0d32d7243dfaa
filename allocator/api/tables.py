"""What was read: the tables of a scenario as its models see them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from allocator.report.render.layout import plain
from allocator.scenario.schema import Scenario
from allocator.stages.reading import read_tables
from allocator.tables.describe import describe
from allocator.tables.sources import Table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TableRead", "data", "tables_to_json"]


@dataclass(frozen=True, eq=False)
class TableRead:
    """One table as it was read; ``print(table)`` gives its encoding, columns and bad rows.

    Parameters
    ----------
    table : Table
    """

    table: Table

    @property
    def name(self) -> str:
        """The table's name under ``data``."""
        return self.table.name

    def to_frame(self) -> pd.DataFrame:
        """Give the usable rows, in our names and types."""
        return self.table.data.copy()

    def to_dict(self) -> dict[str, Any]:
        """Give what was read as plain data, with the first rows that cannot be used."""
        table = self.table
        return {
            "table": table.name,
            "file": table.source,
            "sha256": table.sha256,
            "encoding": table.encoding or None,
            "columns": dict(table.columns),
            "rows_read": table.rejects.rows_read,
            "rows_rejected": table.rejects.rows_rejected,
            "rejects": [
                {"row": one.row, "column": one.column or None, "value": one.value, "reason": one.reason}
                for one in table.rejects.examples
            ],
        }

    def __str__(self) -> str:
        rows = [(label, plain(text)) for label, text in describe(self.table)]
        width = max(len(label) for label, _ in rows)
        return "\n".join([self.name, *(f"  {label:<{width}}  {text}" for label, text in rows)])


def data(scenario: Scenario) -> tuple[TableRead, ...]:
    """Read the tables of a scenario and say how: encoding, columns, rows that cannot be used.

    Raises
    ------
    DataError
        With every finding about the tables.

    Examples
    --------
    >>> import allocator as al
    >>> orders, *_ = al.data(al.load_scenario("scenarios/q1_base.yaml"))
    >>> orders.name, orders.to_frame().columns.tolist()
    ('transactions', ['customer_id', 'ordered_on', 'amount'])
    """
    return tuple(TableRead(table) for table in read_tables(scenario))


def tables_to_json(tables: Iterable[TableRead]) -> str:
    """Give tables as a JSON array."""
    return json.dumps([table.to_dict() for table in tables], indent=2, ensure_ascii=False) + "\n"
