"""Curves of whole tiers from those of their segments, for people to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from allocator.response.curve import OUTCOMES, FloatArray, ResponseCurve
from allocator.response.curves import Curves, Response
from allocator.response.envelope import envelope


def whole_tiers(curves: Curves) -> tuple[Response, ...]:
    """Give one response a channel, tier and period: the best segment first, and so on.

    What a channel alone would bring; with ``one_per_customer`` channels share the customers behind it.

    Examples
    --------
    >>> from allocator.response.curves import Evidence
    >>> def part(name: str, slope: float) -> Response:
    ...     curve = ResponseCurve(np.array([0.0, 10.0]), np.array([0.0, 10 * slope]))
    ...     return Response("email", curve, Evidence.TESTED, "experiment", "low", segment=name, population=50)
    >>> (whole,) = whole_tiers(Curves((part("1", 2.0), part("2", 3.0))))
    >>> whole.curve.value.tolist(), whole.population, whole.segment
    ([0.0, 30.0, 50.0], 100, '')
    """
    found: dict[tuple[str, str | None, str], list[Response]] = {}
    for one in curves:
        found.setdefault((one.channel, one.tier, one.period), []).append(one)
    return tuple(_joined(parts) for parts in found.values())


def _joined(parts: Sequence[Response]) -> Response:
    if len(parts) == 1:
        return parts[0]
    people = [part.population for part in parts if part.population is not None]
    population = sum(people) if len(people) == len(parts) else None
    return replace(parts[0], curve=_one_curve([p.curve for p in parts]), segment="", population=population)


def _one_curve(curves: Sequence[ResponseCurve]) -> ResponseCurve:
    """Put the pieces of all curves one behind the other, the steepest first.

    What a curve that bends upwards has to be climbed for stays together.
    """
    order = np.argsort(-np.concatenate([_steepness(curve) for curve in curves]), kind="stable")

    def along(rows: Sequence[FloatArray]) -> FloatArray:
        steps = np.concatenate([np.diff(row, axis=-1) for row in rows], axis=-1)[..., order]
        start = np.zeros((*steps.shape[:-1], 1))
        return np.concatenate([start, np.cumsum(steps, axis=-1)], axis=-1)

    draws = [curve.draws for curve in curves if curve.draws is not None]
    known = {name: _outcome(curves, name) for name in OUTCOMES}
    outcomes: dict[str, Any] = {name: along(rows) for name, rows in known.items() if rows is not None}
    return ResponseCurve(
        spend=along([curve.spend for curve in curves]),
        value=along([curve.value for curve in curves]),
        draws=along(draws) if len(draws) == len(curves) else None,
        **outcomes,
    )


def _outcome(curves: Sequence[ResponseCurve], name: str) -> list[FloatArray] | None:
    """Give an outcome of every curve; None where it is not known of all."""
    known = [curve.outcome(name) for curve in curves]
    if name == "immediate" and any(row is not None for row in known):
        known = [curve.value if row is None else row for row, curve in zip(known, curves, strict=True)]
    found = [row for row in known if row is not None]
    return found if len(found) == len(curves) else None


def _steepness(curve: ResponseCurve) -> FloatArray:
    """Give the slope by which each piece takes its turn: up to where a curve bends upwards, the mean one."""
    if curve.concave:
        return curve.slopes
    kept = envelope(curve.spend, curve.value)
    return np.repeat(np.diff(curve.value[kept]) / np.diff(curve.spend[kept]), np.diff(kept))
