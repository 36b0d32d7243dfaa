"""The sample as files, the same to the byte wherever they are written."""

from __future__ import annotations

import gzip
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from allocator.tables.sample.world import World, simulate

if TYPE_CHECKING:
    from pandas import DataFrame

SEED = 20261031


def write_sample(folder: str | os.PathLike[str], world: World | None = None) -> tuple[Path, ...]:
    """Write the tables of a world as CSV files.

    Parameters
    ----------
    folder : path
        Made when it does not exist; files of these names are replaced.
    world : World, optional
        The shipped one where absent.

    Returns
    -------
    tuple of Path
        ``orders.csv.gz``, ``customers.csv.gz``, ``contacts.csv.gz`` and ``weekly.csv``.
    """
    world = simulate(SEED) if world is None else world
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    return tuple(_write(target / name, table) for name, table in _tables(world).items())


def _tables(world: World) -> Mapping[str, DataFrame]:
    return {
        "orders.csv.gz": world.orders,
        "customers.csv.gz": world.customers,
        "contacts.csv.gz": world.contacts,
        "weekly.csv": world.spend_history,
    }


def _write(path: Path, table: DataFrame) -> Path:
    text = table.to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n").encode()
    # without a time in the header, so that the same table is the same file
    path.write_bytes(gzip.compress(text, 9, mtime=0) if path.suffix == ".gz" else text)
    return path
