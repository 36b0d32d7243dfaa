"""Forecasts of customers that are kept: as a table and a text, under the hash of all they were made from."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from pydantic import TypeAdapter

from allocator.customers.rows import RowCounts
from allocator.customers.summary import CustomerSummary
from allocator.errors import Finding
from allocator.models.clv.forecast import ValueTerms
from allocator.models.clv.record import ForecastRecord

if TYPE_CHECKING:
    import pandas as pd

Kind = TypeVar("Kind")

PACKAGE = Path(__file__).resolve().parents[1]
LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "statsmodels", "duckdb")
ENTRIES = 30
FACTS, TABLE = "facts.json", "customers.parquet"
UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError)
"""What reading a file of something else may raise; too deep a JSON is a RuntimeError."""


@dataclass(frozen=True)
class RetentionRecord:
    """How the probability to buy again was told; scores and spreads as in ``RetentionScore``."""

    model: str = "activity"
    scores: Mapping[str, float] = field(default_factory=dict)
    spreads: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Valued:
    """What a forecast says of customers; arrays are aligned with ``summary.customer_id``.

    Parameters
    ----------
    summary : CustomerSummary
    columns : mapping of str to array, shape (customers,)
        Figures of every customer.
    terms : ValueTerms
    forecast : ForecastRecord
    retention : RetentionRecord
    warnings : tuple of Finding
        Of the models.
    """

    summary: CustomerSummary
    columns: Mapping[str, Any]
    terms: ValueTerms
    forecast: ForecastRecord
    retention: RetentionRecord = field(default_factory=RetentionRecord)
    warnings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class _Facts:
    """All of a :class:`Valued` but the columns, which are named."""

    as_of: date
    rows: RowCounts
    columns: tuple[str, ...]
    terms: ValueTerms
    forecast: ForecastRecord
    retention: RetentionRecord
    warnings: tuple[Finding, ...]


_KEY = re.compile("[0-9a-f]{64}")
_SUMMARY = ("customer_id", "n_days", "first_on", "last_on", "total_value", "first_value")


def as_text(kind: type[Kind], value: Kind) -> str:
    """Give a dataclass of plain data as JSON text, to be read back by :func:`from_text`."""
    return json.dumps(TypeAdapter(kind).dump_python(value, mode="json"), ensure_ascii=False) + "\n"


def from_text(kind: type[Kind], text: str) -> Kind:
    """Read a dataclass of plain data from JSON text; every value is checked, nothing is executed.

    Raises
    ------
    ValueError
        When the text is no such thing.
    """
    return TypeAdapter(kind).validate_python(json.loads(text))


def to_table(valued: Valued) -> pd.DataFrame:
    """Give one row a customer; those of the population without a purchase come last, with 0 days."""
    import pandas as pd

    summary = valued.summary
    known = pd.DataFrame({name: getattr(summary, name) for name in _SUMMARY} | dict(valued.columns))
    absent = pd.DataFrame({"customer_id": summary.without_orders})
    return pd.concat([known, absent]).fillna({"n_days": 0}).astype({"n_days": np.int64})


def _from_table(table: pd.DataFrame, facts: _Facts) -> Valued:
    known, absent = table[table["n_days"] > 0], table[table["n_days"] == 0]
    ids, days, first, last, total, value = (known[name].to_numpy() for name in _SUMMARY)
    summary = CustomerSummary(
        ids.astype(object),
        days,
        first.astype("datetime64[D]"),
        last.astype("datetime64[D]"),
        total,
        value,
        facts.as_of,
        facts.rows,
        absent["customer_id"].to_numpy(dtype=object),
    )
    columns = {name: known[name].to_numpy(dtype=np.float64) for name in facts.columns}
    return Valued(summary, columns, facts.terms, facts.forecast, facts.retention, facts.warnings)


def write_valued(folder: Path, valued: Valued) -> None:
    """Write a forecast of customers into a folder that exists, as JSON and Parquet."""
    summary = valued.summary
    facts = _Facts(
        as_of=summary.as_of,
        rows=summary.rows,
        columns=tuple(valued.columns),
        terms=valued.terms,
        forecast=valued.forecast,
        retention=valued.retention,
        warnings=valued.warnings,
    )
    (folder / FACTS).write_text(as_text(_Facts, facts), encoding="utf-8", newline="")
    to_table(valued).to_parquet(folder / TABLE, index=False)


def read_valued(folder: Path) -> Valued:
    """Read what :func:`write_valued` wrote.

    Raises
    ------
    UNREADABLE
        Any of these when the files are not there, or are something else.
    """
    import pandas as pd

    facts = from_text(_Facts, (folder / FACTS).read_text(encoding="utf-8"))
    return _from_table(pd.read_parquet(folder / TABLE), facts)


def key_of(*parts: object) -> str:
    """Give the hash of everything a forecast is made from: the parts, this package's code, its libraries.

    Parameters
    ----------
    *parts : plain data
        Such as hashes of files and options.
    """
    text = json.dumps([parts, _code(), {name: version(name) for name in LIBRARIES}], default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _code() -> str:
    found = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        found.update(path.relative_to(PACKAGE).as_posix().encode() + path.read_bytes())
    return found.hexdigest()


@dataclass(frozen=True)
class Store:
    """A folder of forecasts, each under its key; what is broken in it counts as not there.

    Parameters
    ----------
    folder : Path
        Made when something is kept.
    """

    folder: Path

    def get(self, key: str) -> Valued | None:
        """Give what is kept under a key; None without it."""
        try:
            found = read_valued(self.folder / key)
        except UNREADABLE:
            return None
        with suppress(OSError):
            os.utime(self.folder / key)
        return found

    def put(self, key: str, valued: Valued) -> None:
        """Keep a forecast, whole or not at all; the entries not used for longest make place.

        A folder that cannot be written keeps nothing: it would only have saved time. Nothing in it that is
        no entry is touched.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=".new-") as waiting:
                draft = Path(waiting) / key
                draft.mkdir()
                write_valued(draft, valued)
                if (self.folder / key).exists():
                    os.replace(self.folder / key, Path(waiting) / "before")
                os.replace(draft, self.folder / key)
            self._tidy()
        except (OSError, ValueError):
            return

    def _tidy(self) -> None:
        entries = [path for path in self.folder.iterdir() if _KEY.fullmatch(path.name) and path.is_dir()]
        entries.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for old in entries[ENTRIES:]:
            shutil.rmtree(old, ignore_errors=True)
