"""The table of response curves: one row a breakpoint, to be exported, edited and read back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from allocator.errors import DataError, Finding, closest, raise_findings
from allocator.response.curve import DRAWS_MEAN, OUTCOMES, CurveError, FloatArray, ResponseCurve, amount
from allocator.response.curves import ALL, SOURCES, Combine, Curves, Evidence, Response, cell_name

if TYPE_CHECKING:
    import pandas as pd

BoolArray = NDArray[np.bool_]
ObjectArray = NDArray[np.object_]

NAMES = {
    "tier": "",
    "channel": "",
    "period": ALL,
    "segment": "",
    "source": "table",
}  # and what an empty one means
BESIDE = {
    "revenue": "a revenue",
    "conversions": "conversions",
    "retained": "retained customers",
    "immediate": "an immediate margin",
    "contacts": "contacts",
}  # what expected rows may tell besides value, and what to call it
NUMBERS = ("population", "draw", "spend", "value", *BESIDE, "observed_to")
REQUIRED = ("channel", "spend", "value")
COLUMNS = ("tier", "channel", "period", "segment", "population", "draw", "spend", "value", "source")
OPTIONAL = (*BESIDE, "observed_to")
KEY = ["channel", "tier", "period", "segment"]
EXPECTED = -1  # stands for the empty draw
SHOWN_ROWS = 5
SAME_COST = 1e-6  # of the cost of a contact: by how much it may differ from breakpoint to breakpoint


def to_frame(curves: Curves) -> pd.DataFrame:
    """Write curves as a tidy table.

    Parameters
    ----------
    curves : Curves

    Returns
    -------
    DataFrame
        One row a breakpoint and draw: ``tier`` (empty: the channel's total), ``channel``, ``period``,
        ``segment``, ``population``, ``draw`` (empty: the expected curve), ``spend`` and ``value`` in money
        (incremental margin, gross of spend), ``source``. Where a curve knows them, on the rows of the
        expected curve: ``revenue``, ``immediate`` (the part of `value` within the window of the effect;
        empty: all of it) in money, ``conversions``, ``retained`` and ``contacts`` in counts. A smooth curve
        is written as the breakpoints it was sampled at. ``observed_to`` where a curve says up to which spend
        there are data.

    Examples
    --------
    >>> from allocator.response.curves import Evidence
    >>> curve = ResponseCurve(np.array([0.0, 100.0]), np.array([0.0, 250.0]))
    >>> table = to_frame(Curves((Response("email", curve, Evidence.OPINION, "points"),)))
    >>> table[["channel", "spend", "value", "source"]].to_dict("records")[1]
    {'channel': 'email', 'spend': 100.0, 'value': 250.0, 'source': 'points'}
    """
    import pandas as pd

    blocks = [_block(response) for response in curves]
    known = {name for one in curves for name in _beside(one)}
    known |= {"observed_to" for one in curves if one.observed_to is not None}
    columns = [*COLUMNS, *(name for name in OPTIONAL if name in known)]
    table = pd.concat(blocks, ignore_index=True) if blocks else pd.DataFrame(columns=columns)
    return table.reindex(columns=columns)


def _beside(response: Response) -> dict[str, FloatArray]:
    """Give what the expected curve tells besides value, by column, shape (n_breakpoints,)."""
    cost = response.cost_per_contact
    contacts = {} if cost is None else {"contacts": response.curve.spend / cost}
    return {**response.curve.outcomes, **contacts}


def _block(response: Response) -> pd.DataFrame:
    """One cell: its expected curve, then its draws."""
    import pandas as pd

    curve, n = response.curve, len(response.curve.spend)
    draws = np.empty((0, n)) if curve.draws is None else curve.draws
    nothing = np.full(draws.size, np.nan)
    number = np.concatenate([np.full(n, np.nan), np.repeat(np.arange(len(draws), dtype=np.float64), n)])
    return pd.DataFrame(
        {
            "tier": response.tier or "",
            "channel": response.channel,
            "period": response.period,
            "segment": response.segment,
            "population": np.nan if response.population is None else response.population,
            "draw": pd.Series(number).astype("Int64"),
            "spend": np.tile(curve.spend, 1 + len(draws)),
            "value": np.concatenate([curve.value, draws.ravel()]),
            "source": response.source,
            **{name: np.concatenate([told, nothing]) for name, told in _beside(response).items()},
            "observed_to": np.nan if response.observed_to is None else response.observed_to,
        }
    )


def from_frame(table: pd.DataFrame, combine: Combine | None = None) -> Curves:
    """Read curves from a table as :func:`to_frame` writes it.

    Parameters
    ----------
    table : DataFrame
        ``channel``, ``spend`` and ``value`` are required; an absent or empty ``tier`` is the channel's total,
        ``period`` the whole horizon, ``draw`` the expected curve, ``source`` ``table``. Numbers may be
        written as text. The order of rows does not matter, that of channels is kept.
    combine : {"one_per_customer", "add"}, optional
        How channels that reach the same customer combine; the table does not say. Where absent, tested
        channels share their customers, one for each, if the table counts these.

    Returns
    -------
    Curves
        (0, 0) is added where it is absent; where only draws are given, the expected curve is their mean.

    Raises
    ------
    DataError
        With every fault found (code E313). Rows are counted from 1, the first under the header.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"channel": ["email", "email"], "spend": [100, 300], "value": [250, 450]})
    >>> from_frame(table).of("email")[0].curve.spend.tolist()
    [0.0, 100.0, 300.0]
    >>> from_frame(table.assign(value=[250, "a lot"]))
    Traceback (most recent call last):
        ...
    allocator.errors.DataError: error[E313]: value is not a finite number in row 2
    """
    raise_findings(list(_column_faults(table)), DataError)
    rows = _clean(table)
    by_row = list(_row_faults(rows))
    broken = np.logical_or.reduce([np.zeros(len(rows), dtype=bool), *(bad for _, bad in by_row)])
    # a cell with a faulty row would only give follow-up faults
    cells = [cell for here, cell in _cells(rows) if not broken[here].any()]
    faults = [_fault(f"{what} in {_listed(rows['row'][bad].tolist())}") for what, bad in by_row]
    faults += [fault for cell in cells for fault in cell.faults()]
    faults += list(_unlike_draws(cells)) if len(rows) else [_fault("the table has no rows")]
    raise_findings(faults, DataError)
    try:
        responses = tuple([cell.response() for cell in cells])
        return Curves(responses, combine or _combined(responses))
    except CurveError as error:
        raise DataError(_fault(finding.what) for finding in error.findings) from None


def _combined(responses: Sequence[Response]) -> Combine:
    counted = [one.population is not None for one in responses if one.evidence is Evidence.TESTED]
    return "one_per_customer" if counted and all(counted) else "add"


def _fault(what: str, fix: str = "") -> Finding:
    return Finding("E313", None, what, fix)


def _column_faults(table: pd.DataFrame) -> Iterator[Finding]:
    known = {*COLUMNS, *OPTIONAL}
    headers = [str(header) for header in table.columns]
    missing = [name for name in REQUIRED if name not in headers]
    unknown = [header for header in headers if header not in known]
    taken = {near for header in unknown if (near := closest(header, known - set(headers))) is not None}
    for header in unknown:
        near = closest(header, known - set(headers))
        yield _fault(
            f"unknown column {header!r}",
            f"did you mean {near!r}?" if near else f"columns: {', '.join(COLUMNS)}",
        )
    for name in missing:
        if name not in taken:
            yield _fault(f"the column {name!r} is missing", f"columns found: {', '.join(headers)}")
    for name in dict.fromkeys(header for header in headers if headers.count(header) > 1):
        yield _fault(f"there are {headers.count(name)} columns {name!r}")


def _clean(table: pd.DataFrame) -> pd.DataFrame:
    """Give every column in one type, with its row number; what is no number is left infinite."""
    import pandas as pd

    rows = pd.DataFrame({"row": np.arange(1, len(table) + 1)})
    for name, default in NAMES.items():
        rows[name] = _texts(table[name], default) if name in table else default
    for name in NUMBERS:
        rows[name] = _numbers(table[name]) if name in table else np.nan
    return rows


def _texts(column: pd.Series, default: str) -> ObjectArray:
    import pandas as pd

    codes, found = pd.factorize(column.astype(object))  # an empty cell is -1: the last text
    texts = [normalize("NFC", _text(value)) or default for value in found]
    return np.array([*texts, default], dtype=object)[codes]


def _text(value: object) -> str:
    """Write a label; a whole number read as 7.0, because other rows are empty, is 7."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _numbers(column: pd.Series) -> FloatArray:
    """Read numbers and numerals; an empty cell is nan, anything else that is not finite inf."""
    import pandas as pd

    if column.dtype == bool:
        return np.full(len(column), np.inf)
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    unread = np.flatnonzero(~np.isfinite(numbers))
    empty = [pd.isna(value) or str(value).strip() == "" for value in column.iloc[unread]]
    numbers[unread] = np.where(empty, np.nan, np.inf)
    return numbers


