"""From spend to results: everything a plan states is recomputed here from the curves themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from allocator.plan.families import families, joined
from allocator.plan.prices import Price
from allocator.plan.problem import Decision, Problem, Quantities
from allocator.plan.rows import Amounts, Row, Weights
from allocator.plan.solution import CellResult, RowResult, Today
from allocator.plan.uncertainty import margin_draws
from allocator.response.curve import FloatArray
from allocator.response.curves import Cell

LIKELY = (0.1, 0.9)  # the quantiles of an interval: 8 in 10
SAME_BREAKPOINT = 0.0051  # money; spend in cents this close to a breakpoint is at it


def interval(draws: FloatArray | None) -> tuple[float, float] | None:
    """Give the range that holds 8 in 10 draws."""
    if draws is None:
        return None
    low, high = np.quantile(draws, LIKELY)
    return float(low), float(high)


def cell_results(problem: Problem, got: Quantities, draws: FloatArray | None) -> tuple[CellResult, ...]:
    """Give one result per (tier, channel, period); segments of one are added up."""
    parts: dict[Cell, list[tuple[int, int]]] = {}
    marginal = marginal_returns(problem, got.spend)
    for j, decision in enumerate(problem.decisions):
        for k, cell in enumerate(decision.cells):
            parts.setdefault(cell._replace(segment=""), []).append((j, k))
    return tuple(
        replace(
            _cell_result(cell, problem, got, draws, at),
            marginal_return=max((m for j, _ in at if (m := marginal[j]) is not None), default=None),
        )
        for cell, at in parts.items()
    )


def _cell_result(
    cell: Cell, problem: Problem, got: Quantities, draws: FloatArray | None, at: Sequence[tuple[int, int]]
) -> CellResult:
    decisions = [problem.decisions[j] for j, _ in at]
    paid = [float(problem.decisions[j].spend_shares[k]) for j, k in at]
    earned = [float(problem.decisions[j].value_shares[k]) for j, k in at]
    index = [j for j, _ in at]
    spend = [share * float(got.spend[j]) for share, j in zip(paid, index, strict=True)]
    mine = (
        None if draws is None or all(d.curve.draws is None for d in decisions) else draws[:, index] @ earned
    )
    return CellResult(
        cell=cell,
        current=_sum(
            None if d.current is None else d.current * w for d, w in zip(decisions, paid, strict=True)
        ),
        spend=sum(spend),
        margin=float(got.margin[index] @ earned),
        margin_interval=interval(mine),
        revenue=_known("revenue", decisions, got.revenue[index], earned),
        conversions=_known("conversions", decisions, got.conversions[index], earned),
        retained=_known("retained", decisions, got.retained[index], earned),
        marginal_return=None,
        contacts=_sum(
            None if d.cost_per_contact is None else s / d.cost_per_contact
            for d, s in zip(decisions, spend, strict=True)
        ),
        tied=any(d.tied for d in decisions),
    )


def _known(
    name: str, decisions: Sequence[Decision], brought: FloatArray, shares: Sequence[float]
) -> float | None:
    """Add up an outcome; None where a curve does not tell it."""
    return None if any(d.curve.outcome(name) is None for d in decisions) else float(brought @ shares)


def _sum(parts: Iterator[float | None]) -> float | None:
    known = list(parts)
    return None if any(part is None for part in known) else float(sum(part or 0.0 for part in known))


def marginal_returns(problem: Problem, spend: FloatArray) -> list[float | None]:
    """Give what the next unit of money earns in each decision, now and later; None where a curve ends."""
    effective = problem.effective(spend)
    own = [_marginal_at(d, float(e)) for d, e in zip(problem.decisions, effective, strict=True)]
    earned = np.array([np.nan if one is None else one for one in own], dtype=float)
    if problem.carry is not None:
        row, col, coef = problem.carry
        earned = np.bincount(col, coef * earned[row], minlength=len(own))
    return [float(one) if np.isfinite(one) else None for one in earned]


def _marginal_at(decision: Decision, spend: float) -> float | None:
    curve = decision.curve
    if curve.bounded:
        nearest = float(curve.spend[np.argmin(np.abs(curve.spend - spend))])
        spend = nearest if abs(nearest - spend) <= SAME_BREAKPOINT else spend
    earned = curve.marginal(spend, "next")
    return float(earned) if np.isfinite(earned) else None


def amounts(problem: Problem, got: Quantities) -> Amounts:
    """Give what every cell spends and brings."""
    return {
        cell: Weights(spend * float(paid), *(value * float(one) for one in brought))
        for decision, paid, *brought in zip(problem.decisions, *got, strict=True)
        for cell, spend, value in zip(
            decision.cells, decision.spend_shares, decision.value_shares, strict=True
        )
    }


def row_results(problem: Problem, got: Quantities, prices: Sequence[Price | None]) -> tuple[RowResult, ...]:
    """Give one result per row, in order; rows with a price bind.

    The limits of a tier's segments are one result: of those that bind where some do, else of all.
    """
    reached = amounts(problem, got)
    activity = problem.activities(got)
    found = []
    for family in families(problem.rows):
        counted = [i for i in family if prices[i] is not None] or list(family)
        row = _told([problem.rows[i] for i in counted], several=len(family) > 1)
        at = float(activity[counted].sum())
        found.append(_row_result(row, problem.budget, at, _ratio(row, reached), prices[counted[0]]))
    return tuple(found)


def _told(rows: Sequence[Row], *, several: bool) -> Row:
    """Give a row as people read it; its cells are those of whole tiers."""
    row = joined(rows) if several else rows[0]
    return replace(row, terms={cell._replace(segment=""): weights for cell, weights in row.terms.items()})


def _ratio(row: Row, reached: Amounts) -> float | None:
    if row.quotient is None:
        return None
    ratio = row.quotient.at(reached)
    return float("nan") if ratio is None else ratio


def _row_result(row: Row, budget: float, at: float, ratio: float | None, price: Price | None) -> RowResult:
    limit = row.limit(budget)
    stated = limit if row.ratio_limit is None else row.ratio_limit
    return RowResult(
        row=row,
        limit=stated,
        value=at if ratio is None else ratio,
        slack=row.bound.sign * (at - limit),
        binding=price is not None,
        next_unit=price.next_unit if price else None,
        last_unit=price.last_unit if price else None,
        range=price.range if price and ratio is None else None,
    )


def today(problem: Problem, got: Quantities, draws: FloatArray | None) -> Today | None:
    """Value the current spend by the same curves; None when the current spend of a decision is unknown.

    Spend past the end of a curve counts as spend and brings no more than the end: nothing is extrapolated.
    """
    currents = [decision.current for decision in problem.decisions]
    known = np.array([current for current in currents if current is not None], dtype=float)
    if len(known) < len(currents):
        return None
    most = [d.curve.end if d.curve.bounded else np.inf for d in problem.decisions]
    effective = problem.effective(known)
    valued = known * np.minimum(1.0, np.array(most) / np.maximum(effective, np.array(known) + (known == 0)))
    before = problem.quantities(valued)._replace(spend=known)
    past = margin_draws(problem, valued)
    beaten = None
    if draws is not None and past is not None:
        ahead = problem.value(got) - problem.value(before)
        shift = (draws - past - (got.margin - before.margin)) @ problem.goal[1]
        beaten = float(np.mean(ahead + shift > 0))
    return Today(float(known.sum()), float(before.margin.sum()), beaten)
