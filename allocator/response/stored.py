"""Response curves as a table that loses nothing: to be read back by a machine, not edited by people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter

from allocator.response.curve import OUTCOMES, FloatArray, ResponseCurve, Scaled, Shape
from allocator.response.curves import Combine, Curves, Evidence, Response
from allocator.response.families import CurveFamily, Family

if TYPE_CHECKING:
    import pandas as pd

PLACE = ("channel", "tier", "period", "segment")
PARTS = (*PLACE, "population", "evidence", "source", "observed_to", "cost_per_contact")
ARRAYS = ("spend", "value", "draws", *OUTCOMES)


def to_stored(curves: Curves) -> pd.DataFrame:
    """Give one row a response, its breakpoints as lists; a smooth shape as the parameters of its family.

    Unlike :func:`allocator.response.table.to_frame` this keeps shapes, evidence and the rule by which
    channels combine, so that what is read back gives the same plan bit for bit.

    Raises
    ------
    TypeError
        For a shape of no family.
    """
    import pandas as pd

    rows = [
        {
            **{name: getattr(one, name) for name in PARTS},
            **{name: _as_list(getattr(one.curve, name)) for name in ARRAYS},
            "shape": None if one.curve.shape is None else json.dumps(_shape_data(one.curve.shape)),
            "combine": curves.combine,
        }
        for one in curves
    ]
    return pd.DataFrame(rows, columns=[*PARTS, *ARRAYS, "shape", "combine"])


def from_stored(table: pd.DataFrame) -> Curves:
    """Read what :func:`to_stored` gave.

    Raises
    ------
    ValueError
        When it is something else.

    Examples
    --------
    >>> curve = ResponseCurve(np.array([0.0, 100.0]), np.array([0.0, 250.0]))
    >>> curves = Curves((Response("email", curve, Evidence.OPINION, "points"),))
    >>> from_stored(to_stored(curves)).of("email")[0].curve.at(50.0).tolist()
    125.0
    """
    rows: list[dict[str, Any]] = table.astype(object).where(table.notna(), None).to_dict("records")  # type: ignore[assignment]
    combine: Combine = TypeAdapter(Combine).validate_python(rows[0]["combine"] if rows else "add")
    return Curves(tuple(_response(row) for row in rows), combine)


def _response(row: dict[str, Any]) -> Response:
    draws = _as_array(row["draws"])
    spend = np.asarray(row["spend"], dtype=np.float64)
    outcomes: dict[str, Any] = {name: _as_array(row.get(name)) for name in OUTCOMES}
    curve = ResponseCurve(
        spend,
        np.asarray(row["value"], dtype=np.float64),
        None if draws is None else draws.reshape(-1, len(spend)),
        shape=None if row["shape"] is None else _shape(json.loads(row["shape"])),
        **outcomes,
    )
    parts: dict[str, Any] = {name: row.get(name) for name in PARTS if name != "evidence"}
    return Response(curve=curve, evidence=Evidence(row["evidence"]), **parts)


def _as_list(array: FloatArray | None) -> list[float] | None:
    return None if array is None else array.ravel().tolist()


def _as_array(values: Any) -> FloatArray | None:  # noqa: ANN401 - a list, an array or nothing
    return None if values is None else np.asarray(values, dtype=np.float64)


def _shape_data(shape: Shape) -> dict[str, Any]:
    if isinstance(shape, Scaled):
        return {"width": shape.width, "factor": shape.factor, "of": _shape_data(shape.shape)}
    if isinstance(shape, Family):
        return shape.model_dump(mode="json")
    raise TypeError(f"a shape of type {type(shape).__name__} cannot be stored")


def _shape(data: dict[str, Any]) -> Shape:
    if "of" in data:
        return Scaled(_shape(data["of"]), float(data["width"]), float(data["factor"]))
    family: Shape = TypeAdapter(CurveFamily).validate_python(data)
    return family