def _row_faults(rows: pd.DataFrame) -> Iterator[tuple[str, BoolArray]]:
    """Yield what single rows do wrong, and which ones."""
    spend, value, draw = (rows[name].to_numpy() for name in ("spend", "value", "draw"))
    told = {called: rows[name].to_numpy() for name, called in BESIDE.items()}
    nothing = spend == 0
    found = {
        "channel is empty": rows["channel"].eq("").to_numpy(),
        "source is none of " + ", ".join(SOURCES): ~rows["source"].isin(list(SOURCES)).to_numpy(),
        **{f"{name} is not a finite number": np.isinf(rows[name].to_numpy()) for name in NUMBERS},
        **{f"{name} is empty": rows[name].isna().to_numpy() for name in ("spend", "value")},
        "spend is negative": spend < 0,
        **{f"{name} is negative": rows[name].to_numpy() < 0 for name in ("population", "observed_to")},
        "contacts is not above 0": (spend > 0) & (rows["contacts"].to_numpy() <= 0),
        "draw is not a whole number of 0 or more": np.isfinite(draw) & ((draw < 0) | (draw % 1 != 0)),
        "a spend of 0 brings a value other than 0": nothing & np.isfinite(value) & (value != 0),
        **{
            f"a spend of 0 brings {called} other than 0": nothing & np.isfinite(of_it) & (of_it != 0)
            for called, of_it in told.items()
        },
        **{
            f"a draw has {called} of its own, which is not supported yet,": np.isfinite(draw)
            & np.isfinite(of_it)
            for called, of_it in told.items()
        },
        "a breakpoint is written twice": np.isfinite(spend)
        & rows.duplicated([*KEY, "draw", "spend"]).to_numpy(),
    }
    for what, bad in found.items():
        if bad.any():
            yield what, bad


