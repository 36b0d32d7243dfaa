"""A forecast in a folder: JSON and Parquet, read back without running anything."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from allocator.errors import DataError, Finding
from allocator.quantities import quoted
from allocator.report.record import FitRecord, OutlookRecord
from allocator.response.curves import Curves
from allocator.response.stored import from_stored, to_stored
from allocator.stages.frames import CUSTOMER_COLUMNS
from allocator.stages.kept import UNREADABLE, as_text, from_text

SCHEMA = "allocator.forecast/1"
FOLDER = "forecast"
RECORD, CURVES, CUSTOMERS = "record.json", "curves.parquet", "customers.parquet"


@dataclass(frozen=True, eq=False)
class SavedForecast:
    """What is saved of a forecast.

    Parameters
    ----------
    curves : Curves
    record : FitRecord
    outlook : OutlookRecord
    customers : DataFrame
        One row a customer of the population; empty without orders.
    """

    curves: Curves
    record: FitRecord
    outlook: OutlookRecord
    customers: pd.DataFrame


def write_saved(folder: Path, saved: SavedForecast) -> Path:
    """Write a forecast to ``forecast/`` in a folder, whole or not at all; one that was there makes place.

    Raises
    ------
    DataError
        E011 when the folder cannot be written, or holds something else of that name.
    """
    target = folder / FOLDER
    if target.exists() and not (target / RECORD).is_file():
        what = f"{target} exists and is no saved forecast, so it was left alone"
        raise DataError(Finding("E011", None, what, "choose another folder"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".allocator-") as waiting:
            draft = Path(waiting) / FOLDER
            draft.mkdir()
            _write(draft, saved)
            _swap(draft, target, Path(waiting) / "before")
    except OSError as error:
        what = f"{target}: {error.strerror or error}; nothing was written"
        raise DataError(Finding("E011", None, what)) from error
    return target


def _swap(draft: Path, target: Path, aside: Path) -> None:
    """Put a folder in the place of another, which comes back where that fails."""
    if target.exists():
        os.replace(target, aside)
    try:
        os.replace(draft, target)
    except OSError:
        if aside.exists():
            os.replace(aside, target)
        raise


def _write(draft: Path, saved: SavedForecast) -> None:
    text = {
        "schema": SCHEMA,
        "record": json.loads(as_text(FitRecord, saved.record)),
        "outlook": json.loads(as_text(OutlookRecord, saved.outlook)),
    }
    (draft / RECORD).write_text(
        json.dumps(text, ensure_ascii=False, indent=2) + "\n", encoding="utf-8", newline=""
    )
    to_stored(saved.curves).to_parquet(draft / CURVES, index=False)
    saved.customers.to_parquet(draft / CUSTOMERS, index=False)


def read_saved(folder: Path) -> SavedForecast:
    """Read a forecast that :func:`write_saved` wrote.

    Raises
    ------
    DataError
        E001 without one, E013 when it is something else.
    """
    place = folder / FOLDER
    if not (place / RECORD).is_file():
        what = f"there is no saved forecast in {folder}"
        raise DataError(Finding("E001", None, what, "save one: allocator fit FILE --out DIR"))
    try:
        data = json.loads((place / RECORD).read_text(encoding="utf-8"))
        if data.get("schema") != SCHEMA:
            raise ValueError(f"its schema is {data.get('schema')!r}, {SCHEMA!r} is expected")
        record = from_text(FitRecord, json.dumps(data["record"]))
        outlook = from_text(OutlookRecord, json.dumps(data["outlook"]))
        curves = from_stored(pd.read_parquet(place / CURVES))
        customers = pd.read_parquet(place / CUSTOMERS)
        absent = [name for name in CUSTOMER_COLUMNS if name not in customers]
        if absent:
            raise ValueError(f"its customers have no column {quoted(absent[0])}")
    except UNREADABLE as error:
        why = next(iter(str(error).splitlines()), type(error).__name__)
        what = f"{place} holds no forecast that can be read: {why}"
        raise DataError(Finding("E013", None, what, "save it anew: allocator fit FILE --out DIR")) from error
    return SavedForecast(curves, record, outlook, customers)
