"""Curves of whole tiers from those of their segments, for people to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from allocator.response.curve import FloatArray, ResponseCurve
from allocator.response.curves import Curves, Response


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
    """Put the pieces of all curves one behind the other, the steepest first."""
    order = np.argsort(-np.concatenate([curve.slopes for curve in curves]), kind="stable")

    def along(rows: Sequence[FloatArray]) -> FloatArray:
        steps = np.concatenate([np.diff(row, axis=-1) for row in rows], axis=-1)[..., order]
        start = np.zeros((*steps.shape[:-1], 1))
        return np.concatenate([start, np.cumsum(steps, axis=-1)], axis=-1)

    draws = [curve.draws for curve in curves if curve.draws is not None]
    revenue = [curve.revenue for curve in curves if curve.revenue is not None]
    return ResponseCurve(
        spend=along([curve.spend for curve in curves]),
        value=along([curve.value for curve in curves]),
        draws=along(draws) if len(draws) == len(curves) else None,
        revenue=along(revenue) if len(revenue) == len(curves) else None,
    )