def _listed(numbers: Sequence[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:SHOWN_ROWS])
    more = len(numbers) - SHOWN_ROWS
    return f"row{'s' if len(numbers) > 1 else ''} {shown}{f' and {more} more' if more > 0 else ''}"


@dataclass(frozen=True, eq=False)
class _Cell:
    """The rows of one cell as arrays; `value` is aligned with `draws` by breakpoint."""

    name: str
    rows: pd.DataFrame

    @cached_property
    def grid(self) -> pd.DataFrame:
        """Values by draw (EXPECTED first) and spend above 0; nan where one is not written."""
        above = self.rows[self.rows["spend"] > 0]
        return above.assign(draw=above["draw"].fillna(EXPECTED)).pivot_table(
            index="draw", columns="spend", values="value", aggfunc="first"
        )

    @property
    def labels(self) -> tuple[int, ...]:
        """Numbers of the draws, rising."""
        return tuple(int(label) for label in self.grid.index if label != EXPECTED)

    @cached_property
    def spend(self) -> FloatArray:
        """Breakpoints from 0."""
        return np.concatenate([[0.0], self.grid.columns.to_numpy(dtype=np.float64)])

    @cached_property
    def draws(self) -> FloatArray | None:
        """Values of every draw, shape (n_draws, n_breakpoints)."""
        drawn = self.grid[self.grid.index != EXPECTED].to_numpy(dtype=np.float64)
        return np.insert(drawn, 0, 0.0, axis=1) if len(drawn) else None

    @cached_property
    def value(self) -> FloatArray:
        """The expected curve; where only draws are written, their mean."""
        if EXPECTED in self.grid.index:
            return np.insert(self.grid.loc[EXPECTED].to_numpy(dtype=np.float64), 0, 0.0)
        return np.zeros_like(self.spend) if self.draws is None else np.asarray(self.draws.mean(axis=0))

    @cached_property
    def beside(self) -> dict[str, FloatArray]:
        """What is written of the expected curve besides value, by column, from 0."""
        rows = self.rows[(self.rows["spend"] > 0) & self.rows["draw"].isna()].sort_values("spend")
        told = {name: rows[name].to_numpy(dtype=np.float64) for name in BESIDE}
        return {name: np.insert(known, 0, 0.0) for name, known in told.items() if np.isfinite(known).any()}

    @property
    def costs(self) -> FloatArray:
        """Money per contact at every breakpoint above 0; empty where contacts are not written."""
        return self.spend[1:] / self.beside["contacts"][1:] if "contacts" in self.beside else np.empty(0)

    def faults(self) -> Iterator[Finding]:
        """Yield what the rows of the cell do wrong together."""
        for column in ("population", "source", "observed_to"):
            if len(self.rows[column].drop_duplicates()) > 1:
                yield _fault(f"{self.name} has more than one {column}")
        for column, known in self.beside.items():
            if not np.isfinite(known).all():
                yield _fault(f"{self.name} has {BESIDE[column]} at some breakpoints only")
        if self.grid.empty:
            yield _fault(f"{self.name} has no breakpoint above 0")
        elif self.grid.isna().any(axis=None):
            yield _fault(f"the curve and the draws of {self.name} have different breakpoints")
        else:
            yield from self._curve_faults()

    def _curve_faults(self) -> Iterator[Finding]:
        costs = self.costs
        if len(costs) and np.ptp(costs) > SAME_COST * costs.min():
            what = f"a contact of {self.name} costs between {costs.min():g} and {costs.max():g}"
            yield _fault(what, "contacts have to cost the same at every spend; or leave them out")
        if self.draws is not None:
            gap = np.abs(self.draws.mean(axis=0) - self.value).max()
            if gap > DRAWS_MEAN * np.abs(self.draws).max():
                what = f"the expected curve of {self.name} lies up to {amount(gap)} off the mean of its draws"
                yield _fault(what, "change the draws too, or leave them out")

    def response(self) -> Response:
        """Build the response of a cell without fault."""
        first = self.rows.iloc[0]
        outcomes: dict[str, Any] = {name: self.beside.get(name) for name in OUTCOMES}
        return Response(
            channel=first["channel"],
            curve=ResponseCurve(self.spend, self.value, self.draws, **outcomes),
            evidence=SOURCES[first["source"]],
            source=first["source"],
            tier=first["tier"] or None,
            period=first["period"],
            segment=first["segment"],
            population=None if np.isnan(first["population"]) else float(first["population"]),
            observed_to=None if np.isnan(first["observed_to"]) else float(first["observed_to"]),
            cost_per_contact=float(self.costs[-1]) if len(self.costs) else None,
        )


def _cells(rows: pd.DataFrame) -> Iterator[tuple[NDArray[np.intp], _Cell]]:
    """Yield every cell with the positions of its rows, in order of its first row."""
    number = rows.groupby(KEY, sort=False).ngroup().to_numpy()
    order = np.argsort(number, kind="stable")
    for here in np.split(order, np.flatnonzero(np.diff(number[order])) + 1) if len(rows) else ():
        first = rows.iloc[here[0]]
        yield here, _Cell(cell_name(*(str(first[part]) for part in KEY)), rows.iloc[here])


def _unlike_draws(cells: Sequence[_Cell]) -> Iterator[Finding]:
    """Draw n of one cell is drawn together with draw n of every other: their numbers have to be the same."""
    uncertain = [cell for cell in cells if cell.labels]
    for cell in uncertain[1:]:
        if cell.labels != uncertain[0].labels:
            yield _fault(f"{cell.name} and {uncertain[0].name} have differently numbered draws")
