"""Tables already in memory, of whichever library, as Arrow columns an engine can read."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from allocator.errors import DataError, Finding
from allocator.tables.headers import tidy

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def as_arrow(frame: Any) -> pa.Table:  # noqa: ANN401 - a pandas, polars or Arrow table
    """Give a table's columns by name; mixed ones as text.

    Raises
    ------
    DataError
        E314 for anything that is no table.
    """
    import pandas as pd
    import pyarrow as pa

    table = frame.to_pandas() if hasattr(frame, "to_pandas") else frame
    if not isinstance(table, pd.DataFrame):
        what = f"a table is expected, not {type(frame).__name__}"
        raise DataError(Finding("E314", None, what, "give a pandas, polars or Arrow table"))
    columns = [_column(table.iloc[:, index]) for index in range(table.shape[1])]
    return pa.Table.from_arrays(columns, names=[tidy(str(name)) for name in table.columns])


def sha256(arrow: pa.Table) -> str:
    """Give the hash of a table's names and cells, in hex."""
    import pyarrow as pa

    digest = hashlib.sha256()
    with pa.ipc.new_stream(_Sink(digest), arrow.schema) as stream:
        stream.write_table(arrow, max_chunksize=1 << 16)
    return digest.hexdigest()


class _Sink:
    """A file whose bytes only go into a hash."""

    closed = False

    def __init__(self, digest: Any) -> None:  # noqa: ANN401
        self._digest = digest

    def write(self, data: Any) -> int:  # noqa: ANN401
        self._digest.update(data)
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""


def _column(column: pd.Series) -> pa.Array | pa.ChunkedArray:
    """Give numbers and times as they are, all else as text."""
    import pandas as pd
    import pyarrow as pa

    kinds = pd.api.types
    if isinstance(column.dtype, pd.CategoricalDtype | pd.SparseDtype):
        column = pd.Series(column.to_numpy())
    if kinds.is_float_dtype(column.dtype):
        return pa.array(column.to_numpy(dtype="float64", na_value=float("nan")), from_pandas=True)
    number = kinds.is_integer_dtype(column.dtype) or kinds.is_bool_dtype(column.dtype)
    if number or kinds.is_datetime64_any_dtype(column.dtype):
        return pa.array(column, from_pandas=True)
    return pa.array([_text(value) for value in column.array], type=pa.string())


def _text(value: object) -> str | None:
    """Write a cell of a mixed column; a whole number read as 7.0, because other rows are empty, is 7."""
    import pandas as pd

    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float):
        if value != value:  # NaN alone differs from itself
            return None
        return str(int(value)) if value.is_integer() else repr(float(value))
    return str(value).encode("utf-8", "replace").decode("utf-8")
